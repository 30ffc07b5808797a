-- parallel.lua: maps, tasks and selects, one workload per process.
-- usage: lua parallel.lua NAME   prints lines "<name> <value> <unit>"

local lanes = require "lanes"
lanes = lanes.configure() or lanes

local now = lanes.now_secs

local function say(name, value, unit)
    print(("%s %.6g %s"):format(name, value, unit))
end

local function numbers(n)
    local list = {}
    for i = 1, n do list[i] = i end
    return list
end

local workloads = {}

local function square(x) return x * x end

--- A map of `n` numbers; microseconds per item.
local function map(name, n, opts)
    local list = numbers(n)
    lanes.map(numbers(1000), square, opts)
    local begun = now()
    local results = lanes.map(list, square, opts)
    local elapsed = now() - begun
    assert(results[n] == n * n)
    say(name, elapsed / n * 1e6, "us/item")
end

function workloads.map_auto() map("map_auto", 1000000) end

function workloads.map_one() map("map_one", 100000, { chunk = 1 }) end

--- A loop of `steps` steps, which allocates nothing.
local function busy(steps)
    local x = 1
    for i = 1, steps do x = (x * 3 + i) % 1000003 end
    return x
end

--- How many steps take a millisecond.
local function millisecond()
    local steps, best = 200000, math.huge
    for _ = 1, 10 do
        local begun = now()
        busy(steps)
        best = math.min(best, now() - begun)
    end
    return math.floor(steps / best / 1000)
end

--- Runs `busy` for items `first` to `last` in a lane of its own, whose result is `last`.
local in_lane = lanes.gen("*", function(list, first, last)
    for i = first, last do busy(list[i]) end
    return last
end)

local function median(values)
    table.sort(values)
    return values[math.floor((#values + 1) / 2)]
end

--- How many times faster than a loop a pool of two workers is, and its floor: two lanes that do half of the work each without a
-- message, one items 1 to `half`, the other one the rest. Each in turn, several times: the machine does not stay as fast as it is.
local function speedup(name, list, half)
    local pool = lanes.pool { workers = 2 }
    pool:map(busy, { 1, 1 }, { chunk = 1 })
    local pools, floors = {}, {}
    for round = 1, 5 do
        local begun = now()
        for i = 1, #list do busy(list[i]) end
        local serial = now() - begun
        begun = now()
        pool:map(busy, list, { chunk = 1 })
        pools[round] = serial / (now() - begun)
        begun = now()
        local low, high = in_lane(list, 1, half), in_lane(list, half + 1, #list)
        assert(low[1] == half and high[1] == #list)
        floors[round] = serial / (now() - begun)
    end
    say(name, median(pools), "x")
    say(name .. "_floor", median(floors), "x")
    pool:close()
end

function workloads.tasks()
    local list, unit = {}, millisecond()
    for i = 1, 400 do list[i] = unit end
    speedup("tasks", list, 200)
end

function workloads.uneven()
    local list, unit = {}, millisecond()
    for i = 1, 100 do list[i] = i == 1 and 100 * unit or unit end
    speedup("uneven", list, 1)
end

--- Resident memory of this process in KiB (Linux; 0 elsewhere).
local function resident()
    local file = io.open "/proc/self/status"
    if not file then return 0 end
    local text = file:read "*a"
    file:close()
    return tonumber(text:match "VmRSS:%s+(%d+)")
end

function workloads.endless()
    local n = 0
    local function iterator()
        n = n + 1
        return n
    end
    local before
    for i in lanes.imap(iterator, square, { buffer = 64 }) do
        if i == 50000 then
            collectgarbage()
            before = resident()
        elseif i == 500000 then
            break
        end
    end
    collectgarbage()
    say("endless", resident() - before, "KiB of growth over 450000 items")
end

-- A lane that answers each number through one linda.
local function echo(n)
    local there, back, other = lanes.linda(), lanes.linda(), lanes.linda()
    lanes.gen("*", function()
        for _ = 1, n do
            local _, value = there:receive "x"
            back:send("x", value)
        end
    end)()
    return there, back, other
end

-- A lane that sends `n` numbers through one linda.
local function stream(n)
    local back, other = lanes.linda(), lanes.linda()
    back:limit("x", 1000)
    lanes.gen("*", function()
        for i = 1, n do back:send("x", i) end
    end)()
    return back, other
end

local ROUNDS = 100000


function workloads.select()
    -- Each way in turn, several times: the machine does not stay as fast as it is.
    local times = { {}, {}, {}, {}, {}, {} }
    for round = 1, 5 do
        local there, back = echo(ROUNDS)
        local other
        local begun = now()
        for i = 1, ROUNDS do
            there:send("x", i)
            back:receive "x"
        end
        times[1][round] = now() - begun
        there, back, other = echo(ROUNDS)
        local one, two = { back, "receive", "x" }, { other, "receive", "x" }
        begun = now()
        for i = 1, ROUNDS do
            there:send("x", i)
            lanes.select(one, two)
        end
        times[2][round] = now() - begun
        back = stream(ROUNDS)
        begun = now()
        for _ = 1, ROUNDS do back:receive "x" end
        times[3][round] = now() - begun
        back, other = stream(ROUNDS)
        one, two = { back, "receive", "x" }, { other, "receive", "x" }
        begun = now()
        for _ = 1, ROUNDS do lanes.select(one, two) end
        times[4][round] = now() - begun
        back, other = lanes.linda(), lanes.linda()
        one, two = { back, "receive", "x" }, { other, "receive", "x" }
        begun = now()
        for i = 1, ROUNDS do
            back:send("x", i)
            back:receive "x"
        end
        times[5][round] = now() - begun
        begun = now()
        for i = 1, ROUNDS do
            back:send("x", i)
            lanes.select(one, two)
        end
        times[6][round] = now() - begun
    end
    local names = { "receive_answer", "select_answer", "receive_stream", "select_stream", "receive_local", "select_local" }
    for i, name in ipairs(names) do
        say(name, median(times[i]) / ROUNDS * 1e9, "ns")
    end
end

local run = workloads[arg[1]]
if not run then
    io.stderr:write("parallel.lua: argument NAME is missing or unknown\n")
    os.exit(2)
end
run()
