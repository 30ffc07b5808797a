-- The 4.x interface: pools, maps, select, wait, scopes, notifiers, event loops, supervisors and monitors.
local support = require "support"
if support.apart(describe, it) then return end
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes".configure { api = 4 }
local needs = require "needs"
local CE = lanes.cancel_error
local LIMIT = support.LIMIT
local pack, same = support.pack, support.same

local function square(x) return x * x end

-- A lane that waits for an element, and returns it.
local waits = lanes.gen("*", function(linda, slot) return select(2, linda:receive(slot)) end)

-- Runs a function in a lane; returns its results.
local function in_lane(f, ...)
    local lane = lanes.gen("*", f)(...)
    local function checked(fine, ...)
        if not fine then error((...), 0) end
        return ...
    end
    return checked(lane:join(LIMIT))
end

-- What a function returns in a lane that is asked to stop, softly, once it waits.
local function asked(f, ...)
    local lane = lanes.gen("*", { error_trace_level = "basic" }, f)(...)
    support.until_true(function() return lane.status == "waiting" end, "the lane waits")
    lane:cancel("soft", 0, true)
    return select(2, lane:join(LIMIT))
end

-- Each test runs in the main state, and in a lane.
local function everywhere(name, f)
    it(name, f)
    it(name .. ", in a lane", function()
        assert.is_true(in_lane(function()
            f()
            return true
        end))
    end)
end

-- Functions that lanes can have: no upvalue of busted's.
local function check(expected, ...)
    local found = { n = select("#", ...), ... }
    if found.n ~= #expected and found.n ~= expected.n then
        error(("%d results, %d expected"):format(found.n, expected.n or #expected), 2)
    end
    for i = 1, found.n do
        if found[i] ~= expected[i] then
            error(("result %d: %s, %s expected"):format(i, tostring(found[i]), tostring(expected[i])), 2)
        end
    end
end

describe("a pool in 4.x", function()
    everywhere("runs tasks whose futures answer as lanes do", function()
        local lanes = require "lanes" -- luacheck: ignore (shadows)
        local pool = lanes.pool { workers = 2 }
        local future = pool:submit(function(...) return ... end, 1, nil, 3)
        check({ n = 4, true, 1, nil, 3 }, future:join(120))
        check({ n = 4, true, 1, nil, 3 }, future:join())
        check({ 3, 1, n = 4, nil, 3 }, future[0], future[1], future[2], future[3])
        check({ n = 3, "done", nil, nil }, future.status, future[4], future[-1])
        local failing = pool:submit(function() error("broken", 0) end)
        local fine, err, trace = failing:join(120)
        check({ n = 3, nil, "broken", "string" }, fine, err, type(trace))
        check({ "broken", "broken", "error" }, failing[-1], failing[-2], failing.status)
        local read, text = pcall(function() return failing[1] end)
        if read or not text:find "broken$" then error("the error of the task expected", 0) end
        check({ true }, pool:close(120))
    end)

    it("has futures that are not ended in time, and cancelled ones", function()
        local pool, linda = lanes.pool { workers = 1 }, lanes.linda()
        local busy = pool:submit(function(l) return select(2, l:receive "go") end, linda)
        same({ n = 2, nil, "timeout" }, pack(busy:join(0)))
        local second = pool:submit(square, 2)
        same({ true, "cancelled" }, pack(second:cancel()))
        same({ n = 2, nil, CE }, pack(second:join()))
        same({ n = 4, 2, nil, CE, nil }, { n = 4, second[0], second[1], second[2], second[3] })
        support.raises("duration cannot be < 0", busy.join, busy, -1)
        linda:send("go", 7)
        same({ true, 7 }, pack(busy:join(LIMIT)))
        assert.is_true(pool:cancel(LIMIT))
    end)

    it("cancels a running task and waits for its end", function()
        local pool, linda = lanes.pool { workers = 1 }, lanes.linda()
        local busy = pool:submit(function(l) l:send("runs", true) l:receive "never" end, linda)
        assert.equal("runs", (linda:receive(LIMIT, "runs")))
        same({ true, "cancelled" }, pack(busy:cancel()))
        assert.equal(9, pool:submit(square, 3)[1])
        assert.is_true(pool:cancel(LIMIT))
    end)

    it("limits the number of tasks that wait, and reports an init that fails", function()
        local pool = lanes.pool { workers = 1, queue = 1, name = "named", max_tasks = 2 }
        local futures = {}
        for i = 1, 8 do futures[i] = pool:submit(square, i) end
        for i = 1, 8 do assert.equal(i * i, futures[i][1]) end
        assert.matches("^Pool: named", tostring(pool))
        assert.equal(8, pool:stats().done)
        assert.is_true(pool:close(LIMIT))
        support.raises("pool: init failed: no", lanes.pool, { workers = 1, init = function() error("no", 0) end })
    end)

    it("has lanes with few libraries, or with a list of 4.x", function()
        for _, libraries in ipairs { "base", "base,bit?,bit32?" } do
            local pool = lanes.pool { workers = 1, libraries = libraries, name = "few" }
            assert.equal(16, pool:submit(square, 4)[1])
            assert.is_true(pool:close(LIMIT))
        end
    end)

    it("answers a lane that is asked to stop", function()
        same({ n = 2, nil, CE }, pack(asked(function()
            local never = require "lanes".linda()
            local pool = require "lanes".pool { workers = 1 }
            local future = pool:submit(function(l) l:receive "never" end, never)
            return future:join()
        end)))
    end)
end)

describe("lanes.map in 4.x", function()
    everywhere("maps lists", function()
        local lanes = require "lanes" -- luacheck: ignore (shadows)
        local squares = lanes.map({ 1, 2, 3, 4 }, function(x) return x * x end)
        check({ 4, 1, 4, 9, 16 }, squares.n, squares[1], squares[2], squares[3], squares[4])
        local sum = 0
        for i, a, b in lanes.imap({ 1, 2, 3 }, function(x) return x, 2 * x end, { ordered = false }) do sum = sum + i + a + b end
        check({ 24 }, sum)
        local nested = lanes.map({ 2, 3 }, function(n)
            local list = {}
            for i = 1, n do list[i] = i end
            local results, total = require "lanes".map(list, function(x) return x * x end, { chunk = 1 }), 0
            for i = 1, results.n do total = total + results[i] end
            return total
        end)
        check({ 5, 14 }, nested[1], nested[2])
    end)

    it("raises, returns or handles errors", function()
        local function f(x) if x == 2 then error("bad", 0) end return x end
        support.raises("map: item 2: bad", lanes.map, { 1, 2, 3 }, f)
        local results = lanes.map({ 1, 2, 3 }, f, { on_error = "return" })
        assert.same({ 1, nil, 3, "bad" }, { results[1], results[2], results[3], results.errors[2] })
        assert.equal("2 bad", lanes.map({ 1, 2, 3 }, f, { on_error = function(i, err) return i .. " " .. err end })[2])
    end)

    it("ends at its timeout", function()
        local linda = lanes.linda()
        local pool = lanes.pool { workers = 1 }
        same({ n = 2, nil, "timeout" }, pack(pool:map(function() return linda:receive "never" end, { 1 }, { timeout = 0.01 })))
        assert.is_true(pool:cancel(LIMIT))
    end)

    it("answers a lane that is asked to stop", function()
        same({ n = 2, nil, CE }, pack(asked(function()
            local linda = require "lanes".linda()
            return require "lanes".map({ 1 }, function() return linda:receive "never" end)
        end)))
    end)
end)

describe("lanes.select and lanes.wait in 4.x", function()
    everywhere("answer what happens", function()
        local lanes = require "lanes" -- luacheck: ignore (shadows)
        local a, b = lanes.linda(), lanes.linda()
        b:send("slot", 5)
        check({ 2, "slot", 5 }, lanes.select({ a, "receive", "slot" }, { b, "receive", "slot" }))
        check({ n = 2, nil, "timeout" }, lanes.select(0, { a, "receive", "slot" }))
        local lane = lanes.gen(function() return 3 end)()
        local ended = lanes.wait({ lane }, { timeout = 120 })
        check({ 1, lane }, #ended, ended[1])
        check({ true, 3 }, lane:join())
        local blocked = lanes.gen("*", function(l) l:receive "never" end)(a)
        check({ n = 2, nil, "timeout" }, lanes.wait({ blocked }, { timeout = 0 }))
        blocked:cancel()
        local pool = lanes.pool { workers = 1 }
        local future = pool:submit(function() return 1 end)
        check({ future }, lanes.wait({ future }, { timeout = 120 })[1])
        pool:close()
    end)

    it("answer a lane that is asked to stop", function()
        same({ n = 2, nil, CE }, pack(asked(function() return require "lanes".select { require "lanes".linda(), "receive", "slot" } end)))
        same({ n = 2, nil, CE }, pack(asked(function()
            local lane = require "lanes".gen("*", function() require "lanes".sleep() end)()
            return require "lanes".wait { lane }
        end)))
    end)

    it("wait for coroutine lanes until they have ended", function()
        local lane = lanes.coro("*", function() coroutine.yield() end)()
        same({ n = 2, nil, "timeout" }, pack(lanes.wait({ lane }, { timeout = 0 })))
        lane:resume()
        assert.equal(lane, lanes.wait({ lane }, { timeout = LIMIT })[1])
    end)
end)

describe("lanes.scope in 4.x", function()
    everywhere("waits for its lanes", function()
        local lanes = require "lanes" -- luacheck: ignore (shadows)
        local lane
        check({ 1, 2 }, lanes.scope(function(s)
            lane = s:run(lanes.gen("*", function() return "ran" end))
            return 1, 2
        end))
        check({ "done", "ran" }, lane.status, lane[1])
    end)

    it("raises the first error, and ends the others", function()
        local linda, other = lanes.linda(), nil
        support.raises("broken", lanes.scope, function(s)
            other = s:run(waits, linda, "never")
            s:run(lanes.gen("*", function() error("broken", 0) end))
        end)
        -- The receive has returned: nil and the reason.
        assert.equal("done", other.status)
        assert.equal(CE, other[1])
    end)

    it("has a timeout", function()
        local linda = lanes.linda()
        support.raises("scope: timed out after 0.01 s", lanes.scope, function(s) s:run(waits, linda, "never") end, { timeout = 0.01 })
    end)

    it("ends coroutine lanes where they are suspended", function()
        local lane
        lanes.scope(function(s) lane = s:run(lanes.coro("*", function() coroutine.yield("last") error "not reached" end)) end)
        assert.equal("done", lane.status)
        same({ true, "last" }, pack(lane:join()))
    end)

    it("ends coroutine lanes when another lane fails", function()
        local lane
        support.raises("broken", lanes.scope, function(s)
            lane = s:run(lanes.coro("*", function() while not cancel_test(true) do coroutine.yield() end end))
            s:run(lanes.gen("*", function() error("broken", 0) end))
        end)
        assert.equal("done", lane.status)
    end)

    it("answers a lane that is asked to stop", function()
        same({ n = 2, nil, CE }, pack(asked(function()
            local scope = require "lanes".scope
            return scope(function(s) s:run(require "lanes".gen("*", function() require "lanes".sleep() end)) end)
        end)))
    end)
end)

describe("notifiers in 4.x", function()
    it("belong to lindas, lanes and futures", function()
        local linda = lanes.linda()
        local n = linda:notifier("slot", "other")
        assert.equal("number", type(n:fd()))
        same({ n = 2, nil, "timeout" }, pack(n:receive()))
        linda:send("other", 5)
        same({ "other", 5 }, pack(n:receive()))
        linda:cancel()
        same({ n = 2, nil, CE }, pack(n:receive()))
        n:close()
        local source = lanes.linda()
        local lane = waits(source, "go")
        local of_lane = lane:notifier()
        same({ n = 2, nil, "timeout" }, { n = 2, of_lane:receive() })
        source:send("go", 1)
        assert.equal(1, lane[1])
        same({ lane, "done" }, pack(of_lane:receive()))
        local pool = lanes.pool { workers = 1 }
        local future = pool:submit(function(l) return select(2, l:receive "go") end, source)
        local of_future = future:notifier()
        same({ n = 2, nil, "timeout" }, pack(of_future:receive()))
        source:send("go", 2)
        assert.equal(2, future[1])
        same({ future, "done" }, pack(of_future:receive()))
        of_future:close()
        assert.is_true(pool:close(LIMIT))
    end)
end)

-- How functions run as coroutines of each loop until all have ended.
local drivers = {}

function drivers.luv(uv, f)
    coroutine.wrap(f)()
    uv.run()
end

function drivers.copas(copas, f, is_over)
    copas.addthread(f)
    while not is_over() do copas.step(LIMIT) end
end

function drivers.cqueues(cqueues, f)
    local queue = cqueues.new()
    queue:wrap(f)
    assert.is_true((queue:loop()))
end

function drivers.lgi(lgi, f, is_over)
    local context = lgi.GLib.MainContext.default()
    coroutine.wrap(f)()
    while not is_over() do context:iteration(true) end
end

for _, name in ipairs { "luv", "copas", "cqueues", "lgi" } do
    describe("lanes.async." .. name .. " in 4.x", function()
        local it = needs.module(name, name, it) -- luacheck: ignore (shadows)

        it("has the results of the waiting calls", function()
            local async = lanes.async[name]()
            local linda, cancelled = lanes.linda(), lanes.linda()
            cancelled:cancel()
            local found, over
            drivers[name](require(name), function()
                found = {
                    { async.receive(linda, 0.01, "slot") }, { async.receive(cancelled, "slot") },
                    { async.send(linda, "slot", 1) }, { async.send(linda, 0, "slot", 2, 3) }, { async.send(cancelled, "slot", 1) },
                    { async.receive(linda, "slot") }, { async.receive_batched(linda, "slot", 2) },
                    { async.receive_batched(linda, 0.01, "slot", 1) },
                    { async.join(lanes.gen(function() return 5 end)()) }, { async.join(waits(linda, "never"), 0.01) },
                    { async.sleep(0.01) }, { async.select({ linda, "receive", "a" }, { linda, "send", "b", 1 }) },
                    { async.select(0.01, { linda, "receive", "a" }) }, { async.call(square, 6) },
                    { pcall(async.receive, linda, -1, "slot") },
                }
                linda:limit("b", 1)
                found[#found + 1] = { async.send(linda, 0.01, "b", 2) }
                local pool = lanes.pool { workers = 1 }
                found[#found + 1] = { async.join(pool:submit(square, 7)) }
                pool:close()
                over = true
            end, function() return over end)
            local expected = {
                { nil, "timeout" }, { nil, CE },
                { true }, { true }, { nil, CE },
                { "slot", 1 }, { "slot", 2, 3 },
                { nil, "timeout" },
                { true, 5 }, { nil, "timeout" },
                { nil, "timeout" }, { 2, "b" },
                { nil, "timeout" }, { 36 },
                { false },
                { nil, "timeout" },
                { true, 49 },
            }
            assert.matches("duration cannot be < 0", found[15][2])
            found[15] = { false }
            for i = 1, #expected do
                assert.same(expected[i], { found[i][1], found[i][2], found[i][3] }, "call " .. i)
            end
            assert.equal(#expected, #found)
        end)
    end)
end

describe("lanes.supervise in 4.x", function()
    everywhere("starts lanes again", function()
        local lanes = require "lanes" -- luacheck: ignore (shadows)
        local linda = lanes.linda()
        local supervisor = lanes.supervise {
            { name = "child", start = lanes.gen("*", function(l)
                l:send("started", true)
                l:receive "go"
                error("broken", 0)
            end), args = { linda } },
        }
        check({ "started" }, (linda:receive(120, "started")))
        check({ 1, "child", "running" }, #supervisor:which(), supervisor:which()[1].name, supervisor:which()[1].status)
        check({ n = 2, nil, "timeout" }, supervisor:join(0))
        linda:send("go", true)
        check({ "started" }, (linda:receive(120, "started")))
        check({ true }, supervisor:stop(120))
        check({ true }, supervisor:join(120))
        check({ "done" }, supervisor.status)
    end)

    it("fails beyond its intensity", function()
        local supervisor = lanes.supervise { { name = "child", start = lanes.gen("*", function() error("broken", 0) end) }, intensity = 2 }
        local fine, err = supervisor:join(LIMIT)
        assert.is_nil(fine)
        assert.equal("supervisor: 2 restarts in 5 s", err)
    end)

    it("reports a child that does not start", function()
        support.raises('child "child" did not start: no', lanes.supervise, { { name = "child", start = function() error("no", 0) end } })
    end)
end)

describe("lane:monitor and lanes.waiting in 4.x", function()
    everywhere("tell of ends and of waits", function()
        local lanes = require "lanes" -- luacheck: ignore (shadows)
        local linda, told = lanes.linda { name = "source" }, lanes.linda()
        local lane = lanes.gen("*", { name = "waiter" }, function(l) l:receive "go" error("broken", 0) end)(linda)
        check({ true }, lane:monitor(told, "ended"))
        local found
        local finish = os.time() + 120
        repeat
            for _, entry in ipairs(lanes.waiting()) do if entry.name == 'lane "waiter"' then found = entry end end
        until found or os.time() > finish
        check({ "receive", "source", "go" }, found.op, found.linda, found.keys[1])
        linda:send("go", true)
        local _, event = told:receive(120, "ended")
        check({ "waiter", "error", "broken" }, event.name, event.status, event.err)
    end)

    it("gives nil and cancel_error for a cancelled linda", function()
        local linda = lanes.linda()
        linda:cancel()
        local lane = lanes.gen(function() end)()
        lane:join()
        same({ n = 2, nil, CE }, pack(lane:monitor(linda, "ended")))
    end)
end)
