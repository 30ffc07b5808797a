-- Loading: the result of require "lanes" before and after the first use, in the main state,
-- repeated, and inside lanes.
local support = require "support"
local machine = require "machine"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

describe("the module lanes, before it is configured", function()
    it("has configure as its only function", function()
        assert.equal("configure\n", support.output [[
            local lanes = require "lanes"
            for name, value in pairs(lanes) do
                if type(value) == "function" then print(name) end
            end
        ]])
    end)

    it("creates no global", function()
        assert.equal("", support.output [[
            local known = {}
            for name in pairs(_G) do known[name] = true end
            require "lanes"
            for name in pairs(_G) do
                if not known[name] then print(name) end
            end
        ]])
    end)

    it("does not change the global require", function()
        assert.equal("true\n", support.output [[
            local before = require
            require "lanes"
            print(before == require)
        ]])
    end)

    it("configures itself when an absent field is read", function()
        assert.equal("function\nnil\n", support.output [[
            local lanes = require "lanes"
            print(type(lanes.gen))
            print(lanes.configure)
        ]])
    end)

    it("configures itself even when the field does not exist", function()
        assert.equal("nil\nfunction\nnil\n", support.output [[
            local lanes = require "lanes"
            print(lanes.misspelt)
            print(type(rawget(lanes, "gen")))
            print(getmetatable(lanes))
        ]])
    end)

    it("configures itself when ABOUT is read", function()
        assert.equal("table\nfunction\n", support.output [[
            local lanes = require "lanes"
            print(type(lanes.ABOUT))
            print(type(rawget(lanes, "gen")))
        ]])
    end)

    it("is not configured by pairs or rawget", function()
        assert.equal("nil\nfunction\n", support.output [[
            local lanes = require "lanes"
            for _ in pairs(lanes) do end
            print(rawget(lanes, "gen"))
            print(type(rawget(lanes, "configure")))
        ]])
    end)

    it("is not configured by reading null", function()
        assert.equal("true\nnil\nfunction\ntrue\n", support.output [[
            local lanes = require "lanes"
            local null = lanes.null
            print(null ~= nil)
            print(rawget(lanes, "gen"))
            print(type(rawget(lanes, "configure")))
            print(null == lanes.linda().null)
        ]])
    end)
end)

describe("the module lanes, once it is configured", function()
    local functions = {
        "gen", "genatomic", "genlock", "linda", "nameof", "now_secs", "register", "require", "set_singlethreaded",
        "set_thread_affinity", "set_thread_priority", "sleep", "threads", "timer", "timers",
    }

    it("has every function of the interface", function()
        for _, name in ipairs(functions) do
            assert.equal("function", type(rawget(lanes, name) or lanes[name]), name)
        end
    end)

    it("has no field configure", function()
        assert.is_function(lanes.gen)
        assert.is_nil(lanes.configure)
    end)

    it("has no metatable", function()
        assert.is_function(lanes.gen)
        assert.is_nil(getmetatable(lanes))
    end)

    it("reads unknown fields as nil", function()
        assert.is_nil(lanes.no_such_field)
    end)

    it("is what a second require returns", function()
        assert.equal(lanes, require "lanes")
    end)

    it("has the handle of the timer lane in the state that started it", function()
        assert.equal("Lane", getmetatable(lanes.timer_lane))
    end)

    it("describes itself in ABOUT", function()
        local about = lanes.ABOUT
        assert.is_string(about.author)
        assert.is_string(about.description)
        assert.is_string(about.copyright)
        support.contains("MIT", about.license)
        assert.is_string(about.implementation)
    end)

    it("has a version that programs accept which test for 3.x", function()
        assert.equal("3.17.2", lanes.ABOUT.version)
    end)

    it("has replaced the global require, which still loads modules", function()
        assert.equal("function\nfalse\ntrue\n", support.output [[
            local before = require
            local lanes = require "lanes".configure()
            package.preload.thing = function() return { is = "thing" } end
            print(type(require))
            print(before == require)
            print(require "thing" == require "thing")
        ]])
    end)
end)

describe("the native module", function()
    it("loads by its own name and by its name in 3.x", function()
        assert.equal("table\ntable\n", support.output [[
            print(type(require "lanes_core"))
            print(type(require "lanes.core"))
        ]])
    end)

    it("refuses an interpreter of the other kind", function()
        local built_for, pretends = "PUC-Lua", "LuaJIT"
        if rawget(_G, "jit") then built_for, pretends = pretends, built_for end
        assert.equal(("false\nLanes is built for %s, don't run from %s\n"):format(built_for, pretends), support.output [[
            jit = not jit and {} or nil
            local ok, message = pcall(require, "lanes.core")
            print(ok)
            print(message:match "Lanes is built for [^\n]*")
        ]])
    end)

    it("loads before lanes does", function()
        assert.equal("done\n", support.output [[
            require "lanes.core"
            print(require "lanes".gen("*", function() return "done" end)():join())
        ]])
    end)

    it("contains the constants", function()
        local core = require "lanes.core"
        assert.equal(lanes.cancel_error, core.cancel_error)
        assert.equal(lanes.null, core.null)
    end)
end)

describe("a second load in the same state", function()
    it("gives a working interface when only lanes was removed", function()
        assert.equal("7\n", support.output [[
            local first = require "lanes"
            first.configure()
            package.loaded.lanes = nil
            local second = require "lanes"
            print(second.gen("*", function(n) return n end)(7):join())
        ]])
    end)

    it("gives a working interface when the native modules were removed too", function()
        assert.equal("7\tfunction\n", support.output [[
            local first = require "lanes"
            first.configure()
            package.loaded.lanes = nil
            package.loaded["lanes.core"] = nil
            package.loaded.lanes_core = nil
            local second = require "lanes"
            print(second.gen("*", function(n, f) return n, type(f) end)(7, print):join())
        ]])
    end)

    it("leaves the first interface working", function()
        assert.equal("1\t2\n", support.output [[
            local first = require "lanes"
            local linda = first.linda()
            package.loaded.lanes = nil
            local second = require "lanes"
            second.linda():send("unrelated", 0)
            local lane = first.gen("*", function() linda:send("k", 2) return 1 end)()
            local one = lane[1]
            local _, two = linda:receive("k")
            print(one, two)
        ]])
    end)
end)

describe("lanes inside a lane", function()
    it("is configured", function()
        local gen, configure, metatable, timer_lane = lanes.gen("*", function()
            local inner = require "lanes"
            return type(inner.gen), inner.configure, getmetatable(inner), inner.timer_lane
        end)():join()
        assert.equal("function", gen)
        assert.is_nil(configure)
        assert.is_nil(metatable)
        assert.is_nil(timer_lane)
    end)

    it("needs only the libraries package and string", function()
        local ok, kind = lanes.gen("package,string", function()
            return pcall(function() return type(require "lanes".linda) end)
        end)():join()
        assert.same({ true, "function" }, { ok, kind })
    end)

    it("raises a clear error without the string library", function()
        local ok, message = lanes.gen("package", function() return pcall(require, "lanes") end)():join()
        assert.is_false(ok)
        support.contains("To use 'lanes', you will also need to have 'string' available.", message)
    end)

    it("cannot be loaded without the package library, where require is absent", function()
        assert.equal("nil", lanes.gen("base,string", function() return type(require) end)()[1])
    end)

    it("has the native module loaded when the lane has all libraries", function()
        assert.is_true(lanes.gen("*", function() return package.loaded["lanes.core"] ~= nil end)()[1])
    end)

    it("has the native module loaded when the lane names it", function()
        local kind, global = lanes.gen("package,lanes.core", function()
            return type(package.loaded["lanes.core"]), type(_G.lanes)
        end)():join()
        assert.equal("table", kind)
        assert.equal("nil", global)
    end)

    it("has the same constants", function()
        local cancel_error, null, batched = lanes.gen("*", function()
            local inner = require "lanes"
            return inner.cancel_error, inner.null, inner.linda().batched
        end)():join()
        assert.is_true(rawequal(lanes.cancel_error, cancel_error))
        assert.is_true(rawequal(lanes.null, null))
        assert.is_true(rawequal(lanes.linda().batched, batched))
    end)
end)

describe("the constants", function()
    it("are light userdata", function()
        assert.equal("userdata", type(lanes.cancel_error))
        assert.equal("userdata", type(lanes.null))
    end)

    it("have the values that C programs use", function()
        -- LuaJIT on 64-bit machines keeps the low 47 bits of a light userdata.
        local digits = machine.address_bits() == 32 and 8 or support.lua == "luajit" and 11 or 16
        local function has(value, marker)
            assert.equal(marker:sub(-digits), tostring(marker and value):lower():match("%x+$"):sub(-digits))
        end
        has(lanes.cancel_error, "e97d41626cc97577")
        has(lanes.null, "7eaafa003a1d11a1")
        has(lanes.linda().batched, "2ddfee0968c62aa7")
    end)

    it("can be passed to a lane and back unchanged", function()
        local same, back = lanes.gen("*", function(value)
            return value == require "lanes".cancel_error, value
        end)(lanes.cancel_error):join()
        assert.is_true(same)
        assert.is_true(rawequal(lanes.cancel_error, back))
    end)

    it("include null, the marker of lindas", function()
        assert.equal(lanes.linda().null, lanes.null)
    end)
end)
