-- Stacks of lanes: as large as those of the system's new threads, or as the options say. Code that
-- recurses in C needs them.
local support = require "support"
local capi = require "capi"
local needs = require "needs"
local machine = require "machine"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local it_recurses, it_has_lpeg = capi.needed(it), needs.module("lpeg", "LPeg", it)

local lanes = require "lanes"
local sizes = require "lanes_core".stack_sizes
local expect = require "expect"

-- Bodies that recurse in C until Lua or the library stops them. Each returns how it ended.
local recursions = {
    ["a pattern with many optional items"] = function()
        local ok, answer = pcall(function() return #("a"):rep(40000):match(("a?"):rep(40000)) end)
        return ok, tostring(answer):match("pattern too complex") or answer
    end,
    ["pcall within pcall"] = function()
        local depth = 0
        local function f()
            depth = depth + 1
            local ok, problem = pcall(f)
            if not ok then error(problem, 0) end
        end
        local ok, problem = pcall(f)
        return ok, tostring(problem):match("overflow") or tostring(problem):match("error in error handling"), depth > 100
    end,
    ["gsub within gsub"] = function()
        local function f() return (("x"):gsub("x", f)) end
        local ok, problem = pcall(f)
        return ok, tostring(problem):match("overflow")
    end,
    ["metamethods"] = function()
        local object = setmetatable({}, {})
        getmetatable(object).__index = function(self, key) return self[key + 1] end
        local ok, problem = pcall(function() return object[1] end)
        return ok, tostring(problem):match("overflow")
    end,
    ["tostring within tostring"] = function()
        local object = setmetatable({}, { __tostring = function(self) return tostring(self) .. "" end })
        local ok, problem = pcall(tostring, object)
        return ok, tostring(problem):match("overflow")
    end,
    ["deeply nested source text"] = function()
        local load = loadstring or load -- luacheck: ignore
        local ok, chunk = pcall(load, "return " .. ("("):rep(100000) .. "1" .. (")"):rep(100000))
        return ok and chunk ~= nil
    end,
    ["sort within sort"] = function()
        local function f() table.sort({ 1, 2 }, f) end
        local ok, problem = pcall(f)
        return ok, tostring(problem):match("overflow")
    end,
    ["a deep value"] = function()
        local linda = require "lanes".linda()
        local value = {}
        for _ = 1, 100000 do value = { value } end
        linda:send("key", value)
        return type(select(2, linda:receive("key")))
    end,
}

-- LuaJIT itself has no limit for these: the main state crashes.
if jit then recursions["gsub within gsub"] = nil end

describe("the stack of a lane", function()
    for what, recursion in pairs(recursions) do
        it("is enough for " .. what .. ", which ends as in the main state", function()
            assert.same({ recursion() }, { expect.in_lane(recursion) })
        end)
    end

    it_has_lpeg("is enough for an LPeg pattern of 14,000 literals", function()
        assert.equal(13999, expect.in_lane(function()
            local lpeg = require "lpeg"
            local pattern = lpeg.P "x0 "
            for i = 1, 14000 do pattern = pattern + lpeg.P("x" .. i .. " ") / tostring(i) end
            return tonumber(pattern:match "x13999 ")
        end))
    end)

    needs.limits(it)("is as large as that of a new thread of the system", function()
        local program = [[io.write(string.format("%d", require "lanes_core".stack_sizes.usual / 2 ^ 20))]]
        -- With 32-bit addresses it is always the smallest default.
        local narrow = machine.address_bits() == 32
        assert.equal(narrow and "2" or "16", support.output(program, { limits = "-s 16384" }))
        -- At least this much; if there is no limit, the size of most systems.
        assert.equal("2", support.output(program, { limits = "-s 256" }))
        assert.equal(narrow and "2" or "8", support.output(program, { limits = "-S -s unlimited" }))
    end)

    it("has the size in the manual if the system does not tell", function()
        local usual = sizes.usual / 2 ^ 20
        assert.is_true(usual >= 2 and usual <= 1024)
        if machine.windows then assert.equal(machine.address_bits() == 32 and 2 or 8, usual) end
    end)
end)

describe("stack_size", function()
    local function take(mebibytes) return require "recursion".take(mebibytes) end

    it_recurses("of a generator gives its lanes more", function()
        assert.is_true(expect.finished(lanes.gen("*", { stack_size = 64 * 2 ^ 20 }, take)(60)))
    end)

    it_recurses("of configure gives all lanes more, also those of lanes; the option of a generator takes precedence", function()
        assert.equal("true\ttrue\n", support.output([[
            local lanes = require "lanes".configure { stack_size = 64 * 2 ^ 20 }
            local function deep() return require "recursion".take(60) end
            local function inner(f) return require "lanes".gen("*", f)()[1] end
            print(lanes.gen("*", deep)()[1], lanes.gen("*", { stack_size = 2 ^ 21 }, inner)(deep)[1])
        ]]))
    end)

    it_recurses("does not let a lane reuse a thread with another size", function()
        for _ = 1, 20 do
            assert.equal(1, expect.finished(lanes.gen("*", { stack_size = sizes.least }, function() return 1 end)()))
            assert.is_true(expect.finished(lanes.gen("*", { stack_size = 64 * 2 ^ 20 }, take)(60)))
        end
    end)

    it("may be the smallest size, with which a lane works", function()
        local lane = lanes.gen("*", { stack_size = sizes.least, required = { "table" } }, function(...)
            local value = {}
            for _ = 1, 1000 do value = { value, function() return value end } end
            return select("#", ...), value, pcall(error, { "text" })
        end)(1, { 2 }, string)
        local count, value, ok, problem = expect.finished(lane)
        assert.same({ 3, "table", false, { "text" } }, { count, type(value), ok, problem })
    end)

    local wrong = {
        { sizes.least - 1 }, { sizes.most + 1 }, { 0 }, { -1 }, { -2 ^ 21 }, { 0 / 0 }, { 1 / 0 }, { -1 / 0 }, { 2 ^ 21 + 0.5 },
        { 2 ^ 70 },
    }
    local expected = ("a whole number of bytes from %d to %d"):format(sizes.least, sizes.most)

    it("is refused with a clear error when it is not such a size", function()
        for _, case in ipairs(wrong) do
            local problem = support.raises("Bad 'stack_size' option: " .. tostring(case[1]), lanes.gen,
                { stack_size = case[1] }, function() end)
            support.contains("lanes.gen expects " .. expected, problem)
        end
        for _, value in ipairs { "2097152", true, {}, function() end } do
            support.raises("Bad 'stack_size' option: " .. type(value), lanes.gen, { stack_size = value }, function() end)
        end
    end)

    it("is refused by configure with a clear error when it is not such a size", function()
        assert.equal("fine\n", support.output(([[
            local lanes = require "lanes"
            for _, value in ipairs { 0, -1, 0 / 0, 1 / 0, 2 ^ 70, 2 ^ 21 + 0.5, "2097152", true, {} } do
                local ok, problem = pcall(lanes.configure, { stack_size = value })
                assert(not ok)
                local expected = "Bad stack_size: " .. tostring(value) .. ", lanes.configure expects %s, got a " .. type(value)
                assert(problem:find(expected, 1, true), problem)
            end
            lanes.configure { stack_size = 2 ^ 22 }
            print(lanes.gen("*", function() return "fine" end)()[1])
        ]]):format(expected)))
    end)

    needs.limits(it)("for which there is no address space is an error of the launch, and others continue #address_space", function()
        local out = support.output([[
            local lanes = require "lanes".configure()
            local function body() return 42 end
            assert(lanes.gen("*", body)()[1] == 42)
            local ok, problem = pcall(lanes.gen("*", { stack_size = require "lanes_core".stack_sizes.most }, body))
            print(ok, problem)
            print(lanes.gen("*", body)()[1])
        ]], { limits = machine.address_bits() == 32 and "-v 120000" or "-v 1000000" })
        assert.matches("^false\t[^\n]*cannot start a lane: the system gives no thread %([^\n]+%)\n42\n$", out)
    end)

    needs.proc(it)("costs a waiting lane address space but no memory", function()
        local function resident(size)
            return tonumber((support.output(([[
                local lanes = require "lanes".configure { stack_size = %d }
                local linda = lanes.linda()
                local body = lanes.gen("*", function() linda:send("up", 1) linda:receive("go") end)
                local function rss()
                    for line in io.lines "/proc/self/status" do
                        local n = line:match "^VmRSS:%%s*(%%d+)"
                        if n then return tonumber(n) end
                    end
                end
                local all = {}
                local function start(n)
                    for i = 1, n do all[#all + 1] = body() end
                    linda:receive(linda.batched, "up", n)
                end
                start(20)
                local before = rss()
                start(100)
                print(math.floor((rss() - before) / 100))
                linda:set("go")
                for _ = 1, #all do linda:send("go", 1) end
                for _, lane in ipairs(all) do lane:join() end
            ]]):format(size))))
        end
        -- 120 lanes with the larger size must fit into 32-bit addresses.
        local large_size = machine.address_bits() == 32 and 2 ^ 24 or 2 ^ 26
        local small, large = resident(2 ^ 21), resident(large_size)
        -- In KiB per lane.
        assert.is_true(large <= small + 64, ("%d KiB with 2 MiB, %d KiB with %d MiB"):format(small, large, large_size / 2 ^ 20))
    end)
end)
