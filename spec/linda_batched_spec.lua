-- Receiving several values of one slot at once.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
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

    it("leaves the slot unchanged when there are fewer than the minimum", function()
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

    it("takes as many values as there are, up to the maximum", function()
        local linda = filled(1, 2, 3, 4, 5)
        assert.same(pack("key", 1, 2, 3), pack(linda:receive(0, linda.batched, "key", 1, 3)))
        assert.same(pack("key", 4, 5), pack(linda:receive(0, linda.batched, "key", 1, 3)))
        assert.same(pack(), pack(linda:receive(0, linda.batched, "key", 1, 3)))
    end)

    it("accepts a maximum larger than the slot", function()
        local linda = filled(1, 2, 3)
        assert.same(pack("key", 1, 2, 3), pack(linda:receive(0, linda.batched, "key", 2, 1000000)))
    end)

    it("keeps nils in their places", function()
        local linda = filled(nil, 2, nil)
        assert.same(pack("key", nil, 2, nil), pack(linda:receive(0, linda.batched, "key", 3)))
    end)

    it("takes a number as key", function()
        local linda = lanes.linda()
        linda:send(nil, 5, "a", "b")
        assert.same(pack(5, "a", "b"), pack(linda:receive(0, linda.batched, 5, 2)))
    end)

    it("accepts the markers as keys", function()
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

    it("waits for the minimum", function()
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

    it("waits for ever for more than the limit allows, and takes nothing", function()
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

    it("refuses counts that are not numbers", function()
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

    it("refuses values that are not keys", function()
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

describe("values that were sent together and share a table", function()
    local shared = { name = "shared", list = { 1, 2, 3 } }
    shared.self = shared

    local function is_shared(copy) return assert.is_true(copy.name == "shared" and copy.self == copy and #copy.list == 3) end

    it("get a separate copy each, received one by one", function()
        local linda, copies = filled({ 1, shared }, { 2, shared }, shared, { 4, { shared.list, shared } }), {}
        for i = 1, 4 do copies[i] = select(2, linda:receive(0, "key")) end
        for i, copy in ipairs { copies[1][2], copies[2][2], copies[3], copies[4][2][2] } do
            is_shared(copy)
            assert.is_nil(copies[copy], i)
            copies[copy] = true
        end
        assert.equal(copies[4][2][1], copies[4][2][2].list)
        assert.equal(2, copies[2][1])
    end)

    it("share one copy per received batch", function()
        local linda = filled({ 1, shared }, { 2, shared }, { 3, shared }, { 4, shared }, { 5, shared })
        local _, one, two = linda:receive(0, linda.batched, "key", 2)
        local _, three, four, five = linda:receive(0, linda.batched, "key", 3)
        is_shared(one[2])
        is_shared(three[2])
        assert.is_true(one[2] == two[2] and three[2] == four[2] and four[2] == five[2] and one[2] ~= three[2])
        assert.same({ 1, 2, 3, 4, 5 }, { one[1], two[1], three[1], four[1], five[1] })
    end)

    it("arrive complete when the shared table is inside the first of them", function()
        local parent = { name = "parent" }
        parent.child = { parent = parent, list = shared.list }
        local linda = filled(parent, { parent.child, shared.list })
        linda:receive(0, "key")
        local _, pair = linda:receive(0, "key")
        assert.is_true(pair[1].parent.child == pair[1] and pair[1].list == pair[2])
        assert.equal("parent", pair[1].parent.name)
    end)

    it("keep the shared table with linda:get too", function()
        local linda = lanes.linda()
        linda:set("key", { 1, shared }, { 2, shared })
        for _ = 1, 2 do
            local one, two = linda:get("key", 2)
            is_shared(one[2])
            assert.equal(one[2], two[2])
            is_shared(linda:get("key")[2])
        end
        linda:receive(0, "key")
        is_shared(linda:get("key")[2])
    end)

    it("share functions and lindas", function()
        local other, number = lanes.linda(), 0
        local function count()
            number = number + 1
            return number
        end
        local linda = filled({ count, other }, { count, other }, { count, other })
        local _, one = linda:receive(0, "key")
        local _, two, three = linda:receive(0, linda.batched, "key", 2)
        assert.same({ 1, 1, 2 }, { one[1](), two[1](), three[1]() })
        assert.is_true(one[2] == other and two[2] == other and three[2] == other)
    end)

    it("may each refer to the one before", function()
        local values = { { number = 1 } }
        for i = 2, 200 do values[i] = { number = i, previous = values[i - 1] } end
        local linda = filled((table.unpack or unpack)(values))
        for i = 1, 200, 19 do
            local copies = { select(2, linda:receive(0, linda.batched, "key", 1, 19)) }
            for n = 2, #copies do assert.equal(copies[n - 1], copies[n].previous) end
            local at = copies[#copies]
            for number = i + #copies - 1, 1, -1 do
                assert.equal(number, at.number)
                at = at.previous
            end
            assert.is_nil(at)
        end
    end)

    it("may be nested deeper than a stack", function()
        local deep = shared
        for _ = 1, 500 do deep = { deep } end
        local linda = filled({ 1, deep }, { 2, deep })
        for i = 1, 2 do
            local _, value = linda:receive(0, "key")
            assert.equal(i, value[1])
            for _ = 1, 501 do value = value[2] or value[1] end
            is_shared(value)
        end
    end)

    it("keep their metatables", function()
        local class = { __index = { name = "class" } }
        local object = setmetatable({ shared = shared }, class)
        local linda = filled({ 1, object }, { 2, object }, { 3, object, class })
        for i = 1, 3 do
            local _, value = linda:receive(0, "key")
            assert.is_true(getmetatable(value[2]) == class and value[1] == i)
            is_shared(value[2].shared)
        end
        linda = filled({ 1, object }, { 2, object })
        local names = expect.in_lane(function()
            local names = {}
            for i = 1, 2 do names[i] = select(2, linda:receive(0, "key"))[2].name end
            return names
        end)
        assert.same({ "class", "class" }, names)
    end)

    it("are put back when one of them cannot be built", function()
        -- A C function that no other state knows.
        local call = coroutine.wrap(function() end)
        lanes.register("batched_spec", { call = call })
        local linda = filled({ 1, shared, { call } }, { 2, shared }, { 3, shared })
        local answers = expect.in_lane(function()
            local alone = pcall(linda.receive, linda, 0, "key")
            local together = pcall(linda.receive, linda, 0, linda.batched, "key", 3)
            return { alone, together, linda:count("key") }
        end)
        assert.same({ false, false, 3 }, answers)
        local _, one, two, three = linda:receive(0, linda.batched, "key", 3)
        assert.equal(call, one[3][1])
        assert.is_true(one[2] == two[2] and two[2] == three[2])
    end)
end)
