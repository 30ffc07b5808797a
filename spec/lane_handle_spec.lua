-- Lane handles: the userdata, status, names, and the call of gc_cb. (Results: join_spec; cancel:
-- cancel_spec.)
local support = require "support"
local needs = require "needs"
local machine = require "machine"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local function nothing() end

local function finished(...)
    local handle = lanes.gen("*", function(...) return ... end)(...)
    handle:join()
    return handle
end

-- A body with an object that is collected when the lane's state is closed; its `__gc` calls
-- `write`.
local function leaving(write)
    return function(...)
        local arguments = { ... }
        local function collected() write((table.unpack or unpack)(arguments)) end
        if rawget(_G, "newproxy") then
            getmetatable(rawget(_G, "newproxy")(true)).__gc = collected
        else
            setmetatable({}, { __gc = collected })
        end
    end
end

describe("the state of a lane", function()
    -- These tests need a thread that does nothing for Lanes meanwhile.
    it("is closed when the lane has ended, on its own thread, without a join", function()
        local path = machine.temporary()
        os.remove(path)
        local handle = lanes.gen("*", leaving(function(name) io.open(name, "w"):close() end))(path)
        local deadline, file = os.time() + support.LIMIT
        repeat file = io.open(path) until file or os.time() > deadline
        assert.is_truthy(file, "__gc did not run")
        file:close()
        os.remove(path)
        assert.equal("done", handle.status)
    end)

    needs.proc(it)("is closed by the thread that ran the body", function()
        local function thread()
            local file = io.open "/proc/thread-self/stat"
            local id = file:read("*n")
            file:close()
            return id
        end
        local path = machine.temporary()
        local function write(name)
            local file = io.open(name, "w")
            file:write(tostring(thread()))
            file:close()
        end
        local id = lanes.gen("*", function(...)
            leaving(write)(...)
            return thread()
        end)(path)[1]
        assert.equal(tostring(id), support.until_true(function()
            local written = support.read(path)
            return written ~= "" and written
        end))
        assert.are_not.equal(id, thread())
        os.remove(path)
    end)

    it("can be closed before the results are read", function()
        local handle = lanes.gen("*", function() return { "result" } end)()
        support.until_status(handle, "done")
        assert.same({ "result" }, (handle:join()))
    end)
end)

describe("a lane handle", function()
    it("is a userdata", function()
        assert.equal("userdata", type(finished()))
    end)

    it("has the protected metatable 'Lane'", function()
        assert.equal("Lane", getmetatable(finished()))
        assert.is_false(pcall(setmetatable, finished(), {}))
    end)

    it("is different for every launch", function()
        local handle, other = finished(), finished()
        assert.is_true(handle == handle) -- luacheck: ignore 571
        assert.is_false(handle == other)
    end)

    it("is shown as a userdata, or as a Lane if Lua shows names of userdata", function()
        local named = support.lua == "5.3" or support.lua == "5.4" or support.lua == "5.5"
        local pattern = named and "^Lane: 0?x?%x+$" or "^userdata: 0?x?%x+$"
        assert.is_truthy(tostring(finished()):find(pattern), tostring(finished()))
    end)

    it("cannot be assigned to", function()
        local handle = finished()
        assert.is_false(pcall(function() handle.x = 1 end))
        assert.is_false(pcall(function() handle[1] = 1 end))
    end)

    it("has no length", function()
        local handle = finished(1, 2)
        assert.is_false(pcall(function() return #handle end))
    end)

    it("cannot be called", function()
        assert.is_false(pcall(finished()))
    end)

    it("cannot be passed to a lane", function()
        local handle, linda = finished(), lanes.linda()
        support.raises("can't copy non-deep full userdata across lanes", lanes.gen("*", nothing), handle)
        support.raises("can't copy non-deep full userdata across lanes", linda.send, linda, "k", handle)
    end)

    it("has no string key other than status and its methods", function()
        local handle = finished(1)
        local function index(key) return function() return handle[key] end end
        support.raises("can't index a lane with 'results'", index "results")
        support.raises("can't index a lane with '1'", index "1")
        support.raises("can't index a lane with ''", index "")
    end)

    it("has no keys other than strings and numbers", function()
        local handle = finished(1)
        local function index(key) return function() return handle[key] end end
        support.raises("Unknown key: true", index(true))
        support.raises("Unknown key: table: ", index {})
        support.raises("Unknown key: Linda: name", index(lanes.linda "name"))
    end)

    it("can be the key of a table", function()
        local handle = finished()
        assert.equal("found", ({ [handle] = "found" })[handle])
    end)

    it("cannot be freed explicitly", function()
        local handle = finished("result")
        local ok, gc = pcall(function() return handle.__gc end)
        if ok and gc then
            pcall(gc, handle)
            pcall(gc, handle)
        end
        assert.equal("result", (handle:join()))
    end)

    if support.lua == "5.3" or support.lua == "5.4" or support.lua == "5.5" then
        it("can be iterated by ipairs", function()
            local seen = {}
            for i, value in ipairs(finished("a", "b", "c")) do seen[i] = value end
            assert.same({ "a", "b", "c" }, seen)
        end)
    end
end)

describe("a method of a lane handle", function()
    it("is a function of every handle", function()
        local handle = finished()
        for _, name in ipairs { "join", "cancel", "get_debug_threadname" } do
            assert.equal("function", type(handle[name]))
        end
    end)

    it("refuses another self, and names itself", function()
        local handle = finished()
        for _, name in ipairs { "join", "cancel", "get_debug_threadname" } do
            local prefix = ("bad argument #1 to '%s' (Lane expected, got "):format(name)
            support.raises(prefix .. "no value)", function() handle[name]() end)
            support.raises(prefix .. "nil)", function() handle[name](nil) end)
            support.raises(prefix .. "number)", function() handle[name](5) end)
            support.raises(prefix .. "table)", function() handle[name]({}) end)
            support.raises(prefix, function() handle[name](io.stdout) end)
            support.raises(prefix, function() handle[name](lanes.linda()) end)
            support.raises(prefix, function() handle[name](lanes.cancel_error) end)
        end
    end)
end)

describe("the status of a lane", function()
    it("is always one of the documented words", function()
        local words = { pending = true, running = true, waiting = true, done = true }
        local handle = lanes.gen("*", nothing)()
        repeat
            local status = handle.status
            assert.is_true(words[status], status)
        until status == "done"
    end)

    it("is running while the lane's code runs", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function()
            linda:set("ready", true)
            repeat until linda:get("stop")
        end)()
        support.until_true(function() return linda:get("ready") end, "the lane runs")
        assert.equal("running", handle.status)
        linda:set("stop", true)
        handle:join()
        assert.equal("done", handle.status)
    end)

    it("is waiting in a receive, and running again after it", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function()
            linda:receive("go")
            linda:set("went", true)
            repeat until linda:get("stop")
        end)()
        support.until_status(handle, "waiting")
        linda:send("go", true)
        support.until_true(function() return linda:get("went") end, "the lane goes on")
        assert.equal("running", handle.status)
        linda:set("stop", true)
        handle:join()
    end)

    it("is waiting in a send that has no room", function()
        local linda = lanes.linda()
        linda:limit("k", 1)
        linda:send("k", 1)
        local handle = lanes.gen("*", function() return linda:send("k", 2) end)()
        support.until_status(handle, "waiting")
        linda:receive("k")
        assert.is_true(handle[1])
        assert.equal("done", handle.status)
    end)

    it("is waiting in a sleep", function()
        local handle = lanes.gen("*", function() require "lanes".sleep(1000) end)()
        support.until_status(handle, "waiting")
        handle:cancel("hard", support.LIMIT)
    end)

    it("is running, not waiting, while the lane joins another", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function()
            local inner = require "lanes".gen("*", function() linda:receive("go") return 5 end)()
            linda:set("joining", true)
            return inner[1]
        end)()
        support.until_true(function() return linda:get("joining") end, "the lane is about to join")
        for _ = 1, 20 do
            assert.equal("running", handle.status)
            lanes.sleep(0.001)
        end
        linda:send("go", true)
        assert.equal(5, handle[1])
    end)

    it("is done after a return", function()
        assert.equal("done", finished(1).status)
    end)

    it("is error after an error", function()
        local handle = lanes.gen("*", function() error "no" end)()
        handle:join()
        assert.equal("error", handle.status)
    end)

    it("is cancelled after a cancellation", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function() linda:receive("never") end)()
        support.until_status(handle, "waiting")
        assert.same({ true, "cancelled" }, { handle:cancel("hard", support.LIMIT) })
        assert.equal("cancelled", handle.status)
    end)

    it("can be read without waiting for the lane", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function() linda:receive("go") end)()
        assert.is_string(handle.status)
        linda:send("go", true)
        handle:join()
    end)

    it("can always be read", function()
        local handle = finished(1)
        assert.equal(1, handle[1])
        handle:join()
        collectgarbage()
        assert.equal("done", handle.status)
    end)
end)

describe("the debug name of a lane", function()
    it("is <unnamed> at first", function()
        assert.equal("<unnamed>", finished():get_debug_threadname())
    end)

    it("is the name that the lane set", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function()
            set_debug_threadname("worker")
            linda:set("named", true)
            linda:receive("go")
        end)()
        support.until_true(function() return linda:get("named") end, "the lane has a name")
        assert.equal("worker", handle:get_debug_threadname())
        linda:send("go", true)
        handle:join()
    end)

    it("stays after the end, after join and after indexing", function()
        local handle = lanes.gen("*", function() set_debug_threadname("worker") return 1 end)()
        assert.equal(1, handle[1])
        handle:join()
        collectgarbage()
        assert.equal("worker", handle:get_debug_threadname())
    end)

    it("is read without arguments", function()
        local handle = finished()
        support.raises("bad argument #2 to 'get_debug_threadname' (too many arguments", function()
            handle:get_debug_threadname(1)
        end)
    end)
end)

describe("gc_cb", function()
    -- Collects garbage until a list has an entry.
    local function collect(list)
        support.until_true(function()
            collectgarbage()
            return #list > 0
        end, "gc_cb is called")
    end

    it("is called with name and 'closed' when the handle of an ended lane is collected", function()
        local calls = {}
        local function launch()
            lanes.gen("*", { gc_cb = function(...) calls[#calls + 1] = support.pack(...) end }, function()
                set_debug_threadname("worker")
            end)():join()
        end
        launch()
        collect(calls)
        assert.same({ { n = 2, "worker", "closed" } }, calls)
    end)

    it("is called with name and 'selfdestruct' when the lane still runs, and the lane continues", function()
        local calls, linda = {}, lanes.linda()
        local function launch()
            local options = { gc_cb = function(...) calls[#calls + 1] = support.pack(...) end }
            local handle = lanes.gen("*", options, function()
                linda:receive("go")
                linda:send("answer", "still here")
            end)()
            support.until_status(handle, "waiting")
        end
        launch()
        collect(calls)
        assert.same({ { n = 2, "<unnamed>", "selfdestruct" } }, calls)
        linda:send("go", true)
        assert.same({ "answer", "still here" }, { linda:receive("answer") })
    end)

    it("is called once for each handle", function()
        local calls = {}
        local function launch()
            local generator = lanes.gen("*", { gc_cb = function(_, how) calls[#calls + 1] = how end }, nothing)
            for _ = 1, 5 do generator():join() end
        end
        launch()
        support.until_true(function() collectgarbage() return #calls == 5 end, "five calls")
        collectgarbage()
        collectgarbage()
        assert.equal(5, #calls)
    end)

    it("is called in the launching lane, when a lane launched the lane", function()
        local linda = lanes.linda()
        lanes.gen("*", function()
            local mark = "of the middle lane"
            require "lanes".gen("*", { gc_cb = function() linda:set("called", mark) end }, function() end)():join()
        end)():join()
        assert.equal("of the middle lane", support.until_true(function() return linda:get("called") end))
    end)

    it("is called for the remaining handles when the main state closes", function()
        assert.equal("worker\tclosed\n", support.output [[
            local lanes = require "lanes"
            kept = lanes.gen("*", { gc_cb = print }, function() set_debug_threadname("worker") end)()
            kept:join()
        ]])
    end)

    it("may use lanes", function()
        local linda = lanes.linda()
        local function launch()
            lanes.gen("*", { gc_cb = function(_, how) linda:send("how", how) end }, nothing)():join()
        end
        launch()
        support.until_true(function() collectgarbage() return linda:count("how") end, "gc_cb sends")
        assert.same({ "how", "closed" }, { linda:receive(0, "how") })
    end)

    it("may raise an error, as any __gc may", function()
        local called = false
        local function launch()
            lanes.gen("*", { gc_cb = function() called = true error("in gc_cb", 0) end }, nothing)():join()
        end
        collectgarbage("stop")
        launch()
        local ok, message = pcall(collectgarbage)
        collectgarbage("restart")
        assert.is_true(called)
        -- the error is raised by the collection, or is a warning
        if not ok then support.contains("in gc_cb", message) end
        assert.equal(not support.finalizers_raise, ok)
        assert.equal(1, finished(1)[1])
    end)
end)

describe("a handle that is collected", function()
    it("does not stop its lane", function()
        local linda = lanes.linda()
        local generator = lanes.gen("*", function(i) linda:receive("go") linda:send("answer", i) end)
        for i = 1, 20 do generator(i) end
        collectgarbage()
        collectgarbage()
        local sum = 0
        for _ = 1, 20 do linda:send("go", true) end
        for _ = 1, 20 do sum = sum + select(2, linda:receive("answer")) end
        assert.equal(210, sum)
    end)
end)
