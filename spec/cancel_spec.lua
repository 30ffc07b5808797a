-- Cancelling a lane: arguments and results of cancel, soft and hard requests. (Hooks and force:
-- cancel_hook_spec.)
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local LIMIT = support.LIMIT

-- Returns a lane that waits in `linda:receive("go")`. Its results are those of receive.
local function waiting(linda)
    local handle = lanes.gen("*", function() return linda:receive("go") end)()
    support.until_status(handle, "waiting")
    return handle
end

-- Returns a lane that has ended with the given results.
local function ended(...)
    local handle = lanes.gen("*", function(...) return ... end)(...)
    handle:join()
    return handle
end

-- Returns a lane that calls `body(linda)`, after it has called `linda:set("ready", true)`.
local function ready(linda, body)
    local handle = lanes.gen("*", body)(linda)
    support.until_true(function() return linda:get("ready") end, "the lane is ready")
    return handle
end

describe("cancel, on a lane that has ended,", function()
    it("returns true and the status", function()
        assert.same({ n = 2, true, "done" }, support.pack(ended():cancel()))
        local failed = lanes.gen("*", function() error("no") end)()
        failed:join()
        assert.same({ n = 2, true, "error" }, support.pack(failed:cancel("soft", 1)))
        local cancelled = waiting(lanes.linda())
        cancelled:cancel("hard", LIMIT)
        assert.same({ n = 2, true, "cancelled" }, support.pack(cancelled:cancel("hard", 1, true, 1)))
    end)

    it("changes nothing", function()
        local handle = ended("result")
        handle:cancel("hard", 1)
        assert.equal("result", (handle:join()))
        assert.equal("result", handle[1])
    end)

    it("sets no hook", function()
        local handle = ended("result")
        for _, mode in ipairs { "count", "line", "call", "ret" } do
            assert.same({ true, "done" }, { handle:cancel(mode, 1, 1) })
        end
        assert.equal("result", handle[1])
    end)
end)

describe("cancel", function()
    it("is hard by default", function()
        for _, cancel in ipairs {
            function(handle) handle:cancel() end,
            function(handle) handle:cancel(0) end,
            function(handle) handle:cancel(nil) end,
            function(handle) handle:cancel(false) end,
            function(handle) handle:cancel("hard") end,
        } do
            local handle = waiting(lanes.linda())
            cancel(handle)
            handle:join()
            assert.equal("cancelled", handle.status)
        end
    end)

    it("takes a number in the first place as timeout", function()
        assert.same({ true, "cancelled" }, { waiting(lanes.linda()):cancel(LIMIT) })
    end)

    it("does not wait by default", function()
        local linda = lanes.linda()
        local handle = ready(linda, function()
            linda:set("ready", true)
            repeat until linda:get("stop")
        end)
        assert.same({ n = 2, false, "timeout" }, support.pack(handle:cancel()))
        assert.same({ n = 2, false, "timeout" }, support.pack(handle:cancel("hard", 0.001)))
        assert.same({ n = 2, false, "timeout" }, support.pack(handle:cancel("soft", 0.001)))
        linda:set("stop", true)
        handle:join()
        assert.equal("done", handle.status)
    end)

    it("refuses an unknown mode", function()
        local handle = ended()
        support.raises("invalid hook option softly", handle.cancel, handle, "softly")
        support.raises("invalid hook option ", handle.cancel, handle, "")
        support.raises("invalid hook option 5", handle.cancel, handle, "5")
    end)

    it("refuses a negative timeout", function()
        local handle = ended()
        support.raises("cancel timeout cannot be < 0", handle.cancel, handle, -1)
        support.raises("cancel timeout cannot be < 0", handle.cancel, handle, "soft", -0.5)
        support.raises("cancel timeout cannot be < 0", handle.cancel, handle, "count", 1, -1)
    end)

    it("refuses a negative second timeout", function()
        local handle = ended()
        for _, wrong in ipairs { -1, -math.huge, 0 / 0 } do
            for _, mode in ipairs { "hard", "soft" } do
                support.raises("cancel timeout cannot be < 0", handle.cancel, handle, mode, 0, true, wrong)
            end
            support.raises("cancel timeout cannot be < 0", handle.cancel, handle, "count", 1, 0, true, wrong)
        end
    end)

    it("refuses a hook count below 1", function()
        local handle = ended()
        for _, mode in ipairs { "count", "line", "call", "ret" } do
            support.raises("hook count cannot be < 1", handle.cancel, handle, mode, 0)
            support.raises("hook count cannot be < 1", handle.cancel, handle, mode, -1, 1)
        end
    end)

    it("refuses a hook count that is missing or not a number", function()
        local handle = ended()
        for _, mode in ipairs { "count", "line", "call", "ret" } do
            support.raises("bad argument #3 to 'cancel'", handle.cancel, handle, mode)
            support.raises("bad argument #3 to 'cancel'", handle.cancel, handle, mode, nil)
            support.raises("bad argument #3 to 'cancel'", handle.cancel, handle, mode, true)
            support.raises("bad argument #3 to 'cancel'", handle.cancel, handle, mode, "many")
        end
    end)

    it("refuses a second timeout that is not a number", function()
        local handle = ended()
        support.raises("bad argument #4 to 'cancel'", handle.cancel, handle, "soft", nil, true)
        support.raises("bad argument #5 to 'cancel'", handle.cancel, handle, "hard", 0, true, "soon")
        support.raises("bad argument #5 to 'cancel'", handle.cancel, handle, "hard", 0, true, {})
    end)

    it("does nothing to the lane when it refuses its arguments", function()
        local linda = lanes.linda()
        local handle = waiting(linda)
        for _, cancel in ipairs {
            function() handle:cancel("softly") end,
            function() handle:cancel(-1) end,
            function() handle:cancel("soft", -1) end,
            function() handle:cancel("count", 0) end,
            function() handle:cancel("count") end,
            function() handle:cancel("soft", nil, true) end,
        } do
            assert.is_false(pcall(cancel))
        end
        linda:send("go", "value")
        assert.same({ "go", "value" }, { handle:join() })
    end)

    it("raises at the line of its caller", function()
        local handle, at = ended(), nil
        local message = support.error_of(function()
            at = support.here() handle:cancel("softly")
        end)
        assert.equal(at, message:sub(1, #at))
    end)

    it("can be called by a lane for lanes that it launched", function()
        assert.same({ true, "cancelled" }, { lanes.gen("*", function()
            local inner_lanes = require "lanes"
            local linda = inner_lanes.linda()
            local inner = inner_lanes.gen("*", function() linda:receive("never") end)()
            return inner:cancel("hard", 20)
        end)():join() })
    end)
end)

describe("a soft request", function()
    it("does not wake a waiting lane by itself", function()
        local linda = lanes.linda()
        local handle = waiting(linda)
        assert.same({ false, "timeout" }, { handle:cancel("soft") })
        assert.same({ false, "timeout" }, { handle:cancel("soft", 0.02) })
        assert.equal("waiting", handle.status)
        handle:cancel("hard", LIMIT)
    end)

    it("with the flag wakes a waiting receive, which returns only cancel_error", function()
        local handle = waiting(lanes.linda())
        assert.same({ true, "done" }, { handle:cancel("soft", LIMIT, true) })
        assert.same({ n = 1, lanes.cancel_error }, support.pack(handle:join()))
    end)

    it("with the flag wakes a waiting send, which returns only cancel_error", function()
        local linda = lanes.linda()
        linda:limit("full", 0)
        local handle = lanes.gen("*", function() return linda:send("full", 1) end)()
        support.until_status(handle, "waiting")
        assert.same({ true, "done" }, { handle:cancel("soft", LIMIT, true) })
        assert.same({ n = 1, lanes.cancel_error }, support.pack(handle:join()))
    end)

    it("with the flag wakes a sleep, which returns cancel_error", function()
        local handle = lanes.gen("*", function() return require "lanes".sleep(1000) end)()
        support.until_status(handle, "waiting")
        assert.same({ true, "done" }, { handle:cancel("soft", LIMIT, true) })
        assert.same({ n = 1, lanes.cancel_error }, support.pack(handle:join()))
    end)

    it("is reported by a wait that times out", function()
        local linda = lanes.linda()
        local cancel_error = lanes.cancel_error
        local handle = ready(linda, function()
            linda:set("ready", true)
            repeat
                local result = linda:receive(0.01, "never")
            until result == cancel_error
            return "noticed"
        end)
        handle:cancel("soft")
        assert.equal("noticed", handle[1])
    end)

    it("is noticed by calls that do not wait", function()
        local linda = lanes.linda()
        local cancel_error = lanes.cancel_error
        local handle = ready(linda, function()
            linda:send("some", 1)
            linda:set("ready", true)
            repeat until cancel_test()
            return linda:receive(0, "some") == cancel_error, linda:send(0, "some", 2) == cancel_error
        end)
        handle:cancel("soft")
        assert.same({ true, true }, { handle:join() })
        assert.equal(1, linda:count("some"))
    end)

    it("stays pending", function()
        local linda = lanes.linda()
        local cancel_error = lanes.cancel_error
        local handle = ready(linda, function()
            linda:set("ready", true)
            repeat until cancel_test()
            for _ = 1, 10 do
                if linda:receive("never") ~= cancel_error or not cancel_test() then return "lost" end
            end
            return "stayed"
        end)
        handle:cancel("soft")
        assert.equal("stayed", handle[1])
    end)

    it("leaves the end to the lane", function()
        local linda = lanes.linda()
        local handle = ready(linda, function()
            linda:set("ready", true)
            repeat until cancel_test()
            error("in my own way", 0)
        end)
        assert.same({ true, "error" }, { handle:cancel("soft", LIMIT) })
        assert.equal("in my own way", handle[-1])
    end)
end)

describe("a hard request", function()
    it("ends a waiting receive", function()
        local handle = waiting(lanes.linda())
        assert.same({ true, "cancelled" }, { handle:cancel("hard", LIMIT) })
        assert.same({ n = 0 }, support.pack(handle:join()))
    end)

    it("ends a waiting send", function()
        local linda = lanes.linda()
        linda:limit("full", 0)
        local handle = lanes.gen("*", function() return linda:send("full", 1) end)()
        support.until_status(handle, "waiting")
        assert.same({ true, "cancelled" }, { handle:cancel("hard", LIMIT) })
    end)

    it("ends a waiting batched receive", function()
        local linda = lanes.linda()
        linda:send("k", 1)
        local handle = lanes.gen("*", function() return linda:receive(linda.batched, "k", 2) end)()
        support.until_status(handle, "waiting")
        assert.same({ true, "cancelled" }, { handle:cancel("hard", LIMIT) })
        assert.equal(1, linda:count("k"))
    end)

    it("ends a sleep", function()
        local handle = lanes.gen("*", function() require "lanes".sleep(1000) end)()
        support.until_status(handle, "waiting")
        assert.same({ true, "cancelled" }, { handle:cancel("hard", LIMIT) })
    end)

    it("is raised by calls that do not wait", function()
        local linda = lanes.linda()
        local cancel_error = lanes.cancel_error
        local handle = ready(linda, function()
            linda:set("ready", true)
            repeat until cancel_test()
            local received, receive_error = pcall(linda.receive, linda, 0, "ready")
            local sent, send_error = pcall(linda.send, linda, 0, "some", 2)
            return received, receive_error == cancel_error, sent, send_error == cancel_error
        end)
        handle:cancel("hard")
        assert.same({ false, true, false, true }, { handle:join() })
        assert.is_nil(linda:count("some"))
    end)

    it("is not seen by the calls of a linda that never wait", function()
        local linda = lanes.linda()
        local handle = ready(linda, function()
            linda:set("ready", true)
            repeat until cancel_test()
            linda:set("k", 1, 2)
            linda:limit("k", 5)
            return linda:get("k"), linda:count("k"), linda:dump().k.limit
        end)
        handle:cancel("hard")
        assert.same({ 1, 2, 5 }, { handle:join() })
    end)

    it("can be caught, and the lane continues", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function()
            local ok, err = pcall(linda.receive, linda, "never")
            return ok, err, "went on"
        end)()
        support.until_status(handle, "waiting")
        assert.same({ true, "done" }, { handle:cancel("hard", LIMIT) })
        assert.same({ false, lanes.cancel_error, "went on" }, { handle:join() })
    end)

    it("stays pending after it was caught", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function()
            for _ = 1, 5 do pcall(linda.receive, linda, "never") end
            linda:set("caught", cancel_test())
            linda:receive("never")
        end)()
        support.until_status(handle, "waiting")
        assert.same({ true, "cancelled" }, { handle:cancel("hard", LIMIT) })
        assert.is_true((linda:get("caught")))
    end)

    it("is not undone by a timeout of cancel", function()
        local linda = lanes.linda()
        local handle = ready(linda, function()
            linda:set("ready", true)
            repeat until linda:get("stop")
            linda:receive("never")
        end)
        assert.same({ false, "timeout" }, { handle:cancel("hard", 0.001) })
        linda:set("stop", true)
        handle:join()
        assert.equal("cancelled", handle.status)
    end)

    it("can be replaced by a soft one", function()
        local linda = lanes.linda()
        local cancel_error = lanes.cancel_error
        local handle = lanes.gen("*", function()
            local caught = not pcall(linda.receive, linda, "never")
            linda:set("caught", caught)
            repeat until linda:get("softened")
            return linda:receive("never") == cancel_error
        end)()
        support.until_status(handle, "waiting")
        handle:cancel("hard")
        support.until_true(function() return linda:get("caught") end, "the lane caught the hard request")
        handle:cancel("soft")
        linda:set("softened", true)
        assert.is_true(handle[1])
    end)

    it("can replace a soft one", function()
        local linda = lanes.linda()
        local handle = waiting(linda)
        handle:cancel("soft")
        assert.same({ true, "cancelled" }, { handle:cancel("hard", LIMIT) })
    end)

    it("reaches a receive in a coroutine of the lane", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function()
            return coroutine.wrap(function() return linda:receive("never") end)()
        end)()
        support.until_status(handle, "waiting")
        assert.same({ true, "cancelled" }, { handle:cancel("hard", LIMIT) })
    end)

    it("does not reach the lanes that the lane launched", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function()
            local inner = require "lanes".gen("*", function() -- luacheck: ignore inner
                linda:set("inner", true)
                linda:receive("go")
                linda:send("answer", cancel_test())
            end)()
            linda:receive("never")
        end)()
        support.until_true(function() return linda:get("inner") and handle.status == "waiting" end)
        assert.same({ true, "cancelled" }, { handle:cancel("hard", LIMIT) })
        linda:send("go", true)
        assert.same({ "answer", false }, { linda:receive("answer") })
    end)

    it("does not interrupt a join of another lane", function()
        local linda = lanes.linda()
        local handle = ready(linda, function()
            local inner = require "lanes".gen("*", function() linda:receive("go") return 5 end)()
            linda:set("ready", true)
            local five = inner[1]
            linda:set("joined", five)
            linda:receive("never")
        end)
        assert.same({ false, "timeout" }, { handle:cancel("hard", 0.02) })
        linda:send("go", true)
        handle:join()
        assert.equal("cancelled", handle.status)
        assert.equal(5, (linda:get("joined")))
    end)
end)

describe("cancelling many lanes", function()
    it("reaches each of them", function()
        local linda = lanes.linda()
        local generator = lanes.gen("*", function() linda:receive("never") end)
        local handles = {}
        for i = 1, 50 do handles[i] = generator() end
        for i = 1, 50 do handles[i]:cancel("hard") end
        for i = 1, 50 do
            handles[i]:join()
            assert.equal("cancelled", handles[i].status)
        end
    end)
end)
