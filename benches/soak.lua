-- A soak test: uses all features for some time and prints the resources of the process at the
-- start, in the middle and at the end.
-- usage: lua soak.lua [SECONDS]. The exit code is 1 if memory, threads or file descriptors have
-- grown.
local lanes = require "lanes".configure { track_lanes = true, shutdown_timeout = 10 }

local seconds = tonumber(arg[1]) or 10
local linda = lanes.linda "soak"
local counts = { requests = 0, lanes = 0, errors = 0, cancelled = 0, dropped = 0, timers = 0, lindas = 0, batches = 0, locks = 0 }

-- Workers answer requests on keys that are used once.
local function worker()
    local answered = 0
    while true do
        local _, request = linda:receive("requests")
        if request == "end" then return answered end
        request.reply:set(request.key, { sum = request[1] + request[2], text = request.text, f = request.f })
        answered = answered + 1
    end
end

local workers = {}
for i = 1, 3 do workers[i] = lanes.gen("*", worker)() end

local short = lanes.gen("*", function(n)
    local own = require "lanes".linda()
    own:send("k", { n, own })
    own:receive("k")
    if n % 5 == 0 then error { code = n } end
    if n % 7 == 0 then linda:receive("never") end
    return n, { n }, function() return n end
end)

local lock, add = lanes.genlock(linda, "lock", 2), lanes.genatomic(linda, "sum", 0)
-- The handles of the last lanes.
local handles = {}

local work = {}

function work.requests(n)
    local text = ("%d"):rep(n % 50):format(("1"):rep(n % 50):byte(1, -1))
    linda:send("requests", { n, 1, reply = linda, key = "reply" .. n, text = text, f = function() return text end })
    local _, reply = linda:receive("reply" .. n)
    assert(reply.sum == n + 1 and reply.text == text and reply.f() == text)
    -- A slot that was used stays known until it is cleared.
    linda:set("reply" .. n)
    counts.requests = counts.requests + 1
end

function work.lanes(n)
    local handle = short(n)
    counts.lanes = counts.lanes + 1
    if n % 7 == 0 and n % 5 ~= 0 then
        local ended = handle:cancel(n % 2 == 0 and "hard" or "count", 1000, 10)
        assert(ended)
        counts.cancelled = counts.cancelled + 1
    elseif n % 3 == 0 then
        counts.dropped = counts.dropped + 1
    else
        local first, second = handle:join()
        if n % 5 == 0 then
            assert(first == nil and second.code == n)
            counts.errors = counts.errors + 1
        else
            assert(first == n and second[1] == n)
        end
    end
    local oldest = handles[n % 20]
    assert(oldest == nil or type(oldest.status) == "string")
    handles[n % 20] = handle
end

function work.timers(n)
    local other = lanes.linda()
    lanes.timer(other, "tick", 0.0001, 0.0001)
    lanes.timer(linda, "timer" .. n % 10, 1000)
    other:receive("tick")
    lanes.timer(other, "tick", nil)
    lanes.timer(linda, "timer" .. n % 10, nil)
    counts.timers = counts.timers + 2
end

function work.lindas(n)
    local other = lanes.linda("other" .. n)
    other:limit("k", 3)
    for i = 1, 4 do other:send(0, "k", ("x"):rep(i * 100)) end
    linda:send("lindas", other)
    linda:receive("lindas")
    counts.lindas = counts.lindas + 1
end

function work.batches(n)
    linda:send("batch", n, n + 1, { n + 2 }, "x")
    local _, first, _, third = linda:receive(linda.batched, "batch", 4, 10)
    assert(first == n and third[1] == n + 2)
    counts.batches = counts.batches + 1
end

function work.locks()
    lock(1)
    add(1)
    lock(-1)
    counts.locks = counts.locks + 1
end

local function operations()
    local total = 0
    for _, count in pairs(counts) do total = total + count end
    return total
end

-- The resources of the process: memory in KiB, threads, file descriptors, lane handles, lanes that
-- have not ended, slots of the linda.
local function held()
    local now = { operations = operations() }
    for line in io.lines "/proc/self/status" do
        local name, value = line:match "^(%w+):%s+(%d+)"
        if name == "VmRSS" then now.memory = tonumber(value) end
        if name == "Threads" then now.threads = tonumber(value) end
    end
    -- Lanes open files briefly to load modules, so the smallest of several counts is the number of
    -- files that stay open.
    now.files = math.huge
    for _ = 1, 5 do
        local pipe = io.popen "ls /proc/$PPID/fd | wc -l"
        now.files = math.min(now.files, tonumber(pipe:read "*l"))
        pipe:close()
    end
    local listed = lanes.threads()
    now.handles, now.lanes = #listed, 0
    for _, lane in ipairs(listed) do
        if lane.status == "running" or lane.status == "waiting" or lane.status == "pending" then now.lanes = now.lanes + 1 end
    end
    local slots = 0
    for _ in pairs(linda:count()) do slots = slots + 1 end
    now.slots = slots
    return now
end

local function report(when, now)
    print(("%-6s %9d operations %8d KiB %4d threads %4d files %4d handles %4d running lanes %4d slots"):format(when, now.operations,
        now.memory, now.threads, now.files, now.handles, now.lanes, now.slots))
end

local begin = lanes.now_secs()
local n = 0
-- Works until this fraction of the time has passed.
local function work_until(share)
    while lanes.now_secs() - begin < seconds * share do
        for _ = 1, 20 do
            n = n + 1
            for _, step in pairs(work) do step(n) end
        end
        -- The collector does not know the size of lindas and would let many of them accumulate.
        collectgarbage()
    end
    linda:set("batch")
    for _ = 1, 2 do collectgarbage() end
    return held()
end

local start = work_until(0.1)
report("start", start)
local middle = work_until(0.5)
report("middle", middle)
local last = work_until(1)
report("end", last)

for _ = 1, #workers do linda:send("requests", "end") end
local answered = 0
for _, handle in ipairs(workers) do answered = answered + handle[1] end
assert(answered == counts.requests, "requests were lost")
local names = {}
for name in pairs(counts) do names[#names + 1] = name end
table.sort(names)
for i, name in ipairs(names) do names[i] = name .. " " .. counts[name] end
print(("%d operations in %d s: %s"):format(operations(), seconds, table.concat(names, ", ")))

-- Threads are cached and memory is fragmented, so some growth is allowed; a leak grows without
-- bound.
local grown = last.memory > middle.memory * 1.2 + 2048 or last.threads > middle.threads + 10 or last.files > middle.files
    or last.handles > middle.handles + 10 or last.slots > middle.slots + 10
if grown then
    io.stderr:write("the process has grown\n")
    os.exit(1)
end
