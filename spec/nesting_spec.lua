-- Coroutines and nesting: lanes used from coroutines, lanes that launch lanes.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

describe("in a coroutine of main,", function()
    it("everything can be called", function()
        local run = coroutine.wrap(function()
            local linda = lanes.linda("of a coroutine")
            local handle = lanes.gen("*", function()
                local _, value = linda:receive("question")
                linda:send("answer", value * 2)
                return "result"
            end)()
            coroutine.yield("launched")
            linda:send("question", 21)
            local _, answer = linda:receive("answer")
            coroutine.yield(answer)
            lanes.sleep(0.001)
            coroutine.yield((handle:join()))
            local waiting = lanes.gen("*", function() linda:receive("never") end)()
            coroutine.yield((waiting:cancel("hard", support.LIMIT)))
            return handle[1], waiting.status
        end)
        assert.equal("launched", run())
        assert.equal(42, run())
        assert.equal("result", run())
        assert.is_true(run())
        assert.same({ "result", "cancelled" }, { run() })
    end)

    it("errors of the interface are ordinary errors", function()
        local ok, message = coroutine.resume(coroutine.create(function() lanes.linda():send() end))
        assert.is_false(ok)
        assert.is_string(message)
    end)

    it("a handle made in one coroutine works in another", function()
        local handle = coroutine.wrap(function() return lanes.gen("*", function() return 5 end)() end)()
        assert.equal(5, coroutine.wrap(function() return handle[1] end)())
    end)

    it("values can be passed after the coroutine has ended", function()
        local linda = coroutine.wrap(function()
            local linda = lanes.linda()
            linda:send("k", { 1 })
            return linda
        end)()
        collectgarbage()
        assert.same({ "k", { 1 } }, { linda:receive(0, "k") })
    end)
end)

describe("in a coroutine of a lane,", function()
    it("everything can be called", function()
        assert.same({ 42, "result", false }, { lanes.gen("*", function()
            return coroutine.wrap(function()
                local inner_lanes = require "lanes"
                local linda = inner_lanes.linda()
                local handle = inner_lanes.gen("*", function()
                    linda:send("answer", 42)
                    return "result"
                end)()
                local _, answer = linda:receive("answer")
                return answer, handle[1], cancel_test()
            end)()
        end)():join() })
    end)
end)

describe("the body of a lane", function()
    it("runs outside any coroutine, so that a yield fails", function()
        local handle = lanes.gen("*", function() coroutine.yield(1) end)()
        handle:join()
        assert.equal("error", handle.status)
        support.contains("attempt to yield", handle[-1])
    end)

    it("can run coroutines", function()
        assert.same({ 1, 2, 3 }, lanes.gen("*", function()
            local list = {}
            for i in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do list[i] = i end
            return list
        end)()[1])
    end)
end)

describe("a lane that makes lanes", function()
    it("gets their results", function()
        assert.equal(55, lanes.gen("*", function()
            local generator = require "lanes".gen("*", function(n) return n end)
            local handles, sum = {}, 0
            for i = 1, 10 do handles[i] = generator(i) end
            for i = 1, 10 do sum = sum + handles[i][1] end
            return sum
        end)()[1])
    end)

    it("gets their errors", function()
        local none, message = lanes.gen("*", function()
            return require "lanes".gen("*", function() error("inner", 0) end)():join()
        end)():join()
        assert.same({ nil, "inner" }, { none, message })
    end)

    it("can be nested many levels deep", function()
        local function descend(level)
            if level == 0 then return "bottom" end
            return require "lanes".gen("*", descend)(level - 1)[1]
        end
        assert.equal("bottom", lanes.gen("*", descend)(8)[1])
    end)

    it("can leave them running when it ends", function()
        local linda = lanes.linda()
        lanes.gen("*", function()
            require "lanes".gen("*", function()
                local _, value = linda:receive("question")
                linda:send("answer", value + 1)
            end)()
        end)():join()
        linda:send("question", 1)
        assert.same({ "answer", 2 }, { linda:receive("answer") })
    end)

    it("makes lindas that outlive it", function()
        local linda = lanes.gen("*", function()
            local inner = require "lanes".linda("made inside")
            inner:send("k", "kept")
            return inner
        end)()[1]
        collectgarbage()
        assert.equal("Linda: made inside", tostring(linda))
        assert.same({ "k", "kept" }, { linda:receive(0, "k") })
    end)

    it("can send results through a linda that the main state never had", function()
        assert.equal("through", lanes.gen("*", function()
            local inner_lanes = require "lanes"
            local linda = inner_lanes.linda()
            inner_lanes.gen("*", function() linda:send("k", "through") end)()
            return (select(2, linda:receive("k")))
        end)()[1])
    end)

    it("can be one of many that do the same", function()
        local generator = lanes.gen("*", function(n)
            local inner = require "lanes".gen("*", function(m) return m * 2 end)
            return inner(n)[1] + inner(n)[1]
        end)
        local handles = {}
        for i = 1, 20 do handles[i] = generator(i) end
        for i = 1, 20 do assert.equal(4 * i, handles[i][1]) end
    end)

    it("shares the settings of its universe", function()
        assert.equal("false\n", support.output [[
            local lanes = require "lanes".configure { with_timers = false }
            print((lanes.gen("*", function()
                local inner = require "lanes"
                return (pcall(inner.timers))
            end)():join()))
        ]])
    end)
end)
