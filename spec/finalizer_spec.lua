-- Finalizers: when they run, with which arguments, and the effect of their errors.
local support = require "support"
local needs = require "needs"
local assert, describe, it, before_each, _ENV = support.plain(assert, describe, it, before_each)

local lanes = require "lanes"

local log -- a linda; finalizers send what they observe to its slot "log"

-- The values in the log, in order.
local function noted()
    local entries = {}
    while true do
        local key, entry = log:receive(0, "log")
        if key ~= "log" then return entries end
        entries[#entries + 1] = entry
    end
end

before_each(function() log = lanes.linda() end)

-- Returns a lane that has registered a finalizer and waits for ever.
local function waiting(finalizer)
    local linda = lanes.linda()
    local handle = lanes.gen("*", function()
        set_finalizer(finalizer)
        local key, value = linda:receive("never")
        return key, value
    end)()
    support.until_status(handle, "waiting")
    return handle
end

describe("a finalizer", function()
    it("runs after the body, before the lane has ended", function()
        local handle = lanes.gen("*", function()
            set_finalizer(function() log:send("log", "finalizer") end)
            log:send("log", "body")
        end)()
        handle:join()
        assert.same({ "body", "finalizer" }, noted())
    end)

    it("runs on the lane's thread, in the lane's state", function()
        lanes.gen("*", function()
            local here = {}
            _G.mark = here
            set_finalizer(function() log:send("log", _G.mark == here) end)
        end)():join()
        assert.same({ true }, noted())
    end)

    it("gets no arguments when the body returned", function()
        lanes.gen("*", function()
            set_finalizer(function(...) log:send("log", { n = select("#", ...), ... }) end)
            return 1, 2
        end)():join()
        assert.same({ { n = 0 } }, noted())
    end)

    it("gets the error and its trace when the body failed", function()
        local handle = lanes.gen("*", function()
            set_finalizer(function(...) log:send("log", { n = select("#", ...), ... }) end)
            error("no")
        end)()
        local _, message, trace = handle:join()
        assert.same({ { n = 2, message, trace } }, noted())
    end)

    it("gets the error value itself, whatever it is", function()
        lanes.gen("*", function()
            local value = { code = 7 }
            set_finalizer(function(err) log:send("log", err == value) end)
            error(value)
        end)():join()
        assert.same({ true }, noted())
    end)

    it("gets the trace in the mode that the lane selected", function()
        lanes.gen("*", function()
            set_error_reporting("extended")
            set_finalizer(function(_, trace) log:send("log", type(trace[1])) end)
            error("no")
        end)():join()
        assert.same({ "table" }, noted())
    end)

    it("gets cancel_error and nil when the lane was cancelled", function()
        local handle = waiting(function(...) log:set("arguments", { n = select("#", ...), ... }) end)
        assert.same({ true, "cancelled" }, { handle:cancel("hard", support.LIMIT) })
        assert.same({ n = 2, lanes.cancel_error }, (log:get("arguments")))
    end)

    needs.limits(it)("gets only the message when memory ran out #address_space", function()
        local out = support.output([[
            local lanes = require "lanes"
            local log = lanes.linda()
            lanes.gen("*", function()
                set_finalizer(function(...) log:send("log", select("#", ...), (...)) end)
                local text = ("x"):rep(1000)
                while true do text = text .. text end
            end)():join()
            print(log:receive(0, log.batched, "log", 2))
        ]], { limits = "-v 400000" })
        assert.equal("log\t1\tnot enough memory\n", out)
    end)

    it("may be a C function", function()
        assert.equal("\ndone\n", support.output [[
            io.stdout:setvbuf("no")
            local lanes = require "lanes"
            print(lanes.gen("*", function() set_finalizer(print) return "done" end)():join())
        ]])
    end)

    it("does not change the results", function()
        local handle = lanes.gen("*", function()
            set_finalizer(function() return "other" end)
            return "result"
        end)()
        assert.same({ n = 1, "result" }, support.pack(handle:join()))
        assert.equal("done", handle.status)
    end)

    it("does not change the error", function()
        local handle = lanes.gen("*", function()
            set_finalizer(function() return "other" end)
            error("no", 0)
        end)()
        assert.equal("no", handle[-1])
    end)

    it("keeps its upvalues", function()
        lanes.gen("*", function()
            local count = 0
            set_finalizer(function() log:send("log", count) end)
            count = count + 1
        end)():join()
        assert.same({ 1 }, noted())
    end)

    it("runs in a lane whose handle was collected", function()
        local function launch()
            lanes.gen("*", function()
                set_finalizer(function() log:send("log", "ran") end)
                log:receive("go")
            end)()
        end
        launch()
        collectgarbage()
        collectgarbage()
        log:send("go", true)
        assert.same({ "log", "ran" }, { log:receive("log") })
    end)

    it("runs when the results of the body cannot be passed", function()
        local handle = lanes.gen("*", function()
            set_finalizer(function() log:send("log", "ran") end)
            return coroutine.create(function() end)
        end)()
        pcall(handle.join, handle)
        assert.same({ "ran" }, noted())
    end)

    it("may launch lanes", function()
        lanes.gen("*", function()
            set_finalizer(function()
                log:send("log", require "lanes".gen("*", function() return "inner" end)()[1])
            end)
        end)():join()
        assert.same({ "inner" }, noted())
    end)
end)

describe("several finalizers", function()
    it("run last first", function()
        lanes.gen("*", function()
            for i = 1, 5 do set_finalizer(function() log:send("log", i) end) end
        end)():join()
        assert.same({ 5, 4, 3, 2, 1 }, noted())
    end)

    it("run as often as they were registered", function()
        lanes.gen("*", function()
            local function finalizer() log:send("log", "ran") end
            set_finalizer(finalizer)
            set_finalizer(finalizer)
        end)():join()
        assert.same({ "ran", "ran" }, noted())
    end)

    it("do not include those that a finalizer registers", function()
        lanes.gen("*", function()
            set_finalizer(function()
                pcall(set_finalizer, function() log:send("log", "late") end)
                log:send("log", "first")
            end)
        end)():join()
        assert.same({ "first" }, noted())
    end)

    it("all get the same arguments", function()
        lanes.gen("*", function()
            for _ = 1, 3 do set_finalizer(function(err) log:send("log", err) end) end
            error("no", 0)
        end)():join()
        assert.same({ "no", "no", "no" }, noted())
    end)
end)

describe("a finalizer that fails", function()
    it("makes the lane fail", function()
        local handle = lanes.gen("*", function()
            set_finalizer(function() error("in the finalizer", 0) end)
            return "result"
        end)()
        local none, message, trace = handle:join()
        assert.same({ nil, "in the finalizer" }, { none, message })
        assert.equal("[C]:?", trace[1])
        assert.equal("error", handle.status)
    end)

    it("replaces the error of the body", function()
        local at = debug.getinfo(1, "l").currentline + 2
        local handle = lanes.gen("*", function()
            set_finalizer(function() error("in the finalizer", 0) end)
            error("in the body", 0)
        end)()
        local _, message, trace = handle:join()
        assert.equal("in the finalizer", message)
        support.contains(":" .. at, trace[2])
    end)

    it("replaces a cancellation", function()
        local handle = waiting(function() error("in the finalizer", 0) end)
        assert.same({ true, "error" }, { handle:cancel("hard", support.LIMIT) })
        assert.equal("in the finalizer", handle[-1])
    end)

    it("stops those that would come after it", function()
        local handle = lanes.gen("*", function()
            set_finalizer(function() log:send("log", "registered first") end)
            set_finalizer(function() error("in the second", 0) end)
            set_finalizer(function() log:send("log", "registered last") end)
        end)()
        handle:join()
        assert.equal("in the second", handle[-1])
        assert.same({ "registered last" }, noted())
    end)

    it("makes the lane a cancelled one by raising cancel_error", function()
        local handle = lanes.gen("*", function()
            set_finalizer(function() error(require "lanes".cancel_error) end)
            return "result"
        end)()
        assert.same({ n = 0 }, support.pack(handle:join()))
        assert.equal("cancelled", handle.status)
    end)
end)

describe("a finalizer of a cancelled lane", function()
    it("cannot wait on a linda while a hard request is pending", function()
        local cancel_error = lanes.cancel_error
        local handle = waiting(function()
            local sent, send_error = pcall(log.send, log, "k", 1)
            local received, receive_error = pcall(log.receive, log, 0, "k")
            log:set("seen", { sent, send_error == cancel_error, received, receive_error == cancel_error })
        end)
        assert.same({ true, "cancelled" }, { handle:cancel("hard", support.LIMIT) })
        assert.same({ false, true, false, true }, (log:get("seen")))
    end)

    it("can still use the calls that never wait", function()
        local handle = waiting(function()
            log:set("k", 5)
            log:limit("k", 3)
            log:set("seen", { log:get("k"), log:count("k"), cancel_test() })
        end)
        assert.same({ true, "cancelled" }, { handle:cancel("hard", support.LIMIT) })
        assert.same({ 5, 1, true }, (log:get("seen")))
    end)

    it("gets cancel_error from waiting calls while a soft request is pending", function()
        local cancel_error = lanes.cancel_error
        local handle = waiting(function()
            log:set("seen", {
                log:send("k", 1) == cancel_error, log:receive(0, "k") == cancel_error, cancel_test(),
            })
        end)
        assert.same({ true, "done" }, { handle:cancel("soft", support.LIMIT, true) })
        assert.same({ true, true, true }, (log:get("seen")))
    end)

    it("runs to its end", function()
        local handle = waiting(function()
            local n = 0
            for i = 1, 100000 do n = n + i end
            log:set("sum", n)
        end)
        assert.same({ true, "cancelled" }, { handle:cancel("count", 1, support.LIMIT) })
        assert.equal(5000050000, (log:get("sum")))
    end)
end)
