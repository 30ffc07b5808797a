-- Memory that runs out where the library itself needs much of it at once, for which it has no reserve.
require "capi" -- builds deep_test, which scenarios use
local refusals = require "refusals"
local support = require "support"

describe("much memory that is not there", function()
    for _, name in ipairs(refusals.names "large") do
        it(name .. ", is an error that leaves everything as it was", function()
            assert.equal("fine\n", refusals.outcome(name))
        end)
    end

    it("does not keep a batch from going back to its slot", function()
        assert.equal("false\tnot enough memory\t7000\n", support.output [[
            local lanes = require "lanes"
            local hooks = require "lanes_core".hooks
            local linda = lanes.linda()
            for i = 1, 7000 do linda:send("key", i) end
            -- The library gets the memory for the batch, and then no more; the state none for the values.
            hooks.refuse_in_library(2, 1e9, 128 * 1024 + 1)
            local ok, _, problem = hooks.refuse(1, 1e9, function() return linda:receive(0, linda.batched, "key", 7000) end)
            hooks.refuse_in_library()
            print(ok, problem, linda:count "key")
            for i = 1, 7000 do assert(select(2, linda:receive(0, "key")) == i) end
        ]])
    end)
end)
