-- Test programs of other people's modules, unmodified: several lanes run each of them at once, and print what it prints alone.
local support = require "support"
local machine = require "machine"
local others = require "others.environment"

-- What differs from run to run: times, addresses.
local function normalised(text)
    return (text:gsub("%d+%.%d+s? ?s?e?c?o?n?d?s?", "TIME"):gsub("0x%x+", "ADDRESS"):gsub("%d+e%-%d+", "TIME"))
end

-- The programs that keep to their own state, and write no files.
-- The package with its sources, the module, the directory, the test program, and a part of what it prints at its end.
local programs = {
    { "lua-lpeg", "lpeg", "", "test.lua", "\nOK\n" },
    { "luasocket", "socket", "test", "urltest.lua", "the library passed all tests\n" },
    { "luasocket", "ltn12", "test", "ltn12test.lua", "testing filter.chain (and source.chain, a bunch): ok\n" },
    { "luasocket", "socket", "test", "excepttest.lua", "OK\n" },
}

for _, program in ipairs(programs) do
    local name, module, directory, file, expected = program[1], program[2], program[3], program[4], program[5]
    describe("the tests of " .. name .. ", " .. file, function()
        others.needed(name, module, it)("print in three lanes at once what they print alone", function()
            local options = { directory = others.sources(name) .. "/" .. directory }
            local alone = others.run({ file }, options)
            assert.equal("", alone.err)
            support.contains(expected, alone.out)
            for _, lane in ipairs(others.in_lanes({ { file }, { file }, { file } }, options)) do
                assert.equal(tostring(alone.code), lane.status)
                assert.is_true(normalised(alone.out) == normalised(lane.out), lane.out:sub(-500))
            end
        end)
    end)
end

-- busted's totals.
local function totals(text)
    return text:match "(%d+) success%S* / (%d+) failures? / (%d+) errors?"
end

-- Runs busted for files, each in a lane of its own, and in one process; returns the results of the lanes and the sums of both.
local function busted(files, directory)
    local options = { directory = directory }
    local program = machine.temporary()
    support.write(program, "require 'busted.runner'({ standalone = false })\n")
    local words, lanes = { program, "--output=plainTerminal" }, {}
    for i, file in ipairs(files) do
        words[#words + 1] = file
        lanes[i] = { program, "--output=plainTerminal", file }
    end
    local alone, results = others.run(words, options), others.in_lanes(lanes, options)
    os.remove(program)
    local sums = { 0, 0, 0 }
    for _, lane in ipairs(results) do
        local counts = { totals(lane.out) }
        assert.equal(3, #counts, lane.out)
        for i = 1, 3 do sums[i] = sums[i] + tonumber(counts[i]) end
    end
    return results, sums, { totals(alone.out) }
end

-- The directory of specs of a package, and their names.
local function specs(name)
    local directory = others.sources(name) .. "/spec/"
    local files = {}
    for _, file in ipairs(machine.names(directory)) do
        if file:find "_spec%.lua$" then files[#files + 1] = directory .. file end
    end
    return files
end

for name, least in pairs { ["lua-argparse"] = 170, ["lua-luassert"] = 200 } do
    describe("busted in lanes", function()
        others.needed(name, "busted.runner", it)("runs all specs of " .. name .. ", each file in a lane", function()
            local results, sums, alone = busted(specs(name), others.sources(name))
            for i = 1, 3 do assert.equal(alone[i], tostring(sums[i])) end
            assert.is_true(sums[1] >= least)
            -- Some specs do not know yet that an error of nil becomes a text on 5.5.
            if support.lua == "5.5" then return end
            for _, lane in ipairs(results) do assert.equal("0", lane.status, lane.out) end
        end)
    end)
end

describe("busted in lanes", function()
    others.module("busted.runner", "busted", it)("tells of failures and errors as in a process", function()
        local directory = support.directory {
            ["good_spec.lua"] = "it('holds', function() assert.equal(4, 2 + 2) end)",
            ["failing_spec.lua"] = "it('fails', function() assert.equal(5, 2 + 2) end) it('holds', function() end)",
            ["broken_spec.lua"] = "it('is never closed', function()",
            ["raising_spec.lua"] = "it('raises', function() error('on purpose') end)",
        }
        local files = {}
        for i, name in ipairs { "good", "failing", "broken", "raising" } do files[i] = directory .. "/" .. name .. "_spec.lua" end
        local results, sums, alone = busted(files, directory)
        support.remove_directory(directory)
        assert.are.same({ 2, 1, 2 }, sums)
        assert.are.same({ "2", "1", "2" }, alone)
        assert.equal("0", results[1].status)
        support.contains("Expected objects to be equal", results[2].out)
        support.contains("'end' expected", results[3].out)
        support.contains("on purpose", results[4].out)
        -- In a program of its own, busted ends it by an error without a value on 5.1 and 5.2.
        for i = 2, 4 do assert.not_equal("0", results[i].status) end
    end)
end)
