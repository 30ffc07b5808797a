-- Out of memory where the library itself needs large blocks, for which it has no reserve.
require "capi" -- builds deep_test, which scenarios use
local refusals = require "refusals"
local support = require "support"
local needs = require "needs"

local it = needs.hooks(it)

describe("out of memory for large blocks:", function()
    for _, name in ipairs(refusals.names "large") do
        it(name .. ", is an error without effect", function()
            assert.equal("fine\n", refusals.outcome(name))
        end)
    end

    it("does not prevent a batch from being put back into its slot", function()
        assert.equal("false\tnot enough memory\t7000\n", support.output [[
            local lanes = require "lanes"
            local hooks = require "lanes_core".hooks
            local linda = lanes.linda()
            for i = 1, 7000 do linda:send("key", i) end
            -- The library gets memory for the batch only, and the state gets none for the values.
            hooks.refuse_in_library(2, 1e9, 128 * 1024 + 1)
            local ok, _, problem = hooks.refuse(1, 1e9, function() return linda:receive(0, linda.batched, "key", 7000) end)
            hooks.refuse_in_library()
            print(ok, problem, linda:count "key")
            for i = 1, 7000 do assert(select(2, linda:receive(0, "key")) == i) end
        ]])
    end)

    -- One of the values comes from a module that the lane does not have. While the module is
    -- searched, the lane sends until the slot is full, because the library gets no more memory:
    -- there is none for the value that is put back, either.
    local returning = [[
        local at = tonumber(arg[1])
        local lanes = require "lanes"
        local hooks = require "lanes_core".hooks
        local linda = lanes.linda()
        local call = coroutine.wrap(function() end)
        lanes.register("returning", { call = call })
        for i = 1, 7000 do linda:send("key", i == at and call or i) end
        local lane = lanes.gen("*", function(...)
            local sent = 7000
            function package.preload.returning()
                hooks.refuse_in_library(1, 1e9, 128 * 1024 + 1)
                while pcall(linda.send, linda, "key", sent + 1) do sent = sent + 1 end
                return {}
            end
            local ok, problem = pcall(linda.receive, linda, 0, ...)
            hooks.refuse_in_library()
            assert(not ok and problem:find("the module does not have it there", 1, true), problem)
            return sent
        end)
        local running = at == 1 and lane("key") or lane(linda.batched, "key", 7000)
        local sent = assert(running[1])
        assert(sent > 7000 and linda:count "key" == sent)
        for i = 1, sent do
            local _, value = linda:receive(0, "key")
            assert(value == i or i == at and value == call, i)
        end
        print "fine"
    ]]
    for name, at in pairs { ["a batch"] = "7000", ["one element"] = "1" } do
        it("does not prevent " .. name .. " from being put back into a full slot", function()
            assert.equal("fine\n", support.output(returning, { arguments = { at } }))
        end)
    end
end)
