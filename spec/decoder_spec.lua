-- The decoder of messages survives anything: bytes that an encoder made, changed at random, give values or an error in words.
-- LANES_DECODER_SEED says which case is the first, LANES_DECODER_SECONDS for how long (default 5), LANES_DECODER_CASES how many
-- cases one interpreter runs.
local support = require "support"
local needs = require "needs"
require "capi" -- builds the module deep_test

local it = needs.hooks(it)

local seconds = tonumber(os.getenv "LANES_DECODER_SECONDS") or os.getenv "LANES_SPEC_SHORT" and 0 or 5
local cases = tonumber(os.getenv "LANES_DECODER_CASES") or os.getenv "LANES_SPEC_SHORT" and 300 or 5000
local first = math.floor(tonumber(os.getenv "LANES_DECODER_SEED") or os.time() % 1000000 * 1000)

describe("the decoder of messages", function()
    it("gives values or an error for messages that were changed at random", function()
        print(("decoder_spec: LANES_DECODER_SEED=%d"):format(first))
        local program = support.read "spec/decoder/program.lua"
        local seed, decoded, refused = first, 0, 0
        local begin = os.time()
        repeat
            local result = support.run(program, { arguments = { ("%d"):format(seed), ("%d"):format(cases) }, timeout = 300 })
            if result.code ~= 0 or result.err ~= "" then
                error(("LANES_DECODER_SEED=%d LANES_DECODER_CASES=%d: the program ended with code %d and this on standard error:\n%s")
                    :format(seed, cases, result.code, result.err))
            end
            local good, bad = result.out:match "^(%d+) decoded, (%d+) refused\n$"
            decoded, refused, seed = decoded + good, refused + bad, seed + cases
        until os.time() - begin >= seconds
        print(("decoder_spec: %d messages decoded, %d refused"):format(decoded, refused))
        assert.is_true(decoded > 0 and refused > 0)
    end)
end)
