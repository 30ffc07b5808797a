-- The 4.x interface: calls that reach slots by other ways than the methods of lindas (lanes.select, locks, atomic numbers, timers,
-- monitors) look at restrictions, and those that wait have the wake period of the linda.
local support = require "support"
if support.apart(describe, it) then return end
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes".configure { api = 4, with_timers = true }
local pack = support.pack

local CE = lanes.cancel_error

-- Launches a lane that calls `body(linda)` and returns its results; waits until it waits.
local function waiting(body, linda)
    local lane = lanes.gen("*", body)(linda)
    support.until_status(lane, "waiting")
    return lane
end

describe("lanes.select of 4.x", function()
    it("returns nil and a reason where no case happens", function()
        local linda = lanes.linda()
        assert.same(pack(nil, "timeout"), pack(lanes.select(0, { linda, "receive", "slot" })))
        assert.same(pack(nil, "timeout"), pack(lanes.select(0.001, { linda, "receive", "slot" })))
        linda:cancel()
        assert.same(pack(nil, CE), pack(lanes.select(0, { linda, "receive", "slot" })))
    end)

    it("returns what has happened", function()
        local linda = lanes.linda()
        linda:limit("full", 0)
        local full = { linda, "send", "full", 1 }
        assert.same(pack(2, "slot"), pack(lanes.select(full, { linda, "send", "slot", "a", "b" })))
        assert.same(pack(2, "slot", "a"), pack(lanes.select(full, { linda, "receive", "other", "slot" })))
        local lane = lanes.gen(function() end)()
        assert.same(pack(3, lane), pack(lanes.select(full, { linda, "receive", "other" }, { lane })))
    end)

    it("does not wait for the end of a suspended lane, and does not end it", function()
        local lane = lanes.coro("*", function() coroutine.yield(1) end)()
        support.until_status(lane, "suspended")
        assert.same(pack(nil, "timeout"), pack(lanes.select(0.001, { lane })))
        assert.equal("suspended", lane.status)
        lane:resume()
        assert.same(pack(1, lane), pack(lanes.select({ lane })))
    end)

    it("names the operation that a wrong one probably stands for", function()
        support.raises("case 1: 'receive' or 'send' expected, got 'recieve'; do you mean 'receive'?",
            lanes.select, { lanes.linda(), "recieve", "k" })
    end)

    it("refuses slots that are kept to set and get, and does nothing then", function()
        local linda, other = lanes.linda(), lanes.linda()
        linda:restrict("kept", "set/get")
        other:send("slot", 1)
        linda:set("kept", 1)
        local first = { other, "receive", "slot" }
        support.raises("Key is restricted", lanes.select, 0, first, { linda, "receive", "kept" })
        support.raises("Key is restricted", lanes.select, 0, first, { linda, "receive", "slot", "kept" })
        support.raises("Key is restricted", lanes.select, 0, first, { linda, "send", "kept", 1 })
        assert.equal(1, other:count "slot")
        assert.equal(1, linda:count "kept")
        linda:restrict("kept", "send/receive")
        assert.same(pack(1, "kept", 1), pack(lanes.select(0, { linda, "receive", "kept" })))
        assert.same(pack(1, "kept"), pack(lanes.select(0, { linda, "send", "kept", 2 })))
    end)

    it("has the shortest wake period of its lindas", function()
        local linda = lanes.linda { wake_period = 0.01 }
        local lane = waiting(function(from)
            local plain = require "lanes".linda { wake_period = "never" }
            return require "lanes".select({ plain, "receive", "slot" }, { from, "receive", "slot" })
        end, linda)
        assert.same(pack(true, "done"), pack(lane:cancel "soft"))
        assert.same(pack(true, nil, CE), pack(lane:join()))
    end)

    it("keeps its deadline and the values that it sends over wake periods", function()
        local linda = lanes.linda { wake_period = 0.001 }
        local before = lanes.now_secs()
        assert.same(pack(nil, "timeout"), pack(lanes.select(0.05, { linda, "receive", "slot" })))
        assert.is_true(lanes.now_secs() - before >= 0.049)
        linda:limit("full", 0)
        local lane = waiting(function(to)
            return require "lanes".select({ to, "receive", "slot" }, { to, "send", "full", "a", { "b" } })
        end, linda)
        lanes.sleep(0.01)
        linda:limit("full", 2)
        assert.same(pack(true, 2, "full"), pack(lane:join()))
        assert.same(pack("full", "a", { "b" }), pack(linda:receive_batched("full", 2)))
    end)
end)

describe("linda:receive without slots", function()
    it("has the wake period of the linda", function()
        local lane = waiting(function(from) return from:receive() end, lanes.linda { wake_period = 0.01 })
        assert.same(pack(true, "done"), pack(lane:cancel "soft"))
        assert.same(pack(true, nil, CE), pack(lane:join()))
    end)

    it("is ended by the cancellation of the linda, and by nothing that is sent", function()
        local linda = lanes.linda()
        local lane = waiting(function(from) return from:receive() end, linda)
        linda:send("slot", 1)
        assert.same(pack(nil, "timeout"), pack(lane:join(0.001)))
        linda:cancel()
        assert.same(pack(true, nil, CE), pack(lane:join()))
        assert.equal(1, linda:count "slot")
    end)

    it("lasts until its timeout", function()
        assert.same(pack(nil, "timeout"), pack(lanes.linda():receive(0)))
        assert.same(pack(nil, "timeout"), pack(lanes.linda():receive(0.001)))
    end)
end)

describe("locks and atomic numbers of 4.x", function()
    for _, mode in ipairs { "set/get", "send/receive" } do
        it("refuse slots that are kept to " .. mode, function()
            local linda = lanes.linda()
            linda:restrict("kept", mode)
            support.raises("Key is restricted", lanes.genlock, linda, "kept")
            support.raises("Key is restricted", lanes.genatomic, linda, "kept")
            local lock, add = lanes.genlock(linda, "lock"), lanes.genatomic(linda, "sum")
            linda:restrict("lock", mode)
            linda:restrict("sum", mode)
            support.raises("Key is restricted", lock, 1)
            support.raises("Key is restricted", lock, -1)
            support.raises("Key is restricted", add)
            linda:restrict("lock", "none")
            linda:restrict("sum", "none")
            assert.is_true(lock(1))
            assert.equal(1, add())
        end)
    end

    it("have the wake period of the linda", function()
        local linda = lanes.linda { wake_period = 0.01 }
        lanes.genlock(linda, "lock", 2)
        linda:limit("sum", 0)
        for name, body in pairs {
            lock = function(x) return x:__lock("lock", 2, 3) end,
            full = function(x) x:__lock("lock", 2, 2) return x:__lock("lock", 2, 1) end,
            unlock = function(x) return x:__lock("unlocked", 2, -1) end,
            add = function(x) return x:__add("sum", 1) end,
        } do
            local lane = waiting(body, linda)
            assert.same(pack(true, "done"), pack(lane:cancel "soft"), name)
            assert.same(pack(true, CE), pack(lane:join()), name)
        end
    end)

    it("take units that come after some wake periods", function()
        local linda = lanes.linda { wake_period = 0.001 }
        local lock = lanes.genlock(linda, "lock", 3)
        lock(2)
        local lane = waiting(function(x) return x:__lock("lock", 3, 2) end, linda)
        lanes.sleep(0.01)
        lock(-2)
        assert.same(pack(true, true), pack(lane:join()))
        assert.is_true(lock(1, "try"))
        assert.is_false(lock(1, "try"))
    end)
end)

describe("timers and monitors of 4.x", function()
    it("refuse slots that are kept to what they do not do", function()
        local linda = lanes.linda()
        linda:restrict("kept", "send/receive")
        support.raises("Key is restricted", lanes.timer, linda, "kept", 0)
        support.raises("Key is restricted", lanes.timer, linda, "kept", 1000)
        assert.equal(0, linda:count "kept")
        local lane = lanes.gen(function() end)()
        lane:monitor(linda, "kept")
        assert.equal("done", select(2, linda:receive "kept").status)
        linda:restrict("kept", "set/get")
        support.raises("Key is restricted", lane.monitor, lane, linda, "kept")
        lanes.timer(linda, "kept", 0)
        assert.equal(1, linda:count "kept")
    end)
end)
