-- Receiving several values of one slot at once.
local support = require "support"
local assert = assert
local describe, it = support.plain(describe, it)
local _ENV = _G -- luacheck: ignore _ENV
local lanes = require "lanes"
local expect = require "expect"
local pack = support.pack

-- A linda with the values in slot "key".
local function filled(...)
    local linda = lanes.linda()
    linda:send("key", ...)
    return linda
end

describe("a batched receive", function()
    it("returns the key and as many values as asked for", function()
        local linda = filled(1, 2, 3)
        assert.same(pack("key", 1, 2), pack(linda:receive(0, linda.batched, "key", 2)))
        assert.equal(1, linda:count("key"))
    end)

    it("takes no timeout before the marker", function()
        local linda = filled(1, 2, 3)
        assert.same(pack("key", 1, 2), pack(linda:receive(linda.batched, "key", 2)))
        assert.same(pack("key", 3), pack(linda:receive(nil, linda.batched, "key", 1)))
    end)

    it("leaves everything when there are fewer than the minimum", function()
        local linda = filled(1)
        assert.same(pack(), pack(linda:receive(0, linda.batched, "key", 2)))
        assert.equal(1, linda:count("key"))
        assert.same(pack(), pack(linda:receive(0.001, linda.batched, "key", 2, 5)))
        assert.equal(1, linda:count("key"))
    end)

    it("takes no more than the minimum without a maximum", function()
        local linda = filled(1, 2, 3)
        assert.same(pack("key", 1), pack(linda:receive(0, linda.batched, "key", 1)))
    end)

    it("takes what there is up to the maximum", function()
        local linda = filled(1, 2, 3, 4, 5)
        assert.same(pack("key", 1, 2, 3), pack(linda:receive(0, linda.batched, "key", 1, 3)))
        assert.same(pack("key", 4, 5), pack(linda:receive(0, linda.batched, "key", 1, 3)))
        assert.same(pack(), pack(linda:receive(0, linda.batched, "key", 1, 3)))
    end)

    it("takes a maximum beyond everything that is there", function()
        local linda = filled(1, 2, 3)
        assert.same(pack("key", 1, 2, 3), pack(linda:receive(0, linda.batched, "key", 2, 1000000)))
    end)

    it("gives nils their places", function()
        local linda = filled(nil, 2, nil)
        assert.same(pack("key", nil, 2, nil), pack(linda:receive(0, linda.batched, "key", 3)))
    end)

    it("takes a number as key", function()
        local linda = lanes.linda()
        linda:send(nil, 5, "a", "b")
        assert.same(pack(5, "a", "b"), pack(linda:receive(0, linda.batched, 5, 2)))
    end)

    it("takes the markers as keys", function()
        local linda = lanes.linda()
        linda:set(linda.batched, "a")
        assert.same(pack(linda.batched, "a"), pack(linda:receive(0, linda.batched, linda.batched, 1)))
        linda:set(linda.null, "b")
        assert.same(pack(linda.null, "b"), pack(linda:receive(0, linda.batched, linda.null, 1)))
    end)

    it("takes numeric strings as counts", function()
        local linda = filled(1, 2, 3)
        assert.same(pack("key", 1, 2, 3), pack(linda:receive(0, linda.batched, "key", "1", "3")))
    end)

    it("returns thousands of values", function()
        local linda = lanes.linda()
        for i = 1, 5000 do linda:send("key", i) end
        local values = pack(linda:receive(0, linda.batched, "key", 5000))
        assert.equal(5001, values.n)
        for i = 1, 5000 do assert.equal(i, values[i + 1]) end
    end)

    it("waits until the minimum is there", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function() return linda:receive(linda.batched, "key", 3) end)()
        support.until_status(lane, "waiting")
        linda:send("key", 1)
        linda:send("key", 2)
        assert.equal(2, linda:count("key"))
        assert.equal("waiting", lane.status)
        linda:send("key", 3)
        assert.same(pack("key", 1, 2, 3), pack(expect.finished(lane)))
    end)

    it("waits for the minimum only, and then takes up to the maximum", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function() return linda:receive(linda.batched, "key", 2, 4) end)()
        support.until_status(lane, "waiting")
        linda:send("key", 1)
        linda:send("key", 2, 3)
        assert.same(pack("key", 1, 2, 3), pack(expect.finished(lane)))
    end)

    it("makes room for a waiting sender", function()
        local linda = lanes.linda()
        linda:limit("key", 2)
        linda:send("key", 1, 2)
        local lane = lanes.gen("*", function() return linda:send("key", 3, 4) end)()
        support.until_status(lane, "waiting")
        assert.same(pack("key", 1), pack(linda:receive(0, linda.batched, "key", 1)))
        assert.equal("waiting", lane.status)
        assert.same(pack("key", 2), pack(linda:receive(0, linda.batched, "key", 1)))
        assert.is_true(expect.finished(lane))
        assert.same(pack("key", 3, 4), pack(linda:receive(0, linda.batched, "key", 2)))
    end)

    it("waits for ever for more than the limit admits, and takes nothing then", function()
        local linda = lanes.linda()
        linda:limit("key", 1)
        linda:send("key", 1)
        assert.same(pack(), pack(linda:receive(0.01, linda.batched, "key", 2)))
        assert.equal(1, linda:count("key"))
    end)

    it("refuses a minimum below one", function()
        local linda = filled(1)
        support.raises("bad argument #5 to 'receive'", linda.receive, linda, 0, linda.batched, "key", 0)
        support.raises("bad argument #5 to 'receive'", linda.receive, linda, 0, linda.batched, "key", -1, 5)
        support.raises("bad argument #4 to 'receive'", linda.receive, linda, linda.batched, "key", 0)
        assert.equal(1, linda:count("key"))
    end)

    it("refuses a maximum below the minimum", function()
        local linda = filled(1, 2, 3)
        support.raises("batched min/max error", linda.receive, linda, 0, linda.batched, "key", 2, 1)
        support.raises("batched min/max error", linda.receive, linda, 0, linda.batched, "key", 1, 0)
        assert.equal(3, linda:count("key"))
    end)

    it("refuses counts that are no numbers", function()
        local linda = filled(1, 2, 3)
        support.raises("bad argument #5 to 'receive' (number expected, got no value)",
            linda.receive, linda, 0, linda.batched, "key")
        support.raises("bad argument #5 to 'receive' (number expected, got table)",
            linda.receive, linda, 0, linda.batched, "key", {})
        support.raises("bad argument #5 to 'receive' (number expected, got string)",
            linda.receive, linda, 0, linda.batched, "key", "two")
        support.raises("bad argument #6 to 'receive' (number expected, got boolean)",
            linda.receive, linda, 0, linda.batched, "key", 1, true)
        assert.equal(3, linda:count("key"))
    end)

    if math.type then
        it("refuses fractional counts", function()
            local linda = filled(1, 2, 3)
            support.raises("has no integer representation",
                linda.receive, linda, 0, linda.batched, "key", 1.5)
            support.raises("has no integer representation",
                linda.receive, linda, 0, linda.batched, "key", 1, 1.5)
            assert.equal(3, linda:count("key"))
        end)
    end

    it("refuses NaN and infinite counts", function()
        local linda = filled(1, 2, 3)
        assert.is_false((pcall(linda.receive, linda, 0, linda.batched, "key", 0 / 0)))
        assert.is_false((pcall(linda.receive, linda, 0, linda.batched, "key", -math.huge)))
        assert.equal(3, linda:count("key"))
    end)

    it("refuses values that are no keys", function()
        local linda = filled(1)
        support.raises("bad argument #4 to 'receive' (invalid key type", linda.receive, linda, 0, linda.batched, {}, 1)
        support.raises("bad argument #4 to 'receive' (invalid key type", linda.receive, linda, 0, linda.batched)
        support.raises("bad argument #3 to 'receive' (invalid key type", linda.receive, linda, linda.batched, nil, 1)
        assert.same(pack("key", 1), pack(linda:receive(0, linda.batched, "key", 1)))
    end)

    it("is not affected by further arguments", function()
        local linda = filled(1, 2, 3)
        assert.same(pack("key", 1, 2), pack(linda:receive(0, linda.batched, "key", 2, 2, "more", {})))
    end)
end)
