-- The 4.x interface: conversions, tables with objects as keys, lanes.null.
local support = require "support"
if support.apart(describe, it) then return end
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes".configure { api = 4, convert_max_attempts = 3, strip_functions = false }
local pack = support.pack

-- The values after a way through a linda.
local function through_linda(...)
    local linda = lanes.linda()
    local count = select("#", ...)
    linda:send("slot", ...)
    return select(2, linda:receive_batched("slot", count))
end

-- The values after a way through a lane, as arguments and results.
local function through_lane(...)
    return select(2, lanes.gen("*", function(...) return ... end)(...):join())
end

local WAYS = { linda = through_linda, lane = through_lane }

local function converting(converter)
    return setmetatable({ original = true }, { __lanesconvert = converter })
end

for name, through in pairs(WAYS) do
    describe("through a " .. name .. ", __lanesconvert", function()
        it("that is null makes nil", function()
            assert.same(pack(nil), pack(through(converting(lanes.null))))
            assert.same({ { 1 } }, { through { 1, x = converting(lanes.null) } })
        end)

        it("that is decay makes a light userdata", function()
            local value = through(converting "decay")
            assert.equal("userdata", type(value))
            assert.is_nil(getmetatable(value))
        end)

        it("that is a function makes its first result", function()
            assert.equal("text", (through(converting(function() return "text", "more" end))))
            assert.is_nil((through(converting(function() end))))
            assert.is_nil((through(converting(function() return lanes.null end))))
            assert.same({ a = { 1, 2 } }, through { a = converting(function() return { 1, 2 } end) })
            assert.equal(7, through(converting(function() return function() return 7 end end))())
        end)

        it("is called with the object and where it goes", function()
            local seen
            local object = converting(function(...) seen = pack(...) return 1 end)
            through(object)
            assert.equal(2, seen.n)
            assert.equal(object, seen[1])
            assert.equal(name == "linda" and "keeper" or "regular", seen[2])
        end)

        it("is looked up through __index", function()
            local object = setmetatable({}, setmetatable({}, { __index = { __lanesconvert = lanes.null } }))
            assert.is_nil((through(object)))
        end)

        it("converts up to the setting, and no further", function()
            local function needing(n)
                return converting(function() return n == 1 and "done" or needing(n - 1) end)
            end
            for n = 1, 3 do
                assert.equal("done", (through(needing(n))))
            end
            support.raises("more than 3 conversion attempts", through, needing(4))
            support.raises("more than 3 conversion attempts", through, converting(function(object) return object end))
        end)

        it("keeps identity: an object is converted once", function()
            local calls = 0
            local object = converting(function() calls = calls + 1 return { "new" } end)
            local result = through { object, object, { object } }
            assert.same({ { "new" }, { "new" }, { { "new" } } }, result)
            assert.equal(result[1], result[2])
            assert.equal(result[1], result[3][1])
            assert.equal(1, calls)
        end)

        it("raises its errors", function()
            local raised = support.error_of(through, converting(function() error({ code = 5 }, 0) end))
            assert.same({ code = 5 }, raised)
        end)

        it("of other types is refused, with the place of the object", function()
            support.raises("Invalid __lanesconvert type number", through, { x = converting(5) })
            support.raises("Invalid __lanesconvert mode 'nope'", through, { x = converting "nope" })
            support.raises(".x", through, { x = converting(true) })
        end)

        it("may send through lindas itself", function()
            local linda = lanes.linda()
            local object = converting(function()
                linda:send("inner", converting(function() return { "inner" } end))
                return { "outer" }
            end)
            assert.same({ "outer" }, through(object))
            assert.same({ "inner" }, select(2, linda:receive "inner"))
        end)

        it("does not touch objects without", function()
            local class = { name = "class" }
            class.__index = class
            local object = through(setmetatable({ 1 }, class))
            assert.equal("class", object.name)
        end)
    end)

    describe("through a " .. name .. ", tables", function()
        it("have objects as keys", function()
            local key, f = {}, function() return 5 end
            local linda = lanes.linda()
            local result = through { [key] = "table", [f] = "function", [linda] = "linda", keys = { key, f, linda } }
            assert.equal("table", result[result.keys[1]])
            assert.equal("function", result[result.keys[2]])
            assert.equal("linda", result[result.keys[3]])
            assert.equal("linda", result[linda])
            assert.equal(5, result.keys[2]())
        end)

        it("have keys that have contents and values that are objects", function()
            local result = through { [{ "key", { "deep" } }] = { "value", { "deep" } }, [{ "other" }] = false }
            local seen = {}
            for key, value in pairs(result) do seen[key[1]] = { key, value } end
            assert.same({ key = { { "key", { "deep" } }, { "value", { "deep" } } }, other = { { "other" }, false } }, seen)
        end)

        it("may be keys and values of themselves", function()
            local own = {}
            own[own] = own
            local result = through { own }[1]
            assert.equal(result, result[result])
            local a, b = {}, {}
            a[b], b[a] = a, b
            local list = through { a, b }
            assert.equal(list[1], list[1][list[2]])
            assert.equal(list[2], list[2][list[1]])
        end)

        it("may be nested as keys deeper than any frame", function()
            local key = { "innermost" }
            for _ = 1, 500 do key = { [key] = "level" } end
            local depth, result = 0, through(key)
            while result[1] ~= "innermost" do
                local next_key, value = next(result)
                assert.equal("level", value)
                result, depth = next_key, depth + 1
            end
            assert.equal(500, depth)
        end)

        it("have converted keys, and no entry if that is nil", function()
            local result = through { [converting(function() return "key" end)] = 1, [converting(lanes.null)] = 2,
                [converting(function() return { "table" } end)] = 3 }
            assert.equal(1, result.key)
            result.key = nil
            local key, value = next(result)
            assert.same({ { "table" }, 3 }, { key, value })
            assert.is_nil(next(result, key))
        end)

        it("have no entries whose key is a coroutine or null", function()
            local result = through { [coroutine.create(function() end)] = 1, [lanes.null] = 2, x = 3 }
            assert.same({ x = 3 }, result)
        end)

        it("refuse keys that are plain userdata", function()
            local file = io.tmpfile()
            support.raises("userdata", through, { [file] = 1 })
            file:close()
        end)

        it("have nil in place of null", function()
            assert.same({ 1, nil, 3, y = 4 }, through { 1, lanes.null, 3, x = lanes.null, y = 4 })
            assert.same(pack(nil, 2), pack(through(lanes.null, 2)))
        end)
    end)
end

describe("the setting convert_fallback", function()
    local function output(fallback, program)
        return support.output(("local lanes = require 'lanes'.configure{ api = 4, convert_fallback = %s }\n%s"):format(fallback, program))
    end

    local PROGRAM = [[
        local linda = lanes.linda()
        local function sent(value)
            linda:send("slot", value)
            return type(select(2, linda:receive "slot"))
        end
        print(sent {}, sent(setmetatable({}, {})), sent(string), sent(5))
        print(lanes.gen("*", function(value) return type(value), type(require) end)({}):join())
        print(select("#", lanes.gen("*", { error_trace_level = "basic" }, function() error "x" end)():join()))
    ]]

    it("that is decay makes light userdata of tables without metatable", function()
        assert.equal("userdata\ttable\ttable\tnumber\ntrue\tuserdata\tfunction\n3\n", output("'decay'", PROGRAM))
    end)

    it("that is null makes nil of them", function()
        assert.equal("nil\ttable\ttable\tnumber\ntrue\tnil\tfunction\n3\n", output("lanes and lanes.null or require 'lanes'.null", PROGRAM))
    end)

    it("does nothing by default", function()
        assert.equal("table\ttable\ttable\tnumber\ntrue\ttable\tfunction\n3\n", output("nil", PROGRAM))
    end)

    it("gives way to __lanesconvert", function()
        assert.equal("string\n", output("'decay'", [[
            local linda = lanes.linda()
            linda:send("slot", setmetatable({}, { __lanesconvert = function() return "text" end }))
            print(type(select(2, linda:receive "slot")))
        ]]))
    end)

    it("is checked, and so are the attempts", function()
        for _, wrong in ipairs { "1", "'x'", "true" } do
            support.contains("must be nil, lanes.null or 'decay'", support.output(
                ("print(pcall(require 'lanes.v4'.configure, { convert_fallback = %s }))"):format(wrong)))
        end
        for _, wrong in ipairs { "0", "10", "-1" } do
            support.contains("Bad parameter convert_max_attempts: " .. wrong .. " (value out of range)", support.output(
                ("print(pcall(require 'lanes.v4'.configure, { convert_max_attempts = %s }))"):format(wrong)))
        end
    end)
end)

it("results that fail to convert are an error of join", function()
    local lane = lanes.gen("*", function()
        return setmetatable({}, { __lanesconvert = function() error("text", 0) end })
    end)()
    support.raises("text", lane.join, lane)
    support.raises("text", lane.join, lane)
end)

it("tables of 3.x have no objects as keys, and keep null", function()
    assert.equal("nil\ttrue\ttrue\n", support.output [[
        local lanes = require "lanes".configure()
        local linda = lanes.linda()
        linda:send("slot", { [{}] = 1, x = lanes.null, y = setmetatable({}, { __lanesconvert = lanes.null }) })
        local _, result = linda:receive "slot"
        local null, converted = result.x, result.y
        result.x, result.y = nil, nil
        print(next(result), null == lanes.null, converted ~= nil)
    ]])
end)

for name, through in pairs(WAYS) do
    describe("a userdata of a module, through a " .. name, function()
        it("is that of the receiver", function()
            assert.equal(io.stdin, (through(io.stdin)))
            local values = through { io.stdout, [io.stderr] = io.stderr, deep = { io.stdin } }
            assert.same({ io.stdout, io.stdin, io.stderr }, { values[1], values.deep[1], values[io.stderr] })
        end)

        it("is not one of the program", function()
            local file = io.tmpfile()
            _G.global_file = file
            support.raises("userdata", through, file)
            _G.global_file = nil
            file:close()
        end)
    end)
end

describe("a userdata of a module", function()
    it("travels as upvalue, argument, global and element", function()
        local input = io.stdin
        local linda = lanes.linda()
        linda:send("slot", io.stderr)
        local results = pack(lanes.gen("*", { globals = { output = io.stdout } }, function(given, l)
            local _, element = l:receive("slot")
            return input == io.stdin, given == io.stdin, output == io.stdout, element == io.stderr, io.stdout -- luacheck: ignore
        end)(input, linda):join())
        assert.same(pack(true, true, true, true, true, io.stdout), results)
    end)

    it("must be known to the receiver", function()
        local text = support.raises("userdata 'io/stdin' not found in", lanes.gen("base", function() end), io.stdin)
        support.contains("destination transfer database", text)
    end)

    it("is converted first", function()
        local meta = getmetatable(io.stdin)
        meta.__lanesconvert = "decay"
        local value = through_linda(io.stdin)
        meta.__lanesconvert = nil
        assert.equal("userdata", type(value))
        assert.is_nil(getmetatable(value))
    end)

    it("can be registered", function()
        assert.equal("true\ttrue\tfalse\n", support.output [[
            local lanes = require "lanes".configure { api = 4 }
            local file = io.tmpfile()
            local linda = lanes.linda()
            local before = pcall(linda.send, linda, "slot", file)
            lanes.register("file", file)
            linda:send("slot", file)
            local _, value = linda:receive("slot")
            lanes.register("files", { mine = io.tmpfile() })
            print(rawequal(value, file), (pcall(linda.send, linda, "slot", file)), before)
        ]])
    end)
end)
