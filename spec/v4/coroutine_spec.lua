-- The 4.x interface: lanes that are coroutines.
local support = require "support"
if support.apart(describe, it) then return end
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes".configure { api = 4, strip_functions = false }
local pack = support.pack

local CE = lanes.cancel_error
local closes = _VERSION == "Lua 5.4" or _VERSION == "Lua 5.5"
local NOT_SUSPENDED = "cannot resume non-suspended coroutine Lane"

-- Launches a coroutine lane with all libraries.
local function launched(body, ...)
    return lanes.coro("*", body)(...)
end

-- As `launched`, and waits until it is suspended.
local function suspended(body, ...)
    local lane = launched(body, ...)
    support.until_status(lane, "suspended")
    return lane
end

describe("lanes.coro", function()
    it("checks its arguments as gen does", function()
        support.raises("No arguments!", function() lanes.coro() end)
        support.raises("Bad 'nope' option", function() lanes.coro({ nope = 1 }, print) end)
        assert.matches("coroutine_spec.lua:%d+: No arguments!", support.error_of(function() lanes.coro() end))
    end)

    it("launches lanes that run at once, and may never yield", function()
        local lane = launched(function(a, b) return a + b, nil end, 3, 4)
        assert.same(pack(true, 7, nil), pack(lane:join()))
        assert.equal("done", lane.status)
        assert.same({ 2, 7 }, { lane[0], lane[1] })
    end)

    it("launches lanes that fail like others", function()
        local lane = launched(function() error("text", 0) end)
        assert.same(pack(nil, "text"), pack(lane:join()))
        assert.equal("error", lane.status)
        local thrown = select(2, launched(function() error { code = 5 } end):join())
        assert.same({ code = 5 }, thrown)
    end)

    it("gives lanes the trace that was asked for", function()
        local body = function() local function inner() error("text", 0) end inner() end
        local _, _, trace = lanes.coro("*", { error_trace_level = "basic" }, body)():join()
        assert.is_true(#trace >= 2)
        for _, frame in ipairs(trace) do assert.equal("string", type(frame)) end
        local _, _, tables = lanes.coro("*", { error_trace_level = "extended" }, body)():join()
        assert.equal("number", type(tables[1].currentline))
    end)

    it("has finalizers, in the first coroutine of the lane", function()
        local linda = lanes.linda()
        local lane = suspended(function(to)
            set_finalizer(function(...) to:send("finalized", select("#", ...)) end)
            coroutine.yield "given"
        end, linda)
        assert.same(pack("given"), pack(lane:resume()))
        assert.same(pack(true), pack(lane:join()))
        assert.same(pack("finalized", 0), pack(linda:receive "finalized"))
    end)

    it("lets lanes that are no coroutines fail where they yield", function()
        local _, message = lanes.gen("*", function() coroutine.yield() end)():join()
        assert.matches("attempt to yield", message)
    end)
end)

describe("resume", function()
    it("gives what was yielded, and the lane the arguments", function()
        local lane = launched(function(...)
            local got = { ... }
            for _ = 1, 3 do
                got = { n = select("#", coroutine.yield(#got, got[1])), nil }
            end
            return "end"
        end, "a", "b")
        assert.same(pack(2, "a"), pack(lane:resume()))
        lane = launched(function(...)
            local function next_of(...) return select("#", ...), coroutine.yield(select("#", ...), ...) end
            return select("#", next_of(next_of(...)))
        end, 1, nil)
        assert.same(pack(2, 1, nil), pack(lane:resume("x", nil, nil)))
        assert.same(pack(4, 2, "x", nil, nil), pack(lane:resume()))
        assert.same(pack(true, 1), pack(lane:join()))
    end)

    it("passes any number of values, and objects", function()
        local lane = launched(function()
            local all = {}
            while true do
                local got = { n = 0 }
                local function keep(...) got = { n = select("#", ...), ... } end
                keep(coroutine.yield(all))
                if got.n == 0 then break end
                all[#all + 1] = got
            end
            return all
        end)
        lane:resume(1)
        lane:resume(1, nil, { 2 })
        local many = {}
        for i = 1, 200 do many[i] = i end
        lane:resume((unpack or table.unpack)(many))
        local seen = lane:resume()
        assert.equal(3, #seen)
        assert.same({ n = 1, 1 }, seen[1])
        assert.same({ n = 3, 1, nil, { 2 } }, seen[2])
        assert.equal(200, seen[3].n)
        local _, all = lane:join()
        assert.equal(3, #all)
    end)

    it("returns at once, in order, many times", function()
        local lane = launched(function()
            local reply
            for i = 1, 200 do reply = coroutine.yield(i, reply) end
            return "end"
        end)
        local last
        for i = 1, 200 do
            assert.same(pack(i, last), pack(lane:resume("reply " .. i)))
            last = "reply " .. i
        end
        assert.same(pack(true, "end"), pack(lane:join()))
        support.raises(NOT_SUSPENDED, lane.resume, lane)
    end)

    it("raises for lanes that end", function()
        support.raises(NOT_SUSPENDED, function() launched(function() end):resume() end)
        support.raises(NOT_SUSPENDED, function() launched(function() error "x" end):resume() end)
        support.raises(NOT_SUSPENDED, function() lanes.gen(function() end)():resume() end)
        support.raises("Lane expected", function() launched(print).resume({}) end)
    end)

    it("makes a body fail by what it is given", function()
        local lane = lanes.coro("*", { error_trace_level = "basic" }, function()
            error(coroutine.yield())
        end)()
        lane:resume { code = 5 }
        local _, thrown, trace = lane:join()
        assert.same({ code = 5 }, thrown)
        assert.equal("table", type(trace))
    end)

    it("raises for values that cannot travel; the lane stays suspended", function()
        local lane = suspended(function() coroutine.yield(coroutine.create(function() end)) end)
        local problem = support.error_of(lane.resume, lane)
        support.contains("Failed to retrieve yielded values", problem)
        assert.equal("suspended", lane.status)
        assert.is_false((pcall(lane.join, lane)))
        lane = suspended(function() coroutine.yield(5) return "end" end)
        support.raises("Failed to send resumed values", lane.resume, lane, coroutine.create(function() end))
        assert.equal("suspended", lane.status)
        assert.same(pack(5), pack(lane:resume()))
        assert.same(pack(true, "end"), pack(lane:join()))
    end)

    describe("with arguments that cannot be built in the lane", function()
        -- A lane that has no module `io`, suspended; its last function has this name.
        local function without_io(options, linda, body)
            local lane = lanes.coro("base,coroutine?", options, body)(linda)
            support.until_status(lane, "suspended")
            return lane
        end

        local function yields(to)
            set_finalizer(function(...) to:send("finalized", select("#", ...), (...)) end)
            local function inner() coroutine.yield("given") end
            inner()
            to:send("went on", true)
        end

        it("ends the lane with that error", function()
            local linda = lanes.linda()
            local lane = without_io({}, linda, yields)
            assert.same(pack("given"), pack(lane:resume("fine", { io.open })))
            local fine, problem, more = lane:join()
            assert.is_nil(fine)
            support.contains("function 'io/open' not found in", problem)
            assert.is_nil(more)
            assert.equal("error", lane.status)
            assert.same(pack("finalized", 1, problem), pack(linda:receive_batched("finalized", 2)))
            assert.is_nil(linda:count "went on")
            support.raises(NOT_SUSPENDED, lane.resume, lane)
            support.raises("function 'io/open' not found in", function() return lane[1] end)
            assert.equal(problem, lane[-1])
        end)

        it("gives the trace of where it was suspended", function()
            local linda = lanes.linda()
            local lane = without_io({ error_trace_level = "extended" }, linda, yields)
            lane:resume(io.open)
            local _, problem, trace = lane:join()
            assert.same(pack("finalized", 2, problem), pack(linda:receive_batched("finalized", 2)))
            local line = debug.getinfo(yields, "S").linedefined + 2
            local seen = false
            for _, frame in ipairs(trace) do seen = seen or frame.currentline == line end
            assert.is_true(seen)
        end)

        if closes then
            it("closes its variables", function()
                local linda = lanes.linda()
                local lane = without_io({}, linda, [[
                    local linda = ...
                    local closed <close> = setmetatable({}, { __close = function(_, problem) linda:send("closed", tostring(problem)) end })
                    coroutine.yield()
                ]])
                lane:resume(io.open)
                support.contains("function 'io/open' not found in", (select(2, lane:join())))
                assert.equal("closed", (linda:receive(0, "closed")))
            end)
        end
    end)

    it("is for one at a time: each yield is given once", function()
        local lane = launched(function() for i = 1, 100 do coroutine.yield(i) end end)
        local seen = {}
        for _ = 1, 100 do seen[#seen + 1] = lane:resume() end
        for i = 1, 100 do assert.equal(i, seen[i]) end
        lane:join()
    end)

    it("works in nested coroutines of the lane's own", function()
        local lane = launched(function()
            local inner = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
            for _ = 1, 3 do coroutine.yield(inner() * 10) end
        end)
        assert.same({ 10, 20, 30 }, { lane:resume(), (lane:resume()), (lane:resume()) })
        lane:join()
    end)
end)

describe("the end of a suspended lane", function()
    it("by join gives what it has yielded last", function()
        local reached = lanes.linda()
        local lane = suspended(function(to)
            coroutine.yield("a", nil, "c", nil)
            to:set("reached", true)
        end, reached)
        for _ = 1, 2 do
            assert.same(pack(true, "a", nil, "c", nil), pack(lane:join()))
        end
        assert.equal("done", lane.status)
        assert.equal(0, (reached:get "reached"))
        support.raises(NOT_SUSPENDED, lane.resume, lane)
    end)

    it("by an index, too", function()
        local lane = suspended(function() coroutine.yield({}, 2) end)
        local first = lane[1]
        assert.same({ 2, {}, 2 }, { lane[0], lane[1], lane[2] })
        assert.equal(first, lane[1])
        assert.equal("done", lane.status)
        support.raises(NOT_SUSPENDED, lane.resume, lane)
    end)

    it("waits for a lane that is not suspended yet", function()
        local linda = lanes.linda()
        local lane = launched(function(from)
            from:receive "go"
            coroutine.yield "given"
            return "end"
        end, linda)
        support.until_status(lane, "waiting")
        assert.same(pack(nil, "timeout"), pack(lane:join(0)))
        linda:send("go", true)
        assert.same(pack(true, "given"), pack(lane:join()))
    end)

    if closes then
        -- A lane that closes a variable; its handler gets the linda.
        local function closing(handler, linda)
            local lane = lanes.coro("*", [[
                local handler, linda = ...
                local closed <close> = setmetatable({}, { __close = function(_, problem) handler(linda, problem) end })
                coroutine.yield "given"
            ]])(handler, linda)
            support.until_status(lane, "suspended")
            return lane
        end

        it("closes its variables", function()
            local linda = lanes.linda()
            local lane = closing(function(to, problem) to:send("closed", tostring(problem)) end, linda)
            assert.same(pack(true, "given"), pack(lane:join()))
            assert.same(pack("closed", "nil"), pack(linda:receive "closed"))
        end)

        it("may take longer than the timeout of join", function()
            local linda = lanes.linda()
            local lane = closing(function(from) from:send("begun", true) from:receive "go" end, linda)
            assert.same(pack(nil, "timeout"), pack(lane:join(0)))
            linda:receive "begun"
            support.until_status(lane, "waiting")
            linda:send("go", true)
            assert.same(pack(true, "given"), pack(lane:join()))
            assert.equal("done", lane.status)
        end)

        it("is an error if a handler fails", function()
            local lane = closing(function() error("text", 0) end)
            assert.same(pack(nil, "text"), pack(lane:join()))
            assert.equal("error", lane.status)
        end)

        it("closes the variables of a lane that fails", function()
            local linda = lanes.linda()
            local lane = lanes.coro("*", [[
                local linda = ...
                local closed <close> = setmetatable({}, { __close = function(_, problem) linda:send("closed", problem) end })
                error("text", 0)
            ]])(linda)
            assert.same(pack(nil, "text"), pack(lane:join()))
            assert.same(pack("closed", "text"), pack(linda:receive "closed"))
        end)
    end
end)

describe("cancelling a suspended lane", function()
    it("softly lets it sleep, and be resumed", function()
        local lane = suspended(function() coroutine.yield(1) return cancel_test() end)
        assert.same(pack(false, "timeout"), pack(lane:cancel("soft", 0)))
        assert.equal("suspended", lane.status)
        assert.same(pack(1), pack(lane:resume()))
        assert.same(pack(true, "soft"), pack(lane:join()))
    end)

    it("softly with a wake lets it go on, without values", function()
        local lane = suspended(function() return select("#", coroutine.yield(1, 2)), cancel_test() end)
        assert.same(pack(true, "done"), pack(lane:cancel("soft", nil, true)))
        assert.same(pack(true, 0, "soft"), pack(lane:join()))
    end)

    it("hard wakes it", function()
        local lane = suspended(function() coroutine.yield() cancel_test() return "end" end)
        assert.same(pack(true, "cancelled"), pack(lane:cancel()))
        assert.same(pack(nil, CE), pack(lane:join()))
        lane = suspended(function() coroutine.yield() return cancel_test(true) end)
        assert.same(pack(true, "done"), pack(lane:cancel()))
        assert.same(pack(true, "hard"), pack(lane:join()))
    end)

    it("has later yields return at once", function()
        local lane = suspended(function()
            for _ = 1, 10 do coroutine.yield("given") end
            return "end"
        end)
        assert.same(pack(true, "done"), pack(lane:cancel()))
        assert.same(pack(true, "end"), pack(lane:join()))
    end)

    it("holds for a yield that comes after a wait which it has ended", function()
        for _, mode in ipairs { "soft", "hard" } do
            local lane = launched(function(from)
                local _, reason = select(2, pcall(from.receive, from, "never"))
                coroutine.yield "given"
                return "went on", reason
            end, lanes.linda())
            support.until_status(lane, "waiting")
            assert.same(pack(true, "done"), pack(lane:cancel(mode, nil, true)))
            assert.equal("went on", select(2, lane:join()))
        end
    end)

    it("ends a lane that only yields, by a hook", function()
        local lane = suspended(function()
            if jit then jit.off() end
            while true do coroutine.yield() end
        end)
        assert.same(pack(true, "cancelled"), pack(lane:cancel("count", 1)))
    end)

    it("ends a lane that runs, and one that waits", function()
        local linda = lanes.linda()
        local lane = launched(function(from) from:receive "never" end, linda)
        support.until_status(lane, "waiting")
        assert.same(pack(true, "cancelled"), pack(lane:cancel()))
        assert.same(pack(nil, CE), pack(lane:join()))
    end)
end)

describe("a suspended lane that nobody has", function()
    it("sleeps until the program ends", function()
        assert.equal("suspended\ntrue\n", support.output [[
            local lanes = require "lanes".configure{ api = 4, track_lanes = true }
            local linda = lanes.linda()
            lanes.coro("*", function(to) to:send("begun", true) coroutine.yield() end)(linda)
            linda:receive "begun"
            while lanes.threads()[1].status ~= "suspended" do lanes.sleep(0.001) end
            for _ = 1, 3 do collectgarbage() end
            print(lanes.threads()[1].status)
            lanes.finally(function(all) print(all) end)
        ]])
    end)

    it("tells gc_cb", function()
        local told
        do
            local lane = lanes.coro("*", { name = "name", gc_cb = function(...) told = pack(...) end }, function() coroutine.yield() end)()
            support.until_status(lane, "suspended")
            lane = nil -- luacheck: ignore
        end
        support.until_true(function() support.collect() return told end, "gc_cb was called")
        assert.same(pack("name", "selfdestruct"), told)
    end)
end)

describe("in a deadlock a suspended lane", function()
    it("is one that waits", function()
        local out = support.output [[
            local lanes = require "lanes.v4".configure { on_deadlock = "error", strip_functions = false }
            local lane = lanes.coro("*", { name = "idle" }, function()
                coroutine.yield()
            end)()
            -- Until it sleeps.
            repeat local waiting = lanes.waiting() until waiting[1] and waiting[1].op == "yield"
            print(lanes.waiting()[1].name, lanes.waiting()[1].where:match "%d+$")
            local linda = lanes.linda { name = "never" }
            print(select(2, pcall(linda.receive, linda, "slot")))
            print(lane:resume())
            print(lane:join())
        ]]
        assert.matches('^lane "idle"\t3\n.*deadlock: main and 1 lane wait.*lane "idle" +yield .*\n\ntrue\n$', (out:gsub("\r", "")))
    end)

    it("gets the error if it was the last to wait", function()
        local out = support.output [[
            local lanes = require "lanes.v4".configure { on_deadlock = "error", strip_functions = false }
            local linda = lanes.linda { name = "never" }
            local lane = lanes.coro("*", function()
                -- Until the main state sleeps.
                repeat local waiting = require "lanes".waiting() until waiting[1] and waiting[1].op == "receive"
                coroutine.yield()
            end)()
            local fine, text = pcall(linda.receive, linda, "slot")
            print(fine, text)
            print(select(2, lane:join()))
        ]]
        -- The main state is told when the lane has ended, because then it is alone.
        assert.matches("^false\t.*deadlock: main waits.*deadlock: main and 1 lane wait", (out:gsub("\r", "")))
    end)
end)
