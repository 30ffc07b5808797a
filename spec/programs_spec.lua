-- Typical programs that use Lanes, each in a fresh interpreter and for thousands of iterations.
local support = require "support"
local needs = require "needs"

-- Name, purpose, arguments and expected output.
local programs = {
    { "parallel_map", "maps in parallel over integer keys with nil timeouts", { 5000 },
        "5000 results, sum 41679167500, 0 slots left\n" },
    { "worker_pool", "answers requests on keys that are used once", { 5000 },
        "5000 right replies, left: requests=0\n" },
    { "log_writer", "writes a log from lanes that a Lua function prepared, to the last line", { 2000, "lua" },
        "8000 lines, in order\n" },
    { "log_writer", "writes a log from lanes that a C function prepared, to the last line", { 2000, "c" },
        "8000 lines, in order\n" },
    { "scheduler", "schedules by polling shared state from many lanes", { 2000 },
        "2000 turns, fewest 250, most 250\n" },
    { "producer_consumer", "joins producers and consumers by a limited slot", { 3000 },
        "9000 goods, sum 13504500, left 0\n" },
    { "socket_lane", "serves sockets from a lane's own event loop", { 1000 },
        "3000 lines echoed, 3000 served to 3 clients\n" },
    { "drop_handles", "works without a single handle", { 2000 },
        "2000 reported, 200 failed\n" },
}

for _, program in ipairs(programs) do
    local name, purpose, arguments, expected = program[1], program[2], program[3], program[4]
    describe("the program " .. name, function()
        local it = name == "socket_lane" and needs.module("socket", "LuaSocket", it) or it
        it(purpose, function()
            local text = support.read("spec/programs/" .. name .. ".lua")
            assert.equal(expected, support.output(text, { arguments = arguments, timeout = 120 }))
        end)
    end)
end
