-- Generates the text of random programs with the 4.x interface, from a seed; the same seed gives the same text on every Lua.
local generator = {}

-- Steps of spec/random/four.lua, by weight, each with what its arguments are picked from.
local MODES = { '"none"', '"set/get"', '"send/receive"' }
local SHAPES = { 1, 2, 3, 4 }
local STEPS = {
    { 8, "model", { 5, 20, 60 }, "seed" },
    { 4, "coroutine", { 0, 1, 3, 10 }, SHAPES, { '"close"', '"join"', '"index"', '"drop"' } },
    { 4, "asked", { 0, 1, 4 }, { '"soft"', '"hard"', '"count", 1', '"all", 10' }, { "true", "false" }, { '"obeys"', '"ignores"' } },
    { 2, "raced", { 1, 5, 30 }, { '"soft"', '"hard"' } },
    { 3, "wake", { '"read"', '"write"', '"both"' }, { '"receive"', '"batch"', '"send"', '"select"', '"lock"' }, { "nil", "0.002" } },
    { 3, "closes", { '"return"', '"error"', '"lane"', '"received"', '"suspended"' }, SHAPES },
    { 3, "stream", { 1, 2, 3 }, { 1, 5, 20 }, { '"unlimited"', 1, 3 }, { '"one"', '"batch"', '"select"' }, SHAPES },
    { 2, "toggle", { 5, 20 }, MODES, MODES },
    { 2, "sleep", { "0", "0.001" } },
    { 2, "collect", { '"collect"', '"step"' } },
    { 2, "rest", { '"yield"', '"receive"', '"sleep"', '"resume"' } },
    { 3, "pause", SHAPES },
    { 3, "lane", { "gen", "coro" } },
}
local WEIGHT = 0
for _, step in ipairs(STEPS) do WEIGHT = WEIGHT + step[1] end

-- A generator of numbers: minimal standard, exact in floats as in integers.
local function numbers(seed)
    local state = seed % 2147483646 + 1
    local function random(m, n)
        state = state * 16807 % 2147483647
        return m + state % (n - m + 1)
    end
    for _ = 1, 10 do random(0, 1) end
    return random
end
generator.numbers = numbers

--- A random program: steps, some of which are lanes with steps.
-- @param seed a number @param size the number of steps @return the plan, to be written with `generator.text`
function generator.plan(seed, size)
    local random = numbers(seed)
    local made = 0
    local steps_of

    local function step(depth)
        made = made + 1
        local at, chosen = random(1, WEIGHT), nil
        for _, candidate in ipairs(STEPS) do
            at = at - candidate[1]
            if at <= 0 then
                chosen = candidate
                break
            end
        end
        if chosen[2] == "lane" then
            if depth == 3 then return "r:collect('step')" end
            return { how = chosen[3][random(1, 2)], asked = random(1, 5) == 1, steps = steps_of(depth + 1, random(1, 6)) }
        end
        local arguments = {}
        for i = 3, #chosen do
            local from = chosen[i]
            arguments[#arguments + 1] = tostring(from == "seed" and random(1, 1000000) or from[random(1, #from)])
        end
        return ("r:%s(%s)"):format(chosen[2], table.concat(arguments, ", "))
    end

    function steps_of(depth, count)
        local steps = {}
        for _ = 1, count do
            if made < size then steps[#steps + 1] = step(depth) end
        end
        return steps
    end

    local plan = { steps = {} }
    while made < size do plan.steps[#plan.steps + 1] = step(0) end
    return plan
end

--- The text of a program.
-- @param plan from `generator.plan` @param left_out nil, or a set of the numbers of steps that are left out @return the text,
-- and the number of all steps of the plan
function generator.text(plan, left_out)
    local lines, count = {}, 0
    local function line(depth, ...) lines[#lines + 1] = ("    "):rep(depth) .. string.format(...) end

    local function write(steps, depth, written)
        for _, step in ipairs(steps) do
            count = count + 1
            local here = written and not (left_out and left_out[count])
            if type(step) == "string" then
                if here then line(depth, "%s", step) end
            else
                if here then
                    line(depth, "r:keep(%s, require 'lanes'.%s('*', function(...)", tostring(step.asked), step.how)
                    line(depth + 1, "local r = require 'random.four'.lane(%s, ...)", tostring(step.how == "coro"))
                end
                write(step.steps, depth + 1, here)
                if here then
                    line(depth + 1, "return r:done()")
                    line(depth, "end)(r:child(), r.logs))")
                end
            end
        end
    end

    -- Each stage of the end of the program lasts longer than the program may take: all lanes obey the first request.
    line(0, "local lanes = require 'lanes'.configure { api = 4, track_lanes = true, shutdown_timeout = 3600 }")
    line(0, "local four = require 'random.four'")
    line(0, "local r = four.main(lanes)")
    write(plan.steps, 0, true)
    line(0, "four.check(r)")
    return table.concat(lines, "\n") .. "\n", count
end

return generator
