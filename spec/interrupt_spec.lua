-- Ctrl-C in the stock interpreter while the main state waits: the wait ends with the usual error.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

-- The beginning of the programs. `interrupt()` has a signal sent to this process as soon as its
-- first thread sleeps (the shell's parent is this process), or after a moment if the system does
-- not tell when it sleeps.
local BEGIN = [[
    -- Nothing but Ctrl-C can end these waits, so each is a deadlock.
    local lanes = require "lanes".configure { shutdown_timeout = 100000, on_deadlock = false }
    local linda = lanes.linda()
    local waiting = lanes.gen("*", function() linda:receive("never") end)()
    while waiting.status ~= "waiting" do lanes.sleep(0.001) end
    local function interrupt()
        local machine = require "machine"
        if not machine.tells or machine.emulated then
            shell = machine.windows and machine.signaller() "INT" or io.popen "sleep 0.5; kill -INT $PPID"
            return
        end
        shell = io.popen [=[
            sleep 0.02
            while ! grep -q '^State:.S' /proc/$PPID/task/$PPID/status; do sleep 0.01; done
            kill -INT $PPID
        ]=]
    end
]]

-- Waits that would never end.
local waits = {
    ["join"] = "waiting:join()",
    ["join with a timeout"] = "waiting:join(1000)",
    ["indexing a handle"] = "local _ = waiting[1]",
    ["receive"] = "linda:receive('k')",
    ["receive with a timeout"] = "linda:receive(1000, 'k', 'l')",
    ["a batched receive"] = "linda:receive(linda.batched, 'k', 2)",
    ["send"] = "linda:send('full', 1)",
    ["send with a timeout"] = "linda:send(1000, 'full', 1)",
    ["sleep"] = "lanes.sleep(1000)",
    ["cancel"] = "waiting:cancel('soft', 1000)",
    ["a lock"] = "lock(1)",
    ["giving back to a lock what was not taken"] = "lanes.genlock(linda, 'other', 2)(-2)",
    ["require"] = "require 'module that waits'",
    ["a launch that loads a module"] = "lanes.gen('*', { required = { 'module that waits' } }, function() end)()",
}

-- Runs a program that is interrupted, and must end as the interpreter does in this case.
local function interrupted(program)
    local result = support.run(BEGIN .. program, { timeout = 60 })
    support.reports("interrupted!", result.err)
    assert.equal("", result.out)
    assert.equal(1, result.code)
    return result
end

describe("Ctrl-C", function()
    for what, wait in pairs(waits) do
        it("ends " .. what, function()
            interrupted(([[
                linda:limit("full", 0)
                local lock = lanes.genlock(linda, "lock", 1)
                lock(1)
                package.preload["module that waits"] = function() linda:receive("never") end
                interrupt()
                %s
                print("the wait ended")
            ]]):format(wait))
        end)

        it("ends " .. what .. " in a coroutine", function()
            local result = support.run(BEGIN .. ([[
                linda:limit("full", 0)
                local lock = lanes.genlock(linda, "lock", 1)
                lock(1)
                package.preload["module that waits"] = function() linda:receive("never") end
                interrupt()
                print(coroutine.resume(coroutine.create(function()
                    %s
                    print("the wait ended")
                end)))
            ]]):format(wait), { timeout = 60 })
            support.contains("interrupted!", result.out .. result.err)
            assert.is_nil(result.out:find("the wait ended", 1, true))
        end)
    end

    it("ends a lock of units that no other lane gives back", function()
        interrupted [[
            local lock = lanes.genlock(linda, "lock", 2)
            lanes.gen("*", function() lock(2) end)():join()
            interrupt()
            lock(1)
        ]]
    end)

    for what, wrap in pairs { ["require"] = "%s", ["require in a coroutine"] = "coroutine.wrap(function() %s end)()" } do
        it("ends " .. what .. " while another lane loads a module", function()
            local result = interrupted([[
                local loading = lanes.gen("*", function()
                    package.preload.slow = function() linda:receive("never") end
                    require "slow"
                end)()
                while loading.status ~= "waiting" do lanes.sleep(0.001) end
                package.preload.slow = function() print("loaded") end
                interrupt()
                ]] .. wrap:format([[require "slow"]]))
            assert.is_nil(result.out:find("loaded", 1, true))
        end)
    end

    it("loses no value of the wait that it ends, and is an ordinary error", function()
        assert.equal("false\ttrue\n0\t1\nfirst\nlast\tnil\n", support.output(BEGIN .. [[
            linda:limit("full", 1)
            linda:send("full", "first")
            interrupt()
            local ok, message = pcall(linda.send, linda, "full", "second")
            print(ok, message:find("interrupted!", 1, true) ~= nil)
            print(linda:count("k") or 0, linda:count("full"))
            print((select(2, linda:receive("full"))))
            linda:send("full", "last")
            print(select(2, linda:receive("full")), (linda:receive(0, "full")))
        ]]))
    end)

    it("is not confused with a debug hook of the program, which ends no wait", function()
        assert.equal("true\tthe value\n", support.output(BEGIN .. [[
            local main_sleeps = require "support".main_sleeps
            lanes.gen("*", function()
                linda:receive("hook")
                repeat until main_sleeps()
                linda:send("k", "the value")
            end)()
            local calls = 0
            debug.sethook(function() calls = calls + 1 end, "cr", 1)
            lanes.sleep(0.05)
            linda:send("hook", "is set")
            local _, value = linda:receive("k")
            debug.sethook()
            print(calls > 0, value)
        ]]))
    end)
end)
