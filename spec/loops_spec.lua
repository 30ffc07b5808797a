-- lanes.async: coroutines of real event loops that wait for lindas, lanes and pools; only the calling coroutine waits.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"
local needs = require "needs"

local pack, raises, same = support.pack, support.raises, support.same
local LIMIT = support.LIMIT
local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

-- How functions run as coroutines of each loop until all have ended.
local drivers = {}

function drivers.luv(uv, functions)
    for _, f in ipairs(functions) do coroutine.wrap(f)() end
    uv.run()
end

function drivers.copas(copas, functions, is_over)
    for _, f in ipairs(functions) do copas.addthread(f) end
    while not is_over() do copas.step(LIMIT) end
end

function drivers.cqueues(cqueues, functions)
    local queue = cqueues.new()
    for _, f in ipairs(functions) do queue:wrap(f) end
    assert.is_true((queue:loop()))
end

function drivers.lgi(lgi, functions, is_over)
    local context = lgi.GLib.MainContext.default()
    for _, f in ipairs(functions) do coroutine.wrap(f)() end
    while not is_over() do context:iteration(true) end
end

-- Runs functions as coroutines of a loop; returns their results, a list of packed ones.
local function run(name, functions)
    local results, left, wrapped = {}, #functions, {}
    for i, f in ipairs(functions) do
        wrapped[i] = function()
            results[i] = pack(f())
            left = left - 1
        end
    end
    drivers[name](require(name), wrapped, function() return left == 0 end)
    assert.are.equal(0, left)
    return results
end

-- A lane that waits for something under a key of a linda, and returns it.
local waits = lanes.gen("*", function(linda, key) return select(2, linda:receive(key)) end)

-- A linda whose slot "k" holds 1 and is full.
local function full()
    local linda = lanes.linda()
    linda:set("k", 1)
    linda:limit("k", 1)
    return linda
end

for _, name in ipairs { "luv", "copas", "cqueues", "lgi" } do
    describe("lanes.async." .. name, function()
        local it = needs.module(name, name, it) -- luacheck: ignore (shadows)
        local async = pcall(require, name) and lanes.async[name]()

        it("receives; other coroutines go on", function()
            local linda = lanes.linda()
            local order = ""
            local results = run(name, {
                function()
                    local key, value = async.receive(linda, "a", "b")
                    order = order .. "received "
                    return key, value
                end,
                function()
                    order = order .. "other "
                    linda:send("b", 5)
                end,
                function() return async.receive(linda, LIMIT, "c") end,
                function() async.receive(linda, LIMIT, "d") linda:send("c", 6) end,
                function() async.sleep(0.01) linda:send("d", true) end,
            })
            assert.are.equal("other received ", order)
            same({ "b", 5 }, results[1])
            same({ "c", 6 }, results[3])
        end)

        it("receives what lanes send", function()
            local linda = lanes.linda()
            local sender = lanes.gen("*", function(x)
                for i = 1, 300 do
                    x:send("numbers", i)
                    if i % 100 == 0 then x:receive "go" end
                end
            end)(linda)
            local results = run(name, { function()
                local sum = 0
                for i = 1, 300 do
                    local _, value = async.receive(linda, "numbers")
                    if value == i then sum = sum + value end
                    if i % 100 == 0 then async.send(linda, "go", true) end
                end
                return sum, async.join(sender)
            end })
            same({ 45150 }, results[1])
        end)

        it("receives batches as linda:receive does", function()
            local linda = lanes.linda()
            linda:send("k", 1)
            local results = run(name, {
                function() return async.receive(linda, linda.batched, "k", 3, 4) end,
                function() return async.receive(linda, 0.01, linda.batched, "other", 1) end,
                function() async.sleep(0.01) linda:send("k", 2) async.sleep(0.01) linda:send("k", 3) end,
            })
            same({ "k", 1, 2, 3 }, results[1])
            same({ n = 1 }, results[2])
        end)

        it("sends when there is room", function()
            local linda, refused = full(), nil
            local results = run(name, {
                function()
                    refused = { async.send(linda, 0, "k", 0), async.send(linda, 0.01, "k", 0) }
                    return unpack(refused)
                end,
                function() return async.send(linda, LIMIT, "k", 2) end,
                function()
                    while not refused do async.sleep(0.001) end
                    return linda:receive("k")
                end,
            })
            same({ false, false }, results[1])
            same({ true }, results[2])
            same({ "k", 1 }, results[3])
            same({ "k", 2 }, pack(linda:receive(0, "k")))
        end)

        it("has timeouts as the other calls have", function()
            local linda = lanes.linda()
            local lane = waits(linda, "go")
            local begin = lanes.now_secs()
            local results = run(name, {
                function() return async.receive(linda, 0.02, "k") end,
                function() return async.receive(linda, 0, "k") end,
                function() return async.join(lane, 0.02) end,
                function() return async.join(lane, 0) end,
                function() return async.select(0.02, { linda, "receive", "k" }) end,
                function() return async.sleep(0.02) end,
                function() return async.sleep() end,
            })
            -- The clock of the loop and that of Lanes may differ by a little.
            assert.is_true(lanes.now_secs() - begin > 0.015)
            for _, i in ipairs { 1, 2, 5 } do assert.is_nil(results[i][1]) end
            same({ nil, "timeout", n = 2 }, results[3])
            same({ nil, "timeout", n = 2 }, results[4])
            same({ n = results[6].n }, results[6])
            linda:send("go", 1)
            lane:join(LIMIT)
        end)

        it("joins lanes and futures", function()
            local linda = lanes.linda()
            local lane = waits(linda, "lane")
            local failing = lanes.gen("*", function() error("on purpose", 0) end)()
            local pool = lanes.pool { workers = 2 }
            local future = pool:submit(function(x) return x:receive "future", nil end, linda)
            local failed = pool:submit(function() error("too", 0) end)
            local results = run(name, {
                function() return async.join(lane) end,
                function() return async.join(failing) end,
                function() return async.join(future) end,
                function() return async.join(failed) end,
                function() return async.join(future) end,
                function() linda:send("lane", 7) linda:send("future", 8) return async.join(lane, LIMIT) end,
            })
            same({ 7 }, results[1])
            same({ nil, "on purpose" }, { n = 2, unpack(results[2], 1, 2) })
            same({ "future", nil, n = 2 }, results[3])
            same({ nil, "too" }, { n = 2, unpack(results[4], 1, 2) })
            same({ "future", nil, n = 2 }, results[5])
            same({ 7 }, results[6])
            pool:close()
        end)

        it("selects", function()
            local linda, other = lanes.linda(), full()
            local lane = waits(linda, "go")
            local results = run(name, {
                function() return async.select({ lane }, { linda, "receive", "a", "b" }, { other, "send", "k", 5 }) end,
                function() async.sleep(0.01) linda:send("b", 1) end,
            })
            same({ 2, "b", 1 }, results[1])
            results = run(name, {
                function() return async.select({ lane }, { linda, "receive", "a", "b" }, { other, "send", "k", 5 }) end,
                function() async.sleep(0.01) other:receive "k" end,
            })
            same({ 3, "k" }, results[1])
            results = run(name, {
                function() return async.select(LIMIT, { lane }, { linda, "receive", "a", "b" }) end,
                function() async.sleep(0.01) linda:send("go", 1) end,
            })
            same({ 1, lane }, results[1])
        end)

        it("calls functions in pools, many at a time", function()
            local pool = lanes.pool { workers = 2, queue = 1 }
            local functions = {}
            for i = 1, 20 do
                functions[i] = function() return async.call(pool, function(x) return x * x, "more" end, i) end
            end
            functions[21] = function() return async.call(function(...) return select("#", ...), ... end, nil, 2, nil) end
            local results = run(name, functions)
            for i = 1, 20 do same({ i * i, "more" }, results[i]) end
            same({ 3, nil, 2, nil, n = 4 }, results[21])
            pool:close()
        end)

        it("passes cancel_error on: of a linda, and of a pool", function()
            local linda = lanes.linda()
            local pool = lanes.pool { workers = 1 }
            local results = run(name, {
                function() return async.receive(linda, "k") end,
                function() return async.select({ linda, "receive", "k" }) end,
                function() return async.join(pool:submit(function(x) x:receive "k" end, lanes.linda())) end,
                function() async.sleep(0.01) linda:cancel() pool:cancel() end,
            })
            same({ lanes.cancel_error }, results[1])
            same({ lanes.cancel_error }, results[2])
            assert.are.equal(0, results[3].n)
        end)

        it("ends a wait with cancel_error if its lane is asked to stop", function()
            local linda = lanes.linda()
            local lane = lanes.gen("*", function(x, which, drive)
                local lanes = require "lanes" -- luacheck: ignore
                local waiting = lanes.async[which]()
                local answers, left = {}, 3
                local function calling(i, ...)
                    local call, arguments = waiting[...], { select(2, ...) }
                    return function()
                        answers[i] = call((table.unpack or unpack)(arguments)) == lanes.cancel_error -- luacheck: ignore
                        left = left - 1
                    end
                end
                x:send("there", true)
                drive(require(which), {
                    calling(1, "receive", x, "k"), calling(2, "sleep", 1000), calling(3, "select", { x, "receive", "k" }),
                }, function() return left == 0 end)
                return answers[1], answers[2], answers[3]
            end)(linda, name, drivers[name])
            linda:receive(LIMIT, "there")
            lane:cancel("soft", 0)
            same({ true, true, true }, pack(lane:join(LIMIT)))
        end)

        it("raises errors of the calls, and those of tasks", function()
            local linda = lanes.linda()
            local function error_of(f, ...)
                local arguments = pack(...)
                return support.error_of(function()
                    f(unpack(arguments, 1, arguments.n))
                    return nil
                end)
            end
            local results = run(name, {
                function() return error_of(async.receive, linda, {}) end,
                function() return error_of(async.receive, linda) end,
                function() return error_of(async.send, linda, "k", coroutine.create(function() end)) end,
                function() return error_of(async.receive, linda, 0 / 0, "k") end,
                function() return error_of(async.join, 5) end,
                function() return error_of(async.sleep, "long") end,
                function() return error_of(async.select, 5, { linda, "receives", "k" }) end,
                function() return error_of(async.call, 5) end,
                function() return error_of(async.call, lanes.pool { workers = 1 }, 5) end,
                function() return error_of(async.receive, 5, "k") end,
            })
            for i = 1, #results do assert.matches("^spec/loops_spec.lua:%d+: ", results[i][1]) end
            for i, expected in ipairs {
                "bad argument #2 to 'receive' (invalid key type", "bad argument #2 to 'receive'", "coroutine",
                "number of seconds expected, got NaN", "a lane or a future expected, got number", "number of seconds expected, got string",
                "'receive' or 'send' expected", "a function expected", "a function expected",
                "bad argument #1 to 'receive' (a linda expected, got number)",
            } do
                support.contains(expected, results[i][1])
            end
        end)

        it("is refused outside of a coroutine of the loop", function()
            local linda = lanes.linda()
            raises("async.receive: ", async.receive, linda, "k")
            raises("async.send: ", async.send, linda, "k", 1)
            raises("async.sleep: ", async.sleep, 1)
            raises("async.join: ", async.join, waits(linda, "k"))
            raises("async.select: ", async.select, { linda, "receive", "k" })
            raises("async.call: ", async.call, function() end)
            assert.is_nil(linda:count "k")
            linda:cancel()
        end)
    end)
end

describe("lanes.async", function()
    it("names what a loop needs", function()
        raises("bad argument #1 to 'luv' (the module luv expected, got number)", lanes.async.luv, 5)
        local async = lanes.async
        for _, name in ipairs { "luv", "copas", "cqueues", "lgi" } do
            -- None can be found, wherever this machine has them.
            local module, path, cpath = package.loaded[name], package.path, package.cpath
            package.loaded[name], package.path, package.cpath = nil, "", ""
            local fine, failure = pcall(async[name])
            package.loaded[name], package.path, package.cpath = module, path, cpath
            assert.is_false(fine)
            support.contains(("module '%s' not found"):format(name), failure)
        end
    end)
end)
