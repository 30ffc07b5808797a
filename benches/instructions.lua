-- instructions.lua: operations whose instructions ci/checks/instructions counts, on one thread
-- where possible.
-- usage: lua instructions.lua NAME N   runs the operation N times
--        lua instructions.lua --list   prints lines "<name> <N> <M>"
-- Count a run with N and one with M: the difference is the cost of M - N operations without
-- start-up and shutdown.

local unpack = unpack or table.unpack

-- The compiler off: what it compiles, and when, varies from run to run, and the library is to be
-- counted.
if rawget(_G, "jit") then require("jit").off() end
-- The collector off: when it runs, and how far it gets, varies too.
collectgarbage("stop")

local operations, order = {}, {}

--- Registers an operation: name, smallest number of repetitions, and prepare(lanes), which returns
--- a function(n) that runs it n times.
local function operation(name, n, prepare)
    operations[name] = { n = n, prepare = prepare }
    order[#order + 1] = name
end

--- An operation that sends and receives `value`.
local function pass(name, n, value)
    operation(name, n, function(lanes)
        local linda = lanes.linda()
        return function(turns)
            for _ = 1, turns do
                linda:send(nil, "x", value)
                linda:receive(nil, "x")
            end
        end
    end)
end

local list = {}
for i = 1, 20000 do list[i] = i end
local a, b = 1, { 2 }

pass("number", 1000, 42)
pass("short-string", 1000, "a word")
pass("string-100", 1000, ("x"):rep(100))
pass("small-table", 200, { id = 1, name = "abc", x = 1.5, y = 2.5, tags = { "a", "b", "c" }, ok = true })
pass("integers-20000", 2, list)
pass("function", 200, function(x) return x + a + b[1] end)

operation("batch-100", 25, function(lanes)
    local linda, batch = lanes.linda(), {}
    for i = 1, 100 do batch[i] = i end
    return function(turns)
        for _ = 1, turns do
            linda:send(nil, "x", unpack(batch))
            linda:receive(nil, linda.batched, "x", 100)
        end
    end
end)

operation("select", 1000, function(lanes)
    local linda, other = lanes.linda(), lanes.linda()
    local one, two = { linda, "receive", "x" }, { other, "receive", "x" }
    return function(turns)
        for _ = 1, turns do
            linda:send(nil, "x", 42)
            lanes.select(one, two)
        end
    end
end)

operation("set-get", 1000, function(lanes)
    local linda = lanes.linda()
    return function(turns)
        for i = 1, turns do
            linda:set("x", i)
            linda:get("x")
        end
    end
end)

operation("timer", 300, function(lanes)
    local linda = lanes.linda()
    -- The timer that is due next stays the same, so the timer thread sleeps.
    lanes.timer(linda, "first", 3600)
    return function(turns)
        for i = 1, turns do
            lanes.timer(linda, "x", 3600 + i)
            lanes.timer(linda, "x", nil)
        end
    end
end)

-- The lane's own thread is counted too. The timing of the two threads decides how many threads and
-- states are created, each of which costs as much as several lanes; over many lanes this becomes
-- negligible.
local function lanes_with(name, libraries)
    operation(name, 300, function(lanes)
        local generator = lanes.gen(libraries, function(x) return x end)
        return function(turns)
            for i = 1, turns do generator(i):join() end
        end
    end)
end
lanes_with("lane", "")
lanes_with("lane-libraries", "*")

local name, n = arg[1], tonumber(arg[2])
if name == "--list" then
    for _, listed in ipairs(order) do print(("%s %d %d"):format(listed, operations[listed].n, 3 * operations[listed].n)) end
    print("startup 0 1")
elseif name == "startup" then
    if n == 1 then require("lanes").configure() end
else
    operations[name].prepare(require("lanes").configure())(n)
end
