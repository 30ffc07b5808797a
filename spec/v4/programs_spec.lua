-- Programs written for Lanes 4, one for each part of its interface (spec/v4/programs): they require "lanes" and nothing else, and do not
-- choose an interface. LANES_API does. Each prints what its comments after an arrow say.
local support = require "support"
local machine = require "machine"

local DIRECTORY = "spec/v4/programs/"

describe("with LANES_API = 4", function()
    for _, name in ipairs {
        "module", "configure", "generators", "lanes", "coroutines", "cancellation", "inside", "transfer", "lindas", "slots", "timers",
        "threads", "shutdown", "memory", "registered",
    } do
        it("the program " .. name .. " does what it says", function()
            local text = machine.read(DIRECTORY .. name .. ".lua")
            local expected = {}
            for line in text:gmatch "%-%-> ([^\n]*)" do expected[#expected + 1] = line end
            local result = support.run(text, { environment = { LANES_API = "4" } })
            assert.equal("", result.err)
            assert.equal(table.concat(expected, "\n") .. "\n", (result.out:gsub("[\t ]+", " ")))
            assert.equal(0, result.code)
        end)
    end

    it("those are all programs", function()
        local files = 0
        for _, name in ipairs(machine.names(DIRECTORY)) do
            if name:find "%.lua$" then files = files + 1 end
        end
        assert.equal(15, files)
    end)
end)
