-- Notifiers of lindas, lanes and futures: when their descriptors are readable, what `receive` returns, and bad input.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"
local descriptors = require "descriptors"
local needs = require "needs"

local pack, raises, readable = support.pack, support.raises, descriptors.readable
local LIMIT = support.LIMIT

local function same(expected, ...)
    support.same(expected, pack(...))
end

-- Makes a lane that calls a function with a linda.
local generator = lanes.gen("*", function(linda, f) return f(linda) end)

describe("linda:notifier", function()
    local it = descriptors.needed(it) -- luacheck: ignore (shadows)

    it("is readable while an element may be there", function()
        local linda = lanes.linda()
        local notifier = linda:notifier "k"
        assert.is_false(readable(notifier))
        linda:send("k", 1, 2)
        assert.is_true(readable(notifier))
        assert.is_true(readable(notifier))
        same({ "k", 1 }, notifier:receive())
        assert.is_true(readable(notifier))
        same({ "k", 2 }, notifier:receive())
        -- Only a receive that finds nothing clears it.
        assert.is_true(readable(notifier))
        same({}, notifier:receive())
        assert.is_false(readable(notifier))
        linda:set("k", 3)
        assert.is_true(readable(notifier))
        assert.are.equal(1, linda:count "k")
        notifier:close()
    end)

    it("is readable at once if there is an element", function()
        local linda = lanes.linda()
        linda:send("k", 1)
        local notifier = linda:notifier("other", "k")
        assert.is_true(readable(notifier))
        same({ "k", 1 }, notifier:receive())
        notifier:close()
    end)

    it("receives from the first of its keys that has an element, with the keys as they were given", function()
        local linda = lanes.linda()
        local notifier = linda:notifier("a", 2, true, "a")
        assert.is_false(readable(notifier))
        linda:send(true, "boolean")
        linda:send(nil, 2.0, "number")
        linda:send("a", "text")
        linda:send("z", "not watched")
        same({ "a", "text" }, notifier:receive())
        same({ 2, "number" }, notifier:receive())
        same({ true, "boolean" }, notifier:receive())
        same({}, notifier:receive())
        assert.is_false(readable(notifier))
        notifier:close()
    end)

    it("is told of what lanes send, and nothing is lost", function()
        local linda = lanes.linda()
        local notifier = linda:notifier("a", "b")
        for i = 1, 2 do
            lanes.gen("*", function(x, key)
                for number = 1, 500 do
                    x:send(key, number)
                end
            end)(linda, i == 1 and "a" or "b")
        end
        local last, sum = { a = 0, b = 0 }, 0
        while sum < 1000 do
            assert.is_true(readable(notifier, LIMIT))
            repeat
                local key, value = notifier:receive()
                if key then
                    assert.are.equal(last[key] + 1, value)
                    last[key], sum = value, sum + 1
                end
            until not key
        end
        assert.is_false(readable(notifier))
        notifier:close()
    end)

    it("does not stand in line: parked receivers come first", function()
        local linda = lanes.linda()
        local notifier = linda:notifier "k"
        local receiver = generator(linda, function(x) return select(2, x:receive "k") end)
        support.until_status(receiver, "waiting")
        linda:send("k", 1)
        assert.are.equal(1, receiver[1])
        same({}, notifier:receive())
        assert.is_false(readable(notifier))
        notifier:close()
    end)

    it("is readable while the linda is cancelled", function()
        local linda = lanes.linda()
        local notifier = linda:notifier "k"
        linda:cancel "write"
        assert.is_true(readable(notifier))
        same({ lanes.cancel_error }, notifier:receive())
        assert.is_true(readable(notifier))
        local late = linda:notifier "k"
        assert.is_true(readable(late))
        linda:cancel "none"
        same({}, notifier:receive())
        same({}, late:receive())
        assert.is_false(readable(notifier) or readable(late))
        notifier:close()
        late:close()
    end)

    it("is readable once its lane is asked to stop", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function(x, is_readable)
            local lanes = require "lanes" -- luacheck: ignore
            local notifier = x:notifier "k"
            x:send("there", true)
            while not is_readable(notifier) do lanes.now_secs() end
            local first = notifier:receive()
            return first == lanes.cancel_error, is_readable(notifier)
        end)(linda, function(notifier)
            return require "descriptors".readable(notifier)
        end)
        linda:receive(LIMIT, "there")
        lane:cancel("soft", 0)
        same({ true, true }, lane:join(LIMIT))
    end)

    it("raises cancel_error after a hard request", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function(x)
            local notifier = x:notifier "k"
            x:send("there", true)
            while true do notifier:receive() end
        end)(linda)
        linda:receive(LIMIT, "there")
        lane:cancel(LIMIT)
        assert.are.equal("cancelled", lane.status)
    end)

    it("gives a message that cannot be built back to its slot, and stays readable", function()
        -- A C function that no other state knows.
        local open = require "native".opener()
        lanes.register("ghost", { open = open }) -- the name that all specs give it: it keeps its first one
        local linda = lanes.linda()
        linda:send("k", open)
        local fine, failure, count, is_readable = generator(linda, function(x)
            local notifier = x:notifier "k"
            local fine, failure = pcall(notifier.receive, notifier)
            return fine, failure, x:count "k", require "descriptors".readable(notifier)
        end):join(LIMIT)
        assert.is_false(fine)
        support.contains("function 'ghost/open' not found in", failure)
        same({ 1, true }, count, is_readable)
    end)

    it("watches nothing once it is closed, or collected", function()
        local linda = lanes.linda()
        local notifier = linda:notifier("k", "l")
        notifier:close()
        notifier:close()
        for _, method in ipairs { "fd", "getfd", "pollfd", "receive" } do
            raises(": the notifier is closed", notifier[method], notifier)
        end
        linda:notifier "k" -- luacheck: ignore
        notifier = nil -- luacheck: ignore
        support.collect()
        linda:send("k", 1)
        -- A slot that nobody watches or uses does not exist.
        assert.is_nil(linda:count "l")
        assert.are.equal(1, linda:count "k")
    end)

    it("has what loops ask for", function()
        local notifier = lanes.linda():notifier "k"
        local number = notifier:fd()
        assert.are.equal("number", type(number))
        assert.are.equal(number, notifier:getfd())
        assert.are.equal(number, notifier:pollfd())
        assert.is_false(notifier:dirty())
        assert.are.equal("r", notifier:events())
        same({}, notifier:timeout())
        notifier:close()
    end)

    it("may be watched by several notifiers", function()
        local linda = lanes.linda()
        local one, two = linda:notifier "k", linda:notifier "k"
        linda:send("k", 1)
        assert.is_true(readable(one) and readable(two))
        one:receive()
        same({}, two:receive())
        assert.is_false(readable(two))
        same({}, one:receive())
        one:close()
        linda:send("k", 1)
        assert.is_true(readable(two))
        two:close()
    end)
end)

describe("notifiers", function()
    it("belong to one state", function()
        local linda = lanes.linda()
        local notifier = linda:notifier "k"
        raises("can't copy non-deep full userdata across lanes (arg #2, a Notifier; it belongs to the state that made it)",
            linda.send, linda, "k", notifier)
        raises("(arg #1, a Notifier; it belongs", lanes.gen("*", function() end), notifier)
        notifier:close()
    end)

    it("are closed where they go out of scope", function()
        if _VERSION < "Lua 5.4" then return needs.pending "need variables that are closed (Lua 5.4)" end
        local load = load
        local notifier = load [[
            local linda = ...
            local notifier <close> = linda:notifier "k"
            return notifier
        ]](lanes.linda())
        raises("the notifier is closed", notifier.fd, notifier)
    end)

    it("name what is wrong with their arguments", function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function() end)()
        raises("bad argument #2 to 'notifier' (a key expected, got no value)", linda.notifier, linda)
        raises("bad argument #3 to 'notifier' (invalid key type", linda.notifier, linda, "k", {})
        raises("got nil", linda.notifier, linda, nil)
        raises("NaN", linda.notifier, linda, 0 / 0)
        raises("bad argument #1 to 'notifier' (expecting a linda, got nil)", linda.notifier, nil, "k")
        raises("bad argument #1 to 'notifier' (Lane expected, got no value)", lane.notifier)
        raises("bad argument #2 to 'notifier' (too many arguments)", lane.notifier, lane, "k")
        local notifier = linda:notifier "k"
        raises("bad argument #1 to 'receive' (Notifier expected, got table)", notifier.receive, {})
        raises("bad argument #2 to 'receive' (too many arguments)", notifier.receive, notifier, 1)
        raises("bad argument #1 to 'close' (Notifier expected, got no value)", notifier.close)
        raises("bad argument #1 to 'fd' (Notifier expected, got userdata)", notifier.fd, linda)
        notifier:close()
    end)

    needs.limits(it)("say if the system has no descriptor left", function()
        local result = support.run([[
            local lanes = require "lanes".configure()
            local linda, kept = lanes.linda(), {}
            for i = 1, 100 do
                local fine, failure = pcall(linda.notifier, linda, "k")
                if not fine then
                    io.write(failure, "\n")
                    break
                end
                kept[i] = failure
            end
            -- What is given back is there for others.
            kept[1]:close()
            io.write(tostring(pcall(linda.notifier, linda, "k")))
        ]], { limits = "-n 20" })
        support.contains("notifier: the system gives no descriptor: ", result.out)
        support.contains("\ntrue", result.out)
    end)
end)

describe("lane:notifier", function()
    local it = descriptors.needed(it) -- luacheck: ignore (shadows)

    it("is readable once the lane has ended", function()
        local linda = lanes.linda()
        local lane = generator(linda, function(x) return select(2, x:receive "go") end)
        local notifier = lane:notifier()
        assert.is_false(readable(notifier))
        same({}, notifier:receive())
        linda:send("go", 5)
        assert.is_true(readable(notifier, LIMIT))
        same({ lane, "done" }, notifier:receive())
        assert.is_true(readable(notifier))
        same({ 5 }, lane:join())
        notifier:close()
    end)

    it("is readable at once if the lane has ended", function()
        local lane = generator(nil, function() error "on purpose" end)
        lane:join(LIMIT)
        local notifier = lane:notifier()
        assert.is_true(readable(notifier))
        same({ lane, "error" }, notifier:receive())
        notifier:close()
    end)

    it("is readable once its own lane is asked to stop", function()
        local linda = lanes.linda()
        local outer = lanes.gen("*", function(x)
            local inner = require "lanes".gen("*", function() x:receive "never" end)()
            local notifier = inner:notifier()
            x:send("there", true)
            repeat local first = notifier:receive() until first == require "lanes".cancel_error
            local is = require "descriptors".readable(notifier)
            inner:cancel()
            return is
        end)(linda)
        linda:receive(LIMIT, "there")
        outer:cancel("soft", 0)
        same({ true }, outer:join(LIMIT))
    end)
end)

describe("future:notifier", function()
    local it = descriptors.needed(it) -- luacheck: ignore (shadows)
    local pool, linda = lanes.pool { workers = 1 }, lanes.linda()

    local function wait_for_key(x, key)
        return select(2, x:receive(key))
    end

    it("is readable once the task has ended", function()
        local first = pool:submit(wait_for_key, linda, "go")
        local second = pool:submit(function() error "on purpose" end)
        local one, two = first:notifier(), second:notifier()
        same({}, one:receive())
        same({}, two:receive())
        linda:send("go", 7)
        assert.is_true(readable(one, LIMIT))
        repeat local future, status = one:receive() until future == first and status == "done"
        while not readable(two, LIMIT) or two:receive() ~= second do end
        same({ second, "error" }, two:receive())
        assert.is_true(readable(one) and readable(two))
        same({ 7 }, first:join())
        assert.are.equal("number", type(one:fd()))
        assert.are.equal("r", one:events())
        assert.is_false(two:dirty())
        one:close()
        two:close()
        two:close()
        raises("the notifier is closed", two.fd, two)
    end)

    it("is readable if somebody else has received the result", function()
        local first, second = pool:submit(wait_for_key, linda, "go"), pool:submit(wait_for_key, linda, "go")
        local notifier = first:notifier()
        same({}, notifier:receive())
        linda:send("go", 1, 2)
        same({ 2 }, second:join(LIMIT))
        assert.is_true(readable(notifier))
        same({ first, "done" }, notifier:receive())
        notifier:close()
    end)

    it("is readable at once if the task has ended", function()
        local future = pool:submit(function() return 1 end)
        future:join(LIMIT)
        local notifier = future:notifier()
        assert.is_true(readable(notifier))
        same({ future, "done" }, notifier:receive())
        notifier:close()
    end)

    it("is readable if the task is cancelled, or the pool", function()
        local running = pool:submit(wait_for_key, linda, "go")
        local waiting = pool:submit(wait_for_key, linda, "go")
        local notifier = waiting:notifier()
        same({}, notifier:receive())
        waiting:cancel()
        assert.is_true(readable(notifier))
        same({ waiting, "cancelled" }, notifier:receive())
        notifier:close()
        linda:send("go", 1)
        running:join(LIMIT)
        local other = lanes.pool { workers = 1 }
        local future = other:submit(wait_for_key, linda, "never")
        notifier = future:notifier()
        same({}, notifier:receive())
        other:cancel()
        assert.is_true(readable(notifier))
        same({ future, "cancelled" }, notifier:receive())
        notifier:close()
    end)

    it("is readable if the worker has run out of memory", function()
        local small = lanes.pool { workers = 1, memory_limit = 2 ^ 21 }
        local future = small:submit(function()
            local list = {}
            for i = 1, 1e9 do list[i] = ("x"):rep(1000) .. i end
            return list
        end)
        local notifier = future:notifier()
        while notifier:receive() ~= future do
            assert.is_true(readable(notifier, LIMIT))
        end
        assert.are.equal("error", future.status)
        notifier:close()
        small:cancel()
    end)
end)
