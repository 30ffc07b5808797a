-- Threads: lanes.threads, priority, affinity, set_singlethreaded; a reused thread keeps nothing of
-- its last lane.
local support = require "support"
local needs = require "needs"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local it_proc = needs.proc(it)

local function nothing() end

describe("threads", function()
    it("needs the option track_lanes", function()
        support.contains("lane tracking is not available", support.output [[
            local lanes = require "lanes".configure { track_lanes = false }
            print(pcall(lanes.threads))
        ]])
        support.contains("lane tracking is not available", support.output [[
            print(pcall(require "lanes".threads))
        ]])
    end)

    it("returns nothing when there are no lanes", function()
        assert.equal("0\n", support.output [[
            local lanes = require "lanes".configure { track_lanes = true, with_timers = false }
            print(select("#", lanes.threads()))
        ]])
    end)

    it("lists name and status of every lane, the newest first", function()
        assert.equal("third\twaiting\nsecond\twaiting\nfirst\twaiting\n", support.output [[
            local lanes = require "lanes".configure { track_lanes = true, with_timers = false }
            local linda = lanes.linda()
            local handles = {}
            local generator = lanes.gen("*", function(name)
                set_debug_threadname(name)
                linda:send("named", name)
                linda:receive("never")
            end)
            for i, name in ipairs { "first", "second", "third" } do
                handles[i] = generator(name)
                linda:receive("named")
                while handles[i].status ~= "waiting" do lanes.sleep(0.001) end
            end
            for _, lane in ipairs(lanes.threads()) do
                print(lane.name, lane.status)
                for key in pairs(lane) do assert(key == "name" or key == "status", key) end
            end
            for i = 1, 3 do handles[i]:cancel("hard", 20) end
        ]])
    end)

    it("lists lanes that have ended until their handle is collected", function()
        assert.equal("error\ndone\n0\n", support.output [[
            local lanes = require "lanes".configure { track_lanes = true, with_timers = false }
            do
                local done = lanes.gen("*", function() end)()
                local failed = lanes.gen("*", function() error("no") end)()
                done:join()
                failed:join()
                for _, lane in ipairs(lanes.threads()) do print(lane.status) end
            end
            local function count() collectgarbage() return select("#", lanes.threads()) end
            local done, failed
            for i = 1, 1000 do
                if count() == 0 then break end
                lanes.sleep(0.01)
            end
            print(count())
        ]])
    end)

    it("lists a cancelled lane as cancelled", function()
        assert.equal("cancelled\n", support.output [[
            local lanes = require "lanes".configure { track_lanes = true, with_timers = false }
            local handle = lanes.gen("*", function() require "lanes".sleep(1000) end)()
            while handle.status ~= "waiting" do lanes.sleep(0.001) end
            handle:cancel("hard", 20)
            print(lanes.threads()[1].status)
        ]])
    end)

    it("lists lanes that lanes launched", function()
        assert.equal("inner\nouter\n", support.output [[
            local lanes = require "lanes".configure { track_lanes = true, with_timers = false }
            local linda = lanes.linda()
            local handle = lanes.gen("*", function()
                set_debug_threadname("outer")
                local inner = require "lanes".gen("*", function()
                    set_debug_threadname("inner")
                    linda:send("ready", true)
                    linda:receive("go")
                end)()
                return inner[1]
            end)()
            linda:receive("ready")
            for _, lane in ipairs(lanes.threads()) do print(lane.name) end
            linda:send("go", true)
            handle:join()
        ]])
    end)

    it("always lists one that runs while lanes launch lanes and end", function()
        assert.equal("over\n", support.output([[
            local lanes = require "lanes".configure { track_lanes = true, with_timers = false }
            local linda = lanes.linda()
            local parked = {}
            for i = 1, 50 do parked[i] = lanes.gen("*", function() end)() end
            for i = 1, 50 do parked[i]:join() end

            local function relay(n)
                if n == 0 then
                    linda:set("over", true)
                else
                    require "lanes".gen("*", relay)(n - 1)
                end
            end
            lanes.gen("*", relay)(300)
            local running
            repeat
                running = false
                for _, lane in ipairs(lanes.threads()) do
                    running = running or lane.status ~= "done"
                end
            until not running
            print(linda:get "over" and "over" or "no lane runs, and it is not over")
        ]], { environment = { LANES_DELAYS = 1000 } }))
    end)

    it("can be called by a lane", function()
        assert.equal("me\trunning\n", support.output [[
            local lanes = require "lanes".configure { track_lanes = true, with_timers = false }
            print(lanes.gen("*", function()
                set_debug_threadname("me")
                local list = require "lanes".threads()
                return list[1].name, list[1].status
            end)():join())
        ]])
    end)

    it("ignores arguments", function()
        assert.equal("0\n", support.output [[
            local lanes = require "lanes".configure { track_lanes = true, with_timers = false }
            print(select("#", lanes.threads(1, {}, "x")))
        ]])
    end)
end)

describe("the option priority", function()
    it("is checked when the generator is called", function()
        support.raises("Priority out of range: -3..+3 (4)", lanes.gen("*", { priority = 4 }, nothing))
        support.raises("Priority out of range: -3..+3 (-4)", lanes.gen("*", { priority = -4 }, nothing))
        support.raises("Priority out of range: -3..+3 (", lanes.gen("*", { priority = math.huge }, nothing))
        support.raises("Priority out of range: -3..+3 (", lanes.gen("*", { priority = 0 / 0 }, nothing))
    end)

    it("of 0 and below needs no privilege", function()
        for priority = -3, 0 do
            assert.equal("done", lanes.gen("*", { priority = priority }, function() return "done" end)()[1])
        end
    end)

    it("above 0 works, or the error names the missing permission", function()
        for priority = 1, 3 do
            local ok, result = pcall(function()
                return lanes.gen("*", { priority = priority }, function() return "done" end)()[1]
            end)
            if ok then assert.equal("done", result) else support.contains("priority", result:lower()) end
        end
    end)
end)

describe("set_thread_priority", function()
    it("refuses numbers out of range", function()
        support.raises("priority out of range: -3..+3 (4)", lanes.set_thread_priority, 4)
        support.raises("priority out of range: -3..+3 (-4)", lanes.set_thread_priority, -4)
    end)

    it("refuses anything but an integer", function()
        support.raises("bad argument #1 to 'set_thread_priority'", lanes.set_thread_priority)
        support.raises("bad argument #1 to 'set_thread_priority'", lanes.set_thread_priority, "high")
        support.raises("bad argument #1 to 'set_thread_priority'", lanes.set_thread_priority, {})
        support.raises("bad argument #1 to 'set_thread_priority'", lanes.set_thread_priority, nil)
    end)

    it("returns nothing", function()
        assert.equal(0, lanes.gen("*", function()
            return select("#", require "lanes".set_thread_priority(-1))
        end)()[1])
    end)
end)

-- The nice value of the calling thread: field 19 of stat, the 17th after the name in parentheses.
local function nice()
    local file = io.open("/proc/thread-self/stat")
    local fields = file:read("*a"):match("^.*%) (.*)$")
    file:close()
    local n = 0
    for field in fields:gmatch("%S+") do
        n = n + 1
        if n == 17 then return tonumber(field) end
    end
end

describe("a priority below 0, on Linux,", function()
    it_proc("raises the thread's nice value, more for a lower priority", function()
        local values, usual = {}, nice()
        for priority = -3, 0 do
            values[-priority] = lanes.gen("*", { priority = priority }, nice)()[1]
        end
        -- The specs themselves may run with such a low priority.
        for lower = 1, 3 do
            assert.is_true(values[lower - 1] < values[lower] or values[lower] == usual, "-" .. lower)
        end
    end)

    it_proc("set by the lane itself does the same", function()
        local before, after = lanes.gen("*", function()
            local before = nice()
            require "lanes".set_thread_priority(-2)
            return before, nice()
        end)():join()
        assert.is_true(before < after or before == after and after >= 9)
    end)

    it_proc("is not kept for later lanes", function()
        local usual = nice()
        for _ = 1, 10 do
            lanes.gen("*", { priority = -3 }, nothing)():join()
            lanes.gen("*", function() require "lanes".set_thread_priority(-3) end)():join()
            assert.equal(usual, lanes.gen("*", nice)()[1])
            assert.equal(usual, lanes.gen("*", { priority = 0 }, nice)()[1])
        end
    end)

    it_proc("is not kept for later lanes by lanes that it launched, either", function()
        -- More at once than there are idle threads.
        local function many()
            local lanes = require "lanes" -- luacheck: ignore
            local linda = lanes.linda()
            local all, values = {}, {}
            local generator = lanes.gen("*", function()
                linda:receive "go"
                return nice()
            end)
            for n = 1, 20 do all[n] = generator() end
            for n = 1, 20 do linda:send("go", n) end
            for n = 1, 20 do values[n] = all[n][1] end
            return table.concat(values, " ")
        end
        local usual = many()
        lanes.gen("*", { priority = -3 }, many)():join()
        assert.equal(usual, many())
    end)
end)

describe("set_thread_affinity", function()
    it("refuses a mask that is not positive", function()
        support.raises("invalid affinity (0)", lanes.set_thread_affinity, 0)
        support.raises("invalid affinity (-1)", lanes.set_thread_affinity, -1)
    end)

    it("refuses anything but an integer", function()
        support.raises("bad argument #1 to 'set_thread_affinity'", lanes.set_thread_affinity)
        support.raises("bad argument #1 to 'set_thread_affinity'", lanes.set_thread_affinity, "all")
        support.raises("bad argument #1 to 'set_thread_affinity'", lanes.set_thread_affinity, {})
    end)

    -- The list of CPUs that the calling thread may use, such as "0-1".
    local function cpus()
        for text in io.lines("/proc/thread-self/status") do
            local list = text:match("^Cpus_allowed_list:%s*(%S+)")
            if list then return list end
        end
    end

    it_proc("refuses a mask without an existing CPU", function()
        local last = 0
        for text in io.lines("/proc/cpuinfo") do
            last = tonumber(text:match("^processor%s*:%s*(%d+)")) or last
        end
        if last >= 29 then return end -- every bit of a portable mask is a CPU here
        local ok, message = lanes.gen("*", function(mask)
            return pcall(require "lanes".set_thread_affinity, mask)
        end)(2 ^ 30):join()
        assert.is_false(ok)
        support.contains("affinity", message)
    end)

    it_proc("binds the calling thread, and is not kept for later lanes", function()
        local first = tonumber(cpus():match("^%d+"))
        local before = cpus()
        for _ = 1, 10 do
            local count, list = lanes.gen("*", function(mask)
                return select("#", require "lanes".set_thread_affinity(mask)), cpus()
            end)(2 ^ first):join()
            assert.equal(0, count)
            assert.equal(tostring(first), list)
            assert.equal(before, lanes.gen("*", cpus)()[1])
        end
    end)
end)

describe("set_singlethreaded", function()
    it("is not implemented here", function()
        support.raises("not implemented", lanes.set_singlethreaded)
        support.raises("not implemented", lanes.set_singlethreaded, 1)
    end)
end)
