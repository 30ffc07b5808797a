-- The 4.x interface: lindas.
local support = require "support"
if support.apart(describe, it) then return end
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes".configure { api = 4 }
local pack = support.pack

local closes = _VERSION == "Lua 5.4" or _VERSION == "Lua 5.5"

describe("lanes.linda of 4.x", function()
    it("takes nothing, nil, or a table", function()
        for _, linda in ipairs { lanes.linda(), lanes.linda(nil), lanes.linda {}, lanes.linda { other = 1 } } do
            assert.equal("Linda", getmetatable(linda))
            assert.matches("^Linda: 0x", tostring(linda))
        end
    end)

    for name, given in pairs { number = 0, string = "name", boolean = true, ["function"] = print, null = lanes.null } do
        it("refuses a " .. name, function()
            support.raises("expecting a table", lanes.linda, given)
        end)
    end

    it("refuses a second argument", function()
        support.raises("too many arguments", lanes.linda, {}, 1)
    end)

    it("names lindas", function()
        assert.equal("Linda: name", tostring(lanes.linda { name = "name" }))
        assert.equal("a Linda: name", "a " .. lanes.linda { name = "name" })
        assert.matches("^Linda: 0x", tostring(lanes.linda { name = "" }))
        assert.equal("Linda: " .. ("x"):rep(24), tostring(lanes.linda { name = ("x"):rep(24) }))
        assert.equal("Linda: a\0b", tostring(lanes.linda { name = "a\0b" }))
        local here, text = support.here(), tostring(lanes.linda { name = "auto" })
        assert.equal("Linda: " .. here, text .. ": ")
        local compile = loadstring or load
        assert.equal('Linda: [string "return ..."]:1', tostring(assert(compile("return ...", "return ...")) and
            select(2, pcall(assert(compile("local l = ...; local r = l.linda{name='auto'}; return r", "return ...")), lanes))))
        support.raises("name is not a string", lanes.linda, { name = 5 })
    end)

    it("checks the other options", function()
        support.raises("group out of range", lanes.linda, { group = 1 })
        support.raises("group out of range", lanes.linda, { group = -1 })
        support.raises("number expected", lanes.linda, { group = "0" })
        support.raises("wake_period must be > 0", lanes.linda, { wake_period = 0 })
        support.raises("invalid wake_period", lanes.linda, { wake_period = "1" })
        support.raises("number expected", lanes.linda, { wake_period = {} })
        lanes.linda { group = 0, wake_period = "never" }
    end)

    it("needs a group where there are several", function()
        assert.equal("false\ttrue\ttrue\tfalse\n", support.output [[
            local lanes = require "lanes".configure{ api = 4, nb_user_keepers = 2 }
            print((pcall(lanes.linda, {})), (pcall(lanes.linda)), (pcall(lanes.linda, { group = 2 })), (pcall(lanes.linda, { group = 3 })))
        ]])
    end)

    it("has fields by name only", function()
        local linda = lanes.linda()
        assert.equal(lanes.null, linda.null)
        support.raises("unknown field 'nope'", function() return linda.nope end)
        support.raises("unknown field 'recieve'; do you mean 'receive'?", function() return linda.recieve end)
        support.raises("linda:receive_batched", function() return linda.batched end)
        support.raises("Unsupported linda indexing key type boolean", function() return linda[true] end)
        support.raises("Unsupported linda indexing key type nil", function() return linda[nil] end)
        support.raises("expecting a linda object", linda.send, {})
    end)
end)

describe("slots and timeouts of 4.x", function()
    local linda = lanes.linda()
    local ended = lanes.gen(function() end)()
    local calls = {
        send = { "slot", 1 }, receive = { "slot" }, receive_batched = { "slot", 1 }, set = { "slot" }, get = { "slot" },
        limit = { "slot" }, restrict = { "slot" }, count = { "slot" },
    }
    for method in pairs(calls) do
        it(method .. " checks its slot", function()
            local function refused(expected, slot)
                support.raises(expected, function()
                    if method == "receive" or method == "send" or method == "receive_batched" then
                        return linda[method](linda, 0, slot, 1)
                    end
                    return linda[method](linda, slot)
                end)
            end
            refused("can't use lanes.null as a slot", lanes.null)
            refused("can't use lanes.cancel_error as a slot", lanes.cancel_error)
            for _, slot in ipairs { {}, print, coroutine.create(function() end) } do
                refused("invalid slot type (not a boolean, string, number or light userdata)", slot)
            end
            refused("can't use non-deep userdata as a slot", io.stdout)
            refused("can't use non-deep userdata as a slot", ended)
            refused("invalid slot type", 0 / 0)
        end)
    end

    it("take numbers in front as timeouts, and nil as none", function()
        linda:send(nil, 5, "five")
        assert.same(pack(5, "five"), pack(linda:receive(0, 5)))
        assert.same(pack(nil, "timeout"), pack(linda:receive(0, 5)))
        support.raises("duration cannot be < 0", linda.receive, linda, -1, "slot")
        support.raises("duration cannot be < 0", linda.send, linda, -0.1, "slot", 1)
        support.raises("duration cannot be < 0", linda.receive_batched, linda, 0 / 0, "slot", 1)
    end)
end)

describe("send and receive of 4.x", function()
    it("return what happened", function()
        local linda = lanes.linda()
        assert.same(pack(nil, "timeout"), pack(linda:receive(0, "a", "b")))
        assert.same(pack(true), pack(linda:send("b", 1, nil, 3)))
        assert.same(pack("b", 1), pack(linda:receive("a", "b")))
        assert.same(pack("b", nil), pack(linda:receive("a", "b")))
        assert.same(pack("b", 3), pack(linda:receive("a", "b")))
        assert.same(pack(nil, "timeout"), pack(linda:receive(0)))
        linda:limit("a", 1)
        assert.same(pack(nil, "timeout"), pack(linda:send(0, "a", 1, 2)))
        assert.same(pack(true), pack(linda:send(0, "a", 1)))
        assert.same(pack(nil, "timeout"), pack(linda:send(0.001, "a", 1)))
    end)

    it("need a value", function()
        local linda = lanes.linda()
        support.raises("no data to send", linda.send, linda, "slot")
        support.raises("no data to send", linda.send, linda, 0, "slot")
        assert.same(pack(true), pack(linda:send("slot", lanes.null)))
        assert.same(pack("slot", nil), pack(linda:receive "slot"))
    end)

    it("take several at a time", function()
        local linda = lanes.linda()
        assert.same(pack(nil, "timeout"), pack(linda:receive_batched(0, "slot", 1, 3)))
        linda:send("slot", true, nil, "c", 4, 5)
        assert.same(pack("slot", true, nil, "c"), pack(linda:receive_batched(0, "slot", 3)))
        assert.same(pack("slot", 4, 5), pack(linda:receive_batched("slot", 1, 10)))
        linda:send("slot", 1)
        assert.same(pack(nil, "timeout"), pack(linda:receive_batched(0, "slot", 2, nil)))
        support.raises("bad min count", linda.receive_batched, linda, "slot", 0)
        support.raises("bad min count", linda.receive_batched, linda, "slot", -1, 1)
        support.raises("batched min/max error", linda.receive_batched, linda, "slot", 2, 1)
        support.raises("number expected", linda.receive_batched, linda, "slot")
    end)

    it("keep what cannot be built in the receiver", function()
        local linda = lanes.linda()
        linda:send("slot", 1)
        assert.same(pack("slot", 1), pack(linda:receive "slot"))
        support.raises("coroutine", linda.send, linda, "slot", coroutine.create(function() end))
        assert.same({ slot = 0 }, linda:count())
    end)
end)

describe("set, get and limit of 4.x", function()
    it("get returns a number of values, and so many", function()
        local linda = lanes.linda()
        assert.same(pack(0), pack(linda:get "slot"))
        linda:send("slot", 1, nil, 3)
        assert.same(pack(1, 1), pack(linda:get "slot"))
        assert.same(pack(1, 1), pack(linda:get("slot", nil)))
        assert.same(pack(2, 1, nil), pack(linda:get("slot", 2)))
        assert.same(pack(3, 1, nil, 3), pack(linda:get("slot", 100)))
        support.raises("count should be >= 1", linda.get, linda, "slot", 0)
        support.raises("too many arguments", linda.get, linda, "slot", 1, 1)
    end)

    it("set says whether there is room now, and how full the slot is", function()
        local linda = lanes.linda()
        assert.same(pack(false, "under"), pack(linda:set("slot", 1, 2)))
        linda:limit("slot", 2)
        assert.same(pack(false, "over"), pack(linda:set("slot", 1, 2, 3)))
        assert.same(pack(false, "exact"), pack(linda:set("slot", 1, 2)))
        assert.same(pack(true, "under"), pack(linda:set("slot", 1)))
        assert.same(pack(false, "under"), pack(linda:set "slot"))
        assert.equal(0, linda:count "slot")
        linda:limit("slot", "unlimited")
        linda:set "slot"
        assert.is_nil(linda:count "slot")
    end)

    it("limit reads and sets", function()
        local linda = lanes.linda()
        assert.same(pack("unlimited", "under"), pack(linda:limit "slot"))
        assert.is_nil(linda:count "slot")
        assert.same(pack(false, "under"), pack(linda:limit("slot", "unlimited")))
        assert.equal(0, linda:count "slot")
        linda:send("slot", 1, 2)
        assert.same(pack(false, "over"), pack(linda:limit("slot", 1)))
        assert.same(pack(1, "over"), pack(linda:limit("slot", nil)))
        assert.same(pack(false, "exact"), pack(linda:limit("slot", 2)))
        assert.same(pack(true, "under"), pack(linda:limit("slot", 3)))
        assert.equal(2, linda:count "slot")
        support.raises("limit must be >= 0", linda.limit, linda, "slot", -1)
        support.raises("number expected", linda.limit, linda, "slot", "x")
        support.raises("wrong number of arguments", linda.limit, linda, "slot", 1, 2)
    end)

    it("dump shows limits and restrictions", function()
        local linda = lanes.linda()
        assert.is_nil(linda:dump())
        linda:send("a", 1, nil, 3)
        linda:limit("b", 5)
        linda:restrict("b", "send/receive")
        assert.same({
            a = { first = 1, count = 3, limit = "unlimited", restrict = "none", fifo = { 1, nil, 3 } },
            b = { first = 1, count = 0, limit = 5, restrict = "send/receive", fifo = {} },
        }, linda:dump())
        linda:receive "a"
        linda:receive_batched("a", 2)
        assert.same({ first = 1, count = 0, limit = "unlimited", restrict = "none", fifo = {} }, linda:dump().a)
        assert.same(pack(), pack(linda:collectgarbage()))
        support.raises("Unexpected extra argument", linda.collectgarbage, linda, 1)
    end)
end)

describe("restrict", function()
    it("returns the previous mode, and makes the slot", function()
        local linda = lanes.linda()
        assert.equal("none", linda:restrict "slot")
        assert.equal("none", linda:restrict("slot", "set/get"))
        assert.equal(0, linda:count "slot")
        assert.equal("set/get", linda:restrict("slot", "send/receive"))
        assert.equal("send/receive", linda:restrict("slot", nil))
        assert.equal("send/receive", linda:restrict("slot", "none"))
        assert.equal("none", linda:restrict "slot")
    end)

    it("refuses other modes", function()
        local linda = lanes.linda()
        for _, mode in ipairs { "x", "", 5, {}, true } do
            support.raises("unknown restrict mode", linda.restrict, linda, "slot", mode)
        end
        support.raises("wrong number of arguments", linda.restrict, linda, "slot", "none", 1)
    end)

    it("keeps a slot to set and get", function()
        local linda = lanes.linda()
        linda:restrict("slot", "set/get")
        support.raises("Key is restricted", linda.send, linda, "slot", 1)
        support.raises("Key is restricted", linda.receive, linda, 0, "slot")
        support.raises("Key is restricted", linda.receive_batched, linda, 0, "slot", 1)
        linda:set("slot", 1)
        assert.same(pack(1, 1), pack(linda:get "slot"))
    end)

    it("keeps a slot to send and receive", function()
        local linda = lanes.linda()
        linda:restrict("slot", "send/receive")
        support.raises("Key is restricted", linda.set, linda, "slot", 1)
        support.raises("Key is restricted", linda.set, linda, "slot")
        support.raises("Key is restricted", linda.get, linda, "slot")
        linda:send("slot", 1)
        assert.same(pack("slot", 1), pack(linda:receive "slot"))
    end)

    it("keeps existing data, and stays when the slot is cleared", function()
        local linda = lanes.linda()
        linda:send("slot", 1)
        linda:restrict("slot", "set/get")
        assert.equal(1, linda:count "slot")
        linda:set "slot"
        assert.equal(0, linda:count "slot")
        assert.equal("set/get", linda:restrict "slot")
    end)

    it("looks at the slots of a receive up to the one that has an element", function()
        local linda = lanes.linda()
        linda:restrict("b", "set/get")
        linda:send("a", 1)
        assert.same(pack("a", 1), pack(linda:receive(0, "a", "b")))
        support.raises("Key is restricted", linda.receive, linda, 0, "a", "b")
    end)

    it("holds in every lane", function()
        local linda = lanes.linda()
        linda:restrict("slot", "set/get")
        local _, fine = lanes.gen("*", function(to) return (pcall(to.send, to, "slot", 1)) end)(linda):join()
        assert.is_false(fine)
    end)
end)

if closes then
    describe("close handlers", function()
        local scope = assert(load [[
            local linda, body = ...
            do local closed <close> = linda; if body then body() end end
        ]])

        it("are called with the linda at the end of the scope", function()
            local calls = {}
            local linda = lanes.linda { close_handler = function(...) calls[#calls + 1] = pack(...) end }
            scope(linda)
            scope(linda)
            assert.same({ pack(linda, nil), pack(linda, nil) }, calls)
            assert.equal(linda, calls[1][1])
        end)

        it("are called with the error that ends the scope", function()
            local seen
            local linda = lanes.linda { close_handler = function(_, problem) seen = problem end }
            assert.is_false(pcall(scope, linda, function() error("text", 0) end))
            assert.equal("text", seen)
        end)

        it("raise their errors", function()
            local linda = lanes.linda { close_handler = function() error("text", 0) end }
            assert.same(pack(false, "text"), pack(pcall(scope, linda)))
        end)

        it("may be objects that can be called", function()
            local called = false
            local handler = setmetatable({}, { __call = function() called = true end })
            scope(lanes.linda { close_handler = handler })
            assert.is_true(called)
            support.raises("__close handler is not callable", lanes.linda, { close_handler = {} })
            support.raises("__close handler is not a function", lanes.linda, { close_handler = 5 })
        end)

        it("need not be there", function()
            scope(lanes.linda())
        end)

        it("travel with their linda, and the local one stays", function()
            local results = lanes.linda()
            local calls = 0
            local linda = lanes.linda { close_handler = function() calls = calls + 1 results:send("closed", calls) end }
            local lane = lanes.gen("*", [[
                local argument, through = ...
                do local closed <close> = argument end
                local _, received = through:receive "linda"
                do local closed <close> = received end
                through:send("back", received)
            ]])(linda, results)
            results:send("linda", linda)
            lane:join()
            assert.same(pack("closed", 1, 2), pack(results:receive_batched("closed", 2)))
            local _, back = results:receive "back"
            assert.equal(linda, back)
            scope(back)
            assert.equal(1, calls)
        end)
    end)
else
    describe("close handlers", function()
        it("are not looked at", function()
            lanes.linda { close_handler = 5 }
        end)
    end)
end
