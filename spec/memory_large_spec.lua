-- Memory that runs out where the library itself needs much of it at once, for which it has no reserve.
local support = require "support"
require "capi" -- builds deep_test, which scenarios use
local refusals = require "refusals"

describe("much memory that is not there", function()
    for _, name in ipairs(refusals.names "large") do
        it(name .. ", is an error that leaves everything as it was", function()
            assert.equal("fine\n", support.output([[
                require "refusals".run(arg[1])
                print "fine"
            ]], { arguments = { name } }))
        end)
    end
end)
