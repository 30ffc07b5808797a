-- workloads.lua: the programs that are timed, one per process, so that they do not affect each
-- other.
-- usage: lua workloads.lua NAME [N]   prints lines "<name> <value> <unit>"
--        lua workloads.lua --list     prints lines "<name> <floor or -> <better> [<N>,<N>...]",
--                                     where <better> is "less" or "more"
-- Uses only the interface of Lanes 3.x, so any library with that interface can be timed.

local cpu_before = os.clock()
local lanes = require "lanes"
lanes = lanes.configure() or lanes
local startup_seconds = os.clock() - cpu_before

local now, unpack = lanes.now_secs, unpack or table.unpack

local workloads, order = {}, {}

--- Registers a workload: its name, the number of operations, its floor (a name of floor.lua, `cpus`
--- or `-`), whether "less" or "more" is better, and run(n) -> value, unit [, additional values: a
--- list of { name, value, unit }]. `sizes` are the numbers of operations for the scale table.
local function workload(name, n, floor, better, run, sizes)
    workloads[name] = { n = n, floor = floor, better = better, run = run, sizes = sizes }
    order[#order + 1] = name
end

--- A number from the system about this process (Linux; 0 elsewhere).
local function process_status(name)
    local file = io.open("/proc/self/status")
    if not file then return 0 end
    local text = file:read("*a")
    file:close()
    return tonumber(text:match(name .. ":%s+(%d+)"))
end

--- Resident memory of this process in KiB.
local function resident_kib() return process_status("VmRSS") end

local function join_all(handles)
    for i = 1, #handles do handles[i]:join() end
end

--- A list of n strings: name1, name2, ...
local function numbered(name, n)
    local list = {}
    for i = 1, n do list[i] = name .. i end
    return list
end

-- Lanes -------------------------------------------------------------------------------------------

local function identity(x) return x end

--- Microseconds per lane to launch and join lanes one after the other.
local function one_after_the_other(generator, n)
    for i = 1, n / 20 do generator(i):join() end
    local begun = now()
    for i = 1, n do generator(i):join() end
    return (now() - begun) / n * 1e6
end

workload("spawn0", 3000, "thread_state", "less", function(n)
    return one_after_the_other(lanes.gen(identity), n), "us/lane"
end)

workload("spawnall", 2000, "state_all", "less", function(n)
    return one_after_the_other(lanes.gen("*", identity), n), "us/lane"
end)

workload("burst", 1000, "state_all", "less", function(n)
    local generator, handles = lanes.gen("*", identity), {}
    local begun = now()
    for i = 1, n do handles[i] = generator(i) end
    join_all(handles)
    return (now() - begun) / n * 1e6, "us/lane"
end)

-- Growth in the second half is memory that lanes leave behind; in the first half, caches fill.
workload("started", 10000, "state_all", "less", function(n)
    local generator = lanes.gen("*", identity)
    for i = 1, n / 10 do generator(i):join() end
    local seconds, resident = 0, {}
    for half = 1, 2 do
        local begun = now()
        for i = 1, n / 2 do generator(i):join() end
        seconds = seconds + now() - begun
        collectgarbage()
        collectgarbage()
        resident[half] = resident_kib()
    end
    return seconds / n * 1e6, "us/lane", { { "growth", resident[2] - resident[1], "KiB" } }
end, { 1000, 10000, 100000 })

workload("alive", 2000, "thread_state_all", "less", function(n)
    local linda, handles = lanes.linda(), {}
    local generator = lanes.gen("*", function(gate)
        gate:send("up", true)
        gate:receive("go")
    end)
    local begun = now()
    for i = 1, n do handles[i] = generator(linda) end
    for _ = 1, n do linda:receive("up") end
    for _ = 1, n do linda:send("go", true) end
    join_all(handles)
    return (now() - begun) / n * 1e6, "us/lane"
end)

--- Launches n lanes that each wait for a different key of `linda`. Returns a function that ends
--- them.
local function park(linda, n)
    local generator = lanes.gen("*", function(gate, key)
        gate:send("up", true)
        gate:receive(key)
    end)
    local keys, handles = numbered("park", n), {}
    for i = 1, n do handles[i] = generator(linda, keys[i]) end
    for _ = 1, n do linda:receive("up") end
    return function()
        for i = 1, n do linda:send(keys[i], true) end
        join_all(handles)
    end
end

workload("mem", 500, "memory", "less", function(n)
    collectgarbage()
    local before = resident_kib()
    local finish = park(lanes.linda(), n)
    local each = (resident_kib() - before) / n
    finish()
    return each, "KiB/lane"
end)

-- Two seconds in which nothing happens: lanes wait for a linda, one lane waits for another, and the
-- main program and the threads of ended lanes sleep.
workload("idle", 100, "-", "less", function(n)
    local linda = lanes.linda()
    local finish = park(linda, n)
    park(lanes.linda(), 20)()
    local joiner = lanes.gen("*", function(gate)
        local inner = require "lanes".gen("*", function() gate:receive("end") end)()
        gate:send("up", true)
        inner:join()
    end)(linda)
    linda:receive("up")
    linda:receive(0.2, "nothing")
    local begun = os.clock()
    linda:receive(2, "nothing")
    local cpu = os.clock() - begun
    linda:send("end", true)
    joiner:join()
    finish()
    return cpu * 1e3, "ms"
end)

workload("startup", 1, "-", "less", function()
    return startup_seconds * 1e3, "ms", { { "threads", process_status("Threads"), "threads" } }
end)

-- Round trips -------------------------------------------------------------------------------------

local function echo(from, to, n)
    for _ = 1, n do
        local _, value = from:receive(nil, "ping")
        to:send(nil, "pong", value)
    end
end

--- Microseconds to pass a value to another lane and back.
local function round_trips(from, to, n)
    local handle = lanes.gen("*", echo)(from, to, n)
    local begun = now()
    for i = 1, n do
        from:send(nil, "ping", i)
        to:receive(nil, "pong")
    end
    local each = (now() - begun) / n * 1e6
    handle:join()
    return each
end

workload("pingpong", 20000, "spin", "less", function(n)
    return round_trips(lanes.linda(), lanes.linda(), n), "us/roundtrip"
end)

workload("waiters", 5000, "spin", "less", function(n)
    local linda = lanes.linda()
    local finish = park(linda, 100)
    local each = round_trips(linda, linda, n)
    finish()
    return each, "us/roundtrip"
end)

workload("parked", 100, "spin", "less", function(n)
    local linda = lanes.linda()
    local finish = park(linda, n)
    local each = round_trips(linda, linda, 5000)
    finish()
    return each, "us/roundtrip"
end, { 10, 100, 1000 })

-- Streams -----------------------------------------------------------------------------------------

local function sink(linda, n)
    for _ = 1, n do linda:receive(nil, "x") end
end

--- Seconds to pass n messages to another lane. They are the elements of `pool`, repeated.
local function stream(pool, n)
    local linda = lanes.linda()
    local handle = lanes.gen("*", sink)(linda, n)
    local size = #pool
    local begun = now()
    for i = 1, n do linda:send(nil, "x", pool[i % size + 1]) end
    handle:join()
    return now() - begun
end

workload("numbers", 200000, "call", "more", function(n) return n / stream({ 42 }, n), "msg/s" end)

workload("strings", 200000, "string", "more", function(n)
    local pool = {}
    for i = 1, 20000 do pool[i] = ("x"):rep(92) .. ("%08d"):format(i) end
    return n / stream(pool, n), "msg/s"
end)

workload("tables", 50000, "table", "more", function(n)
    local value = { id = 1, name = "abc", x = 1.5, y = 2.5, tags = { "a", "b", "c" }, ok = true }
    return n / stream({ value }, n), "msg/s"
end)

workload("functions", 20000, "function", "more", function(n)
    local a, b = 1, { 2 }
    local function adder(x) return x + a + b[1] end
    return n / stream({ adder }, n), "msg/s"
end)

workload("bigstr", 200, "memcpy", "more", function(n)
    local pool = {}
    for i = 1, 16 do pool[i] = ("x"):rep(4 * 1024 * 1024 - 8) .. ("%08d"):format(i) end
    return n * 4.194304 / stream(pool, n), "MB/s"
end)

workload("bigtab", 20, "list", "more", function(n)
    local list = {}
    for i = 1, 200000 do list[i] = i end
    return n * 0.2 / stream({ list }, n), "Mitem/s"
end)

workload("batched", 500000, "batch", "more", function(n)
    local linda, size = lanes.linda(), 100
    local handle = lanes.gen("*", function(from, batches, count)
        for _ = 1, batches do from:receive(nil, from.batched, "x", count) end
    end)(linda, n / size, size)
    local batch = {}
    for i = 1, size do batch[i] = i end
    local begun = now()
    for _ = 1, n / size do linda:send(nil, "x", unpack(batch)) end
    handle:join()
    return n / (now() - begun), "msg/s"
end)

workload("fanin", 50000, "call", "more", function(n)
    local linda, handles = lanes.linda(), {}
    local generator = lanes.gen("*", function(to, count)
        for i = 1, count do to:send(nil, "x", i) end
    end)
    local begun = now()
    for i = 1, 4 do handles[i] = generator(linda, n) end
    for _ = 1, 4 * n do linda:receive(nil, "x") end
    local seconds = now() - begun
    join_all(handles)
    return 4 * n / seconds, "msg/s"
end)

-- Operations in one lane --------------------------------------------------------------------------

workload("local1", 300000, "calls", "less", function(n)
    local linda = lanes.linda()
    for i = 1, n / 10 do
        linda:send(nil, "x", i)
        linda:receive(nil, "x")
    end
    local begun = now()
    for i = 1, n do
        linda:send(nil, "x", i)
        linda:receive(nil, "x")
    end
    return (now() - begun) / n * 1e9, "ns/send+recv"
end)

workload("setget", 300000, "calls", "less", function(n)
    local linda = lanes.linda()
    for i = 1, n / 10 do
        linda:set("x", i)
        linda:get("x")
    end
    local begun = now()
    for i = 1, n do
        linda:set("x", i)
        linda:get("x")
    end
    return (now() - begun) / n * 1e9, "ns/set+get"
end)

-- Four lanes that each set their own slot and read all the others.
workload("polling", 50000, "-", "more", function(n)
    local linda, handles = lanes.linda(), {}
    local generator = lanes.gen("*", function(board, me, count)
        for i = 1, count do
            board:set(me, i)
            for other = 1, 4 do board:get(other) end
        end
    end)
    local begun = now()
    for i = 1, 4 do handles[i] = generator(linda, i, n) end
    join_all(handles)
    return 4 * 5 * n / (now() - begun), "op/s"
end)

workload("timers", 10000, "calls", "less", function(n)
    local linda, keys = lanes.linda(), numbered("timer", n)
    lanes.timer(linda, "first", 3600)
    local begun = now()
    for i = 1, n do lanes.timer(linda, keys[i], 3600 + i) end
    for i = 1, n do lanes.timer(linda, keys[i], nil) end
    return (now() - begun) / n * 1e9, "ns/set+remove"
end, { 1000, 10000, 100000 })

workload("queued", 1000000, "calls", "less", function(n)
    local linda = lanes.linda()
    collectgarbage()
    local before, begun = resident_kib(), now()
    for i = 1, n do linda:send(nil, "x", i) end
    local sending = now() - begun
    local occupied = (resident_kib() - before) * 1024 / n
    begun = now()
    for _ = 1, n do linda:receive(nil, "x") end
    local each = (now() - begun + sending) / n * 1e9
    collectgarbage()
    return each, "ns/send+recv", { { "memory", occupied, "B/value" }, { "left", resident_kib() - before, "KiB" } }
end, { 10000, 100000, 1000000 })

-- Freed memory stays with the allocator of the C library, so the growth after repeating it is
-- reported too.
workload("slots", 100000, "calls", "less", function(n)
    local keys = numbered("slot", n)
    local function fill_and_empty()
        local linda, begun = lanes.linda(), now()
        for i = 1, n do linda:send(nil, keys[i], i) end
        for i = 1, n do linda:receive(nil, keys[i]) end
        local each = (now() - begun) / n * 1e9
        for i = 1, n do linda:set(keys[i]) end
        return each
    end
    local function resident_after()
        collectgarbage()
        collectgarbage()
        return resident_kib()
    end
    local before = resident_after()
    local each = fill_and_empty()
    local left = resident_after() - before
    fill_and_empty()
    local second = resident_after()
    fill_and_empty()
    return each, "ns/send+recv", { { "left", left, "KiB" }, { "again", resident_after() - second, "KiB" } }
end, { 1000, 10000, 100000 })

workload("lindas", 10000, "calls", "less", function(n)
    local lindas = {}
    for i = 1, n do lindas[i] = lanes.linda() end
    local begun = now()
    for i = 1, n do
        lindas[i]:send(nil, "x", i)
        lindas[i]:receive(nil, "x")
    end
    return (now() - begun) / n * 1e9, "ns/send+recv"
end, { 1000, 10000, 100000 })

-- Event loops -------------------------------------------------------------------------------------

-- With luv, for a library that has notifiers.
if pcall(require, "luv") and lanes.linda().notifier then
    -- Between two messages the loop goes to sleep.
    workload("loop", 5000, "-", "less", function(n)
        local linda = lanes.linda()
        local loop = lanes.gen("*", function(messages, count)
            local uv, clock = require "luv", require "lanes".now_secs
            local notifier, list = messages:notifier "sent", {}
            local poll = uv.new_poll(notifier:fd())
            poll:start("r", function()
                while true do
                    local key, sent = notifier:receive()
                    if not key then break end
                    list[#list + 1] = clock() - sent
                end
                if #list == count then poll:close() end
            end)
            messages:send("ready", true)
            uv.run()
            table.sort(list)
            return list[math.ceil(count / 2)] * 1e6, list[math.ceil(count * 0.99)] * 1e6
        end)(linda, n)
        linda:receive "ready"
        for _ = 1, n do
            lanes.sleep(0.0005)
            linda:send("sent", now())
        end
        local median, late = loop:join()
        return median, "us", { { "late", late, "us at 99 %" } }
    end)

    workload("loopstream", 1000000, "-", "more", function(n)
        local uv = require "luv"
        local linda = lanes.linda()
        local notifier = linda:notifier "x"
        local poll = uv.new_poll(notifier:fd())
        local received, cleared = 0, 0
        local begun = now()
        lanes.gen("*", function(numbers, count)
            for i = 1, count do numbers:send(nil, "x", i) end
        end)(linda, n)
        poll:start("r", function()
            while notifier:receive() do received = received + 1 end
            -- One write for each change from clear to set.
            cleared = cleared + 1
            if received == n then poll:close() end
        end)
        uv.run()
        return n / (now() - begun), "msg/s", { { "writes", cleared / n * 100, "per 100 messages" } }
    end)
end

-- Work in parallel --------------------------------------------------------------------------------

--- The speed-up: how many times as fast two lanes do work(n) twice as this lane alone.
local function speed_up(work, n)
    local begun = now()
    work(n)
    work(n)
    local alone = now() - begun
    local generator = lanes.gen("*", work)
    begun = now()
    join_all { generator(n), generator(n) }
    return alone / (now() - begun)
end

workload("speedup", 32, "cpus", "more", function(n)
    local function fib(i)
        if i < 2 then return i end
        return fib(i - 1) + fib(i - 2)
    end
    return speed_up(fib, n), "x on 2 lanes"
end)

-- Allocates all the time: the collector of one lane must not block another lane.
workload("trees", 15, "cpus", "more", function(n)
    local function grow(depth)
        if depth == 0 then return {} end
        return { grow(depth - 1), grow(depth - 1) }
    end
    local function count(tree)
        if not tree[1] then return 1 end
        return 1 + count(tree[1]) + count(tree[2])
    end
    return speed_up(function(depth)
        local total = 0
        for _ = 1, 12 do total = total + count(grow(depth)) end
        return total
    end, n), "x on 2 lanes"
end)

-- The command line --------------------------------------------------------------------------------

local name = arg[1]
if name == "--list" then
    for _, listed in ipairs(order) do
        local w = workloads[listed]
        print(("%s %s %s %s"):format(listed, w.floor, w.better, table.concat(w.sizes or {}, ",")))
    end
    return
end
local chosen = workloads[name]
if not chosen then
    io.stderr:write("workloads.lua: argument NAME must be a workload (--list lists them), not '", tostring(name), "'\n")
    os.exit(2)
end
local n = tonumber(arg[2] or chosen.n)
if not n or n < 1 or n % 1 ~= 0 then
    io.stderr:write("workloads.lua: argument N must be a whole number from 1, not '", tostring(arg[2]), "'\n")
    os.exit(2)
end
local value, unit, more = chosen.run(n)
print(("%s %.6g %s"):format(name, value, unit))
for _, other in ipairs(more or {}) do print(("%s.%s %.6g %s"):format(name, unpack(other))) end
