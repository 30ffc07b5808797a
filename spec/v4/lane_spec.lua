-- The 4.x interface: handles of lanes, and the functions inside a lane.
local support = require "support"
if support.apart(describe, it) then return end
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes".configure { api = 4, strip_functions = false }
local pack = support.pack
local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local CE = lanes.cancel_error
local closes = _VERSION == "Lua 5.4" or _VERSION == "Lua 5.5"

-- A lane that waits until it is asked to stop.
local function sleeper(options)
    local lane = lanes.gen("*", options or {}, function() require "lanes".sleep() end)()
    support.until_status(lane, "waiting")
    return lane
end

describe("join of 4.x", function()
    it("returns true and the results, each time", function()
        local lane = lanes.gen(function() return 1, nil, 3, nil end)()
        for _ = 1, 2 do
            assert.same(pack(true, 1, nil, 3, nil), pack(lane:join()))
        end
        assert.same(pack(true), pack(lanes.gen(function() end)():join()))
        assert.same(pack(true, CE), pack(lanes.gen(function(value) return value end)(CE):join()))
    end)

    it("returns nil and the error without a trace", function()
        local lane = lanes.gen("*", function() error("text", 0) end)()
        for _ = 1, 2 do
            assert.same(pack(nil, "text"), pack(lane:join()))
        end
        local value = select(2, lanes.gen("*", function() error { code = 5 } end)():join())
        assert.same({ code = 5 }, value)
    end)

    it("returns the trace of the level that was asked for", function()
        local body = function() error("text", 0) end
        local _, _, basic = lanes.gen("*", { error_trace_level = "basic" }, body)():join()
        assert.equal("string", type(basic[1]))
        local _, _, extended = lanes.gen("*", { error_trace_level = "extended" }, body)():join()
        assert.equal("number", type(extended[1].currentline))
    end)

    it("returns nil and cancel_error of a lane that was cancelled, or raised it", function()
        local lane = sleeper()
        lane:cancel()
        for _ = 1, 2 do
            assert.same(pack(nil, CE), pack(lane:join()))
        end
        local raised = lanes.gen("*", { error_trace_level = "basic" }, function(value) error(value) end)(CE)
        assert.same(pack(nil, CE), pack(raised:join()))
        assert.equal("cancelled", raised.status)
    end)

    it("returns nil and a text at the timeout", function()
        local lane = sleeper()
        for _ = 1, 2 do
            assert.same(pack(nil, "timeout"), pack(lane:join(0)))
        end
        lane:cancel()
    end)

    it("refuses bad timeouts", function()
        local lane = lanes.gen(function() end)()
        support.raises("duration cannot be < 0", lane.join, lane, -1)
        support.raises("duration cannot be < 0", lane.join, lane, 0 / 0)
        support.raises("incorrect duration type", lane.join, lane, "1")
        support.raises("incorrect duration type", lane.join, lane, {})
        support.raises("Lane expected", lane.join, {})
    end)

    it("raises for results that cannot travel, each time", function()
        local lane = lanes.gen("*", function() return coroutine.create(function() end) end)()
        for _ = 1, 2 do
            support.raises("coroutine", lane.join, lane)
        end
    end)
end)

describe("indexing of 4.x", function()
    it("gives the results and their number", function()
        local lane = lanes.gen(function() return "a", nil, "c" end)()
        assert.same({ 3, "a", nil, "c" }, { lane[0], lane[1], lane[2], lane[3] })
        assert.is_nil(lane[4])
        assert.is_nil(lane[-1])
        assert.equal(0, lanes.gen(function() end)()[0])
    end)

    it("goes with join in any order", function()
        local lane = lanes.gen(function() return {} end)()
        local _, value = lane:join()
        assert.equal(value, lane[1])
        assert.equal(value, select(2, lane:join()))
    end)

    it("raises the error of a lane, with the position of the line that reads", function()
        local lane = lanes.gen("*", function() error("text", 0) end)()
        for _, n in ipairs { 0, 1, 2, 3, 100 } do
            assert.matches("lane_spec.lua:%d+: text$", support.error_of(function() return lane[n] end))
        end
        assert.equal("text", lane[-1])
        assert.equal("text", lane[-2])
        assert.same(pack(nil, "text"), pack(lane:join()))
    end)

    it("raises errors that are no strings as they are, where Lua can", function()
        local lane = lanes.gen("*", function() error { code = 5 } end)()
        local raised = support.error_of(function() return lane[1] end)
        if _VERSION == "Lua 5.1" then
            assert.matches("table: ", raised)
        else
            assert.same({ code = 5 }, raised)
        end
        assert.same({ code = 5 }, lane[-1])
    end)

    it("gives nil and cancel_error of a cancelled lane", function()
        local lane = sleeper()
        lane:cancel()
        assert.same({ 2, nil, CE }, { lane[0], lane[1], lane[2] })
        assert.is_nil(lane[3])
        assert.is_nil(lane[-1])
    end)
end)

describe("handles of 4.x", function()
    it("have fields by name", function()
        local lane = lanes.gen({ error_trace_level = "basic" }, function() end)()
        lane:join()
        assert.equal("done", lane.status)
        assert.equal("basic", lane.error_trace_level)
        assert.equal("minimal", lanes.gen(function() end)().error_trace_level)
        assert.equal("Lane", getmetatable(lane))
    end)

    it("name what is unknown", function()
        local lane = lanes.gen(function() end)()
        support.raises("unknown field 'nope'", function() return lane.nope end)
        support.raises("unknown field 'jion'; do you mean 'join'?", function() return lane.jion end)
        support.raises("Unknown key: true", function() return lane[true] end)
        support.raises("here it is lane:get_threadname()", function() return lane:get_debug_threadname() end)
        support.raises("too many arguments", lane.get_threadname, lane, 1)
    end)

    it("cannot be resumed unless they are coroutines", function()
        local lane = lanes.gen(function() end)()
        support.raises("cannot resume non-suspended coroutine Lane", lane.resume, lane)
    end)

    if closes then
        it("are closed by variables, which waits for the end", function()
            local lane = lanes.gen("*", function() error "text" end)()
            assert(load("local lane <close> = ..."))(lane)
            assert.equal("error", lane.status)
        end)
    end
end)

describe("globals of lanes of 4.x", function()
    it("are cancel_test, set_finalizer and lane_threadname", function()
        assert.same(pack(true, "function", "function", "function"), pack(lanes.gen("base", function()
            return type(cancel_test), type(set_finalizer), type(lane_threadname)
        end)():join()))
    end)

    it("name the lane", function()
        local lane = lanes.gen("*", function()
            local before = lane_threadname()
            lane_threadname("name")
            local named = lane_threadname()
            lane_threadname(5)
            local number = lane_threadname()
            lane_threadname(nil)
            return before, named, number, lane_threadname(), pcall(lane_threadname, 1, 2)
        end)()
        local results = pack(lane:join())
        assert.same({ true, "<unnamed>", "name", "5", "", false }, { unpack(results, 1, 6) })
        assert.matches("Wrong number of arguments", results[7])
    end)

    it("say what takes the place of those of 3.x", function()
        local _, _, one, _, two = lanes.gen("*", function()
            local _, first = pcall(set_debug_threadname, "x")
            local _, second = pcall(set_error_reporting, "basic")
            return 1, first, 2, second
        end)():join()
        support.contains("lane_threadname", one)
        support.contains("error_trace_level", two)
    end)

    -- What a finalizer gets after a body, at a level of traces.
    local function finalized(level, body)
        local linda = lanes.linda()
        lanes.gen("*", { error_trace_level = level }, function(to, f, ...)
            set_finalizer(function(...)
                to:set("n", select("#", ...))
                to:set("types", type((...)), type((select(2, ...))))
            end)
            return f(...)
        end)(linda, body):join()
        return select(2, linda:get "n"), select(2, linda:get("types", 2))
    end

    it("give finalizers the error, and the trace if there is one", function()
        assert.same(pack(0, "nil", "nil"), pack(finalized("minimal", function() end)))
        assert.same(pack(1, "string", "nil"), pack(finalized("minimal", function() error "x" end)))
        assert.same(pack(2, "string", "table"), pack(finalized("basic", function() error "x" end)))
        local cancelled = function() error(require "lanes".cancel_error) end
        assert.same(pack(1, "userdata", "nil"), pack(finalized("minimal", cancelled)))
        assert.same(pack(2, "userdata", "nil"), pack(finalized("extended", cancelled)))
    end)
end)
