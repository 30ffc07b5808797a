-- The native library as a module: its names, and hosts that open it themselves.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

describe("the native module", function()
    it("is lanes_core, and lanes.core by its older name", function()
        assert.equal("table\ttable\n", support.output [[
            print(type(require "lanes_core"), type(require "lanes.core"))
        ]])
    end)

    it("sets no global", function()
        assert.equal("", support.output [[
            local before = {}
            for name in pairs(_G) do before[name] = true end
            local lanes = require "lanes".configure()
            lanes.gen("*", function() end)():join()
            for name in pairs(_G) do if not before[name] then print(name) end end
        ]])
    end)

    it("says how it was built", function()
        assert.equal("table\n", support.output [[ print(type(require "lanes_core".build)) ]])
    end)

    it("can be opened by a host under the name lanes.core", function()
        assert.equal("42\n", support.output [[
            local path
            for template in package.cpath:gmatch "[^;]+" do
                local candidate = template:gsub("%?", "lanes_core")
                local file = io.open(candidate)
                if file then
                    file:close()
                    path = path or candidate
                end
            end
            package.preload["lanes.core"] = package.loadlib(path, "luaopen_lanes_core")
            local lanes = require "lanes"
            print(lanes.gen("*", function() return 42 end)()[1])
        ]])
    end)

    it("works in lanes whose lanes.lua is only in package.preload", function()
        assert.equal("inner\n", support.output [[
            local path
            for template in package.path:gmatch "[^;]+" do
                local candidate = template:gsub("%?", "lanes")
                local file = io.open(candidate)
                if file then
                    file:close()
                    path = path or candidate
                end
            end
            local load_file = assert(loadfile(path))
            package.preload.lanes = function(...) return load_file(...) end
            local lanes = require "lanes"
            local options = { package = { path = "", cpath = package.cpath, preload = package.preload } }
            print(lanes.gen("*", options, function()
                local inner = require "lanes"
                return inner.gen("*", function() return "inner" end)()[1]
            end)()[1])
        ]])
    end)

    it("has in a lane the constants, functions and settings of its program", function()
        assert.equal("nil\ttrue\tnil\ttrue\n", support.output [[
            local lanes = require "lanes".configure { with_timers = false }
            local lane = lanes.gen("*", function()
                local inner = require "lanes"
                return inner.configure, inner.cancel_error, inner.timer_lane, not pcall(inner.timers)
            end)()
            print(lane[1], lane[2] == lanes.cancel_error, lane[3], lane[4])
        ]])
    end)
end)
