-- Random programs with the 4.x interface: lanes that are coroutines, restrictions, wake-ups, close handlers and conversions, in any
-- order, with lanes in lanes; each call must return what the oracle (spec/random/four.lua) says.
-- LANES_RANDOM_SECONDS says for how long (default 12, a third of which is for these), LANES_RANDOM_SEED which program is the first.
local support = require "support"
local generator = require "random.four_generator"
local shrink = require "random.shrink"

local seconds = (tonumber(os.getenv "LANES_RANDOM_SECONDS") or 12) / 3
local page = math.floor(tonumber(tostring({}):match "(%x+)$", 16) / 4096) % 1000
local first = math.floor(tonumber(os.getenv "LANES_RANDOM_SEED") or (os.time() % 1000 * 1000 + page) * 1000)

-- Seconds after which a program counts as hanging; those in which one that fails is made smaller, and the limit of the smaller ones.
local LIMIT, SHRINKING, SMALLER_LIMIT = 100, 60, 10
-- How often a smaller program runs before it counts as one that does not fail.
local ATTEMPTS = 5
-- The longest random delay of threads, in microseconds, by seed.
local DELAYS = { 0, 100, 0, 2000, 0, 20000 }

local function delays_of(seed) return DELAYS[seed % #DELAYS + 1] end

local function plan_of(seed) return generator.plan(seed, 10 + seed % 7 * 10) end

-- Runs a program. Returns what is wrong with it, or nil.
local function problem_of(text, delays, limit)
    local environment = { LANES_DELAYS = delays, LANES_DEADLOCK = not limit and os.getenv "LANES_DEADLOCK" or false }
    local result = support.run(text, { timeout = limit or LIMIT, environment = environment })
    if result.code == 0 and result.err == "" and result.out:find "all lanes have ended: true\n$" then return nil end
    return ("it ended with code %d, %q on standard output, and this on standard error:\n%s"):format(result.code, result.out, result.err)
end

local function report(seed, text, problem)
    local what = ("the program of LANES_RANDOM_SEED=%d (with LANES_DELAYS=%d) fails: %s"):format(seed, delays_of(seed), problem)
    print(what .. "\nIt is made smaller.")
    io.stdout:flush()
    local deadline = os.time() + SHRINKING
    local function goes_on() return os.time() < deadline end
    local smallest = shrink(plan_of(seed), function(candidate)
        local attempts = 0
        repeat
            if problem_of(candidate, delays_of(seed), SMALLER_LIMIT) then return true end
            attempts = attempts + 1
        until attempts == ATTEMPTS or not goes_on()
        return false
    end, goes_on, generator.text)
    error(("%s\n%s\nmade smaller:\n%s"):format(what, text, smallest))
end

describe("random programs with the 4.x interface", function()
    it("do what the oracle says", function()
        print(("The first seed is %d."):format(first))
        io.stdout:flush()
        local begin, seed, count = os.time(), first, 0
        repeat
            local text = generator.text(plan_of(seed))
            local problem = problem_of(text, delays_of(seed))
            if problem then report(seed, text, problem) end
            seed, count = seed + 1, count + 1
        until os.time() - begin >= seconds
        print(("LANES_RANDOM_SEED=%d: %d programs"):format(first, count))
        assert.is_true(count > 0)
    end)

    -- The oracle has eyes: each of these does one thing behind its back.
    local BEGIN, END = generator.text({ steps = {} }):match "^(.*)(four%.check.*)$"

    local function finds(expected, fault, limit)
        local problem = problem_of(BEGIN .. fault .. "\n" .. END, 0, limit)
        support.contains(expected, problem or "nothing was found")
    end

    it("are found out when an operation does something else", function()
        finds("operation ", [[
            local linda = lanes.linda
            function lanes.linda(...)
                local real = linda(...)
                return setmetatable({}, { __index = function(_, name)
                    if name == "status" then return real.status end
                    return function(_, ...)
                        -- A restriction that does not hold.
                        if name == "restrict" then return "none" end
                        return real[name](real, ...)
                    end
                end })
            end
            r:model(200, 1)
        ]])
    end)

    it("are found out when a lane gets other values than those of resume", function()
        finds("the number of arguments of resume", [[
            local coro = lanes.coro
            function lanes.coro(...)
                local generator = coro(...)
                return function(...)
                    local real = generator(...)
                    return setmetatable({}, { __index = function(_, name)
                        if name == "resume" then return function() return real:resume() end end
                        if type(real[name]) ~= "function" then return real[name] end
                        return function(_, ...) return real[name](real, ...) end
                    end })
                end
            end
            r:coroutine(3, 1, "join")
        ]])
    end)

    it("are found out when an element is lost, or comes late", function()
        finds("the next value of a sender", [[
            local Lane = getmetatable(r)
            local stream = Lane.stream
            local linda = lanes.linda
            function lanes.linda()
                local made = linda()
                made:send("slot", { 1, 2 })
                return made
            end
            stream(r, 1, 3, "unlimited", "one", 1)
        ]])
    end)

    it("are found out when a lane waits for ever", function()
        finds("it ended with code 124", [[
            lanes.linda().receive(lanes.linda(), "never")
        ]], 3)
    end)

    it("are found out when a lane fails", function()
        finds("on purpose", [[
            r:keep(false, lanes.gen("*", function(...)
                local r = require "random.four".lane(false, ...)
                error("on purpose")
                return r:done()
            end)(r:child(), r.logs))
        ]])
    end)

    it("are found out when a lane does not end at the first request", function()
        finds("it ended with code 124", [[
            local deaf = lanes.gen("*", function() while true do pcall(require "lanes".sleep, 0.001) end end)()
        ]], 3)
    end)

    it("are made smaller", function()
        local plan = generator.plan(5, 60)
        local text = shrink(plan, function(candidate) return candidate:find("r:model", 1, true) ~= nil end, function() return true end,
            generator.text)
        local _, steps = text:gsub("r:model", "")
        assert.equal(1, steps)
        assert.is_nil(text:find("r:stream", 1, true))
    end)
end)
