-- A short selection of all specs, for slow tools such as valgrind: every public function, running
-- out of memory at some of its allocations, in the main state and in lanes; and a program that ends
-- while lanes run.
--
-- Each run takes a different part of the scenarios. Environment: LANES_SPEC_FULL runs all of them.
local support = require "support"
local needs = require "needs"
require "capi" -- builds deep_test, which scenarios use

describe("a selection of all specs", function()
    needs.hooks(it)("runs every scenario, with refused allocations", function()
        assert.equal("fine\n", support.output([[
            local refusals = require "refusals"
            local every = os.getenv "LANES_SPEC_FULL" and 1 or 40
            local first = os.time() % every
            for i, name in ipairs(refusals.names()) do
                if i % every == first then refusals.run(name) end
            end
            print "fine"
        ]], { timeout = 900, warning = require("refusals").WARNING }))
    end)

    it("ends while lanes wait, run and start", function()
        assert.equal("fine\n", support.output([[
            local lanes = require "lanes".configure { shutdown_timeout = 100000 }
            local linda = lanes.linda()
            local body = lanes.gen("*", function(what)
                if what == "wait" then linda:receive "never" end
                if what == "send" then linda:send("full", {}) end
                while what == "run" and not cancel_test() do end
            end)
            linda:limit("full", 0)
            linda:send("kept", { linda, function() return linda end })
            lanes.timer(linda, "tick", 1000, 1)
            for _, what in ipairs { "wait", "send", "run", "nothing" } do body(what) end
            print "fine"
        ]], { timeout = 300 }))
    end)
end)
