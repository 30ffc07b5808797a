-- Wrong arguments: after each error, the linda, the generator and the process work as before.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

-- Values of every type, as wrong arguments.
local function values()
    return {
        nothing = nil, no = false, yes = true, number = 5, fraction = 0.5, huge = 1e300, infinite = math.huge,
        nan = 0 / 0, text = "text", empty = "", list = {}, func = print, lua = function() end,
        thread = coroutine.create(function() end), file = io.stdout, light = lanes.cancel_error,
        linda = lanes.linda(), lane = lanes.gen("*", function() end)(),
    }
end

describe("any wrong argument", function()
    -- Calls that never wait, with any arguments.
    local functions = {
        "gen", "genatomic", "genlock", "linda", "nameof", "register", "set_singlethreaded", "set_thread_affinity",
        "threads", "timer",
    }

    for _, name in ipairs(functions) do
        it("of " .. name .. " gives a result or a clear error", function()
            local f = lanes[name]
            local linda = lanes.linda()
            for _, value in pairs(values()) do
                for _, arguments in ipairs {
                    { n = 1, value }, { n = 2, value, value }, { n = 2, linda, value }, { n = 3, linda, "k", value },
                    { n = 4, linda, "k", value, value }, { n = 2, nil, value }, { n = 5, value, value, value, value, value },
                } do
                    if name ~= "set_thread_affinity" or type(value) ~= "number" then -- which could bind this thread
                        local ok, message = pcall(f, (table.unpack or unpack)(arguments, 1, arguments.n))
                        if not ok then
                            assert.is_string(message)
                            assert.is_nil(message:find("attempt to", 1, true), message)
                            assert.is_nil(message:find("panick", 1, true), message)
                        end
                    end
                end
            end
            for _, timer in ipairs(lanes.timers()) do lanes.timer(timer[1], timer[2]) end
        end)
    end

    it("of a lane's methods gives a result or a clear error", function()
        local handle = lanes.gen("*", function() return 1 end)()
        handle:join()
        for _, method in ipairs { "join", "cancel", "get_debug_threadname" } do
            for _, value in pairs(values()) do
                for _, arguments in ipairs { { value }, { value, value }, { value, value, value }, { "soft", value, value } } do
                    local ok, message = pcall(handle[method], handle, (table.unpack or unpack)(arguments))
                    if not ok then
                        assert.is_string(message)
                        assert.is_nil(message:find("attempt to", 1, true), message)
                    end
                end
            end
        end
        assert.equal(1, handle[1])
    end)

    it("of the functions inside a lane gives a result or a clear error", function()
        local messages = lanes.gen("*", function()
            local list = {}
            for _, f in ipairs { cancel_test, set_debug_threadname, set_error_reporting, set_finalizer } do
                for _, value in ipairs { false, true, 5, 1e300, "text", "", {}, coroutine.create(function() end), io.stdout } do
                    for count = 1, 3 do
                        local ok, message = pcall(f, (table.unpack or unpack)({ value, value, value }, 1, count))
                        if not ok then list[#list + 1] = message end
                    end
                end
            end
            return list
        end)()[1]
        assert.is_true(#messages > 0)
        for _, message in ipairs(messages) do
            assert.is_string(message)
            assert.is_nil(message:find("attempt to", 1, true), message)
        end
    end)
end)

describe("after an error of a call,", function()
    local thread = coroutine.create(function() end)

    it("a generator works", function()
        local generator = lanes.gen("*", function(value) return value end)
        for _ = 1, 10 do
            assert.is_false(pcall(generator, thread))
            assert.equal(5, generator(5)[1])
        end
    end)

    it("a linda works and has the same contents", function()
        local linda = lanes.linda()
        linda:send("k", 1)
        assert.is_false(pcall(linda.send, linda, "k", 2, thread))
        assert.is_false(pcall(linda.set, linda, "k", thread))
        assert.is_false(pcall(linda.send, linda, "k"))
        assert.is_false(pcall(linda.limit, linda, "k", {}))
        assert.is_false(pcall(linda.cancel, linda, "nobody"))
        assert.same({ "k", 1 }, { linda:receive(0, "k") })
        assert.equal(0, linda:count("k"))
    end)

    it("a lane that caught it continues", function()
        assert.equal("went on", lanes.gen("*", function()
            local inner = require "lanes"
            pcall(inner.gen, "nope", print)
            pcall(inner.linda, {})
            pcall(inner.gen("*", print), coroutine.create(function() end))
            return inner.gen("*", function() return "went on" end)()[1]
        end)()[1])
    end)

    it("a lane whose required module failed can be launched without it", function()
        assert.is_false(pcall(lanes.gen("*", { required = { "no.such.module" } }, function() end)))
        assert.equal(1, lanes.gen("*", { required = {} }, function() return 1 end)()[1])
    end)
end)

describe("a message about a value that cannot be passed names its place", function()
    local thread = coroutine.create(function() end)
    local generator = lanes.gen("*", function() end)

    it("in an argument", function()
        support.raises("arg #1", generator, thread)
        support.raises("arg #3", generator, 1, 2, thread)
        support.raises("arg #2.config.handler", generator, 1, { config = { handler = thread } })
        support.raises("arg #1[2]", generator, { 1, thread })
        support.raises("arg #1", generator, io.stdout)
    end)

    it("in an upvalue", function()
        local config = { handler = thread }
        support.raises("config.handler", lanes.gen("*", function() return config end))
        support.raises("thread", lanes.gen("*", function() return thread end))
    end)

    it("in a message to a linda", function()
        local linda = lanes.linda()
        support.raises("config.handler", linda.send, linda, "k", { config = { handler = thread } })
        support.raises("config.handler", linda.set, linda, "k", { config = { handler = thread } })
    end)

    it("in a metatable", function()
        support.raises("metatable", generator, setmetatable({}, { __index = thread }))
    end)
end)

describe("an error message names what was given, what was expected, and the call:", function()
    local linda = lanes.linda()
    local handle = lanes.gen("*", function() end)()
    handle:join()
    local lock = lanes.genlock(linda, "lock", 2)
    local add = lanes.genatomic(linda, "number")
    local function generator(options)
        return lanes.gen("*", options, function() end)
    end

    -- The mistake; texts that the message must contain.
    local mistakes = {
        { "configure with a number", "lanes.configure", "a table", 'number "5"',
            program = "lanes.configure(5)" },
        { "a misspelt setting", "configure options", "'with_timer'", "with_timers",
            program = "lanes.configure { with_timer = false }" },
        { "a setting of a wrong type", "lanes.configure", "Bad shutdown_timeout: long", "a number of seconds from 0", "string",
            program = "lanes.configure { shutdown_timeout = 'long' }" },
        { "a setting out of range", "lanes.configure", "Bad nb_keepers: 0", "a number from 1",
            program = "lanes.configure { nb_keepers = 0 }" },
        { "a hook that is no function", "lanes.configure", "Bad on_state_create: hook", "a function",
            program = "lanes.configure { on_state_create = 'hook' }" },
        { "gen with nothing", "lanes.gen", "a body", call = function() lanes.gen() end },
        { "gen with nil as body", "lanes.gen", 'nil "nil"', "the body", call = function() lanes.gen(nil) end },
        { "gen with a number among the libraries", "lanes.gen", 'Bad parameter 1: number "5"', "strings (libraries)",
            call = function() lanes.gen(5, print) end },
        { "a misspelt library", "lanes.gen", "Bad library name: strng", "string",
            call = function() lanes.gen("strng", print) end },
        { "a misspelt option", "lanes.gen", "Bad 'prioritty' option", "priority",
            call = function() generator { prioritty = 1 } end },
        { "an option of a wrong type", "lanes.gen", "Bad 'priority' option: string \"high\"", "a number",
            call = function() generator { priority = "high" } end },
        { "an option without a name", "lanes.gen", 'Unkeyed option: string "priority"',
            call = function() generator { "priority" } end },
        { "a priority out of range", "Priority out of range: -3..+3 (9)",
            call = function() generator { priority = 9 }() end },
        { "a required module that is no string", "list of strings", "a number under a key of type number",
            call = function() generator { required = { 5 } }() end },
        { "required modules with a gap", "list of strings", "nothing at 1",
            call = function() generator { required = { [2] = "string" } }() end },
        { "join with a word", "'join'", "number expected", "got string", call = function() handle:join("soon") end },
        { "join of something else", "'join'", "Lane expected", "got table", call = function() handle.join({}) end },
        { "a misspelt field of a lane", "'staus'", "'status'", call = function() return handle.staus end },
        { "a misspelt mode of cancel", "'cancel'", "sotf", '"soft"', call = function() handle:cancel("sotf") end },
        { "a hook mode without a count", "'cancel'", "hook count", "no value",
            call = function() handle:cancel("count") end },
        { "a negative timeout of cancel", "'cancel'", "-1", call = function() handle:cancel(-1) end },
        { "a negative second timeout of cancel", "'cancel'", "#5", "-2",
            call = function() handle:cancel("hard", 0, true, -2) end },
        { "a misspelt library beside a star", "lanes.gen", "Bad library name: strng", "required",
            call = function() lanes.gen("*,strng", print) end },
        { "linda with a table", "'linda'", "a string or a number", "got table",
            call = function() lanes.linda({}) end },
        { "a group that is no number", "'linda'", "number expected", "got string",
            call = function() lanes.linda("name", "1") end },
        { "send with a dot", "'send'", "a linda object", "got string", call = function() linda.send("k", 1) end },
        { "send without a value", "linda:send", "needs a value", call = function() linda:send("k") end },
        { "send with a table as key", "'send'", "a boolean, string, number or light userdata", "got table",
            call = function() linda:send({}, 1) end },
        { "receive with nil as key", "'receive'", "got nil", call = function() linda:receive(0, nil) end },
        { "a batch of no number", "'receive'", "number expected", "got no value",
            call = function() linda:receive(0, linda.batched, "k") end },
        { "a batch with less than one", "'receive'", "min count should be >= 1", "got 0",
            call = function() linda:receive(0, linda.batched, "k", 0) end },
        { "a batch with max below min", "'receive'", "max 1 is below min 2",
            call = function() linda:receive(0, linda.batched, "k", 2, 1) end },
        { "set without a key", "'set'", "got no value", call = function() linda:set() end },
        { "get of none", "'get'", "count should be >= 1", "got 0", call = function() linda:get("k", 0) end },
        { "limit without a limit", "'limit'", "linda:limit(key, n)", call = function() linda:limit("k") end },
        { "half a limit", "'limit'", "no integer", "1.5", call = function() linda:limit("k", 1.5) end },
        { "count of a table", "'count'", "got table", call = function() linda:count({}) end },
        { "a misspelt wake hint", "'cancel'", "'raed'", '"read"', call = function() linda:cancel("raed") end },
        { "cancel of a linda with too much", "linda:cancel", "one at most",
            call = function() linda:cancel("both", 1) end },
        { "timer on a string", "'timer'", "a Linda", "got string", call = function() lanes.timer("k", 1) end },
        { "timer with a word", "'timer'", "number or date table expected", "got string",
            call = function() lanes.timer(linda, "k", "soon") end },
        { "timer with true", "'timer'", "number or date table", "got boolean",
            call = function() lanes.timer(linda, "k", true) end },
        { "a period that is no number", "'timer'", "number expected", "got table",
            call = function() lanes.timer(linda, "k", 1, {}) end },
        { "a date of nothing", "'timer'", "year, month, day", call = function() lanes.timer(linda, "k", { yaer = 1 }) end },
        { "a date with a word", "'timer'", "'month'", "number", call = function()
            lanes.timer(linda, "k", { year = 2030, month = "May", day = 1 })
        end },
        { "sleep with a word", 'invalid duration "long"', "sleep", "number", call = function() lanes.sleep("long") end },
        { "genlock without a linda", "'genlock'", "a linda object", "got nil", call = function() lanes.genlock() end },
        { "a lock of none", "'genlock'", ">= 1", "got 0", call = function() lanes.genlock(linda, "other", 0) end },
        { "a lock with a word", "'lock'", "number of units", "got string", call = function() lock("one") end },
        { "a lock with NaN", "'lock'", "number of units", "got NaN", call = function() lock(0 / 0) end },
        { "genatomic with a word", "'genatomic'", "number expected", "got string",
            call = function() lanes.genatomic(linda, "other", "none") end },
        { "an atomic with a table", "'atomic'", "number expected", "got table", call = function() add({}) end },
        { "nameof of nothing", "'nameof'", "value expected", call = function() lanes.nameof() end },
        { "register of a string", "'register'", "a table or a function", "string",
            call = function() lanes.register("name", "module") end },
        { "require of a table", "'require'", "string expected", "got table", call = function() lanes.require({}) end },
        { "a thread priority out of range", "'set_thread_priority'", "-3..+3 (9)",
            call = function() lanes.set_thread_priority(9) end },
        { "an affinity of none", "'set_thread_affinity'", "invalid affinity (0)", "a bit for each processor",
            call = function() lanes.set_thread_affinity(0) end },
        { "threads without tracking", "track_lanes", call = function() lanes.threads() end },
        { "a finalizer that is none", "'set_finalizer'", "a function", "got string",
            lane = function() set_finalizer("cleanup") end },
        { "a misspelt model", "'set_error_reporting'", "extendde", '"extended"',
            lane = function() set_error_reporting("extendde") end },
        { "a name that is none", "'set_debug_threadname'", "string expected", "got nil",
            lane = function() set_debug_threadname(nil) end },
    }

    for _, mistake in ipairs(mistakes) do
        it(mistake[1], function()
            local message
            if mistake.program then
                message = support.output([[
                    local lanes = require "lanes"
                    print(select(2, pcall(function() ]] .. mistake.program .. [[ end)))
                ]])
            elseif mistake.lane then
                message = lanes.gen("*", mistake.lane)()[-1]
            else
                message = support.error_of(mistake.call)
            end
            for i = 2, #mistake do support.contains(mistake[i], message) end
        end)
    end
end)
