-- lanes.configure: its argument, every option and its check, and what the options change.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

-- Runs configure with an argument, given as Lua text, in a fresh interpreter.
-- Returns the error text without position, or "accepted" if it returned the lanes table.
local function configured(argument)
    return (support.output(([[
        local lanes = require "lanes"
        local ok, result = pcall(function()
            local same = lanes.configure(%s)
            return same
        end)
        if ok then
            print(result == lanes and "accepted" or "returned something else")
        else
            print((tostring(result):gsub("^[^\n]-:%%d+: ", "")))
        end
    ]]):format(argument)):gsub("\n$", ""))
end

local function accepts(argument)
    assert.equal("accepted", configured(argument))
end

local function refuses(argument, message)
    assert.equal(message, configured(argument):sub(1, #message))
end

describe("configure", function()
    it("returns the lanes table", function() accepts "" end)
    it("accepts nil", function() accepts "nil" end)
    it("accepts false", function() accepts "false" end)
    it("accepts an empty table", function() accepts "{}" end)

    it("refuses an argument that is not a table", function()
        local message = "Bad parameter #1 to lanes.configure(), should be a table"
        refuses("5", message)
        refuses("'nb_keepers'", message)
        refuses("true", message)
        refuses("print", message)
    end)

    it("refuses an unknown option", function()
        refuses("{ nb_keeper = 1 }", "Unknown parameter 'nb_keeper' in configure options")
    end)

    it("refuses an option name that is not a string", function()
        refuses("{ 'with_timers' }", "Unknown parameter '1' in configure options")
        refuses("{ [true] = 1 }", "Unknown parameter 'true' in configure options")
    end)

    it("does not change its argument", function()
        assert.equal("verbose_errors\ttrue\n", support.output [[
            local options = { verbose_errors = true }
            require "lanes".configure(options)
            for key, value in pairs(options) do print(key, value) end
        ]])
    end)

    it("raises at the line of its caller", function()
        local result = support.run [[
            local lanes = require "lanes"
            print(pcall(function()
                lanes.configure { nonsense = 1 } -- line 3
            end))
        ]]
        support.contains(result.file .. ":3: Unknown parameter 'nonsense'", result.out)
    end)

    it("raises a clear error without the string library", function()
        support.contains("To use 'lanes', you will also need to have 'string' available.", support.output [[
            string = nil
            print(pcall(require "lanes".configure))
        ]])
    end)

    it("can be called again after it refused its argument", function()
        assert.equal("false\tnil\ntrue\tdone\n", support.output [[
            local lanes = require "lanes"
            print((pcall(lanes.configure, { nonsense = 1 })), rawget(lanes, "gen"))
            local same = lanes.configure { nb_keepers = 2 } == lanes
            print(same, lanes.gen("*", function() return "done" end)():join())
        ]])
    end)

    it("is nil after it succeeded", function()
        assert.equal("nil\n", support.output [[
            local lanes = require "lanes"
            lanes.configure()
            print(lanes.configure)
        ]])
    end)

    it("raises a clear error when a kept reference is called a second time", function()
        local out = support.output [[
            local lanes = require "lanes"
            local configure = lanes.configure
            configure()
            local ok, result = pcall(configure)
            if ok then print(result == lanes and "the same table") else print(result) end
        ]]
        assert.is_truthy(out == "the same table\n" or out:find("configure", 1, true), out)
        assert.is_nil(out:find("attempt to", 1, true))
    end)
end)

describe("the option nb_keepers", function()
    it("accepts positive numbers", function()
        accepts "{ nb_keepers = 1 }"
        accepts "{ nb_keepers = 100 }"
    end)

    it("refuses values that are not positive numbers", function()
        refuses("{ nb_keepers = 0 }", "Bad nb_keepers: 0")
        refuses("{ nb_keepers = -1 }", "Bad nb_keepers: -1")
        refuses("{ nb_keepers = '1' }", "Bad nb_keepers: 1")
        refuses("{ nb_keepers = true }", "Bad nb_keepers: true")
        refuses("{ nb_keepers = 0.5 }", "Bad nb_keepers: 0.5")
        refuses("{ nb_keepers = 0/0 }", "Bad nb_keepers: ")
    end)
end)

describe("the option keepers_gc_threshold", function()
    it("accepts any number", function()
        accepts "{ keepers_gc_threshold = -1 }"
        accepts "{ keepers_gc_threshold = 0 }"
        accepts "{ keepers_gc_threshold = 1000.5 }"
    end)

    it("refuses values that are not numbers", function()
        refuses("{ keepers_gc_threshold = '0' }", "Bad keepers_gc_threshold: 0")
        refuses("{ keepers_gc_threshold = false }", "Bad keepers_gc_threshold: false")
    end)

    it("has no effect on lindas", function()
        assert.equal("k\t1\n", support.output [[
            local lanes = require "lanes".configure { keepers_gc_threshold = 1 }
            local linda = lanes.linda()
            linda:send("k", 1, ("x"):rep(100000))
            print(linda:receive("k"))
        ]])
    end)
end)

describe("the option with_timers", function()
    it("accepts anything", function()
        accepts "{ with_timers = true }"
        accepts "{ with_timers = 0 }"
        accepts "{ with_timers = 'no' }"
    end)

    it("turns timers off when it is false", function()
        local out = support.output [[
            local lanes = require "lanes".configure { with_timers = false }
            print(pcall(lanes.timer, lanes.linda(), "key", 1))
            print(pcall(lanes.timers))
            print(lanes.timer_lane)
        ]]
        local timer, timers, lane = out:match("^(.-)\n(.-)\n(.-)\n$")
        support.contains("timers are not active", timer)
        support.contains("timers are not active", timers)
        assert.equal("nil", lane)
    end)

    it("leaves timers on when it is nil", function()
        assert.equal("table\n", support.output [[
            local lanes = require "lanes".configure { with_timers = nil }
            print(type(lanes.timers()))
        ]])
    end)

    it("does not touch sleep", function()
        assert.equal("0\n", support.output [[
            local lanes = require "lanes".configure { with_timers = false }
            print(select("#", lanes.sleep(0.001)))
        ]])
    end)
end)

describe("the options verbose_errors, track_lanes and demote_full_userdata", function()
    it("accept anything", function()
        accepts "{ verbose_errors = 'yes', track_lanes = 1, demote_full_userdata = {} }"
        accepts "{ verbose_errors = false, track_lanes = false, demote_full_userdata = false }"
    end)

    it("are tested for truth", function()
        assert.equal("0\n", support.output [[
            local lanes = require "lanes".configure { track_lanes = 0, with_timers = false }
            print(select("#", lanes.threads()))
        ]])
    end)
end)

describe("the option allocator", function()
    it("accepts 'protected'", function()
        assert.equal("50\n", support.output [[
            local lanes = require "lanes".configure { allocator = "protected" }
            local handles, sum = {}, 0
            for i = 1, 50 do handles[i] = lanes.gen("*", function(t) return #t end)({ i }) end
            for i = 1, 50 do sum = sum + handles[i][1] end
            print(sum)
        ]])
    end)

    it("leaves strings that were made meanwhile whole when the state is closed", function()
        -- In Lua 5.5 they are freed by the allocator that made them. glibc overwrites what is freed.
        assert.equal("18893\n", support.output([[
            local lanes = require "lanes".configure { allocator = "protected" }
            local pieces = {}
            for i = 1, 2000 do pieces[i] = "piece " .. i end
            kept = table.concat(pieces)
            print(lanes.gen("*", function(s) return #s end)(kept)[1])
        ]], { environment = { MALLOC_PERTURB_ = "165" } }))
    end)

    it("is set by the older option protect_allocator", function()
        assert.equal("done\n", support.output [[
            local lanes = require "lanes".configure { protect_allocator = true }
            print(lanes.gen("*", function() return "done" end)():join())
        ]])
    end)

    it("refuses values that cannot be an allocator", function()
        refuses("{ allocator = 5 }", "Bad allocator: 5")
        refuses("{ allocator = {} }", "Bad allocator: table: ")
        refuses("{ allocator = function() end }", "Bad allocator: function: ")
    end)

    it("refuses a C function with upvalues", function()
        refuses("{ allocator = coroutine.wrap(function() end) }", "config.allocator() shouldn't have upvalues")
    end)

    it("refuses a C function that returns no allocator, at the latest when it is used", function()
        support.contains("allocator", support.output [[
            local lanes = require "lanes"
            local ok, message = pcall(function()
                lanes.configure { allocator = os.time }
                return lanes.gen("*", function() end)():join()
            end)
            print(not ok and message)
        ]])
    end)
end)

describe("the option internal_allocator", function()
    it("accepts its two values", function()
        accepts "{ internal_allocator = 'libc' }"
        accepts "{ internal_allocator = 'allocator' }"
    end)

    it("refuses anything else", function()
        refuses("{ internal_allocator = 'malloc' }", "Bad internal_allocator: malloc")
        refuses("{ internal_allocator = true }", "Bad internal_allocator: true")
        refuses("{ internal_allocator = print }", "Bad internal_allocator: ")
    end)
end)

describe("the option shutdown_timeout", function()
    it("accepts numbers from 0 on", function()
        accepts "{ shutdown_timeout = 0 }"
        accepts "{ shutdown_timeout = 0.1 }"
        accepts "{ shutdown_timeout = 1e9 }"
        accepts "{ shutdown_timeout = math.huge }"
    end)

    it("refuses anything else", function()
        refuses("{ shutdown_timeout = -0.1 }", "Bad shutdown_timeout: -0.1")
        refuses("{ shutdown_timeout = '1' }", "Bad shutdown_timeout: 1")
        refuses("{ shutdown_timeout = true }", "Bad shutdown_timeout: true")
        refuses("{ shutdown_timeout = 0/0 }", "Bad shutdown_timeout: ")
    end)
end)
