-- How a program ends while its lanes run: each way to end, for each activity of lanes, with and without timers.
-- LANES_ENDINGS is the number of runs of each combination (default 1).
local support = require "support"
local needs = require "needs"
local machine = require "machine"
local host = require "host"
local ways = require "endings.ways"

local repetitions = tonumber(os.getenv "LANES_ENDINGS") or 1

local activities = {
    "waiting", "sending", "sleeping", "spinning", "spinning under pcall", "waiting under pcall", "in os.execute", "in a read", "starting",
    "starting lanes", "finishing", "in a finalizer that waits", "in a finalizer that spins", "in require",
    "loading a module that waits", "loading a module that spins", "loading a module that is in os.execute",
    "launching others that wait to load a module", "on stacks of other sizes",
    "a pool with tasks", "a pool with nothing to do", "a pool with tasks that spin", "a select on two lindas", "a wait for lanes",
    "within a scope", "in a scope of the main state",
    "monitored", "a supervisor with children", "a supervisor whose children fail",
    "waiting for notifiers", "waiting in coroutines of a loop of luv", "waiting in a callback of luv", "spinning in a callback of luv",
}

-- The module required by the activity "in require".
local MODULE = [[
    io.open(%q, "w"):close()
    require "lanes".sleep(1000)
]]

for _, ending in ipairs(ways.list) do
    local what, name, code, check = ending[1], ending[2], ending[3], ending[4]
    describe("a program that " .. what, function()
        local directory, program

        setup(function()
            directory = support.directory {}
            support.write(directory .. "/module_that_waits.lua", MODULE:format(directory .. "/required"))
            program = support.read "spec/endings/program.lua"
        end)

        teardown(function() support.remove_directory(directory) end)

        local function run(...)
            if name == "host" then return host.run(ways.LIMIT, "run", "spec/endings/program.lua", ...) end
            return support.run(program, { arguments = { ... }, timeout = ways.LIMIT })
        end

        local it = name == "host" and host.needed(it) or name == "SIGTERM" and needs.posix("signals that end a process", it) or it
        for _, activity in ipairs(activities) do
            it("ends while lanes are " .. activity, function()
                if activity:find "luv" and not pcall(require, "luv") then
                    return needs.pending "need luv (the module), which is not there for this Lua"
                end
                if machine.is_musl() and activity == "in a read" and name ~= "SIGTERM" and name ~= "SIGINT" then
                    return needs.pending "need an exit of the C library that waits for no reader, which musl does not have"
                end
                if machine.is_musl() and activity:find "in os.execute$" and name == "SIGINT" then
                    return needs.pending "need an os.execute that gives Ctrl-C back when several threads use it, which musl does not have"
                end
                for _ = 1, repetitions do
                    for _, timers in ipairs { "timers", "none" } do
                        local result = run(activity, name, timers, directory)
                        local case = timers .. ", standard error: " .. result.err
                        assert.equal(code, result.code, case)
                        check(result.err)
                        if name == "host" then assert.equal("the host lives on\n", result.out, case) end
                    end
                end
            end)
        end
    end)
end
