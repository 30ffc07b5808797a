-- The 4.x interface: lanes.gen, its libraries and its options.
local support = require "support"
if support.apart(describe, it) then return end
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes".configure { api = 4 }
local pack = support.pack
local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local function nothing() end

describe("gen of 4.x", function()
    local refused = {
        { "no argument", "No arguments!" },
        { "a number in front of the body", 'Bad argument 1: number "5"', 5, nothing },
        { "no body", 'Last argument not function or string: table "', {} },
        { "an unknown library", 'Bad library name: "nope"', "nope", nothing },
        { "the name of the native module in 3.x", 'Bad library name: "lanes.core"', "lanes.core", nothing },
        { "an unknown library that is forgiven", 'Bad library name: "nope"', "nope?", nothing },
        { "a library twice", 'Libs specification contains "io" more than once', "io,table,io", nothing },
        { "a star with others", "Libs specification '*' must be used alone", "*,io", nothing },
        { "a star behind others", "Libs specification '*' must be used alone", "io,*", nothing },
        { "an unknown library of nearly the right name",
            'Bad library name: "strng"; do you mean \'string\'? (libraries of lanes.gen are base, ', "strng", nothing },
        { "nearly the name of the native module", "do you mean 'lanes_core'?", "lanes_cor", nothing },
        { "an unknown option", "Bad 'nope' option", { nope = 1 }, nothing },
        { "nearly the name of an option", "Bad 'nmae' option; do you mean 'name'? (options of lanes.gen are error_trace_level, ",
            { nmae = "x" }, nothing },
        { "nearly the name of a level of traces", "Bad 'error_trace_level' option: string \"basci\"; do you mean 'basic'? (levels are ",
            { error_trace_level = "basci" }, nothing },
        { "an option of a wrong type", "Bad 'priority' option: string \"x\"", { priority = "x" }, nothing },
        { "an unknown level of traces", "Bad 'error_trace_level' option: string \"x\"", { error_trace_level = "x" }, nothing },
        { "an option without a name", 'Unkeyed option: number "5"', { 5 }, nothing },
        { "two priorities", "priority and native_priority cannot be specified together",
            { priority = 0, native_priority = 1 }, nothing },
    }
    for _, case in ipairs(refused) do
        it("refuses " .. case[1], function()
            support.raises(case[2], function() lanes.gen(unpack(case, 3)) end)
        end)
    end

    it("reports at the caller's line", function()
        assert.matches("generator_spec.lua:%d+: No arguments!", support.error_of(function() lanes.gen() end))
    end)

    it("opens no library without a list, and base with an empty one", function()
        assert.same(pack(true, true), pack(lanes.gen(function() return print == nil end)():join()))
        assert.same(pack(true, true, true), pack(lanes.gen("", function() return print ~= nil, io == nil end)():join()))
    end)

    it("takes anything that no name has as a separator", function()
        assert.same(pack(true, true, true), pack(lanes.gen("/io;os[base{", function() return io ~= nil, os ~= nil end)():join()))
    end)

    it("refuses a library that this Lua lacks, unless it is forgiven", function()
        local lacking = jit and "bit32" or "ffi"
        support.raises(('Unsupported library: "%s"'):format(lacking), function() lanes.gen(lacking, nothing) end)
        assert.same(pack(true, true), pack(lanes.gen(lacking .. "?,io?", function() return io ~= nil end)():join()))
    end)

    it("puts the native module among the loaded ones", function()
        assert.same(pack(true, true), pack(lanes.gen("package,lanes_core", function()
            return package.loaded.lanes_core ~= nil
        end)():join()))
    end)

    it("names lanes", function()
        local lane = lanes.gen("*", { name = "worker" }, function() return lane_threadname() end)()
        assert.same(pack(true, "worker"), pack(lane:join()))
        assert.equal("worker", lane:get_threadname())
        assert.equal("<unnamed>", lanes.gen({ name = "" }, nothing)():get_threadname())
    end)

    it("names lanes by where they come from", function()
        assert.matches("generator_spec.lua:%d+$", lanes.gen({ name = "auto" }, nothing)():get_threadname())
        assert.equal("[C]:-1", lanes.gen("*", { name = "auto" }, print)():get_threadname())
        local generator = lanes.gen({ name = "auto" }, "return 1")
        local here, name = support.here(), generator():get_threadname()
        assert.equal(here, name .. ": ")
    end)

    it("checks priorities when it is called", function()
        support.raises("Priority out of range", lanes.gen({ priority = 100 }, nothing))
        local low, high = lanes.thread_priority_range("native")
        support.raises("Priority out of range", lanes.gen({ native_priority = high + 1 }, nothing))
        assert.equal(true, (lanes.gen({ native_priority = low }, nothing)():join()))
    end)

    it("compiles a string when it is called", function()
        local generator = lanes.gen("this is no Lua")
        support.raises("error when parsing lane function code", generator)
    end)

    it("takes a C function as body", function()
        local lane = lanes.gen("*", error)("text")
        assert.same(pack(nil, "text"), pack(lane:join()))
    end)
end)
