-- Values that are passed by name and not copied: C functions, library tables, module tables.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local lfs = require "lfs"
local expect = require "expect"
local native = require "native"

local function through_linda(value)
    local linda = lanes.linda()
    linda:send("key", value)
    return select(2, linda:receive(0, "key"))
end

describe("a C function of a library", function()
    it("is the lane's own on arrival", function()
        local functions = { print = print, sub = string.sub, insert = table.insert, floor = math.floor,
            open = io.open, time = os.time, require = require, pcall = pcall }
        local same = expect.in_lane(function(given)
            return given.print == print and given.sub == string.sub and given.insert == table.insert
                and given.floor == math.floor and given.open == io.open and given.time == os.time
                and given.require == require and given.pcall == pcall
        end, functions)
        assert.is_true(same)
    end)

    it("is itself again on return", function()
        for _, f in ipairs { print, string.format, table.concat, math.sin, io.write, os.clock, coroutine.wrap } do
            assert.is_true(rawequal(f, through_linda(f)))
            assert.is_true(rawequal(f, (expect.in_lane(function(argument) return argument end, f))))
        end
    end)

    it("can be an upvalue", function()
        local upper = string.upper
        assert.equal("X", expect.in_lane(function() return upper "x" end))
    end)

    it("can be the body of a lane", function()
        assert.equal("X", expect.finished(lanes.gen("*", string.upper)("x")))
    end)
end)

describe("a library's table", function()
    it("is the lane's own on arrival", function()
        assert.is_true(expect.in_lane(function(s, t, m) return s == string and t == table and m == math end,
            string, table, math))
    end)

    it("can be an upvalue", function()
        local library = string
        assert.is_true(expect.in_lane(function() return library == string end))
    end)

    it("is itself again on return, and through a linda", function()
        assert.is_true(rawequal(string, through_linda(string)))
        assert.is_true(rawequal(string, through_linda({ string })[1]))
        assert.is_true(rawequal(io, (expect.in_lane(function(argument) return argument end, io))))
    end)

    it("_G is the lane's own on arrival", function()
        assert.is_true(expect.in_lane(function(globals) return globals == _G end, _G))
    end)
end)

describe("a C module that is loaded here", function()
    it("is loaded in the lane when one of its functions arrives", function()
        local currentdir = lfs.currentdir
        assert.equal(lfs.currentdir(), expect.in_lane(function() return currentdir() end))
        assert.equal(lfs.currentdir(), expect.in_lane(function(f) return f() end, lfs.currentdir))
    end)

    it("arrives as the functions that require returns in the lane", function()
        assert.is_true(expect.in_lane(function(f) return f == require "lfs".currentdir end, lfs.currentdir))
    end)

    it("is loaded in the lane when a function comes through a linda", function()
        local linda = lanes.linda()
        linda:send("key", { attributes = lfs.attributes })
        assert.equal("directory", expect.in_lane(function(inner)
            local _, got = inner:receive("key")
            return got.attributes(".", "mode")
        end, linda))
    end)

    it("can be an upvalue as a whole", function()
        assert.equal(lfs.currentdir(), expect.in_lane(function() return lfs.currentdir() end))
    end)

    it("comes back with the same functions", function()
        assert.is_true(rawequal(lfs.attributes, through_linda(lfs.attributes)))
        local back = expect.in_lane(function(f) return f end, lfs.attributes)
        assert.is_true(rawequal(lfs.attributes, back))
    end)

    it("can be required by a lane first, and this state then knows its functions", function()
        local out = support.output [[
            local lanes = require "lanes"
            local f = lanes.gen("*", function() return require "lfs".currentdir end)()[1]
            print(f == require "lfs".currentdir)
        ]]
        assert.equal("true\n", out)
    end)

    it("can be passed to a lane that lists the module as required", function()
        local f = lfs.currentdir
        local lane = lanes.gen("*", { required = { "lfs" } }, function() return f() end)()
        assert.equal(lfs.currentdir(), expect.finished(lane))
    end)
end)

describe("a table of the program", function()
    it("is copied, even if it was global before Lanes was configured", function()
        assert.equal("false\t1\nfalse\t2\n", support.output [[
            config = { number = 1, nested = { number = 2 } }
            local lanes = require "lanes".configure()
            local linda = lanes.linda()
            linda:send("key", config, config.nested)
            local _, one, two = linda:receive(0, linda.batched, "key", 2)
            print(one == config, one.number)
            print(two == config.nested, two.number)
        ]])
    end)

    it("is copied from the globals into a lane", function()
        assert.equal("1\nnil\n1\n", support.output [[
            config = { number = 1 }
            local lanes = require "lanes".configure()
            local given = config
            local lane = lanes.gen("*", function()
                local number = given.number
                given.number = 2
                return number, config
            end)()
            print(lane[1])
            print(lane[2])
            print(config.number)
        ]])
    end)

    it("can be received in a lane without such a global", function()
        assert.equal("7\n", support.output [[
            settings = { value = 7 }
            local lanes = require "lanes".configure()
            local linda = lanes.linda()
            linda:send("key", settings)
            print(lanes.gen("*", function() return select(2, linda:receive(0, "key")).value end)()[1])
        ]])
    end)
end)

describe("lanes.register", function()
    local open = native.opener()

    it("makes a C function known under a name", function()
        lanes.register("own", { open = open })
        assert.is_true(rawequal(open, through_linda(open)))
    end)

    it("returns nothing", function()
        assert.same(support.pack(), support.pack(lanes.register("own", { open = open })))
    end)

    it("in both states makes the function arrive as the one of the same name", function()
        lanes.register("own", { open = open })
        local path = native.path "lfs"
        assert.is_true(expect.in_lane(function()
            local open_there = package.loadlib(path, "luaopen_lfs")
            require "lanes".register("own", { open = open_there })
            local linda = require "lanes".linda()
            linda:send("key", open_there)
            return select(2, linda:receive(0, "key")) == open_there
        end))
        local linda = lanes.linda()
        linda:send("key", open)
        assert.is_true(expect.in_lane(function()
            local open_there = package.loadlib(path, "luaopen_lfs")
            require "lanes".register("own", { open = open_there })
            return select(2, linda:receive("key")) == open_there
        end))
    end)

    local keys = { name = '"f"', path = '"a/b"', number = "1", ["spelt number"] = '"1"', ["empty text"] = '""',
        ["text with a zero byte"] = '"a\\0b"' }
    for kind, key in pairs(keys) do
        it("makes a function known whose key is a " .. kind, function()
            assert.equal("true\n", support.output([[
                local lanes = require "lanes"
                local open = require "native".opener()
                lanes.register("keyed", { [ ]] .. key .. [[ ] = open })
                local linda = lanes.linda()
                linda:send("key", open)
                print(select(2, linda:receive(0, "key")) == open)
            ]]))
        end)
    end

    it("accepts a function as the module", function()
        local opener = package.loadlib(native.path "socket.core", "luaopen_socket_core")
        lanes.register("opener", opener)
        assert.is_true(rawequal(opener, through_linda(opener)))
    end)

    it("refuses a name that is not a string", function()
        support.raises("bad argument #1 to 'register'", lanes.register, nil, {})
        support.raises("bad argument #1 to 'register'", lanes.register, {}, {})
    end)

    it("refuses a module that is neither table nor function", function()
        for _, module in ipairs { 1, "module", true, io.stdout } do
            support.raises("bad argument #2 to 'register' (unexpected module type", lanes.register, "name", module)
        end
        support.raises("bad argument #2 to 'register' (unexpected module type", lanes.register, "name")
    end)
end)

describe("lanes.require", function()
    it("returns the module, once", function()
        assert.same(support.pack(lfs), support.pack(lanes.require "lfs"))
    end)

    it("passes on the error of require", function()
        support.raises("no_such_module", lanes.require, "no_such_module")
    end)

    it("makes the functions of a module known", function()
        assert.equal("true\n", support.output [[
            local lanes = require "lanes"
            local lfs = lanes.require "lfs"
            print(lanes.gen("*", { required = { "lfs" } }, function(f) return f == require "lfs".dir end)(lfs.dir)[1])
        ]])
    end)
end)

describe("functions of lanes itself", function()
    it("can be upvalues", function()
        local linda, gen = lanes.linda, lanes.gen
        assert.equal("userdata", type(expect.in_lane(function() return linda() end)))
        assert.equal(5, expect.in_lane(function() return (gen("*", function() return 5 end)():join()) end))
    end)

    it("can be upvalues as a whole table", function()
        local all = lanes
        assert.equal("Linda: inner", expect.in_lane(function() return tostring(all.linda "inner") end))
    end)
end)

describe("package.preload", function()
    it("is passed to lanes", function()
        assert.equal("preloaded\n", support.output [[
            package.preload.mine = function() return { text = "preloaded" } end
            local lanes = require "lanes"
            print(lanes.gen("*", function() return require "mine".text end)()[1])
        ]])
    end)

    it("is passed as it is at the launch", function()
        assert.equal("preloaded late\n", support.output [[
            local lanes = require "lanes".configure()
            package.preload.mine = function() return { text = "preloaded late" } end
            print(lanes.gen("*", function() return require "mine".text end)()[1])
        ]])
    end)

    it("is passed without the entries that cannot be, silently", function()
        assert.equal("good\tnil\n", support.output [[
            local lanes = require "lanes"
            local thread = coroutine.create(function() end)
            package.preload.bad = function() return thread end
            package.preload.worse = coroutine.wrap(function() end)
            package.preload.good = function() return { text = "good" } end
            local lane = lanes.gen("*", function() return require "good".text, package.preload.bad end)()
            print(lane[1], lane[2])
        ]])
    end)

    it("keeps entries that the lane already has", function()
        assert.equal("true\n", support.output [[
            package.preload.mine = function() return {} end
            local lanes = require "lanes"
            print(lanes.gen("*", function() return type(require "lanes.core") == "table" end)()[1])
        ]])
    end)

    it("can be given by the package option", function()
        assert.equal("given\n", support.output [[
            local lanes = require "lanes"
            local options = { package = {
                path = package.path, cpath = package.cpath,
                preload = { mine = function() return { text = "given" } end },
            } }
            print(lanes.gen("*", options, function() return require "mine".text end)()[1])
        ]])
    end)
end)
