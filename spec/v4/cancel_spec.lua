-- The 4.x interface: cancellation of lanes and lindas.
local support = require "support"
if support.apart(describe, it) then return end
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes".configure { api = 4 }
local pack = support.pack

local CE = lanes.cancel_error

-- A lane that waits to receive from a linda, and returns what receive returned.
local function receiver(linda)
    local lane = lanes.gen("*", function(from) return from:receive("slot") end)(linda)
    support.until_status(lane, "waiting")
    return lane
end

-- A lane that works until `cancel_test(...)` returns something.
local function worker(...)
    local linda = lanes.linda()
    local lane = lanes.gen("*", function(to, ...)
        to:send("begun", true)
        local asked
        repeat asked = cancel_test(...) until asked
        return asked
    end)(linda, ...)
    linda:receive "begun"
    return lane
end

describe("lane:cancel of 4.x", function()
    local lane = lanes.gen(function() end)()
    lane:join()
    local refused = {
        { "Invalid cancel operation 'x'", "x" },
        { "Hook count expected", "count" },
        { "Hook count expected", "line", "1" },
        { "Hook count cannot be < 1", "call", 0 },
        { "duration cannot be < 0", -1 },
        { "Boolean expected for wake_lane argument, got string", "soft", 0, "x" },
        { "Boolean expected for wake_lane argument, got table", {} },
        { "Too many arguments", "soft", 0, true, 1 },
    }
    for i, case in ipairs(refused) do
        it(("refuses bad arguments (%d): %s"):format(i, case[1]), function()
            support.raises(case[1], lane.cancel, lane, case[2], case[3], case[4], case[5])
        end)
    end

    it("returns true and the status of a lane that has ended", function()
        assert.same(pack(true, "done"), pack(lane:cancel()))
        assert.same(pack(true, "done"), pack(lane:cancel("soft", 0)))
    end)

    it("is hard and waits without arguments", function()
        local waiting = receiver(lanes.linda())
        assert.same(pack(true, "cancelled"), pack(waiting:cancel()))
        assert.same(pack(nil, CE), pack(waiting:join()))
    end)

    it("wakes nobody after a soft request, unless it is told to", function()
        local waiting = receiver(lanes.linda())
        assert.same(pack(false, "timeout"), pack(waiting:cancel("soft", 0)))
        assert.equal("waiting", waiting.status)
        assert.same(pack(true, "done"), pack(waiting:cancel("soft", nil, true)))
        assert.same(pack(true, nil, CE), pack(waiting:join()))
    end)

    it("does not wake after a hard request, if it is told not to", function()
        local linda = lanes.linda()
        local waiting = receiver(linda)
        assert.same(pack(false, "timeout"), pack(waiting:cancel("hard", 0, false)))
        linda:wake()
        assert.same(pack(nil, CE), pack(waiting:join()))
    end)

    for _, mode in ipairs { "count", "line", "call", "ret", "all" } do
        it("ends busy lanes by the hook " .. mode, function()
            local linda = lanes.linda()
            local busy = lanes.gen("*", function(to)
                -- Compiled loops of LuaJIT do not look at hooks.
                if jit then jit.off() end
                local function nothing() end
                to:send("begun", true)
                while true do nothing() end
            end)(linda)
            linda:receive "begun"
            assert.same(pack(true, "cancelled"), pack(busy:cancel(mode, 1)))
        end)
    end
end)

describe("cancel_test of 4.x", function()
    it("returns false without a request", function()
        assert.same(pack(true, false, false), pack(lanes.gen(function() return cancel_test(), cancel_test(true) end)():join()))
    end)

    it("returns soft, and raises after a hard request", function()
        local soft = worker()
        assert.same(pack(true, "done"), pack(soft:cancel "soft"))
        assert.same(pack(true, "soft"), pack(soft:join()))
        local hard = worker()
        assert.same(pack(true, "cancelled"), pack(hard:cancel "hard"))
    end)

    it("returns hard if it is not to raise", function()
        local hard = worker(true)
        assert.same(pack(true, "done"), pack(hard:cancel "hard"))
        assert.same(pack(true, "hard"), pack(hard:join()))
    end)
end)

describe("linda:cancel and linda:wake of 4.x", function()
    it("check their argument", function()
        local linda = lanes.linda()
        for _, method in ipairs { "cancel", "wake" } do
            support.raises("unknown wake hint 'x'", linda[method], linda, "x")
            support.raises("wrong number of arguments", linda[method], linda, "both", 1)
        end
        support.raises("unknown wake hint 'none'", linda.wake, linda, "none")
        assert.equal("active", linda.status)
    end)

    it("mark the linda, and take the mark away", function()
        local linda = lanes.linda()
        assert.same(pack(), pack(linda:cancel()))
        assert.equal("cancelled", linda.status)
        linda:cancel "none"
        assert.equal("active", linda.status)
    end)

    it("end the calls that wait", function()
        local linda = lanes.linda()
        local waiting = receiver(linda)
        linda:cancel "read"
        assert.same(pack(true, nil, CE), pack(waiting:join()))
    end)

    it("give nil and cancel_error to every call that looks at slots", function()
        local linda = lanes.linda()
        linda:cancel()
        assert.same(pack(nil, CE), pack(linda:send("slot", 1)))
        assert.same(pack(nil, CE), pack(linda:receive("slot")))
        assert.same(pack(nil, CE), pack(linda:receive()))
        assert.same(pack(nil, CE), pack(linda:receive_batched("slot", 1)))
        assert.same(pack(nil, CE), pack(linda:get "slot"))
        assert.same(pack(nil, CE), pack(linda:set("slot", 1)))
        assert.same(pack(nil, CE), pack(linda:limit "slot"))
        assert.same(pack(nil, CE), pack(linda:limit("slot", 1)))
        assert.same(pack(nil, CE), pack(linda:restrict "slot"))
        assert.same(pack(nil, CE), pack(linda:restrict("slot", "set/get")))
        assert.same({}, linda:count())
        support.raises("no data to send", linda.send, linda, "slot")
        support.raises("unknown restrict mode", linda.restrict, linda, "slot", "x")
    end)

    it("wake lanes that have a soft request, and no others", function()
        local linda = lanes.linda()
        local waiting, other = receiver(linda), receiver(linda)
        waiting:cancel("soft", 0)
        linda:wake "write"
        assert.equal("waiting", waiting.status)
        linda:wake "read"
        assert.same(pack(true, nil, CE), pack(waiting:join()))
        assert.same(pack(nil, "timeout"), pack(other:join(0)))
        other:cancel()
    end)
end)

describe("wake periods of 4.x", function()
    it("let waits notice soft requests", function()
        local linda = lanes.linda { wake_period = 0.01 }
        local waiting = receiver(linda)
        assert.same(pack(true, "done"), pack(waiting:cancel "soft"))
        assert.same(pack(true, nil, CE), pack(waiting:join()))
    end)

    it("keep the deadline of a call, and its place where data comes", function()
        local linda = lanes.linda { wake_period = 0.001 }
        local before = lanes.now_secs()
        assert.same(pack(nil, "timeout"), pack(linda:receive(0.05, "slot")))
        assert.is_true(lanes.now_secs() - before >= 0.049)
        linda:limit("full", 0)
        assert.same(pack(nil, "timeout"), pack(linda:send(0.01, "full", 1)))
        local sending = lanes.gen("*", function(to) return to:send("full", "value") end)(linda)
        support.until_status(sending, "waiting")
        lanes.sleep(0.01)
        linda:limit("full", 1)
        assert.same(pack(true, true), pack(sending:join()))
        assert.same(pack("full", "value"), pack(linda:receive "full"))
    end)

    it("let waits to send notice that the linda was cancelled for readers", function()
        local linda = lanes.linda { wake_period = 0.01 }
        linda:limit("full", 0)
        local sending = lanes.gen("*", function(to) return to:send("full", 1) end)(linda)
        support.until_status(sending, "waiting")
        linda:cancel "read"
        assert.same(pack(true, nil, CE), pack(sending:join()))
    end)

    it("come from the setting where a linda has none", function()
        assert.equal("true\tdone\n", support.output [[
            local lanes = require "lanes".configure{ api = 4, linda_wake_period = 0.01 }
            local lane = lanes.gen("*", function(from) from:receive "slot" end)(lanes.linda())
            while lane.status ~= "waiting" do lanes.sleep(0.001) end
            print(lane:cancel "soft")
        ]])
    end)
end)
