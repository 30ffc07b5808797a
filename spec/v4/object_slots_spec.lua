-- The 4.x interface: shared objects (lindas, and objects of C modules) as slots.
local support = require "support"
if support.apart(describe, it) then return end
local capi = require "capi"
local with_module = capi.needed(it)
local assert, describe, it, with_module, _ENV = support.plain(assert, describe, it, with_module) -- luacheck: ignore (shadows)
local lanes = require "lanes".configure { api = 4, with_timers = true }
local pack = support.pack
local deep_test = capi.module()

-- What is tested with each kind of object.
local function describe_kind(name, it, make) -- luacheck: ignore (shadows)
    describe(name .. " as a slot", function()
        it("comes back from receive as the same userdata", function()
            local linda, slot = lanes.linda(), make()
            assert.same(pack(true), pack(linda:send(slot, "a", "b", "c")))
            assert.equal(3, linda:count(slot))
            local key, value = linda:receive(0, "other", slot)
            assert.is_true(rawequal(slot, key))
            assert.equal("a", value)
            assert.is_true(rawequal(slot, (linda:receive(slot))))
            assert.is_true(rawequal(slot, (linda:receive_batched(0, slot, 1))))
            assert.same(pack(nil, "timeout"), pack(linda:receive(0.001, slot)))
            assert.same(pack(nil, "timeout"), pack(linda:receive_batched(0.001, slot, 1)))
        end)

        it("is equal to itself only", function()
            local linda, slot, other = lanes.linda(), make(), make()
            linda:set(slot, 1)
            linda:set(other, 2)
            assert.same(pack(1, 1), pack(linda:get(slot)))
            assert.same(pack(1, 2), pack(linda:get(other)))
            assert.same(pack(nil, "timeout"), pack(linda:receive(0, make())))
        end)

        it("has limit and restriction, and is in dump and count", function()
            local linda, slot = lanes.linda(), make()
            assert.same(pack(false, "exact"), pack(linda:limit(slot, 0)))
            assert.same(pack(nil, "timeout"), pack(linda:send(0, slot, 1)))
            assert.same(pack(true, "under"), pack(linda:limit(slot, 2)))
            assert.equal("none", linda:restrict(slot, "set/get"))
            support.raises("Key is restricted", linda.send, linda, slot, 1)
            assert.equal("set/get", linda:restrict(slot))
            linda:set(slot, "x")
            assert.equal(1, linda:count()[slot])
            assert.equal(1, linda:count(slot, "other")[slot])
            local dump = linda:dump()[slot]
            assert.same({ 1, "set/get", 2 }, { dump.count, dump.restrict, dump.limit })
        end)

        it("is the same in every lane", function()
            local linda, slot = lanes.linda(), make()
            local lane = lanes.gen("*", function(l, s)
                local key, value = l:receive(s)
                l:send(s, value + 1)
                return rawequal(key, s), next(l:count()) == s
            end)(linda, slot)
            support.until_status(lane, "waiting")
            linda:send(slot, 6)
            assert.same(pack(true, true, true), pack(lane:join()))
            assert.same(pack(slot, 7), pack(linda:receive(0, slot)))
        end)

        it("can be used by all calls that take a slot", function()
            local linda, slot = lanes.linda(), make()
            assert.same(pack(1, slot), pack(lanes.select(0, { linda, "send", slot, "x" })))
            assert.same(pack(1, slot, "x"), pack(lanes.select(0, { linda, "receive", slot })))
            assert.same(pack(nil, "timeout"), pack(lanes.select(0.001, { linda, "receive", "other", slot })))
            linda:send(slot, "y")
            local n = linda:notifier(slot)
            assert.same(pack(slot, "y"), pack(n:receive()))
            n:close()
            assert.is_true(lanes.gen("*", function() end)():monitor(linda, slot))
            assert.equal("done", select(2, linda:receive(slot)).status)
            lanes.timer(linda, slot, 0.001)
            assert.equal("number", type(select(2, linda:receive(slot))))
            lanes.timer(linda, slot, 1000)
            local timers = lanes.timers()
            assert.same({ 1, true }, { #timers, rawequal(timers[1][2], slot) })
            lanes.timer(linda, slot, nil)
            local lock = lanes.genlock(linda, slot, 1)
            assert.is_true(lock(1))
            assert.is_false(lock(1, "try"))
            assert.is_true(lock(-1))
            assert.equal(3, lanes.genatomic(linda, slot, 1)(2))
        end)

        it("that a program has finalized by hand is no slot, and harms no call that has begun", function()
            local linda, slot = lanes.linda(), make()
            local finalize = debug.getmetatable(slot).__gc
            local value = setmetatable({}, { __lanesconvert = function()
                finalize(slot)
                return "converted"
            end })
            assert.same(pack(true), pack(linda:send(slot, value)))
            support.raises("can't use non-deep userdata as a slot", linda.count, linda, slot)
            assert.equal(1, select(2, next(linda:count())))
        end)
    end)
end

describe_kind("a linda", it, function() return lanes.linda() end)
describe_kind("an object of a C module", with_module, function() return deep_test.new(7) end)

describe("a slot whose key is an object", function()
    it("can be one of the linda itself", function()
        local linda = lanes.linda()
        linda:send(linda, 1)
        assert.same(pack(linda, 1), pack(linda:receive(linda)))
        linda:set(linda)
    end)

    it("is shown by lanes.waiting as the address", function()
        local linda, slot = lanes.linda { name = "kept" }, lanes.linda()
        local lane = lanes.gen("*", function(l, s) return (l:receive(s)) == s end)(linda, slot)
        support.until_status(lane, "waiting")
        local found
        support.until_true(function()
            for _, entry in ipairs(lanes.waiting()) do
                if entry.linda == "kept" then found = entry end
            end
            return found
        end, "the lane is among those that wait")
        assert.equal("userdata", type(found.keys[1]))
        assert.is_nil(getmetatable(found.keys[1]))
        linda:send(slot, 1)
        assert.same(pack(true, true), pack(lane:join()))
    end)

    with_module("keeps the object alive, and deletes it when it disappears", function()
        local function deleted()
            for _ = 1, 4 do collectgarbage() end
            return deep_test.counts().deleted
        end
        local linda = lanes.linda()
        local before = deleted()
        linda:send(deep_test.new(7), "a")
        assert.equal(before, deleted())
        -- The only key, with a new proxy.
        local slot = next(linda:count())
        assert.equal(7, slot:get())
        linda:receive(slot)
        linda:set(slot)
        slot = nil -- luacheck: ignore
        assert.equal(before + 1, deleted())
        -- So does a slot with a restriction, when that has been taken away.
        linda:restrict(deep_test.new(6), "set/get")
        slot = next(linda:count())
        assert.equal("set/get", linda:restrict(slot, "none"))
        linda:set(slot)
        slot = nil -- luacheck: ignore
        assert.equal(before + 2, deleted())
        before = before + 1
        -- A wait that ends leaves no slot.
        linda:receive(0.001, deep_test.new(8))
        assert.equal(before + 2, deleted())
        -- With the linda itself.
        linda:send(deep_test.new(9), "b")
        assert.equal(before + 2, deleted())
        linda = nil -- luacheck: ignore
        assert.equal(before + 3, deleted())
    end)
end)
