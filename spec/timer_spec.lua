-- Timers: when they fire, their values, bad arguments, and the list of pending timers.
local support = require "support"
local needs = require "needs"
local assert, describe, it, after_each, _ENV = support.plain(assert, describe, it, after_each)
local lanes = require "lanes"
local expect = require "expect"
local pack = support.pack

-- Seconds; longer than any spec waits.
local far = 100000

-- The entries of lanes.timers() for the linda, by key.
local function pending(linda)
    local found = {}
    for _, entry in ipairs(lanes.timers()) do
        if entry[1] == linda then found[entry[2]] = entry[3] end
    end
    return found
end

-- Removes every timer, so that the next test starts without timers.
local function remove_all()
    for _, entry in ipairs(lanes.timers()) do lanes.timer(entry[1], entry[2], nil) end
end

describe("a timer", function()
    after_each(remove_all)

    it("is set without a result", function()
        assert.same(pack(), pack(lanes.timer(lanes.linda(), "key", far)))
    end)

    it("sets its key to the time at which it fires", function()
        local linda = lanes.linda()
        local before = lanes.now_secs()
        lanes.timer(linda, "key", 0.01)
        local fired = expect.received(linda, "key")
        assert.equal("number", type(fired))
        assert.is_true(fired >= before)
        assert.is_true(fired <= lanes.now_secs() + 0.001)
    end)

    it("does not fire early", function()
        local linda = lanes.linda()
        local before = lanes.now_secs()
        lanes.timer(linda, "key", 0.05)
        assert.is_true(expect.received(linda, "key") - before >= 0.049)
    end)

    it("fires once without a period, and is then removed", function()
        local linda = lanes.linda()
        lanes.timer(linda, "key", 0.001)
        expect.received(linda, "key")
        support.until_true(function() return next(pending(linda)) == nil end)
        assert.equal(0, linda:count("key"))
    end)

    it("fires once with a period of zero or less", function()
        for _, period in ipairs { 0, -1 } do
            local linda = lanes.linda()
            lanes.timer(linda, "key", 0.001, period)
            expect.received(linda, "key")
            support.until_true(function() return next(pending(linda)) == nil end)
        end
    end)

    it("fires at once when its time has passed", function()
        local linda = lanes.linda()
        lanes.timer(linda, "key", -5)
        assert.equal("number", type(expect.received(linda, "key")))
    end)

    it("fires at once for a number that is hugely negative", function()
        local linda = lanes.linda()
        lanes.timer(linda, "key", -1e15)
        assert.equal("number", type(expect.received(linda, "key")))
    end)

    it("fires repeatedly with a period", function()
        local linda = lanes.linda()
        lanes.timer(linda, "key", 0.001, 0.002)
        local last = 0
        for _ = 1, 10 do
            local fired = expect.received(linda, "key")
            assert.is_true(fired > last)
            last = fired
        end
    end)

    it("keeps the phase of its period", function()
        local linda = lanes.linda()
        local period = 0.008
        lanes.timer(linda, "key", 0.001, period)
        local first = pending(linda).key[1]
        for _ = 1, 8 do
            expect.received(linda, "key")
            local whole = (pending(linda).key[1] - first) / period
            assert.is_true(math.abs(whole - math.floor(whole + 0.5)) < 0.01)
        end
    end)

    it("replaces an unread value instead of queueing ticks", function()
        local linda, clock = lanes.linda(), lanes.linda()
        lanes.timer(linda, "key", 0.001, 0.001)
        lanes.timer(clock, "key", 0.001, 0.001)
        for _ = 1, 10 do
            expect.received(clock, "key")
            local count = linda:count("key")
            assert.is_true(count == nil or count <= 1)
        end
        assert.equal(1, linda:count("key"))
    end)

    it("ignores a limit", function()
        local linda = lanes.linda()
        linda:limit("key", 0)
        lanes.timer(linda, "key", 0.001)
        assert.equal("number", type(expect.received(linda, "key")))
    end)

    it("replaces other contents of its slot", function()
        local linda = lanes.linda()
        linda:send("key", "a", "b", "c")
        lanes.timer(linda, "key", 0.001)
        support.until_true(function() return type(linda:get("key")) == "number" end)
        assert.equal(1, linda:count("key"))
    end)

    it("wakes a lane that waits for it", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function() return select(2, linda:receive("key")) end)()
        support.until_status(lane, "waiting")
        lanes.timer(linda, "key", 0.001)
        assert.equal("number", type(expect.finished(lane)))
    end)

    it("can be set by a lane and outlives it", function()
        local linda = lanes.linda()
        expect.in_lane(function(inner) require "lanes".timer(inner, "key", 0.01, 0.002) end, linda)
        for _ = 1, 3 do assert.equal("number", type(expect.received(linda, "key"))) end
    end)

    it("keeps its linda alive", function()
        local carrier = lanes.linda()
        do
            local linda = lanes.linda("kept by a timer")
            linda:set("carrier", carrier)
            lanes.timer(linda, "key", far)
        end
        collectgarbage()
        collectgarbage()
        local entry = lanes.timers()[1]
        assert.equal("Linda: kept by a timer", tostring(entry[1]))
        assert.equal(carrier, entry[1]:get("carrier"))
    end)

    it("is one per linda and key: a new one replaces the old", function()
        local linda = lanes.linda()
        lanes.timer(linda, "key", far, 1)
        lanes.timer(linda, "key", 2 * far)
        lanes.timer(linda, "other", far)
        local found = pending(linda)
        assert.equal(2, #lanes.timers())
        assert.is_true(found.key[1] > lanes.now_secs() + 1.5 * far)
        assert.is_nil(found.key[2])
        assert.is_table(found.other)
    end)

    it("is one per linda: the same key of two lindas has two timers", function()
        local one, two = lanes.linda(), lanes.linda()
        lanes.timer(one, "key", far)
        lanes.timer(two, "key", far)
        assert.equal(2, #lanes.timers())
        lanes.timer(one, "key", nil)
        assert.is_nil(pending(one).key)
        assert.is_table(pending(two).key)
    end)

    it("can have every type of key", function()
        local linda = lanes.linda()
        for _, key in ipairs { true, false, 1, 1.5, "string", linda:deep() } do
            lanes.timer(linda, key, 0.001)
            assert.equal("number", type(expect.received(linda, key)))
        end
    end)

    it("sets nothing on a cancelled linda, and others still fire", function()
        local cancelled, linda = lanes.linda(), lanes.linda()
        cancelled:cancel()
        lanes.timer(cancelled, "key", 0.001)
        lanes.timer(linda, "key", 0.01)
        assert.equal("number", type(expect.received(linda, "key")))
        support.until_true(function() return next(pending(cancelled)) == nil end)
        cancelled:cancel("none")
        assert.is_nil(cancelled:count("key"))
    end)

    it("takes a numeric string as delay", function()
        local linda = lanes.linda()
        lanes.timer(linda, "key", "0.001")
        assert.equal("number", type(expect.received(linda, "key")))
    end)
end)

describe("a timer with a first of zero", function()
    after_each(remove_all)

    it("sets its key now and removes the timer", function()
        local linda = lanes.linda()
        lanes.timer(linda, "key", far)
        assert.same(pack(), pack(lanes.timer(linda, "key", 0)))
        assert.equal("number", type(expect.received(linda, "key")))
        support.until_true(function() return next(pending(linda)) == nil end)
    end)

    it("does the same with a period of zero", function()
        local linda = lanes.linda()
        lanes.timer(linda, "key", far)
        lanes.timer(linda, "key", 0, 0)
        assert.equal("number", type(expect.received(linda, "key")))
        support.until_true(function() return next(pending(linda)) == nil end)
    end)

    it("sets its key now and continues with a period", function()
        local linda = lanes.linda()
        local before = lanes.now_secs()
        lanes.timer(linda, "key", 0, far)
        assert.equal("number", type(expect.received(linda, "key")))
        local entry = pending(linda).key
        assert.is_true(entry[1] >= before + far - 0.001)
        assert.equal(far, entry[2])
    end)
end)

describe("removing a timer", function()
    after_each(remove_all)

    for name, first in pairs { ["nil"] = "nil", ["false"] = false } do
        it("is done by a first of " .. name .. ", without a result", function()
            local linda = lanes.linda()
            lanes.timer(linda, "key", far)
            if first == "nil" then first = nil end
            assert.same(pack(), pack(lanes.timer(linda, "key", first)))
            assert.same({}, lanes.timers())
        end)
    end

    it("keeps an unread value", function()
        local linda = lanes.linda()
        lanes.timer(linda, "key", 0.001)
        support.until_true(function() return linda:count("key") == 1 end)
        lanes.timer(linda, "key", nil)
        assert.equal(1, linda:count("key"))
    end)

    it("is allowed when there is none", function()
        assert.same(pack(), pack(lanes.timer(lanes.linda(), "key", nil)))
    end)

    it("does not change the contents", function()
        local linda = lanes.linda()
        linda:send("key", "contents")
        lanes.timer(linda, "key", far)
        lanes.timer(linda, "key", nil)
        assert.same(pack("contents"), pack(linda:get("key", 2)))
    end)
end)

describe("a timer with a date", function()
    after_each(remove_all)

    it("fires at once for a date in the past", function()
        local linda = lanes.linda()
        lanes.timer(linda, "key", { year = 2001, month = 2, day = 3, hour = 4, min = 5, sec = 6 })
        assert.equal("number", type(expect.received(linda, "key")))
    end)

    it("is due at that local time", function()
        local linda = lanes.linda()
        local date = { year = os.date("*t").year + 1, month = 7, day = 15, hour = 12, min = 30, sec = 45 }
        lanes.timer(linda, "key", date)
        assert.equal(os.time(date), pending(linda).key[1])
    end)

    it("takes the table that os.date returns", function()
        local linda = lanes.linda()
        local due = os.time() + far
        lanes.timer(linda, "key", os.date("*t", due))
        assert.equal(due, pending(linda).key[1])
    end)

    it("follows isdst when it is a boolean", function()
        local linda = lanes.linda()
        local date = { year = os.date("*t").year + 1, month = 1, day = 15, hour = 12, min = 0, sec = 0, isdst = false }
        lanes.timer(linda, "key", date)
        assert.equal(os.time(date), pending(linda).key[1])
    end)

    it("is normalized as by os.time", function()
        local linda = lanes.linda()
        local year = os.date("*t").year + 1
        lanes.timer(linda, "key", { year = year, month = 14, day = 40, hour = 30, min = 90, sec = -5 })
        local expected = os.time { year = year, month = 14, day = 40, hour = 30, min = 90, sec = -5 }
        assert.equal(expected, pending(linda).key[1])
    end)

    it("truncates fractions", function()
        local linda = lanes.linda()
        local year = os.date("*t").year + 1
        lanes.timer(linda, "key", { year = year, month = 5.9, day = 1, min = -0.5, sec = 30.25 })
        assert.equal(os.time { year = year, month = 5, day = 1, hour = 0, min = 0, sec = 30 }, pending(linda).key[1])
    end)

    it("may be periodic", function()
        local linda = lanes.linda()
        lanes.timer(linda, "key", { year = 2001, month = 1, day = 1 }, 0.002)
        for _ = 1, 3 do assert.equal("number", type(expect.received(linda, "key"))) end
    end)

    it("does not change the table", function()
        local date = { year = 2001, month = 14, day = 40 }
        lanes.timer(lanes.linda(), "key", date)
        assert.same({ year = 2001, month = 14, day = 40 }, date)
    end)
end)

describe("lanes.timer", function()
    after_each(remove_all)

    local others = { ["nil"] = "nil", string = "Linda", table = {}, file = io.stdout, ["function"] = print }
    for name, linda in pairs(others) do
        it("refuses a " .. name .. " in place of the linda", function()
            if linda == "nil" then linda = nil end
            support.raises("expecting a Linda", lanes.timer, linda, "key", far)
        end)
    end

    it("refuses a call without arguments", function()
        support.raises("expecting a Linda", lanes.timer)
    end)

    local bad_keys = { table = {}, ["function"] = print, linda = lanes.linda(), ["not a number"] = 0 / 0 }
    for name, key in pairs(bad_keys) do
        it("refuses a key that is a " .. name .. ", and later timers fire", function()
            local linda = lanes.linda()
            support.raises("bad argument #2 to 'timer'", lanes.timer, linda, key, far)
            assert.same({}, lanes.timers())
            lanes.timer(linda, "key", 0.001)
            assert.equal("number", type(expect.received(linda, "key")))
        end)
    end

    it("refuses a key of nil", function()
        support.raises("bad argument #2 to 'timer'", lanes.timer, lanes.linda(), nil, far)
        assert.same({}, lanes.timers())
    end)

    local bad_times = {
        boolean = true, string = "soon", ["function"] = print, ["not a number"] = 0 / 0, linda = lanes.linda(),
        ["date with a field of a wrong type"] = { year = 2030, month = {}, day = 1 },
        ["date with a word"] = { year = 2030, month = "May", day = 1 },
    }
    for name, first in pairs(bad_times) do
        it("refuses a first that is a " .. name .. ", and later timers fire", function()
            local linda = lanes.linda()
            support.raises("bad argument #3 to 'timer'", lanes.timer, linda, "key", first)
            assert.same({}, lanes.timers())
            lanes.timer(linda, "key", 0.001)
            assert.equal("number", type(expect.received(linda, "key")))
        end)
    end

    for name, period in pairs { boolean = true, string = "often", table = {}, ["not a number"] = 0 / 0 } do
        it("refuses a period that is a " .. name .. ", and later timers fire", function()
            local linda = lanes.linda()
            support.raises("bad argument #4 to 'timer'", lanes.timer, linda, "key", far, period)
            assert.same({}, lanes.timers())
            lanes.timer(linda, "key", 0.001)
            assert.equal("number", type(expect.received(linda, "key")))
        end)
    end

    it("works after a date without fields", function()
        local linda = lanes.linda()
        pcall(lanes.timer, linda, "date", {})
        lanes.timer(linda, "key", 0.001)
        assert.equal("number", type(expect.received(linda, "key")))
        assert.equal("table", type(lanes.timers()))
    end)

    it("keeps an old timer when the new one is refused", function()
        local linda = lanes.linda()
        lanes.timer(linda, "key", far)
        support.raises("bad argument #3 to 'timer' (number or date table expected, got string)",
            lanes.timer, linda, "key", "soon")
        assert.is_table(pending(linda).key)
    end)

    it("takes an infinite delay as never, or refuses it", function()
        local linda = lanes.linda()
        pcall(lanes.timer, linda, "never", math.huge)
        lanes.timer(linda, "key", 0.001)
        assert.equal("number", type(expect.received(linda, "key")))
        assert.is_nil(linda:count("never"))
    end)

    it("reports bad arguments at the caller's line", function()
        local message = support.raises("expecting a Linda", function() lanes.timer() end)
        assert.matches("timer_spec.lua:%d+: ", message)
    end)

    it("sets thousands of timers, each of which fires", function()
        local linda = lanes.linda()
        for i = 1, 5000 do lanes.timer(linda, i, 0.001 + i / 100000) end
        for i = 1, 5000 do assert.equal("number", type(expect.received(linda, i))) end
        support.until_true(function() return #lanes.timers() == 0 end)
    end)

    it("fires timers in the order of their times", function()
        local linda, fired, due = lanes.linda(), {}, {}
        for i = 20, 1, -1 do lanes.timer(linda, i, 0.3 + i / 500) end
        -- The times of the timers that have not fired yet.
        for _, entry in ipairs(lanes.timers()) do due[#due + 1] = { key = entry[2], at = entry[3][1] } end
        table.sort(due, function(one, other) return one.at < other.at end)
        for i = 1, 20 do fired[i] = expect.received(linda, i) end
        for i = 2, #due do assert.is_true(fired[due[i].key] >= fired[due[i - 1].key]) end
        for i = 1, #due do assert.is_true(fired[due[i].key] >= due[i].at - 0.005) end
    end)
end)

describe("lanes.timers", function()
    after_each(remove_all)

    it("returns an empty table without timers", function()
        assert.same(pack({}), pack(lanes.timers()))
    end)

    it("returns linda, key and a table of time and period for each", function()
        local linda = lanes.linda()
        local before = lanes.now_secs()
        lanes.timer(linda, "key", far, 7)
        local list = lanes.timers()
        assert.equal(1, #list)
        assert.is_true(rawequal(linda, list[1][1]))
        assert.equal("key", list[1][2])
        assert.is_true(list[1][3][1] >= before + far - 0.001)
        assert.is_true(list[1][3][1] <= lanes.now_secs() + far + 0.001)
        assert.equal(7, list[1][3][2])
    end)

    it("returns no period for a timer that fires once", function()
        lanes.timer(lanes.linda(), "key", far)
        local entry = lanes.timers()[1]
        assert.equal(3, #entry)
        assert.is_nil(entry[3][2])
    end)

    it("lists the timers of all lanes, in any lane", function()
        local linda = lanes.linda()
        lanes.timer(linda, "main", far)
        local count = expect.in_lane(function(inner)
            local lanes_there = require "lanes"
            lanes_there.timer(inner, "lane", 100000)
            return #lanes_there.timers()
        end, linda)
        assert.equal(2, count)
        assert.is_table(pending(linda).lane)
    end)
end)

describe("lanes.timer_lane", function()
    it("behaves like the handle of a running lane", function()
        local handle = lanes.timer_lane
        assert.equal("Lane", getmetatable(handle))
        assert.equal("LanesTimer", handle:get_debug_threadname())
        assert.same(pack(nil, "timeout"), pack(handle:join(0)))
        support.until_true(function() return handle.status == "waiting" or handle.status == "running" end)
    end)

    it("is absent in lanes", function()
        assert.is_nil((expect.in_lane(function() return require "lanes".timer_lane end)))
    end)

    it("can be cancelled, which removes all timers; later ones are accepted and dropped", function()
        local out = support.output [[
            local lanes = require "lanes".configure()
            local linda = lanes.linda()
            lanes.timer(linda, "tick", 0.001, 0.001)
            lanes.timer(linda, "later", 100000)
            linda:receive("tick")
            print(#lanes.timers())
            print(lanes.timer_lane:cancel("hard", 30))
            print(#lanes.timers())
            print(select("#", lanes.timer(linda, "key", 100000, 1)))
            print(#lanes.timers())
        ]]
        assert.equal("2\ntrue\tcancelled\n0\n0\n0\n", out)
    end)
end)

describe("without timers", function()
    it("both functions exist and raise a clear error", function()
        local out = support.output [[
            local lanes = require "lanes".configure { with_timers = false }
            print(select(2, pcall(lanes.timer, lanes.linda(), "key", 1)))
            print(select(2, pcall(lanes.timers)))
            print(lanes.timer_lane)
        ]]
        local _, count = out:gsub("timers are not active", "")
        assert.equal(2, count)
        assert.matches("nil\n$", out)
    end)
end)

describe("a program with pending timers", function()
    it("ends at once", function()
        assert.equal("end\n", support.output [[
            local lanes = require "lanes"
            local linda = lanes.linda()
            for i = 1, 1000 do lanes.timer(linda, i, 100000, 1) end
            lanes.timer(linda, "often", 0.0001, 0.0001)
            linda:receive "often"
            print "end"
        ]])
    end)

    needs.proc(it)("needs no thread per timer", function()
        assert.equal("few\n", support.output [[
            local lanes = require "lanes"
            local linda = lanes.linda()
            for i = 1, 1000 do lanes.timer(linda, i, 100000, 1) end
            local threads = require "machine".status "Threads"
            print(threads < 8 and "few" or threads)
        ]])
    end)
end)
