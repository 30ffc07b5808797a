-- lanes.pool: workers, futures, and the end of a pool.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local pack, raises, until_true = support.pack, support.raises, support.until_true
local LIMIT = support.LIMIT

-- Runs body(pool), and cancels the pool afterwards, also after an error.
local function with(options, body)
    local pool = lanes.pool(options)
    local results = pack(pcall(body, pool))
    pool:cancel(LIMIT)
    if not results[1] then error(results[2], 0) end
end

describe("lanes.cpus", function()
    it("returns a whole number from 1", function()
        local count = lanes.cpus()
        assert.is_true(count >= 1 and count % 1 == 0)
    end)
end)

describe("lanes.pool", function()
    it("names an unknown option and the known ones", function()
        raises("Bad 'workres' option; do you mean 'workers'? (options of lanes.pool are globals, init, libraries, max_tasks, "
            .. "memory_limit, name, package, priority, queue, required, stack_size, time_limit, workers)", lanes.pool, { workres = 1 })
    end)

    it("checks each option", function()
        for name, wrong in pairs {
            workers = 0, libraries = 5, init = "x", time_limit = 0, queue = 0.5, max_tasks = -1, name = true, globals = 1, required = "x",
            package = 1, priority = "high", memory_limit = "1", stack_size = true,
        } do
            raises(("Bad '%s' option"):format(name), lanes.pool, { [name] = wrong })
        end
        raises("bad argument #1 to 'pool' (table expected, got number)", lanes.pool, 5)
        raises("Bad library name", lanes.pool, { libraries = "strng" })
    end)

    it("has the given number of workers", function()
        with({ workers = 3 }, function(pool)
            assert.equal(3, pool:stats().workers)
        end)
        with(nil, function(pool)
            assert.equal(lanes.cpus(), pool:stats().workers)
        end)
    end)

    it("calls init once in each worker, before any task", function()
        local linda = lanes.linda()
        local function init()
            linda:send("init", true)
            READY = true -- luacheck: ignore
        end
        with({ workers = 2, init = init }, function(pool)
            assert.equal(2, linda:count "init")
            for _ = 1, 10 do
                assert.is_true(pool:submit(function() return READY end)[1]) -- luacheck: ignore
            end
            assert.equal(2, linda:count "init")
        end)
    end)

    it("raises the error of init", function()
        raises("pool: init failed: ", lanes.pool, { init = function() error "no way" end })
        raises("no way", lanes.pool, { init = function() error "no way" end })
        local fine, err = pcall(lanes.pool, { init = function() error { code = 5 } end })
        assert.is_false(fine)
        assert.equal(5, err.code)
        raises("pool: init failed", lanes.pool, { init = function() error(coroutine.create(function() end)) end })
    end)

    it("passes options to its lanes", function()
        with({ workers = 1, globals = { G = 7 }, libraries = "table,string" }, function(pool)
            local future = pool:submit(function() return G, io == nil, string ~= nil end) -- luacheck: ignore
            assert.same({ n = 3, 7, true, true }, pack(future:join(LIMIT)))
        end)
    end)

    it("ends its workers when it is collected", function()
        local linda = lanes.linda()
        do
            local pool = lanes.pool { workers = 2, init = function()
                set_finalizer(function() linda:send("end", true) end)
            end }
            assert.equal(2, pool:stats().workers)
        end
        until_true(function()
            support.collect()
            return linda:count "end" == 2
        end, "the workers end")
    end)
end)

describe("pool:submit", function()
    it("returns a future with the results", function()
        with({ workers = 2 }, function(pool)
            local future = pool:submit(function(...) return select("#", ...), ... end, 1, nil, "x", nil)
            assert.same({ n = 5, 4, 1, nil, "x", nil }, pack(future:join(LIMIT)))
            assert.equal(4, future[1])
            assert.is_nil(future[3])
            assert.equal("x", future[4])
            assert.is_true(future[0])
            assert.equal("done", future.status)
            assert.same({ n = 0 }, pack(pool:submit(function() end):join()))
        end)
    end)

    it("shares the work among the workers", function()
        with({ workers = 2 }, function(pool)
            local linda = lanes.linda()
            -- Each task waits for the other one's message.
            local function meet(mine, other)
                linda:send(mine, true)
                return linda:receive(other) == other
            end
            local first, second = pool:submit(meet, "a", "b"), pool:submit(meet, "b", "a")
            assert.is_true(first[1])
            assert.is_true(second[1])
        end)
    end)

    it("keeps an error in the future", function()
        with({ workers = 1 }, function(pool)
            local future = pool:submit(function() error("broken", 0) end)
            local nothing, err, trace = future:join(LIMIT)
            assert.is_nil(nothing)
            assert.equal("broken", err)
            support.contains("pool_spec.lua", trace)
            assert.equal("error", future.status)
            assert.equal("broken", future[-1])
            raises("broken", function() return future[1] end)
            local _, object = pool:submit(function() error { code = 5 } end):join()
            assert.equal(5, object.code)
            local _, text = pool:submit(function() return coroutine.create(function() end) end):join()
            support.contains("thread", text)
            assert.equal("still", pool:submit(function() return "still" end)[1])
        end)
    end)

    it("refuses anything but a function, and values that cannot be passed", function()
        with({ workers = 1 }, function(pool)
            raises("bad argument #1 to 'submit' (function expected, got string)", pool.submit, pool, "print")
            raises("arg #2", pool.submit, pool, function() end, 1, coroutine.create(function() end))
            raises("pool:submit(...)", pool.submit, 5)
            assert.equal(1, pool:submit(function() return 1 end)[1])
            assert.equal(0, pool:stats().queued)
        end)
    end)

    it("gives a future a status", function()
        with({ workers = 1 }, function(pool)
            local linda = lanes.linda()
            local first = pool:submit(function()
                linda:send("begun", true)
                linda:receive "go"
            end)
            local second = pool:submit(function() end)
            linda:receive(LIMIT, "begun")
            assert.equal("running", first.status)
            assert.equal("pending", second.status)
            assert.same({ n = 2, nil, "timeout" }, pack(second:join(0)))
            linda:send("go", true)
            second:join()
            assert.equal("done", first.status)
            assert.equal("done", second.status)
            raises("a future has 'status', 'join', 'cancel', 'notifier' and its results by number", function() return first.state end)
            raises("bad argument #1 to 'join' (number expected", first.join, first, "soon")
        end)
    end)

    it("waits if the queue is full", function()
        with({ workers = 1, queue = 2 }, function(pool)
            local linda, most = lanes.linda(), 0
            linda:limit("n", 100)
            local futures = {}
            for i = 1, 20 do
                futures[i] = pool:submit(function() linda:send("n", i) end)
                most = math.max(most, pool:stats().queued)
            end
            for _, future in ipairs(futures) do future:join() end
            assert.is_true(most <= 2)
            assert.equal(20, linda:count "n")
        end)
    end)

    it("cancels a waiting task", function()
        with({ workers = 1 }, function(pool)
            local linda = lanes.linda()
            local first = pool:submit(function() linda:receive "go" end)
            local second = pool:submit(function() linda:send("ran", true) end)
            assert.same({ n = 2, true, "cancelled" }, pack(second:cancel()))
            assert.equal("cancelled", second.status)
            assert.same({ n = 0 }, pack(second:join()))
            linda:send("go", true)
            first:join()
            assert.is_true(pool:close(LIMIT))
            assert.is_nil(linda:count "ran")
        end)
    end)

    it("cancels a running task and replaces its worker", function()
        with({ workers = 1 }, function(pool)
            local linda = lanes.linda()
            local future = pool:submit(function()
                linda:send("begun", true)
                linda:receive "never"
            end)
            linda:receive(LIMIT, "begun")
            assert.same({ n = 2, true, "cancelled" }, pack(future:cancel("hard", LIMIT)))
            assert.equal("cancelled", future.status)
            assert.equal("next", pool:submit(function() return "next" end)[1])
            local busy = pool:submit(function()
                if rawget(_G, "jit") then jit.off() end -- compiled loops do not check hooks
                linda:send("begun", true)
                while true do math.sin(1) end
            end)
            linda:receive(LIMIT, "begun")
            assert.is_true((busy:cancel("count", 100, LIMIT)))
            assert.equal("next", pool:submit(function() return "next" end)[1])
            assert.same({ n = 2, true, "done" }, pack(pool:submit(function() end):cancel("hard", LIMIT) and true, "done"))
        end)
    end)

    it("replaces a worker after max_tasks", function()
        with({ workers = 1, max_tasks = 3 }, function(pool)
            local counts = {}
            for i = 1, 7 do
                counts[i] = pool:submit(function()
                    COUNT = (COUNT or 0) + 1 -- luacheck: ignore
                    return COUNT -- luacheck: ignore
                end)[1]
            end
            assert.same({ 1, 2, 3, 1, 2, 3, 1 }, counts)
        end)
    end)

    it("ends a task that exceeds its time limit", function()
        with({ workers = 1, time_limit = 0.05 }, function(pool)
            local _, err = pool:submit(function()
                local x = 0
                while true do x = math.sin(x) end
            end):join(LIMIT)
            support.contains("time limit exceeded", err)
            assert.equal(3, pool:submit(function() return 3 end)[1])
        end)
    end)
end)

describe("memory_limit of a pool", function()
    -- Some releases of LuaJIT do not let lanes have an allocator.
    local possible = pcall(lanes.gen("", { memory_limit = 64 * 1024 * 1024 }, function() end))

    it("fails the task only", function()
        if not possible then
            raises("memory_limit", lanes.pool, { memory_limit = 64 * 1024 * 1024 })
            return
        end
        with({ workers = 1, memory_limit = 16 * 1024 * 1024 }, function(pool)
            local before = pool:submit(function()
                KEPT = true -- luacheck: ignore
                return 1
            end)
            local large = pool:submit(function()
                local list = {}
                for i = 1, math.huge do list[i] = ("x"):rep(1000) .. i end
                return #list
            end)
            local after = pool:submit(function() return KEPT end) -- luacheck: ignore
            assert.equal(1, before[1])
            local nothing, err = large:join(LIMIT)
            assert.is_nil(nothing)
            support.contains("not enough memory", err)
            assert.same({ n = 1, nil }, pack(after:join(LIMIT)))
        end)
    end)
end)

describe("the end of a pool", function()
    it("close runs the queued tasks", function()
        local linda = lanes.linda()
        local pool = lanes.pool { workers = 2 }
        for i = 1, 50 do
            pool:submit(function() linda:send("done", i) end)
        end
        assert.is_true(pool:close())
        assert.equal(50, linda:count "done")
        assert.is_true(pool:close())
        raises("pool:submit: pool is closed", pool.submit, pool, print)
        raises("pool:map: pool is closed", pool.map, pool, print, {})
    end)

    it("close returns at its timeout", function()
        local linda = lanes.linda()
        local pool = lanes.pool { workers = 1 }
        local future = pool:submit(function() return linda:receive "go" end)
        assert.same({ n = 2, false, "timeout" }, pack(pool:close(0.01)))
        linda:send("go", true)
        assert.is_true(pool:close(LIMIT))
        assert.equal("go", future[1])
        raises("bad argument #1 to 'close'", pool.close, pool, "x")
    end)

    it("close works when a worker has to be replaced", function()
        local pool = lanes.pool { workers = 1, max_tasks = 1 }
        local futures = {}
        for i = 1, 5 do futures[i] = pool:submit(function() return i end) end
        assert.is_true(pool:close(LIMIT))
        for i = 1, 5 do assert.equal(i, futures[i][1]) end
    end)

    it("cancel ends running tasks and drops waiting ones", function()
        local linda = lanes.linda()
        local pool = lanes.pool { workers = 1 }
        local running = pool:submit(function()
            linda:send("begun", true)
            linda:receive "never"
        end)
        local waiting = pool:submit(function() linda:send("ran", true) end)
        linda:receive(LIMIT, "begun")
        assert.is_true(pool:cancel(LIMIT))
        assert.equal("cancelled", running.status)
        assert.equal("cancelled", waiting.status)
        assert.is_nil(linda:count "ran")
        assert.is_true(pool:cancel())
    end)

    it("comes at the end of a block from 5.4 on", function()
        local load_text = loadstring or load
        local scope = load_text "local pool <close> = ... return pool"
        if not scope then
            assert.is_true(support.lua < "5.4" or support.lua == "luajit")
            return
        end
        local pool = lanes.pool { workers = 1 }
        scope(pool)
        raises("pool is closed", pool.submit, pool, print)
    end)

    it("comes at the end of the program", function()
        support.output [[
            local lanes = require "lanes"
            local pool = lanes.pool { workers = 2 }
            pool:submit(function() require "lanes".sleep(1000) end)
            pool:submit(function() while true do math.sin(1) end end)
            lanes.map({ 1, 2 }, function(x) return x end)
        ]]
    end)
end)

describe("a lane that makes pools", function()
    it("is ended by a hook wherever it is", function()
        for n = 1, 30 do
            local lane = lanes.gen("*", function()
                if rawget(_G, "jit") then jit.off() end -- compiled loops do not look at hooks
                local lanes = require "lanes" -- luacheck: ignore
                while true do
                    local pool = lanes.pool { workers = 1 }
                    pool:map(function(x) return x end, { 1, 2, 3 })
                    pool:cancel()
                end
            end)()
            support.until_status(lane, "running")
            lane:cancel("count", 1 + n * 7, LIMIT)
            assert.equal("cancelled", lane.status)
        end
    end)
end)

describe("a pool within its own tasks", function()
    it("can map", function()
        with({ workers = 2 }, function(pool)
            local sums = pool:map(function(n)
                local list = {}
                for i = 1, n do list[i] = i end
                local sum, results = 0, pool:map(function(x) return 2 * x end, list)
                for i = 1, results.n do sum = sum + results[i] end
                return sum
            end, { 10, 20, 30, 40, 50 })
            assert.same({ 110, 420, 930, 1640, 2550, n = 5 }, sums)
        end)
    end)

    it("can map three levels deep, with errors", function()
        with({ workers = 2 }, function(pool)
            local function deep(level)
                if level == 0 then error("at the bottom", 0) end
                return pool:map(deep, { level - 1, level - 1, level - 1 })[1]
            end
            raises("map: item 1: map: item 1: map: item 1: at the bottom", pool.map, pool, deep, { 2, 2, 2, 2 })
        end)
    end)

    it("raises an error for a wait that would never end", function()
        with({ workers = 2 }, function(pool)
            local linda = lanes.linda()
            local function wait_for_others()
                linda:send("here", true)
                local future = pool:submit(function() return "deep" end)
                return future[1]
            end
            local first, second = pool:submit(wait_for_others), pool:submit(wait_for_others)
            local answers = { pack(first:join(LIMIT)), pack(second:join(LIMIT)) }
            local failed = 0
            for _, answer in ipairs(answers) do
                if answer[1] == nil then
                    failed = failed + 1
                    support.contains("waiting for a task of the same pool would take for ever", answer[2])
                else
                    assert.equal("deep", answer[1])
                end
            end
            assert.is_true(failed <= 2)
        end)
        with({ workers = 1 }, function(pool)
            local _, err = pool:submit(function() return pool:submit(function() end)[1] end):join(LIMIT)
            support.contains("waiting for a task of the same pool would take for ever", err)
        end)
    end)

    it("belongs to its state and its workers", function()
        support.output [[
            local lanes = require "lanes"
            local pool = lanes.pool { workers = 1 }
            local _, err = lanes.gen("*", function() return pool:submit(print) end)():join()
            assert(err:find("this pool belongs to another state", 1, true), err)
            pool:cancel()
        ]]
    end)
end)
