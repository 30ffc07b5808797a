-- The 4.x interface: lanes.finally, and the stages in which lanes are asked to stop.
local support = require "support"
if support.apart(describe, it) then return end
local assert, describe, it, _ENV = support.plain(assert, describe, it)

-- Runs a program with the interface, and returns what it printed.
local function output(program)
    return support.output("local lanes = require 'lanes'.configure{ api = 4, shutdown_timeout = 1 }\n" .. program)
end

describe("lanes.finally", function()
    it("checks its argument", function()
        support.contains("finalizer should be a function", output "print(pcall(lanes.finally, 5))")
        support.contains("too many arguments", output "print(pcall(lanes.finally, print, 1))")
        support.contains("lanes.finally called from inside a lane", output [[
            print(lanes.gen("*", function() require "lanes".finally(nil) end)():join())
        ]])
    end)

    it("is called with true where all lanes have ended", function()
        assert.equal("end\ttrue\n", output "lanes.finally(function(all) print('end', all) end)")
    end)

    it("calls the last function, or none", function()
        assert.equal("two\n", output [[
            lanes.finally(function() print "one" end)
            lanes.finally(function() lanes.finally(nil) print "two" end)
        ]])
        assert.equal("", output [[
            lanes.finally(function() print "one" end)
            lanes.finally()
        ]])
    end)

    it("may use lindas, and lanes", function()
        assert.equal("slot\t5\ntrue\t7\n", output [[
            lanes.finally(function()
                local linda = lanes.linda()
                linda:send("slot", 5)
                print(linda:receive "slot")
                print(lanes.gen(function() return 7 end)():join())
            end)
        ]])
    end)

    for stage, body in pairs {
        soft = "while not cancel_test() do end",
        hard = "pcall(require 'lanes'.sleep) pcall(require 'lanes'.sleep)",
        hooks = "if jit then jit.off() end while true do end",
    } do
        it("is called with true after lanes that end by the stage " .. stage, function()
            assert.equal("end\ttrue\n", output(([[
                local linda = lanes.linda()
                lanes.gen("*", function(to) if jit then jit.off() end to:send("begun", true) %s end)(linda)
                linda:receive "begun"
                lanes.finally(function(all) print('end', all) end)
            ]]):format(body)))
        end)
    end

    it("is called after lanes that were launched by lanes which had been asked", function()
        assert.equal("end\ttrue\n", support.output [[
            local lanes = require "lanes".configure{ api = 4, shutdown_timeout = 3600 }
            local linda = lanes.linda()
            lanes.gen("*", function(x)
                if jit then jit.off() end
                x:send("begun", true)
                while not cancel_test() do end
                local inner = require "lanes".coro("*", function(y) y:receive "never" coroutine.yield() end)(x)
                pcall(inner.resume, inner)
                require "lanes".gen("*", function(y) y:receive "never" end)(x):join()
            end)(linda)
            linda:receive "begun"
            lanes.finally(function(all) print("end", all) end)
        ]])
    end)

    it("may use lanes although those of before were asked", function()
        assert.equal("end\ttrue\ntrue\tslot\t5\n", output [[
            lanes.gen("*", function() require "lanes".sleep() end)()
            lanes.finally(function(all)
                print("end", all)
                local linda = lanes.linda()
                local lane = lanes.gen("*", function(x) return x:receive "slot" end)(linda)
                while lane.status ~= "waiting" do lanes.sleep(0.001) end
                linda:send("slot", 5)
                print(lane:join())
            end)
        ]])
    end)

    it("is called with false where a lane does not end", function()
        local result = support.run [[
            local lanes = require 'lanes'.configure{ api = 4, shutdown_timeout = 0.05 }
            local linda = lanes.linda()
            lanes.gen("*", function(to)
                if jit then jit.off() end
                to:send("begun", true)
                while true do pcall(function() while true do end end) end
            end)(linda)
            linda:receive "begun"
            lanes.finally(function(all) print('end', all) io.stdout:flush() end)
        ]]
        assert.equal("end\tfalse\n", result.out)
    end)

    it("may fail", function()
        support.contains("before\n", support.run([[
            local lanes = require 'lanes'.configure{ api = 4 }
            lanes.finally(error)
            print "before"
        ]]).out)
    end)
end)
