-- Cancelling a lane that runs code: the hook modes "count", "line", "call" and "ret", and the flag
-- for force.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local LIMIT = support.LIMIT

-- Returns a lane that waits in `linda:receive("go")`. Its results are those of
-- receive.
local function waiting(linda)
    local handle = lanes.gen("*", function() return linda:receive("go") end)()
    support.until_status(handle, "waiting")
    return handle
end

-- Returns a lane that calls `body(linda)`, after it has called `linda:set("ready", true)`.
local function ready(linda, body)
    local handle = lanes.gen("*", body)(linda)
    support.until_true(function() return linda:get("ready") end, "the lane is ready")
    return handle
end

describe("a hook", function()
    -- Endless loops in the interpreter: hooks are not called in compiled code.
    local function spin()
        if jit then jit.off() end
        local function step() end
        while true do
            step()
        end
    end

    it("ends the function that handles an error, and then the lane", function()
        for _, mode in ipairs { "count", "line", "call", "ret" } do
            local handle = ready(lanes.linda(), function(linda)
                if jit then jit.off() end
                local function step() end
                local cancel_error, called = require "lanes".cancel_error, false
                local _, problem = xpcall(error, function(problem)
                    -- It is called again, for the error that a hook raises in it.
                    if called then return problem end
                    called = true
                    linda:set("ready", true)
                    while true do step() end
                end)
                if problem == cancel_error then error(problem, 0) end
                while true do step() end
            end)
            assert.same({ true, "cancelled" }, { handle:cancel(mode, 1, LIMIT) })
        end
    end)

    it("is not lost in a C function that handles an error", function()
        for _, mode in ipairs { "count", "call", "ret" } do
            for _ = 1, 20 do
                local handle = ready(lanes.linda(), function(linda)
                    if jit then jit.off() end
                    local cancel_error = require "lanes".cancel_error
                    package.preload.failing = function() error "on purpose" end
                    linda:set("ready", true)
                    while true do
                        package.loaded.failing = nil
                        local _, problem = pcall(require, "failing")
                        if problem == cancel_error then error(problem, 0) end
                        _, problem = xpcall(error, tostring)
                        -- Converted to text by `tostring`.
                        if problem == tostring(cancel_error) then error(cancel_error, 0) end
                    end
                end)
                assert.same({ true, "cancelled" }, { handle:cancel(mode, 1, LIMIT) })
            end
        end
    end)

    it("does not interrupt the handling of an error", function()
        local handle = ready(lanes.linda(), function(linda)
            if jit then jit.off() end
            linda:set("ready", true)
            -- No call here, so that the first call is that of the message handler.
            local n = 0
            while n < 2e7 do n = n + 1 end
            return n + nil
        end)
        handle:cancel("call", 1, 0)
        local nothing, message = handle:join(LIMIT)
        assert.is_nil(nothing)
        support.contains("attempt to perform arithmetic on a nil value", message)
    end)

    local function spinning(linda, body)
        return ready(linda, function()
            linda:set("ready", true)
            return body(linda)
        end)
    end

    for _, mode in ipairs { "count", "line", "call", "ret" } do
        it("of mode " .. mode .. " ends a loop", function()
            local handle = spinning(lanes.linda(), spin)
            assert.same({ true, "cancelled" }, { handle:cancel(mode, 10, LIMIT) })
            assert.same({ n = 0 }, support.pack(handle:join()))
        end)
    end

    if support.lua == "luajit" then
        it("ends a loop that LuaJIT may compile, when the loop calls cancel_test now and then", function()
            local handles = {}
            for i, mode in ipairs { "count", "line", "call", "ret" } do
                local linda = lanes.linda()
                handles[i] = spinning(linda, function()
                    local n = 0
                    while true do
                        n = n + 1
                        if n % 1000 == 0 then cancel_test() end
                        if n % 1000000 == 0 then linda:set("compiled by now", true) end
                    end
                end)
                support.until_true(function() return linda:get("compiled by now") end, "the loop runs compiled")
                handles[i]:cancel(mode, 10)
            end
            for i = 1, 4 do
                handles[i]:join(LIMIT)
                assert.equal("cancelled", handles[i].status)
            end
        end)
    end

    it("works with a huge count", function()
        local handle = spinning(lanes.linda(), spin)
        assert.same({ true, "cancelled" }, { handle:cancel("count", 1000000, LIMIT) })
    end)

    it("is a hard request for a waiting lane", function()
        local handle = waiting(lanes.linda())
        assert.same({ true, "cancelled" }, { handle:cancel("line", 1, LIMIT) })
    end)

    it("interrupts the coroutines of the lane", function()
        for _, mode in ipairs { "count", "line", "call", "ret" } do
            local handle = spinning(lanes.linda(), function()
                if jit then jit.off() end
                return coroutine.wrap(spin)()
            end)
            assert.same({ true, "cancelled" }, { handle:cancel(mode, 10, LIMIT) })
        end
    end)

    it("interrupts a coroutine that is made later", function()
        local handle = spinning(lanes.linda(), function()
            if jit then jit.off() end
            while true do coroutine.wrap(function() for _ = 1, 1000 do type(1) end end)() end
        end)
        assert.same({ true, "cancelled" }, { handle:cancel("count", 100, LIMIT) })
    end)

    it("raises cancel_error, which can be caught, and is then removed", function()
        local linda = lanes.linda()
        local cancel_error = lanes.cancel_error
        local handle = ready(linda, function()
            local ok, err = pcall(function()
                linda:set("ready", true)
                spin()
            end)
            local n = 0
            for i = 1, 100000 do n = n + i % 2 end
            return ok, err == cancel_error, n
        end)
        assert.same({ true, "done" }, { handle:cancel("count", 100, LIMIT) })
        assert.same({ false, true, 50000 }, { handle:join() })
    end)

    it("can be installed again after it was caught", function()
        local linda = lanes.linda()
        local handle = ready(linda, function()
            pcall(function()
                linda:set("ready", true)
                spin()
            end)
            linda:set("caught", true)
            spin()
        end)
        handle:cancel("count", 100)
        support.until_true(function() return linda:get("caught") end, "the lane caught the request")
        assert.same({ true, "cancelled" }, { handle:cancel("count", 100, LIMIT) })
    end)

    it("lets finalizers run to their end", function()
        local linda = lanes.linda()
        local handle = ready(linda, function()
            set_finalizer(function(err)
                local n = 0
                for i = 1, 100000 do n = n + i % 2 end
                linda:set("finalizer", { n, err == require "lanes".cancel_error })
            end)
            linda:set("ready", true)
            spin()
        end)
        assert.same({ true, "cancelled" }, { handle:cancel("count", 1, LIMIT) })
        assert.same({ 50000, true }, (linda:get("finalizer")))
    end)

    it("lets finalizers that use a coroutine of the body run to their end", function()
        local linda = lanes.linda()
        local handle = ready(linda, function()
            if jit then jit.off() end
            local step = coroutine.wrap(function()
                while true do coroutine.yield() end
            end)
            set_finalizer(function()
                for _ = 1, 1000 do step() end
                linda:set("finalizer", "whole")
            end)
            linda:set("ready", true)
            -- The hook comes here, long before it would in the coroutine.
            while true do
                step()
                for _ = 1, 1000 do type(1) end
            end
        end)
        assert.same({ true, "cancelled" }, { handle:cancel("count", 100, LIMIT) })
        assert.equal("whole", (linda:get("finalizer")))
    end)

    if support.lua == "5.4" or support.lua == "5.5" then
        it("lets <close> handlers run to their end", function()
            local linda = lanes.linda()
            local handle = ready(linda, [[
                local linda = ...
                local closing <close> = setmetatable({}, { __close = function()
                    local n = 0
                    for i = 1, 100000 do n = n + i % 2 end
                    linda:set("closed", n)
                end })
                linda:set("ready", true)
                while true do end
            ]])
            assert.same({ true, "cancelled" }, { handle:cancel("count", 1, LIMIT) })
            assert.equal(50000, (linda:get("closed")))
        end)
    end

    it("of mode ret does not interrupt a receive", function()
        local linda = lanes.linda()
        local values = {}
        for i = 1, 5000 do values[i] = function() return values, i end end
        local handle = ready(linda, function()
            if jit then jit.off() end
            linda:set("ready", true)
            local sum = 0
            while linda:get("go") == nil do sum = sum + 1 end
            linda:receive("key")
            while true do type(sum) end
        end)
        linda:send("key", values)
        linda:send("key", "second")
        linda:send("go", true)
        -- The lane makes functions from the first element for a while.
        support.until_true(function() return linda:count("key") == 1 end, "the first element taken")
        assert.same({ true, "cancelled" }, { handle:cancel("ret", 1, LIMIT) })
        -- A value that a lane has received is not put back, since others may have received the
        -- values behind it.
        assert.same({ "key", "second" }, { linda:receive(0, "key") })
        assert.equal(0, linda:count("key"))
    end)

    describe("in a lane that sets hooks of its own", function()
        for _, mode in ipairs { "count", "line", "call", "ret" } do
            it("ends a loop of debug.sethook, mode " .. mode, function()
                for _, body in ipairs {
                    function() while true do debug.sethook() end end,
                    function() while true do debug.sethook(function() end, "crl", 10) end end,
                    function() coroutine.wrap(function() while true do debug.sethook() end end)() end,
                    function()
                        local main = coroutine.running()
                        coroutine.wrap(function() while true do debug.sethook(main) debug.sethook() end end)()
                    end,
                } do
                    local handle = spinning(lanes.linda(), body)
                    assert.same({ true, "cancelled" }, { handle:cancel(mode, 1000, LIMIT) })
                end
            end)
        end

        it("ends a loop of debug.sethook by force", function()
            local handle = spinning(lanes.linda(), function() while true do debug.sethook() end end)
            assert.same({ true, "cancelled" }, { handle:cancel("hard", 0, true, LIMIT) })
        end)

        -- Launches a lane that gets a hook which never reaches its count, and then calls
        -- `check(linda, hook)`.
        local function pending(check)
            local linda = lanes.linda()
            local handle = ready(linda, function()
                local function hook() end
                debug.sethook(hook, "", 1000000000)
                linda:set("ready", true)
                while not linda:get("asked") do end
                check(linda, hook)
                return "not ended"
            end)
            local ended = handle:cancel("count", 2000000000, 0)
            -- On LuaJIT the hook is also called at the next call, and may have ended the lane by now.
            assert.is_true(support.lua == "luajit" or not ended)
            linda:set("asked", true)
            return handle, linda
        end

        -- On LuaJIT the hook is called before debug.gethook.
        if support.lua ~= "luajit" then
            it("is not visible in debug.gethook", function()
                local handle, linda = pending(function(linda, hook)
                    local f, mask, count = debug.gethook()
                    linda:set("hook", f == hook and mask .. count)
                    linda:set("again", debug.gethook() == hook)
                end)
                assert.equal("not ended", handle[1])
                assert.equal("1000000000", (linda:get("hook")))
                assert.is_true((linda:get("again")))
            end)
        end

        it("is set again when the lane sets one", function()
            for _, change in ipairs {
                function() debug.sethook() end,
                function() debug.sethook(function() end, "l") end,
                function() debug.sethook(nil) end,
            } do
                local handle = pending(function()
                    change()
                    for _ = 1, 100 do change() end
                end)
                handle:join(LIMIT)
                assert.equal("cancelled", handle.status)
            end
        end)

        it("is replaced by the lane's own hook when its error is caught", function()
            local linda = lanes.linda()
            local handle = ready(linda, function()
                if jit then jit.off() end
                local function hook() end
                debug.sethook(hook, "", 1000000000)
                local _, err = pcall(function()
                    linda:set("ready", true)
                    while true do type(1) end
                end)
                local f, mask, count = debug.gethook()
                -- After it has raised its error, the lane's own hooks are in effect.
                debug.sethook()
                return err == require "lanes".cancel_error, f == hook, mask, count, (debug.gethook())
            end)
            assert.same({ true, "done" }, { handle:cancel("count", 1, LIMIT) })
            assert.same({ n = 5, true, true, "", 1000000000 }, support.pack(handle:join()))
        end)

        if support.lua == "5.4" then
            for name, text in pairs {
                ["a failed coroutine runs to close its variables"] = [[
                    coroutine.wrap(function()
                        local _ <close> = setmetatable({}, { __close = function() linda:set("ready", true) while true do end end })
                        error "no"
                    end)()
                ]],
                ["coroutine.close runs"] = [[
                    local co = coroutine.create(function()
                        local _ <close> = setmetatable({}, { __close = function() linda:set("ready", true) while true do end end })
                        coroutine.yield()
                    end)
                    coroutine.resume(co)
                    error(select(2, coroutine.close(co)), 0)
                ]],
            } do
                it("interrupts code that " .. name, function()
                    local linda = lanes.linda()
                    local handle = ready(linda, assert(load("local linda = ... " .. text)))
                    assert.same({ true, "cancelled" }, { handle:cancel("count", 10, LIMIT) })
                end)
            end
        end
    end)

    it("is not kept for a later lane", function()
        local handle = spinning(lanes.linda(), spin)
        handle:cancel("count", 1, LIMIT)
        assert.is_nil(lanes.gen("*", function() return debug.gethook() end)()[1])
    end)
end)

describe("the flag for force", function()
    it("sets all hooks, which ends a loop", function()
        local linda = lanes.linda()
        local handle = ready(linda, function()
            if jit then jit.off() end
            linda:set("ready", true)
            while true do type(1) end
        end)
        assert.same({ true, "cancelled" }, { handle:cancel("hard", 0, true, LIMIT) })
        assert.equal("cancelled", handle.status)
    end)

    it("returns false and timeout when that does not help, and kills nothing", function()
        local linda = lanes.linda()
        local handle = ready(linda, function()
            set_debug_threadname "outer"
            local inner = require "lanes".gen("*", function() linda:receive("go") return 5 end)()
            linda:set("ready", true)
            return inner[1]
        end)
        support.until_sleeping "outer"
        assert.same({ n = 2, false, "timeout" }, support.pack(handle:cancel("hard", 0, true, 0.02)))
        assert.same({ n = 2, false, "timeout" }, support.pack(handle:cancel("hard", 0, true)))
        assert.equal("running", handle.status)
        assert.same({ n = 2, nil, "timeout" }, support.pack(handle:join(0)))
        linda:send("go", true)
        handle:join()
        assert.is_true(handle.status == "done" or handle.status == "cancelled")
    end)

    it("has no effect on a lane that ends in time", function()
        local handle = waiting(lanes.linda())
        assert.same({ true, "cancelled" }, { handle:cancel("hard", LIMIT, true, 1) })
    end)
end)
