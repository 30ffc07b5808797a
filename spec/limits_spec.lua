-- Limits of memory, sizes, depth and numbers. Exceeding one is a clear error, and everything else
-- continues.
--
-- Environment: LANES_SPEC_FULL runs a million timers and 5,000 lanes at once.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"
local needs = require "needs"
local expect = require "expect"

local it_limited = needs.limits(it)

local full = os.getenv "LANES_SPEC_FULL"

local function everything_works()
    assert.equal(42, expect.finished(lanes.gen("*", function(t) return t[1] end) { 42 }))
end

describe("memory_limit", function()
    local function fill()
        local kept = {}
        while true do kept[#kept + 1] = ("x"):rep(1000) .. #kept end
    end

    it("ends a lane that fills its memory with Lua's own error", function()
        local lane = lanes.gen("*", { memory_limit = 2e6 }, fill)()
        local nothing, problem = lane:join(100)
        assert.is_nil(nothing)
        assert.equal("not enough memory", problem)
        assert.equal("error", lane.status)
        assert.equal("not enough memory", lane[-1])
        support.raises("not enough memory", function() return lane[1] end)
    end)

    it("runs the finalizer with the error, and can be caught in the lane", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", { memory_limit = 2e6 }, function()
            set_finalizer(function(problem) linda:send("problem", problem) end)
            local kept = {}
            local ok, problem = pcall(function()
                while true do kept[#kept + 1] = ("x"):rep(1000) .. #kept end
            end)
            kept = nil -- luacheck: ignore
            collectgarbage()
            linda:send("caught", ok, problem)
            fill()
        end)()
        lane:join(100)
        local _, ok, problem = linda:receive(0, linda.batched, "caught", 2)
        assert.same({ false, "not enough memory" }, { ok, problem })
        assert.equal("not enough memory", select(2, linda:receive(0, "problem")))
        assert.equal("error", lane.status)
    end)

    it("is the limit of one lane and does not affect others", function()
        local linda = lanes.linda()
        local other = lanes.gen("*", function()
            local kept, n = {}, 0 -- luacheck: ignore kept
            repeat
                n = n + 1
                kept[n % 5000 + 1] = ("y"):rep(1000) .. n
                if n == 5000 then linda:send("filling", true) end
            until n >= 5000 and linda:receive(0, "stop")
            return n
        end)()
        assert.is_true(select(2, linda:receive(100, "filling")))
        local limited = {}
        for i = 1, 4 do limited[i] = lanes.gen("*", { memory_limit = 1e6 * i }, fill)() end
        for i = 1, 4 do assert.equal("not enough memory", select(2, limited[i]:join(100))) end
        linda:send("stop", true)
        assert.is_true(expect.finished(other) >= 5000)
    end)

    it("does not affect a lane that stays below it", function()
        assert.equal(5000, expect.finished(lanes.gen("*", { memory_limit = 1e8 }, function()
            local kept = {}
            for i = 1, 5000 do kept[i] = ("x"):rep(1000) .. i end
            return #kept
        end)()))
    end)

    if jit then
        needs.hooks(it)("is a clear error on a LuaJIT that gives states no allocator, and lanes without it work", function()
            assert.equal("true\n", support.output [[
                local lanes = require "lanes".configure()
                local hooks = require "lanes_core".hooks
                local function double(n) return 2 * n end
                hooks.refuse_allocators(1, 1e9)
                local ok, problem = pcall(lanes.gen("*", { memory_limit = 1e7 }, double), 21)
                assert(not ok)
                assert(problem:find("Bad 'memory_limit' option: this LuaJIT does not let lanes have an allocator of their own", 1, true),
                    problem)
                print(lanes.gen("*", double)(21)[1] == 42 and hooks.refuse_allocators() > 0)
            ]])
        end)
    end

    it("that is too small for a lane is an error of the generator", function()
        for _, limit in ipairs { 0, 1, 100, 5000 } do
            support.raises("not enough memory", lanes.gen("*", { memory_limit = limit }, function() end))
        end
        everything_works()
    end)

    it("of any size gives a lane or an error", function()
        for limit = 10000, 300000, 3000 do
            local started, lane = pcall(lanes.gen("*", { memory_limit = limit }, function(...)
                return { ... }, ("x"):rep(10000)
            end), { {} }, "text")
            if started then
                local ok, result, problem = pcall(lane.join, lane, 100)
                if not ok then
                    support.contains("not enough memory", result)
                elseif not result then
                    support.contains("not enough memory", problem)
                end
            else
                support.contains("not enough memory", lane)
            end
        end
        everything_works()
    end)
end)

describe("a large message", function()
    local size = 100 * 1000 * 1000

    it("of 100 MB arrives as one string", function()
        local linda = lanes.linda()
        linda:send("key", ("0123456789"):rep(size / 10))
        collectgarbage()
        local lane = lanes.gen("*", function()
            local _, text = linda:receive(0, "key")
            return #text, text:sub(-10)
        end)()
        assert.same({ size, "0123456789" }, { expect.finished(lane) })
    end)

    it("of 100 MB arrives as a table", function()
        local linda = lanes.linda()
        do
            local part, value = ("x"):rep(1000 * 1000), {}
            for i = 1, 100 do value[i] = { i, part } end
            linda:send("key", value)
        end
        collectgarbage()
        local _, value = linda:receive(0, "key")
        assert.equal(100, #value)
        assert.equal(100, value[100][1])
        assert.equal(1000 * 1000, #value[100][2])
        value = nil -- luacheck: ignore
        collectgarbage()
    end)
end)

describe("a message for which there is no memory #address_space", function()
    -- Until the filler is emptied, less memory is left than the text takes.
    local function outcome(program)
        return support.output([[
            local lanes = require "lanes".configure()
            local linda = lanes.linda()
            local text = ("x"):rep(200 * 1000 * 1000)
            linda:send("before", 1)
            local function fails(f, ...)
                local ok, problem = pcall(f, ...)
                assert(not ok and problem:find("not enough memory", 1, true), tostring(problem))
            end
            for _ = 1, 10 do collectgarbage() end -- 5.1 and LuaJIT free half of a buffer each time
            local filler = lanes.linda()
            while pcall(filler.send, filler, "key", text) do end
        ]] .. program .. [[
            assert(linda:count("key") == nil and linda:count("before") == 1)
            filler:set("key")
            linda:send("key", { text })
            assert(linda:count("key") == 1)
            print "fine"
        ]], { limits = "-v 1000000", timeout = 100 })
    end

    it_limited("is an error of the send, which sends nothing", function()
        assert.equal("fine\n", outcome [[
            fails(linda.send, linda, "key", text)
            fails(linda.send, linda, "key", 1, text)
            fails(linda.send, linda, "key", { text })
            fails(linda.send, linda, "key", function() return text end)
            fails(linda.set, linda, "key", text)
            fails(linda.set, linda, "key", setmetatable({}, { text = text }))
        ]])
    end)

    it_limited("is an error of the generator", function()
        assert.equal("fine\n", outcome [[
            local body = lanes.gen("base", function(...) return select("#", ...) end)
            fails(body, text)
            fails(body, { text })
            fails(lanes.gen("base", { globals = { text = text } }, function() end))
            filler:set("key") -- a thread needs memory too
            assert(body()[1] == 0)
        ]])
    end)
end)

describe("exhausted memory #address_space", function()
    for what, fill in pairs {
        ["by numbers in a slot"] = 'linda:send("key", i)',
        ["by texts in a slot"] = 'linda:send("key", ("x"):rep(i % 200))',
        ["by tables in a slot"] = 'linda:send("key", { i, { i } })',
        ["by slots"] = 'linda:set("key " .. i, i)',
        ["by lindas with names"] = 'linda:send("key", lanes.linda(("n"):rep(1000)))',
        ["by timers"] = 'lanes.timer(linda, i, 1000)',
    } do
        it_limited(what .. ", is an error of every call, and of none when it is there again", function()
            assert.equal("fine\n", support.output([[
                -- LuaJIT (2.1 beta) itself crashes when memory runs out in compiled code.
                if rawget(_G, "jit") then jit.off() end -- luacheck: ignore
                local lanes = require "lanes".configure()
                local linda = lanes.linda()
                local function fill(i) ]] .. fill .. [[ end
                local function clear(i) linda:set("key " .. i) end
                local spare = ("x"):rep(2000000) -- Lua itself needs some memory for any operation
                local count, failed = 0, 0
                repeat
                    local ok, problem = pcall(fill, count)
                    if ok then count = count + 1 else failed = failed + 1 end
                    assert(ok or problem:find("not enough memory", 1, true), problem)
                until failed == 100
                assert(count > 10000, count)
                spare = nil -- luacheck: ignore
                collectgarbage()
                if linda:receive(0, "key") then
                    linda:set("key")
                else
                    for i = 0, count do lanes.timer(linda, i) end
                    for i = 0, count do clear(i) end
                end
                linda = nil -- luacheck: ignore
                for _ = 1, 5 do collectgarbage() end
                linda = lanes.linda()
                for i = 1, 1000 do linda:send("key " .. i, { i }) end
                for i = 1, 1000 do assert(select(2, linda:receive(0, "key " .. i))[1] == i) end
                print "fine"
            ]], { limits = "-v 100000", timeout = 100 }))
        end)
    end
end)

describe("a name or key of 1 MB", function()
    it("names a linda", function()
        local linda = lanes.linda(("n"):rep(1000 * 1000))
        assert.equal("Linda: " .. ("n"):rep(1000 * 1000), tostring(linda))
        assert.equal(tostring(linda), expect.in_lane(function() return tostring(linda) end))
    end)

    it("is a key like any other", function()
        local linda = lanes.linda()
        local key = ("k"):rep(1000 * 1000)
        linda:send(key, "value", "other")
        linda:send(key .. "x", "wrong")
        assert.equal(2, linda:count(key))
        assert.equal("value", expect.in_lane(function()
            local found, value = linda:receive(0, key)
            return found == key and value
        end))
        assert.equal("other", linda:dump()[key].fifo[2])
    end)
end)

describe("depth", function()
    it("of a million tables is no problem for a transfer", function()
        local value = { "bottom" }
        for _ = 1, 1000000 do value = { value } end
        local linda = lanes.linda()
        linda:send("key", value)
        local _, copy = linda:receive(0, "key")
        local depth = 0
        while type(copy[1]) == "table" do
            copy = copy[1]
            depth = depth + 1
        end
        assert.equal(1000000, depth)
    end)

    it("of ten thousand functions is no problem for a transfer", function()
        local f = function() return 0 end
        for _ = 1, 10000 do
            local inner = f
            f = function(again) return again and inner or 1 end
        end
        local linda = lanes.linda()
        linda:send("key", f)
        local _, copy = linda:receive(0, "key")
        local depth = 0
        while copy(true) ~= 0 do
            copy = copy(true)
            depth = depth + 1
        end
        assert.equal(10000, depth)
    end)

    it("of fifty thousand lindas, each in a message of another, is no problem when they are freed", function()
        assert.equal("as it should", support.output([[
            local lanes = require "lanes"
            local function chain()
                local lanes = require "lanes" -- luacheck: ignore
                local first = lanes.linda()
                for _ = 1, 50000 do
                    local linda = lanes.linda()
                    linda:send("key", { first })
                    first = linda
                end
                return first
            end
            local function drop()
                local first = chain() -- luacheck: ignore
                first = nil
                collectgarbage()
                collectgarbage()
            end
            drop()
            lanes.gen("*", drop)():join()
            -- Freed by a state that is closed: a lane's, and the main one.
            lanes.gen("*", function() kept = chain() end)():join()
            kept = chain()
            io.write "as it should"
        ]]))
    end)
end)

describe("timers", function()
    local count = full and 1000000 or 50000

    it("can be a million (fewer by default)", function()
        local linda = lanes.linda()
        local before = #lanes.timers()
        for i = 1, count do lanes.timer(linda, i, 1000 + i % 100, 1) end
        assert.equal(before + count, #lanes.timers())
        for i = 1, count, 2 do lanes.timer(linda, i, 0.001) end
        for i = 1, count, 2 do expect.received(linda, i) end
        for i = 1, count do lanes.timer(linda, i) end
        assert.equal(before, #lanes.timers())
    end)
end)

describe("lanes", function()
    local count = full and 5000 or 1000

    it("can be thousands at once", function()
        local linda = lanes.linda()
        local body = lanes.gen("base", function(i)
            linda:send("started", true)
            linda:receive(nil, i)
            return i
        end)
        local all = {}
        for i = 1, count do all[i] = body(i) end
        for _ = 1, count do expect.received(linda, "started") end
        for i = 1, count do linda:send(nil, i, true) end
        for i = 1, count do assert.equal(i, expect.finished(all[i])) end
    end)

    needs.hooks(it)("for which there is no thread are an error of the generator, and leave nothing behind", function()
        local hooks = require "lanes_core".hooks
        local linda = lanes.linda()
        local ended = {}
        local body = lanes.gen("*", { gc_cb = function(name, how) ended[#ended + 1] = name .. " " .. how end },
            function() return (select(2, linda:receive("go"))) end)
        local first = body()
        hooks.refuse_threads(1, 3)
        for _ = 1, 3 do support.raises("cannot start a lane: the system gives no thread", body) end
        assert.equal(3, hooks.refuse_threads())
        collectgarbage()
        collectgarbage()
        assert.same({}, ended)
        local second = body()
        linda:send("go", 1, 2)
        assert.equal(3, expect.finished(first) + expect.finished(second))
    end)

    it_limited("continue when memory for threads runs out, and later ones can be launched again #address_space", function()
        local out = support.output([[
            local lanes = require "lanes"
            local linda = lanes.linda()
            local body = lanes.gen("base", function(i)
                linda:receive "go"
                return i
            end)
            local all, problem = {}, nil
            for i = 1, 20000 do
                local ok, lane = pcall(body, i)
                if not ok then
                    problem = lane
                    break
                end
                all[i] = lane
                -- A thread that starts with no memory left ends the process: the C library needs
                -- memory for it.
                repeat until lane.status == "waiting"
            end
            assert(problem, "it never runs out")
            print(#all > 10)
            print(problem)
            for i = 1, #all do linda:send("go", true) end
            local sum = 0
            for i = 1, #all do sum = sum + all[i][1] end
            print(sum == #all * (#all + 1) / 2)
            linda:send("go", true)
            print(body(42)[1])
        ]], { limits = "-v 1000000", timeout = 120 })
        local problem = out:match("^true\n([^\n]*)\ntrue\n42\n$")
        if problem ~= "not enough memory" then
            assert.matches("^cannot start a lane: the system gives no thread %([^\n]+%)$", problem or out)
        end
    end)
end)
