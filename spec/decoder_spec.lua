-- The decoder of messages accepts any bytes: messages with randomly changed bytes give values or a
-- clear error. Environment: LANES_DECODER_SEED is the first case, LANES_DECODER_SECONDS the
-- duration (default 5), LANES_DECODER_CASES the number of cases per interpreter.
local support = require "support"
local needs = require "needs"
require "capi" -- builds the module deep_test

local it = needs.hooks(it)

local seconds = tonumber(os.getenv "LANES_DECODER_SECONDS") or os.getenv "LANES_SPEC_SHORT" and 0 or 5
local cases = tonumber(os.getenv "LANES_DECODER_CASES") or os.getenv "LANES_SPEC_SHORT" and 300 or 5000
local first = math.floor(tonumber(os.getenv "LANES_DECODER_SEED") or os.time() % 1000000 * 1000)

describe("the decoder of messages", function()
    it("returns values or an error for randomly changed messages", function()
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
