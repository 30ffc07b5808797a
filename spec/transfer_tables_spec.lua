-- Tables: copies with the same contents and the same sharing, and with metatables that keep their
-- identity.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local expect = require "expect"

-- The value as received in this state after it was sent through a linda.
local function through_linda(value)
    local linda = lanes.linda()
    linda:send("key", value)
    return select(2, linda:receive(0, "key"))
end

-- The value as returned by a lane that returns its argument.
local function through_lane(value)
    return (expect.in_lane(function(argument) return argument end, value))
end

describe("a table", function()
    local tables = {
        ["an empty table"] = {},
        ["a list"] = { 1, 2, 3 },
        ["a record"] = { name = "x", size = 1.5, flag = false },
        ["a mixed table"] = { 1, "two", true, four = 4, [5.5] = "x", [false] = "no", [-1] = "minus" },
        ["a nested table"] = { { { { "deep" } } }, a = { b = { c = {} } } },
        ["a list with holes"] = { 1, nil, 3, nil, nil, 6, [100] = "far", [1000000] = "farther" },
        ["a list from zero"] = { [0] = "zero", "one", "two" },
        ["a list of strings"] = { "a", "b", "a", "", "a\0b" },
        ["a list of mixed numbers"] = { 1, 2.5, 3, -4, 1e300, 0, 7 },
        ["a table with light userdata keys"] = { [lanes.null] = 1, [lanes.cancel_error] = 2 },
        ["a table with the empty string as key"] = { [""] = "empty" },
        ["a table with infinite keys"] = { [math.huge] = 1, [-math.huge] = 2 },
    }
    for name, value in pairs(tables) do
        it("arrives equal: " .. name, function()
            assert.same(value, through_linda(value))
            assert.same(value, through_lane(value))
        end)
    end

    it("arrives as a copy", function()
        local value = { { "inner" } }
        for _, way in ipairs { through_linda, through_lane } do
            local copy = way(value)
            assert.is_false(rawequal(value, copy))
            assert.is_false(rawequal(value[1], copy[1]))
            copy[1][1] = "changed"
            assert.equal("inner", value[1][1])
        end
    end)

    it("may have hundreds of thousands of integers", function()
        local list = {}
        for i = 1, 300000 do list[i] = i * 7 end
        for _, way in ipairs { through_linda, through_lane } do
            local copy = way(list)
            assert.equal(300000, #copy)
            for i = 1, 300000 do if copy[i] ~= i * 7 then error("wrong at " .. i) end end
        end
    end)

    it("may have runs of floats and integers in turn", function()
        local list = {}
        for i = 1, 5000 do list[i] = (math.floor(i / 37) % 2 == 0) and i or i + 0.5 end
        local copy = through_linda(list)
        assert.same(list, copy)
        if math.type then
            for i = 1, 5000 do assert.equal(math.type(list[i]), math.type(copy[i])) end
        end
    end)

    it("may have hundreds of thousands of string keys", function()
        local record = {}
        for i = 1, 200000 do record["key" .. i] = i end
        local copy = through_linda(record)
        for i = 1, 200000 do if copy["key" .. i] ~= i then error("wrong at " .. i) end end
    end)

    it("is passed without the pairs whose key is a table, a function, a coroutine or a userdata", function()
        local value = {
            [{}] = "table", [print] = "function", [coroutine.create(function() end)] = "coroutine", [io.stdout] = "file",
            [lanes.linda()] = "linda", kept = "kept",
        }
        assert.same({ kept = "kept" }, through_linda(value))
        assert.same({ kept = "kept" }, through_lane(value))
    end)

    it("keeps lindas as values", function()
        local linda = lanes.linda()
        assert.is_true(rawequal(linda, through_linda({ linda })[1]))
        assert.is_true(rawequal(linda, through_lane({ linda })[1]))
    end)
end)

describe("references within one transfer", function()
    for name, way in pairs { ["through a linda"] = through_linda, ["through a lane"] = through_lane } do
        it("stay shared " .. name, function()
            local shared = { "shared" }
            local copy = way { shared, shared, inner = { shared } }
            assert.is_true(rawequal(copy[1], copy[2]))
            assert.is_true(rawequal(copy[1], copy.inner[1]))
        end)

        it("stay cyclic " .. name, function()
            local value = { name = "value" }
            value.self = value
            value.other = { back = value }
            local copy = way(value)
            assert.is_true(rawequal(copy, copy.self))
            assert.is_true(rawequal(copy, copy.other.back))
            assert.equal("value", copy.name)
        end)

        it("stay cyclic over a long ring " .. name, function()
            local first = { number = 1 }
            local last = first
            for i = 2, 1000 do
                last.next = { number = i }
                last = last.next
            end
            last.next = first
            local copy = way(first)
            local at = copy
            for i = 1, 1000 do
                assert.equal(i, at.number)
                at = at.next
            end
            assert.is_true(rawequal(copy, at))
        end)
    end

    it("are shared among arguments", function()
        local shared = {}
        assert.is_true(expect.in_lane(function(one, two) return one == two[1] and one == two.again end,
            shared, { shared, again = shared }))
    end)

    it("are shared among results", function()
        local one, two = expect.in_lane(function()
            local shared = {}
            return shared, { shared }
        end)
        assert.is_true(rawequal(one, two[1]))
    end)

    it("are shared among the upvalues of one body", function()
        local shared = {}
        local holder = { shared }
        assert.is_true(expect.in_lane(function() return shared == holder[1] end))
    end)

    it("are not shared between a body's upvalues and its arguments", function()
        local shared = {}
        assert.is_false(expect.in_lane(function(argument) return argument == shared end, shared))
    end)
end)

describe("the copy of a table", function()
    it("calls no metamethods", function()
        local calls = 0
        local function count() calls = calls + 1 end
        local value = setmetatable({ 1, 2, key = "value" }, {
            __index = count, __newindex = count, __pairs = count, __ipairs = count, __len = count, __eq = count,
            __tostring = count, __call = count,
        })
        local linda = lanes.linda()
        linda:send("key", value)
        assert.equal(0, calls)
        local _, copy = linda:receive(0, "key")
        assert.equal(0, calls)
        assert.equal(1, rawget(copy, 1))
        assert.equal(2, rawget(copy, 2))
        assert.equal("value", rawget(copy, "key"))
    end)

    it("sets the metatable after the contents", function()
        local value = setmetatable({ field = 1 }, { __newindex = function() error("must not be called") end })
        assert.equal(1, rawget(through_lane(value), "field"))
    end)

    it("replaces a value marked __lanesignore by nil", function()
        local ignored = setmetatable({}, { __lanesignore = true })
        local copy = through_linda { 1, ignored, 3, field = ignored, kept = "kept" }
        assert.same({ 1, nil, 3, kept = "kept" }, copy)
    end)

    it("replaces an argument, a result or an upvalue marked __lanesignore by nil", function()
        local ignored = setmetatable({}, { __lanesignore = true })
        local upvalue, count, argument = expect.in_lane(function(...)
            return ignored, select("#", ...), (...)
        end, ignored, "second")
        assert.is_nil(upvalue)
        assert.equal(2, count)
        assert.is_nil(argument)
        assert.is_nil((expect.in_lane(function() return setmetatable({}, { __lanesignore = true }) end)))
    end)

    it("requires the value true for __lanesignore", function()
        for _, mark in ipairs { 1, "true", {} } do
            assert.is_table(through_linda(setmetatable({}, { __lanesignore = mark })))
        end
        assert.is_table(through_linda(setmetatable({}, { __lanesignore = false })))
    end)

    it("finds __lanesignore through the metatable's own __index", function()
        local base = { __lanesignore = true }
        local meta = setmetatable({}, { __index = base })
        assert.is_nil(through_linda { field = setmetatable({}, meta) }.field)
    end)
end)

describe("the metatable of a copied table", function()
    it("is complete when it arrives, after an attempt to receive it failed", function()
        local linda = lanes.linda()
        local f = coroutine.wrap(function() end)
        lanes.register("half_known", { f = f })
        linda:send("key", setmetatable({}, { first = 1, method = f, list = { f, 2 } }))
        local ok, first, method, list, second = expect.in_lane(function()
            local ours = require "lanes"
            local ok = pcall(linda.receive, linda, 0, "key")
            ours.register("half_known", { f = string.upper })
            local _, value = linda:receive(0, "key")
            local class = getmetatable(value)
            return ok, class.first, class.method == string.upper, class.list[1] == string.upper, class.list[2]
        end)
        assert.is_false(ok)
        assert.equal(1, first)
        assert.is_true(method)
        assert.is_true(list)
        assert.equal(2, second)
    end)

    it("is the original one when the table returns to its state", function()
        local meta = { __index = { greet = function() return "hello" end } }
        local value = setmetatable({}, meta)
        assert.is_true(rawequal(meta, getmetatable(through_linda(value))))
        assert.is_true(rawequal(meta, getmetatable(through_lane(value))))
    end)

    it("is a working copy in another state", function()
        local class = {}
        class.__index = class
        function class:double() return self.number * 2 end
        class.__add = function(a, b) return a.number + b.number end
        class.__tostring = function(self) return "object " .. self.number end
        local double, sum, text = expect.in_lane(function(a, b) return a:double(), a + b, tostring(b) end,
            setmetatable({ number = 21 }, class), setmetatable({ number = 4 }, class))
        assert.equal(42, double)
        assert.equal(25, sum)
        assert.equal("object 4", text)
    end)

    it("is the same for all objects of a class in a state, however they were passed", function()
        local class = {}
        class.__index = class
        local linda = lanes.linda()
        linda:send("key", setmetatable({}, class))
        linda:send("key", { setmetatable({}, class) })
        local upvalue = setmetatable({}, class)
        assert.is_true(expect.in_lane(function(one, two)
            local _, three = linda:receive("key")
            local _, four = linda:receive("key")
            local meta = getmetatable(one)
            return meta == getmetatable(two.inner) and meta == getmetatable(three)
                and meta == getmetatable(four[1]) and meta == getmetatable(upvalue)
        end, setmetatable({}, class), { inner = setmetatable({}, class) }))
    end)

    it("is separate for each of many objects, or shared as in the original", function()
        local function objects()
            local list = {}
            for i = 1, 100 do
                list[2 * i - 1] = setmetatable({ i }, { __index = { number = i } })
                list[2 * i] = setmetatable({}, getmetatable(list[i]))
            end
            return list
        end
        local function are_same(list)
            local seen = {}
            for i = 1, 100 do
                local metatable = getmetatable(list[2 * i - 1])
                assert(metatable and not seen[metatable] and list[2 * i - 1].number == i)
                seen[metatable] = true
                assert(getmetatable(list[2 * i]) == getmetatable(list[i]))
            end
            return true
        end
        local linda, list = lanes.linda(), objects()
        assert.is_true(expect.in_lane(are_same, list))
        linda:send("key", list)
        assert.is_true(expect.in_lane(function() return are_same(select(2, linda:receive(0, "key"))) end))
        -- As separate values of one call.
        linda:send("key", (table.unpack or unpack)(list))
        local copies = { select(2, linda:receive(0, linda.batched, "key", 200)) }
        for i = 1, 200 do assert.equal(getmetatable(list[i]), getmetatable(copies[i])) end
    end)

    it("is restored in the main state for objects that a lane made from the class", function()
        local class = {}
        class.__index = class
        local sample = setmetatable({}, class)
        local made = expect.in_lane(function() return setmetatable({ "new" }, getmetatable(sample)) end)
        assert.is_true(rawequal(class, getmetatable(made)))
        assert.equal("new", made[1])
    end)

    it("is restored after passing through several lanes", function()
        local class = {}
        class.__index = class
        local value = expect.in_lane(function(outer)
            return (require "lanes".gen("*", function(inner) return inner end)(outer):join())
        end, setmetatable({ "traveller" }, class))
        assert.is_true(rawequal(class, getmetatable(value)))
    end)

    it("is kept for an error object too", function()
        local class = { __tostring = function(self) return self.text end }
        local sample = setmetatable({}, class)
        local lane = lanes.gen("*", function() error(setmetatable({ text = "failed" }, getmetatable(sample))) end)()
        local _, err = lane:join()
        assert.is_true(rawequal(class, getmetatable(err)))
        assert.equal("failed", tostring(err))
    end)

    it("arrives when it is its own metatable", function()
        local value = {}
        setmetatable(value, value)
        local copy = through_lane(value)
        assert.is_true(rawequal(value, getmetatable(copy)))
        assert.is_true(expect.in_lane(function(argument)
            local meta = getmetatable(argument)
            return getmetatable(meta) == meta
        end, value))
    end)

    it("arrives with its metatable", function()
        local meta = setmetatable({}, { __index = function(_, key) return "meta " .. key end })
        meta.__index = meta
        assert.equal("meta field", expect.in_lane(function(object) return object.field end, setmetatable({}, meta)))
    end)

    it("arrives with a loop of __index", function()
        local one, two = { a = 1 }, { b = 2 }
        one.__index, two.__index = one, two
        setmetatable(one, two)
        assert.equal(3, expect.in_lane(function(object) return object.a + object.b end, setmetatable({}, one)))
    end)

    it("arrives with a __metatable field and stays protected", function()
        local value = setmetatable({ 1 }, { __metatable = "locked", __index = { field = 2 } })
        local hidden, field, changed = expect.in_lane(function(object)
            return getmetatable(object), object.field, (pcall(setmetatable, object, {}))
        end, value)
        assert.equal("locked", hidden)
        assert.equal(2, field)
        assert.is_false(changed)
        assert.equal("locked", getmetatable(through_linda(value)))
    end)

    it("arrives with its __mode, which works", function()
        assert.is_true(expect.in_lane(function(weak)
            weak[1] = {}
            collectgarbage()
            collectgarbage()
            return getmetatable(weak).__mode == "v" and weak[1] == nil
        end, setmetatable({}, { __mode = "v" })))
    end)

    it("arrives with its current contents in a new lane", function()
        local class = { version = 1 }
        local value = setmetatable({}, class)
        assert.equal(1, expect.in_lane(function(object) return getmetatable(object).version end, value))
        class.version = 2
        assert.equal(2, expect.in_lane(function(object) return getmetatable(object).version end, value))
    end)

    it("arrives with its current contents after changes in the tables inside it", function()
        local class = { config = { level = 1 } }
        local value = setmetatable({}, class)
        local function level(object) return getmetatable(object).config.level end
        assert.equal(1, expect.in_lane(level, value))
        class.config.level = 2
        assert.equal(2, expect.in_lane(level, value))
    end)

    it("arrives with its current contents after changes in the upvalues of its methods", function()
        local number = 1
        local class = { get = function() return number end }
        local value = setmetatable({}, class)
        local function get(object) return getmetatable(object).get() end
        assert.equal(1, expect.in_lane(get, value))
        number = 2
        assert.equal(2, expect.in_lane(get, value))
    end)

    it("arrives with its current contents, even if a new value has the address of an old one", function()
        local class = {}
        local value = setmetatable({}, class)
        for i = 1, 100 do
            class.data = nil
            collectgarbage()
            class.data = { i }
            assert.equal(i, expect.in_lane(function(object) return getmetatable(object).data[1] end, value))
        end
    end)

    it("is the table that the value contains as its class", function()
        local class = {}
        class.__index = class
        local value = setmetatable({ class = class }, class)
        for _ = 1, 2 do
            assert.is_true(expect.in_lane(function(object) return object.class == getmetatable(object) end, value))
        end
        assert.is_true(expect.in_lane(function(object, given) return given == getmetatable(object) end, value, class))
    end)

    it("shares its contents with the values of the transfer", function()
        local shared = {}
        local value = setmetatable({ shared = shared }, { shared = shared })
        assert.is_true(expect.in_lane(function(object)
            return object.shared == getmetatable(object).shared
        end, value))
    end)

    it("may contain the object that has it", function()
        local class = {}
        class.__index = class
        class.instance = setmetatable({ name = "only one" }, class)
        assert.is_true(expect.in_lane(function(object)
            return object.instance == object and object.instance.name == "only one"
        end, class.instance))
    end)

    it("is not changed here by what a lane does to its copy", function()
        local class = { version = 1 }
        local value = expect.in_lane(function(object)
            getmetatable(object).version = 2
            return object
        end, setmetatable({}, class))
        assert.is_true(rawequal(class, getmetatable(value)))
        assert.equal(1, class.version)
    end)

    it("is not confused with those of other classes", function()
        local classes, objects = {}, {}
        for i = 1, 100 do
            classes[i] = { number = i }
            objects[i] = setmetatable({ i }, classes[i])
        end
        local copy = through_lane(objects)
        for i = 1, 100 do assert.is_true(rawequal(classes[i], getmetatable(copy[i]))) end
        local linda = lanes.linda()
        for i = 1, 100 do linda:send("key", objects[i]) end
        for i = 1, 100 do
            assert.is_true(rawequal(classes[i], getmetatable(select(2, linda:receive(0, "key")))))
        end
    end)
end)

describe("finalizers of table contents", function()
    if _VERSION ~= "Lua 5.1" then
        it("run only in the states that have the object", function()
            assert.equal("1\n2\n", support.output [[
                local lanes = require "lanes"
                local linda = lanes.linda()
                local finalised = 0
                local meta = { __gc = function(object)
                    finalised = finalised + 1
                    if object[1] ~= "contents" then io.stderr:write("finalised without contents\n") end
                end }
                linda:send("key", setmetatable({ "contents" }, meta))
                collectgarbage() collectgarbage()
                print(finalised)
                do local _, object = linda:receive(0, "key") object = nil end
                collectgarbage() collectgarbage()
                print(finalised)
            ]])
        end)
    end
end)
