-- Several states that each configure lanes. From Lua, other states can be made only with LuaJIT's
-- ffi.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

if support.lua == "luajit" then
    -- `new()` makes a state with all libraries; `run(state, text)` runs Lua source in it and
    -- returns the string that it returns.
    local BEGIN = [[
        jit.off()
        local ffi = require "ffi"
        ffi.cdef [=[
            typedef struct lua_State lua_State;
            lua_State *luaL_newstate(void);
            void luaL_openlibs(lua_State *L);
            int luaL_loadstring(lua_State *L, const char *text);
            int lua_pcall(lua_State *L, int arguments, int results, int handler);
            const char *lua_tolstring(lua_State *L, int index, size_t *length);
            void lua_settop(lua_State *L, int index);
            void lua_close(lua_State *L);
        ]=]
        local C = ffi.C
        local function new()
            local state = C.luaL_newstate()
            C.luaL_openlibs(state)
            return state
        end
        local function run(state, text)
            local failed = C.luaL_loadstring(state, text) ~= 0 or C.lua_pcall(state, 0, 1, 0) ~= 0
            local result = C.lua_tolstring(state, -1, nil)
            result = result ~= nil and ffi.string(result) or "no string"
            C.lua_settop(state, 0)
            if failed then error(result, 2) end
            return result
        end
    ]]

    describe("another state of the process", function()
        it("can configure lanes with other settings", function()
            assert.equal("true\tfalse\n", support.output(BEGIN .. [[
                local lanes = require "lanes".configure { with_timers = true }
                local state = new()
                run(state, 'lanes = require "lanes".configure { with_timers = false } return ""')
                print((pcall(lanes.timers)), run(state, 'return tostring((pcall(lanes.timers)))'))
                C.lua_close(state)
            ]]))
        end)

        it("runs its own lanes beside those of the main state", function()
            assert.equal("main\tother\n", support.output(BEGIN .. [[
                local lanes = require "lanes"
                local state = new()
                run(state, 'lanes = require "lanes" return ""')
                local handle = lanes.gen("*", function() return "main" end)()
                run(state, 'handle = lanes.gen("*", function() return "other" end)() return ""')
                print(handle[1], run(state, 'return handle[1]'))
                C.lua_close(state)
            ]]))
        end)

        it("has the same constants", function()
            assert.equal("true\ttrue\n", support.output(BEGIN .. [[
                local lanes = require "lanes"
                local state = new()
                print(
                    run(state, 'return tostring(require "lanes".cancel_error)') == tostring(lanes.cancel_error),
                    run(state, 'return tostring(require "lanes".null)') == tostring(lanes.null)
                )
                C.lua_close(state)
            ]]))
        end)

        it("tracks its own lanes only", function()
            assert.equal("1\t0\n", support.output(BEGIN .. [[
                local lanes = require "lanes".configure { track_lanes = true, with_timers = false }
                local linda = lanes.linda()
                handle = lanes.gen("*", function() linda:receive("never") end)()
                local state = new()
                run(state, 'lanes = require "lanes".configure { track_lanes = true, with_timers = false } return ""')
                print(#lanes.threads(), run(state, 'return tostring(select("#", lanes.threads()))'))
                C.lua_close(state)
            ]]))
        end)

        it("may close first, with lanes running", function()
            assert.equal("still here\n", support.output(BEGIN .. [[
                local lanes = require "lanes"
                local linda = lanes.linda()
                local handle = lanes.gen("*", function() return (select(2, linda:receive("k"))) end)()
                local state = new()
                run(state, [=[
                    local lanes = require "lanes"
                    local linda = lanes.linda()
                    for i = 1, 10 do lanes.gen("*", function() linda:receive("never") end)() end
                    lanes.timer(linda, "tick", 0.001, 0.001)
                    return ""
                ]=])
                C.lua_close(state)
                linda:send("k", "still here")
                print(handle[1])
            ]]))
        end)

        it("may be left open at the end of the program", function()
            assert.equal("", support.output(BEGIN .. [[
                require "lanes".configure()
                state = new()
                run(state, [=[
                    local lanes = require "lanes"
                    local linda = lanes.linda()
                    for i = 1, 10 do lanes.gen("*", function() linda:receive("never") end)() end
                    return ""
                ]=])
            ]]))
        end)

        it("may be the only one that uses lanes", function()
            assert.equal("5\n", support.output(BEGIN .. [[
                local state = new()
                print(run(state, 'return require "lanes".gen("*", function() return "5" end)()[1]'))
                C.lua_close(state)
            ]]))
        end)

        it("can be opened and closed many times", function()
            assert.equal("done\n", support.output(BEGIN .. [[
                for i = 1, 30 do
                    local state = new()
                    assert(run(state, 'return require "lanes".gen("*", function() return "5" end)()[1]') == "5")
                    C.lua_close(state)
                end
                print("done")
            ]]))
        end)
    end)
end

describe("the lanes of one program", function()
    it("all belong to the universe of the main state", function()
        assert.equal("main\tmain\n", support.output [[
            local lanes = require "lanes".configure { on_state_create = function() universe = "main" end }
            print(lanes.gen("*", function()
                local inner = require "lanes".gen("*", function()
                    require "lanes"
                    return universe
                end)()
                return universe, inner[1]
            end)():join())
        ]])
    end)
end)
