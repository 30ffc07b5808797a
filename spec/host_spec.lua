-- A host program in C that opens and closes states which use lanes. LANES_CYCLES is their number
-- (default 1000).
local support = require "support"
local needs = require "needs"
local host = require "host"

local it = host.needed(it)

-- Runs a mode of the host, which must succeed and write nothing to standard error. Returns its
-- output.
local function output(...)
    local result = host.run(170, ...)
    if result.code ~= 0 or result.err ~= "" then
        error(("the host ended with code %d and this on standard error:\n%s"):format(result.code, result.err), 2)
    end
    return result.out
end

describe("a host in C", function()
    it("opens and closes states with lanes running, without growing", function()
        local count = tonumber(os.getenv "LANES_CYCLES") or 1000
        support.contains(count .. " states: memory ", output("cycles", count))
    end)

    it("opens several universes and closes them in any order", function()
        assert.equal("90 universes, closed in every order\n", output "universes")
    end)

    it("uses lanes on several of its own threads", function()
        assert.equal("100 states on 4 threads\n", output "threads")
    end)

    it("prepares lanes with a C function", function()
        assert.equal("lanes are prepared by C functions\n", output "on_state_create")
    end)

    it("has objects older than the universe whose finalizers use Lanes", function()
        support.contains("25 objects finalized", output "old_objects")
    end)

    needs.posix("fork", it)("forks, and the child launches lanes", function()
        assert.equal("a child has lanes of its own\n", output "fork")
    end)

    local given_back = "30 states, every byte given back, one thread at a time\n"

    it("does not share its allocator by default", function()
        assert.equal(given_back, output "allocator")
    end)

    it("continues beside lanes that did not end with their universe", function()
        assert.equal("lanes that do not listen do no harm\n", output "deaf")
    end)

    it("shares its allocator with lanes, one thread at a time", function()
        assert.equal(given_back, output("allocator", "protected"))
    end)
end)
