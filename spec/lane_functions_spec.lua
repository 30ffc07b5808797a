-- The globals that every lane has: cancel_test, set_finalizer, set_debug_threadname,
-- set_error_reporting.
local support = require "support"
local needs = require "needs"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
-- luacheck: globals decoda_name (of lanes)

local lanes = require "lanes"

-- Runs a body in a lane with all libraries and returns its results.
local function run(body, ...)
    return lanes.gen("*", body)(...):join()
end

-- Asserts that pcall in a lane returned false and a message that contains the text.
local function refused(expected, body)
    local ok, message = run(body)
    assert.is_false(ok)
    support.contains(expected, message)
end

describe("cancel_test", function()
    it("returns false before the lane is cancelled", function()
        assert.is_false((run(function() return cancel_test() end)))
    end)

    it("returns true after a soft request", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function()
            linda:set("ready", true)
            repeat until cancel_test()
            return cancel_test(), cancel_test()
        end)()
        support.until_true(function() return linda:get("ready") end)
        handle:cancel("soft")
        assert.same({ true, true }, { handle:join() })
        assert.equal("done", handle.status)
    end)

    it("returns true after a hard request", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function()
            linda:set("ready", true)
            repeat until cancel_test()
            return cancel_test()
        end)()
        support.until_true(function() return linda:get("ready") end)
        handle:cancel("hard")
        assert.is_true(handle[1])
    end)

    it("ignores arguments", function()
        assert.is_false((run(function() return cancel_test(1, {}, "x") end)))
    end)

    it("works in a coroutine of the lane", function()
        assert.is_false((run(function() return coroutine.wrap(function() return cancel_test() end)() end)))
    end)
end)

describe("set_finalizer", function()
    it("returns nothing", function()
        assert.equal(0, (run(function() return select("#", set_finalizer(function() end)) end)))
    end)

    it("refuses anything but a function", function()
        local message = "bad argument #1 to 'set_finalizer' (finalizer should be a function"
        refused(message, function() return pcall(set_finalizer, 5) end)
        refused(message, function() return pcall(set_finalizer, nil) end)
        refused(message, function() return pcall(set_finalizer, {}) end)
        refused(message, function() return pcall(set_finalizer) end)
    end)

    it("refuses more than one argument", function()
        refused("bad argument #2 to 'set_finalizer' (too many arguments", function()
            return pcall(set_finalizer, function() end, 1)
        end)
    end)

    it("raises at the line of its caller", function()
        local message, line = run(function()
            local at
            local _, message = pcall(function()
                at = debug.getinfo(1, "Sl")
                set_finalizer(5)
            end)
            return message, at.short_src .. ":" .. at.currentline + 1 .. ": "
        end)
        assert.equal(line, message:sub(1, #line))
    end)
end)

describe("set_debug_threadname", function()
    it("returns nothing", function()
        assert.equal(0, (run(function() return select("#", set_debug_threadname("x")) end)))
    end)

    it("sets the global decoda_name", function()
        assert.equal("worker", (run(function() set_debug_threadname("worker") return decoda_name end)))
    end)

    it("takes names of any length", function()
        for _, name in ipairs { "", "a name that is longer than thread names may be", ("x"):rep(10000) } do
            local handle = lanes.gen("*", function(text) set_debug_threadname(text) end)(name)
            handle:join()
            assert.equal("done", handle.status)
            assert.equal(name, handle:get_debug_threadname())
        end
    end)

    it("can be called again", function()
        local handle = lanes.gen("*", function() set_debug_threadname("a") set_debug_threadname("b") end)()
        handle:join()
        assert.equal("b", handle:get_debug_threadname())
    end)

    it("refuses anything but a string", function()
        local prefix = "bad argument #1 to 'set_debug_threadname' (string expected, got "
        refused(prefix .. "nil)", function() return pcall(set_debug_threadname, nil) end)
        refused(prefix .. "no value)", function() return pcall(set_debug_threadname) end)
        refused(prefix .. "table)", function() return pcall(set_debug_threadname, {}) end)
        refused(prefix .. "boolean)", function() return pcall(set_debug_threadname, true) end)
    end)

    needs.proc(it)("names the thread of the operating system, until the lane ends", function()
        local generator = lanes.gen("*", function(name)
            if name then set_debug_threadname(name) end
            return (io.open("/proc/thread-self/comm"):read())
        end)
        assert.equal("lane worker 1", generator("lane worker 1")[1])
        for _ = 1, 20 do assert.are_not.equal("lane worker 1", generator()[1]) end
    end)
end)

describe("set_error_reporting", function()
    it("returns nothing", function()
        local basic, extended = run(function()
            return select("#", set_error_reporting("basic")), select("#", set_error_reporting("extended"))
        end)
        assert.same({ 0, 0 }, { basic, extended })
    end)

    it("refuses other modes", function()
        refused("unsupported error reporting model full", function() return pcall(set_error_reporting, "full") end)
        refused("unsupported error reporting model ", function() return pcall(set_error_reporting, "") end)
    end)

    it("refuses anything but a string", function()
        local prefix = "bad argument #1 to 'set_error_reporting' (string expected, got "
        refused(prefix .. "nil)", function() return pcall(set_error_reporting, nil) end)
        refused(prefix .. "no value)", function() return pcall(set_error_reporting) end)
        refused(prefix .. "table)", function() return pcall(set_error_reporting, {}) end)
    end)

    it("keeps its mode after an error", function()
        local _, _, trace = run(function()
            set_error_reporting("extended")
            pcall(set_error_reporting, "full")
            error("no")
        end)
        assert.is_table(trace[1])
    end)
end)

describe("the functions that lanes have", function()
    it("can be passed from lane to lane through a linda", function()
        local linda = lanes.linda()
        local sender = lanes.gen("*", function() linda:send("functions", { cancel_test, set_error_reporting }) end)()
        local receiver = lanes.gen("*", function()
            local _, functions = linda:receive("functions")
            return functions[1] == cancel_test, functions[2] == set_error_reporting
        end)()
        sender:join()
        assert.same({ true, true }, { receiver:join() })
    end)

    it("cannot be received in the main state, which does not have them", function()
        local linda = lanes.linda()
        lanes.gen("*", function() linda:send("function", cancel_test) end)():join()
        support.raises("not found", linda.receive, linda, 0, "function")
    end)

    it("can all be used from a coroutine", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function()
            coroutine.wrap(function()
                set_finalizer(function() linda:send("finalizer", "ran") end)
                set_debug_threadname("from a coroutine")
                set_error_reporting("extended")
            end)()
            error("no")
        end)()
        local _, _, trace = handle:join()
        assert.is_table(trace[1])
        assert.equal("from a coroutine", handle:get_debug_threadname())
        assert.same({ "finalizer", "ran" }, { linda:receive(0, "finalizer") })
    end)
end)

describe("coroutines", function()
    it("give the usual errors when they cannot be resumed", function()
        local function says()
            local said = {}
            local function note(...)
                said[#said + 1] = tostring((select(select("#", ...), ...)))
            end
            for _, body in ipairs { function() error("x", 0) end, function() end } do
                local wrapped = coroutine.wrap(body)
                note(pcall(wrapped))
                note(pcall(wrapped))
                local co = coroutine.create(body)
                note(coroutine.resume(co))
                note(coroutine.resume(co))
            end
            local wrapped
            wrapped = coroutine.wrap(function() note(pcall(wrapped)) end)
            wrapped()
            local co
            co = coroutine.create(function() note(coroutine.resume(co)) end)
            coroutine.resume(co)
            wrapped = coroutine.wrap(function()
                coroutine.wrap(function() note(pcall(wrapped)) end)()
            end)
            wrapped()
            return table.concat(said, "\n")
        end
        assert.equal(says(), (run(says)))
    end)
end)
