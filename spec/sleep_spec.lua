-- Sleeping, and the clock.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local expect = require "expect"
local pack = support.pack

describe("lanes.sleep", function()
    it("returns nothing", function()
        assert.same(pack(), pack(lanes.sleep(0)))
        assert.same(pack(), pack(lanes.sleep(0.001)))
    end)

    it("sleeps at least the given time", function()
        local before = lanes.now_secs()
        lanes.sleep(0.03)
        assert.is_true(lanes.now_secs() - before >= 0.029)
    end)

    it("takes nil, false or nothing as zero", function()
        assert.same(pack(), pack(lanes.sleep()))
        assert.same(pack(), pack(lanes.sleep(nil)))
        assert.same(pack(), pack(lanes.sleep(false)))
    end)

    it("takes a negative time as zero", function()
        assert.same(pack(), pack(lanes.sleep(-1)))
        assert.same(pack(), pack(lanes.sleep(-math.huge)))
    end)

    for name, duration in pairs { string = "long", ["numeric string"] = "0.001", ["true"] = true } do
        it("refuses a " .. name, function()
            support.raises('invalid duration "' .. tostring(duration) .. '"', lanes.sleep, duration)
        end)
    end

    for name, duration in pairs { table = {}, ["function"] = print, linda = lanes.linda(), ["not a number"] = 0 / 0 } do
        it("refuses a " .. name, function()
            support.raises("invalid duration", lanes.sleep, duration)
        end)
    end

    it("reports a bad duration at the caller's line", function()
        local message = support.raises("invalid duration", function() lanes.sleep("long") end)
        assert.matches("sleep_spec.lua:%d+: ", message)
    end)

    it("shows as status waiting and ends by a hard cancel", function()
        local lane = lanes.gen("*", function() require "lanes".sleep(100000) end)()
        support.until_status(lane, "waiting")
        assert.same(pack(true, "cancelled"), pack(lane:cancel("hard", 60)))
    end)

    it("returns cancel_error on a soft cancel with wake", function()
        local lane = lanes.gen("*", function() return require "lanes".sleep(100000) end)()
        support.until_status(lane, "waiting")
        assert.same(pack(true, "done"), pack(lane:cancel("soft", 60, true)))
        assert.same(pack(lanes.cancel_error), pack(lane:join()))
    end)

    it("takes an infinite time", function()
        local lane = lanes.gen("*", function() require "lanes".sleep(math.huge) end)()
        support.until_status(lane, "waiting")
        assert.same(pack(true, "cancelled"), pack(lane:cancel("hard", 60)))
    end)

    it("blocks a coroutine instead of yielding it", function()
        local thread = coroutine.create(function() return lanes.sleep(0.001), "slept" end)
        assert.same(pack(true, nil, "slept"), pack(coroutine.resume(thread)))
        assert.equal("dead", coroutine.status(thread))
    end)

    it("works without timers", function()
        assert.equal("0\n", support.output [[
            local lanes = require "lanes".configure { with_timers = false }
            print(select("#", lanes.sleep(0.001)))
        ]])
    end)

    it("can be the upvalue of a lane", function()
        local sleep = lanes.sleep
        assert.same(pack(), pack(expect.in_lane(function() return sleep(0.001) end)))
    end)
end)

describe("lanes.now_secs", function()
    it("has the origin and the rate of os.time", function()
        local before = os.time()
        local now = lanes.now_secs()
        local after = os.time()
        assert.is_true(now >= before - 0.01)
        assert.is_true(now < after + 1.01)
    end)

    it("increases", function()
        local start = lanes.now_secs()
        support.until_true(function() return lanes.now_secs() > start end)
    end)

    it("has a resolution finer than a millisecond", function()
        support.until_true(function()
            local now = lanes.now_secs() * 1000
            return now ~= math.floor(now)
        end)
    end)

    it("ignores arguments", function()
        assert.equal("number", type(lanes.now_secs(1, {}, nil)))
    end)

    it("returns one number", function()
        assert.equal(1, select("#", lanes.now_secs()))
        if math.type then assert.equal("float", math.type(lanes.now_secs())) end
    end)

    it("can be the upvalue of a lane", function()
        local now_secs = lanes.now_secs
        assert.equal("number", type(expect.in_lane(function() return now_secs() end)))
    end)
end)
