-- Memory that runs out: every single allocation is refused in turn. Each call ends in Lua's own error or in success, a linda
-- holds what was sent or nothing of it, and everything works afterwards.
--
-- LANES_SPEC_FULL in the environment: all of the allocations; LANES_SPEC_SHORT: few (for slow tools).
local support = require "support"
local needs = require "needs"
require "capi" -- builds deep_test, which scenarios use
local refusals = require "refusals"

local it = needs.hooks(it)

describe("memory that runs out", function()
    for _, name in ipairs(refusals.names "small") do
        it(name .. ", is an error that leaves everything as it was", function()
            assert.equal("fine\n", refusals.outcome(name))
        end)
    end
end)

describe("memory that runs out in a fresh interpreter", function()
    local program = [[
        local depth = tonumber(arg[1]) or math.huge
        local function is_memory_error(problem)
            return type(problem) == "string" and problem:find("not enough memory", 1, true)
        end
        local function each(f)
            for n = 1, 100000 do
                local ok, refused, problem = f(n)
                if refused == 0 then
                    if not ok then error("nothing was refused: " .. tostring(problem)) end
                    return
                end
                if not ok and not is_memory_error(problem) then
                    error(n .. ": " .. tostring(problem))
                end
            end
            error "it never succeeds"
        end
        local hooks = require "lanes_core".hooks
        -- Loading the native part once more, in a coroutine-free state of its own, is what a lane does; here it is the
        -- Lua part and the configuration that are new.
        each(function(n)
            return hooks.refuse(n, depth, function()
                package.loaded.lanes = nil
                return require "lanes"
            end)
        end)
        local lanes = require "lanes"
        each(function(n)
            return hooks.refuse(n, depth, function()
                if lanes.configure then
                    lanes.configure { with_timers = true, track_lanes = true, on_state_create = function() end }
                end
                return lanes.linda
            end)
        end)
        assert(lanes.linda and lanes.timers and lanes.ABOUT and not lanes.configure)
        local lane = lanes.gen("*", function(...) return ... end)(1)
        assert(lane[1] == 1)
        each(function(n)
            return hooks.refuse(n, depth, function() assert(#lanes.threads() > 0) end)
        end)
        print "fine"
    ]]
    for _, depth in ipairs { "1", "2", "all" } do
        it("makes require and configure errors that can be tried again, refused " .. depth, function()
            assert.equal("fine\n", support.output(program, { arguments = { depth } }))
        end)
    end
end)
