-- Language features of newer Luas, in functions and tables that are passed to lanes.
local support = require "support"
local lanes = require "lanes"
if lanes.configure then lanes.configure() end
local expect = require "expect"
local unpack = table.unpack
local assert, describe, it, _ENV = support.plain(assert, describe, it)

-- The function with this source text, which not every Lua can compile.
local function loaded(text)
    local f, problem = load(text, "=text")
    if not f then error(problem, 2) end
    return f
end

-- Runs the function with this source text in a lane. Returns its results.
local function in_lane(text, ...)
    return expect.finished(lanes.gen("*", loaded(text))(...))
end

describe("an array that is passed", function()
    it("takes no more memory than one that was filled element by element", function()
        local list = {}
        for i = 1, 100000 do list[i] = i + 0.5 end
        local used = expect.finished(lanes.gen("*", { globals = { list = list } }, function()
            collectgarbage()
            local before = collectgarbage "count"
            list = nil -- luacheck: globals list
            collectgarbage()
            return before - collectgarbage "count"
        end)())
        collectgarbage()
        local before = collectgarbage "count"
        list = nil -- luacheck: ignore
        collectgarbage()
        local own = before - collectgarbage "count"
        assert.is_true(used > 100 and used <= own + 1, used .. " KiB, and " .. own .. " where it was filled")
    end)
end)

if support.lua == "5.4" or support.lua == "5.5" then
    describe("a function with attributes", function()
        it("closes its variables in a lane", function()
            assert.equal("closed", in_lane [[
                local function run()
                    local list <const> = {}
                    do local guard <close> = setmetatable({}, { __close = function() list[1] = "closed" end }) end
                    return list[1]
                end
                return run()
            ]])
        end)
    end)
end

if support.lua == "5.5" then
    describe("a function of Lua 5.5", function()
        it("declares its globals, which are the lane's", function()
            assert.equal("7nil", in_lane [[
                global counter, tostring
                counter = 7
                return tostring(counter) .. tostring(_ENV.other)
            ]])
            assert.is_nil(rawget(_G, "counter"))
        end)

        it("gets no undeclared global in a lane", function()
            support.contains("variable 'other' not declared", select(2, load("global counter\nother = 1")))
            local declared = loaded([[
                global<const> *
                global counter
                return function() counter = (counter or 0) + 1 return counter, type(print) end
            ]])()
            assert.same({ 1, "function" }, { expect.finished(lanes.gen("*", declared)()) })
        end)

        it("names its arguments", function()
            local count, second = in_lane([[
                local function f(...given) return given.n, given[2] end
                return f(...)
            ]], "a", "b", nil)
            assert.same({ 3, "b" }, { count, second })
            local sum = loaded("return function(...list) return list.n, list[1] + list[2] end")()
            assert.same({ 2, 4 }, { expect.finished(lanes.gen("*", sum)(1, 3)) })
        end)

        it("keeps a loop variable, a constant, for each iteration", function()
            local functions = {}
            for i = 1, 3 do functions[i] = function() return i end end
            assert.same({ 1, 2, 3 }, expect.finished(lanes.gen("*", function(list)
                local results = {}
                for i, f in ipairs(list) do results[i] = f() end
                return results
            end)(functions)))
        end)

        it("closes its own coroutine in a lane, but not the first one", function()
            local text = [[
                local result = {}
                local co = coroutine.create(function(...)
                    local guard <close> = setmetatable({}, { __close = function() result[1] = "closed" end })
                    coroutine.close()
                    result[2] = "not reached"
                end)
                result[3] = coroutine.resume(co)
                result[4] = coroutine.status(co)
                result[5] = select("#", coroutine.wrap(function() pcall(coroutine.close) end)())
                result[6] = select(2, pcall(coroutine.close))
                return result
            ]]
            local there = in_lane(text)
            assert.same({ "closed", nil, true, "dead", 0 }, { unpack(there, 1, 5) })
            support.contains("cannot close", there[6])
        end)

        it("can be stripped of its debug information", function()
            local stripped = load(string.dump(loaded "local a, b = ... return function() return a + b end", true))
            assert.equal(5, expect.finished(lanes.gen("*", stripped(2, 3))()))
        end)
    end)

    describe("a table of Lua 5.5", function()
        it("is passed with its contents, with any preallocated size", function()
            local given = table.create(1000, 1000) -- luacheck: ignore
            given[1], given[3], given.name = 1, 3, "text"
            assert.same({ 1, [3] = 3, name = "text" }, expect.finished(lanes.gen("*", function(t) return t end)(given)))
        end)
    end)

    describe("an external string", function()
        it("is passed like any other, as a value and as a key", function()
            -- A string made by a buffer is external.
            local long = ("0123456789"):rep(100000)
            local linda = lanes.linda()
            linda:send("key", long, { [long] = long })
            local _, value = linda:receive "key"
            local _, entry = linda:receive "key"
            assert.is_true(value == long and entry[long] == long)
            assert.equal(#long, expect.finished(lanes.gen("*", function(text) return #text end)(long)))
            local joined = expect.finished(lanes.gen("*", function()
                return table.concat({ ("x"):rep(50000), ("y"):rep(50000) }, ",")
            end)())
            assert.is_true(joined == ("x"):rep(50000) .. "," .. ("y"):rep(50000))
        end)
    end)

    describe("the seed of a lane's state", function()
        it("is different for each lane", function()
            local all, orders, count = {}, {}, 0
            local linda = lanes.linda()
            for i = 1, 4 do
                all[i] = lanes.gen("*", function()
                    local set, list = {}, {}
                    for n = 1, 60 do set["name" .. n] = true end
                    for name in pairs(set) do list[#list + 1] = name end
                    linda:receive "end" -- so that no lane reuses the state of another
                    return table.concat(list, " ")
                end)()
            end
            linda:send("end", 1, 2, 3, 4)
            for i = 1, 4 do
                local order = expect.finished(all[i])
                if not orders[order] then orders[order], count = true, count + 1 end
            end
            assert.equal(4, count)
        end)
    end)
end
