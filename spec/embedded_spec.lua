-- A host program that contains Lanes (tests/capi/embedded.c) and opens it by
-- luaopen_lanes_embedded.
local support = require "support"
local machine = require "machine"
local capi = require "capi"

local it = capi.needed(it)

-- Returns the exit code and the output of the command, which runs in `directory` without search
-- paths.
local function run(directory, ...)
    local environment = support.environment()
    environment.LUA_PATH, environment.LUA_CPATH = "nowhere", "nowhere"
    local result = machine.run({ capi.embedded(), ... }, { limit = 60, environment = environment, directory = directory, wrapper = true })
    return result.code, result.out .. result.err
end

-- Runs a program that must succeed. Returns its output.
local function output(...)
    local status, text = run(...)
    if status ~= 0 then error("ended with " .. status .. ": " .. text, 2) end
    return text
end

local program = [[
    local lanes = ...
    assert(lanes == require "lanes" and require "lanes.core" == require "lanes_core")
    assert(rawget(_G, "lanes") == nil)
    lanes.configure()
    local linda = lanes.linda()
    local lane = lanes.gen("*", function(l) l:send("key", require "lanes.core".now_secs() > 0) return "done" end)(linda)
    print(lane[1], select(2, linda:receive(120, "key")))
]]

describe("an embedded Lanes", function()
    it("is the table that the host's loader returns, also in package.loaded", function()
        assert.equal("done\ttrue\n", output(".", "loader", "lua/lanes.lua", program))
    end)

    it("is loaded from lanes.lua without a loader", function()
        assert.equal("done\ttrue\n", output("lua", "null", program))
    end)

    it("raises a clear error when there is no such file", function()
        local status, text = run("spec", "null", program)
        assert.equal(1, status)
        support.contains("failed to initialize embedded Lanes", text)
        support.contains("lanes.lua", text)
    end)

    it("passes on an error of the loader", function()
        local status, text = run(".", "loader", "nowhere.lua", program)
        assert.equal(1, status)
        support.contains("nowhere.lua", text)
    end)

    it("needs the library package", function()
        local status, text = run(".", "bare")
        assert.equal(1, status)
        support.contains("luaopen_lanes_embedded needs the library 'package'", text)
    end)

    it("provides the native library to lanes with the library package only", function()
        assert.equal("true\ttable\n", output(".", "loader", "lua/lanes.lua", [[
            local lanes = ...
            print(lanes.gen("base,package", function()
                return require "lanes.core" == require "lanes_core", type(require "lanes_core")
            end)():join())
        ]]))
    end)

    it("works as in the manual", function()
        local result = machine.run({ machine.helper "manual_host" }, { limit = 60, environment = support.environment(), wrapper = true })
        assert.same({ code = 0, out = "hello from a lane\n", err = "" }, result)
    end)

    it("shares the counter of the manual", function()
        assert.equal("3\n", support.output [[
            local counter = require "counter".new(1)
            local lanes = require "lanes".configure()
            lanes.gen("*", function(c) c:add() end)(counter):join()
            print(counter:add())
        ]])
    end)

    it("is found in lanes for which the host loads lanes.lua", function()
        assert.equal("inner\n", output("lua", "null", [[
            local lanes = ...
            lanes.configure { on_state_create = function()
                if package then package.preload.lanes = function() return dofile "lanes.lua" end end
            end }
            print(lanes.gen("*", function()
                return require "lanes".gen("base,package,string,table", function() return require "lanes" and "inner" end)()[1]
            end)()[1])
        ]]))
    end)
end)
