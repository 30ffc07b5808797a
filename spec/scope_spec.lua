-- lanes.scope: no lane outlives the function, whatever happens.
local support = require "support"
local needs = require "needs"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local pack, raises, until_true = support.pack, support.raises, support.until_true
local LIMIT = support.LIMIT
local cancel_error = lanes.cancel_error

-- A lane that waits until it is asked to stop, and says so.
local waiting = lanes.gen("*", function(linda, name)
    local found = linda:receive("never")
    linda:set("stopped", name or true) -- a send would be refused
    return found == require "lanes".cancel_error
end)

-- A lane that fails as soon as it may.
local failing = lanes.gen("*", function(linda, key, err)
    linda:receive(key)
    error(err, 0)
end)

local function fails(...)
    local found = pack(pcall(lanes.scope, ...))
    assert.is_false(found[1])
    return found[2]
end

describe("lanes.scope", function()
    it("returns the results of its function, after its lanes have ended", function()
        local linda, lane = lanes.linda(), nil
        local found = pack(lanes.scope(function(s)
            lane = s:run(lanes.gen("*", function(x) return select(2, x:receive "go") end), linda)
            s:run(lanes.gen("*", function(x) x:send("go", 7) end), linda)
            return 1, nil, nil
        end))
        assert.are.equal(3, found.n)
        assert.are.equal(1, found[1])
        assert.are.equal("done", lane.status)
        assert.are.equal(7, lane[1])
        assert.are.equal(0, pack(lanes.scope(function() end)).n)
    end)

    it("gives the arguments to the generator, and the handle to the caller", function()
        local results = pack(lanes.scope(function(s)
            return s:run(lanes.gen("*", function(...) return select("#", ...), ... end), 1, nil, nil):join()
        end))
        assert.are.equal(3, results[1])
        assert.are.equal(4, results.n)
    end)

    it("cancels its lanes and raises the error if its function fails", function()
        local linda, lane = lanes.linda(), nil
        assert.are.equal("on purpose", fails(function(s)
            lane = s:run(waiting, linda)
            error("on purpose", 0)
        end))
        assert.are.equal("done", lane.status)
        assert.is_true(lane[1])
        local err = {}
        assert.are.equal(err, fails(function() error(err) end))
        local _, of_pcall = pcall(error, nil) -- text in Lua 5.5
        assert.are.equal(of_pcall, fails(function() error(nil) end))
    end)

    it("wakes its function and the other lanes if a lane fails", function()
        local linda, other, found, lane = lanes.linda(), lanes.linda(), nil, nil
        assert.are.equal("lane failed", fails(function(s)
            lane = s:run(waiting, linda)
            s:run(failing, linda, "go", "lane failed")
            linda:send("go", true)
            found = other:receive("nothing ever comes")
            return 5
        end))
        assert.are.equal(cancel_error, found)
        assert.is_true(lane[1])
        -- The request is over.
        assert.are.equal(nil, (linda:receive(0.001, "nothing")))
    end)

    it("wakes its function in every kind of wait", function()
        local linda = lanes.linda()
        linda:limit("full", 0)
        local lock = lanes.genlock(linda, "lock", 1)
        lock(1)
        local waits = {
            function() return linda:send("full", 1) end,
            function() return lanes.select({ linda, "receive", "never" }) end,
            function(lane) return lanes.wait({ lane }, { count = "all" }) end,
            function() return lanes.sleep(LIMIT) end,
            function() return lock(1) end,
            -- These end because the other lane is asked to stop.
            function(lane) lane:join() return cancel_error end,
            function(lane) return lane[1] and cancel_error end,
        }
        for number, wait in ipairs(waits) do
            local found
            local err = fails(function(s)
                -- A lane that needs a moment to stop, so that a wait for it is ended by the request.
                local lane = s:run(lanes.gen("*", function(x)
                    x:receive "never"
                    x:receive(number == 3 and 0.05 or 0, "really never")
                    return true
                end), linda)
                s:run(failing, linda, "go", "lane failed")
                linda:send("go", true)
                found = wait(lane)
            end)
            assert.are.equal("lane failed", err, number)
            if number == 3 then
                assert.is_true(found == cancel_error or #found == 1, number)
            else
                assert.are.equal(cancel_error, found, number)
            end
        end
    end)

    it("asks lanes to stop that are launched after the failure", function()
        local linda, late = lanes.linda(), nil
        assert.are.equal("first", fails(function(s)
            s:run(failing, linda, "go", "first")
            linda:send("go", true)
            assert.are.equal(cancel_error, linda:receive "never")
            late = s:run(waiting, linda)
        end))
        assert.is_true(late[1])
    end)

    it("raises the first error, with the others beside it", function()
        local linda, others = lanes.linda(), lanes.linda()
        local err = fails(function(s)
            for i = 1, 2 do
                s:run(lanes.gen("*", function(x)
                    x:receive "never"
                    error("after " .. i, 0)
                end), others)
            end
            s:run(failing, linda, "go", { code = 7 })
            linda:send("go", true)
            others:receive "nothing"
            error "the function, too"
        end)
        assert.are.equal(7, err.code)
        assert.are.equal(3, #err.others)
        local text = table.concat(err.others, " ")
        for _, part in ipairs { "after 1", "after 2", "the function, too" } do support.contains(part, text) end
        err = fails(function(s)
            local lane = s:run(failing, linda, "go", { code = 8 })
            linda:send("go", true)
            return lane[1]
        end)
        assert.are.equal(8, err.code)
        assert.are.equal(0, #err.others)
    end)

    it("waits for the other lanes with on_error = \"wait\"", function()
        local linda, other, lane = lanes.linda(), lanes.linda(), nil
        local err = fails(function(s)
            s:run(failing, linda, "go", "first")
            lane = s:run(lanes.gen("*", function(x, y)
                local _, value = x:receive "later"
                y:send("came", value)
                return value
            end), linda, other)
            s:run(lanes.gen("*", function(x, y)
                -- Sends after the first one has failed.
                x:receive "failed"
                x:send("later", 5)
                assert(select(2, y:receive "came") == 5)
            end), linda, other)
            linda:send("go", true)
            local failed = s:run(failing, linda, "go", "second")
            linda:send("go", true)
            failed:join()
            linda:send("failed", true)
        end, { on_error = "wait" })
        assert.are.equal(5, lane[1])
        assert.is_true(err == "first" or err == "second")
        -- A function that fails does not cancel, either.
        err = fails(function(s)
            lane = s:run(lanes.gen("*", function(x) return select(2, x:receive "last") end), linda)
            s:run(lanes.gen("*", function(x) x:send("last", 6) end), linda)
            error "x"
        end, { on_error = "wait" })
        support.contains("x", err)
        assert.are.equal(6, lane[1])
    end)

    it("cancels all at the timeout, wherever they are", function()
        local linda, lane = lanes.linda(), nil
        local function launch(s) lane = s:run(waiting, linda) end
        local bodies = {
            launch,
            function(s) launch(s) linda:receive "never" end,
            function(s) launch(s) lane:join() end,
            function(s) launch(s) while lane.status ~= "done" do end end,
            function(s) launch(s) linda:receive "never" error "later" end,
        }
        for number, body in ipairs(bodies) do
            raises("scope: timed out after 0.02 s", lanes.scope, body, { timeout = 0.02 })
            assert.are.equal("done", lane.status, number)
            assert.is_true(lane[1], number)
        end
        raises("scope: timed out after 0 s", lanes.scope, launch, { timeout = 0 })
        assert.are.equal(5, lanes.scope(function() return 5 end, { timeout = LIMIT }))
        assert.are.equal(5, lanes.scope(function() return 5 end, { timeout = math.huge }))
        assert.are.equal("first", fails(function(s)
            s:run(failing, linda, "go", "first")
            linda:send("go", true)
        end, { timeout = LIMIT }))
        raises("scope: timed out after 0.02 s", lanes.scope, launch, { timeout = 0.02, on_error = "wait" })
    end)

    it("can be in another one, and in several at once", function()
        local linda, lane, inner = lanes.linda(), nil, nil
        -- The inner one fails: the outer function gets its error.
        local ok, err
        assert.are.equal("done", lanes.scope(function(outer)
            lane = outer:run(waiting, linda)
            ok, err = pcall(lanes.scope, function(s)
                s:run(failing, linda, "go", "inner")
                linda:send("go", true)
                linda:receive "never"
            end)
            assert.are.equal(nil, (linda:receive(0, "nothing")))
            assert.are_not.equal("done", lane.status)
            lane:cancel("soft", LIMIT, true)
            return "done"
        end))
        assert.is_false(ok)
        assert.are.equal("inner", err)
        -- The outer one fails: the inner function is woken, and its lanes.
        assert.are.equal("outer", fails(function(outer)
            outer:run(failing, linda, "go", "outer")
            return lanes.scope(function(s)
                inner = s:run(waiting, linda)
                linda:send("go", true)
                return linda:receive "never"
            end)
        end))
        assert.is_true(inner[1])
        assert.are.equal("done", inner.status)
    end)

    it("works in a lane and in a worker of a pool", function()
        local function body(linda, gen_body)
            local l = require "lanes"
            return pcall(l.scope, function(s)
                s:run(l.gen("*", gen_body), linda)
                s:run(l.gen("*", function() error("inside", 0) end))
                return linda:receive "never"
            end)
        end
        local function waits(linda) linda:receive "never" end
        local linda = lanes.linda()
        local found = pack(lanes.gen("*", body)(linda, waits):join())
        assert.is_false(found[1])
        assert.are.equal("inside", found[2])
        local pool = lanes.pool { workers = 1 }
        found = pack(pool:submit(body, linda, waits):join(LIMIT))
        assert.is_false(found[1])
        assert.are.equal("inside", found[2])
        found = pool:map(function(x)
            local l = require "lanes"
            return l.scope(function(s) return s:run(l.gen("*", function(y) return y * y end), x)[1] end)
        end, { 1, 2, 3 })
        assert.are.equal(14, found[1] + found[2] + found[3])
        assert.is_true(pool:close(LIMIT))
    end)

    it("ends if the calling lane is cancelled, softly or not", function()
        local linda = lanes.linda()
        local body = lanes.gen("*", function(x, waits_itself)
            local l = require "lanes"
            local generator = l.gen("*", function(y, number)
                local found = y:receive "never"
                y:set(number, found == require "lanes".cancel_error)
            end)
            local found = l.scope(function(s)
                s:run(generator, x, 1)
                s:run(generator, x, 2)
                x:send("there", true)
                return waits_itself and x:receive "never"
            end)
            return found == l.cancel_error
        end)
        for _, waits_itself in ipairs { true, false } do
            local lane = body(linda, waits_itself)
            linda:receive "there"
            lane:cancel("soft", LIMIT, true)
            assert.is_true(lane[1])
            for number = 1, 2 do
                assert.is_true(linda:get(number))
                linda:set(number)
            end
            lane = body(linda, waits_itself)
            linda:receive "there"
            lane:cancel("hard", LIMIT)
            assert.are.equal("cancelled", lane.status)
            -- Lanes that a hard request has ended have said nothing.
            assert.are.equal(nil, linda:get(1) or linda:get(2))
        end
    end)

    it("ends its lanes if the calling lane is cancelled by a hook", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function(x)
            if jit then jit.off() end
            local l = require "lanes"
            l.scope(function(s)
                s:run(l.gen("*", function(y)
                    y:receive "never"
                end), x)
                x:send("there", true)
                while true do end
            end)
        end)(linda)
        linda:receive "there"
        lane:cancel("count", 1000, LIMIT)
        assert.are.equal("cancelled", lane.status)
    end)

    it("keeps a failure that its lanes have been cancelled for apart from a request to the caller", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function(x)
            local l = require "lanes"
            local ok, err = pcall(l.scope, function(s)
                s:run(l.gen("*", function() error("inside", 0) end))
                x:receive "never"
                assert(cancel_test())
            end)
            return ok, err, cancel_test()
        end)(linda)
        local found = pack(lane:join(LIMIT))
        assert.is_false(found[1])
        assert.are.equal("inside", found[2])
        assert.is_false(found[3])
    end)

    it("forgets lanes that have ended, and knows those that have failed", function()
        local quick = lanes.gen(function() end)
        local collected = setmetatable({}, { __mode = "k" })
        local linda = lanes.linda()
        assert.are.equal("early", fails(function(s)
            s:run(failing, linda, "go", "early")
            linda:send("go", true)
            for i = 1, 200 do
                local lane = s:run(quick)
                lane:join()
                if i == 1 then collected[lane] = true end
            end
            collectgarbage()
            collectgarbage()
            assert.are.equal(nil, next(collected))
        end, { on_error = "wait" }))
    end)

    it("asks its lanes to stop if its coroutine is collected", function()
        if _VERSION == "Lua 5.1" and not jit then return needs.pending "need a pcall through which a coroutine can yield" end
        local linda = lanes.linda()
        local function abandon()
            coroutine.wrap(function()
                lanes.scope(function(s)
                    s:run(waiting, linda)
                    coroutine.yield()
                end)
            end)()
        end
        abandon()
        until_true(function()
            collectgarbage()
            return (linda:count "stopped" or 0) == 1
        end)
    end)

    it("reports the failures that it does not raise", function()
        local result = support.run([[
            local lanes = require "lanes".configure { on_error = "stderr" }
            local linda = lanes.linda()
            local body = lanes.gen("*", function(name) linda:receive "go" error(name, 0) end)
            local ok, err = pcall(lanes.scope, function(s)
                s:run(body, "one")
                s:run(body, "two")
                linda:send("go", true, true)
            end, { on_error = "wait" })
            print(err)
        ]])
        assert.are.equal(0, result.code)
        local raised = result.out:match "%a+"
        support.contains(raised == "one" and "two" or "one", result.err)
        assert.are.equal(nil, result.err:find(raised, 1, true))
    end)

    it("ends with the program", function()
        local result = support.run([[
            local lanes = require "lanes".configure()
            local linda = lanes.linda()
            local body = lanes.gen("*", function() linda:receive "never" end)
            lanes.scope(function(s)
                s:run(body)
                error "the program fails"
            end, { timeout = 1000 })
        ]])
        assert.are.equal(1, result.code)
        support.contains("the program fails", result.err)
    end)

    it("cannot be used after its end", function()
        local kept
        lanes.scope(function(s) kept = s end)
        raises("scope:run: the scope has ended", kept.run, kept, waiting)
    end)

    it("launches nothing in another lane", function()
        lanes.scope(function(s)
            local lane = s:run(lanes.gen("*", function(x) return pcall(x.run, x, print) end), s)
            assert.is_false(lane[1])
            support.contains("scope:run: this scope belongs to another state", lane[2])
        end)
    end)

    it("waits for its lanes wherever a hook interrupts it", function()
        for _, mode in ipairs { "count", "call", "ret" } do
            for round = 1, 40 do
                local linda = lanes.linda()
                local lane = lanes.gen("*", function(n)
                    if rawget(_G, "jit") then rawget(_G, "jit").off() end
                    local inner = require "lanes"
                    local child = inner.gen("*", function() end)
                    linda:set("ready", true)
                    while true do
                        local started
                        local fine, err = pcall(inner.scope, function(s)
                            for _ = 1, n % 4 do started = s:run(child) end
                        end)
                        if started and started.status ~= "done" and started.status ~= "cancelled" then
                            linda:set("escaped", started.status)
                        end
                        if not fine then error(err, 0) end
                    end
                end)(round)
                linda:receive(LIMIT, "ready")
                assert.is_true(lane:cancel(mode, 1 + round, LIMIT))
                assert.is_nil(linda:get "escaped")
            end
        end
    end)

    it("says what is wrong with its arguments", function()
        raises("bad argument #1 to 'scope' (function expected, got nil)", lanes.scope)
        raises("bad argument #1 to 'scope' (function expected, got table)", lanes.scope, {})
        raises("bad argument #2 to 'scope' (table expected, got number)", lanes.scope, print, 5)
        raises("Bad 'on_eror' option; do you mean 'on_error'? (options of lanes.scope are on_error, timeout)",
            lanes.scope, print, { on_eror = "wait" })
        raises("Bad 'on_error' option: \"stop\", lanes.scope expects \"cancel\" or \"wait\"", lanes.scope, print, { on_error = "stop" })
        for _, timeout in ipairs { -1, 0 / 0, "1", true } do
            raises("lanes.scope expects a number of seconds from 0", lanes.scope, print, { timeout = timeout })
        end
        lanes.scope(function(s)
            raises("bad argument #1 to 'run' (a generator expected, got nil)", s.run, s)
            raises("bad argument #1 to 'run' (a generator expected, got userdata)", s.run, s, lanes.linda())
            raises("bad argument #1 to 'run' (a generator expected, got a function that returned a nil)", s.run, s, function() end)
            raises("bad argument #1 to 'run' (scope expected, got function): call it as scope:run(...)", s.run, waiting)
            raises("can't index a scope with 'start': a scope has 'run'", function() return s.start end)
            raises("tried to copy unsupported types", s.run, s, waiting, coroutine.create(function() end))
            raises("my own", s.run, s, function() error "my own" end)
            assert.are.equal("scope", tostring(s))
        end)
    end)
end)
