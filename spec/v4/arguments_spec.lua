-- The 4.x interface: calls beside the methods of lindas and lanes check timeouts and slots as those do.
local support = require "support"
if support.apart(describe, it) then return end
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes".configure { api = 4, with_timers = true }

local function nothing() end

describe("a negative timeout, and one that is no number, of 4.x", function()
    local linda = lanes.linda()
    local lane = lanes.gen(nothing)()
    local pool = lanes.pool { workers = 1 }
    local supervisor = lanes.supervise { { name = "child", start = lanes.gen("*", nothing), restart = "temporary" } }
    local calls = {
        select = function(timeout) return lanes.select(timeout, { linda, "receive", "slot" }) end,
        wait = function(timeout) return lanes.wait({ lane }, { timeout = timeout }) end,
        scope = function(timeout) return lanes.scope(nothing, { timeout = timeout }) end,
        map = function(timeout) return lanes.map({ 1 }, nothing, { timeout = timeout }) end,
        ["future:join"] = function(timeout) return pool:submit(nothing):join(timeout) end,
        ["pool:close"] = function(timeout) return pool:close(timeout) end,
        ["pool:cancel"] = function(timeout) return pool:cancel(timeout) end,
        ["supervisor:join"] = function(timeout) return supervisor:join(timeout) end,
        ["supervisor:stop"] = function(timeout) return supervisor:stop(timeout) end,
    }
    for name, call in pairs(calls) do
        it("is refused by " .. name, function()
            for _, timeout in ipairs { -1, -0.001, -1 / 0, 0 / 0 } do
                local text = support.error_of(call, timeout)
                if not (text:find "duration cannot be < 0, got" or text:find "number expected, got %-?nan"
                    or text:find "a number of seconds from 0" or text:find "number of seconds from 0 expected") then
                    error(text, 0)
                end
            end
        end)
    end

    it("are refused with the number of the argument, and what is for ever", function()
        support.raises("bad argument #1 to 'select' (duration cannot be < 0, got -1 (without one, or nil, it is for ever))",
            lanes.select, -1, { linda, "receive", "slot" })
        support.raises("Bad 'timeout' option: -1, lanes.wait expects a number of seconds from 0", lanes.wait, { lane }, { timeout = -1 })
    end)
end)

describe("a value that is no slot of 4.x", function()
    local linda = lanes.linda()
    local lane = lanes.gen(nothing)()
    local calls = {
        ["a receive of select"] = function(slot) return lanes.select(0, { linda, "receive", slot }) end,
        ["the second slot of a receive of select"] = function(slot) return lanes.select(0, { linda, "receive", "slot", slot }) end,
        ["a send of select"] = function(slot) return lanes.select(0, { linda, "send", slot, 1 }) end,
        ["linda:notifier"] = function(slot) return linda:notifier(slot) end,
        ["lane:monitor"] = function(slot) return lane:monitor(linda, slot) end,
        timer = function(slot) return lanes.timer(linda, slot, 1000) end,
        genlock = function(slot) return lanes.genlock(linda, slot) end,
        genatomic = function(slot) return lanes.genatomic(linda, slot) end,
    }
    for name, call in pairs(calls) do
        it("is refused by " .. name, function()
            support.raises("can't use lanes.null as a slot", call, lanes.null)
            support.raises("can't use lanes.cancel_error as a slot", call, lanes.cancel_error)
            support.raises("can't use non-deep userdata as a slot", call, io.stdout)
            support.raises("can't use non-deep userdata as a slot", call, lane)
            support.raises("invalid slot type (not a boolean, string, number or light userdata), got table", call, {})
            support.raises("got NaN", call, 0 / 0)
            assert.same({}, linda:count())
        end)
    end
end)
