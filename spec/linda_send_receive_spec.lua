-- Sending single values and batches to a linda, and receiving them one by one.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local expect = require "expect"
local native = require "native"
local pack = support.pack

-- Values that are not keys, by name.
local bad_keys = {
    table = {}, ["function"] = print, thread = coroutine.create(function() end), linda = lanes.linda(), file = io.stdout,
}

describe("linda:send", function()
    it("returns true", function()
        assert.same(pack(true), pack(lanes.linda():send("key", "value")))
    end)

    it("appends several values in order", function()
        local linda = lanes.linda()
        linda:send("key", 1, 2, 3)
        linda:send("key", 4)
        assert.equal(4, linda:count("key"))
        assert.same(pack(1, 2, 3, 4), pack(linda:get("key", 4)))
    end)

    it("takes a number before the key as timeout", function()
        local linda = lanes.linda()
        assert.same(pack(true), pack(linda:send(0, "key", "value")))
        assert.same(pack(true), pack(linda:send(0.5, "key", "value")))
        assert.same(pack(true), pack(linda:send(-1, "key", "value")))
        assert.same({ key = 3 }, linda:count())
    end)

    it("accepts nil as no timeout, so that a number can be the key", function()
        local linda = lanes.linda()
        assert.same(pack(true), pack(linda:send(nil, 5, "value")))
        assert.same({ [5] = 1 }, linda:count())
    end)

    it("takes a numeric string as key, not as timeout", function()
        local linda = lanes.linda()
        linda:send("1", "value")
        assert.same({ ["1"] = 1 }, linda:count())
    end)

    it("stores nil, also at the end of a batch", function()
        local linda = lanes.linda()
        assert.is_true(linda:send("key", nil))
        assert.is_true(linda:send("key", 1, nil, nil))
        assert.equal(4, linda:count("key"))
        assert.same(pack(nil, 1, nil, nil), pack(linda:get("key", 4)))
    end)

    it("needs data", function()
        local linda = lanes.linda()
        support.raises("no data to send", linda.send, linda, "key")
        support.raises("no data to send", linda.send, linda, 0, "key")
        support.raises("no data to send", linda.send, linda, nil, "key")
        assert.is_nil(linda:count("key"))
    end)

    it("sends one nil for an empty list after linda.null", function()
        local linda = lanes.linda()
        assert.same(pack(true), pack(linda:send(linda.null, "key")))
        assert.same(pack(true), pack(linda:send(0, linda.null, "key")))
        assert.same(pack(true), pack(linda:send(nil, linda.null, "key")))
        assert.equal(3, linda:count("key"))
        assert.same(pack("key", nil), pack(linda:receive(0, "key")))
    end)

    it("sends the given values after linda.null", function()
        local linda = lanes.linda()
        linda:send(linda.null, "key", 1, 2)
        assert.same(pack(1, 2), pack(linda:get("key", 5)))
    end)

    it("accepts the markers as keys", function()
        local linda = lanes.linda()
        linda:send(linda.null, linda.null, "under null")
        linda:send(linda.batched, "under batched")
        assert.same(pack(linda.null, "under null"), pack(linda:receive(0, linda.null)))
        assert.equal("under batched", linda:get(linda.batched))
    end)

    for name, key in pairs(bad_keys) do
        it("refuses a " .. name .. " as key, by its position", function()
            local linda = lanes.linda()
            support.raises("bad argument #2 to 'send' (invalid key type", linda.send, linda, key, "value")
            support.raises("bad argument #3 to 'send' (invalid key type", linda.send, linda, 0, key, "value")
            support.raises("bad argument #3 to 'send' (invalid key type", linda.send, linda, nil, key, "value")
            local message = support.raises("not a boolean, string, number or light userdata", linda.send, linda, key, 1)
            support.contains("'send'", message)
            assert.is_true(linda:send("key", "value"))
            assert.same({ key = 1 }, linda:count())
        end)
    end

    it("refuses nil as key", function()
        local linda = lanes.linda()
        support.raises("invalid key type", linda.send, linda)
        support.raises("invalid key type", linda.send, linda, nil)
        support.raises("bad argument #3 to 'send' (invalid key type", linda.send, linda, nil, nil, "value")
        support.raises("bad argument #3 to 'send' (invalid key type", linda.send, linda, 0, nil, "value")
        assert.is_nil(linda:count("key"))
    end)

    it("refuses NaN as key", function()
        local linda = lanes.linda()
        support.raises("bad argument #3 to 'send'", linda.send, linda, nil, 0 / 0, "value")
        assert.is_true(linda:send("key", "value"))
    end)

    it("refuses NaN as timeout", function()
        local linda = lanes.linda()
        support.raises("bad argument #2 to 'send'", linda.send, linda, 0 / 0, "key", "value")
        assert.is_nil(linda:count("key"))
    end)

    it("stores nothing of a batch with one value that cannot be passed", function()
        local linda = lanes.linda()
        support.raises("tried to copy unsupported types", linda.send, linda, "key", 1, 2, coroutine.create(function() end))
        assert.is_nil(linda:count("key"))
        assert.is_true(linda:send("key", "still works"))
        assert.same(pack("key", "still works"), pack(linda:receive(0, "key")))
    end)

    it("copies: later changes of the table have no effect", function()
        local linda, value = lanes.linda(), { 1 }
        linda:send("key", value)
        value[1] = 2
        assert.same({ 1 }, select(2, linda:receive(0, "key")))
    end)

    it("reports errors at the caller's line", function()
        local linda = lanes.linda()
        local message = support.raises("no data to send", function() linda:send("key") end)
        assert.matches("linda_send_receive_spec.lua:%d+: ", message)
    end)
end)

describe("linda:receive", function()
    it("returns the key and the value", function()
        local linda = lanes.linda()
        linda:send("key", "value")
        assert.same(pack("key", "value"), pack(linda:receive("key")))
    end)

    it("removes what it returns", function()
        local linda = lanes.linda()
        linda:send("key", "value")
        linda:receive(0, "key")
        assert.equal(0, linda:count("key"))
        assert.same(pack(), pack(linda:receive(0, "key")))
    end)

    it("returns nothing when the time is over", function()
        local linda = lanes.linda()
        assert.same(pack(), pack(linda:receive(0, "key")))
        assert.same(pack(), pack(linda:receive(0.001, "key")))
        assert.same(pack(), pack(linda:receive(0.001, "key", "other")))
    end)

    it("returns the values of a slot first in, first out", function()
        local linda = lanes.linda()
        for i = 1, 100 do linda:send("key", i) end
        for i = 1, 100 do assert.same(pack("key", i), pack(linda:receive(0, "key"))) end
    end)

    it("keeps slots apart", function()
        local linda = lanes.linda()
        linda:send("one", 1)
        linda:send("two", 2)
        assert.same(pack("two", 2), pack(linda:receive(0, "two")))
        assert.same(pack(), pack(linda:receive(0, "two")))
        assert.same(pack("one", 1), pack(linda:receive(0, "one")))
    end)

    it("prefers keys in the order of its arguments", function()
        local linda = lanes.linda()
        linda:send("last", 3)
        linda:send("first", 1)
        linda:send("middle", 2)
        assert.same(pack("first", 1), pack(linda:receive(0, "none", "first", "middle", "last")))
        assert.same(pack("middle", 2), pack(linda:receive(0, "none", "first", "middle", "last")))
        assert.same(pack("last", 3), pack(linda:receive(0, "none", "first", "middle", "last")))
        assert.same(pack(), pack(linda:receive(0, "none", "first", "middle", "last")))
    end)

    it("allows the same key twice", function()
        local linda = lanes.linda()
        linda:send("key", "value")
        assert.same(pack("key", "value"), pack(linda:receive(0, "key", "key")))
        assert.same(pack(), pack(linda:receive(0, "key", "key")))
    end)

    it("takes many keys", function()
        local linda, keys = lanes.linda(), {}
        for i = 1, 200 do keys[i] = "key" .. i end
        linda:send("key200", "value")
        assert.same(pack("key200", "value"), pack(linda:receive(0, (table.unpack or unpack)(keys))))
    end)

    it("accepts nil as no timeout, so that a number can be the key", function()
        local linda = lanes.linda()
        linda:send(nil, 7, "value")
        assert.same(pack(7, "value"), pack(linda:receive(nil, 7)))
    end)

    it("takes a number before the keys as timeout, and numbers after it as keys", function()
        local linda = lanes.linda()
        linda:send(nil, 2, "value")
        assert.same(pack(2, "value"), pack(linda:receive(0, 1, 2)))
    end)

    it("waits without limit for a negative timeout", function()
        local linda = lanes.linda()
        local key, value = expect.in_lane(function(inner)
            local lane = require "lanes".gen("*", function(innermost) innermost:send("key", "value") end)(inner)
            return inner:receive(-1, "key"), (lane:join())
        end, linda)
        assert.equal("key", key)
        assert.is_nil(value)
    end)

    it("takes a numeric string as key", function()
        local linda = lanes.linda()
        linda:send("1", "value")
        assert.same(pack("1", "value"), pack(linda:receive("1")))
    end)

    for name, key in pairs { ["true"] = true, ["false"] = false, string = "key", ["empty string"] = "",
        ["binary string"] = "a\0b", ["negative number"] = -1.5, infinity = math.huge,
        ["light userdata"] = lanes.null } do
        it("finds a value under the key " .. name, function()
            local linda = lanes.linda()
            linda:send(nil, "other", "wrong")
            linda:set(key, "value")
            assert.same(pack(key, "value"), pack(linda:receive(0, key)))
        end)
    end

    it("distinguishes a string key from the number that it spells", function()
        local linda = lanes.linda()
        linda:set(1, "number")
        linda:set("1", "string")
        assert.equal("number", linda:get(1))
        assert.equal("string", linda:get("1"))
    end)

    it("takes a key of a million bytes", function()
        local linda, key = lanes.linda(), ("k"):rep(1000000)
        linda:send(key, "value")
        assert.same(pack(), pack(linda:receive(0, key .. "k")))
        local found, value = linda:receive(0, key)
        assert.is_true(found == key)
        assert.equal("value", value)
    end)

    if math.type then
        it("finds 1 under 1.0 and returns the given key", function()
            local linda = lanes.linda()
            linda:set(1, "a", "b")
            local as_float = linda:receive(0, 1.0)
            assert.equal("float", math.type(as_float))
            local as_integer = linda:receive(0, 1)
            assert.equal("integer", math.type(as_integer))
        end)

        it("distinguishes integers that are the same as floats", function()
            local linda = lanes.linda()
            linda:set(math.maxinteger, "largest")
            linda:set(math.maxinteger - 1, "second largest")
            assert.equal("largest", linda:get(math.maxinteger))
            assert.equal("second largest", linda:get(math.maxinteger - 1))
        end)
    end

    it("finds 0 under -0", function()
        local linda = lanes.linda()
        linda:set(0, "value")
        assert.equal("value", linda:get(-0.0))
    end)

    it("returns nil for a nil that was sent, with its key", function()
        local linda = lanes.linda()
        linda:send("key", nil)
        assert.same(pack("key", nil), pack(linda:receive(0, "key")))
        assert.same(pack(), pack(linda:receive(0, "key")))
    end)

    it("returns nil for the nil marker sent as an element", function()
        local linda = lanes.linda()
        linda:send("key", linda.null)
        assert.same(pack("key", nil), pack(linda:receive(0, "key")))
    end)

    it("returns the nil marker itself inside a table", function()
        local linda = lanes.linda()
        linda:send("key", { linda.null, field = linda.null })
        local _, value = linda:receive(0, "key")
        assert.equal(linda.null, value[1])
        assert.equal(linda.null, value.field)
    end)

    it("returns nil for an object marked __lanesignore", function()
        local linda = lanes.linda()
        linda:send("key", setmetatable({}, { __lanesignore = true }), "next")
        assert.equal(2, linda:count("key"))
        assert.same(pack("key", nil), pack(linda:receive(0, "key")))
        assert.same(pack("key", "next"), pack(linda:receive(0, "key")))
    end)

    it("needs a key", function()
        local linda = lanes.linda()
        support.raises("invalid key type", linda.receive, linda)
        support.raises("invalid key type", linda.receive, linda, 0)
        support.raises("invalid key type", linda.receive, linda, nil)
    end)

    for name, key in pairs(bad_keys) do
        it("refuses a " .. name .. " as key, by its position", function()
            local linda = lanes.linda()
            linda:send("key", "value")
            support.raises("bad argument #2 to 'receive' (invalid key type", linda.receive, linda, key)
            support.raises("bad argument #3 to 'receive' (invalid key type", linda.receive, linda, 0, key)
            support.raises("bad argument #4 to 'receive' (invalid key type", linda.receive, linda, 0, "key", key)
            assert.same(pack("key", "value"), pack(linda:receive(0, "key")))
        end)
    end

    it("refuses NaN as key", function()
        local linda = lanes.linda()
        support.raises("bad argument #3 to 'receive'", linda.receive, linda, 0, 0 / 0)
    end)

    it("refuses nil among the keys", function()
        local linda = lanes.linda()
        support.raises("bad argument #4 to 'receive' (invalid key type", linda.receive, linda, 0, "key", nil)
        support.raises("bad argument #3 to 'receive' (invalid key type", linda.receive, linda, 0, nil, "key")
    end)

    it("refuses NaN as timeout", function()
        local linda = lanes.linda()
        linda:send("key", "value")
        support.raises("bad argument #2 to 'receive'", linda.receive, linda, 0 / 0, "key")
        assert.equal(1, linda:count("key"))
    end)

    it("takes an infinite timeout as no limit", function()
        local linda = lanes.linda()
        assert.is_true(linda:send(math.huge, "key", "value"))
        assert.same(pack("key", "value"), pack(linda:receive(math.huge, "key")))
        assert.is_true(linda:send(1e300, "key", "value"))
        assert.same(pack("key", "value"), pack(linda:receive(1e300, "key")))
    end)
end)

describe("a receive that fails", function()
    -- Runs linda:receive(0, ...) in a lane that does not know the C function in the slot. Returns
    -- the error.
    local function failing_receive(linda, ...)
        local ok, message = expect.in_lane(function(inner, ...) return pcall(inner.receive, inner, 0, ...) end,
            linda, ...)
        assert.is_false(ok)
        return message
    end

    local open = native.opener()
    lanes.register("ghost", { open = open })

    it("names the missing function", function()
        local linda = lanes.linda()
        linda:send("key", open)
        assert.matches("function 'ghost/open' not found in", failing_receive(linda, "key"), 1, true)
    end)

    it("names a function that is missing inside a table, by its path", function()
        local linda = lanes.linda()
        linda:send("key", { config = { handler = open } })
        local message = failing_receive(linda, "key")
        assert.matches("function 'ghost/open' not found in", message, 1, true)
        assert.matches("destination transfer database", message, 1, true)
        assert.matches(".config.handler", message, 1, true)
    end)

    it("leaves the element at the front", function()
        local linda = lanes.linda()
        linda:send("key", open, "second")
        failing_receive(linda, "key")
        assert.equal(2, linda:count("key"))
        assert.same(pack("key", open), pack(linda:receive(0, "key")))
        assert.same(pack("key", "second"), pack(linda:receive(0, "key")))
    end)

    it("leaves a whole batch in order", function()
        local linda = lanes.linda()
        linda:send("key", 1, open, 3, 4)
        failing_receive(linda, linda.batched, "key", 3)
        assert.equal(4, linda:count("key"))
        assert.same(pack("key", 1, open, 3, 4), pack(linda:receive(0, linda.batched, "key", 4)))
    end)

    it("can be repeated without effect", function()
        local linda = lanes.linda()
        linda:send("key", open)
        for _ = 1, 20 do failing_receive(linda, "key") end
        assert.equal(1, linda:count("key"))
    end)

    it("leaves the element in a full slot", function()
        local linda = lanes.linda()
        linda:limit("key", 1)
        linda:send("key", open)
        failing_receive(linda, "key")
        assert.is_false(linda:send(0, "key", "no room"))
        assert.same(pack("key", open), pack(linda:receive(0, "key")))
        assert.is_true(linda:send(0, "key", "room"))
    end)
end)

describe("values sent to one slot", function()
    it("share references when sent together and taken out together", function()
        local linda, shared = lanes.linda(), {}
        linda:send("key", shared, { shared }, shared)
        local _, one, two, three = linda:receive(0, linda.batched, "key", 3)
        assert.is_true(rawequal(one, two[1]))
        assert.is_true(rawequal(one, three))
        assert.is_false(rawequal(one, shared))
    end)

    it("share references when sent together and read together", function()
        local linda, shared = lanes.linda(), {}
        linda:send("key", shared, { shared })
        local one, two = linda:get("key", 2)
        assert.is_true(rawequal(one, two[1]))
    end)

    it("are separate copies when taken out one by one", function()
        local linda, shared = lanes.linda(), {}
        linda:send("key", shared, { shared })
        local _, one = linda:receive(0, "key")
        local _, two = linda:receive(0, "key")
        assert.is_false(rawequal(one, two[1]))
    end)

    it("arrive complete when only a part of the batch is taken out", function()
        local linda, shared = lanes.linda(), { "shared" }
        linda:send("key", { shared }, { shared }, { shared })
        local _, one, two = linda:receive(0, linda.batched, "key", 2)
        assert.is_true(rawequal(one[1], two[1]))
        local _, three = linda:receive(0, "key")
        assert.same({ { "shared" } }, three)
    end)

    it("share references also when a batch receive includes single sends", function()
        local linda, shared = lanes.linda(), { "shared" }
        linda:send("key", "before")
        linda:send("key", shared, { shared })
        linda:send("key", "after")
        local _, before, one, two, after = linda:receive(0, linda.batched, "key", 4)
        assert.equal("before", before)
        assert.is_true(rawequal(one, two[1]))
        assert.equal("after", after)
    end)
end)
