-- Requests to lanes whose Lua code is called by a C library: by luv, which ends the process on an
-- error, and by cqueues, which does not.
local support = require "support"
local needs = require "needs"

local BEGIN = [[
    local lanes = require "lanes".configure { shutdown_timeout = 0.1 }
    local linda = lanes.linda()
    -- Starts a lane in a loop of luv that calls a function repeatedly, and waits until the function
    -- has been called.
    local function looping(callback, prepare)
        local lane = lanes.gen("*", function()
            if jit then jit.off() end
            if prepare then prepare() end
            local uv = require "luv"
            local lanes = require "lanes"
            local function loop()
                local timer = uv.new_timer()
                timer:start(0, 1, function()
                    linda:set("there", true)
                    callback(uv, lanes)
                end)
                uv.run()
            end
            if in_coroutine then
                assert(coroutine.resume(coroutine.create(loop)))
            elseif in_wrap then
                coroutine.wrap(loop)()
            else
                loop()
            end
            return "after the loop"
        end)()
        linda:receive("there")
        return lane
    end
]]

local callbacks = {
    ["does little"] = "function() end",
    ["waits"] = "function() linda:receive('never') end",
    ["waits for a time"] = "function() linda:receive(0.001, 'never') end",
    ["sleeps"] = "function(_, lanes) lanes.sleep(100) end",
    ["waits to send"] = "function() linda:limit('full', 0) linda:send('full', 1) end",
    ["waits for units of a lock"] = "function(_, lanes) local lock = lanes.genlock(linda, 'lock', 1) lock(1) lock(1) end",
    ["spins"] = "function() while true do end end",
    ["waits in a function that string.gsub calls"] = "function() local _ = ('x'):gsub('x', function() linda:receive('never') end) end",
    ["waits in a coroutine"] = "function() assert(coroutine.resume(coroutine.create(function() linda:receive('never') end))) end",
    ["waits in a coroutine made by wrap"] = "function() coroutine.wrap(function() linda:receive('never') end)() end",
    ["spins in a coroutine"] = "function() coroutine.wrap(function() while true do end end)() end",
}

local function available(name)
    return (pcall(require, name))
end

local function with(name, what, body)
    it(what, function()
        if not available(name) then return needs.pending(("need %s (the module), which is not there for this Lua"):format(name)) end
        body()
    end)
end

-- Runs a program that must end with code 0 and print nothing.
local function output(program, code)
    local result = support.run(BEGIN .. program)
    assert.equal("", result.err)
    assert.equal(code or 0, result.code)
    return result.out
end

describe("a lane in a callback of luv", function()
    for what, callback in pairs(callbacks) do
        for _, where in ipairs { "", "in_coroutine = true", "in_wrap = true" } do
            with("luv", ("that %s does not change how the program ends (%s)"):format(what, where), function()
                local prepare = ("function() %s end"):format(where)
                assert.equal("the end\n", output(([[looping(%s, %s) print "the end"]]):format(callback, prepare)))
                output(([[looping(%s, %s) os.exit(7, true)]]):format(callback, prepare), 7)
            end)
        end
        for _, request in ipairs { [["hard", 0.02]], [["hard", 0.02, true, 0.02]], [["count", 1, 0.02]], [["call", 1, 0.02]] } do
            with("luv", ("that %s is not ended by cancel(%s), nor is the process"):format(what, request), function()
                assert.equal("false\ttimeout\n", output(([[print(looping(%s):cancel(%s))]]):format(callback, request)))
            end)
        end
    end

    with("luv", "sees a hard request as the result of what waits, and can end its loop", function()
        assert.equal("true\tdone\nafter the loop\n", output [[
            local lane = looping(function(uv, lanes)
                local key = linda:receive("never")
                assert(key == lanes.cancel_error and cancel_test())
                assert(lanes.sleep(1) == lanes.cancel_error)
                linda:limit("full", 0)
                assert(linda:send("full", 1) == lanes.cancel_error)
                uv.stop()
            end)
            print(lane:cancel("hard", 60))
            print(lane[1])
        ]])
    end)

    with("luv", "is ended by a hard request as soon as its loop has ended", function()
        assert.equal("true\tcancelled\n", output [[
            local lane = lanes.gen("*", function()
                local uv = require "luv"
                uv.new_timer():start(0, 1, function()
                    linda:set("there", true)
                    if cancel_test() then uv.stop() end
                end)
                uv.run()
                linda:receive("never")
            end)()
            linda:receive("there")
            print(lane:cancel("hard", 60))
        ]])
    end)

    with("luv", "is reached by a request where it catches errors itself", function()
        -- On LuaJIT a hook is called at the next call, which may be that of a message handler.
        local handled = { pcall = { [["hard", 60]], [["count", 100, 60]] }, xpcall = { [["hard", 60]] } }
        if not jit then handled.xpcall = handled.pcall end
        for _, pcall in ipairs { "pcall(f)", "xpcall(f, function(...) return ... end)" } do
            for _, request in ipairs(handled[pcall:match "^%a+"]) do
                assert.equal("true\ttrue\n", output(([[
                    local lane = looping(function(uv, lanes)
                        local function f() linda:receive("never") end
                        local ok, err = %s
                        linda:set("caught", not ok and err == lanes.cancel_error)
                        uv.stop()
                    end)
                    print((lane:cancel(%s)), select(2, linda:get("caught")) or linda:get("caught"))
                ]]):format(pcall, request)))
            end
        end
    end)

    with("luv", "goes on to wait for a module that another lane loads", function()
        assert.equal("false\ttimeout\nloaded\n", output [[
            lanes.gen("*", function()
                package.preload.slow = function() linda:set("loading", true) linda:receive("go") end
                require "slow"
            end)()
            linda:receive("loading")
            local lane = looping(function(uv)
                package.preload.slow = function() return "loaded" end
                linda:set("module", (require "slow"))
                uv.stop()
            end)
            print(lane:cancel("hard", 0.02))
            linda:send("go", true)
            print((select(2, linda:receive("module"))))
        ]])
    end)
end)

describe("a function called by a function of Lua's own libraries", function()
    for what, code in pairs {
        ["string.gsub"] = "('x'):gsub('x', wait)",
        ["table.sort"] = "table.sort({ 1, 2, 3 }, wait)",
        ["require"] = "package.preload.waits = wait require 'waits'",
        ["load"] = "(loadstring or load)('local wait = ... wait()')(wait)",
        ["a metamethod"] = "local _ = setmetatable({}, { __index = wait }).x",
    } do
        for _, wait in ipairs { "linda:receive('never')", "while true do end" } do
            it(("is ended by a request: %s, %s"):format(what, wait), function()
                assert.equal("true\tcancelled\n", output(([[
                    local lane = lanes.gen("*", function()
                        if jit then jit.off() end
                        local function wait() linda:set("there", true) %s end
                        %s
                    end)()
                    linda:receive("there")
                    print(lane:cancel("hard", 0.01, true, 60))
                ]]):format(wait, code)))
            end)
        end
    end
end)

describe("a lane in a coroutine that cqueues has resumed", function()
    local program = [[
        local lane = lanes.gen("*", function()
            local queue = require "cqueues".new()
            queue:wrap(function() linda:set("there", true) linda:receive("never") end)
            local ok, err = queue:loop()
            linda:set("outcome", not ok)
        end)()
        linda:receive("there")
    ]]

    with("cqueues", "does not change how the program ends", function()
        assert.equal("the end\n", output(program .. [[print "the end"]]))
    end)

    with("cqueues", "is reached by a request", function()
        assert.equal("true\tdone\ttrue\n", output(program .. [[
            local ended, status = lane:cancel("hard", 60)
            print(ended, status, (select(2, linda:receive("outcome"))))
        ]]))
    end)
end)
