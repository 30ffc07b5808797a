-- A lane's results: join and indexing, mixed and repeated.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

-- Handles of lanes that ended, or will end, in each of the three ways.
local function done(...)
    return lanes.gen("*", function(...) return ... end)(...)
end

local function failed(...)
    return lanes.gen("*", function(...) error((...), 0) end)(...)
end

local function cancelled()
    local linda = lanes.linda()
    local handle = lanes.gen("*", function() linda:receive("never") end)()
    support.until_status(handle, "waiting")
    assert.same({ true, "cancelled" }, { handle:cancel("hard", support.LIMIT) })
    return handle
end

-- Returns a lane that waits for a value in slot "go" of `linda`, then returns `...`.
local function gated(linda, ...)
    return lanes.gen("*", function(...) linda:receive("go") return ... end)(...)
end

-- Calls `wait(handle)` for a lane that ends only after the thread of the specs sleeps in this call.
local function waited_for(wait)
    local linda, main_sleeps = lanes.linda(), support.main_sleeps
    local handle = lanes.gen("*", function()
        linda:receive("go")
        repeat until main_sleeps()
        return "result"
    end)()
    linda:send("go", true)
    return (wait(handle))
end

describe("join", function()
    it("returns the results, exactly as many as there are", function()
        assert.same({ n = 0 }, support.pack(done():join()))
        assert.same({ n = 1 }, support.pack(done(nil):join()))
        assert.same({ n = 4, 1, nil, "x", nil }, support.pack(done(1, nil, "x", nil):join()))
    end)

    it("returns many results", function()
        local results = support.pack(lanes.gen("*", function()
            local list = {}
            for i = 1, 240 do list[i] = i end
            return (table.unpack or unpack)(list)
        end)():join())
        assert.equal(240, results.n)
        for i = 1, 240 do assert.equal(i, results[i]) end
    end)

    it("returns nil, the error value and a trace for a lane that failed", function()
        local results = support.pack(failed("no"):join())
        assert.equal(3, results.n)
        assert.is_nil(results[1])
        assert.equal("no", results[2])
        assert.is_table(results[3])
    end)

    it("returns error values of any type", function()
        for _, value in ipairs { false, true, 5, "text" } do
            local results = support.pack(failed(value):join())
            assert.same({ 3, nil, value }, { results.n, results[1], results[2] })
        end
        local results = support.pack(failed(nil):join())
        assert.same({ 3, nil, support.no_error }, { results.n, results[1], results[2] })
        assert.same({ code = 7, list = { 1 } }, (select(2, failed({ code = 7, list = { 1 } }):join())))
    end)

    it("returns nothing for a cancelled lane", function()
        assert.same({ n = 0 }, support.pack(cancelled():join()))
    end)

    it("returns nil and 'timeout' when the lane has not ended in time", function()
        local linda = lanes.linda()
        local handle = gated(linda, "result")
        assert.same({ n = 2, nil, "timeout" }, support.pack(handle:join(0)))
        assert.same({ n = 2, nil, "timeout" }, support.pack(handle:join(0.001)))
        linda:send("go", true)
        assert.same({ n = 1, "result" }, support.pack(handle:join()))
    end)

    it("waits without limit when the timeout is negative, nil or absent", function()
        for _, join in ipairs {
            function(handle) return handle:join(-1) end,
            function(handle) return handle:join(-0.001) end,
            function(handle) return handle:join(nil) end,
            function(handle) return handle:join() end,
            function(handle) return handle:join(math.huge) end,
            function(handle) return handle:join(1e300) end,
        } do
            assert.equal("result", waited_for(join))
        end
    end)

    it("does not wait at all when the timeout is 0", function()
        local handle = done("result")
        support.until_status(handle, "done")
        assert.equal("result", (handle:join(0)))
    end)

    it("does not wait for a lane whose status says that it has ended", function()
        assert.equal("done\n", support.output([[
            local lanes = require "lanes".configure()
            for i = 1, 200 do
                local lane = lanes.gen("*", function() return i end)()
                while lane.status ~= "done" do lanes.sleep(0) end
                assert(lane:join(0) == i)
            end
            print "done"
        ]], { environment = { LANES_DELAYS = 1000 } }))
    end)

    it("takes a numeric string as timeout", function()
        local linda = lanes.linda()
        local handle = gated(linda)
        assert.same({ nil, "timeout" }, { handle:join("0.001") })
        linda:send("go", true)
        handle:join()
    end)

    it("refuses a timeout that is not a number", function()
        local handle = done()
        local prefix = "bad argument #2 to 'join' (number expected, got "
        support.raises(prefix .. "string)", handle.join, handle, "soon")
        support.raises(prefix .. "table)", handle.join, handle, {})
        support.raises(prefix .. "boolean)", handle.join, handle, true)
        support.raises(prefix .. "function)", handle.join, handle, print)
    end)

    it("raises at the line of its caller", function()
        local handle, at = done(), nil
        local message = support.error_of(function()
            at = support.here() handle:join({})
        end)
        assert.equal(at, message:sub(1, #at))
    end)

    it("keeps references among the results", function()
        local a, b = lanes.gen("*", function() local t = {} return t, { t } end)():join()
        assert.equal(a, b[1])
    end)
end)

describe("a repeated join", function()
    it("returns the results again", function()
        local handle = done(1, nil, "x", nil)
        for _ = 1, 3 do assert.same({ n = 4, 1, nil, "x", nil }, support.pack(handle:join())) end
        assert.same({ n = 4, 1, nil, "x", nil }, support.pack(handle:join(0)))
    end)

    it("returns no results again", function()
        local handle = done()
        for _ = 1, 3 do assert.same({ n = 0 }, support.pack(handle:join())) end
    end)

    it("returns the error and its trace again", function()
        local handle = failed("no")
        local first = support.pack(handle:join())
        assert.same(first, support.pack(handle:join()))
        assert.same(first, support.pack(handle:join(0)))
        assert.equal(3, first.n)
    end)

    it("returns nothing again for a cancelled lane", function()
        local handle = cancelled()
        for _ = 1, 3 do assert.same({ n = 0 }, support.pack(handle:join())) end
    end)

    it("returns the same tables", function()
        local handle = done({ 1 })
        local first = handle:join()
        assert.equal(first, (handle:join()))
    end)
end)

describe("indexing a handle", function()
    it("waits for the lane", function()
        assert.equal("result", waited_for(function(handle) return handle[1] end))
    end)

    it("gives the results, and nil beyond them", function()
        local handle = done("a", nil, "c")
        assert.same({ n = 4, "a", nil, "c", nil }, support.pack(handle[1], handle[2], handle[3], handle[4]))
        assert.is_nil(handle[1000])
        assert.is_nil(handle[-2])
    end)

    it("gives true at 0 and nil at -1 when the lane is done", function()
        local handle = done("a")
        assert.is_true(handle[0])
        assert.is_nil(handle[-1])
        local empty = done()
        assert.is_true(empty[0])
        assert.is_nil(empty[1])
    end)

    it("gives nil at an index that is not an integer", function()
        local handle = done("a", "b")
        local indexes = { 0.5, 1.5, -0.5, 1e300, math.huge, -math.huge, 0 / 0 }
        for _, index in ipairs(indexes) do assert.is_nil(handle[index]) end
    end)

    it("takes a float with an integral value as that integer", function()
        local handle = done("a", "b")
        assert.equal("b", handle[2.0])
    end)

    it("gives the same table each time", function()
        local handle = done({ 1 })
        assert.equal(handle[1], handle[1])
    end)

    it("raises the error of a lane that failed, each time, at every index except -1", function()
        local handle = failed("no such thing")
        for _ = 1, 3 do
            for _, index in ipairs { 1, 2, 100, 0, -2 } do
                support.raises("no such thing", function() return handle[index] end)
            end
        end
    end)

    it("raises at 0 also when it is read first", function()
        local handle = failed("no such thing")
        support.raises("no such thing", function() return handle[0] end)
        support.raises("no such thing", function() return handle[0] end)
    end)

    it("gives the error value at -1 without raising, after any other read", function()
        local handle = failed("no such thing")
        assert.equal("no such thing", handle[-1])
        support.raises("no such thing", function() return handle[1] end)
        assert.equal("no such thing", handle[-1])
    end)

    it("raises the text of an error value", function()
        support.raises("false", function() return failed(false)[1] end)
        support.raises("12", function() return failed(12)[1] end)
        local object = setmetatable({ code = 7 }, { __tostring = function(self) return "code " .. self.code end })
        support.raises("code 7", function() return failed(object)[1] end)
        support.raises("table: ", function() return failed({})[1] end)
    end)

    it("gives the error value itself at -1", function()
        local class = { __tostring = function() return "object" end }
        local value = failed(setmetatable({ code = 7 }, class))[-1]
        assert.equal(7, value.code)
        assert.equal(class, getmetatable(value))
        assert.is_false(failed(false)[-1])
    end)

    it("gives nil, and raises nothing, when the error was nil", function()
        if support.no_error then -- in this Lua an error is never nil
            assert.equal(support.no_error, failed(nil)[-1])
            return
        end
        local handle = failed(nil)
        assert.is_nil(handle[1])
        assert.is_nil(handle[-1])
        assert.equal("error", handle.status)
    end)

    it("gives nil, and raises nothing, for a cancelled lane", function()
        local handle = cancelled()
        assert.is_nil(handle[1])
        assert.is_nil(handle[2])
        assert.is_nil(handle[-1])
    end)
end)

describe("join and indexing", function()
    it("agree when the index comes first", function()
        local handle = done("a", nil, "c")
        assert.equal("c", handle[3])
        assert.same({ n = 3, "a", nil, "c" }, support.pack(handle:join()))
        assert.equal("a", handle[1])
        assert.is_true(handle[0])
    end)

    it("agree when join comes first", function()
        local handle = done("a", nil, "c")
        assert.same({ n = 3, "a", nil, "c" }, support.pack(handle:join()))
        assert.same({ "a", nil, "c", nil }, { handle[1], handle[2], handle[3], handle[4] })
        assert.is_true(handle[0])
        assert.is_nil(handle[-1])
    end)

    it("give the same table", function()
        local handle = done({ 1 })
        local joined = handle:join()
        assert.equal(joined, handle[1])
    end)

    it("agree on an error when the index comes first", function()
        local handle = failed("no such thing")
        support.raises("no such thing", function() return handle[1] end)
        local results = support.pack(handle:join())
        assert.same({ 3, nil, "no such thing", "table" }, { results.n, results[1], results[2], type(results[3]) })
    end)

    it("agree on an error when join comes first", function()
        local handle = failed("no such thing")
        handle:join()
        support.raises("no such thing", function() return handle[1] end)
        support.raises("no such thing", function() return handle[0] end)
        assert.equal("no such thing", handle[-1])
    end)

    it("agree on a cancelled lane", function()
        local handle = cancelled()
        assert.is_nil(handle[1])
        assert.same({ n = 0 }, support.pack(handle:join()))
        assert.is_nil(handle[1])
        assert.is_nil(handle[-1])
    end)

    it("agree after a join that timed out", function()
        local linda = lanes.linda()
        local handle = gated(linda, "result")
        assert.same({ nil, "timeout" }, { handle:join(0) })
        linda:send("go", true)
        assert.equal("result", handle[1])
        assert.equal("result", (handle:join(0)))
    end)
end)

describe("a result that cannot be passed", function()
    local function refused(expected, body, n)
        local handle = lanes.gen("*", body)()
        for _ = 1, 2 do
            support.raises(expected, function() return handle:join() end)
            support.raises(expected, function() return handle[n or 1] end)
        end
    end

    it("is an error of join and index when it is a coroutine", function()
        refused("tried to copy unsupported types", function() return coroutine.create(function() end) end)
    end)

    it("is an error of join and index when it is a userdata", function()
        refused("can't copy non-deep full userdata across lanes", function() return io.stdout end)
    end)

    it("is an error of join and index when it is a C function without a name", function()
        refused("not found", function() return (coroutine.wrap(function() end)) end)
    end)

    it("is an error that names its place", function()
        refused("config.handler", function() return 1, { config = { handler = coroutine.create(function() end) } } end, 2)
    end)

    it("does not affect the other results, read by index", function()
        local handle = lanes.gen("*", function()
            local shared = {}
            return "first", io.stdout, shared, { shared }, coroutine.create(function() end), nil, "last"
        end)()
        for _ = 1, 2 do
            assert.equal("first", handle[1])
            support.raises("result #2", function() return handle[2] end)
            assert.same({ {} }, handle[4])
            assert.equal(handle[3], handle[4][1])
            support.raises("(result #5 is of type 'thread'", function() return handle[5] end)
            assert.is_nil(handle[6])
            assert.equal("last", handle[7])
            assert.is_nil(handle[8])
            assert.is_true(handle[0])
            assert.is_nil(handle[-1])
            support.contains("one by one", support.raises("result #2", handle.join, handle))
        end
        assert.equal("done", handle.status)
    end)

    it("is found at any place among the largest number of results", function()
        local handle = lanes.gen("*", function()
            local list = {}
            for i = 1, 200 do list[i] = i % 2 == 0 and i or coroutine.create(function() end) end
            return (rawget(table, "unpack") or unpack)(list)
        end)()
        for i = 2, 200, 2 do assert.equal(i, handle[i]) end
        for i = 1, 200, 2 do
            support.raises("(result #" .. i .. " is of type 'thread'", function() return handle[i] end)
        end
    end)

    it("leaves the process working", function()
        local handle = lanes.gen("*", function() return io.stdout end)()
        assert.is_false(pcall(handle.join, handle))
        assert.equal(1, done(1)[1])
    end)
end)

describe("a result that this state does not know", function()
    local function unknown(name)
        return lanes.gen("*", function()
            local f = coroutine.wrap(function() end)
            require "lanes".register(name, { f = f })
            local inner, class = {}, { __index = {}, method = f }
            return "first", { inner, f }, inner, setmetatable({}, class), { "fifth" }, setmetatable({}, class)
        end)()
    end

    it("does not affect the other results, except those that are part of it", function()
        local handle = unknown "unknown_1"
        for _ = 1, 2 do
            assert.equal("first", handle[1])
            support.raises("(result #2[2]", function() return handle[2] end)
            support.raises("(result #3)", function() return handle[3] end)
            support.raises("(result #4, metatable.method", function() return handle[4] end)
            assert.same({ "fifth" }, handle[5])
            support.raises("(result #6, metatable.method", function() return handle[6] end)
            support.raises("function 'unknown_1/f' not found in main destination transfer database.", handle.join, handle)
        end
        assert.equal(handle[5], handle[5])
    end)

    it("can be read once it is known", function()
        local handle = unknown "unknown_2"
        local fifth = handle[5]
        assert.is_false(pcall(function() return handle[2] end))
        -- From now on it has this name in all lanes of this process; no other spec uses it.
        lanes.register("unknown_2", { f = string.reverse })
        local results = support.pack(handle:join())
        assert.equal(6, results.n)
        assert.equal(string.reverse, results[2][2])
        assert.equal(results[2][1], results[3])
        assert.equal(fifth, results[5])
        assert.equal(string.reverse, getmetatable(results[4]).method)
        assert.equal(getmetatable(results[4]), getmetatable(results[6]))
        assert.equal(results[2], handle[2])
    end)
end)

describe("an error value that cannot be passed", function()
    it("is an error of join that says so, or replaced by its text", function()
        for _, body in ipairs {
            function() error(io.stdout) end,
            function() error(coroutine.create(function() end)) end,
            function() error({ handler = coroutine.create(function() end) }) end,
            function() error((coroutine.wrap(function() end))) end,
        } do
            local handle = lanes.gen("*", body)()
            for _ = 1, 2 do
                local ok, first, message = pcall(handle.join, handle)
                assert.is_string(ok and message or first)
                assert.is_true(not ok or first == nil)
            end
            assert.equal("error", handle.status)
        end
    end)
end)
