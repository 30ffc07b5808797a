-- The option on_state_create: a function that runs in the state of every new lane before the lane's
-- own code.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

describe("on_state_create, a Lua function", function()
    it("runs once in the state of every lane, without arguments", function()
        assert.equal("1\t0\n1\t0\n", support.output [[
            local lanes = require "lanes".configure {
                on_state_create = function(...)
                    calls = (calls or 0) + 1
                    arguments = select("#", ...)
                end,
            }
            local gen = lanes.gen("*", function() return calls, arguments end)
            print(gen():join())
            print(gen():join())
        ]])
    end)

    it("does not run in the main state", function()
        assert.equal("nil\n", support.output [[
            local lanes = require "lanes".configure { on_state_create = function() called = true end }
            lanes.gen("*", function() end)():join()
            print(called)
        ]])
    end)

    it("may return anything", function()
        assert.equal("done\n", support.output [[
            local lanes = require "lanes".configure { on_state_create = function() return {}, "x", print end }
            print(lanes.gen("*", function() return "done" end)():join())
        ]])
    end)

    it("keeps its upvalues", function()
        assert.equal("value\ttrue\n", support.output [[
            local config = { deep = { key = "value" } }
            local lanes = require "lanes".configure {
                on_state_create = function() seen, copied = config.deep.key, config end,
            }
            print(lanes.gen("*", function() return seen, copied.deep ~= nil end)():join())
        ]])
    end)

    it("passes the upvalues of a lane's copy to the lanes that this lane launches", function()
        assert.equal("1\t2\n", support.output [[
            local count = 0
            local lanes = require "lanes".configure {
                on_state_create = function() count = count + 1; seen = count end,
            }
            print(lanes.gen("*", function()
                local inner = require "lanes".gen("*", function() return seen end)()
                return seen, inner[1]
            end)():join())
        ]])
    end)

    it("has the opened libraries and require", function()
        assert.equal("table\tfunction\n", support.output [[
            local lanes = require "lanes".configure {
                on_state_create = function() kinds = { type(string), type(require) } end,
            }
            print(lanes.gen("*", function() return kinds[1], kinds[2] end)():join())
        ]])
    end)

    it("runs in lanes without libraries too, without the base functions", function()
        assert.equal("true\ttrue\n", support.output [[
            local lanes = require "lanes".configure {
                on_state_create = function() called, bare = true, print == nil end,
            }
            print(lanes.gen(function() return called, bare end)():join())
        ]])
    end)

    it("runs before globals, package and required take effect", function()
        assert.equal("true\ttrue\tgiven\n", support.output [[
            local lanes = require "lanes".configure {
                on_state_create = function()
                    no_global, no_path = given == nil, package.path ~= "somewhere"
                end,
            }
            local options = { globals = { given = "given" }, package = { path = "somewhere" } }
            print(lanes.gen("*", options, function() return no_global, no_path, given end)():join())
        ]])
    end)

    it("runs before the functions that only lanes have are set", function()
        assert.equal("nil\tnil\tnil\tnil\n", support.output [[
            local lanes = require "lanes".configure {
                on_state_create = function()
                    kinds = {
                        type(cancel_test), type(set_finalizer), type(set_debug_threadname), type(set_error_reporting),
                    }
                end,
            }
            print(lanes.gen("*", function() return kinds[1], kinds[2], kinds[3], kinds[4] end)():join())
        ]])
    end)

    it("runs in lanes that lanes launch", function()
        assert.equal("true\n", support.output [[
            local lanes = require "lanes".configure { on_state_create = function() called = true end }
            print(lanes.gen("*", function()
                return require "lanes".gen("*", function() return called end)()[1]
            end)():join())
        ]])
    end)

    it("makes the generator call fail when it fails, with its message", function()
        local out = support.output [[
            local lanes = require "lanes"
            print(pcall(function()
                lanes.configure { on_state_create = function() error("no way", 0) end }
                lanes.gen("*", function() end)()
            end))
        ]]
        support.contains('on_state_create failed: "no way"', out)
        support.contains("false", out)
    end)

    it("makes the generator call fail with the type of an error value that is not a string", function()
        support.contains('on_state_create failed: "table"', support.output [[
            local lanes = require "lanes".configure { on_state_create = function() error({}) end }
            print(pcall(lanes.gen("*", function() end)))
        ]])
    end)

    it("leaves the generator usable after it failed", function()
        assert.equal("false\ntrue\n", support.output [[
            local lanes = require "lanes".configure {
                on_state_create = function() if tostring then error("not with base") end end,
            }
            print((pcall(lanes.gen("*", function() end))))
            print(lanes.gen(function() return true end)():join())
        ]])
    end)
end)

describe("on_state_create, a C function", function()
    it("runs in every lane's state", function()
        -- debug.debug prompts on standard error and returns at the end of its input
        local result = support.run [[
            local lanes = require "lanes".configure { on_state_create = debug.debug, with_timers = false }
            local gen = lanes.gen("*", function(n) return n end)
            print(gen(1):join())
            print(gen(2):join())
        ]]
        assert.same({ 0, "1\n2\n", "lua_debug> lua_debug> " }, { result.code, result.out, result.err })
    end)

    it("must not have upvalues", function()
        support.contains("on_state_create shouldn't have upvalues", support.output [[
            local lanes = require "lanes"
            print(pcall(function()
                lanes.configure { on_state_create = coroutine.wrap(function() end) }
                lanes.gen("*", function() end)()
            end))
        ]])
    end)
end)

describe("on_state_create, anything else", function()
    it("is refused by configure", function()
        for _, value in ipairs { "5", "'f'", "true", "{}" } do
            support.contains("Bad on_state_create: ", support.output(([[
                print(pcall(require "lanes".configure, { on_state_create = %s }))
            ]]):format(value)))
        end
    end)

    it("is refused when it cannot be passed", function()
        support.contains("false", support.output [[
            local lanes = require "lanes"
            local thread = coroutine.create(function() end)
            print(pcall(function()
                lanes.configure { on_state_create = function() return thread end }
                lanes.gen("*", function() end)()
            end))
        ]])
    end)
end)
