-- Refuses every allocation of a scenario in turn. memory_spec.lua and memory_large_spec.lua run it
-- in a separate interpreter, where collections are fast.
local support = require "support"
local lanes = require "lanes"
local hooks = require "lanes_core".hooks or {} -- without them, only the names can be used
local expect = require "expect"
local large_scenarios = require "large_scenarios"
local scenarios = require "scenarios"

local refusals = {}

local unpack = table.unpack or unpack -- luacheck: ignore

-- The first 100 allocations are refused one by one, of later ones a selection; all of them with
-- LANES_SPEC_FULL in the environment, fewer with LANES_SPEC_SHORT (for slow tools).
local share = os.getenv "LANES_SPEC_FULL" and 0 or os.getenv "LANES_SPEC_SHORT" and 0.5 or 0.05
local all = share < 0.5 and 100 or 0

-- The number after n. The selection differs from run to run.
local function following(n)
    return n < all and n + 1 or n + math.random(1, 1 + math.floor(2 * n * share))
end

-- The number of allocations to refuse from the n-th on: one; enough to make an interpreter fail
-- that collects garbage and retries; all.
local depths = { 1, 2, math.huge }

local function is_memory_error(problem)
    if type(problem) ~= "string" then return false end
    return problem:find("not enough memory", 1, true) ~= nil or problem:find("the system gives no thread (out of memory)", 1, true) ~= nil
end

local function holds(condition, description)
    if not condition then error(description, 2) end
end

-- The numbers that make a difference to the library, which does not retry.
local library_depths = { 1, math.huge }

-- Calls try(n, depth) for n = 1, 2, 3 ... until it returns that nothing was refused. Returns the
-- total number of refusals.
local function with_each(try, its_depths)
    local total = 0
    for _, depth in ipairs(its_depths or depths) do
        local n = 1
        repeat
            local done, refused = pcall(try, n, depth)
            if not done then
                error(("%s refused from allocation %d on: %s"):format(depth, n, tostring(refused)), 0)
            end
            n, total = following(n), total + refused
            -- Emergency collections call no finalizers, and delay those that do.
            collectgarbage()
            if n > 1000000 then error "it never succeeds" end
        until refused == 0
    end
    -- Check that everything works.
    local linda = lanes.linda()
    linda:send("key", { "value", { true } })
    holds(linda:get("key")[2][1] == true and select(2, linda:receive(0, "key"))[1] == "value", "lindas are broken")
    holds(expect.finished(lanes.gen("*", function(t) return t[1] end) { 42 }) == 42, "lanes are broken")
    return total
end

local function refused_in_main(scenario)
    return with_each(function(n, depth)
        local given = scenario.setup()
        local ok, refused, problem = hooks.refuse(n, depth, scenario.run, given)
        holds(ok or refused > 0 and is_memory_error(problem), problem)
        scenario.check(given, ok)
        return refused
    end)
end

-- The size in bytes from which the library has no reserve: its allocation of such a block must be
-- able to fail.
local LARGE = 2 ^ 17

-- The same for the memory of the library itself, on all threads: blocks of at least a given size.
local function refuse_in_library(scenario, n, depth, size)
    local given = scenario.setup()
    hooks.refuse_in_library(n, depth, size)
    local ok, problem = pcall(scenario.run, given)
    local refused = hooks.refuse_in_library()
    holds(ok or refused > 0 and is_memory_error(problem), problem)
    -- A lane of the scenario may have run out of memory, too.
    ok, problem = pcall(scenario.check, given, ok)
    holds(ok or refused > 0 and is_memory_error(problem), problem)
    return refused
end

local function refused_in_library(scenario)
    return with_each(function(n, depth) return refuse_in_library(scenario, n, depth, 0) end, library_depths)
end

-- Refuses blocks for which there is no reserve, in turn; then all blocks, so that the reserve is
-- used up.
local function refused_at_large(scenario)
    local total = with_each(function(n, depth) return refuse_in_library(scenario, n, depth, LARGE) end, { 1 })
    for n = 0, 3 do total = total + refuse_in_library(scenario, 10 ^ n, math.huge, 0) end
    return total
end

local function joined(lane)
    local nothing, problem = lane:join(support.LIMIT)
    holds(not (nothing == nil and problem == "timeout"), "the lane hangs, its status is " .. lane.status)
end

-- Launches a lane and joins it while `refuse` refuses memory of lanes or of the library. Both may
-- fail, but only with out of memory. Returns the number of refused allocations, and the ended lane,
-- or nil if there is none.
local function refused_while(refuse, n, depth, start)
    local lane
    refuse(n, depth)
    local ok, problem = pcall(function()
        lane = start()
        joined(lane)
    end)
    local refused = refuse()
    holds(ok or refused > 0 and is_memory_error(problem), problem)
    -- The memory for its results may be missing.
    if lane then ok, problem = pcall(joined, lane) end
    holds(ok or refused > 0 and is_memory_error(problem), problem)
    return refused, lane
end

-- With a limit every lane gets a new state, and the memory for that is refused too.
local kinds = { {}, { memory_limit = 1e9 } }

local function refused_in_body(entry, refuse, its_depths)
    local total = 0
    for _, options in ipairs(kinds) do
        total = total + with_each(function(n, depth)
            local linda = lanes.linda()
            local refused, lane = refused_while(refuse, n, depth, function()
                return lanes.gen("*", options, entry.body)(linda)
            end)
            if lane then holds(lane.status == "done" or lane.status == "error", lane.status) end
            return refused
        end, its_depths)
    end
    return total
end

local function refused_in_receive(entry, refuse, its_depths)
    local make, is = entry[2], entry[3]
    return with_each(function(n, depth)
        local linda = lanes.linda()
        linda:send("in", make())
        linda:send("in", "last")
        local refused = refused_while(refuse, n, depth, function()
            return lanes.gen("*", function()
                linda:set("started", true)
                linda:set("fine", (pcall(linda.receive, linda, 0, "in")))
            end)()
        end)
        local fine, count = linda:get("fine"), linda:count("in")
        if fine ~= nil then
            holds(count == (fine and 1 or 2), "an element got lost, or stayed")
        elseif linda:get("started") == nil then
            holds(count == 2, "it was not received, but is missing")
        end
        if count == 2 then holds(is(select(2, linda:receive(0, "in"))), "the element changed") end
        holds(select(2, linda:receive(0, "in")) == "last", "the last element changed")
        return refused
    end, its_depths)
end

local function refused_in_send(entry, refuse, its_depths)
    local make, is = entry[2], entry[3]
    return with_each(function(n, depth)
        local linda = lanes.linda()
        local refused = refused_while(refuse, n, depth, function()
            return lanes.gen("*", function(value)
                linda:set("fine", (pcall(linda.send, linda, "out", value, "last")))
            end)(make())
        end)
        local fine, count = linda:get("fine"), linda:count("out") or 0
        holds(count == 0 or count == 2, "half a message")
        if fine ~= nil then holds(count == (fine and 2 or 0), "the send does not say what it did") end
        if count == 2 then
            holds(is(select(2, linda:receive(0, "out"))), "the element changed")
            holds(select(2, linda:receive(0, "out")) == "last", "the last element changed")
        end
        return refused
    end, its_depths)
end

-- Patterns for names of scenarios that allocate no memory of this kind on some Lua.
local QUIET = {
    "^in the main state: .* a scalar$",
    "^in the main state: .* a long string$",
    "^in the main state: receiving .*a linda$",
    "^in the main state: using a lock$",
    "^in the main state: a handle that is collected$",
    ": settings of the thread$",
    "^in the library: joining ",
    "^in the library: indexing ",
    "^in the library: the name of something nameless$",
    "^in the library: what there is not$",
    "^large, in the library: receiving ", -- the values are in Lua's memory
}

local function may_be_quiet(name)
    for _, pattern in ipairs(QUIET) do
        if name:find(pattern) then return true end
    end
    return false
end

-- The runs, in order: a name and a function that returns the number of refusals.
local list = {}

for _, scenario in ipairs(scenarios) do
    list[#list + 1] = { "in the main state: " .. scenario.name, function() return refused_in_main(scenario) end }
    list[#list + 1] = { "in the library: " .. scenario.name, function() return refused_in_library(scenario) end }
end
for _, scenario in ipairs(large_scenarios) do
    list[#list + 1] = { "large, in the library: " .. scenario.name, function() return refused_at_large(scenario) end }
end
local places = {
    { "in a lane", hooks.refuse_in_lanes, depths },
    { "in the library, by a lane", hooks.refuse_in_library, library_depths },
}
for _, place in ipairs(places) do
    local where, refuse, its_depths = unpack(place)
    local function add(name, run, entry)
        list[#list + 1] = { where .. name, function() return run(entry, refuse, its_depths) end }
    end
    for _, entry in ipairs(scenarios.bodies) do add(": " .. entry.name, refused_in_body, entry) end
    for _, entry in ipairs(scenarios.values) do
        add(" that receives " .. entry[1], refused_in_receive, entry)
        add(" that sends " .. entry[1], refused_in_send, entry)
    end
end

local there = {}
for _, entry in ipairs(list) do
    holds(not there[entry[1]], entry[1] .. " is there twice")
    there[entry[1]] = true
end

--- The warning of Lua's own finalizers of files when a lane's state is closed while memory is
--- refused (5.5).
refusals.WARNING = "error in __gc (not enough memory)"

--- The names of the runs: all, or those that need large blocks ("large"), or the rest ("small").
function refusals.names(size)
    local wanted = {}
    for _, entry in ipairs(list) do
        local is = entry[1]:find "^large" and "large" or "small"
        if not size or size == is then wanted[#wanted + 1] = entry[1] end
    end
    return wanted
end

--- Runs the run of this name in a separate interpreter. Returns "fine\n", or raises an error if
--- anything is wrong, or if
-- nothing could be refused.
function refusals.outcome(name)
    return support.output([[
        print(require "refusals".run(arg[1]) > 0 and "fine" or arg[2])
    ]], { arguments = { name, may_be_quiet(name) and "fine" or "nothing was refused" }, warning = refusals.WARNING })
end

--- Runs the run of this name. Raises an error if anything is wrong.
-- @return the number of refusals, which may be 0 if others have run in this interpreter before
function refusals.run(name)
    -- LuaJIT (2.1 beta) itself crashes when memory runs out in a trace, so the code is interpreted.
    if rawget(_G, "jit") then
        jit.off()
        jit.flush()
    end
    math.randomseed(os.time())
    for _, entry in ipairs(list) do
        if entry[1] == name then return entry[2]() end
    end
    error("nothing is called " .. tostring(name))
end

return refusals
