-- Lindas used by several lanes at once.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local expect = require "expect"
local pack = support.pack

-- Starts n lanes with this body. Their arguments are their number and the further arguments.
local function start(n, body, ...)
    local started = {}
    for i = 1, n do started[i] = lanes.gen("*", body)(i, ...) end
    return started
end

local function finish(started)
    local results = {}
    for i, lane in ipairs(started) do results[i] = expect.finished(lane) end
    return results
end

describe("a waiting receive", function()
    it("returns a value that another lane sends", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function() return linda:receive("key") end)()
        support.until_status(lane, "waiting")
        linda:send("key", "value")
        assert.same(pack("key", "value"), pack(expect.finished(lane)))
    end)

    it("can be in the main state", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function() linda:send("key", "value") end)()
        assert.same(pack("key", "value"), pack(linda:receive("key")))
        expect.finished(lane)
    end)

    it("returns one value, from any of its keys", function()
        for wanted = 1, 3 do
            local linda = lanes.linda()
            local lane = lanes.gen("*", function() return linda:receive(nil, 1, 2, 3) end)()
            support.until_status(lane, "waiting")
            linda:send(nil, wanted, "value")
            assert.same(pack(wanted, "value"), pack(expect.finished(lane)))
            linda:send(nil, wanted, "later")
            assert.equal(1, linda:count(wanted))
        end
    end)

    it("is not ended by values under other keys", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function() return linda:receive("key") end)()
        support.until_status(lane, "waiting")
        for i = 1, 100 do linda:send("other", i) end
        assert.equal("waiting", lane.status)
        linda:send("key", "value")
        assert.same(pack("key", "value"), pack(expect.finished(lane)))
        assert.equal(100, linda:count("other"))
    end)

    it("is served in the order of arrival", function()
        local linda, receivers = lanes.linda(), {}
        for i = 1, 5 do
            receivers[i] = lanes.gen("*", function() return linda:receive("key") end)()
            support.until_status(receivers[i], "waiting")
        end
        for i = 1, 5 do linda:send("key", i) end
        for i = 1, 5 do assert.same(pack("key", i), pack(expect.finished(receivers[i]))) end
    end)

    it("of many values is overtaken by those of fewer, and served once it has enough", function()
        local linda = lanes.linda()
        local many = lanes.gen("*", function() return linda:receive(linda.batched, "key", 5) end)()
        support.until_status(many, "waiting")
        local one = lanes.gen("*", function() return linda:receive("key") end)()
        support.until_status(one, "waiting")
        linda:send("key", 1)
        assert.same(pack("key", 1), pack(expect.finished(one)))
        -- A later receive does not have to wait for it either.
        linda:send("key", 2)
        assert.equal("waiting", many.status)
        assert.same(pack("key", 2), pack(linda:receive(0, "key")))
        linda:send("key", 3, 4, 5, 6)
        assert.equal("waiting", many.status)
        linda:send("key", 7)
        assert.same(pack("key", 3, 4, 5, 6, 7), pack(expect.finished(many)))
    end)

    it("is served together with others that can be, in the order of arrival", function()
        local linda = lanes.linda()
        local function waits(...)
            local lane = lanes.gen("*", function(...) return linda:receive(...) end)(...)
            support.until_status(lane, "waiting")
            return lane
        end
        local three, one, two = waits(linda.batched, "key", 3), waits("key"), waits(linda.batched, "key", 2)
        linda:send("key", 1, 2, 3, 4, 5, 6)
        assert.same(pack("key", 1, 2, 3), pack(expect.finished(three)))
        assert.same(pack("key", 4), pack(expect.finished(one)))
        assert.same(pack("key", 5, 6), pack(expect.finished(two)))
    end)

    it("blocks a coroutine instead of yielding it", function()
        local linda = lanes.linda()
        local yielded, key, value = expect.in_lane(function(inner)
            local sender = require "lanes".gen("*", function() inner:send("key", "value") end)()
            local thread = coroutine.create(function() return inner:receive("key") end)
            local _, found, received = coroutine.resume(thread)
            sender:join()
            return coroutine.status(thread) ~= "dead", found, received
        end, linda)
        assert.is_false(yielded)
        assert.equal("key", key)
        assert.equal("value", value)
    end)

    it("shows as status waiting, which a running lane does not have", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function()
            linda:receive("go")
            linda:set("running", true)
            while not linda:get("end") do end
            return true
        end)()
        support.until_status(lane, "waiting")
        linda:send("go", true)
        support.until_true(function() return linda:get("running") end)
        assert.equal("running", lane.status)
        linda:set("end", true)
        assert.is_true(expect.finished(lane))
    end)
end)

describe("a waiting send", function()
    it("continues when another lane makes room", function()
        local linda = lanes.linda()
        linda:limit("key", 1)
        linda:send("key", 1)
        local lane = lanes.gen("*", function() return linda:send("key", 2) end)()
        support.until_status(lane, "waiting")
        assert.same(pack("key", 1), pack(linda:receive("key")))
        assert.is_true(expect.finished(lane))
        assert.same(pack("key", 2), pack(linda:receive(0, "key")))
    end)

    it("is served in the order of arrival", function()
        local linda, senders = lanes.linda(), {}
        linda:limit("key", 1)
        linda:send("key", 0)
        for i = 1, 5 do
            senders[i] = lanes.gen("*", function() return linda:send("key", i) end)()
            support.until_status(senders[i], "waiting")
        end
        for i = 0, 5 do assert.equal(i, expect.received(linda, "key")) end
        finish(senders)
    end)

    it("of many values is overtaken by those of fewer, and continues once there is room", function()
        local linda = lanes.linda()
        linda:limit("key", 3)
        linda:send("key", 1, 2)
        local many = lanes.gen("*", function() return linda:send("key", "a", "b", "c") end)()
        support.until_status(many, "waiting")
        assert.is_true(linda:send(0, "key", 3))
        assert.equal("waiting", many.status)
        for i = 1, 3 do assert.equal(i, expect.received(linda, "key")) end
        assert.is_true(expect.finished(many))
        assert.same(pack("key", "a", "b", "c"), pack(linda:receive(0, linda.batched, "key", 3)))
    end)

    it("on another slot continues to wait", function()
        local linda = lanes.linda()
        linda:limit("key", 0)
        linda:limit("other", 1)
        local lane = lanes.gen("*", function() return linda:send("key", 1) end)()
        support.until_status(lane, "waiting")
        for i = 1, 100 do
            linda:send("other", i)
            linda:receive("other")
        end
        assert.equal("waiting", lane.status)
        linda:limit("key", -1)
        assert.is_true(expect.finished(lane))
    end)
end)

describe("a hundred lanes that each wait on a different slot", function()
    it("each get the right value", function()
        local linda = lanes.linda()
        local waiting = start(100, function(i) return select(2, linda:receive(nil, i)) end)
        for i = 1, 100 do support.until_status(waiting[i], "waiting") end
        for i = 100, 1, -1 do linda:send(nil, i, i * i) end
        local results = finish(waiting)
        for i = 1, 100 do assert.equal(i * i, results[i]) end
    end)
end)

describe("a hundred values sent to lanes that wait on one slot", function()
    it("reach one lane each", function()
        local linda = lanes.linda()
        local waiting = start(100, function() return select(2, linda:receive("key")) end)
        for i = 1, 100 do linda:send("key", i) end
        local results = finish(waiting)
        table.sort(results)
        for i = 1, 100 do assert.equal(i, results[i]) end
        assert.equal(0, linda:count("key"))
    end)
end)

describe("many producers and consumers", function()
    -- Each producer sends `each` values {producer, number}; consumers receive until told to stop.
    -- Checks that each value arrived once, and that each consumer got the values of a producer in
    -- order.
    local function check(limit, producers, consumers, each, produce, consume)
        local linda = lanes.linda()
        if limit then linda:limit("key", limit) end
        local consuming = start(consumers, consume, linda)
        local producing = start(producers, produce, linda, each)
        finish(producing)
        for _ = 1, consumers do linda:send("key", false) end
        local seen = {}
        for producer = 1, producers do seen[producer] = {} end
        for _, got in ipairs(finish(consuming)) do
            local latest = {}
            for _, pair in ipairs(got) do
                local producer, number = pair[1], pair[2]
                assert.is_nil(seen[producer][number])
                assert.is_true(number > (latest[producer] or 0))
                seen[producer][number] = true
                latest[producer] = number
            end
        end
        for producer = 1, producers do
            for number = 1, each do assert.is_true(seen[producer][number]) end
        end
    end

    local function produce(i, linda, each)
        for number = 1, each do linda:send("key", { i, number }) end
    end

    local function consume(_, linda)
        local got = {}
        while true do
            local _, pair = linda:receive("key")
            if not pair then return got end
            got[#got + 1] = pair
        end
    end

    it("lose, repeat and reorder nothing without a limit", function()
        check(nil, 4, 3, 1000, produce, consume)
    end)

    it("lose, repeat and reorder nothing through a slot with room for one", function()
        check(1, 4, 3, 300, produce, consume)
    end)

    it("lose, repeat and reorder nothing through a slot with room for seven", function()
        check(7, 3, 4, 500, produce, consume)
    end)

    it("lose nothing when receives keep timing out", function()
        check(3, 3, 3, 300, produce, function(_, linda)
            local got = {}
            while true do
                local key, pair = linda:receive(0.00001, "key")
                if key and not pair then return got end
                if key then got[#got + 1] = pair end
            end
        end)
    end)

    it("lose nothing when sends keep timing out", function()
        check(2, 3, 3, 300, function(i, linda, each)
            for number = 1, each do
                while not linda:send(0.00001, "key", { i, number }) do end
            end
        end, consume)
    end)
end)

describe("a batch", function()
    it("is never interleaved with a batch of another lane", function()
        local linda = lanes.linda()
        linda:limit("key", 12)
        local senders = start(4, function(i)
            for _ = 1, 500 do linda:send("key", i, i, i) end
        end)
        for _ = 1, 4 * 500 do
            local _, one, two, three = linda:receive(60, linda.batched, "key", 3)
            assert.is_true(one ~= nil and one == two and two == three)
        end
        finish(senders)
        assert.equal(0, linda:count("key"))
    end)

    it("set by one lane is read completely by another", function()
        local linda = lanes.linda()
        linda:set("key", 0, 0)
        local writer = lanes.gen("*", function()
            for i = 1, 3000 do linda:set("key", i, i) end
        end)()
        repeat
            local one, two = linda:get("key", 2)
            assert.equal(one, two)
        until one == 3000
        expect.finished(writer)
    end)
end)

describe("lindas that are collected while others are in use", function()
    it("block no lane", function()
        local busy = lanes.linda()
        local workers = start(3, function(i)
            local inner = require "lanes"
            for n = 1, 2000 do
                local short_lived = inner.linda("short-lived " .. n)
                short_lived:send("key", busy)
                busy:send(nil, i, { n, short_lived })
                local _, pair = busy:receive(nil, i)
                if pair[1] ~= n then return pair[1] end
            end
            return true
        end)
        for _, result in ipairs(finish(workers)) do assert.is_true(result) end
    end)

    it("block no lane when finalizers use lindas in the middle of linda calls", function()
        local out = support.output [[
            local lanes = require "lanes"
            local linda = lanes.linda()
            local finalised = 0
            -- An object whose __gc calls fn: a table if tables have __gc, else a userdata.
            local function with_finaliser(fn)
                if newproxy then
                    local proxy = newproxy(true)
                    getmetatable(proxy).__gc = fn
                    return proxy
                end
                return setmetatable({}, { __gc = fn })
            end
            for i = 1, 3000 do
                with_finaliser(function()
                    finalised = finalised + 1
                    linda:send("finalised", { i })
                    linda:receive(0, "finalised")
                    lanes.linda():send("key", 1)
                end)
                linda:send("key", { i, { tostring(i) } })
                local _, value = linda:receive("key")
                if value[1] ~= i then error("wrong value") end
            end
            collectgarbage() collectgarbage()
            print(finalised)
        ]]
        assert.equal("3000\n", out)
    end)
end)
