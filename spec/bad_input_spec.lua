-- After every refusal, the linda, the generator and the process go on as before.
local support = require "support"
local assert = assert
local describe, it = support.plain(describe, it)
local _ENV = _G -- luacheck: ignore _ENV

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
    -- Calls that never wait, whatever their arguments are.
    local functions = {
        "gen", "genatomic", "genlock", "linda", "nameof", "register", "set_singlethreaded", "set_thread_affinity",
        "threads", "timer",
    }

    for _, name in ipairs(functions) do
        it("of " .. name .. " gives an answer or an error in words", function()
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

    it("of a lane's methods gives an answer or an error in words", function()
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

    it("of the functions that lanes have gives an answer or an error in words", function()
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

describe("after a refusal", function()
    local thread = coroutine.create(function() end)

    it("a generator works", function()
        local generator = lanes.gen("*", function(value) return value end)
        for _ = 1, 10 do
            assert.is_false(pcall(generator, thread))
            assert.equal(5, generator(5)[1])
        end
    end)

    it("a linda works, and holds what it held", function()
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

    it("a lane can catch it and go on", function()
        assert.equal("went on", lanes.gen("*", function()
            local inner = require "lanes"
            pcall(inner.gen, "nope", print)
            pcall(inner.linda, {})
            pcall(inner.gen("*", print), coroutine.create(function() end))
            return inner.gen("*", function() return "went on" end)()[1]
        end)()[1])
    end)

    it("a lane that was refused its required module can be made without it", function()
        assert.is_false(pcall(lanes.gen("*", { required = { "no.such.module" } }, function() end)))
        assert.equal(1, lanes.gen("*", { required = {} }, function() return 1 end)()[1])
    end)
end)

describe("a message about what cannot travel says where it is", function()
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
