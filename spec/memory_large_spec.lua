-- Memory that runs out where the library itself needs much of it at once, for which it has no reserve.
require "capi" -- builds deep_test, which scenarios use
local refusals = require "refusals"

describe("much memory that is not there", function()
    for _, name in ipairs(refusals.names "large") do
        it(name .. ", is an error that leaves everything as it was", function()
            assert.equal("fine\n", refusals.outcome(name))
        end)
    end
end)
