-- An error raised by a `__gc` at every collection step of every function in turn: the call ends in that error or in success,
-- a linda holds what was sent or nothing of it, and everything works afterwards.
-- (Lua 5.4 makes a warning of such an error, so there every call succeeds.)
--
-- LANES_SPEC_FULL in the environment: all of the steps; LANES_SPEC_SHORT: few (for slow tools).
local support = require "support"
require "capi" -- builds deep_test, which scenarios use
local scenarios = require "scenarios"

local program = [[
    local lanes = require "lanes"
    local scenarios = require "scenarios"
    local expect = require "expect"
    local newproxy = rawget(_G, "newproxy")
    local share = os.getenv "LANES_SPEC_FULL" and 0 or os.getenv "LANES_SPEC_SHORT" and 0.5 or 0.2
    math.randomseed(os.time())

    -- Counts collections: each one finds an object that nobody refers to, and leaves a new one.
    local seen, at, ticking = 0, 0, true
    local tick
    local function leave()
        if newproxy then
            getmetatable(newproxy(true)).__gc = tick
        else
            setmetatable({}, { __gc = tick })
        end
    end
    function tick()
        if not ticking then return end
        seen = seen + 1
        leave()
        if seen == at then error("from a finalizer", 0) end
    end

    local name = arg[1]
    for _, scenario in ipairs(scenarios) do
        if scenario.name == name then
            local n = 1
            repeat
                local given = scenario.setup()
                collectgarbage()
                -- A whole collection at every step, or whenever there is some more garbage.
                collectgarbage("setpause", scenario.long and 120 or 0)
                collectgarbage("setstepmul", 1000000)
                seen, at = 0, n
                leave()
                local ok, problem = pcall(scenario.run, given)
                at = 0
                collectgarbage("setpause", 200)
                collectgarbage("setstepmul", 200)
                if not ok and not tostring(problem):find("from a finalizer", 1, true) then
                    error(("step %d: %s"):format(n, tostring(problem)), 0)
                end
                local fine, wrong = pcall(scenario.check, given, ok)
                if not fine then error(("step %d: %s"):format(n, tostring(wrong)), 0) end
                local last = seen < n
                n = n < 30 and share < 0.5 and n + 1 or n + math.random(1, 1 + math.floor(2 * n * share))
            until last
        end
    end
    ticking = false
    local linda = lanes.linda()
    linda:send("key", { "value" })
    assert(select(2, linda:receive(0, "key"))[1] == "value")
    assert(expect.finished(lanes.gen("*", function(x) return x end)(42)) == 42)
    print "fine"
]]

describe("an error in a finalizer of the main state", function()
    for _, scenario in ipairs(scenarios) do
        it("at " .. scenario.name .. " leaves everything as it was", function()
            assert.equal("fine\n", support.output(program, { arguments = { scenario.name } }))
        end)
    end
end)
