-- luacheck, unmodified: its option -j checks files in lanes. What it prints and how it ends must be as with one job.
local support = require "support"
local machine = require "machine"
local others = require "others.environment"

local it = others.module("luacheck", "luacheck", it)

-- The program /usr/bin/luacheck; and one that maps a failing function as luacheck maps its checks.
local luacheck, failing
local directory

before_each(function()
    luacheck, failing = machine.temporary(), machine.temporary()
    support.write(luacheck, 'require "luacheck.main"\n')
    support.write(failing, [[
        local multithreading, utils = require "luacheck.multithreading", require "luacheck.utils"
        local ok, err = utils.try(multithreading.pmap, function(x)
            if x == 2 then error("item " .. x .. " on purpose") end
            return x
        end, { 1, 2, 3, 4 }, tonumber(arg[1]))
        print(ok, (tostring(err):match "[^\n]*"))
    ]])
    directory = support.directory {
        ["clean.lua"] = "return 1\n",
        ["warnings.lua"] = "local unused = 1\nx = 2\nreturn y\n",
        ["syntax.lua"] = "local = 3\n",
        ["empty.lua"] = "",
        ["binary.lua"] = "return '\255\254\0'\n",
    }
end)

after_each(function()
    os.remove(luacheck)
    os.remove(failing)
    support.remove_directory(directory)
end)

-- Runs luacheck with a number of jobs.
local function check(jobs, arguments)
    local words = { luacheck, "--no-config", "--no-color", "--no-cache", "-j", jobs }
    for _, word in ipairs(arguments) do words[#words + 1] = word end
    return others.run(words, { directory = directory })
end

-- Runs it with one job and with several; returns what all have in common.
local function compared(arguments)
    local single = check(1, arguments)
    for _, jobs in ipairs { 2, 7 } do
        assert.are.same(single, check(jobs, arguments))
    end
    assert.equal("", single.err)
    return single
end

describe("luacheck -j", function()
    it("finds Lanes", function()
        local result = check(2, { "--version" })
        assert.equal(0, result.code)
        support.contains("\nLuaLanes: ", "\n" .. result.out)
        assert.is_nil(result.out:find("LuaLanes: Not found", 1, true), result.out)
    end)

    it("finds nothing in clean files", function()
        local result = compared { "clean.lua", "empty.lua", "clean.lua", "empty.lua" }
        assert.equal(0, result.code)
        support.contains("Total: 0 warnings / 0 errors in 4 files", result.out)
    end)

    it("reports warnings", function()
        local result = compared { "clean.lua", "warnings.lua", "empty.lua" }
        assert.equal(1, result.code)
        support.contains("warnings.lua:1:7: unused variable 'unused'", result.out)
        support.contains("Total: 3 warnings / 0 errors in 3 files", result.out)
    end)

    it("reports syntax errors", function()
        local result = compared { "syntax.lua", "clean.lua", "warnings.lua", "binary.lua" }
        assert.equal(2, result.code)
        support.contains("syntax.lua:1:7: expected identifier near '='", result.out)
    end)

    it("reports files that cannot be read", function()
        local result = compared { "missing.lua", "clean.lua", "syntax.lua" }
        assert.equal(3, result.code)
        support.contains("missing.lua: couldn't read: ", result.out)
    end)

    it("checks Lanes itself, in each of its formats", function()
        local lua = machine.here() .. "/lua/"
        for _, format in ipairs { "plain", "TAP", "JUnit" } do
            local result = compared { "--formatter", format, "--max-line-length", "60", lua .. "lanes.lua", lua .. "lanes/reference" }
            assert.equal(1, result.code)
            assert.is_true(#result.out > 500)
        end
    end)

    it("tells of an error in a worker", function()
        local ends = {}
        for jobs = 1, 2 do
            local result = others.run { failing, jobs }
            assert.equal("", result.err)
            ends[jobs] = result.out
        end
        support.contains("item 2 on purpose", ends[1])
        assert.equal("false", ends[1]:match "^%w+")
        assert.equal(ends[1], ends[2])
    end)
end)
