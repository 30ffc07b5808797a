-- The 4.x interface: how it is chosen, and its settings.
local support = require "support"
if support.apart(describe, it) then return end
local assert, describe, it, _ENV = support.plain(assert, describe, it)

-- The environment under which another interpreter prefers an interface.
local function preferring(text)
    return { environment = { LANES_API = text } }
end

local VERSION = [[print(require "lanes".ABOUT.version)]]

describe("the interface", function()
    it("is that of 3.x by default", function()
        assert.equal("3.17.2\n", support.output(VERSION))
    end)

    it("is chosen by the setting api", function()
        for api, version in pairs { [3] = "3.17.2", [4] = "4.0.1" } do
            assert.equal(version .. "\n", support.output(
                ([[print(require "lanes".configure{ api = %d }.ABOUT.version)]]):format(api)))
        end
    end)

    it("is chosen by the environment", function()
        assert.equal("4.0.1\n", support.output(VERSION, preferring "4"))
        assert.equal("3.17.2\n", support.output(VERSION, preferring "3"))
        assert.equal("3.17.2\n", support.output(VERSION, preferring ""))
    end)

    it("is chosen by the setting before the environment", function()
        assert.equal("3.17.2\n", support.output(
            [[print(require "lanes".configure{ api = 3 }.ABOUT.version)]], preferring "4"))
    end)

    it("is chosen by the name of the module", function()
        assert.equal("4.0.1\ntrue\n", support.output [[
            local lanes = require "lanes.v4"
            print(lanes.ABOUT.version)
            print(lanes == require "lanes")
        ]])
        assert.equal("3.17.2\n", support.output([[print(require "lanes.v3".ABOUT.version)]], preferring "4"))
    end)

    it("is one for a universe", function()
        support.contains("lanes is configured with the interface of 3.x", support.output [[
            require "lanes".configure()
            print(pcall(require, "lanes.v4"))
        ]])
        support.contains("lanes is configured with the interface of 4.x", support.output [[
            require "lanes".configure{ api = 4 }
            print(pcall(require, "lanes.v3"))
        ]])
    end)

    it("is that of the universe in lanes", function()
        assert.equal("true\t4.0.1\ttrue\tfalse\n", support.output [[
            local lanes = require "lanes".configure{ api = 4 }
            print(lanes.gen("*", function()
                local inner = require "lanes"
                local nested = inner.gen("*", function() return require "lanes.v4".ABOUT.version == "4.0.1" end)
                local fine, same = nested():join()
                return inner.ABOUT.version, fine and same, pcall(require, "lanes.v3")
            end)():join())
        ]]:gsub("\tlanes is.*\n", "\n"))
    end)

    it("is refused with a sentence that says which there are", function()
        for _, given in ipairs { "5", "'4'", "true", "{}" } do
            support.contains("lanes.configure expects 3 or 4", support.output(
                ([[print(pcall(require "lanes".configure, { api = %s }))]]):format(given)))
        end
        support.contains('LANES_API is "5", should be 3 or 4', support.output(
            [[print(pcall(require "lanes".configure))]], preferring "5"))
    end)

    it("can be chosen after a wrong choice", function()
        assert.equal("false\n4.0.1\n", support.output [[
            local lanes = require "lanes"
            print((pcall(lanes.configure, { api = 5 })))
            print(lanes.configure{ api = 4 }.ABOUT.version)
        ]])
    end)

    it("names ours as the implementation", function()
        assert.matches("^lanes%-rs ", support.output [[print(require "lanes.v4".ABOUT.implementation)]])
    end)
end)

describe("configure of 4.x", function()
    local function configured(text)
        return support.output(("local lanes = require 'lanes.v4'\n%s"):format(text))
    end

    it("becomes a function that returns the module", function()
        assert.equal("true\ttrue\ttrue\n", configured [[
            local first = lanes.configure
            local same = lanes.configure{ with_timers = true }.configure("anything", 1)
            print(same == lanes, lanes.configure ~= first, lanes.configure() == lanes)
        ]])
    end)

    it("has a protected metatable before, none afterwards, and null without configuring", function()
        assert.equal("Lanes\ttrue\tLanes\tnil\n", configured [[
            local before = getmetatable(lanes)
            local null = lanes.null
            print(before, null == require "lanes_core".null, getmetatable(lanes), getmetatable(lanes.configure()))
        ]])
    end)

    it("refuses what is no table", function()
        for _, given in ipairs { "1", "'x'", "true", "print" } do
            support.contains("Bad argument #1 to lanes.configure(), should be a table",
                configured(("print(pcall(lanes.configure, %s))"):format(given)))
        end
        assert.equal("true\n", configured "print((pcall(lanes.configure, false)))")
    end)

    it("refuses unknown settings, whatever their type", function()
        for key, shown in pairs { ["'x'"] = "x", ["1"] = "1", ["true"] = "true" } do
            support.contains("Unknown setting [" .. shown .. "] = 5",
                configured(("print(pcall(lanes.configure, { [%s] = 5 }))"):format(key)))
        end
    end)

    it("names the setting that an unknown one probably stands for", function()
        support.contains("Unknown setting [with_timer] = true; do you mean 'with_timers'? (settings are allocator, api, ",
            configured "print(pcall(lanes.configure, { with_timer = true }))")
        assert.is_nil(configured("print(pcall(lanes.configure, { colour = 1 }))"):find("do you mean", 1, true))
    end)

    it("names what takes the place of settings of 3.x", function()
        support.contains("Unknown setting [nb_keepers] = 2 (it is of the 3.x interface; here it is nb_user_keepers)",
            configured "print(pcall(lanes.configure, { nb_keepers = 2 }))")
    end)

    local refused = {
        { "allocator = 'x'", "Bad parameter allocator: x (unknown value)" },
        { "allocator = function() end", "Bad config.allocator, must be a C function" },
        { "internal_allocator = 1", "Bad parameter internal_allocator: 1 (not a string)" },
        { "internal_allocator = 'x'", "Bad parameter internal_allocator: x (unknown value)" },
        { "keepers_gc_threshold = 'x'", "Bad parameter keepers_gc_threshold: x (not a number)" },
        { "linda_wake_period = 'x'", "Bad parameter linda_wake_period: x (not a number)" },
        { "linda_wake_period = 0", "Bad parameter linda_wake_period: 0 (value out of range)" },
        { "nb_user_keepers = -1", "Bad parameter nb_user_keepers: -1 (value out of range)" },
        { "nb_user_keepers = 101", "Bad parameter nb_user_keepers: 101 (value out of range)" },
        { "on_state_create = 'x'", "Bad parameter on_state_create: x (not a function)" },
        { "shutdown_timeout = -1", "Bad parameter shutdown_timeout: -1 (value out of range)" },
        { "shutdown_timeout = 3601", "Bad parameter shutdown_timeout: 3601 (value out of range)" },
        { "strip_functions = 1", "Bad parameter strip_functions: 1 (not a boolean)" },
        { "track_lanes = 1", "Bad parameter track_lanes: 1 (not a boolean)" },
        { "verbose_errors = 1", "Bad parameter verbose_errors: 1 (not a boolean)" },
        { "with_timers = 1", "Bad parameter with_timers: 1 (not a boolean)" },
    }
    for _, case in ipairs(refused) do
        it("refuses " .. case[1], function()
            support.contains(case[2], configured(("print(pcall(lanes.configure, { %s }))"):format(case[1])))
        end)
    end

    it("has no timers unless they are asked for", function()
        support.contains("timers are not active", configured "print(pcall(lanes.timer, lanes.linda(), 'x', 1))")
        assert.equal("true\n", configured "lanes.configure{ with_timers = true } print((pcall(lanes.timer, lanes.linda(), 'x', 1)))")
    end)

    it("changes nothing if it fails", function()
        assert.equal("false\nfunction\n", configured [[
            print((pcall(lanes.configure, { x = 1 })))
            print(type(lanes.configure().gen))
        ]])
    end)

    it("calls on_state_create with the kind of state", function()
        assert.equal("lane\n", configured [[
            lanes.configure{ on_state_create = function(where) kind = where end }
            local _, kind = lanes.gen(function() return kind end)():join()
            print(kind)
        ]])
    end)

    it("strips functions unless it is told not to", function()
        local program = [[
            lanes.configure{ strip_functions = %s }
            local _, line = lanes.gen("*", function() return debug.getinfo(1, "l").currentline end)():join()
            print(line > 0)
        ]]
        local strips = _VERSION ~= "Lua 5.1" and _VERSION ~= "Lua 5.2"
        assert.equal(tostring(not strips) .. "\n", configured(program:format "true"))
        assert.equal("true\n", configured(program:format "false"))
    end)

    it("is named by the errors of the 3.x interface about its settings", function()
        support.contains("Unknown parameter 'nb_user_keepers' in configure options (this is the 4.x interface: configure{api = 4})",
            support.output [[print(pcall(require "lanes".configure, { nb_user_keepers = 1 }))]])
    end)

    it("is named by what takes the place of its functions in 3.x", function()
        local text = support.output [[
            local lanes = require "lanes".configure()
            local linda, lane = lanes.linda(), lanes.gen(function() end)()
            print(pcall(linda.receive_batched, linda, 0, "slot", 1))
            print(pcall(linda.restrict, linda, "slot"))
            print(pcall(linda.wake, linda))
            print(pcall(lanes.coro, print))
            print(pcall(lanes.finally, print))
            print(pcall(lanes.gen, { error_trace_level = "basic" }, print))
            print(pcall(function() return lane:get_threadname() end))
            print(pcall(linda.collectgarbage, linda))
            print(pcall(linda.limit, linda, "slot", "unlimited"))
            print(pcall(lanes.linda, { name = "name" }))
            print(pcall(lane.cancel, lane, "all", 1))
            print(linda.status, linda.anything)
        ]]
        local _, count = text:gsub("this is the 4.x interface: configure{api = 4}", "")
        assert.equal(11, count)
        support.contains("nil\tnil\n", text)
    end)

    it("names what takes the place of calls of 3.x", function()
        local text = support.output [[
            local lanes = require "lanes".configure { api = 4 }
            local linda, lane = lanes.linda(), lanes.gen(function() end)()
            local function refused(f, ...) print(select(2, pcall(f, ...))) end
            refused(lanes.linda, "name", 1)
            refused(linda.send, linda, lanes.null, "slot")
            refused(linda.receive, linda, -1, "slot")
            refused(function() return linda.batched end)
            refused(linda.limit, linda, "slot", -1)
            refused(lane.join, lane, -1)
            refused(lane.cancel, lane, "hard", 0, true, 1)
            refused(function() return lane.get_debug_threadname end)
            refused(lanes.sleep, false)
            refused(lanes.timer, linda, "slot", 1)
            refused(lanes.gen, "lanes.core", print)
        ]]
        for _, expected in ipairs {
            "lanes.linda{name = ..., group = ...}", "linda:send(slot, nil) sends a nil", "without one, or nil, it is for ever",
            "here it is linda:receive_batched(", '"unlimited" takes the limit away',
            "lane:cancel([mode [, count]] [, timeout] [, wake_lane])",
            "here it is lane:get_threadname()", "0 does not wait", "with_timers = true", 'here it is "lanes_core"',
        } do
            support.contains(expected, text)
        end
    end)
end)
