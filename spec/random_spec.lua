-- Random programs of lanes: whatever they do, every value that is sent is received at most once, in order, and none is lost.
-- LANES_RANDOM_SECONDS says for how long (default 12), LANES_RANDOM_SEED which program is the first.
local support = require "support"
local generator = require "random.generator"
local shrink = require "random.shrink"

local seconds = tonumber(os.getenv "LANES_RANDOM_SECONDS") or 12
-- Luas that begin in the same second take different programs: the system puts a table of each on another page.
local page = math.floor(tonumber(tostring({}):match "(%x+)$", 16) / 4096) % 1000
local first = math.floor(tonumber(os.getenv "LANES_RANDOM_SEED") or (os.time() % 1000 * 1000 + page) * 1000)

-- Seconds after which a program counts as hanging, as `machine.run` has them. `runtime.LIMIT` is less: a lane that hangs is named.
local LIMIT = 100

-- Seconds in which a program that fails is made smaller, and the limit of each smaller one. All of these together end within what
-- ci/test adds to LANES_RANDOM_SECONDS.
local SHRINKING, SMALLER_LIMIT = 60, 10

-- How often a smaller program runs before it counts as one that does not fail: scheduling is not the seed's.
local ATTEMPTS = 5

-- The longest random delay of its threads, in microseconds, is the seed's too: none in every second program.
local DELAYS = { 0, 100, 0, 2000, 0, 20000 }

local function delays_of(seed)
    return DELAYS[seed % #DELAYS + 1]
end

-- Large programs are rare.
local function plan_of(seed)
    return generator.plan(seed, 20 + seed % 7 * 15)
end

-- Prints at once, for a run that is ended from outside.
local function say(...)
    print(string.format(...))
    io.stdout:flush()
end

-- Runs a program, with delays or without. Returns what is wrong with it and whether something hangs, or nil and what it printed.
local function problem_of(text, delays, limit)
    -- With a limit of its own it may hang, which Lanes is not to end (LANES_DEADLOCK).
    local environment = { LANES_DELAYS = delays or 0, LANES_DEADLOCK = not limit and os.getenv "LANES_DEADLOCK" or false }
    local result = support.run(text, { timeout = limit or LIMIT, environment = environment })
    if result.code == 0 and result.err == "" then return nil, result.out end
    local hangs = result.code == 124 or result.code == 137 or result.err:find("lanes hang", 1, true) ~= nil
    return ("it ended with code %d and this on standard error:\n%s"):format(result.code, result.err), hangs
end

local function report(seed, text, problem, hangs)
    local delays = delays_of(seed)
    local what = ("the program of LANES_RANDOM_SEED=%d (with LANES_DELAYS=%d) fails: %s"):format(seed, delays, problem)
    say("%s\nIt is made smaller.", what)
    local deadline = os.time() + SHRINKING
    local function goes_on() return os.time() < deadline end
    -- A smaller program that fails in another way may only have been too slow.
    local smallest = shrink(plan_of(seed), function(candidate)
        local attempts = 0
        repeat
            local found, hangs_too = problem_of(candidate, delays, SMALLER_LIMIT)
            if found and hangs_too == hangs then return true end
            attempts = attempts + 1
        until attempts == ATTEMPTS or not goes_on()
        return false
    end, goes_on)
    error(("%s\n%s\nmade smaller:\n%s"):format(what, smallest == text and "" or text, smallest))
end

describe("random programs", function()
    it("lose nothing, duplicate nothing and keep the order", function()
        say("The first seed is %d.", first)
        local begin, seed, count = os.time(), first, 0
        local lanes, sent = 0, 0
        repeat
            local text = generator.text(plan_of(seed))
            local problem, detail = problem_of(text, delays_of(seed))
            if problem then report(seed, text, problem, detail) end
            local made, values, received = detail:match "(%d+) lanes, (%d+) sent, (%d+) received"
            assert.is_truthy(received)
            lanes, sent = lanes + made, sent + values
            seed, count = seed + 1, count + 1
        until os.time() - begin >= seconds
        print(("LANES_RANDOM_SEED=%d: %d programs, %d lanes, %d values sent"):format(first, count, lanes, sent))
        assert.is_true(lanes > 0 and sent > 0)
    end)

    -- The oracle has eyes: each of these does one thing behind its back.
    local BEGIN, END = generator.text({ steps = {} }):match "^(.*)(runtime%.check.*)$"

    local function finds(expected, fault, limit)
        local problem, hangs = problem_of(BEGIN .. fault .. "\n" .. END, 0, limit)
        support.contains(expected, problem or "nothing was found")
        return hangs
    end

    it("are found out when they lose a value", function()
        finds("1 were lost, 0 may be: main:Linda: hub,a:2", [[
            r:send(1, 1, 3, 6, 0)
            r:receive(1, 1, nil, 0)
            hub:receive(0, "a")
        ]])
    end)

    it("are found out when they duplicate a value", function()
        finds("main:Linda: hub,a:1 was received by main and by left", [[
            r:send(1, 1, 1, 6, 0)
            r:receive(1, 1, nil, 0)
            hub:send("a", "main:Linda: hub,a:1")
        ]])
    end)

    it("are found out when they change the order", function()
        finds("main:Linda: hub,a:1 came to main after 2", [[
            r:send(1, 1, 2, 6, 0)
            local _, value = hub:receive(0, "a")
            hub:send("a", value)
            r:receive(1, 1, nil, 0)
            r:receive(1, 1, nil, 0)
        ]])
    end)

    it("are found out when they receive what nobody sent", function()
        finds("main:Linda: hub,a:7 was received by left and never sent", [[hub:send("a", "main:Linda: hub,a:7")]])
    end)

    it("are found out when a sum is wrong", function()
        finds("the sum is 1", "add(1)")
    end)

    it("are found out when a module is loaded twice", function()
        finds("module 'twice' is loaded twice in one state", [[
            modules.define("twice", nil, function() end)
            modules.own "twice"
            package.loaded.twice = nil
            modules.own "twice"
        ]])
    end)

    it("are found out when a lane has a copy of a module", function()
        finds("module 'copied' is a copy", [[
            modules.define("copied", nil, function() end)
            modules.own "copied"
            package.loaded.copied = { name = "copied" }
            modules.check(modules.latest(), "copied")
        ]])
    end)

    it("are found out when a circle is not refused", function()
        finds("module 'circle' should have been refused: false, true", [[
            modules.define("circle", nil, function() end)
            modules.circle("circle", "join")
        ]])
    end)

    -- Steps without a limit of time hang when a value, or the wake-up for it, does not come.
    it("are found out when a step waits for ever", function()
        local hangs = finds("it ended with code 124", [[
            local Lane = getmetatable(r)
            local pour = Lane.pour
            function Lane.pour(self, linda, key, count, ...) return pour(self, linda, key, count - 1, ...) end
            r:stream({ "one" }, 3, -1, 1, 1, 6, false)
        ]], 3)
        assert.is_true(hangs)
    end)

    it("are found out when a lane waits for ever", function()
        local hangs = finds("1 lanes hang", [[
            runtime.LIMIT = 0.2
            local hanging = lanes.gen("*", function() hub:receive "nothing" end)()
        ]])
        assert.is_true(hangs)
    end)

    it("are found out when a lane does not end at the first request of the end of the program", function()
        local hangs = finds("it ended with code 124", [[
            local deaf = lanes.gen("*", function()
                set_debug_threadname "rests"
                while true do end
            end)()
        ]], 3)
        assert.is_true(hangs)
    end)

    it("are made smaller", function()
        local plan = generator.plan(5, 60)
        local text = shrink(plan, function(candidate) return candidate:find("r:receive", 1, true) ~= nil end, function() return true end)
        local _, steps = text:gsub("r:receive", "")
        assert.equal(1, steps)
        assert.is_nil(text:find("r:send", 1, true))
    end)
end)
