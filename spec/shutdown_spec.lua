-- The end of the program while lanes run.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

-- The beginning of most programs here: `launch(body, ...)` starts a lane and returns once it waits,
-- or once it has called `linda:set("ready", true)`. Lanes get a second request after half of the
-- shutdown_timeout. Here that is so long that a program counts as hanging before, so the first
-- request must suffice.
local BEGIN = [[
    local lanes = require "lanes".configure { shutdown_timeout = tonumber(arg[1]) or 100000 }
    local linda = lanes.linda()
    local cancel_error = lanes.cancel_error
    local function launch(body, ...)
        local handle = lanes.gen("*", body)(...)
        while handle.status ~= "waiting" and not linda:get("ready") do lanes.sleep(0.001) end
        return handle
    end
]]

-- Runs a program that must end with code 0 and nothing on standard error. Returns its output.
local function ends(program, shutdown_timeout)
    return support.output(BEGIN .. program, { arguments = { shutdown_timeout }, timeout = 30 })
end

describe("at the end of the program", function()
    it("lanes that wait on a linda run their finalizers with cancel_error", function()
        assert.equal("finalizer true\n", ends [[
            handle = launch(function()
                set_finalizer(function(err) io.stdout:write("finalizer ", tostring(err == cancel_error), "\n") end)
                linda:receive("never")
            end)
        ]])
    end)

    it("so do those whose handle was collected", function()
        assert.equal("finalizer true\n", ends [[
            launch(function()
                set_finalizer(function(err) io.stdout:write("finalizer ", tostring(err == cancel_error), "\n") end)
                linda:receive("never")
            end)
        ]])
    end)

    it("lanes that sleep end", function()
        assert.equal("finalizer\n", ends [[
            handle = launch(function()
                set_finalizer(function() io.stdout:write("finalizer\n") end)
                require "lanes".sleep(1000)
            end)
        ]])
    end)

    it("lanes that poll cancel_test end by themselves", function()
        assert.equal("noticed\n", ends [[
            handle = launch(function()
                linda:set("ready", true)
                repeat until cancel_test()
                io.stdout:write("noticed\n")
            end)
        ]])
    end)

    it("lanes that were launched by ended lanes end too", function()
        assert.equal("finalizer\n", ends [[
            launch(function()
                require "lanes".gen("*", function()
                    set_finalizer(function() io.stdout:write("finalizer\n") end)
                    linda:set("ready", true)
                    linda:receive("never")
                end)()
            end)
            while not linda:get("ready") do lanes.sleep(0.001) end
        ]])
    end)

    it("gc_cb is called for lanes that still run", function()
        assert.equal("<unnamed>\tselfdestruct\n", ends [[
            handle = lanes.gen("*", { gc_cb = print }, function() linda:receive("never") end)()
        ]])
    end)

    it("objects made after lanes was configured may still use lindas in their finalizers", function()
        assert.equal("k\t5\n", ends [[
            local function finalize()
                linda:send("k", 5)
                print(linda:receive(0, "k"))
            end
            if newproxy then
                object = newproxy(true)
                getmetatable(object).__gc = finalize
            else
                object = setmetatable({}, { __gc = finalize })
            end
        ]])
    end)

    it("objects made before lanes was configured get a result or an error, never a crash", function()
        for _, use in ipairs {
            "linda:send('k', 5)", "linda:receive(0, 'k')", "linda:set('k', {})", "linda:get('k')", "linda:count()",
            "linda:dump()", "linda:limit('k', 1)", "linda:cancel()", "tostring(linda)", "lanes.linda()",
            "lanes.sleep(0.001)", "lanes.gen('*', function() end)()", "handle:join(0)", "handle:cancel()",
            "handle[1]", "handle.status", "handle:get_debug_threadname()", "lanes.now_secs()", "lanes.nameof(print)",
            "lanes.timer(linda, 'k', 1)", "lanes.timers()", "waiting:cancel('hard', 1)", "waiting:join(0.01)",
        } do
            local out = support.output(([[
                local lanes, linda, handle, waiting
                local function finalize()
                    pcall(function() local result = %s return result end)
                    io.stdout:write("finalized\n")
                end
                if newproxy then
                    object = newproxy(true)
                    getmetatable(object).__gc = finalize
                else
                    object = setmetatable({}, { __gc = finalize })
                end
                lanes = require "lanes".configure { shutdown_timeout = 100000 }
                linda = lanes.linda()
                handle = lanes.gen("*", function() return 1 end)()
                handle:join()
                waiting = lanes.gen("*", function() linda:receive("never") end)()
            ]]):format(use), { timeout = 30 })
            assert.equal("finalized\n", out, use)
        end
    end)

    it("a hundred waiting lanes end", function()
        assert.equal("", ends [[
            for i = 1, 100 do lanes.gen("*", function() linda:receive("never") end)() end
        ]])
    end)

    it("a lane that launches lanes endlessly ends", function()
        assert.equal("", ends [[
            launch(function()
                local generator = require "lanes".gen("*", function() linda:receive("never") end)
                linda:set("ready", true)
                while not cancel_test() do generator():join(0.001) end
            end)
        ]])
    end)

    it("a shutdown_timeout of 0 is allowed", function()
        for _ = 1, 5 do
            assert.equal("", ends([[
                launch(function() linda:receive("never") end)
                launch(function() linda:set("ready", true) repeat until cancel_test() end)
            ]], 0))
        end
    end)

    it("messages that were not received have no effect", function()
        assert.equal("", ends [[
            linda:send("k", { linda }, function() return linda end, ("x"):rep(100000))
            local other = lanes.linda()
            other:send("k", linda, other)
        ]])
    end)

    it("pending timers have no effect", function()
        assert.equal("", ends [[
            lanes.timer(linda, "k", 1000)
            lanes.timer(linda, "tick", 0.001, 0.001)
            linda:receive("tick")
        ]])
    end)
end)

describe("the program ends within its shutdown_timeout", function()
    local lanes_that_do_not_listen = {
        ["spin in Lua"] = [[while true do end]],
        ["spin in Lua, calling functions"] = [[
            local function step(i) return tostring(i) end
            local i = 0
            while true do i = i + 1 step(i) end
        ]],
        ["spin under pcall"] = [[while true do pcall(function() while true do end end) end]],
        ["swallow the cancellation"] = [[while true do pcall(linda.receive, linda, "never") end]],
        ["spin in a coroutine"] = [[coroutine.wrap(function() while true do end end)()]],
        ["spin in a finalizer"] = [[
            set_finalizer(function() while true do end end)
            linda:receive("never")
        ]],
        ["are blocked in a C call"] = [[
            os.execute(require "machine".endless())
        ]],
        ["wait for another lane"] = [[
            local inner = require "lanes".gen("*", function() while true do end end)()
            inner:join()
        ]],
        ["grow memory"] = [[
            local list = {}
            while true do
                list[#list % 10000 + 1] = { tostring(#list) }
            end
        ]],
        ["make lindas and send"] = [[
            while true do
                local other = require "lanes".linda()
                pcall(other.send, other, "k", other)
            end
        ]],
    }
    for what, body in pairs(lanes_that_do_not_listen) do
        it("though lanes " .. what, function()
            assert.equal("end\n", ends(([[
                launch(function()
                    linda:set("ready", true)
                    %s
                end)
                print("end")
            ]]):format(body), 0.1))
        end)
    end
end)

describe("the exit code", function()
    local function code(program)
        local result = support.run(BEGIN .. [[
            handle = launch(function() linda:receive("never") end)
            launch(function() linda:set("ready", true) while true do end end)
        ]] .. program, { arguments = { "0.1" }, timeout = 30 })
        return result.code, result.err
    end

    it("is 0 after the last line", function()
        assert.same({ 0, "" }, { code "" })
    end)

    it("is 1 after an error, which is reported", function()
        local exit_code, err = code "error('the top level fails')"
        assert.equal(1, exit_code)
        support.reports("the top level fails", err)
    end)

    it("is that of os.exit", function()
        assert.same({ 7, "" }, { code "os.exit(7)" })
        assert.same({ 0, "" }, { code "os.exit(0)" })
        assert.same({ 0, "" }, { code "os.exit()" })
    end)

    if support.lua ~= "5.1" then
        it("is that of os.exit when it closes the state", function()
            assert.same({ 7, "" }, { code "os.exit(7, true)" })
            assert.same({ 0, "" }, { code "os.exit(0, true)" })
        end)
    end

    it("is that of os.exit inside a coroutine", function()
        assert.same({ 7, "" }, { code "coroutine.wrap(function() os.exit(7) end)()" })
    end)
end)

describe("os.exit without closing the state", function()
    it("runs no finalizers", function()
        assert.equal("", ends [[
            launch(function()
                set_finalizer(function() io.stdout:write("finalizer\n") end)
                linda:receive("never")
            end)
            os.exit(0)
        ]])
    end)

    -- The main state waits for ever, so it does not end the program.
    local function code_of(body)
        local result = support.run(BEGIN .. "lanes.gen('*', function() " .. body .. " end)()\nlinda:receive('never')", { timeout = 30 })
        return { result.code, result.err }
    end

    it("ends the program when a lane calls it", function()
        assert.same({ 7, "" }, code_of "os.exit(7)")
        assert.same({ 7, "" }, code_of "os.exit(7, true)")
        assert.same({ 7, "" }, code_of "coroutine.wrap(function() os.exit(7) end)()")
        assert.same({ 7, "" }, code_of "set_finalizer(function() os.exit(7) end)")
    end)

    it("ends the program when it is called by the __gc of an object of an ended lane", function()
        for _, call in ipairs { "os.exit(7)", "os.exit(7, true)" } do
            assert.same({ 7, "" }, code_of(([[
                if newproxy then
                    getmetatable(newproxy(true)).__gc = function() %s end
                else
                    setmetatable({}, { __gc = function() %s end })
                end
            ]]):format(call, call)))
        end
    end)
end)

describe("a program that only loads lanes", function()
    it("ends", function()
        assert.equal("", support.output [[require "lanes"]])
        assert.equal("", support.output [[require "lanes".configure()]])
        assert.equal("", support.output [[require "lanes.core"]])
    end)
end)

describe("the end of the program", function()
    it("comes every time", function()
        for _ = 1, 20 do
            assert.equal("end\n", ends [[
                local generator = lanes.gen("*", function(i)
                    if i % 3 == 0 then linda:receive("never") end
                    if i % 3 == 1 then repeat until cancel_test() end
                end)
                for i = 1, 12 do generator(i) end
                lanes.timer(linda, "tick", 0.001, 0.001)
                print("end")
            ]])
        end
    end)
end)
