-- The 4.x interface when memory runs out: every allocation of a call is refused in turn. Each call
-- ends with Lua's own error, or succeeds, and everything works afterwards.
local support = require "support"
if support.apart(describe, it) then return end
local needs = require "needs"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes".configure { api = 4, with_timers = true }
local hooks = require "lanes_core".hooks

local it_hooks = needs.hooks(it)
local closes = _VERSION == "Lua 5.4" or _VERSION == "Lua 5.5"

-- What lanes do while their memory is refused; each returns true.
local bodies = {
    { "yields, and gets arguments", function(launch)
        local lane = launch("*", function(...)
            local got = coroutine.yield({ ... }, "text")
            return got[1]
        end)({}, "text")
        pcall(lane.resume, lane, { true })
        return lane:join()
    end },
    { "is ended where it is suspended", function(launch)
        local lane = launch("*", function(...)
            set_finalizer(function() return {} end)
            coroutine.yield(true, { ... })
        end)({})
        return lane:join()
    end },
    { "is asked while it is suspended", function(launch)
        local lane = launch("*", function() coroutine.yield {} return cancel_test() ~= nil, { "text" } end)()
        lane:cancel("soft", nil, true)
        return lane:join()
    end },
}

-- LuaJIT itself crashes when memory runs out in a trace, so the code is interpreted.
if rawget(_G, "jit") then
    jit.off()
    jit.flush()
end

-- What is called, each with what it is given.
local calls = {
    { "lanes.linda", function() return {} end, function() lanes.linda { name = "name", group = 0, close_handler = print } end },
    { "a linda with a name of its place", function() return {} end, function() lanes.linda { name = "auto" } end },
    { "send and receive", function() return lanes.linda() end, function(linda)
        linda:send("slot", {}, "text", 3)
        linda:receive(0, "other", "slot")
        linda:receive_batched(0, "slot", 1, 10)
        linda:receive(0)
    end },
    { "limit, restrict, set and get", function() return lanes.linda() end, function(linda)
        linda:limit("slot", 1)
        linda:restrict("slot", "set/get")
        linda:set("slot", "value", {})
        linda:get("slot", 2)
        linda:restrict("slot")
        linda:limit("slot")
        linda:dump()
        linda:count()
    end },
    { "conversions", function() return lanes.linda() end, function(linda)
        local object = setmetatable({}, { __lanesconvert = function() return { "text" } end })
        linda:send("slot", { object, object })
        linda:receive(0, "slot")
    end },
    { "objects as keys", function() return lanes.linda() end, function(linda)
        linda:send("slot", { [{ "key" }] = { "value" }, [function() end] = 5 })
        linda:receive(0, "slot")
    end },
    { "a lane", function() return {} end, function()
        lanes.gen("*", { name = "name", error_trace_level = "basic" }, function(value) return value end)({}):join()
    end },
    { "a coroutine lane", function() return {} end, function()
        local lane = lanes.coro("*", function(...) return coroutine.yield(...) end)({}, "text")
        lane:resume({ "answer" })
        lane:join()
    end },
    { "the end of a suspended lane", function() return {} end, function()
        local lane = lanes.coro("*", function(...) coroutine.yield(...) end)({}, "text")
        lane:join()
        return lane[1], lane[0]
    end },
    { "resume with arguments that cannot travel", function() return lanes.coro("*", function() coroutine.yield {} end)() end, function(lane)
        local fine, problem = pcall(lane.resume, lane, coroutine.create(function() end))
        if fine or not problem:find("Failed to send resumed values", 1, true) then error(problem, 0) end
        lane:join()
    end },
    { "requests to a suspended lane", function() return {} end, function()
        local lane = lanes.coro("*", function() coroutine.yield {} return cancel_test() end)()
        lane:cancel("soft", 0)
        lane:resume {}
        lane:cancel("soft", nil, true)
        lane:join()
    end },
    { "a suspended lane that nobody has", function() return {} end, function()
        lanes.coro("*", { name = "name", gc_cb = function() end }, function() return {} end)({})
        collectgarbage()
    end },
    { "objects as slots", function() return { lanes.linda(), lanes.linda() } end, function(given)
        local linda, slot = given[1], given[2]
        linda:send(slot, {}, "text", lanes.linda())
        linda:receive(0.001, lanes.linda(), slot)
        lanes.select(0, { linda, "receive", slot })
        linda:restrict(slot, "send/receive")
        linda:count(slot, "other")
        linda:dump()
        linda:restrict(slot, "none")
        linda:set(slot)
        linda:receive(0.001, lanes.linda(), slot)
    end },
    { "select, locks, timers and monitors", function() return lanes.linda { wake_period = 0.001 } end, function(linda)
        linda:restrict("other", "set/get")
        lanes.select(0.002, { linda, "receive", "slot", "more" }, { linda, "receive", "third" })
        lanes.select(0, { linda, "send", "slot", {}, "text" })
        local lock, add = lanes.genlock(linda, "lock", 2), lanes.genatomic(linda, "sum", 1)
        lock(2)
        lock(1, "try")
        lock(-2)
        add()
        lanes.timer(linda, "tick", 1000)
        lanes.timer(linda, "tick", nil)
        lanes.gen(function() end)():monitor(linda, "end")
        linda:wake()
        linda:receive(0.002)
    end },
    { "a close handler", function()
        local linda = lanes.linda { close_handler = function(own, problem) return { own, problem } end }
        return { linda, (loadstring or load)(closes and "local linda <close> = ... return {}" or "return {}") }
    end, function(given) given[2](given[1]) end },
    { "functions of the module", function() return {} end, function()
        lanes.nameof(string.sub)
        lanes.sleep(0)
        lanes.thread_priority_range("native")
        lanes.finally(print)
        lanes.finally()
    end },
    { "userdata by name", function() return lanes.linda() end, function(linda)
        linda:send("slot", io.stdin, { [io.stdout] = io.stderr })
        linda:receive_batched(0, "slot", 2)
    end },
    { "nameof through upvalues", function() return {} end, function(value)
        local function holder() return value end
        rawset(_G, "holder", holder)
        lanes.nameof(value)
        rawset(_G, "holder", nil)
    end },
    { "select and notifiers", function() return lanes.linda() end, function(linda)
        lanes.select(0, { linda, "receive", "slot" })
        lanes.select({ linda, "send", "slot", { 1 } }, { linda, "receive", "other" })
        local notifier = linda:notifier("slot", "other")
        notifier:receive()
        notifier:receive()
        notifier:close()
    end },
    { "a scope with a coroutine lane", function() return lanes.linda() end, function()
        lanes.scope(function(s)
            lanes.wait { s:run(lanes.gen("*", function() return 1 end)) }
            s:run(lanes.coro("*", function(...) coroutine.yield(...) end), {})
        end)
    end },
    { "wrong arguments", function() return lanes.linda() end, function(linda)
        for _, call in ipairs {
            function() linda:send({}, 1) end, function() linda:limit("slot", -1) end, function() return linda.nope end,
            function() lanes.linda { name = 5 } end, function() linda:restrict("slot", "x") end,
            -- These have a suggestion.
            function() return linda.recieve end, function() lanes.gen({ nmae = "x" }, "") end, function() lanes.gen("strng", "") end,
            function() lanes.select(-1, { linda, "receive", "slot" }) end, function() lanes.select { linda, "receive", lanes.null } end,
        } do
            local fine, problem = pcall(call)
            if fine or problem:find("not enough memory", 1, true) then error(problem, 0) end
        end
    end },
}

local function is_memory_error(problem)
    return type(problem) == "string"
        and (problem:find("not enough memory", 1, true) or problem:find("out of memory", 1, true)) ~= nil
end

-- Checks that lindas and lanes work.
local function check()
    local linda = lanes.linda()
    assert.is_true(linda:send("slot", { 1 }))
    assert.same({ 1 }, select(2, linda:receive(0, "slot")))
    assert.same({ true, 42 }, { lanes.gen("*", function(value) return value end)(42):join() })
end

-- Calls `refused(n, depth)`, which returns whether it has succeeded, the number of refusals and the error, with n = 1, 2, 3 ...
-- until nothing is refused; later numbers are a selection.
local function each(refused)
    for _, depth in ipairs { 1, math.huge } do
        local n = 1
        repeat
            local fine, count, problem = refused(n, depth)
            assert.is_true(fine or count > 0 and is_memory_error(problem), ("from allocation %d on: %s"):format(n, tostring(problem)))
            n = n < 100 and n + 1 or n + math.random(1, 20)
            collectgarbage()
        until count == 0
        check()
    end
end

describe("out of memory in 4.x:", function()
    for _, call in ipairs(calls) do
        local name, setup, run = call[1], call[2], call[3]

        it_hooks(name .. ", of the state", function()
            each(function(n, depth)
                return hooks.refuse(n, depth, run, setup())
            end)
        end)

        it_hooks(name .. ", of the library", function()
            each(function(n, depth)
                local given = setup()
                hooks.refuse_in_library(n, depth, 0)
                local fine, problem = pcall(run, given)
                return fine, hooks.refuse_in_library(), problem
            end)
        end)
    end

    for _, body in ipairs(bodies) do
        it_hooks("a coroutine lane that " .. body[1] .. ", of the lane", function()
            each(function(n, depth)
                hooks.refuse_in_lanes(n, depth)
                local fine, ended, problem = pcall(body[2], lanes.coro)
                local count = hooks.refuse_in_lanes()
                return fine and ended == true, count, fine and problem or ended
            end)
        end)
    end
end)
