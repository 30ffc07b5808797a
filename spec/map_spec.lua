-- lanes.map and lanes.imap.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local pack, raises = support.pack, support.raises
local LIMIT = support.LIMIT

local function numbers(n)
    local list = {}
    for i = 1, n do list[i] = i end
    return list
end

describe("lanes.map", function()
    it("returns the results in order", function()
        assert.same({ 1, 4, 9, 16, n = 4 }, lanes.map({ 1, 2, 3, 4 }, function(x) return x * x end))
        assert.same({ n = 0 }, lanes.map({}, print))
        local results = lanes.map(numbers(10000), function(x) return -x end)
        assert.equal(10000, results.n)
        for i = 1, 10000 do assert.equal(-i, results[i]) end
    end)

    it("keeps the first result of each call, also nil", function()
        local results = lanes.map(numbers(5), function(x) if x % 2 == 0 then return x, "more" end end)
        assert.same({ n = 5, nil, 2, nil, 4 }, results)
    end)

    it("accepts any chunk size", function()
        for _, chunk in ipairs { 1, 2, 7, 1000, "auto" } do
            local results = lanes.map(numbers(100), function(x) return x + 1 end, { chunk = chunk })
            for i = 1, 100 do assert.equal(i + 1, results[i]) end
        end
    end)

    it("accepts items of all types, and upvalues", function()
        local key = "k"
        local linda = lanes.linda()
        local results = lanes.map({ { k = 1 }, { k = "x" }, { k = { 5 } } }, function(t) return t[key] end)
        assert.same({ 1, "x", { 5 }, n = 3 }, results)
        assert.is_true(lanes.map({ linda }, function(l) l:send("x", 1) return true end)[1])
        assert.equal(1, linda:count "x")
    end)

    it("raises the first error in the order of items", function()
        raises("map: item 2: ", lanes.map, numbers(3), function(x) if x > 1 then error("no " .. x) end end, { chunk = 3 })
        raises("no 2", lanes.map, numbers(3), function(x) if x > 1 then error("no " .. x) end end, { chunk = 3 })
        local fine, err = pcall(lanes.map, { 1 }, function() error { code = 7 } end)
        assert.is_false(fine)
        assert.equal(7, err.code)
        assert.same({ 1, n = 1 }, lanes.map({ 1 }, function(x) return x end))
    end)

    it("begins no further chunk after an error", function()
        local linda = lanes.linda()
        local function body(x)
            linda:send("calls", x)
            error "stop"
        end
        assert.is_false(pcall(lanes.map, numbers(1000), body, { chunk = 1 }))
        assert.is_true(linda:count "calls" < 1000)
    end)

    it("returns errors if it is asked to", function()
        local results = lanes.map(numbers(4), function(x) if x == 3 then error("no", 0) end return x end, { on_error = "return" })
        assert.same({ 1, 2, nil, 4, n = 4, errors = { [3] = "no" } }, results)
        local seen
        results = lanes.map(numbers(4), function(x) if x == 3 then error("no", 0) end return x end, {
            on_error = function(index, err, trace)
                seen = { index, err, type(trace) }
                return "mended"
            end,
        })
        assert.same({ 1, 2, "mended", 4, n = 4 }, results)
        assert.same({ 3, "no", "string" }, seen)
    end)

    it("names an item or result that cannot be passed", function()
        local thread = coroutine.create(function() end)
        raises("map: item 3.handler: ", lanes.map, { 1, 2, { handler = thread } }, function() end)
        raises("map: item 2: ", lanes.map, { 1, thread, 3 }, function() end, { chunk = 3 })
        raises("map: item 2: ", lanes.map, { 1, 2, 3 }, function(x)
            return x == 2 and coroutine.create(function() end) or x
        end, { chunk = 3 })
        raises("map: ", lanes.map, { 1 }, function() return thread end)
        assert.same({ 1, n = 1 }, lanes.map({ 1 }, function(x) return x end))
    end)

    it("checks its arguments", function()
        raises("bad argument #1 to 'map' (table expected, got nil)", lanes.map, nil, print)
        raises("bad argument #1 to 'map' (table expected, got function)", lanes.map, print, print)
        raises("bad argument #2 to 'map' (function expected, got number)", lanes.map, {}, 5)
        raises("bad argument #3 to 'map' (table of options expected, got number)", lanes.map, {}, print, 5)
        raises("Bad 'chunks' option; do you mean 'chunk'? (options of map are buffer, chunk, on_error, ordered, progress, timeout)",
            lanes.map, {}, print, { chunks = 1 })
        for name, wrong in pairs { chunk = 0, ordered = 1, buffer = -1, on_error = "stop", progress = 5, timeout = -1 } do
            raises(("Bad '%s' option"):format(name), lanes.map, {}, print, { [name] = wrong })
        end
    end)

    it("goes on while one item waits, also with many small chunks", function()
        local pool, linda = lanes.pool { workers = 2 }, lanes.linda()
        local results = pool:map(function(x)
            if x == 1500 then return select(2, linda:receive(LIMIT, "go")) end
            if x == 3000 then linda:send("go", "came") end
        end, numbers(3000), { chunk = 1 })
        assert.equal("came", results[1500])
        pool:close()
    end)

    it("reports its progress, and once at the end", function()
        local calls = {}
        lanes.map(numbers(100), function(x) return x end, { progress = function(done, total)
            calls[#calls + 1] = { done, total }
        end })
        local before = -1
        for _, call in ipairs(calls) do
            assert.equal(100, call[2])
            assert.is_true(call[1] > before)
            before = call[1]
        end
        assert.equal(100, before)
        assert.equal(3, #lanes.map(numbers(3), function(x) return x end, { progress = true }))
    end)

    it("ends at its timeout and can be called again", function()
        local linda = lanes.linda()
        local answer = pack(lanes.map(numbers(3), function() linda:receive "go" end, { timeout = 0.05, chunk = 1 }))
        assert.same({ n = 2, nil, "timeout" }, answer)
        linda:send("go", 1, 2, 3)
        assert.same({ 1, 2, n = 2 }, lanes.map({ 1, 2 }, function(x) return x end, { timeout = LIMIT }))
    end)

    -- After so many short calls the main thread waits for several replies at a time. Progress is reported ten times a second.
    it("says what is done while one call goes on, with a timeout and without", function()
        for _, timeout in ipairs { LIMIT, false } do
            local linda = lanes.linda()
            local results = lanes.map(numbers(1000), function(x)
                if x == 999 then return select(2, linda:receive "go") end
                if x == 1000 then linda:receive(0.2, "never") end
                return x
            end, {
                chunk = 1, timeout = timeout or nil,
                progress = function(done) if done == 999 then linda:send("go", "gone") end end,
            })
            assert.equal("gone", results[999])
        end
    end)

    it("is ended by a request to the caller", function()
        for mode, expected in pairs { soft = "done", hard = "cancelled" } do
            local linda = lanes.linda()
            local lane = lanes.gen("*", function()
                local lanes = require "lanes" -- luacheck: ignore
                local pool = lanes.pool { workers = 1 }
                local result = pool:map(function()
                    linda:send("begun", true)
                    linda:receive "go"
                end, { 1 })
                return result == lanes.cancel_error
            end)()
            linda:receive(LIMIT, "begun")
            lane:cancel(mode, LIMIT, true)
            assert.equal(expected, lane.status)
            if mode == "soft" then assert.is_true(lane[1]) end
        end
    end)

    it("works within a task, for more tasks than workers", function()
        local sums = lanes.map(numbers(20), function(n)
            local list, sum = {}, 0
            for i = 1, n do list[i] = i end
            local results = require "lanes".map(list, function(x) return x end)
            for i = 1, results.n do sum = sum + results[i] end
            return sum
        end)
        for n = 1, 20 do assert.equal(n * (n + 1) / 2, sums[n]) end
    end)

    it("works when tasks end their worker", function()
        local pool = lanes.pool { workers = 2, max_tasks = 1 }
        local results = pool:map(function(x) return x end, numbers(20), { chunk = 1 })
        for i = 1, 20 do assert.equal(i, results[i]) end
        assert.is_true(pool:close(LIMIT))
    end)
end)

describe("lanes.imap", function()
    it("yields index and results in order", function()
        local seen = {}
        for i, a, b in lanes.imap({ 10, 20, 30 }, function(x) return x + 1, nil end) do seen[i] = { a, b } end
        assert.same({ { 11 }, { 21 }, { 31 } }, seen)
        for _ in lanes.imap({}, print) do error "no item" end
    end)

    it("accepts iterators, with all their values", function()
        local seen = {}
        for i, text in lanes.imap(("a b c"):gmatch "%a", string.upper) do seen[i] = text end
        assert.same({ "A", "B", "C" }, seen)
        local pairs_of = { x = 1, y = 2 }
        local next_pair, state, first = pairs(pairs_of)
        local key = first
        local sum = 0
        for _, name, value in lanes.imap(function()
            local v
            key, v = next_pair(state, key)
            return key, v
        end, function(k, v) return k, v * 10 end) do
            assert.equal(pairs_of[name] * 10, value)
            sum = sum + value
        end
        assert.equal(30, sum)
    end)

    it("yields results in the order of their ends with ordered = false", function()
        local linda = lanes.linda()
        local pool = lanes.pool { workers = 2 }
        local order = {}
        for i in pool:imap(function(x)
            if x == 1 then linda:receive "go" end
            return x
        end, numbers(4), { ordered = false, chunk = 1 }) do
            order[#order + 1] = i
            if i ~= 1 then linda:send("go", true) end
        end
        assert.is_true(order[1] ~= 1)
        table.sort(order)
        assert.same(numbers(4), order)
        pool:cancel(LIMIT)
    end)

    it("takes no more items in advance than its buffer allows", function()
        local taken, handed, most = 0, 0, 0
        local function source()
            taken = taken + 1
            most = math.max(most, taken - handed)
            return taken <= 200 and taken or nil
        end
        for _ in lanes.imap(source, function(x) return x end, { buffer = 5, chunk = 2 }) do handed = handed + 1 end
        assert.equal(200, handed)
        -- Plus one item, which shows whether there are more.
        assert.is_true(most <= 5 + 2, most)
    end)

    it("raises an error in the order of items", function()
        local handed = 0
        raises("imap: item 4: no", function()
            for _ in lanes.imap(numbers(8), function(x)
                if x >= 4 then error("no", 0) end
                return x
            end, { chunk = 8 }) do handed = handed + 1 end
        end)
        assert.equal(3, handed)
        local seen = {}
        for i, value, err in lanes.imap(numbers(3), function(x)
            if x == 2 then error("no", 0) end
            return x
        end, { on_error = "return" }) do seen[i] = value or err end
        assert.same({ 1, "no", 3 }, seen)
    end)

    it("drops calls that have not begun when the loop is left", function()
        local linda = lanes.linda()
        local pool = lanes.pool { workers = 1 }
        local function leave()
            for _ in pool:imap(function(x) -- luacheck: ignore 512
                linda:send("calls", x)
                linda:receive "go"
            end, numbers(100), { chunk = 1, buffer = 50 }) do break end
        end
        linda:send("go", true)
        leave()
        support.collect()
        linda:set("go", true, true, true, true, true, true)
        assert.is_true(pool:close(LIMIT))
        assert.is_true(linda:count "calls" <= 4, linda:count "calls")
    end)

    it("works within a task", function()
        local results = lanes.map({ 3, 4 }, function(n)
            local list, sum = {}, 0
            for i = 1, n do list[i] = i end
            for _, value in require "lanes".imap(list, function(x) return 2 * x end) do sum = sum + value end
            return sum
        end)
        assert.same({ 12, 20, n = 2 }, results)
    end)

    it("checks its arguments", function()
        raises("bad argument #1 to 'imap' (table or iterator expected, got number)", lanes.imap, 5, print)
        raises("bad argument #2 to 'imap' (function expected, got nil)", lanes.imap, {}, nil)
        raises("imap: timed out after 0.05 s", function()
            local linda = lanes.linda()
            for _ in lanes.imap({ 1 }, function() linda:receive(2, "x") end, { timeout = 0.05 }) do error "none" end
        end)
    end)
end)

describe("lanes.progress", function()
    it("writes nothing if standard error is not a terminal", function()
        local program = [[
            local lanes = require "lanes".configure()
            lanes.progress(1, 2)
            lanes.map({ 1, 2, 3 }, function(x) return x end, { progress = true })
        ]]
        assert.equal("", support.output(program))
    end)
end)
