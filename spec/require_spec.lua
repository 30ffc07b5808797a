-- require, which loads a module in one lane at a time; lanes.require and lanes.register.
local support = require "support"
local assert, describe, it, after_each, _ENV = support.plain(assert, describe, it, after_each)

local lanes = require "lanes"
local expect = require "expect"

local function forget()
    for _, name in ipairs { "spec_module", "spec_other", "spec_failing" } do
        package.loaded[name], package.preload[name] = nil, nil
    end
end

describe("require, once lanes is configured,", function()
    after_each(forget)

    it("loads modules as before", function()
        package.preload.spec_module = function(name) return { name = name } end
        local module = require "spec_module"
        assert.equal("spec_module", module.name)
        assert.equal(module, require "spec_module")
    end)

    it("returns every result of the original", function()
        package.preload.spec_module = function() return { } end
        local results = support.pack(require "spec_module")
        local two = support.lua == "5.4" or support.lua == "5.5"
        assert.equal(two and 2 or 1, results.n)
        if two then assert.equal(":preload:", results[2]) end
    end)

    it("passes errors on unchanged", function()
        local value = { code = 7 }
        package.preload.spec_failing = function() error(value) end
        assert.equal(value, support.error_of(require, "spec_failing"))
        support.raises("spec_missing", require, "spec_missing")
    end)

    it("can be used by a module that is being required", function()
        package.preload.spec_other = function() return "other" end
        package.preload.spec_module = function() return { other = require "spec_other" } end
        assert.equal("other", require "spec_module".other)
    end)

    it("refuses the same arguments as the original", function()
        support.raises("bad argument #1", require)
        support.raises("bad argument #1", require, {})
    end)

    it("can be used after it failed", function()
        package.preload.spec_failing = function() error("no") end
        package.preload.spec_module = function() return "loaded" end
        for _ = 1, 3 do assert.is_false(pcall(require, "spec_failing")) end
        assert.equal("loaded", (require "spec_module"))
        assert.equal("loaded", lanes.gen("*", function()
            package.preload.spec_inner = function() return "loaded" end
            return (require "spec_inner")
        end)()[1])
    end)

    it("works in a coroutine", function()
        package.preload.spec_module = function() return "loaded" end
        assert.equal("loaded", (coroutine.wrap(function() return require "spec_module" end)()))
    end)
end)

describe("require in lanes", function()
    it("exists when the lane has the package library", function()
        local with, without = lanes.gen("package", function() return require ~= nil end)(), lanes.gen("base", function()
            return require ~= nil
        end)()
        assert.is_true(with[1])
        assert.is_false(without[1])
    end)

    it("loads a module in one lane at a time", function()
        local linda = lanes.linda()
        linda:set("inside", 0)
        local generator = lanes.gen("*", function()
            package.preload.spec_slow = function()
                linda:set("inside", linda:get("inside") + 1)
                require "lanes".sleep(0.002)
                if linda:get("inside") ~= 1 then linda:set("overlap", true) end
                linda:set("inside", linda:get("inside") - 1)
                return {}
            end
            require "lanes"
            require "spec_slow"
        end)
        local handles = {}
        for i = 1, 10 do handles[i] = generator() end
        for i = 1, 10 do handles[i]:join() end
        assert.is_nil((linda:get("overlap")))
        assert.equal(0, (linda:get("inside")))
    end)

    -- A lane that loads a module until it receives a message.
    local function loading(linda)
        local handle = lanes.gen("*", function()
            package.preload.spec_slow = function() return (select(2, linda:receive("go"))) end
            return (require "spec_slow")
        end)()
        support.until_status(handle, "waiting")
        return handle
    end

    -- A lane that waits, or soon will, while another one loads the same module.
    local function behind(linda, finalizer)
        local handle = lanes.gen("*", function()
            package.preload.spec_slow = function() return "loaded" end
            if finalizer then
                set_finalizer(function() linda:set("finalizer", (require "spec_slow")) end)
                linda:send("near", true)
                linda:receive("never")
            end
            linda:send("near", true)
            return (require "spec_slow")
        end)()
        expect.received(linda, "near")
        return handle
    end

    it("can be cancelled in a lane that waits for another one", function()
        local linda = lanes.linda()
        local first = loading(linda)
        for _, mode in ipairs { "hard", "count" } do
            local handle = behind(linda)
            assert.same({ false, "timeout" }, { handle:cancel("soft", 0.01, true) })
            if mode == "hard" then
                assert.same({ true, "cancelled" }, { handle:cancel(mode, support.LIMIT) })
            else
                assert.same({ true, "cancelled" }, { handle:cancel(mode, 1, support.LIMIT) })
            end
        end
        local third = behind(linda)
        linda:send("go", "slow")
        assert.equal("slow", expect.finished(first))
        assert.equal("loaded", expect.finished(third))
    end)

    it("waits for another lane in a finalizer of a cancelled lane", function()
        local linda = lanes.linda()
        local first = loading(linda)
        local handle = behind(linda, true)
        assert.same({ false, "timeout" }, { handle:cancel("hard", 0.01) })
        linda:send("go", "slow")
        assert.equal("slow", expect.finished(first))
        assert.equal(0, select("#", handle:join(support.LIMIT)))
        assert.equal("cancelled", handle.status)
        assert.equal("loaded", (linda:get("finalizer")))
    end)

    it("releases its lock in a lane that is cancelled inside it", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function()
            package.preload.spec_waiting = function() linda:receive("never") end
            require "spec_waiting"
        end)()
        support.until_status(handle, "waiting")
        assert.same({ true, "cancelled" }, { handle:cancel("hard", support.LIMIT) })
        assert.equal("loaded", lanes.gen("*", function()
            package.preload.spec_inner = function() return "loaded" end
            return (require "spec_inner")
        end)()[1])
    end)
end)

describe("lanes.require", function()
    after_each(forget)

    it("returns the module, one value", function()
        package.preload.spec_module = function() return { value = 5 } end
        local results = support.pack(lanes.require "spec_module")
        assert.equal(1, results.n)
        assert.equal(5, results[1].value)
        assert.equal(results[1], require "spec_module")
    end)

    it("takes a module that is a function", function()
        package.preload.spec_module = function() return function() return 5 end end
        assert.equal(5, lanes.require "spec_module"())
    end)

    it("refuses a module that is neither table nor function, which stays loaded", function()
        package.preload.spec_module = function() return true end
        support.raises("unsupported module type boolean", lanes.require, "spec_module")
        assert.is_true(package.loaded.spec_module)
        package.preload.spec_other = function() return "text" end
        support.raises("unsupported module type string", lanes.require, "spec_other")
    end)

    it("passes errors on", function()
        local value = { code = 7 }
        package.preload.spec_failing = function() error(value) end
        assert.equal(value, support.error_of(lanes.require, "spec_failing"))
        support.raises("spec_missing", lanes.require, "spec_missing")
    end)

    it("refuses anything but a name", function()
        support.raises("bad argument #1", lanes.require)
        support.raises("bad argument #1", lanes.require, {})
    end)

    it("works in lanes", function()
        assert.equal(5, lanes.gen("*", function()
            package.preload.spec_inner = function() return { value = 5 } end
            return require "lanes".require "spec_inner".value
        end)()[1])
    end)
end)

describe("lanes.register", function()
    it("returns nothing", function()
        assert.equal(0, select("#", lanes.register("spec_registered", {})))
    end)

    it("gives C functions a name by which they are passed", function()
        local linda = lanes.linda()
        local unknown = coroutine.wrap(function() end)
        lanes.register("spec_with_function", { f = unknown })
        linda:send("f", unknown)
        assert.equal("THEIRS", lanes.gen("*", function()
            require "lanes".register("spec_with_function", { f = string.upper })
            local _, f = linda:receive("f")
            return f("theirs")
        end)()[1])
    end)

    it("takes a function as module", function()
        local linda = lanes.linda()
        local unknown = coroutine.wrap(function() end)
        lanes.register("spec_function_module", unknown)
        linda:send("f", unknown)
        assert.equal("THEIRS", lanes.gen("*", function()
            require "lanes".register("spec_function_module", string.upper)
            local _, f = linda:receive("f")
            return f("theirs")
        end)()[1])
    end)

    it("affects only the calling state", function()
        local linda = lanes.linda()
        local unknown = coroutine.wrap(function() end)
        lanes.register("spec_here_only", { f = unknown })
        linda:send("f", unknown)
        local ok, message = lanes.gen("*", function() return pcall(linda.receive, linda, 0, "f") end)():join()
        assert.is_false(ok)
        support.contains("spec_here_only", message)
    end)

    it("refuses a name that is not a string", function()
        support.raises("bad argument #1 to 'register' (string expected, got no value)", lanes.register)
        support.raises("bad argument #1 to 'register' (string expected, got table)", lanes.register, {}, {})
        support.raises("bad argument #1 to 'register' (string expected, got nil)", lanes.register, nil, {})
    end)

    it("takes a number as name", function()
        assert.equal(0, select("#", lanes.register(12, {})))
    end)

    it("refuses a module that is neither table nor function", function()
        local message = "bad argument #2 to 'register' (unexpected module type"
        support.raises(message, lanes.register, "spec_registered")
        support.raises(message, lanes.register, "spec_registered", nil)
        support.raises(message, lanes.register, "spec_registered", "text")
        support.raises(message, lanes.register, "spec_registered", true)
        support.raises(message, lanes.register, "spec_registered", io.stdout)
    end)

    it("ignores further arguments", function()
        assert.equal(0, select("#", lanes.register("spec_registered", {}, 1, 2)))
    end)
end)
