-- Lua functions that are passed between states: code, upvalues, environments, debug information.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local expect = require "expect"

local load = loadstring or load
local can_join_upvalues = debug.upvaluejoin ~= nil

-- The values as received in this state after they were sent through a linda together.
local function through_linda(...)
    local linda, n = lanes.linda(), select("#", ...)
    linda:send("key", ...)
    return select(2, linda:receive(0, linda.batched, "key", n))
end

-- A pair of functions that share an upvalue.
local function new_counter(start)
    local value = start
    local function increment()
        value = value + 1
        return value
    end
    local function read() return value end
    return increment, read
end

describe("a Lua function", function()
    it("works as argument, upvalue, result, table field and linda element", function()
        local function double(x) return 2 * x end
        assert.equal(42, expect.in_lane(function(f) return f(21) end, double))
        assert.equal(42, expect.in_lane(function() return double(21) end))
        assert.equal(42, expect.in_lane(function() return function(x) return 2 * x end end)(21))
        assert.equal(42, expect.in_lane(function(object) return object.f(21) end, { f = double }))
        assert.equal(42, through_linda(double)(21))
    end)

    it("arrives as a copy", function()
        local function f() end
        assert.is_false(rawequal(f, through_linda(f)))
    end)

    it("arrives once when one transfer contains it twice", function()
        local function f() end
        local one, two, three = through_linda(f, { f }, f)
        assert.is_true(rawequal(one, two[1]))
        assert.is_true(rawequal(one, three))
        assert.is_true(expect.in_lane(function(a, b) return a == b end, f, f))
    end)

    it("arrives as two functions from two transfers", function()
        local function f() end
        assert.is_false(rawequal(through_linda(f), through_linda(f)))
    end)

    it("may call itself", function()
        local function factorial(n) return n <= 1 and 1 or n * factorial(n - 1) end
        assert.equal(3628800, expect.in_lane(function() return factorial(10) end))
        assert.equal(3628800, through_linda(factorial)(10))
    end)

    it("may call another that calls it", function()
        local is_odd
        local function is_even(n) return n == 0 or is_odd(n - 1) end
        function is_odd(n) return n ~= 0 and is_even(n - 1) end
        assert.is_true(expect.in_lane(function() return is_even(100) and is_odd(101) and not is_even(3) end))
        assert.is_true(through_linda(is_even)(10))
    end)

    it("may be the body of a lane that starts itself again", function()
        local function countdown(n)
            if n == 0 then return "end" end
            return (require "lanes".gen("*", countdown)(n - 1):join())
        end
        assert.equal("end", expect.in_lane(countdown, 5))
    end)

    it("takes and returns any number of values", function()
        local got = through_linda(function(...) return select("#", ...), ... end)
        assert.same(support.pack(4, 1, nil, "x", nil), support.pack(got(1, nil, "x", nil)))
    end)

    it("may contain functions", function()
        local function outer()
            local kept = 1
            return function()
                kept = kept + 1
                return function() return kept end
            end
        end
        assert.equal(2, through_linda(outer)()()())
        assert.equal(2, through_linda(outer())()())
    end)

    it("may be large", function()
        local lines = { "local t = {}" }
        for i = 1, 5000 do lines[#lines + 1] = ("t[%d] = %q .. %d"):format(i, "text " .. i, i) end
        lines[#lines + 1] = "return t[5000]"
        local f = load(table.concat(lines, "\n"))
        assert.equal("text 50005000", through_linda(f)())
    end)

    it("may have many upvalues", function()
        local parts = {}
        for i = 1, 55 do parts[i] = ("local v%d = %d"):format(i, i) end
        parts[#parts + 1] = "return function() return v1"
        for i = 2, 55 do parts[#parts + 1] = (" + v%d"):format(i) end
        parts[#parts + 1] = " end"
        local f = load(table.concat(parts, "\n"))()
        assert.equal(55 * 56 / 2, f())
        assert.equal(55 * 56 / 2, through_linda(f)())
    end)

    it("keeps its source, its lines and the names of its locals", function()
        local function f(parameter)
            local variable = parameter
            return variable
        end
        local original, copy = debug.getinfo(f, "S"), debug.getinfo(through_linda(f), "S")
        assert.equal(original.source, copy.source)
        assert.equal(original.linedefined, copy.linedefined)
        assert.equal(original.lastlinedefined, copy.lastlinedefined)
        local function failing(object) return object.field.field end
        local ok, message = pcall(through_linda(failing), {})
        assert.is_false(ok)
        assert.matches("transfer_functions_spec.lua:%d+: ", message)
        assert.matches("field 'field'", message, 1, true)
    end)

    it("arrives without debug information when it has none", function()
        local stripped = load(string.dump(function(x) return x + 1 end, true))
        assert.equal(3, through_linda(stripped)(2))
    end)

    it("may have been loaded from a string", function()
        assert.equal(5, through_linda(load "local a = 2 return a + 3")())
    end)
end)

describe("the upvalues of a function", function()
    it("are copied with their current values when it is sent", function()
        local value = 1
        local function read() return value end
        local linda = lanes.linda()
        linda:send("key", read)
        value = 2
        assert.equal(1, select(2, linda:receive(0, "key"))())
        assert.equal(2, read())
    end)

    it("are copied anew at every call of a generator", function()
        local value = 1
        local generator = lanes.gen("*", function() return value end)
        assert.equal(1, expect.finished(generator()))
        value = 2
        assert.equal(2, expect.finished(generator()))
    end)

    it("do not change when the copy changes its own", function()
        local value = { number = 1 }
        local number = 1
        expect.in_lane(function()
            value.number = 2
            number = 2
            return number
        end)
        assert.equal(1, value.number)
        assert.equal(1, number)
    end)

    it("may be nil, and be set later", function()
        local value
        local function set(new) value = new end
        local function f(new)
            set(new)
            return value
        end
        assert.is_nil(through_linda(function() return value end)())
        assert.equal(can_join_upvalues and "new" or nil, through_linda(f)("new"))
    end)

    it("may be false, NaN, functions, lindas and tables", function()
        local no, nan, linda, list, double = false, 0 / 0, lanes.linda(), { 1 }, function(x) return 2 * x end
        local a, b, c, d, e = expect.in_lane(function() return no, nan ~= nan, linda, list, double(4) end)
        assert.is_false(a)
        assert.is_true(b)
        assert.is_true(rawequal(linda, c))
        assert.same({ 1 }, d)
        assert.equal(8, e)
    end)

    it("share a table with other functions of the transfer", function()
        local shared = { value = 0 }
        local function increment() shared.value = shared.value + 1 end
        local function read() return shared.value end
        local increment_there, read_there = through_linda(increment, read)
        increment_there()
        assert.equal(1, read_there())
        assert.equal(0, read())
    end)

    if can_join_upvalues then
        it("stay one variable for functions sent together", function()
            local increment, read = through_linda(new_counter(5))
            increment()
            increment()
            assert.equal(7, read())
        end)

        it("stay one variable for functions in one table", function()
            local increment, read = new_counter(5)
            local object = through_linda { increment = increment, inner = { read = read } }
            object.increment()
            assert.equal(6, object.inner.read())
        end)

        it("stay one variable for arguments of a lane", function()
            local increment, read = new_counter(5)
            assert.equal(6, expect.in_lane(function(there_increment, there_read)
                there_increment()
                return there_read()
            end, increment, read))
        end)

        it("stay one variable for upvalues of a lane's body", function()
            local increment, read = new_counter(5)
            assert.equal(6, expect.in_lane(function()
                increment()
                return read()
            end))
        end)

        it("stay one variable for results of a lane", function()
            local increment, read = expect.in_lane(new_counter, 5)
            increment()
            assert.equal(6, read())
        end)

        it("stay one variable when it is nil", function()
            local value
            local set, get = through_linda(function(new) value = new end, function() return value end)
            set("set")
            assert.equal("set", get())
            assert.is_nil(value)
        end)

        it("stay two variables when they were two with equal values", function()
            local one, read_one = new_counter(1)
            local two, read_two = new_counter(1)
            one, read_one, two, read_two = through_linda(one, read_one, two, read_two)
            one()
            one()
            two()
            assert.equal(3, read_one())
            assert.equal(2, read_two())
        end)

        it("become two variables in two transfers", function()
            local increment, read = new_counter(5)
            local increment_there = through_linda(increment)
            local read_there = through_linda(read)
            increment_there()
            assert.equal(5, read_there())
        end)
    else
        it("become a separate variable for each function in this Lua", function()
            local increment, read = through_linda(new_counter(5))
            assert.equal(6, increment())
            assert.equal(7, increment())
            assert.equal(5, read())
        end)
    end
end)

describe("the globals of a function", function()
    it("are those of the lane that calls it", function()
        local value = expect.finished(lanes.gen("*", { globals = { spec_global = "lane" } }, function()
            return spec_global -- luacheck: globals spec_global
        end)())
        assert.equal("lane", value)
    end)

    it("are _G of the lane, also when a function holds _G as an upvalue", function()
        local globals = _G
        assert.is_true(expect.in_lane(function() return globals == _G and globals.string == string end))
    end)

    it("can be set in a lane without effect on the others", function()
        expect.in_lane(function() spec_only_there = true end) -- luacheck: globals spec_only_there
        assert.is_nil(rawget(_G, "spec_only_there"))
    end)

    if setfenv then
        it("are the lane's, with any environment of the function", function()
            local f = setfenv(function() return answer end, { answer = 42 }) -- luacheck: globals answer
            assert.is_nil((expect.in_lane(f)))
            assert.is_nil((through_linda(f)()))
        end)
    else
        it("are a copied table when the function had its own _ENV", function()
            local f = load("return answer, print", "custom", "t", { answer = 42 })
            local answer, no_print = expect.in_lane(f)
            assert.equal(42, answer)
            assert.is_nil(no_print)
        end)

        it("are the lane's when the function had this state's", function()
            local f = load "return _ENV == _G and print ~= nil"
            assert.is_true(expect.in_lane(f))
        end)

        it("stay shared by functions that share an _ENV table", function()
            local set, get = load("return function(v) value = v end, function() return value end", "pair", "t", {})()
            set, get = through_linda(set, get)
            set(7)
            assert.equal(7, get())
        end)
    end
end)

describe("functions nested by their upvalues", function()
    it("arrive from any depth", function()
        local f = function() return 0 end
        for _ = 1, 20000 do
            local inner = f
            f = function(n) return n == 0 and 0 or inner(n - 1) end
        end
        local copy = through_linda(f)
        assert.equal(0, copy(1000))
        assert.equal(0, copy(0))
    end)
end)
