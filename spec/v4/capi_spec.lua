-- The C interface under both interfaces for Lua: one module in C (tests/capi/deep_test.c), and the same
-- programs with `api = 3` and `api = 4`.
local support = require "support"
local machine = require "machine"
local capi = require "capi"
local it = capi.needed(it)

-- Runs a program with one interface. It has the functions `joined`, the results of a lane, and
-- `received`, an element of a slot, which differ between the interfaces.
local function output(api, program, settings)
    return support.output(([[
        local deep_test = require "deep_test"
        local lanes = require "lanes".configure { api = %d, with_timers = false, %s }
        local function joined(lane)
            local function checked(fine, ...)
                if lane.status ~= "done" then error((...), 0) end
                if lanes.ABOUT.version == "4.0.1" then return ... end
                return fine, ...
            end
            return checked(lane:join())
        end
        local function received(linda)
            local slot, value = linda:receive(120, "slot")
            assert(slot == "slot")
            return value
        end
        local function collect() for _ = 1, 4 do collectgarbage() end end
    ]]):format(api, settings or "") .. program)
end

for api = 3, 4 do
    describe("a module in C with the interface of " .. api .. ".x", function()
        it("shares its objects with lanes", function()
            assert.equal("8\ttrue\t8\n", output(api, [[
                local object = deep_test.new(7)
                local back, address = joined(lanes.gen("*", function(o)
                    o:set(o:get() + 1)
                    return o, object:address()
                end)(object))
                print(object:get(), rawequal(back, object) and address == object:address(), back:get())
            ]]))
        end)

        it("shares its objects through lindas, in containers and as keys", function()
            assert.equal("true\ttrue\ttrue\t7\n", output(api, [[
                local object, linda = deep_test.new(7), lanes.linda()
                linda:send("slot", { object, deeper = { [object:get()] = object } })
                local value = received(linda)
                linda:send("slot", object)
                local again = received(linda)
                linda:send("slot", object)
                local there = joined(lanes.gen("*", function(l)
                    local _, o = l:receive("slot")
                    return o:get()
                end)(linda))
                print(rawequal(value[1], object), rawequal(value.deeper[7], object), rawequal(again, object), there)
            ]]))
        end)

        it("counts one proxy for each state, and deletes an object once", function()
            assert.equal("1\t2\ntrue\ttrue\n", output(api, [[
                do
                    local object, linda = deep_test.new(1), lanes.linda()
                    linda:send("slot", object)
                    local before = object:refcount()
                    local inside = joined(lanes.gen("*", function(o) return o:refcount() end)(object))
                    print(before, inside)
                end
                local finish = os.time() + 120
                repeat collect() local now = deep_test.counts() until now.deleted == now.made or os.time() > finish
                local now = deep_test.counts()
                print(now.deleted == now.made, now.finalized <= 1)
            ]]))
        end)

        it("passes user values with an object", function()
            assert.equal("there\n", output(api, [[
                local object = deep_test.new(1, 1)
                object:set_user_value(1, { "here" })
                local back = joined(lanes.gen("*", function(o)
                    if o:get_user_value(1)[1] == "here" then o:set_user_value(1, { "there" }) end
                    return o
                end)(object))
                print(back:get_user_value(1)[1])
            ]]))
        end)

        it("copies its userdata that have __lanesclone", function()
            assert.equal("text\tfalse\ttext\n", output(api, [[
                local object, linda = deep_test.new_clonable "text", lanes.linda()
                linda:send("slot", object)
                local copy = received(linda)
                print(copy:get(), rawequal(copy, object), joined(lanes.gen("*", { required = { "deep_test" } }, function(o)
                    return o:get()
                end)(object)))
            ]]))
        end)

        it("prepares lanes by a function in C", function()
            assert.equal("1\t2\t2\n", output(api, [[
                local generator = lanes.gen("*", function() return state_number end)
                print(joined(generator()), joined(generator()), deep_test.counts().states)
            ]], "on_state_create = deep_test.on_state_create"))
        end)

        it("has errors of its objects raised", function()
            assert.equal("true\ttrue\n", output(api, [[
                local object = deep_test.new_kind "module nowhere"
                local fine, text = pcall(lanes.gen("*", function() end), object)
                local linda = lanes.linda()
                linda:send("slot", object)
                local read, reason = pcall(linda.receive, linda, "slot")
                local expected = "error while requiring 'deep_test_nowhere' identified by idfunc(eOP_module): "
                print(not fine and text:find(expected, 1, true) ~= nil, not read and reason:find(expected, 1, true) ~= nil)
            ]]))
        end)

        it("registers functions by lanes_register", function()
            assert.equal("false\ttrue\t0\n", output(api, [[
                -- A function that no module had when it was loaded.
                local counts = deep_test.counts
                deep_test.counts, package.loaded.deep_test = nil, nil
                local generator = lanes.gen("*", function(f) return type(f()) end)
                local before = pcall(generator, counts)
                package.preload.counting = function() return { counts = require "deep_test".counts } end
                local results = select("#", deep_test.register("counting", { counts = counts }))
                print(before, joined(generator(counts)) == "table", results)
            ]]))
        end)

        it("registers nothing that is no module", function()
            assert.equal("true\ttrue\ttrue\n", output(api, [[
                local function refused(expected, ...)
                    local fine, text = pcall(deep_test.register, ...)
                    return not fine and text:find(expected, 1, true) ~= nil
                end
                print(refused("unexpected module type number", "name", 1), refused("string expected", {}, {}),
                    refused("unexpected module type", "name"))
            ]]))
        end)
    end)

    describe("a host in C with the interface of " .. api .. ".x", function()
        it("opens it by luaopen_lanes_embedded", function()
            local environment = support.environment()
            environment.LUA_PATH, environment.LUA_CPATH = "lua/?.lua", "nowhere"
            local result = machine.run({ capi.embedded(), "loader", "lua/lanes.lua", ([[
                local lanes = ...
                assert(rawget(_G, "lanes_core") == nil and package.loaded.lanes_core)
                lanes.configure { api = %d }
                print(lanes.gen("*", function() return require "lanes".ABOUT.version end)()[1])
            ]]):format(api) }, { limit = 60, environment = environment, wrapper = true })
            assert.same({ code = 0, out = api == 3 and "3.17.2\n" or "4.0.1\n", err = "" }, result)
        end)
    end)
end

describe("lanes_register", function()
    it("needs a universe", function()
        assert.equal("true\n", support.output [[
            local fine, text = pcall(require "deep_test".register, "name", {})
            print(not fine and text:find("Lanes is not ready", 1, true) ~= nil)
        ]])
    end)
end)
