-- lanes.gen: its arguments, the library string and the generator it returns.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
-- luacheck: globals x y (of lanes)

local lanes = require "lanes"

local function nothing() end

describe("gen", function()
    it("returns a function", function()
        assert.equal("function", type(lanes.gen("*", nothing)))
    end)

    it("takes a body alone", function()
        assert.equal(1, lanes.gen(function() return 1 end)()[1])
    end)

    it("takes libraries and options in any order and number, and skips nil", function()
        local x, y, kind = lanes.gen(nil, { globals = { x = 1 } }, "io", nil, "math", { priority = 0 }, nil, function()
            return x, y, type(io) .. type(math)
        end)():join()
        assert.same({ 1, nil, "tabletable" }, { x, y, kind })
    end)

    it("lets later options take precedence", function()
        local gen = lanes.gen({ globals = { x = 1 } }, "base", { globals = { x = 2 } }, function() return x end)
        assert.equal(2, gen()[1])
    end)

    it("does not change its option tables", function()
        local options = { globals = { x = 1 } }
        lanes.gen("*", options, { priority = 0 }, nothing)
        assert.same({ globals = { x = 1 } }, options)
    end)

    it("needs arguments", function()
        support.raises("No parameters!", lanes.gen)
    end)

    it("refuses an argument that is neither library string nor option table, by its number", function()
        support.raises('Bad parameter 1: number "5"', lanes.gen, 5, nothing)
        support.raises('Bad parameter 2: boolean "true"', lanes.gen, "*", true, nothing)
        support.raises('Bad parameter 2: boolean "false"', lanes.gen, nil, false, nothing)
        support.raises('Bad parameter 3: function "function: ', lanes.gen, "*", {}, nothing, nothing)
    end)

    it("refuses a body that is neither a function nor a string", function()
        support.raises('Last parameter not function or string: nil "nil"', lanes.gen, "*", nil)
        support.raises('Last parameter not function or string: nil "nil"', lanes.gen, nil)
        support.raises('Last parameter not function or string: table "table: ', lanes.gen, "*", {})
        support.raises('Last parameter not function or string: number "5"', lanes.gen, "*", 5)
    end)
end)

describe("the body", function()
    it("may be a C function", function()
        assert.equal("ababab", lanes.gen("*", string.rep)("ab", 3)[1])
    end)

    it("may be a string, a chunk whose ... are the arguments", function()
        assert.same({ 3, 2 }, { lanes.gen("*", "local a, b = ... return a + b, select('#', ...)")(1, 2):join() })
    end)

    it("has its text as chunk name when it is a string", function()
        local _, message = lanes.gen("*", "error 'no'")():join()
        assert.equal([=[[string "error 'no'"]:1: no]=], message)
    end)

    it("is compiled by the generator call when it is a string", function()
        local generator = lanes.gen("*", "this is no Lua")
        support.raises("error when parsing lane function code", generator)
    end)

    it("keeps its upvalues", function()
        local table_upvalue, number = { 1, 2, 3 }, 4
        assert.equal(7, lanes.gen("*", function() return #table_upvalue + number end)()[1])
    end)

    it("may be recursive through its upvalue", function()
        local function factorial(n) return n < 2 and 1 or n * factorial(n - 1) end
        assert.equal(3628800, lanes.gen(factorial)(10)[1])
    end)
end)

describe("a generator", function()
    it("can be called any number of times", function()
        local generator = lanes.gen("*", function(n) return n * n end)
        local handles, sum = {}, 0
        for i = 1, 20 do handles[i] = generator(i) end
        for i = 1, 20 do sum = sum + handles[i][1] end
        assert.equal(2870, sum)
    end)

    it("copies the current upvalues at each call", function()
        local count, list = 1, { "a" }
        local generator = lanes.gen("*", function()
            list[#list + 1] = "in the lane"
            return count, #list
        end)
        assert.same({ 1, 2 }, { generator():join() })
        count, list[2] = 2, "b"
        assert.same({ 2, 3 }, { generator():join() })
        assert.equal(2, #list)
    end)

    it("can be used inside a coroutine", function()
        local generator = lanes.gen("*", function(n) return n end)
        assert.equal(5, coroutine.wrap(function() return generator(5)[1] end)())
    end)
end)

describe("the library string", function()
    -- The names of libraries whose global exists in a lane with these libraries.
    local function globals_with(...)
        local arguments = support.pack(...)
        arguments[arguments.n + 1] = function()
            local names = {}
            for _, name in ipairs {
                "print", "package", "table", "io", "os", "string", "math", "debug", "bit32", "utf8", "bit", "jit",
                "coroutine", "require",
            } do
                if _G[name] ~= nil then names[#names + 1] = name end
            end
            return names
        end
        local names = {}
        local list = lanes.gen((table.unpack or unpack)(arguments, 1, arguments.n + 1))()[1]
        for _, name in ipairs(list) do names[name] = true end
        return names
    end

    -- on Lua 5.1 and LuaJIT, base opens coroutine too
    local coroutine_with_base = support.lua == "5.1" or support.lua == "luajit" or nil

    it("absent, gives no libraries, not even base", function()
        assert.same({ true, true, true, true }, { lanes.gen(function()
            return print == nil, string == nil, tostring == nil, coroutine == nil
        end)():join() })
    end)

    it("empty, gives base", function()
        assert.same({ print = true, coroutine = coroutine_with_base }, globals_with "")
    end)

    it("gives base and the named libraries", function()
        assert.same({ print = true, coroutine = coroutine_with_base, math = true }, globals_with "math")
    end)

    it("separates names by any characters except letters, digits and dots", function()
        assert.same(
            { print = true, coroutine = coroutine_with_base, io = true, math = true, os = true, string = true },
            globals_with " io math;os|string\n"
        )
    end)

    it("may be given in several strings", function()
        assert.same(
            { print = true, coroutine = coroutine_with_base, io = true, math = true, os = true },
            globals_with("io,math", "os")
        )
    end)

    it("accepts the names of every Lua, and ignores those that this Lua lacks", function()
        for _, name in ipairs {
            "base", "package", "table", "io", "os", "string", "math", "debug", "bit32", "utf8", "bit", "jit", "ffi",
            "coroutine", "lanes.core",
        } do
            assert.equal("done", lanes.gen(name, function() return "done" end)()[1], name)
        end
    end)

    it("opens every library that this Lua has when it is named", function()
        local names = { "package", "table", "io", "os", "string", "math", "debug", "utf8", "coroutine", "jit" }
        for _, name in ipairs(names) do
            if _G[name] then
                assert.equal("table", lanes.gen(name, function(global) return type(_G[global]) end)(name)[1], name)
            end
        end
    end)

    it("with a star opens everything that the main state has", function()
        local names = globals_with "*"
        for _, name in ipairs {
            "print", "package", "table", "io", "os", "string", "math", "debug", "bit32", "utf8", "bit", "jit",
            "coroutine", "require",
        } do
            assert.equal(_G[name] ~= nil, names[name] ~= nil, name)
        end
    end)

    it("enters the libraries in package.loaded", function()
        local same = lanes.gen("io,package,math", function()
            return package.loaded.io == io and package.loaded.math == math
        end)()[1]
        assert.is_true(same)
    end)

    it("gives no coroutine with base alone on Lua 5.2 and later", function()
        local kind = lanes.gen("base", function() return type(coroutine) end)()[1]
        assert.equal(coroutine_with_base and "table" or "nil", kind)
    end)

    if support.lua == "luajit" then
        it("gives a working jit library by name", function()
            assert.equal("function", lanes.gen("jit", function() return type(jit.off) end)()[1])
        end)

        it("gives a working ffi library by name", function()
            local size = lanes.gen("package,ffi", function() return require "ffi".sizeof "int32_t" end)()[1]
            assert.equal(4, size)
        end)
    end

    it("refuses an unknown name", function()
        support.raises("Bad library name: nope", lanes.gen, "io,nope,math", nothing)
        support.raises("Bad library name: lanes", lanes.gen, "lanes", nothing)
    end)

    it("mentions the option for modules in the error about an unknown library", function()
        support.raises("{required = {\"lpeg\"}}", lanes.gen, "lpeg", nothing)
    end)

    it("checks names beside a star", function()
        for _, libraries in ipairs { "*,strng", "strng,*", "strng *", "*,io,strng" } do
            support.raises("Bad library name: strng", lanes.gen, libraries, nothing)
        end
        support.raises("Bad library name: strng", lanes.gen, "*", "strng", nothing)
        support.raises("Bad library name: strng", lanes.gen, "strng", nil, "*", nothing)
        support.raises("Bad library name: wx.*", lanes.gen, "wx.*", nothing)
        support.raises("Bad library name: **", lanes.gen, "**", nothing)
        support.raises("Bad library name: io*math", lanes.gen, "io*math", nothing)
        support.raises("libs specification contains 'io' more than once", lanes.gen, "*,io,io", nothing)
        support.raises("libs specification contains '*' more than once", lanes.gen, "*", "*", nothing)
    end)

    it("opens all libraries when a star is among the names", function()
        for _, libraries in ipairs { "*,io", "io,*", " * ", "math *,lanes.core" } do
            assert.equal("function", lanes.gen(libraries, function() return type(os.time) end)()[1])
        end
    end)

    it("is case-sensitive", function()
        support.raises("Bad library name: IO", lanes.gen, "IO", nothing)
    end)

    it("refuses a library that is named twice", function()
        support.raises("libs specification contains 'io' more than once", lanes.gen, "io,math,io", nothing)
        support.raises("libs specification contains 'io' more than once", lanes.gen, "io", "io", nothing)
    end)
end)
