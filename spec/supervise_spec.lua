-- lanes.supervise: children that are started again, in each strategy, and the end of a supervisor.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local pack, raises, until_true = support.pack, support.raises, support.until_true
local LIMIT = support.LIMIT

-- The body of a child: sends that it runs, then obeys the messages that it receives.
local function body(linda, name)
    linda:send("up", name)
    local _, what = linda:receive(name)
    if what == "fail" then error(name .. " fails", 0) end
    if what == "cancel" then error(require "lanes".cancel_error) end
    return what
end

local start = lanes.gen("*", body)

-- A supervisor with running children: { name, restart } each.
local function supervised(options, ...)
    local linda = lanes.linda()
    for i = 1, select("#", ...) do
        local name, restart = select(i, ...):match("(%w+) ?(%w*)")
        options[i] = { name = name, start = start, args = { linda, name }, restart = restart ~= "" and restart or nil }
    end
    local supervisor = lanes.supervise(options)
    for _ = 1, #options do assert(linda:receive(LIMIT, "up")) end
    return supervisor, linda
end

local function up(linda)
    local _, name = linda:receive(LIMIT, "up")
    return name
end

-- Waits until `which` returns this, as a text like "a running 1, b done 0".
local function says(supervisor, expected)
    local said
    until_true(function()
        local list = supervisor:which()
        for i = 1, #list do list[i] = ("%s %s %d"):format(list[i].name, list[i].status, list[i].restarts) end
        said = table.concat(list, ", ")
        return said == expected
    end, expected)
end

local function stop(supervisor)
    assert.same({ n = 1, true }, pack(supervisor:stop(LIMIT)))
end

describe("lanes.supervise", function()
    it("starts its children in order, and stops them in reverse order", function()
        local linda = lanes.linda()
        local function child(name)
            local now = require "lanes".now_secs
            set_finalizer(function() linda:set("down " .. name, now()) end) -- luacheck: ignore
            linda:send("up", name)
            linda:receive "never"
        end
        local generator = lanes.gen("*", child)
        local children = {}
        for i, name in ipairs { "a", "b", "c" } do
            children[i] = {
                name = name, args = { name },
                start = function(...)
                    local lane = generator(...)
                    linda:receive "up"
                    linda:send("started", (...))
                    return lane
                end,
            }
        end
        local supervisor = lanes.supervise(children)
        assert.same({ "started", "a", "b", "c" }, { linda:receive(LIMIT, linda.batched, "started", 3) })
        says(supervisor, "a running 0, b running 0, c running 0")
        assert.truthy(({ running = true, waiting = true })[supervisor.status])
        stop(supervisor)
        local a, b, c = linda:get "down a", linda:get "down b", linda:get "down c"
        assert.is_true(a >= b and b >= c)
        says(supervisor, "a cancelled 0, b cancelled 0, c cancelled 0")
        assert.equal("done", supervisor.status)
        assert.is_true(supervisor:join(LIMIT))
        stop(supervisor)
    end)

    it("starts a permanent child again whenever it ends", function()
        local supervisor, linda = supervised({ intensity = 10 }, "a")
        for i, what in ipairs { "fail", "return", "cancel" } do
            linda:send("a", what)
            assert.equal("a", up(linda))
            says(supervisor, "a running " .. i)
        end
        stop(supervisor)
    end)

    it("starts a transient child again when it has failed", function()
        local supervisor, linda = supervised({}, "a transient", "b transient", "c transient", "d")
        linda:send("a", "fail")
        assert.equal("a", up(linda))
        linda:send("b", "return")
        linda:send("c", "cancel")
        says(supervisor, "a running 1, b done 0, c cancelled 0, d running 0")
        stop(supervisor)
    end)

    it("never starts a temporary child again", function()
        local supervisor, linda = supervised({}, "a temporary", "b")
        linda:send("a", "fail")
        says(supervisor, "a error 0, b running 0")
        assert.equal("a fails", supervisor:which()[1].err)
        stop(supervisor)
    end)

    it("ends when no child is left", function()
        local supervisor, linda = supervised({}, "a temporary", "b transient")
        linda:send("a", "fail")
        linda:send("b", "return")
        assert.is_true(supervisor:join(LIMIT))
        assert.equal("done", supervisor.status)
        says(supervisor, "a error 0, b done 0")
        stop(supervisor)
    end)

    it("restarts while the main state does other things", function()
        local supervisor, linda = supervised({ intensity = 20 }, "a")
        local observer = lanes.gen("*", function()
            for _ = 1, 20 do
                linda:send("a", "fail")
                linda:receive "up"
            end
            return true
        end)()
        assert.is_true(observer[1])
        stop(supervisor)
    end)

    it("one_for_one leaves the others alone", function()
        local supervisor, linda = supervised({ strategy = "one_for_one" }, "a", "b", "c")
        linda:send("b", "fail")
        assert.equal("b", up(linda))
        says(supervisor, "a running 0, b running 1, c running 0")
        stop(supervisor)
    end)

    it("one_for_all starts all again", function()
        local supervisor, linda = supervised({ strategy = "one_for_all" }, "a", "b", "c temporary")
        linda:send("b", "fail")
        local names = { [up(linda)] = true, [up(linda)] = true }
        assert.same({ a = true, b = true }, names)
        says(supervisor, "a running 1, b running 1, c cancelled 0")
        stop(supervisor)
    end)

    it("rest_for_one starts those after it again", function()
        local supervisor, linda = supervised({ strategy = "rest_for_one" }, "a", "b", "c")
        linda:send("b", "fail")
        local names = { [up(linda)] = true, [up(linda)] = true }
        assert.same({ b = true, c = true }, names)
        says(supervisor, "a running 0, b running 1, c running 1")
        stop(supervisor)
    end)

    it("fails beyond its intensity, after it has ended the children", function()
        local supervisor, linda = supervised({}, "a", "b")
        for _ = 1, 3 do
            linda:send("a", "fail")
            assert.equal("a", up(linda))
        end
        linda:send("a", "fail")
        local none, err, trace = supervisor:join(LIMIT)
        assert.is_nil(none)
        assert.equal("supervisor: 3 restarts in 5 s", err)
        assert.equal("table", type(trace))
        assert.equal("error", supervisor.status)
        says(supervisor, "a error 3, b cancelled 0")
        assert.equal("a fails", supervisor:which()[1].err)
        local stopped, reason = supervisor:stop(LIMIT)
        assert.is_nil(stopped)
        assert.equal(err, reason)
    end)

    it("says its own intensity and period", function()
        local supervisor, linda = supervised({ intensity = 0, period = 0.5 }, "a")
        linda:send("a", "fail")
        assert.equal("supervisor: 0 restarts in 0.5 s", (select(2, supervisor:join(LIMIT))))
    end)

    it("forgets restarts that are longer ago than the period", function()
        local supervisor, linda = supervised({ intensity = 1, period = 0.001 }, "a")
        for _ = 1, 5 do
            linda:send("a", "fail")
            assert.equal("a", up(linda))
            local from = lanes.now_secs()
            while lanes.now_secs() - from < 0.01 do lanes.sleep(0.01) end
        end
        says(supervisor, "a running 5")
        stop(supervisor)
    end)

    it("counts a start that fails as a restart, and tries again", function()
        local linda = lanes.linda()
        local generator = lanes.gen("*", body)
        linda:set("fails", 2)
        local supervisor = lanes.supervise { { name = "a", start = function()
            if linda:count "up" == 1 then
                local left = linda:get "fails"
                linda:set("fails", left - 1)
                if left > 0 then error "not now" end
            end
            return generator(linda, "a")
        end } }
        until_true(function() return linda:count "up" == 1 end, "the child is up")
        linda:send("a", "fail")
        says(supervisor, "a running 3")
        stop(supervisor)
    end)

    it("has the error of a child, as text where it cannot travel", function()
        local supervisor = lanes.supervise { { name = "a", restart = "temporary", start = lanes.gen("*", function()
            error { code = 5 }
        end) }, { name = "b", restart = "temporary", start = lanes.gen("*", function()
            error(coroutine.create(function() end))
        end) } }
        assert.is_true(supervisor:join(LIMIT))
        local list = supervisor:which()
        assert.equal(5, list[1].err.code)
        assert.truthy(list[2].err:find "^thread: ")
    end)

    it("passes arguments, nil included", function()
        local linda = lanes.linda()
        local generator = lanes.gen("*", function(...) linda:send("count", select("#", ...), (select(2, ...))) end)
        local supervisor = lanes.supervise { { name = "a", restart = "temporary", args = { n = 3, nil, "x" }, start = generator } }
        assert.is_true(supervisor:join(LIMIT))
        assert.same({ "count", 3, "x" }, { linda:receive(LIMIT, linda.batched, "count", 2) })
    end)

    it("ends children that are busy", function()
        local linda = lanes.linda()
        local supervisor = lanes.supervise { { name = "a", start = lanes.gen("*", function()
            if jit then jit.off() end
            linda:send("up", true)
            while true do end
        end) } }
        up(linda)
        stop(supervisor)
    end)

    it("says when it does not end in time, and can be asked again", function()
        local linda = lanes.linda()
        local supervisor = lanes.supervise { { name = "a", start = lanes.gen("*", function()
            set_finalizer(function() -- luacheck: ignore
                local last = linda:count "go"
                while last == nil do last = linda:count "go" end
            end)
            linda:send("up", true)
            linda:receive "never"
        end) } }
        up(linda)
        assert.same({ n = 2, false, "timeout" }, pack(supervisor:stop(0)))
        assert.same({ n = 2, nil, "timeout" }, pack(supervisor:join(0)))
        linda:send("go", true)
        stop(supervisor)
    end)

    it("goes on if nobody keeps it", function()
        local linda = lanes.linda()
        lanes.supervise { { name = "a", start = start, args = { linda, "a" } } }
        up(linda)
        support.collect()
        linda:send("a", "fail")
        assert.equal("a", up(linda))
    end)

    it("can be made by a lane", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function()
            local inner = require "lanes"
            local supervisor = inner.supervise { { name = "a", start = inner.gen("*", body), args = { linda, "a" } } }
            linda:receive "up"
            linda:send("a", "fail")
            linda:receive "up"
            return supervisor:which()[1].name, supervisor:stop()
        end)()
        assert.same({ n = 2, "a", true }, pack(lane:join(LIMIT)))
    end)

    it("reports failures of its children to on_error", function()
        assert.equal("crash\n", support.output [[
            local lanes = require "lanes"
            local linda
            lanes.configure { on_error = function(_, err) linda:send("told", err) end }
            linda = lanes.linda()
            local supervisor = lanes.supervise { { name = "a", start = lanes.gen("*", function()
                if linda:count "once" then linda:receive "never" end
                linda:send("once", true)
                error("crash", 0)
            end) } }
            print(select(2, linda:receive(60, "told")))
            supervisor:stop()
        ]])
    end)

    it("does not keep a program from ending", function()
        assert.equal("", support.output [[
            local lanes = require "lanes".configure { on_error = "stderr" }
            local linda = lanes.linda()
            supervisor = lanes.supervise { { name = "a", start = lanes.gen("*", function()
                linda:send("up", true)
                linda:receive "never"
            end) } }
            linda:receive "up"
        ]])
    end)

    if support.lua == "5.4" or support.lua == "5.5" then
        it("is stopped at the end of a block", function()
            local linda = lanes.linda()
            local closed = assert(load [[
                local supervisor <close> = ...
                return supervisor
            ]])(lanes.supervise { { name = "a", start = start, args = { linda, "a" } } })
            assert.equal("done", closed.status)
        end)
    end
end)

describe("lanes.supervise, for bad input,", function()
    local function refuses(message, argument)
        raises(message, lanes.supervise, argument)
    end

    it("names what is wrong", function()
        refuses("bad argument #1 to 'supervise' (table expected, got nil)", nil)
        refuses("bad argument #1 to 'supervise' (table expected, got number)", 5)
        refuses("supervise: there are no children", {})
        refuses("supervise: unknown option 'strategie'; do you mean 'strategy'? (options are intensity, period, strategy)",
            { strategie = 1 })
        refuses("supervise: child 1: a table expected, got a number", { 5 })
        refuses("supervise: child 1.name: a string expected, got nil", { {} })
        refuses("supervise: child \"a\".start: a function that returns a lane expected, got nil", { { name = "a" } })
        refuses("supervise: child \"a\": unknown field 'begin' (fields are args, name, restart, start)", { { name = "a", begin = start } })
        refuses("supervise: child \"a\": there are two of this name", { { name = "a", start = start }, { name = "a", start = start } })
        refuses("supervise: child \"a\".args: a table expected, got \"x\"", { { name = "a", start = start, args = "x" } })
        refuses("supervise: child \"a\".args.n: a whole number up to 200 expected, got 0.5",
            { { name = "a", start = start, args = { n = 0.5 } } })
        refuses("supervise: child \"a\".restart: one of \"permanent\", \"temporary\", \"transient\" expected, got \"always\"",
            { { name = "a", start = start, restart = "always" } })
        refuses("supervise: strategy: one of \"one_for_all\", \"one_for_one\", \"rest_for_one\" expected, got \"all\"",
            { { name = "a", start = start }, strategy = "all" })
        refuses("supervise: intensity: a whole number from 0 expected, got -1", { { name = "a", start = start }, intensity = -1 })
        refuses("supervise: intensity: a whole number from 0 expected, got \"3\"", { { name = "a", start = start }, intensity = "3" })
        refuses("supervise: period: a number of seconds above 0 expected, got 0", { { name = "a", start = start }, period = 0 })
    end)

    it("names a child that cannot travel", function()
        local file = io.stdout
        refuses("(child \"a\".start, upvalue file", { { name = "a", start = function() return file end } })
        refuses("child \"a\".args", { { name = "a", start = start, args = { coroutine.create(function() end) } } })
    end)

    it("ends the children before one that does not start", function()
        local linda = lanes.linda()
        local generator = lanes.gen("*", function()
            set_finalizer(function() linda:set("down", true) end) -- luacheck: ignore
            linda:send("up", true)
            linda:receive "never"
        end)
        local function first()
            local lane = generator()
            linda:receive "up"
            return lane
        end
        local function refuses_second(message, second)
            refuses(message, { { name = "a", start = first }, { name = "b", start = second } })
            assert.is_true((select(2, linda:receive(LIMIT, "down"))))
        end
        refuses_second("child \"b\" did not start: no way", function() error("no way", 0) end)
        refuses_second("child \"b\" did not start: start returned a nil value, a lane is expected", function() end)
        refuses_second("child \"b\" did not start: start returned a userdata value, a lane is expected", function() return io.stdout end)
        refuses_second("child \"b\" did not start: start returned a number value, a lane is expected", function() return 5 end)
        refuses_second("child \"b\" did not start: thread: ", function() error(coroutine.create(function() end)) end)
        local fine, err = pcall(lanes.supervise, { { name = "a", start = function() error { code = 5 } end } })
        assert.is_false(fine)
        assert.equal(5, err.code)
    end)

    it("says how methods are called", function()
        local supervisor = supervised({}, "a")
        raises("bad argument #1 to 'stop' (supervisor expected, got nil)", supervisor.stop)
        raises("bad argument #1 to 'which' (supervisor expected, got number)", supervisor.which, 5)
        raises("bad argument #1 to 'join' (number expected, got \"x\")", supervisor.join, supervisor, "x")
        raises("bad argument #1 to 'stop' (number expected, got true)", supervisor.stop, supervisor, true)
        raises("can't index a supervisor with 'nothing': a supervisor has 'status', 'join', 'stop' and 'which'",
            function() return supervisor.nothing end)
        stop(supervisor)
    end)
end)

describe("a lane that is cancelled", function()
    it("while children start ends them", function()
        local linda = lanes.linda()
        for _, how in ipairs { "hard", "soft" } do
            local lane = lanes.gen("*", function()
                local inner = require "lanes"
                local generator = inner.gen("*", function()
                    set_finalizer(function() linda:set("down", true) end) -- luacheck: ignore
                    linda:send("up", true)
                    linda:receive "never"
                end)
                local function slow()
                    local child = generator()
                    linda:receive "go"
                    return child
                end
                return inner.supervise { { name = "a", start = slow } } == inner.cancel_error
            end)()
            up(linda)
            lane:cancel(how, LIMIT, how == "soft" or nil)
            linda:send("go", true)
            assert.is_true((select(2, linda:receive(LIMIT, "down"))))
            if how == "soft" then assert.is_true(lane[1]) end
        end
    end)
end)
