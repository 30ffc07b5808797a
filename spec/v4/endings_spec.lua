-- The 4.x interface: how a program ends while its lanes run or are suspended, for each way to end and each activity of lanes; and with
-- functions of lanes.finally that fail, leave lanes, or never end.
local support = require "support"
local needs = require "needs"
local host = require "host"
local ways = require "endings.ways"

-- What lanes do, and what the function of lanes.finally is told: whether all have ended; nil where that depends on the time that they
-- have.
local activities = {
    { "waiting", true }, { "sleeping for ever", true }, { "spinning" }, { "spinning under pcall", false },
    { "suspended", true }, { "suspended, and nobody has them", true }, { "suspended again and again" },
    { "suspended, with an answer under way", true }, { "suspended, with a variable that waits when it is closed", true },
    { "resumed by another lane", true }, { "in a resume, for a lane that is not suspended", true },
    { "in a join, for a lane that closes", true }, { "in a finalizer that waits", true }, { "in a finalizer that spins", false },
    { "starting coroutine lanes" }, { "launching lanes, and waiting for them", true }, { "finishing", true },
}

-- Functions of lanes.finally, and the exit code where they determine it, with lanes left and without.
local handlers = {
    { "none" }, { "leaves" }, { "fails" }, { "throws" }, { "returns" }, { "freezes", 143, nil }, { "spins", 143, 143 },
    { "waits", 143, 143 }, { "joins", 143, 143 }, { "exits", 9, 9 },
}

-- The master state is not closed. (os.exit of Lua 5.1 never closes it.)
local unclosed = { exit = true, SIGTERM = true, close = support.lua == "5.1" }

local program

-- Runs the program, and checks what it prints and its exit code.
local function check(way, activity, handler, exits)
    local _, name, code, check_err = way[1], way[2], way[3], way[4]
    local words = { activity[1], name, handler }
    local result
    if name == "host" then
        result = host.run(ways.LIMIT, "run", "spec/endings/four.lua", (unpack or table.unpack)(words))
    else
        result = support.run(program, { arguments = words, timeout = ways.LIMIT })
    end
    local case = table.concat(words, ", ") .. ": " .. result.err .. result.out
    local ended = result.out:match "^finally (%a+)\n"
    if unclosed[name] or handler == "none" then
        assert.is_nil(ended, case)
    elseif activity[2] ~= nil then
        assert.equal(tostring(activity[2]), ended, case)
    else
        assert.is_truthy(ended, case)
    end
    local exit = not unclosed[name] and exits and exits[ended == "false" and 1 or 2]
    assert.equal(exit or code, result.code, case)
    if not exit then
        check_err(result.err)
        if name == "host" then assert.equal("the host lives on\n", (result.out:gsub("^finally %a+\n", "")), case) end
    end
end

local function it_for(name, it)
    return name == "host" and host.needed(it) or name == "SIGTERM" and needs.posix("signals that end a process", it) or it
end

for _, way in ipairs(ways.list) do
    describe("a program with the 4.x interface that " .. way[1], function()
        setup(function() program = support.read "spec/endings/four.lua" end)

        for _, activity in ipairs(activities) do
            it_for(way[2], it)("ends while lanes are " .. activity[1], function()
                check(way, activity, "uses")
            end)
        end

        -- With lanes that end, and with lanes that do not.
        for _, handler in ipairs(unclosed[way[2]] and {} or handlers) do
            local exits = handler[2] and { handler[2], handler[3] }
            local it_here = it_for(way[2], it)
            if exits and exits[1] == 143 then it_here = needs.posix("signals that end a process", it_here) end
            it_here("ends although lanes.finally has a function that " .. handler[1], function()
                for _, activity in ipairs { activities[1], activities[4], activities[5] } do
                    check(way, activity, handler[1], exits)
                end
            end)
        end
    end)
end
