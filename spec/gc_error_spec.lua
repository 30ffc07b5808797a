-- A `__gc` raises an error at every collection step of every function in turn: the call ends with
-- that error or succeeds, a linda has all values of a send or none, and everything works
-- afterwards. (On Lua 5.4, 5.5 and newer releases of LuaJIT such an error becomes a warning, so
-- there every call succeeds.)
--
-- Environment: LANES_SPEC_FULL runs all steps, LANES_SPEC_SHORT few (for slow tools).
local support = require "support"
local capi = require "capi"
local scenarios = require "scenarios"

-- Seconds after which a scenario counts as hanging. With LANES_SPEC_FULL some need more.
local LIMIT = os.getenv "LANES_SPEC_FULL" and 3600 or 60

-- Scenarios in which some Lua collects nothing, because they allocate nothing that the collector
-- counts.
local QUIET = {
    ["sending a scalar"] = true,
    ["sending several: a scalar"] = true,
    ["setting a scalar"] = true,
    ["receiving a scalar"] = true,
    ["receiving several: a scalar"] = true,
    ["joining a lane that returned a scalar"] = true,
    ["sending a long string"] = true,
    ["sending several: a long string"] = true,
    ["setting a long string"] = true,
    ["sending nested tables"] = true,
    ["sending several: nested tables"] = true,
    ["setting nested tables"] = true,
    ["sending functions that share a variable"] = true,
    ["sending several: functions that share a variable"] = true,
    ["setting functions that share a variable"] = true,
    ["sending a function"] = true,
    ["sending several: a function"] = true,
    ["setting a function"] = true,
    ["sending a module"] = true,
    ["sending several: a module"] = true,
    ["setting a module"] = true,
    ["using a lock"] = true,
    ["settings of the thread"] = true,
}

-- Scenarios that may succeed although a finalizer raised errors: reading one result of several is
-- repeated without the others.
local TRIES_AGAIN = { ["a lane with results that this state does not know"] = true }

-- The beginning and the end of programs.
local BEGIN = [[
    -- LuaJIT (2.1 beta) itself crashes if a finalizer raises an error in compiled code.
    if rawget(_G, "jit") then
        jit.off()
        jit.flush()
    end
    local lanes = require "lanes"
    local scenarios = require "scenarios"
    local collections = require "collections"
    local expect = require "expect"
    math.randomseed(os.time())
    local function named(list, name)
        for _, entry in ipairs(list) do
            if (entry.name or entry[1]) == name then return entry end
        end
    end
]]
local END = [[
    local linda = lanes.linda()
    linda:send("key", { "value" })
    assert(select(2, linda:receive(0, "key"))[1] == "value")
    assert(expect.finished(lanes.gen("*", function(x) return x end)(42)) == 42)
    print "fine"
]]

-- Returns the largest number of collections, and the number of calls that failed.
local in_main = BEGIN .. [[
    local scenario = named(scenarios, arg[1])
    -- All names are collected when one is first needed, which takes most of the steps. Except in
    -- the scenarios with C functions, this is done before.
    if not scenario.name:find "C functions" and not os.getenv "LANES_SPEC_FULL" then
        local given = scenario.setup()
        scenario.run(given)
        scenario.check(given, true)
    end
    local n, steps, errors = 1, 0, 0
    repeat
        local given = scenario.setup()
        local count, ok, problem = collections.call(n, scenario.long, scenario.run, given)
        if not ok then
            if not collections.is_raised(problem) then error(("step %d: %s"):format(n, tostring(problem)), 0) end
            errors = errors + 1
        end
        local fine, wrong = pcall(scenario.check, given, ok)
        if not fine then error(("step %d: %s"):format(n, tostring(wrong)), 0) end
        steps = math.max(steps, count)
        local last = count < n
        n = collections.following(n)
    until last
    print(steps, errors)
]] .. END

-- The error is raised in the body, in a finalizer of the lane or while its results are captured.
-- Returns how often.
local in_lane = BEGIN .. [[
    local kind, name = arg[1], arg[2]
    local body, make
    if kind == "bodies" then
        body = named(scenarios.bodies, name).body
    else
        make = named(scenarios.values, name)[2]
        function body(linda)
            local _, value = linda:receive(0, "in")
            linda:send("out", value, "last")
        end
    end
    -- Some scenarios collect nothing themselves.
    local function collected(...)
        for i = 1, 10 do assert({ i }) end
        return ...
    end
    local n, errors = 1, 0
    repeat
        local linda = lanes.linda()
        if make then linda:send("in", make()) end
        local lane = lanes.gen("*", function()
            local function reached() linda:set("reached", true) end
            if rawget(_G, "jit") then jit.off() end
            require "collections".raise_from_now(n, reached)
            return collected(body(linda))
        end)()
        -- If it was raised while the results were captured, it is the reason why they cannot be
        -- read.
        local joined, result, problem = pcall(lane.join, lane, 120)
        if not joined then
            assert(collections.is_raised(result), result)
            problem = result
        end
        local status = lane.status
        if type(problem) == "table" then problem = problem[1] end
        assert(status == "done" or status == "error", status)
        if status == "error" then
            assert(collections.is_raised(problem) or tostring(problem):find("on purpose", 1, true), problem)
        end
        local reached = linda:get("reached")
        if make then
            local unread, sent = linda:count("in") or 0, linda:count("out") or 0
            assert(sent == 0 or sent == 2 and unread == 0, "half a message")
            assert(status ~= "done" or sent == 2, "a lane that is done did not send")
            assert(status == "done" or reached, problem)
        end
        if reached then errors = errors + 1 end
        n = collections.following(n)
    until not reached
    print(errors)
]] .. END

-- busted's `it` for the scenario of this name.
local function it_for(name)
    return scenarios.needs_module(name) and capi.needed(it) or it
end

describe("an error in a finalizer of the main state", function()
    for _, scenario in ipairs(scenarios) do
        it_for(scenario.name)("at " .. scenario.name .. " leaves everything as it was", function()
            local out = support.output(in_main, { arguments = { scenario.name }, timeout = LIMIT })
            local steps, errors = out:match "^(%d+)\t(%d+)\nfine\n$"
            assert.is_truthy(steps, out)
            if not QUIET[scenario.name] then
                assert.is_true(tonumber(steps) > 0, "no collection at all")
                assert.is_true(not support.finalizers_raise or TRIES_AGAIN[scenario.name] or tonumber(errors) > 0, "no error at all")
            end
        end)
    end
end)

describe("an error in a finalizer of a lane's state", function()
    local function check(kind, name)
        it_for(name)("at " .. kind .. ": " .. name .. " is the lane's error, or no error", function()
            local out = support.output(in_lane, { arguments = { kind, name }, timeout = LIMIT })
            local errors = out:match "^(%d+)\nfine\n$"
            assert.is_truthy(errors, out)
            assert.is_true(tonumber(errors) > 0, "no error at all")
        end)
    end
    for _, entry in ipairs(scenarios.bodies) do check("bodies", entry.name) end
    for _, entry in ipairs(scenarios.values) do check("values", entry[1]) end
end)
