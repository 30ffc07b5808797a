-- Linda operations that are ended by a cancel request: for the linda, or for the lane that waits.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local expect = require "expect"
local pack = support.pack
local cancel_error = lanes.cancel_error

-- A linda, and a lane that waits to receive "key" from it.
local function waiting_reader()
    local linda = lanes.linda()
    local lane = lanes.gen("*", function() return linda:receive("key") end)()
    support.until_status(lane, "waiting")
    return linda, lane
end

-- A linda whose slot "key" is full with one value, and a lane that waits to send a second one.
local function waiting_writer()
    local linda = lanes.linda()
    linda:limit("key", 1)
    linda:send("key", 1)
    local lane = lanes.gen("*", function() return linda:send("key", 2) end)()
    support.until_status(lane, "waiting")
    return linda, lane
end

describe("linda:cancel", function()
    it("returns nothing", function()
        local linda = lanes.linda()
        for _, who in ipairs { "both", "read", "write", "none" } do
            assert.same(pack(), pack(linda:cancel(who)))
        end
        assert.same(pack(), pack(linda:cancel()))
        assert.same(pack(), pack(linda:cancel(nil)))
    end)

    for _, who in ipairs { "both", "read", "write" } do
        it("with '" .. who .. "' makes every later operation return cancel_error", function()
            local linda = lanes.linda()
            linda:send("key", 1)
            linda:cancel(who)
            assert.same(pack(cancel_error), pack(linda:send("key", 2)))
            assert.same(pack(cancel_error), pack(linda:send(0, "key", 2)))
            assert.same(pack(cancel_error), pack(linda:receive("key")))
            assert.same(pack(cancel_error), pack(linda:receive(0, "key")))
            assert.same(pack(cancel_error), pack(linda:receive(0, linda.batched, "key", 1)))
            assert.same(pack(cancel_error), pack(linda:set("key", 2)))
            assert.same(pack(cancel_error), pack(linda:set("key")))
            assert.same(pack(cancel_error), pack(linda:get("key")))
            assert.same(pack(cancel_error), pack(linda:limit("key", 5)))
        end)
    end

    it("wakes both by default", function()
        local linda = lanes.linda()
        linda:cancel()
        assert.equal(cancel_error, linda:send("key", 1))
        assert.equal(cancel_error, linda:receive("key"))
    end)

    it("does not affect count, dump, deep, tostring and the contents", function()
        local linda = lanes.linda("cancelled")
        linda:send("key", 1)
        linda:cancel()
        assert.equal(1, linda:count("key"))
        assert.equal(1, linda:dump().key.count)
        assert.equal("userdata", type(linda:deep()))
        assert.equal("Linda: cancelled", tostring(linda))
    end)

    it("with 'none' makes the linda usable again, with its contents", function()
        local linda = lanes.linda()
        linda:send("key", 1)
        linda:cancel()
        linda:cancel("none")
        assert.same(pack("key", 1), pack(linda:receive(0, "key")))
        assert.is_true(linda:send("key", 2))
    end)

    it("is seen by every lane", function()
        local linda = lanes.linda()
        linda:cancel()
        assert.equal(cancel_error, expect.in_lane(function(inner) return inner:receive("key") end, linda))
    end)

    it("can be called by a lane", function()
        local linda = lanes.linda()
        expect.in_lane(function(inner) inner:cancel() end, linda)
        assert.equal(cancel_error, linda:send("key", 1))
    end)

    for _, who in ipairs { "both", "read" } do
        it("with '" .. who .. "' ends a waiting receive", function()
            local linda, lane = waiting_reader()
            linda:cancel(who)
            assert.same(pack(cancel_error), pack(expect.finished(lane)))
        end)
    end

    for _, who in ipairs { "both", "write" } do
        it("with '" .. who .. "' ends a waiting send, which stores nothing", function()
            local linda, lane = waiting_writer()
            linda:cancel(who)
            assert.same(pack(cancel_error), pack(expect.finished(lane)))
            assert.equal(1, linda:count("key"))
        end)
    end

    it("with 'write' leaves a waiting receive waiting until the readers are woken", function()
        local linda, lane = waiting_reader()
        linda:cancel("write")
        assert.equal("waiting", lane.status)
        linda:cancel("read")
        assert.same(pack(cancel_error), pack(expect.finished(lane)))
    end)

    it("with 'read' leaves a waiting send waiting until the writers are woken", function()
        local linda, lane = waiting_writer()
        linda:cancel("read")
        assert.equal("waiting", lane.status)
        linda:cancel("write")
        assert.same(pack(cancel_error), pack(expect.finished(lane)))
    end)

    it("has no effect on a waiting call of the other kind if it is undone in between", function()
        local linda, lane = waiting_reader()
        linda:cancel("write")
        linda:cancel("none")
        linda:send("key", "value")
        assert.same(pack("key", "value"), pack(expect.finished(lane)))
    end)

    it("ends the waits of many lanes at once", function()
        local linda, waiting = lanes.linda(), {}
        for i = 1, 20 do waiting[i] = lanes.gen("*", function() return linda:receive("key", i) end)() end
        for i = 1, 20 do support.until_status(waiting[i], "waiting") end
        linda:cancel()
        for i = 1, 20 do assert.same(pack(cancel_error), pack(expect.finished(waiting[i]))) end
    end)

    local wrong = { ["an unknown word"] = "everybody", ["the empty string"] = "", ["another case"] = "Both" }
    for name, who in pairs(wrong) do
        it("refuses " .. name .. " and changes nothing", function()
            local linda = lanes.linda()
            support.raises("unknown wake hint '" .. who .. "'", linda.cancel, linda, who)
            assert.is_true(linda:send("key", 1))
            assert.same(pack("key", 1), pack(linda:receive(0, "key")))
        end)
    end

    for name, who in pairs { boolean = true, table = {}, ["function"] = print } do
        it("refuses a " .. name .. " and changes nothing", function()
            local linda = lanes.linda()
            local expected = "bad argument #2 to 'cancel' (string expected, got " .. name .. ")"
            support.raises(expected, linda.cancel, linda, who)
            assert.is_true(linda:send("key", 1))
        end)
    end

    it("refuses a third argument and changes nothing", function()
        local linda = lanes.linda()
        support.raises("wrong number of arguments", linda.cancel, linda, "both", "both")
        support.raises("wrong number of arguments", linda.cancel, linda, nil, nil)
        assert.is_true(linda:send("key", 1))
    end)
end)

describe("a lane's soft cancel request", function()
    it("makes a waiting receive return cancel_error when the lane is woken", function()
        local _, lane = waiting_reader()
        local _, status = lane:cancel("soft", 60, true)
        assert.equal("done", status)
        assert.same(pack(cancel_error), pack(lane:join()))
    end)

    it("makes a waiting send return cancel_error when the lane is woken", function()
        local linda, lane = waiting_writer()
        lane:cancel("soft", 60, true)
        assert.same(pack(cancel_error), pack(lane:join()))
        assert.equal(1, linda:count("key"))
    end)

    it("takes precedence over an operation that need not wait", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function()
            while not cancel_test() do end
            return linda:receive(0, "key"), (linda:send(0, "key", 2)), (linda:send("key", 2))
        end)()
        linda:send("key", 1)
        lane:cancel("soft")
        assert.same(pack(cancel_error, cancel_error, cancel_error), pack(expect.finished(lane)))
        assert.equal(1, linda:count("key"))
    end)

    it("does not affect get, set, limit, count and dump", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function()
            while not cancel_test() do end
            linda:set("key", 1)
            linda:limit("key", 5)
            return linda:get("key"), linda:count("key"), linda:dump().key.limit
        end)()
        lane:cancel("soft")
        assert.same(pack(1, 1, 5), pack(expect.finished(lane)))
    end)

    local function asked(linda, lane)
        assert.same(pack(false, "timeout"), pack(lane:cancel("soft", 0.01)))
        assert.equal("waiting", lane.status)
        return linda, lane
    end

    local changes = {
        ["a send under another key"] = function(linda) linda:send("other", 1) end,
        ["a send under its own key"] = function(linda) linda:send("key", 1) end,
        ["a set"] = function(linda) linda:set("other", 1) end,
        ["a timer"] = function(linda) lanes.timer(linda, "other", 0.001) end,
    }
    for what, change in pairs(changes) do
        it("ends a waiting receive without the wake flag at " .. what .. ", which takes nothing", function()
            local linda, lane = asked(waiting_reader())
            change(linda)
            assert.same(pack(cancel_error), pack(expect.finished(lane)))
            local key = expect.received(linda, what:find("own", 1, true) and "key" or "other")
            assert.equal("number", type(key))
        end)
    end

    local reliefs = {
        ["a receive of another key"] = function(linda) linda:receive(0, "other") end,
        ["a receive of its own key"] = function(linda) assert.equal("key", (linda:receive(0, "key"))) end,
        ["a limit"] = function(linda) linda:limit("key", 5) end,
        ["a set"] = function(linda) linda:set("key") end,
        ["genlock"] = function(linda) lanes.genlock(linda, "key", 9) end,
        ["genatomic"] = function(linda) lanes.genatomic(linda, "key") end,
    }
    for what, relief in pairs(reliefs) do
        it("ends a waiting send without the wake flag at " .. what .. ", which stores nothing", function()
            local linda, lane = asked(waiting_writer())
            local before = linda:count("key")
            relief(linda)
            assert.same(pack(cancel_error), pack(expect.finished(lane)))
            assert.is_true(linda:count("key") <= before)
            assert.same(pack(), pack(linda:receive(0, linda.batched, "key", 2)))
        end)
    end

    it("ends no wait of another lane", function()
        local linda, lane = waiting_reader()
        local patient = lanes.gen("*", function() return (linda:receive("patient")) end)()
        support.until_status(patient, "waiting")
        asked(linda, lane)
        linda:send("other", 1)
        assert.same(pack(cancel_error), pack(expect.finished(lane)))
        assert.equal("waiting", patient.status)
        linda:send("patient", 1)
        assert.equal("patient", expect.finished(patient))
    end)

    it("does not end a wait without the wake flag, and is returned in place of the timeout", function()
        local linda, results = lanes.linda(), nil
        for _, timeout in ipairs { 0.05, 0.5, 5, 20 } do -- longer if the request came after the end
            local lane = lanes.gen("*", function() return linda:receive(timeout, "key"), "end" end)()
            support.until_true(function() return lane.status ~= "pending" and lane.status ~= "running" end)
            lane:cancel("soft")
            results = pack(expect.finished(lane))
            if results[1] ~= nil then break end
        end
        assert.same(pack(cancel_error, "end"), results)
    end)
end)

describe("a lane's hard cancel request", function()
    it("ends the lane in a waiting receive", function()
        local linda, lane = waiting_reader()
        assert.same(pack(true, "cancelled"), pack(lane:cancel("hard", 60)))
        assert.same(pack(), pack(lane:join()))
        linda:send("key", "not taken")
        assert.equal(1, linda:count("key"))
    end)

    it("ends the lane in a waiting send, which stores nothing", function()
        local linda, lane = waiting_writer()
        assert.same(pack(true, "cancelled"), pack(lane:cancel("hard", 60)))
        assert.equal(1, linda:count("key"))
        assert.is_true(linda:limit("key", 5))
        assert.equal(1, linda:count("key"))
    end)

    it("raises cancel_error out of send and receive, which pcall catches", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function()
            while not cancel_test() do end
            local received, one = pcall(linda.receive, linda, 0, "key")
            local sent, two = pcall(linda.send, linda, "key", 2)
            return received, one, sent, two
        end)()
        lane:cancel("hard")
        assert.same(pack(false, cancel_error, false, cancel_error), pack(expect.finished(lane)))
        assert.is_nil(linda:count("key"))
    end)

    it("leaves the linda to the lanes that were not cancelled", function()
        local linda = lanes.linda()
        local lane_of = lanes.gen("*", function() return linda:receive("key") end)
        local one, two = lane_of(), lane_of()
        support.until_status(one, "waiting")
        support.until_status(two, "waiting")
        one:cancel("hard", 60)
        linda:send("key", "value")
        assert.same(pack("key", "value"), pack(expect.finished(two)))
    end)

    it("takes precedence over the linda's cancellation", function()
        local linda = lanes.linda()
        linda:cancel()
        local lane = lanes.gen("*", function()
            while not cancel_test() do end
            return pcall(linda.receive, linda, "key")
        end)()
        lane:cancel("hard")
        assert.same(pack(false, cancel_error), pack(expect.finished(lane)))
    end)

    it("never loses a value", function()
        local linda = lanes.linda()
        local taken = 0
        for i = 1, 200 do
            local lane = lanes.gen("*", function() return linda:receive("key") end)()
            local canceller = lanes.gen("*", function(key, value) linda:send(key, value) end)("key", i)
            lane:cancel("hard", 60)
            expect.finished(canceller)
            if lane.status == "done" then taken = taken + 1 end
        end
        assert.equal(200, taken + linda:count("key"))
    end)
end)
