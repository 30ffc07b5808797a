-- lane:monitor: a message at the end of a lane.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local raises, until_status = support.raises, support.until_status
local LIMIT = support.LIMIT

local function received(linda, key)
    local _, event = linda:receive(LIMIT, key)
    return event
end

-- A lane that runs `body` when it receives a message.
local function waiting(linda, body)
    return lanes.gen("*", function()
        linda:receive "go"
        return body()
    end)()
end

describe("lane:monitor", function()
    it("is told of a lane that returns", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function()
            linda:receive "go"
            set_debug_threadname "worker" -- luacheck: ignore
            return 1
        end)()
        assert.is_true(lane:monitor(linda, "end"))
        assert.is_nil(linda:count "end")
        linda:send("go", true)
        assert.same({ name = "worker", status = "done" }, received(linda, "end"))
        assert.equal("done", lane.status)
    end)

    it("is told of a lane that fails, with error and trace", function()
        local linda = lanes.linda()
        local lane = waiting(linda, function() error("oops", 0) end)
        assert.is_true(lane:monitor(linda, "end"))
        linda:send("go", true)
        local event = received(linda, "end")
        assert.equal("<unnamed>", event.name)
        assert.equal("error", event.status)
        assert.equal("oops", event.err)
        assert.same(select(3, lane:join()), event.trace)
    end)

    it("is told of a lane that is cancelled, in each way", function()
        for _, how in ipairs { "hard", "soft", "count" } do
            local linda = lanes.linda()
            local lane = lanes.gen("*", function()
                if jit then jit.off() end
                linda:send("runs", true)
                while not cancel_test() do end -- luacheck: ignore
                error(require "lanes".cancel_error)
            end)()
            linda:receive(LIMIT, "runs")
            assert.is_true(lane:monitor(linda, "end"))
            if how == "count" then lane:cancel(how, 100, LIMIT) else lane:cancel(how, LIMIT) end
            assert.same({ name = "<unnamed>", status = "cancelled" }, received(linda, "end"))
        end
    end)

    it("is told at once of a lane that has ended", function()
        local linda = lanes.linda()
        local done = lanes.gen("*", function() end)()
        local failed = lanes.gen("*", function() error { code = 5 } end)()
        until_status(done, "done")
        until_status(failed, "error")
        assert.is_true(done:monitor(linda, "end"))
        assert.equal(1, linda:count "end")
        assert.equal("done", received(linda, "end").status)
        assert.is_true(failed:monitor(linda, "end"))
        assert.equal(5, received(linda, "end").err.code)
        assert.is_true(failed:monitor(linda, "end"))
        assert.equal(5, received(linda, "end").err.code)
        assert.equal(5, failed[-1].code)
    end)

    it("keeps the metatable of an error object", function()
        local linda = lanes.linda()
        local Problem = { __tostring = function(self) return "problem " .. self.code end }
        local lane = waiting(linda, function() error(setmetatable({ code = 7 }, Problem)) end)
        lane:monitor(linda, "end")
        linda:send("go", true)
        local event = received(linda, "end")
        assert.equal("problem 7", tostring(event.err))
        assert.equal(7, lane[-1].code)
    end)

    it("sends the text of an error that cannot travel", function()
        local linda = lanes.linda()
        local lane = waiting(linda, function() error(coroutine.create(function() end)) end)
        lane:monitor(linda, "end")
        linda:send("go", true)
        assert.truthy(received(linda, "end").err:find "^thread: ")
        lane:monitor(linda, "end")
        assert.truthy(received(linda, "end").err:find "^thread: ")

        lane = waiting(linda, function()
            error(setmetatable({ coroutine.create(function() end) }, { __tostring = function() return "in words" end }))
        end)
        lane:monitor(linda, "end")
        linda:send("go", true)
        assert.equal("in words", received(linda, "end").err)

        lane = waiting(linda, function()
            error(setmetatable({ coroutine.create(function() end) }, { __tostring = function() error "no" end }))
        end)
        lane:monitor(linda, "end")
        linda:send("go", true)
        assert.equal("(error object is a table value)", received(linda, "end").err)
    end)

    it("has no error where that is nil", function()
        local linda = lanes.linda()
        local lane = waiting(linda, function() error() end)
        lane:monitor(linda, "end")
        linda:send("go", true)
        local event = received(linda, "end")
        assert.equal("error", event.status)
        -- From 5.5 on nil becomes a text.
        assert.is_true(event.err == nil or type(event.err) == "string")
    end)

    it("is told of the error of a finalizer", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function()
            set_finalizer(function() error("in the finalizer", 0) end) -- luacheck: ignore
            linda:receive "go"
        end)()
        lane:monitor(linda, "end")
        linda:send("go", true)
        local event = received(linda, "end")
        assert.equal("error", event.status)
        assert.equal("in the finalizer", event.err)
    end)

    it("can be asked for as often as wanted", function()
        local one, two = lanes.linda(), lanes.linda()
        local lane = waiting(one, function() end)
        for _ = 1, 3 do lane:monitor(one, "end") end
        lane:monitor(two, 5)
        one:send("go", true)
        for _ = 1, 3 do assert.equal("done", received(one, "end").status) end
        assert.equal("done", received(two, 5).status)
        assert.is_nil((one:receive(0, "end")))
    end)

    it("does not keep a lane from ending where the slot is full", function()
        local linda = lanes.linda()
        linda:limit("end", 1)
        linda:send("end", "full")
        local lane = waiting(linda, function() return "result" end)
        lane:monitor(linda, "end")
        linda:send("go", true)
        assert.equal("result", lane[1])
        assert.is_false(lane:monitor(linda, "end"))
        assert.equal("full", received(linda, "end"))
        assert.is_nil((linda:receive(0, "end")))
    end)

    it("does not keep a lane from ending where the linda is cancelled", function()
        local linda, told = lanes.linda(), lanes.linda()
        local lane = waiting(linda, function() return "result" end)
        told:cancel()
        assert.is_true(lane:monitor(told, "end"))
        linda:send("go", true)
        assert.equal("result", lane[1])
        assert.equal(lanes.cancel_error, lane:monitor(told, "end"))
    end)

    it("wakes who waits for the message", function()
        local linda = lanes.linda()
        local lane = waiting(linda, function() end)
        lane:monitor(linda, "end")
        local reader = lanes.gen("*", function() return select(2, linda:receive "end").status end)()
        linda:send("go", true)
        assert.equal("done", reader[1])
    end)

    it("misses no end and tells of none twice, whenever it is asked for", function()
        local linda = lanes.linda()
        for i = 1, 300 do
            local lane = lanes.gen("*", function() if i % 2 == 0 then error(i, 0) end end)()
            lane:monitor(linda, "end")
            local event = received(linda, "end")
            assert.equal(i % 2 == 0 and "error" or "done", event.status)
            assert.is_nil((linda:receive(0, "end")))
        end
    end)

    it("is told of a lane that runs out of memory", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", { memory_limit = 1000000 }, function()
            linda:receive "go"
            local list = {}
            for i = 1, math.huge do list[i] = ("x"):rep(1000) .. i end
            return list
        end)
        local fine, handle = pcall(lane)
        if not fine then
            support.contains("'memory_limit' option", handle)
            return
        end
        handle:monitor(linda, "end")
        linda:send("go", true)
        local event = received(linda, "end")
        assert.equal("error", event.status)
        assert.equal("not enough memory", event.err)
    end)

    it("works for the lane of the timers", function()
        assert.equal("LanesTimer\tcancelled\n", support.output [[
            local lanes = require "lanes".configure()
            local linda = lanes.linda()
            lanes.timer_lane:monitor(linda, "end")
            lanes.timer_lane:cancel()
            local _, event = linda:receive(60, "end")
            print(event.name, event.status)
        ]])
    end)

    it("can be asked for by a lane for its own lanes", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function()
            local child = require "lanes".gen("*", function() error("lost", 0) end)()
            return child:monitor(linda, "end")
        end)()
        assert.is_true(lane[1])
        assert.equal("lost", received(linda, "end").err)
    end)

    it("checks its arguments", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function() end)()
        raises("bad argument #2 to 'monitor' (expecting a linda, got no value)", lane.monitor, lane)
        raises("expecting a linda, got number", lane.monitor, lane, 5, "end")
        raises("expecting a linda, got userdata", lane.monitor, lane, lane, "end")
        raises("'monitor'", lane.monitor, lane, linda)
        raises("'monitor'", lane.monitor, lane, linda, {})
        raises("'monitor'", lane.monitor, lane, linda, "end", 5)
        raises("'monitor' (Lane expected", lane.monitor, linda, linda, "end")
        raises("'monitor' (Lane expected", lane.monitor)
        lane:join()
    end)

    it("ends nothing late: a program may end while lanes are monitored", function()
        assert.equal("", support.output [[
            local lanes = require "lanes".configure()
            linda = lanes.linda()
            for _ = 1, 5 do
                local lane = lanes.gen("*", function() linda:receive "never" end)()
                lane:monitor(linda, "end")
            end
        ]])
    end)
end)
