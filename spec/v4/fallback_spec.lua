-- The 4.x interface: pools, maps, supervisors and monitors in a program with the setting convert_fallback. It converts what the
-- program passes, and nothing else.
local support = require "support"

local VALUES = { ["require 'lanes'.null"] = "nil", ["'decay'"] = "userdata" }

for fallback, becomes in pairs(VALUES) do
    -- What a program prints. It has `kind`, which returns the type of a value, and `mixed`, a table with a metatable, which is not
    -- converted but has a plain table.
    local function output(program, libraries)
        return support.output(([[
            local lanes = require "lanes".configure { api = 4, convert_fallback = %s }
            local function kind(value) return type(value) end
            local function mixed() return setmetatable({ plain = {}, text = "t" }, { class = "mixed" }) end
            local function about(value) return type(value) .. " " .. type(value.plain) .. " " .. value.text end
            local limit, libraries = %d, %s
        ]]):format(fallback, support.LIMIT, libraries or "nil") .. program)
    end

    -- The text of what a plain table has become, in place of `X`.
    local function expected(text) return (text:gsub("X", becomes)) end

    describe("with convert_fallback = " .. fallback, function()
        for _, libraries in ipairs { "nil", "''" } do
            it("a pool runs tasks, with libraries " .. libraries, function()
                assert.equal(expected "true\t3\nX\ttable X t\nX\ttable X t\nnil\tbroken\nnil\tX\n", output([[
                    local pool = lanes.pool { workers = 2, libraries = libraries, name = "named", max_tasks = 3, queue = 4 }
                    print(pool:submit(function(a, b) return a + b end, 1, 2):join(limit))
                    local _, first, second = pool:submit(function(...) return ... end, {}, mixed()):join(limit)
                    print(kind(first), about(second))
                    _, first, second = pool:submit(function() return {}, mixed() end):join(limit)
                    print(kind(first), about(second))
                    print(select(2, pool:submit(function() error("broken", 0) end):join(limit)) and nil,
                        (select(2, pool:submit(function() error("broken", 0) end):join(limit))))
                    local fine, err = pool:submit(function() error({}) end):join(limit)
                    print(fine, kind(err))
                    assert(pool:close(limit))
                ]], libraries))
            end)
        end

        it("tasks use the pool that they are in", function()
            assert.equal("true\t1\t2\t6\n", output [[
                local pool = lanes.pool { workers = 2 }
                local future = pool:submit(function(pool)
                    local list = pool:map(function(x) return x + 1 end, { 0, 1, 5 })
                    return list[1], list[2], pool:submit(function(x) return x end, 6):join() and list[3]
                end, pool)
                print(future:join(limit))
            ]])
        end)

        it("a pool reports that init has failed", function()
            -- The error nil is a text on 5.5.
            local raised = becomes == "nil" and type(support.no_error) or becomes
            assert.equal("false\tpool: init failed: no\nfalse\t" .. raised .. "\n", output [[
                local function failing(value) return pcall(lanes.pool, { workers = 1, init = function() error(value, 0) end }) end
                print(failing "no")
                local fine, err = failing {}
                print(fine, kind(err))
            ]])
        end)

        for _, chunk in ipairs { 1, 4, "'auto'" } do
            it("maps convert items and results, in chunks of " .. chunk, function()
                assert.equal(expected "10\t2\t20\n10\tX\ttable X t\n3\tX\tX\n", output(([[
                    local options = { chunk = %s }
                    local list = {}
                    for i = 1, 10 do list[i] = i end
                    local results = lanes.map(list, function(x) return 2 * x end, options)
                    print(#results, results[1], results[10])
                    for i = 1, 10 do list[i] = i == 1 and {} or mixed() end
                    results = lanes.map(list, function(item) return type(item) == "table" and item or { item } end, options)
                    print(results.n, kind(results[1]), about(results[2]))
                    results = lanes.map({ 1, 2, 3 }, function(x)
                        if x == 2 then error({}) end
                        return {}
                    end, { chunk = %s, on_error = "return" })
                    print(results.n, kind(results[1]), kind(results.errors[2]))
                ]]):format(chunk, chunk)))
            end)

            it("imaps convert items and results, in chunks of " .. chunk, function()
                assert.equal(expected "1\ta\t10\n2\tb\t20\n1\tX\ttable X t\n2\tX\ttable X t\n", output(([[
                    local options = { chunk = %s }
                    local function pairs_of(list)
                        local i = 0
                        return function()
                            i = i + 1
                            if list[i] then return list[i], 10 * i end
                        end
                    end
                    for i, a, b in lanes.imap(pairs_of { "a", "b" }, function(a, b) return a, b end, options) do print(i, a, b) end
                    for i, a, b in lanes.imap({ mixed(), mixed() }, function(item) return {}, item end, options) do
                        print(i, kind(a), about(b))
                    end
                ]]):format(chunk)))
            end)
        end

        it("an item that cannot be passed is named", function()
            assert.equal("false\ttrue\tfalse\ttrue\n", output [[
                local thread = coroutine.create(function() end)
                local fine, text = pcall(lanes.map, { 1, setmetatable({ thread }, { class = "x" }), 3 }, function(x) return x end,
                    { chunk = 3 })
                io.write(tostring(fine), "\t", tostring(text:find("item 2", 1, true) ~= nil), "\t")
                local function failing(x) return x == 2 and coroutine.create(function() end) or x end
                fine, text = pcall(lanes.map, { 1, 2 }, failing, { chunk = 2 })
                print(fine, text:find("item 2", 1, true) ~= nil)
            ]])
        end)

        it("a supervisor starts children, starts them again, and says what they do", function()
            assert.equal(expected "X\ttable X t\nrunning\t1\nfalse\ttrue\n", output [[
                local linda = lanes.linda()
                local function start(linda, plain, mixed)
                    return require "lanes".gen("*", function(linda, plain, mixed)
                        linda:send("began", type(plain), type(mixed) .. " " .. type(mixed.plain) .. " " .. mixed.text)
                        if linda:receive("go", "fail") == "fail" then error("x", 0) end
                    end)(linda, plain, mixed)
                end
                local supervisor = lanes.supervise { { name = "child", start = start, args = { linda, {}, mixed(), n = 3 } } }
                print(select(2, linda:receive_batched(limit, "began", 2)))
                linda:send("fail", 1)
                linda:receive_batched(limit, "began", 2)
                local child = supervisor:which()[1]
                print(child.status, child.restarts)
                local fine, text = pcall(lanes.supervise, { { name = "bad", start = function() error("not today", 0) end } })
                print(fine, text:find("not today", 1, true) ~= nil)
                assert(supervisor:stop(limit))
            ]])
        end)

        it("the arguments of a child are still the program's table", function()
            assert.equal(expected "X\n", output [[
                local linda, args = lanes.linda(), { 1 }
                local supervisor = lanes.supervise { { name = "child", args = args, start = require "lanes".gen("*", function() end) } }
                supervisor:stop(limit)
                linda:send("slot", args)
                print(kind(select(2, linda:receive(0, "slot"))))
            ]])
        end)

        it("monitors and on_error get their tables", function()
            assert.equal(expected "done\tnil\tnil\nerror\tx\ttable\nerror\tX\ttable\n", output [[
                local linda = lanes.linda()
                local function ended(f)
                    local lane = lanes.gen("*", { error_trace_level = "basic" }, f)()
                    lane:monitor(linda, "ended")
                    lane:join()
                    local _, event = linda:receive(limit, "ended")
                    local err = event.err
                    print(event.status, type(err) == "string" and err or kind(err), kind(event.trace))
                end
                ended(function() end)
                ended(function() error("x", 0) end)
                ended(function() error({}) end)
            ]])
        end)
    end)
end
