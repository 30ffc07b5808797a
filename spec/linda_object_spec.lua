-- A linda as a value: creation, text, comparison, protection and lifetime.
local support = require "support"
local needs = require "needs"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local expect = require "expect"

describe("lanes.linda", function()
    it("makes an unnamed linda, shown by its address", function()
        assert.matches("^Linda: 0x%x+$", tostring(lanes.linda()))
    end)

    it("takes a name, which tostring shows", function()
        assert.equal("Linda: jobs", tostring(lanes.linda("jobs")))
    end)

    it("takes a group alone and leaves the linda unnamed", function()
        assert.matches("^Linda: 0x%x+$", tostring(lanes.linda(3)))
    end)

    it("takes a name and a group", function()
        assert.equal("Linda: jobs", tostring(lanes.linda("jobs", 3)))
    end)

    it("uses the integer part of a fractional group", function()
        local linda = lanes.linda("jobs", 1.5)
        assert.is_true(linda:send("key", "value"))
    end)

    it("treats an empty name as none", function()
        assert.matches("^Linda: 0x%x+$", tostring(lanes.linda("")))
    end)

    for name, argument in pairs { boolean = true, table = {}, ["function"] = print, linda = lanes.linda() } do
        it("refuses a " .. name .. " as its only argument", function()
            support.raises("bad argument #1 to 'linda' (wrong parameter (should be a string or a number)",
                lanes.linda, argument)
        end)
    end

    it("refuses an explicit nil as its only argument", function()
        support.raises("bad argument #1 to 'linda' (wrong parameter (should be a string or a number)",
            lanes.linda, nil)
    end)

    it("refuses a first argument of two that is not a string", function()
        support.raises("bad argument #1 to 'linda' (string expected, got number)", lanes.linda, 1, 2)
    end)

    it("refuses a second argument that is not a number", function()
        support.raises("bad argument #2 to 'linda' (number expected, got table)", lanes.linda, "name", {})
    end)

    it("refuses a numeric string as the group", function()
        support.raises("bad argument #2 to 'linda' (number expected, got string)", lanes.linda, "name", "2")
    end)

    it("refuses a third argument", function()
        support.raises("bad argument #3 to 'linda' (too many arguments)", lanes.linda, "name", 1, 2)
    end)
end)

describe("a linda", function()
    it("is concatenated by its text with strings, numbers and lindas", function()
        local one, two = lanes.linda("one"), lanes.linda("two")
        assert.equal("<Linda: one>", "<" .. one .. ">")
        assert.equal("Linda: one1", one .. 1)
        assert.equal("1Linda: one", 1 .. one)
        assert.equal("Linda: oneLinda: two", one .. two)
    end)

    it("cannot be concatenated with other types", function()
        local linda = lanes.linda()
        support.raises("concatenate", function() return linda .. {} end)
        support.raises("concatenate", function() return print .. linda end)
        support.raises("concatenate", function() return linda .. nil end)
    end)

    it("has the protected metatable 'Linda'", function()
        assert.equal("Linda", getmetatable(lanes.linda()))
        assert.is_false((pcall(setmetatable, lanes.linda(), {})))
    end)

    it("has all its methods as fields", function()
        local linda = lanes.linda()
        for _, name in ipairs { "send", "receive", "set", "get", "limit", "count", "dump", "cancel", "deep" } do
            assert.equal("function", type(linda[name]), name)
        end
    end)

    it("has the markers as fields, the same in every linda", function()
        local one, two = lanes.linda(), lanes.linda()
        assert.equal("userdata", type(one.null))
        assert.equal("userdata", type(one.batched))
        assert.equal(one.null, two.null)
        assert.equal(one.batched, two.batched)
        assert.is_false(one.null == one.batched)
    end)

    it("shares its nil marker with lanes.null", function()
        assert.equal(lanes.null, lanes.linda().null)
    end)

    it("has the same markers in every lane", function()
        local null, batched, cancel_error = expect.in_lane(function()
            local inner = require "lanes"
            return inner.linda().null, inner.linda().batched, inner.cancel_error
        end)
        assert.equal(lanes.linda().null, null)
        assert.equal(lanes.linda().batched, batched)
        assert.equal(lanes.cancel_error, cancel_error)
    end)

    it("reads nil for unknown fields", function()
        local linda = lanes.linda()
        assert.is_nil(linda.nothing)
        assert.is_nil(linda[1])
        assert.is_nil(linda[true])
    end)

    it("refuses assignment, length and call", function()
        local linda = lanes.linda()
        assert.is_false((pcall(function() linda.field = 1 end)))
        assert.is_false((pcall(function() return #linda end)))
        assert.is_false((pcall(function() return linda() end)))
    end)

    it("shows debuggers its dump, or its text while unused", function()
        local linda = lanes.linda("watched")
        assert.equal("Linda: watched", linda.__towatch(linda))
        linda:send("key", "value")
        assert.same({ key = { first = 1, count = 1, limit = -1, fifo = { "value" } } }, linda.__towatch(linda))
    end)

    local methods = { "send", "receive", "set", "get", "limit", "count", "dump", "cancel", "deep" }
    for _, name in ipairs(methods) do
        it("refuses another self in " .. name, function()
            local method = lanes.linda()[name]
            for _, self in ipairs { false, 1, "linda", {}, print, io.stdout, lanes.null } do
                local message = support.raises("bad argument #1 to '" .. name .. "'", method, self, "key", 1)
                assert.matches("linda", message, 1, true)
            end
            support.raises("bad argument #1 to '" .. name .. "'", method)
            support.raises("bad argument #1 to '" .. name .. "'", method, nil)
        end)
    end

    it("is different from another linda of the same name", function()
        local one, two = lanes.linda("same"), lanes.linda("same")
        assert.is_false(one == two)
        one:send("key", 1)
        assert.is_nil(two:count("key"))
    end)
end)

describe("a linda's identity", function()
    it("is kept as argument and result", function()
        local linda = lanes.linda()
        assert.is_true(rawequal(linda, expect.in_lane(function(...) return ... end, linda)))
    end)

    it("is kept as upvalue", function()
        local linda = lanes.linda()
        assert.is_true(rawequal(linda, expect.in_lane(function() return linda end)))
    end)

    it("is kept through another linda", function()
        local linda, carrier = lanes.linda(), lanes.linda()
        carrier:send("key", linda)
        local _, arrived = carrier:receive(0, "key")
        assert.is_true(rawequal(linda, arrived))
    end)

    it("is kept through itself", function()
        local linda = lanes.linda()
        linda:send("key", linda, { linda })
        local _, arrived, wrapped = linda:receive(0, linda.batched, "key", 2)
        assert.is_true(rawequal(linda, arrived))
        assert.is_true(rawequal(linda, wrapped[1]))
    end)

    it("is one object in a lane that receives it in three ways", function()
        local linda = lanes.linda()
        linda:send("key", linda)
        local one, two = expect.in_lane(function(argument)
            local _, received = argument:receive("key")
            return rawequal(argument, linda), rawequal(argument, received)
        end, linda)
        assert.is_true(one)
        assert.is_true(two)
    end)

    it("keeps its text in every lane", function()
        local unnamed, named = lanes.linda(), lanes.linda("named")
        local one, two = expect.in_lane(function(...)
            local first, second = ...
            return tostring(first), tostring(second)
        end, unnamed, named)
        assert.equal(tostring(unnamed), one)
        assert.equal("Linda: named", two)
    end)
end)

describe("linda:deep", function()
    it("returns the same light userdata at every call", function()
        local linda = lanes.linda()
        local identity = linda:deep()
        assert.equal("userdata", type(identity))
        assert.is_nil(getmetatable(identity))
        assert.equal(identity, linda:deep())
    end)

    it("returns the same identity in every lane", function()
        local linda = lanes.linda()
        assert.equal(linda:deep(), expect.in_lane(function(inner) return inner:deep() end, linda))
    end)

    it("distinguishes lindas", function()
        local one, two = lanes.linda(), lanes.linda()
        assert.is_false(one:deep() == two:deep())
    end)

    it("can be a key", function()
        local linda = lanes.linda()
        linda:set(linda:deep(), "value")
        assert.equal("value", linda:get(linda:deep()))
    end)
end)

describe("a linda's contents", function()
    it("exist while the linda is in another linda", function()
        local outer = lanes.linda()
        do
            local inner = lanes.linda("inner")
            inner:send("key", "kept")
            outer:send("linda", inner)
        end
        collectgarbage()
        collectgarbage()
        local _, inner = outer:receive(0, "linda")
        assert.equal("Linda: inner", tostring(inner))
        assert.same(support.pack("key", "kept"), support.pack(inner:receive(0, "key")))
    end)

    it("outlive the lane that made them", function()
        local linda = expect.in_lane(function()
            local made = require "lanes".linda("made in a lane")
            made:send("key", { 1, 2, 3 })
            return made
        end)
        assert.equal("Linda: made in a lane", tostring(linda))
        assert.same({ 1, 2, 3 }, select(2, linda:receive(0, "key")))
    end)

    it("are shared by all states that have the linda", function()
        local linda = lanes.linda()
        linda:set("from main", 1)
        assert.equal(1, expect.in_lane(function(inner)
            inner:set("from lane", 2)
            return inner:get("from main")
        end, linda))
        assert.equal(2, linda:get("from lane"))
    end)

    needs.proc(it)("are released with the linda", function()
        local out = support.output [[
            local lanes = require "lanes"
            local payload = ("x"):rep(10000)
            for i = 1, 30000 do
                lanes.linda():send("key", payload .. i)
                if i % 1000 == 0 then collectgarbage() collectgarbage() end
            end
            local resident = require "machine".status "VmRSS"
            print(resident < 150000 and "released" or resident)
        ]]
        assert.equal("released\n", out)
    end)
end)

describe("a linda's finalizer called explicitly", function()
    it("does not crash, then or at the end of the program", function()
        local out = support.output [[
            local lanes = require "lanes"
            local linda = lanes.linda "victim"
            linda:send("key", 1)
            local finaliser = linda.__gc
            if finaliser then
                for _ = 1, 3 do pcall(finaliser, linda) end
                pcall(finaliser)
                pcall(finaliser, 1)
                pcall(finaliser, io.stdout)
            end
            pcall(linda.send, linda, "key", 2)
            pcall(tostring, linda)
            linda = nil
            collectgarbage() collectgarbage()
            local other = lanes.linda()
            other:send("key", "alive")
            print(select(2, other:receive(0, "key")))
        ]]
        assert.equal("alive\n", out)
    end)
end)
