-- A small set of results by which a program can recognize Lanes 3.x.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local expect = require "expect"
local pack = support.pack

describe("Lanes 3.x", function()
    it("returns the results of a lane with their nils and their number", function()
        local lane = lanes.gen("*", function(...) return ... end)(1, nil, "x", nil)
        assert.same(pack(1, nil, "x", nil), pack(lane:join()))
    end)

    it("returns them again at a second join", function()
        local lane = lanes.gen("*", function(...) return ... end)(1, nil, "x", nil)
        lane:join()
        assert.same(pack(1, nil, "x", nil), pack(lane:join()))
        assert.equal(1, lane[1])
    end)

    it("returns nil, the error and its trace of a lane that failed", function()
        local lane = lanes.gen("*", function() error("e") end)()
        local line = debug.getinfo(1, "l").currentline - 1
        local results = pack(lane:join())
        assert.equal(3, results.n)
        assert.is_nil(results[1])
        assert.matches("conformance_spec%.lua:" .. line .. ": e$", results[2])
        assert.equal("[C]:?", results[3][1])
        assert.matches("conformance_spec%.lua:" .. line .. "$", results[3][2])
        assert.equal(2, #results[3])
    end)

    it("cancels a lane that waits on a linda", function()
        local linda = lanes.linda("L")
        local lane = lanes.gen("*", function() linda:receive("x") end)()
        local cancelled, status = lane:cancel("hard", 60)
        assert.is_true(cancelled)
        assert.equal("cancelled", status)
        assert.same(pack(), pack(lane:join()))
    end)

    it("sends nil", function()
        local linda = lanes.linda("L")
        assert.same(pack(true), pack(linda:send("k", nil)))
        assert.same(pack("k", nil), pack(linda:receive(0, "k")))
        assert.same(pack(), pack(linda:receive(0, "k")))
    end)

    it("limits a slot", function()
        local linda = lanes.linda("L")
        assert.same(pack(), pack(linda:limit("q", 1)))
        assert.same(pack(false), pack(linda:send(0, "q", 1, 2)))
        assert.same(pack(true), pack(linda:send(0, "q", 1)))
        assert.same(pack(true), pack(linda:limit("q", 2)))
    end)

    it("sets, reads and clears a slot", function()
        local linda = lanes.linda("L")
        assert.same(pack(), pack(linda:set("m", 1, nil, 3)))
        assert.same(pack(1, nil, 3), pack(linda:get("m", 5)))
        assert.same(pack(3), pack(linda:count("m")))
        assert.same(pack(), pack(linda:set("m")))
        assert.same(pack(nil), pack(linda:count("m")))
    end)

    it("leaves fewer values than a batched receive needs", function()
        local linda = lanes.linda("L")
        linda:send("b", 1)
        assert.same(pack(), pack(linda:receive(0, linda.batched, "b", 2)))
        assert.same(pack(1), pack(linda:count("b")))
    end)

    it("shares references within a batch and copies from its sender", function()
        local linda = lanes.linda("L")
        local s = {}
        linda:send("t", s, { s })
        local _, a, b = linda:receive(0, linda.batched, "t", 2)
        assert.is_true(a == b[1])
        assert.is_true(a ~= s)
    end)

    it("keeps a variable shared by two functions sent together, if the Lua supports it", function()
        local linda = lanes.linda("L")
        local variable = 0
        local function increment() variable = variable + 1 end
        local function read() return variable end
        linda:send("f", increment, read)
        local _, increment_there, read_there = linda:receive(0, linda.batched, "f", 2)
        increment_there()
        assert.equal(debug.upvaluejoin and 1 or 0, read_there())
        assert.equal(0, read())
    end)

    it("runs finalizers, the last one first", function()
        local linda = lanes.linda("L")
        local lane = lanes.gen("*", function()
            set_finalizer(function() linda:send("order", "f1") end)
            set_finalizer(function() linda:send("order", "f2") end)
        end)()
        expect.finished(lane)
        assert.same(pack("f2", "f1"), pack(linda:get("order", 3)))
    end)

    it("has the same constants in every lane", function()
        local lane = lanes.gen("*", function() return require "lanes".cancel_error end)()
        assert.is_true(lanes.cancel_error == lane[1])
    end)
end)
