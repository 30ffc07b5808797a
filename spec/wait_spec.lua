-- lanes.wait: lanes and futures, in the order of their ends.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local pack, raises, until_true = support.pack, support.raises, support.until_true
local LIMIT = support.LIMIT

-- Lanes that each wait for their number under "go", and one linda.
local function waiting_lanes(count)
    local linda = lanes.linda()
    local list = {}
    local body = lanes.gen("*", function(x, number)
        x:receive("go" .. number)
        return number
    end)
    for number = 1, count do
        list[number] = body(linda, number)
    end
    return list, linda
end

local function finish(list, linda, number)
    linda:send("go" .. number, true)
    list[number]:join(LIMIT)
end

-- The results of lanes, as text.
local function numbers(ended)
    local text = ""
    for i = 1, #ended do
        text = text .. ended[i][1] .. " "
    end
    return text
end

describe("lanes.wait", function()
    it("returns those that have ended, in the order of their ends", function()
        local list, linda = waiting_lanes(4)
        finish(list, linda, 3)
        finish(list, linda, 1)
        assert.are.equal("3 1 ", numbers(lanes.wait(list)))
        assert.are.equal("3 1 ", numbers(lanes.wait(list, { count = 2, timeout = 0 })))
        linda:send("go4", true)
        assert.are.equal("3 1 4 ", numbers(lanes.wait(list, { count = 3, timeout = LIMIT })))
        linda:send("go2", true)
        assert.are.equal("3 1 4 2 ", numbers(lanes.wait(list, { count = "all" })))
        assert.are.equal(list[3], lanes.wait(list)[1])
    end)

    it("returns nil and a text at the timeout", function()
        local list, linda = waiting_lanes(2)
        for _, options in ipairs { { timeout = 0 }, { timeout = 0.01 }, { timeout = 0.01, count = "all" } } do
            local found = pack(lanes.wait(list, options))
            assert.are.equal(2, found.n)
            assert.are.equal(nil, found[1])
            assert.are.equal("timeout", found[2])
        end
        finish(list, linda, 1)
        assert.are.equal("timeout", select(2, lanes.wait(list, { timeout = 0.01, count = 2 })))
        linda:send("go2", true)
        assert.are.equal(2, #lanes.wait(list, { timeout = -1, count = 2 }))
    end)

    it("counts lanes that fail and lanes that are cancelled", function()
        local failed = lanes.gen(function() error "x" end)()
        local list = waiting_lanes(1)
        list[2] = failed
        assert.are.equal(failed, lanes.wait(list)[1])
        list[1]:cancel(LIMIT)
        local ended = lanes.wait(list, { count = "all" })
        assert.are.equal("cancelled", ended[2].status)
    end)

    it("takes a lane twice, and an empty list", function()
        local list, linda = waiting_lanes(1)
        list[2] = list[1]
        assert.are.equal("timeout", select(2, lanes.wait(list, { timeout = 0.01, count = 2 })))
        linda:send("go1", true)
        assert.are.equal("1 1 ", numbers(lanes.wait(list, { count = 2 })))
        assert.are.equal(0, #lanes.wait({}, { count = "all" }))
    end)

    it("takes futures and lanes together", function()
        local list, linda = waiting_lanes(1)
        local pool = lanes.pool { workers = 2 }
        local function task(x, number)
            x:receive("go" .. number)
            return number
        end
        list[2], list[3] = pool:submit(task, linda, 2), pool:submit(task, linda, 3)
        assert.are.equal("timeout", select(2, lanes.wait(list, { timeout = 0.01 })))
        linda:send("go3", true)
        assert.are.equal("3 ", numbers(lanes.wait(list, { timeout = LIMIT })))
        linda:send("go1", true)
        assert.are.equal("3 1 ", numbers(lanes.wait(list, { timeout = LIMIT, count = 2 })))
        linda:send("go2", true)
        assert.are.equal("3 1 2 ", numbers(lanes.wait(list, { count = "all" })))
        assert.is_true(pool:close(LIMIT))
    end)

    it("takes futures of several pools, and of one that is cancelled", function()
        local linda = lanes.linda()
        local one, two = lanes.pool { workers = 1 }, lanes.pool { workers = 1 }
        local function task(x, key) return select(2, x:receive(key)) end
        local list = { one:submit(task, linda, "a"), two:submit(task, linda, "b") }
        linda:send("b", 2)
        assert.are.equal(list[2], lanes.wait(list)[1])
        one:cancel(LIMIT)
        local ended = lanes.wait(list, { count = 2 })
        assert.are.equal("cancelled", ended[2].status)
        two:cancel(LIMIT)
    end)

    it("ends in a worker of the pool whose task it waits for", function()
        local pool = lanes.pool { workers = 2 }
        local function outer(p)
            local inner = p:submit(function() return 7 end)
            return require "lanes".wait({ inner }, { count = "all" })[1][1]
        end
        assert.are.equal(7, pool:submit(outer, pool):join(LIMIT))
        pool:cancel(LIMIT)
    end)

    it("is an error in a worker where it would take for ever", function()
        local pool = lanes.pool { workers = 1 }
        local function outer(p)
            return require "lanes".wait { p:submit(function() return 7 end) }
        end
        local first, failure = pool:submit(outer, pool):join(LIMIT)
        assert.are.equal(nil, first)
        support.contains("waiting for a task of the same pool would take for ever", failure)
        pool:cancel(LIMIT)
    end)

    it("returns cancel_error after a soft request, and raises after a hard one", function()
        local linda = lanes.linda()
        local body = lanes.gen("*", function(x)
            local l = require "lanes"
            local inner = l.gen("*", function(y) y:receive "go" end)(x)
            return l.wait { inner } == l.cancel_error
        end)
        local soft, hard = body(linda), body(linda)
        until_true(function() return soft.status == "waiting" and hard.status == "waiting" end)
        soft:cancel("soft", LIMIT, true)
        assert.is_true(soft[1])
        hard:cancel(LIMIT)
        assert.are.equal("cancelled", hard.status)
        linda:send("go", 1, 2)
    end)

    it("says what is wrong with its arguments", function()
        local lane = lanes.gen(function() end)()
        raises("bad argument #1 to 'wait' (a list of lanes and futures expected, got nil)", lanes.wait)
        raises("bad argument #1 to 'wait' (a list of lanes and futures expected, got lane)", lanes.wait, lane)
        raises("bad argument #1 to 'wait' (entry 2: a lane or a future expected, got number)", lanes.wait, { lane, 5 })
        raises("bad argument #1 to 'wait' (entry 1: a lane or a future expected, got userdata)", lanes.wait, { lanes.linda() })
        raises("bad argument #2 to 'wait' (table expected, got number)", lanes.wait, { lane }, 5)
        raises("Bad 'timout' option; do you mean 'timeout'? (options of lanes.wait are count, timeout)", lanes.wait, { lane },
            { timout = 1 })
        raises("Bad 'timeout' option: \"x\", lanes.wait expects a number of seconds", lanes.wait, { lane }, { timeout = "x" })
        raises("Bad 'timeout' option", lanes.wait, { lane }, { timeout = 0 / 0 })
        for _, count in ipairs { 0, -1, 1.5, "some", true } do
            raises("lanes.wait expects a whole number from 1 or \"all\"", lanes.wait, { lane }, { count = count })
        end
        raises("Bad 'count' option: 2, lanes.wait expects at most the number of lanes and futures in the list, which is 1",
            lanes.wait, { lane }, { count = 2 })
        raises("Bad 'count' option: 1, lanes.wait expects at most", lanes.wait, {}, { count = 1 })
        raises("bad argument #1 to 'wait' (a list of lanes and futures expected, got an empty table)", lanes.wait, {})
        local pool = lanes.pool { workers = 1 }
        raises("bad argument #1 to 'wait' (a list of lanes and futures expected, got pool)", lanes.wait, pool)
        raises("bad argument #1 to 'wait' (a list of lanes and futures expected, got future)", lanes.wait, pool:submit(print))
        raises("bad argument #1 to 'wait' (entry 1: a lane or a future expected, got pool)", lanes.wait, { pool })
        pool:cancel(LIMIT)
    end)
end)
