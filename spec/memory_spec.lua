-- Out of memory: every allocation is refused in turn. Each call ends with Lua's own error or
-- succeeds, a linda has all values of a send or none, and everything works afterwards.
--
-- Environment: LANES_SPEC_FULL refuses all allocations, LANES_SPEC_SHORT few (for slow tools).
local support = require "support"
local needs = require "needs"
require "capi" -- builds deep_test, which scenarios use
local refusals = require "refusals"

local it = needs.hooks(it)

describe("out of memory:", function()
    for _, name in ipairs(refusals.names "small") do
        it(name .. ", is an error without effect", function()
            assert.equal("fine\n", refusals.outcome(name))
        end)
    end
end)

describe("out of memory in a fresh interpreter", function()
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
        -- The native library is loaded in each lane and tested there; here the
        -- Lua part and the configuration are tested.
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
        it("makes require and configure raise errors and can be repeated, refused " .. depth, function()
            assert.equal("fine\n", support.output(program, { arguments = { depth } }))
        end)
    end
end)
