-- Makes memory run out at every allocation of a scenario in turn: what memory_spec.lua runs, in an interpreter of its own,
-- where collecting garbage is quick.
local support = require "support"
local lanes = require "lanes"
local hooks = require "lanes_core".hooks
local expect = require "expect"
local scenarios = require "scenarios"

local refusals = {}

-- LuaJIT (2.1 beta) crashes by itself when memory runs out in a trace; interpreted code survives.
if rawget(_G, "jit") then jit.off() end -- luacheck: ignore

-- The first 100 allocations are refused one by one, of those that follow some. All of them with LANES_SPEC_FULL in the
-- environment, fewer with LANES_SPEC_SHORT (for slow tools).
local share = os.getenv "LANES_SPEC_FULL" and 0 or os.getenv "LANES_SPEC_SHORT" and 0.5 or 0.02
local all = share < 0.5 and 100 or 0

-- The number that follows n. Which ones are left out is different each time.
local function following(n)
    return n < all and n + 1 or n + math.random(1, 1 + math.floor(2 * n * share))
end

-- How many allocations are refused from the n-th on: one; as many as it takes to make an interpreter fail that collects
-- garbage and tries again; all.
local depths = { 1, 2, math.huge }

local function is_memory_error(problem)
    return type(problem) == "string" and problem:find("not enough memory", 1, true) ~= nil
end

local function holds(condition, description)
    if not condition then error(description, 2) end
end

-- Calls try(n, depth) for n = 1, 2, 3 ... until it answers that nothing was refused.
local function with_each(try)
    for _, depth in ipairs(depths) do
        local n = 1
        repeat
            local done, refused = pcall(try, n, depth)
            if not done then
                error(("%s refused from allocation %d on: %s"):format(depth, n, tostring(refused)), 0)
            end
            n = following(n)
            -- Collections for lack of memory call no finalizers, and put off those that would.
            collectgarbage()
            if n > 1000000 then error "it never succeeds" end
        until refused == 0
    end
    -- Everything works.
    local linda = lanes.linda()
    linda:send("key", { "value", { true } })
    holds(linda:get("key")[2][1] == true and select(2, linda:receive(0, "key"))[1] == "value", "lindas are broken")
    holds(expect.finished(lanes.gen("*", function(t) return t[1] end) { 42 }) == 42, "lanes are broken")
end

local function refused_in_main(scenario)
    with_each(function(n, depth)
        local given = scenario.setup()
        local ok, refused, problem = hooks.refuse(n, depth, scenario.run, given)
        holds(ok or refused > 0 and is_memory_error(problem), problem)
        scenario.check(given, ok)
        return refused
    end)
end

-- Calls f while the memory of lanes is refused. Returns how many allocations were, and whether f succeeded; it may fail
-- for lack of memory only.
local function refused_in_lanes(n, depth, f)
    hooks.refuse_in_lanes(n, depth)
    local ok, problem = pcall(f)
    local refused = hooks.refuse_in_lanes()
    holds(ok or refused > 0 and is_memory_error(problem), problem)
    return refused, ok
end

local function joined(lane)
    local nothing, problem = lane:join(support.LIMIT)
    holds(not (nothing == nil and problem == "timeout"), "the lane hangs, its status is " .. lane.status)
end

-- With a limit every lane has a fresh state, and the memory for that is refused too.
local kinds = { {}, { memory_limit = 1e9 } }

local function refused_in_body(entry)
    for _, options in ipairs(kinds) do
        with_each(function(n, depth)
            local linda = lanes.linda()
            local lane
            local refused = refused_in_lanes(n, depth, function()
                lane = lanes.gen("*", options, entry.body)(linda)
                joined(lane)
            end)
            if lane then holds(lane.status == "done" or lane.status == "error", lane.status) end
            return refused
        end)
    end
end

local function refused_in_receive(entry)
    local make, is = entry[2], entry[3]
    with_each(function(n, depth)
        local linda = lanes.linda()
        linda:send("in", make())
        linda:send("in", "last")
        local refused = refused_in_lanes(n, depth, function()
            joined(lanes.gen("*", function()
                linda:set("started", true)
                linda:set("fine", (pcall(linda.receive, linda, 0, "in")))
            end)())
        end)
        local fine, count = linda:get("fine"), linda:count("in")
        if fine ~= nil then
            holds(count == (fine and 1 or 2), "an element got lost, or stayed")
        elseif linda:get("started") == nil then
            holds(count == 2, "nobody received it, but it is gone")
        end
        if count == 2 then holds(is(select(2, linda:receive(0, "in"))), "the element changed") end
        holds(select(2, linda:receive(0, "in")) == "last", "the last element changed")
        return refused
    end)
end

local function refused_in_send(entry)
    local make, is = entry[2], entry[3]
    with_each(function(n, depth)
        local linda = lanes.linda()
        local refused = refused_in_lanes(n, depth, function()
            joined(lanes.gen("*", function(value)
                linda:set("fine", (pcall(linda.send, linda, "out", value, "last")))
            end)(make()))
        end)
        local fine, count = linda:get("fine"), linda:count("out") or 0
        holds(count == 0 or count == 2, "half a message")
        if fine ~= nil then holds(count == (fine and 2 or 0), "the send does not say what it did") end
        if count == 2 then
            holds(is(select(2, linda:receive(0, "out"))), "the element changed")
            holds(select(2, linda:receive(0, "out")) == "last", "the last element changed")
        end
        return refused
    end)
end

-- What can be run, in order: a name and a function.
local list = {}

for _, scenario in ipairs(scenarios) do
    list[#list + 1] = { "in the main state: " .. scenario.name, function() refused_in_main(scenario) end }
end
for _, entry in ipairs(scenarios.bodies) do
    list[#list + 1] = { "in a lane: " .. entry.name, function() refused_in_body(entry) end }
end
for _, entry in ipairs(scenarios.values) do
    list[#list + 1] = { "in a lane that receives " .. entry[1], function() refused_in_receive(entry) end }
    list[#list + 1] = { "in a lane that sends " .. entry[1], function() refused_in_send(entry) end }
end

--- The names of what can be run.
function refusals.names()
    local names = {}
    for i, entry in ipairs(list) do names[i] = entry[1] end
    return names
end

--- Runs what has this name; raises an error when anything is wrong.
function refusals.run(name)
    math.randomseed(os.time())
    for _, entry in ipairs(list) do
        if entry[1] == name then return entry[2]() end
    end
    error("nothing is called " .. tostring(name))
end

return refusals
