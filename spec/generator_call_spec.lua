-- Calling a generator: arguments, the environment of a new lane, and errors of the call.
local support = require "support"
local needs = require "needs"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
-- luacheck: globals decoda_name (of lanes)

local lanes = require "lanes"

local function nothing() end

describe("the arguments of a generator call", function()
    it("reach the body, nils and trailing nils included", function()
        local generator = lanes.gen("*", function(...) return ... end)
        assert.same({ n = 4, 1, nil, "x", nil }, support.pack(generator(1, nil, "x", nil):join()))
        assert.same({ n = 1, nil }, support.pack(generator(nil):join()))
        assert.same({ n = 0 }, support.pack(generator():join()))
    end)

    it("may be many", function()
        local list = {}
        for i = 1, 200 do list[i] = i end
        local generator = lanes.gen("*", function(...) return select("#", ...), (select(200, ...)) end)
        assert.same({ 200, 200 }, { generator((table.unpack or unpack)(list)):join() })
    end)

    it("keep the tables that they share", function()
        local shared = {}
        local generator = lanes.gen("*", function(a, b) return a == b[1], a end)
        local same, copy = generator(shared, { shared }):join()
        assert.is_true(same)
        assert.are_not.equal(shared, copy)
    end)

    it("share nothing with the upvalues of the body", function()
        local shared = {}
        assert.is_false(lanes.gen("*", function(argument) return argument == shared end)(shared)[1])
    end)

    it("are copies", function()
        local list = { 1 }
        local handle = lanes.gen("*", function(copy) copy[1] = "changed" return copy end)(list)
        assert.equal("changed", handle[1][1])
        assert.equal(1, list[1])
    end)

    it("may be functions, lindas and tables with metatables", function()
        local linda = lanes.linda()
        local object = setmetatable({ 5 }, { __index = { get = function(self) return self[1] end } })
        local generator = lanes.gen("*", function(f, l, o) return f(2), l, o:get() end)
        local four, same_linda, five = generator(function(n) return n * 2 end, linda, object):join()
        assert.equal(4, four)
        assert.equal(linda, same_linda)
        assert.equal(5, five)
    end)
end)

describe("a new lane", function()
    it("has the functions that only lanes have, with any libraries", function()
        local have = lanes.gen(function()
            return cancel_test ~= nil and set_finalizer ~= nil and set_debug_threadname ~= nil
                and set_error_reporting ~= nil
        end)()[1]
        assert.is_true(have)
    end)

    it("has its name in the global decoda_name", function()
        assert.is_truthy(lanes.gen("*", function() return decoda_name end)()[1]:find("^Lane #0x%x+$"))
    end)

    it("has none of the caller's other globals", function()
        _G.spec_global = 5
        local value = lanes.gen("*", function() return _G.spec_global end)()[1]
        _G.spec_global = nil
        assert.is_nil(value)
    end)

    it("shares no globals with other lanes", function()
        local generator = lanes.gen("*", function() local before = _G.seen; _G.seen = true; return before end)
        for _ = 1, 10 do assert.is_nil(generator()[1]) end
    end)

    it("shares no library tables with other lanes", function()
        local generator = lanes.gen("*", function()
            local before, loaded_before = rawget(string, "seen"), package.loaded.seen
            rawset(string, "seen", true)
            package.loaded.seen = true
            return before, loaded_before
        end)
        for _ = 1, 10 do assert.same({ n = 2 }, support.pack(generator():join())) end
    end)

    it("runs on its own thread", function()
        local linda = lanes.linda()
        local generator = lanes.gen("*", function(mine, other)
            linda:send(other, "hello")
            return (select(2, linda:receive(mine)))
        end)
        local a, b = generator("a", "b"), generator("b", "a")
        assert.same({ "hello", "hello" }, { a[1], b[1] })
    end)
end)

describe("main", function()
    it("has none of the functions that only lanes have", function()
        assert.same({}, { cancel_test, set_finalizer, set_debug_threadname, set_error_reporting })
    end)
end)

describe("a generator call that fails", function()
    local thread = coroutine.create(nothing)

    it("says that a coroutine cannot be an argument", function()
        support.raises("tried to copy unsupported types", lanes.gen("*", nothing), 1, thread)
    end)

    it("names the place of a value in an argument that cannot be passed", function()
        support.raises("arg #2.config.handler", lanes.gen("*", nothing), 1, { config = { handler = thread } })
    end)

    it("says that a userdata cannot be an argument", function()
        support.raises("can't copy non-deep full userdata across lanes", lanes.gen("*", nothing), io.stdout)
    end)

    it("names an upvalue that cannot be passed", function()
        support.raises("thread", lanes.gen("*", function() return thread end))
    end)

    it("says that a C function with no name cannot be the body", function()
        support.raises("not found", lanes.gen("*", coroutine.wrap(nothing)))
    end)

    it("raises at the line of its caller", function()
        local generator, at = lanes.gen("*", nothing), nil
        local message = support.error_of(function()
            at = support.here() generator(thread)
        end)
        assert.equal(at, message:sub(1, #at))
    end)

    it("leaves the generator usable", function()
        local generator = lanes.gen("*", function(x) return x end)
        assert.is_string(support.error_of(generator, thread))
        assert.equal("fine", generator("fine")[1])
    end)

    it("does not run the body", function()
        local linda = lanes.linda()
        support.error_of(lanes.gen("*", function() linda:send("ran", true) end), thread)
        lanes.gen("*", nothing)():join()
        assert.is_nil(linda:count("ran"))
    end)

    needs.proc(it)("releases everything that it allocated", function()
        local grown = tonumber(support.output [[
            local lanes = require "lanes"
            local function kibibytes()
                collectgarbage()
                collectgarbage()
                return require "machine".status "VmRSS"
            end
            local generator = lanes.gen("*", function() end)
            local thread = coroutine.create(function() end)
            for i = 1, 200 do pcall(generator, {}, thread) end
            local before = kibibytes()
            for i = 1, 3000 do pcall(generator, {}, thread) end
            print(kibibytes() - before)
        ]])
        -- 3000 states of some 20 KiB would be 60000.
        assert.is_true(grown < 12000, grown .. " KiB more than before")
    end)
end)

describe("many lanes", function()
    it("run in parallel", function()
        local linda = lanes.linda()
        local generator = lanes.gen("*", function(i)
            linda:send("ready", i)
            linda:receive("go")
            return i
        end)
        local handles = {}
        for i = 1, 100 do handles[i] = generator(i) end
        for _ = 1, 100 do linda:receive("ready") end
        for i = 1, 100 do linda:send("go", i) end
        for i = 1, 100 do assert.equal(i, handles[i][1]) end
    end)

    it("run one after the other", function()
        local generator, sum = lanes.gen("*", function(i) return i end), 0
        for i = 1, 1000 do sum = sum + generator(i)[1] end
        assert.equal(500500, sum)
    end)
end)
