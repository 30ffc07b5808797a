-- A defect inside the library (a Rust panic) is an ordinary Lua error of the call, and everything
-- works afterwards.
local support = require "support"
local needs = require "needs"
local assert, describe, it, _ENV = support.plain(assert, describe, needs.hooks(it))

-- Runs in a separate interpreter: each panic writes a report to standard error.
local function outcome(program)
    local result = support.run([[
        local lanes = require "lanes"
        local panic = require "lanes_core".hooks.panic
        local function works()
            local linda = lanes.linda()
            linda:send("key", { "value" })
            assert(select(2, linda:receive(0, "key"))[1] == "value")
            assert(lanes.gen("*", function(x) return x end)(42)[1] == 42)
            return "works"
        end
    ]] .. program)
    assert.equal(0, result.code, result.err)
    return result.out, result.err
end

local TEXT = "internal error in lanes: provoked by a test"

describe("a panic", function()
    it("is an error with position and text, and writes a report to standard error", function()
        local out, err = outcome [[
            local ok, problem = pcall(function() panic() end)
            print(ok, problem)
            print(works())
        ]]
        support.contains("false\t", out)
        support.contains(TEXT, out)
        assert.matches(":%d+: internal error", out)
        support.contains("works\n", out)
        support.contains("provoked by a test", err)
    end)

    it("can happen repeatedly", function()
        assert.equal("1000\nworks\n", (outcome [[
            local caught = 0
            for _ = 1, 1000 do
                if not pcall(panic) then caught = caught + 1 end
            end
            print(caught)
            print(works())
        ]]))
    end)

    it("ends a lane as any error does", function()
        local out = outcome [[
            local lane = lanes.gen("*", function() require "lanes_core".hooks.panic() end)()
            local nothing, problem = lane:join(120)
            print(nothing, problem, lane.status)
            print(works())
        ]]
        support.contains(TEXT, out)
        support.contains("error\nworks\n", out)
    end)

    it("is caught in a lane, in a coroutine, in a finalizer and in a module", function()
        local out = outcome [[
            package.preload.panicking = function() panic() end
            local co = coroutine.wrap(function() return pcall(panic) end)
            print(co())
            print(pcall(require, "panicking"))
            local lane = lanes.gen("*", function()
                local panic = require "lanes_core".hooks.panic
                set_finalizer(function() panic() end)
                return pcall(panic)
            end)()
            print(lane:join(120))
            print(works())
        ]]
        local _, count = out:gsub(TEXT, "")
        assert.equal(3, count, out)
        support.contains("works\n", out)
    end)
end)
