-- Values that cannot be passed: the error names the type, the place and the remedy; nothing else is
-- affected.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local expect = require "expect"
local native = require "native"

local thread = coroutine.create(function() end)
local open = native.opener()

-- A generator whose lanes do nothing.
local idle = lanes.gen("*", function() end)

describe("a coroutine", function()
    it("is refused as an argument", function()
        support.raises("tried to copy unsupported types", idle, thread)
        support.raises("tried to copy unsupported types", idle, 1, 2, thread)
    end)

    it("is refused as an element of a linda", function()
        local linda = lanes.linda()
        support.raises("tried to copy unsupported types", linda.send, linda, "key", thread)
        support.raises("tried to copy unsupported types", linda.set, linda, "key", thread)
        assert.is_nil(linda:count("key"))
    end)

    it("is refused inside a table, by its path", function()
        local message = support.raises("arg #2.config.handler", idle, 1, { config = { handler = thread } })
        support.contains("thread", message)
    end)

    it("is refused inside a list, by its index", function()
        support.contains("[3]", support.raises("thread", idle, { 1, 2, thread }))
    end)

    it("is refused inside a metatable", function()
        for _, call in ipairs { idle, function(value) lanes.linda():send("key", value) end } do
            support.contains("metatable entry", support.raises("is of type 'thread'", call, setmetatable({}, { field = thread })))
            support.contains(".list[2]", support.raises("is of type 'thread'", call, setmetatable({}, { list = { 1, thread } })))
        end
    end)

    it("is refused as an upvalue, by its name", function()
        local message = support.raises("thread", lanes.gen("*", function() return thread end))
        support.contains("Cannot copy upvalue type 'thread'", message)
    end)

    it("is refused in a table that is an upvalue, by its path", function()
        local settings = { inner = { routine = thread } }
        local message = support.raises(".inner.routine", lanes.gen("*", function() return settings end))
        support.contains("settings", message)
    end)

    it("is refused as an upvalue of a function that is an argument", function()
        support.raises("thread", idle, function() return thread end)
    end)

    it("is refused among the globals of a generator", function()
        support.raises("thread", lanes.gen("*", { globals = { given = { thread } } }, function() end))
        assert.is_false((pcall(lanes.gen("*", { globals = { given = thread } }, function() end))))
    end)

    it("is refused in a linda with the path of the value", function()
        local linda = lanes.linda()
        support.raises(".config.handler", linda.send, linda, "key", { config = { handler = thread } })
        assert.is_nil(linda:count("key"))
    end)
end)

describe("a path in an error", function()
    it("shows keys that are not names in Lua syntax", function()
        support.raises('["two words"]', idle, { ["two words"] = thread })
        support.raises("[5]", idle, { [5] = thread })
        support.raises("[true]", idle, { [true] = thread })
        support.raises("[-1.5]", idle, { [-1.5] = thread })
    end)

    it("is made for a value nested a hundred thousand levels deep", function()
        local value = thread
        for _ = 1, 100000 do value = { value } end
        support.raises("thread", idle, value)
    end)
end)

describe("a C function without a name", function()
    local nameless_ones = {
        ["a wrapped coroutine"] = coroutine.wrap(function() end),
        ["an iterator of gmatch"] = string.gmatch("a", "a"),
    }
    for name, f in pairs(nameless_ones) do
        it("is refused: " .. name, function()
            support.raises("origin transfer database", idle, f)
            local linda = lanes.linda()
            support.raises("origin transfer database", linda.send, linda, "key", f)
            assert.is_nil(linda:count("key"))
        end)
    end

    it("is refused by its path", function()
        local f = coroutine.wrap(function() end)
        support.raises("arg #1.callbacks.next", idle, { callbacks = { next = f } })
    end)

    it("is refused by the name of the upvalue", function()
        local nameless = coroutine.wrap(function() end)
        support.raises("nameless", lanes.gen("*", function() return nameless end))
    end)
end)

describe("a C function that a call has returned", function()
    local made = {
        wrap = coroutine.wrap(function() end),
        gmatch = ("text"):gmatch("."),
        lines = io.lines("spec/transfer_errors_spec.lua"),
        handle_lines = assert(io.open("spec/transfer_errors_spec.lua")):lines(),
    }

    for name, f in pairs(made) do
        it("is refused with an error that says where to create it, from " .. name, function()
            local linda = lanes.linda()
            for _, message in ipairs {
                support.raises("origin transfer database", idle, f),
                support.raises("origin transfer database", linda.send, linda, "key", { f }),
                support.raises("origin transfer database", lanes.gen("*", function() return f end)),
                support.raises("origin transfer database", function() return lanes.gen("*", function()
                    return coroutine.wrap(function() end)
                end)()[1] end),
            } do
                support.contains("make it in the lane that uses it", message)
                assert.is_nil(message:find("require the module", 1, true))
            end
        end)
    end
end)

describe("a C function of a module that the lane cannot load", function()
    lanes.register("ghost", { open = open })

    it("is refused at the generator's call, with module, path and remedy", function()
        local message = support.raises("function 'ghost/open' not found in", idle, 1, { config = { handler = open } })
        support.contains("destination transfer database", message)
        support.contains("arg #2.config.handler", message)
        support.contains("ghost", message)
        support.contains("required", message)
    end)

    it("is refused as an upvalue, by its name", function()
        local message = support.raises("function 'ghost/open' not found in", lanes.gen("*", function() return open end))
        support.contains("open", message)
    end)

    it("is refused in a lane that cannot require anything", function()
        local lfs = require "lfs"
        support.raises("destination transfer database", lanes.gen("base", function() end), lfs.dir)
    end)
end)

describe("an operation that fails", function()
    it("leaves the generator usable", function()
        local echo = lanes.gen("*", function(...) return ... end)
        support.raises("tried to copy unsupported types", echo, thread)
        support.raises("origin transfer database", echo, coroutine.wrap(function() end))
        assert.equal("fine", expect.finished(echo("fine")))
    end)

    it("leaves the linda usable", function()
        local linda = lanes.linda()
        for _ = 1, 100 do pcall(linda.send, linda, "key", { 1, { thread } }) end
        assert.is_nil(linda:count("key"))
        assert.is_true(linda:send("key", "fine"))
        assert.equal("fine", linda:get("key"))
    end)

    it("does not affect later uses of the metatables of the failed value", function()
        local class = { name = "class" }
        local object = setmetatable({}, class)
        local linda = lanes.linda()
        pcall(linda.send, linda, "key", object, thread)
        linda:send("key", object)
        assert.is_true(rawequal(class, getmetatable(select(2, linda:receive(0, "key")))))
        assert.equal("class", expect.in_lane(function(given) return getmetatable(given).name end, object))
    end)
end)

describe("with verbose_errors", function()
    it("the errors name the value too", function()
        local out = support.output [[
            local lanes = require "lanes".configure { verbose_errors = true }
            local thread = coroutine.create(function() end)
            print(pcall(lanes.gen("*", function() end), 1, { x = { y = { thread } } }))
        ]]
        assert.matches("^false\t", out)
        support.contains(".x.y[1]", out)
    end)
end)

if pcall(require, "ffi") then
    describe("a cdata", function()
        local ffi = require "ffi"

        it("is refused at top level and in a table", function()
            support.raises("tried to copy unsupported types", idle, ffi.new("int[1]"))
            support.raises("cdata", idle, { field = ffi.new("int[1]") })
        end)

        it("is refused as a 64-bit number", function()
            support.raises("tried to copy unsupported types", idle, 2 ^ 53 + ffi.new("int64_t", 1))
        end)
    end)
end
