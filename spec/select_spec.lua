-- lanes.select: which case happens, results in each outcome, and bad input.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local pack, raises, same, until_true = support.pack, support.raises, support.same, support.until_true
local LIMIT = support.LIMIT
local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

-- Packs the results of a call into a table with n.
local function results(...)
    return pack(lanes.select(...))
end

-- A linda whose slot "k" holds `value` and has no room.
local function full(value)
    local linda = lanes.linda()
    linda:set("k", value)
    linda:limit("k", 1)
    return linda
end

describe("lanes.select", function()
    it("receives from the first case that has an element", function()
        local a, b = lanes.linda(), lanes.linda()
        b:send("y", "b")
        same({ 2, "y", "b" }, results({ a, "receive", "k" }, { b, "receive", "x", "y" }))
        a:send("k", "a")
        b:send("y", "b")
        same({ 1, "k", "a" }, results({ a, "receive", "k" }, { b, "receive", "x", "y" }))
        assert.are.equal(1, b:count "y")
    end)

    it("sends to the first case that has room", function()
        local a, b = full(0), lanes.linda()
        same({ 2, "k" }, results({ a, "send", "k", 1 }, { b, "send", "k", 2, 3 }, { b, "send", "k", 4 }))
        assert.are.equal(1, a:count "k")
        same({ "k", 2, 3, n = 3 }, pack(b:receive(0, b.batched, "k", 2)))
        assert.are.equal(0, b:count "k")
    end)

    it("returns the handle of a lane that has ended", function()
        local lane = lanes.gen(function() return 5 end)()
        lane:join(LIMIT)
        same({ 2, lane }, results({ lanes.linda(), "receive", "k" }, { lane }))
        assert.are.equal(5, lane[1])
        local failed = lanes.gen(function() error("x", 0) end)()
        same({ 1, failed }, results(LIMIT, { failed }))
    end)

    it("returns nothing at the timeout", function()
        local a, b = lanes.linda(), full(1)
        local lane = lanes.gen(function(linda) linda:receive "go" end)(a)
        for _, timeout in ipairs { 0, 0.01 } do
            same({ n = 0 }, results(timeout, { a, "receive", "k" }, { b, "send", "k", 1 }, { lane }))
        end
        assert.are.equal(nil, (a:count "k"))
        assert.are.equal(1, b:count "k")
        a:send("go", true)
        same({ 1, lane }, results({ lane }))
    end)

    it("waits as long as it takes without a timeout, with nil, and with a negative one", function()
        for _, timeout in ipairs { "none", "nil", -1 } do
            local linda = lanes.linda()
            local lane = lanes.gen("*", function(inbox, how)
                local l = require "lanes"
                local case = { inbox, "receive", "k" }
                if how == "none" then return l.select(case) end
                if how == "nil" then return l.select(nil, case) end
                return l.select(how, case)
            end)(linda, timeout)
            until_true(function() return lane.status == "waiting" end)
            linda:send("k", timeout)
            same({ 1, "k", timeout }, pack(lane:join(LIMIT)))
        end
    end)

    it("lets exactly one case happen when several become possible", function()
        local a, b, done = lanes.linda(), lanes.linda(), lanes.linda()
        local lane = lanes.gen("*", function(x, y, out)
            local l = require "lanes"
            local sum = 0
            for _ = 1, 400 do
                local _, _, value = l.select({ x, "receive", "k" }, { y, "receive", "k" })
                sum = sum + value
            end
            out:send("sum", sum)
        end)(a, b, done)
        local sender = lanes.gen("*", function(x) for i = 1, 200 do x:send("k", i) end end)
        local one, two = sender(a), sender(b)
        same({ "sum", 40200 }, pack(done:receive(LIMIT, "sum")))
        one:join() two:join() lane:join()
        assert.are.equal(0, a:count "k")
        assert.are.equal(0, b:count "k")
    end)

    it("is completed by whoever makes a parked case possible, and leaves nothing of the others", function()
        local a, b = full(0), lanes.linda()
        local wait = lanes.gen("*", function(x, y)
            return require "lanes".select({ x, "send", "k", "sent" }, { y, "receive", "k" }, { y, "receive", "k" })
        end)
        local lane = wait(a, b)
        until_true(function() return lane.status == "waiting" end)
        same({ "k", 0 }, pack(a:receive(0, "k")))
        same({ 1, "k" }, pack(lane:join(LIMIT)))
        b:send("k", "left")
        same({ "k", "left" }, pack(b:receive(0, "k")))
        assert.are.equal("sent", a:get "k")
        lane = wait(a, b)
        until_true(function() return lane.status == "waiting" end)
        b:send("k", "got")
        same({ 2, "k", "got" }, pack(lane:join(LIMIT)))
        a:set "k"
        assert.are.equal(0, a:count "k")
    end)

    it("sees the same linda and slot in several cases", function()
        local linda = lanes.linda()
        linda:limit("k", 1)
        same({ 2, "k" }, results({ linda, "receive", "k" }, { linda, "send", "k", 7 }))
        same({ 1, "k", 7 }, results({ linda, "receive", "k" }, { linda, "send", "k", 8 }))
        linda:limit("k", 0)
        same({ n = 0 }, results(0.01, { linda, "receive", "k" }, { linda, "send", "k", 9 }))
    end)

    it("sends nil as lanes.null, and false as itself", function()
        local linda = lanes.linda()
        same({ 1, "k" }, results { linda, "send", "k", lanes.null })
        same({ 1, "k", nil, n = 3 }, results { linda, "receive", "k" })
        lanes.select { linda, "send", "k", lanes.null, false }
        same({ "k", nil, false, n = 3 }, pack(linda:receive(0, linda.batched, "k", 2)))
    end)

    it("returns cancel_error where a linda of the cases is cancelled", function()
        local a, b = lanes.linda(), lanes.linda()
        b:cancel()
        same({ lanes.cancel_error }, results({ a, "receive", "k" }, { b, "receive", "k" }))
        b:cancel "none"
        local lane = lanes.gen("*", function(x, y)
            local l = require "lanes"
            return l.select({ x, "receive", "k" }, { y, "receive", "k" }) == l.cancel_error
        end)(a, b)
        until_true(function() return lane.status == "waiting" end)
        b:cancel "read"
        assert.is_true(lane[1])
    end)

    it("returns cancel_error after a soft request, and raises after a hard one", function()
        local linda = lanes.linda()
        local wait = lanes.gen("*", function(x)
            local l = require "lanes"
            return l.select({ x, "receive", "k" }) == l.cancel_error
        end)
        local soft, hard = wait(linda), wait(linda)
        until_true(function() return soft.status == "waiting" and hard.status == "waiting" end)
        soft:cancel("soft", LIMIT, true)
        assert.is_true(soft[1])
        hard:cancel(LIMIT)
        assert.are.equal("cancelled", hard.status)
        linda:send("k", 1)
        assert.are.equal(1, linda:count "k")
    end)

    it("notices a soft request at the next wake-up of one of its lindas", function()
        local a, b = lanes.linda(), lanes.linda()
        local lane = lanes.gen("*", function(x, y)
            local l = require "lanes"
            return l.select({ x, "receive", "k" }, { y, "receive", "k" }) == l.cancel_error
        end)(a, b)
        until_true(function() return lane.status == "waiting" end)
        lane:cancel("soft", 0)
        b:send("other", 1)
        assert.is_true(lane[1])
    end)

    it("puts an element back that cannot be built", function()
        local linda = lanes.linda()
        linda:send("k", { io.open })
        local fine, failure = lanes.gen("package,string,table", function(x)
            local l = require "lanes"
            return pcall(l.select, { x, "receive", "other", "k" })
        end)(linda):join(LIMIT)
        assert.is_false(fine)
        support.contains("io", failure)
        assert.are.equal(1, linda:count "k")
        local _, _, value = lanes.select { linda, "receive", "k" }
        assert.are.equal(io.open, value[1])
    end)

    it("names the value of a case that cannot travel, and nothing has happened", function()
        local linda = lanes.linda()
        linda:send("k", 1)
        raises("case 2, value 2[1]", lanes.select, { linda, "receive", "k" },
            { linda, "send", "x", 1, { coroutine.create(function() end) } })
        assert.are.equal(1, linda:count "k")
        assert.are.equal(nil, (linda:count "x"))
    end)

    it("notices a mistake in a case after one that could happen, which then does not", function()
        local linda, other = full "here", lanes.linda()
        local good = { linda, "receive", "k" }
        for message, wrong in pairs {
            ["(case 2: a table expected, got string)"] = "k",
            ["(case 2: a linda or a lane expected, got string)"] = { "k", "receive", "k" },
            ["(case 2: 'receive' or 'send' expected, got 'recieve'; do you mean 'receive'?)"] = { other, "recieve", "k" },
            ["(case 2: 'receive' or 'send' expected, got number)"] = { other, 1, "k" },
            ["(case 2: a key expected, got no value)"] = { other, "receive" },
            ["(case 2: invalid key type (not a boolean, string, number or light userdata), got table)"] = { other, "receive", {} },
            ["got NaN, which is not equal to itself)"] = { other, "receive", 0 / 0 },
        } do
            raises(message, lanes.select, good, wrong)
        end
        raises("(case 5: a table expected, got nil)", lanes.select, good, good, good, good, nil)
        assert.equal("here", linda:get "k")
        same({ 1, "k", "here", n = 3 }, results(good, { other, "receive", 1 }, { other, "receive", true }, good))
    end)

    it("notices a mistake in each new table, even where one was that was right", function()
        local linda, other = full "here", lanes.linda()
        local good = { linda, "receive", "k" }
        local function receive_by_the_same_tables()
            local right = { other, "receive", "x" }
            for _ = 1, 3 do
                same({ 1, "k", "here", n = 3 }, results(good, right))
                linda:set("k", "here")
            end
        end
        for _ = 1, 300 do
            receive_by_the_same_tables()
            collectgarbage()
            for _ = 1, 20 do
                -- One of them may lie where the right one lay.
                assert.is_false((pcall(lanes.select, good, { other, "recieve", "x" })))
            end
            assert.equal(1, linda:count "k")
        end
    end)

    it("reads a later case that was right when those before it cannot happen", function()
        local a, b, c = lanes.linda(), lanes.linda(), lanes.linda()
        local one, two, three = { a, "receive", "k" }, { b, "receive", "k" }, { b, "receive", "l" }
        for _ = 1, 2 do same({ n = 0 }, results(0, one, two, three)) end
        two[1], three[2] = c, "recieve"
        a:send("k", 1)
        same({ 1, "k", 1, n = 3 }, results(one, two, three))
        raises("bad argument #4 to 'select' (case 3: 'receive' or 'send' expected, got 'recieve'; do you mean 'receive'?)",
            lanes.select, 0, one, two, three)
        c:send("k", 2)
        raises("(case 3: 'receive' or 'send' expected", lanes.select, one, two, three)
        assert.equal(1, c:count "k")
        three[2] = "receive"
        same({ 2, "k", 2, n = 3 }, results(one, two, three))
        two[3] = "m"
        c:send("m", 3)
        same({ 2, "m", 3, n = 3 }, results(one, two, three))
        -- In another place, of another length, or as another case.
        b:send("l", 4)
        same({ 1, "l", 4, n = 3 }, results(three, two, one))
        same({ n = 0 }, results(0, one, two, three))
        two[4] = "n"
        c:send("n", 5)
        same({ 2, "n", 5, n = 3 }, results(one, two, three))
        two[2], two[4] = "send", 6
        same({ 2, "m", n = 2 }, results(one, two, three))
        assert.equal(6, c:get "m")
    end)

    it("reads the first case each time", function()
        local a, b, c = lanes.linda(), lanes.linda(), lanes.linda()
        local one, two = { a, "receive", "k" }, { b, "receive", "k" }
        for linda, value in pairs { [a] = true, [b] = "two", [c] = 3 } do
            one[1] = linda
            linda:send("k", value)
            same({ 1, "k", value, n = 3 }, results(one, two))
        end
        one[2], one[4] = "send", true
        same({ 1, "k", n = 2 }, results(one, two))
        one[4] = nil
        raises("(case 1: no data to send", lanes.select, one, two)
        raises("(case 1: a table expected, got boolean)", lanes.select, false, two)
        raises("(case 2: a table expected, got nil)", lanes.select, two, nil)
    end)

    it("receives again and again by the same tables, whichever has an element", function()
        local cases = {}
        for i = 1, 4 do cases[i] = { lanes.linda(), "receive", "k" } end
        local value = { nested = { list = { 1, 2, 3 } }, text = ("x"):rep(100) }
        for _ = 1, 3 do
            for i = 1, 4 do
                cases[i][1]:send("k", value)
                assert.are.same({ i, "k", value, n = 3 }, results(LIMIT, unpack(cases)))
                same({ n = 0 }, results(0, unpack(cases)))
                cases[i][1]:send("k", i)
                same({ i, "k", i, n = 3 }, results(unpack(cases)))
            end
        end
    end)

    it("does not keep the tables", function()
        local seen = setmetatable({}, { __mode = "v" })
        for i = 1, 4 do seen[i] = { full(i), "receive", "k" } end
        for i = 1, 4 do same({ i, "k", i, n = 3 }, results(unpack(seen))) end
        collectgarbage()
        collectgarbage()
        for i = 1, 4 do assert.equal(nil, seen[i]) end
    end)

    it("receives under keys of each kind, from up to six lindas", function()
        for _, key in ipairs { "k", "", 1, -0.5, true, false, lanes.cancel_error } do
            for count = 1, 6 do
                local cases = {}
                for i = 1, count do cases[i] = { lanes.linda(), "receive", key } end
                for i = 1, count do
                    cases[i][1]:send(nil, key, i)
                    same({ i, key, i, n = 3 }, results(unpack(cases)))
                    same({ n = 0 }, results(0, unpack(cases)))
                end
            end
        end
    end)

    it("says what is wrong with a case", function()
        local linda = lanes.linda()
        local lane = lanes.gen(function() end)()
        local wrong = {
            { "bad argument #1 to 'select' (a case expected, got no value)" },
            { "bad argument #2 to 'select' (a case expected, got no value)", 1 },
            { "bad argument #1 to 'select' (timeout in seconds expected, got NaN)", 0 / 0, {} },
            { "bad argument #1 to 'select' (case 1: a table expected, got string)", "x" },
            { "bad argument #3 to 'select' (case 2: a table expected, got nil)", 0, { linda, "receive", "k" }, nil, n = 3 },
            { "bad argument #1 to 'select' (case 1: a linda or a lane expected, got nil)", {} },
            { "bad argument #1 to 'select' (case 1: a linda or a lane expected, got number)", { 5, "receive", "k" } },
            { "bad argument #1 to 'select' (case 1: 'receive' or 'send' expected, got no value)", { linda } },
            { "(case 1: 'receive' or 'send' expected, got 'recieve'; do you mean 'receive'?)", { linda, "recieve", "k" } },
            { "bad argument #1 to 'select' (case 1: 'receive' or 'send' expected, got number)", { linda, 1, "k" } },
            { "bad argument #1 to 'select' (case 1: a key expected, got no value)", { linda, "receive" } },
            { "case 1: invalid key type (not a boolean, string, number or light userdata), got table)", { linda, "receive", {} } },
            { "case 1: invalid key type (not a boolean, string, number or light userdata), got NaN", { linda, "receive", 0 / 0 } },
            { "case 1: no data to send (nil is sent as lanes.null)", { linda, "send", "k" } },
            { "case 1: a lane stands alone, got more values", { lane, "receive", "k" } },
        }
        for _, case in ipairs(wrong) do
            raises(case[1], lanes.select, unpack(case, 2, case.n and case.n + 1 or #case))
        end
    end)
end)
