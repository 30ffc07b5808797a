-- The 4.x interface: functions of the module.
local support = require "support"
if support.apart(describe, it) then return end
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes".configure { api = 4, with_timers = true }
local pack = support.pack

describe("the module of 4.x", function()
    it("has the functions of 4.x", function()
        for _, name in ipairs { "ABOUT", "cancel_error", "collectgarbage", "configure", "finally", "gen", "genatomic", "genlock",
            "linda", "nameof", "now_secs", "null", "register", "require", "set_singlethreaded", "set_thread_affinity",
            "set_thread_priority", "sleep", "thread_priority_range", "threads", "timer", "timer_lane", "timers" } do
            assert.is_not_nil(lanes[name], name)
        end
        assert.is_nil(getmetatable(lanes))
        assert.is_nil(lanes.nope)
    end)
end)

describe("sleep of 4.x", function()
    it("returns nil and a text", function()
        assert.same(pack(nil, "timeout"), pack(lanes.sleep(0)))
        assert.same(pack(nil, "timeout"), pack(lanes.sleep(0.001, "ignored")))
    end)

    it("refuses what is no number from 0", function()
        support.raises("duration must be >= 0", lanes.sleep, -1)
        support.raises("duration must be >= 0", lanes.sleep, 0 / 0)
        for _, given in ipairs { "1", true, {}, print } do
            support.raises("duration must be a number", lanes.sleep, given)
        end
        support.raises("duration must be a number", lanes.sleep, false)
    end)

    it("lasts until a request without an argument", function()
        local lane = lanes.gen("*", function() return require "lanes".sleep() end)()
        support.until_status(lane, "waiting")
        assert.same(pack(nil, "timeout"), pack(lane:join(0.01)))
        assert.same(pack(true, "done"), pack(lane:cancel("soft", nil, true)))
        assert.same(pack(true, nil, lanes.cancel_error), pack(lane:join()))
        local hard = lanes.gen("*", function() return require "lanes".sleep(nil) end)()
        support.until_status(hard, "waiting")
        assert.same(pack(true, "cancelled"), pack(hard:cancel()))
    end)
end)

describe("timers of 4.x", function()
    it("set slots, and are listed", function()
        local linda = lanes.linda()
        lanes.timer(linda, "once", 0)
        assert.equal(1, (linda:get "once"))
        lanes.timer(linda, "later", 1000, 10)
        local list = lanes.timers()
        assert.equal(1, #list)
        assert.equal(linda, list[1][1])
        assert.same({ "later", 10 }, { list[1][2], list[1][3][2] })
        lanes.timer(linda, "later", nil)
        assert.same({}, lanes.timers())
        support.raises("expecting a Linda", lanes.timer, {}, "slot", 1)
    end)
end)

describe("locks and counters of 4.x", function()
    it("return one value", function()
        local linda = lanes.linda()
        for _, units in ipairs { 1, 3 } do
            local lock = lanes.genlock(linda, "lock", units)
            assert.same(pack(true), pack(lock(units)))
            assert.same(pack(false), pack(lock(1, "try")))
            assert.same(pack(true), pack(lock(-units)))
        end
        local count = lanes.genatomic(linda, "count", 5)
        assert.same(pack(7), pack(count(2)))
        linda:cancel()
        assert.equal(lanes.cancel_error, lanes.genlock(linda, "lock"))
        assert.same(pack(lanes.cancel_error), pack(count(1)))
    end)
end)

describe("nameof of 4.x", function()
    it("marks the types of the parts", function()
        assert.same(pack("function", "_G/print()"), pack(lanes.nameof(print)))
        assert.same(pack("table", "_G/string[]"), pack(lanes.nameof(string)))
        assert.same(pack("function", "_G/string[]/sub()"), pack(lanes.nameof(string.sub)))
        assert.same(pack("userdata", "_G/io[]/stdin<>"), pack(lanes.nameof(io.stdin)))
    end)

    it("looks into upvalues", function()
        assert.equal("function\t_G/named()/upvalue:inner()\ntable\t_G/named()/upvalue:inner()/upvalue:list[]\n"
            .. "table\t_G/named()/upvalue:inner()/upvalue:list[]/entry[]\n", support.output [[
            local lanes = require "lanes".configure{ api = 4 }
            local entry = {}
            local list = { entry = entry }
            local function inner() return list end
            function named() return inner() end
            print(lanes.nameof(inner))
            print(lanes.nameof(list))
            print(lanes.nameof(entry))
        ]])
    end)

    it("looks for the shortest path, also where functions refer to each other", function()
        assert.equal("table\tnil\ntable\t_G/b()/upvalue:found[]\n", support.output [[
            local lanes = require "lanes".configure{ api = 4 }
            local found, a = {}, nil
            function b() return a, found end
            function a() return b, a end
            print(lanes.nameof({}))
            print(lanes.nameof(found))
        ]])
    end)

    it("returns values that are no references, and nil for what has no name", function()
        assert.same(pack("number", 5), pack(lanes.nameof(5)))
        assert.same(pack("nil", nil), pack(lanes.nameof(nil)))
        assert.same(pack("table", nil), pack(lanes.nameof({})))
    end)

    it("takes exactly one argument", function()
        support.raises("exactly 1 argument expected", lanes.nameof)
        support.raises("exactly 1 argument expected", lanes.nameof, 1, 2)
    end)
end)

describe("priorities of 4.x", function()
    it("have ranges", function()
        local low, high = lanes.thread_priority_range()
        assert.is_true(low <= 0 and high > 0)
        low, high = lanes.thread_priority_range("native")
        assert.is_true(low < high)
    end)

    it("are checked", function()
        support.raises("priority out of range", lanes.set_thread_priority, 100)
        support.raises("number expected", lanes.set_thread_priority, {})
        local _, high = lanes.thread_priority_range("native")
        support.raises("priority out of range", lanes.set_thread_priority, high + 1, "native")
        lanes.set_thread_priority(0)
    end)
end)

it("lanes.collectgarbage of 4.x takes anything and returns nothing", function()
    assert.same(pack(), pack(lanes.collectgarbage(1, 2)))
end)
