-- The position at the head of an error message: always the line that called the interface.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local linda = lanes.linda()
local handle = lanes.gen("*", function() end)()
handle:join()
local generator = lanes.gen("*", function() end)
local thread = coroutine.create(function() end)
local pool = lanes.pool { workers = 1 }
local future = pool:submit(function() end)

-- Each entry: the name of the call, and a function that stores its line's position in `at` and
-- makes a bad call on that line.
local at
local here = support.here
local calls = {
    { "gen without arguments", function() at = here() lanes.gen() end },
    { "gen with a bad library", function() at = here() lanes.gen("nope", print) end },
    { "gen with a bad option", function() at = here() lanes.gen("*", { nope = 1 }, print) end },
    { "gen with a bad body", function() at = here() lanes.gen("*", 5) end },
    { "a generator with a bad argument", function() at = here() generator(thread) end },
    { "a generator with a bad priority", function()
        local bad = lanes.gen("*", { priority = 9 }, print)
        at = here() bad()
    end },
    { "a generator with a body that does not compile", function()
        local bad = lanes.gen("*", "this is no Lua")
        at = here() bad()
    end },
    { "linda", function() at = here() lanes.linda({}) end },
    { "send without a key", function() at = here() linda:send() end },
    { "send without a value", function() at = here() linda:send("k") end },
    { "send of a value that cannot be passed", function() at = here() linda:send("k", thread) end },
    { "receive", function() at = here() linda:receive({}) end },
    { "set", function() at = here() linda:set({}, 1) end },
    { "get", function() at = here() linda:get("k", 0) end },
    { "limit", function() at = here() linda:limit("k") end },
    { "count", function() at = here() linda:count({}) end },
    { "dump", function() at = here() linda.dump(5) end },
    { "the cancel of a linda", function() at = here() linda:cancel("nobody") end },
    { "deep", function() at = here() linda.deep(5) end },
    { "join", function() at = here() handle:join({}) end },
    { "the cancel of a lane", function() at = here() handle:cancel("softly") end },
    { "get_debug_threadname", function() at = here() handle:get_debug_threadname(1) end },
    { "a field of a lane", function() at = here() local _ = handle.nothing end },
    { "timer", function() at = here() lanes.timer(5) end },
    { "sleep", function() at = here() lanes.sleep("long") end },
    { "genlock", function() at = here() lanes.genlock(5) end },
    { "genlock with a bad key", function() at = here() lanes.genlock(linda, {}) end },
    { "genatomic with a bad key", function() at = here() lanes.genatomic(linda, {}) end },
    { "genatomic", function() at = here() lanes.genatomic(5) end },
    { "nameof", function() at = here() lanes.nameof() end },
    { "register", function() at = here() lanes.register() end },
    { "threads", function() at = here() lanes.threads() end },
    { "set_singlethreaded", function() at = here() lanes.set_singlethreaded() end },
    { "set_thread_priority", function() at = here() lanes.set_thread_priority(9) end },
    { "pool", function() at = here() lanes.pool(5) end },
    { "pool with a bad option", function() at = here() lanes.pool { workers = 0 } end },
    { "pool with globals that cannot be passed", function() at = here() lanes.pool { globals = { x = thread } } end },
    { "map without a list", function() at = here() lanes.map(print, print) end },
    { "map without a function", function() at = here() lanes.map({ 1 }, 5) end },
    { "map with a bad option", function() at = here() lanes.map({ 1 }, print, { chunk = 0 }) end },
    { "map of a function that cannot be passed", function() at = here() lanes.map({ 1 }, function() return thread end) end },
    { "imap without items", function() at = here() lanes.imap(nil, print) end },
    { "imap without a function", function() at = here() lanes.imap({ 1 }, 5) end },
    { "imap with a bad option", function() at = here() lanes.imap({ 1 }, print, { chunk = 0 }) end },
    { "imap of a function that cannot be passed", function() at = here() lanes.imap({ 1 }, function() return thread end) end },
    { "the map of a pool", function() at = here() pool:map(print) end },
    { "the map of a pool, without a function", function() at = here() pool:map(5, { 1 }) end },
    { "the map of a pool, of a function that cannot be passed", function()
        at = here() pool:map(function() return thread end, { 1 })
    end },
    { "the imap of a pool", function() at = here() pool:imap(print) end },
    { "the imap of a pool, of a function that cannot be passed", function()
        at = here() pool:imap(function() return thread end, { 1 })
    end },
    { "the map of no pool", function() at = here() pool.map(5, print, {}) end },
    { "submit without a function", function() at = here() pool:submit() end },
    { "submit of a value that cannot be passed", function() at = here() pool:submit(print, thread) end },
    { "stats of no pool", function() at = here() pool.stats() end },
    { "close", function() at = here() pool:close "x" end },
    { "the cancel of a pool", function() at = here() pool:cancel "x" end },
    { "the join of a future", function() at = here() future:join "x" end },
    { "the join of no future", function() at = here() future.join(5) end },
    { "the cancel of no future", function() at = here() future.cancel() end },
    { "a field of a future", function() at = here() local _ = future.nothing end },
    { "wait", function() at = here() lanes.wait(5) end },
    { "wait with a bad entry", function() at = here() lanes.wait { 5 } end },
    { "wait with a bad option", function() at = here() lanes.wait({}, { count = 0 }) end },
    { "select", function() at = here() lanes.select(5) end },
    { "monitor", function() at = here() handle:monitor(5, "key") end },
    { "supervise", function() at = here() lanes.supervise(5) end },
    { "supervise without children", function() at = here() lanes.supervise {} end },
    { "supervise with a child that does not start", function()
        at = here() lanes.supervise { { name = "x", start = function() return 5 end } }
    end },
    { "scope", function() at = here() lanes.scope(5) end },
    { "scope with bad options", function() at = here() lanes.scope(print, 5) end },
    { "scope with a bad option", function() at = here() lanes.scope(print, { timeout = -1 }) end },
    { "a scope that times out", function() at = here() lanes.scope(function() linda:receive "never" end, { timeout = 0 }) end },
    { "run without a generator", function() lanes.scope(function(s) at = here() s:run(5) end) end },
    { "run of a function that returns no lane", function() lanes.scope(function(s) at = here() s:run(tostring, 5) end) end },
    { "run without a scope", function() lanes.scope(function(s) at = here() s.run(5) end) end },
    { "a field of a scope", function() lanes.scope(function(s) at = here() local _ = s.nothing end) end },
    { "a generator with a bad argument in a scope", function()
        lanes.scope(function(s) at = here() s:run(generator, thread) end)
    end },
    { "set_thread_affinity", function() at = here() lanes.set_thread_affinity(0) end },
}

describe("the position of an error of", function()
    for _, call in ipairs(calls) do
        it(call[1] .. " is the caller's line", function()
            local message = support.error_of(call[2])
            assert.equal(at, message:sub(1, #at))
        end)
    end

    it("configure is the caller's line", function()
        local result = support.run [[
            local lanes = require "lanes"
            local function bad()
                lanes.configure(5)
            end
            print(select(2, pcall(bad)))
        ]]
        support.contains(result.file .. ":3: Bad parameter #1", result.out)
    end)
end)

describe("an error that an interface passes on", function()
    it("has its position once", function()
        for _, call in ipairs(calls) do
            local message = support.error_of(call[2])
            assert.is_nil(message:find(at, #at + 1, true), message)
            assert.is_nil(message:find("lanes.lua:", 1, true), message)
        end
    end)
end)
