-- Ways to end a program: for each, a description, its name in the programs of this directory, the exit code, and a function that
-- checks standard error.
local support = require "support"
local assert = require "luassert"

local ways = {}

local function nothing(err) assert.equal("", err) end

local function report(message)
    return function(err) support.reports(message, err) end
end

ways.list = {
    { "falls off its end", "fall", 0, nothing },
    { "fails", "error", 1, report "the program fails on purpose" },
    { "calls os.exit", "exit", 7, nothing },
    { "calls os.exit and closes its state", "close", 7, nothing },
    { "is a state of a host that lives on", "host", 0, nothing },
    { "is ended by SIGTERM", "SIGTERM", 143, function(err) assert.equal("Terminated\n", err) end }, -- which the shell says
    { "is interrupted by Ctrl-C", "SIGINT", 1, report "interrupted!" },
}

--- A limit in seconds that only a hang exceeds: the programs wait 0.05 s for lanes that do not end.
ways.LIMIT = 60

return ways
