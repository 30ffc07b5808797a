-- Faults of the C library of the same name, Lanes 3.x, that are absent here.
local support = require "support"
local machine = require "machine"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local expect = require "expect"
local native = require "native"
local pack = support.pack

local open = native.opener()
lanes.register("ghost", { open = open })

describe("a linda that is collected during a call on another linda", function()
    it("blocks no lane", function()
        assert.equal("10000\n", support.output [[
            local lanes = require "lanes"
            local linda = lanes.linda()
            require("collector").pause(50)
            local n = 0
            for i = 1, 10000 do
                lanes.linda(i % 7):send("key", { i })
                linda:send("key", { i, { tostring(i) }, lanes.linda() })
                local _, value = linda:receive "key"
                if value[1] == i then n = n + 1 end
            end
            print(n)
        ]])
    end)
end)

describe("a result that cannot be passed", function()
    it("is an ordinary error at join, every time, when it is a userdata", function()
        assert.equal("true\ntrue\nalive\n", support.output [[
            local lanes = require "lanes"
            local lane = lanes.gen("*", function() return 1, io.stdout end)()
            for _ = 1, 2 do
                local ok, message = pcall(lane.join, lane)
                print(not ok and tostring(message):find("userdata", 1, true) ~= nil)
            end
            print "alive"
        ]])
    end)

    it("is an ordinary error at join, every time, when it is a coroutine", function()
        assert.equal("true\ntrue\nalive\n", support.output [[
            local lanes = require "lanes"
            local lane = lanes.gen("*", function() return coroutine.create(function() end) end)()
            for _ = 1, 2 do
                local ok, message = pcall(lane.join, lane)
                print(not ok and tostring(message):find("tried to copy unsupported types", 1, true) ~= nil)
            end
            print "alive"
        ]])
    end)

    it("is an ordinary error when the lane is indexed", function()
        assert.equal("false\nalive\n", support.output [[
            local lanes = require "lanes"
            local lane = lanes.gen("*", function() return io.stdout end)()
            print((pcall(function() return lane[1] end)))
            print "alive"
        ]])
    end)

    it("leaves the other results readable", function()
        local lane = lanes.gen("*", function() return 1, io.stdout, { 3 } end)()
        assert.equal(1, lane[1])
        support.raises("result #2", function() return lane[2] end)
        assert.same({ 3 }, lane[3])
    end)

    it("is kept while this state does not know a function in it, and can be read once it does", function()
        local path = native.path "socket.core"
        local lane = lanes.gen("*", function()
            local opener = package.loadlib(path, "luaopen_socket_core")
            require "lanes".register("late", { opener = opener })
            return "first", opener
        end)()
        support.raises("function 'late/opener' not found in", lane.join, lane)
        support.raises("function 'late/opener' not found in", lane.join, lane)
        local opener = package.loadlib(path, "luaopen_socket_core")
        lanes.register("late", { opener = opener })
        assert.same(pack("first", opener), pack(lane:join()))
    end)

    it("is an ordinary error when it is an error value", function()
        assert.equal("true\nalive\n", support.output [[
            local lanes = require "lanes"
            local lane = lanes.gen("*", function() error(io.stdout) end)()
            local ok, first, second = pcall(lane.join, lane)
            print(not ok or first == nil and second ~= nil)
            print "alive"
        ]])
    end)
end)

describe("an unusable argument:", function()
    it("NaN as a linda key is an argument error", function()
        local linda = lanes.linda()
        support.raises("bad argument #3 to 'send'", linda.send, linda, nil, 0 / 0, "value")
        support.raises("bad argument #2 to 'set'", linda.set, linda, 0 / 0, "value")
        support.raises("bad argument #2 to 'limit'", linda.limit, linda, 0 / 0, 1)
        support.raises("bad argument #3 to 'receive'", linda.receive, linda, 0, 0 / 0)
        assert.is_true(linda:send("key", "value"))
    end)

    it("an affinity mask without an existing CPU is an argument error", function()
        support.raises("invalid affinity", lanes.set_thread_affinity, 0)
        support.raises("invalid affinity", lanes.set_thread_affinity, -1)
        if machine.processors() <= 62 then
            support.raises("affinity", lanes.set_thread_affinity, 2 ^ 62)
        end
    end)

    for name, text in pairs { number = "5", ["Lua function"] = "function() end", table = "{}", boolean = "true" } do
        it("an allocator that is a " .. name .. " is an error of configure", function()
            assert.equal("false\ttrue\n", support.output([[
                local ok, message = pcall(require "lanes".configure, { allocator = ]] .. text .. [[ })
                print(ok, tostring(message):find("Bad allocator", 1, true) ~= nil)
            ]]))
        end)
    end

    it("an allocator function that returns no allocator is an error, or has no effect, and does not crash", function()
        assert.equal("alive\n", support.output [[
            local ok, message = pcall(function()
                local lanes = require "lanes".configure { allocator = os.time }
                return lanes.gen("*", function() return 1 end)()[1]
            end)
            if ok and message ~= 1 then print("wrong result", message) end
            if not ok and not tostring(message):find("allocator", 1, true) then print("wrong error", message) end
            print "alive"
        ]])
    end)
end)

describe("a receive that fails", function()
    it("leaves the element in the slot", function()
        local linda = lanes.linda()
        linda:send("key", open, "second")
        local ok, message = expect.in_lane(function() return pcall(linda.receive, linda, 0, "key") end)
        assert.is_false(ok)
        support.contains("function 'ghost/open' not found in", message)
        assert.same(pack("key", open), pack(linda:receive(0, "key")))
        assert.same(pack("key", "second"), pack(linda:receive(0, "key")))
    end)
end)

describe("an ignored object in a slot", function()
    it("is received as nil, with its key", function()
        local linda = lanes.linda()
        linda:send("key", setmetatable({}, { __lanesignore = true }))
        assert.same(pack("key", nil), pack(linda:receive(0, "key")))
        assert.same(pack(), pack(linda:receive(0, "key")))
    end)
end)

describe("a limit that is not a whole number", function()
    it("is an argument error and leaves the limit as it was", function()
        local linda = lanes.linda()
        linda:limit("key", 2)
        support.raises("bad argument #3 to 'limit'", linda.limit, linda, "key", 1.5)
        assert.equal(2, linda:dump().key.limit)
        assert.is_true(linda:send(0, "key", 1))
    end)

    it("or is too large never blocks the slot", function()
        local linda = lanes.linda()
        pcall(linda.limit, linda, "key", 2 ^ 80)
        assert.is_true(linda:send(0, "key", 1))
    end)
end)

describe("a batched receive with a minimum below one", function()
    it("is an argument error at once", function()
        local linda = lanes.linda()
        support.raises("bad argument #4 to 'receive'", linda.receive, linda, linda.batched, "key", 0)
        support.raises("bad argument #4 to 'receive'", linda.receive, linda, linda.batched, "key", -3)
    end)
end)

describe("bad input for a timer", function()
    it("is an error of lanes.timer, and other timers still fire and are listed", function()
        local linda = lanes.linda()
        assert.is_false((pcall(lanes.timer, linda, nil, 1)))
        assert.is_false((pcall(lanes.timer, linda, {}, 1)))
        assert.is_false((pcall(lanes.timer, linda, "key", print)))
        assert.is_false((pcall(lanes.timer, linda, "key", 1, "often")))
        pcall(lanes.timer, linda, "date", {})
        pcall(lanes.timer, linda, "past", -1e18)
        lanes.timer(linda, "key", 0.001)
        assert.equal("number", type(expect.received(linda, "key")))
        assert.equal("table", type(lanes.timers()))
    end)
end)

describe("linda:cancel with an unknown word", function()
    it("is an error and cancels nothing", function()
        local linda = lanes.linda()
        support.raises("unknown wake hint 'all'", linda.cancel, linda, "all")
        assert.is_true(linda:send("key", 1))
        assert.same(pack("key", 1), pack(linda:receive(0, "key")))
    end)
end)

describe("a runaway recursion in a lane", function()
    it("ends with its error and a trace", function()
        local lane = lanes.gen("*", function()
            local function deeper(n) return 1 + deeper(n + 1) end
            return deeper(1)
        end)()
        local nothing, message, trace = lane:join(100)
        assert.is_nil(nothing)
        support.contains("stack overflow", tostring(message))
        assert.equal("error", lane.status)
        assert.is_true(trace == nil or type(trace) == "table")
    end)

    it("gets a trace of both ends of the stack when the body raises the error", function()
        local depth = 15000
        local lane = lanes.gen("*", function()
            local function deeper(n)
                if n == 0 then error("at the bottom") end
                return 1 + deeper(n - 1)
            end
            return (deeper(depth))
        end)()
        local _, message, trace = lane:join(100)
        support.contains("at the bottom", message)
        local line = debug.getinfo(1, "l").currentline
        assert.equal("[C]:?", trace[1])
        assert.matches("accidents_spec%.lua:" .. line - 7 .. "$", trace[2])
        assert.matches("accidents_spec%.lua:" .. line - 6 .. "$", trace[3])
        assert.matches("accidents_spec%.lua:%d+$", trace[#trace])
    end)
end)

describe("a table nested a hundred thousand levels deep", function()
    local depth = 100000

    local function nested()
        local value = { "bottom" }
        for _ = 1, depth do value = { value } end
        return value
    end

    local function depth_of(value)
        local n = 0
        while type(value[1]) == "table" do
            value = value[1]
            n = n + 1
        end
        return value[1] == "bottom" and n
    end

    it("arrives through a linda", function()
        local linda = lanes.linda()
        linda:send("key", nested())
        assert.equal(depth, depth_of(select(2, linda:receive(0, "key"))))
    end)

    it("arrives as argument and result of a lane", function()
        local there, back = expect.in_lane(function(argument) return depth_of(argument), argument end, nested())
        assert.equal(depth, there)
        assert.equal(depth, depth_of(back))
    end)

    it("arrives by string keys", function()
        local value = { bottom = true }
        for _ = 1, depth do value = { next = value } end
        local linda = lanes.linda()
        linda:send("key", value)
        local _, copy = linda:receive(0, "key")
        local n = 0
        while copy.next do
            copy = copy.next
            n = n + 1
        end
        assert.equal(depth, n)
        assert.is_true(copy.bottom)
    end)

    it("arrives by metatables", function()
        local value = setmetatable({}, { bottom = true })
        for _ = 1, 10000 do value = setmetatable({}, value) end
        local linda = lanes.linda()
        linda:send("key", value)
        local _, copy = linda:receive(0, "key")
        local n = 0
        while getmetatable(copy) do
            copy = getmetatable(copy)
            n = n + 1
        end
        assert.equal(10001, n)
        assert.is_true(copy.bottom)
    end)
end)

describe("a metatable that was passed", function()
    it("is released in its own state when it is no longer used", function()
        local weak = setmetatable({}, { __mode = "k" })
        local linda = lanes.linda()
        for i = 1, 100 do
            local meta = { number = i }
            weak[meta] = true
            linda:send("key", setmetatable({}, meta))
            linda:receive(0, "key")
        end
        collectgarbage()
        collectgarbage()
        local left = 0
        for _ in pairs(weak) do left = left + 1 end
        assert.is_true(left <= 1) -- the last one may still be in a register
    end)

    it("is released in the receiving lane", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function()
            local weak = setmetatable({}, { __mode = "k" })
            for _ = 1, 100 do
                local _, object = linda:receive("key")
                weak[getmetatable(object)] = true
            end
            collectgarbage()
            collectgarbage()
            local left = 0
            for _ in pairs(weak) do left = left + 1 end
            return left
        end)()
        for i = 1, 100 do linda:send("key", setmetatable({}, { number = i })) end
        assert.is_true(expect.finished(lane) <= 1)
    end)

    it("arrives with its current contents in a lane that receives it for the first time, also through a linda", function()
        local class = { version = 1 }
        local linda = lanes.linda()
        linda:send("key", setmetatable({}, class))
        linda:receive(0, "key")
        class.version = 2
        linda:send("key", setmetatable({}, class))
        assert.equal(2, expect.in_lane(function()
            return getmetatable(select(2, linda:receive("key"))).version
        end))
    end)
end)

describe("a table that was global before Lanes was configured", function()
    it("is copied like any other table", function()
        assert.equal("false\tvalue\n", support.output [[
            options = { text = "value" }
            local lanes = require "lanes".configure()
            local linda = lanes.linda()
            linda:send("key", options)
            local _, copy = linda:receive(0, "key")
            print(copy == options, copy.text)
        ]])
    end)

    it("reaches a lane through a linda", function()
        assert.equal("value\n", support.output [[
            options = { text = "value" }
            local lanes = require "lanes".configure()
            local linda = lanes.linda()
            linda:send("key", options)
            print(lanes.gen("*", function() return select(2, linda:receive "key").text end)()[1])
        ]])
    end)
end)

describe("the contents of a linda", function()
    it("are not live objects: no finalizer runs for values that are never received", function()
        assert.equal("1\n", support.output [[
            local lanes = require "lanes"
            local finalised = 0
            local linda = lanes.linda()
            local function object()
                if newproxy then return { proxy = "without finaliser" } end
                return setmetatable({}, { __gc = function() finalised = finalised + 1 end })
            end
            linda:send("key", object())
            linda:set("key")
            linda:send("key", "other")
            linda = nil
            for _ = 1, 5 do collectgarbage() end
            print(newproxy and 1 or finalised)
        ]])
    end)
end)

describe("a function with several names", function()
    -- The name under which the function is sent, from the error of a lane that does not know it.
    local function name_of(registrations)
        return support.output(([[
            package.path = package.path
            local native = require "native"
            local lanes = require "lanes"
            local open = native.opener()
            %s
            local ok, message = pcall(lanes.gen("*", function() end), open)
            print(not ok and message:match "function '([^']*)'")
        ]]):format(registrations))
    end

    it("is sent under the first in alphabetical order of equally short names, in any order of registration", function()
        assert.equal("aaa/f\n", name_of [[
            lanes.register("aaa", { f = open })
            lanes.register("bbb", { f = open })
        ]])
        assert.equal("aaa/f\n", name_of [[
            lanes.register("bbb", { f = open })
            lanes.register("aaa", { f = open })
        ]])
    end)

    it("is sent under the shortest name, in any order of registration", function()
        assert.equal("zz/f\n", name_of [[
            lanes.register("aaaa", { f = open })
            lanes.register("zz", { f = open })
        ]])
        assert.equal("zz/f\n", name_of [[
            lanes.register("zz", { f = open })
            lanes.register("aaaa", { f = open })
        ]])
        assert.equal("zz/f\n", name_of [[
            lanes.register("aaaa", { f = open })
            pcall(lanes.gen("*", function() end), open)
            lanes.register("zz", { f = open })
        ]])
        assert.equal("m/f\n", name_of [[ lanes.register("m", { longer = open, f = open, other = { f = open } }) ]])
    end)
end)
