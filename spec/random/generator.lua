-- Generates the text of random programs of lanes, from a seed; the same seed gives the same text on every Lua.
local generator = {}

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

-- Steps, by weight.
local STEPS = {
    { 14, "send" }, { 14, "receive" }, { 6, "batch" }, { 3, "set" }, { 3, "get" }, { 3, "limit" }, { 2, "look" }, { 1, "cancel_linda" },
    { 3, "new_linda" }, { 3, "add" }, { 2, "lock" }, { 2, "sleep" }, { 2, "spin" }, { 2, "collect" }, { 1, "timer" },
    { 1, "finalizer" }, { 6, "spawn" },
    { 3, "drop" }, { 4, "join" }, { 4, "cancel" },
    { 3, "stream" }, { 2, "exchange" }, { 2, "release" }, { 2, "share" }, { 2, "rest" }, { 3, "wake" },
}
-- Those that launch lanes of their own and wait for them.
local WAITING = { stream = true, exchange = true, release = true, share = true, rest = true, wake = true }
local WEIGHT = 0
for _, step in ipairs(STEPS) do WEIGHT = WEIGHT + step[1] end

-- Modes of cancellation, as the arguments of `handle:cancel`.
local FORCE = [["hard", 0.01, true, 0.01]] -- by hooks, at last
local SOFT_OR_HARD = { [["soft", 0]], [["soft", 0, true]], [["soft", 0.01, true]], [["hard", 0]], [["hard", 0.01]], FORCE }
local HOOKS = { [["count", 100, 0]], [["count", 1, 0.01]], [["line", 1, 0]], [["call", 1, 0.01]], [["ret", 1, 0]] }

-- How many copies of one lane a program has at most: a loop that starts a lane may be in a lane that a loop starts.
local MOST = 100

-- In how many copies a step is at most that launches lanes of its own.
local MOST_WAITING = 8

--- A random program: a lane with steps, some of which are lanes.
-- @param seed a number
-- @param size about how many steps there are
-- @return the plan of its main lane, to be written with `generator.text`
function generator.plan(seed, size)
    local random = numbers(seed)
    local lanes_made, steps_made = 0, 0

    local function pick(list) return list[random(1, #list)] end

    local timeouts = { "0", "0", "0.0001", "0.001", "0.005" }

    local takers = { "one", "one", "either", "impatient", "batch", "some" }
    local rests = { "receive", "batch", "send", "lock", "sleep" }

    local lane

    -- A step that waits without a limit.
    local function waiting_step(kind)
        if kind == "stream" then
            local names = {}
            for i = 1, random(1, 3) do names[i] = ("%q"):format(pick(takers)) end
            local chunk, batch = random(1, 3), random(1, 4)
            local limit = pick { batch + chunk - 1, batch + chunk - 1, batch + chunk, -1 }
            return ("r:stream({ %s }, %d, %d, %d, %d, %d, %s)"):format(table.concat(names, ", "), random(1, 8), limit, chunk, batch,
                random(1, 6), tostring(random(1, 3) == 1))
        elseif kind == "exchange" then
            return ("r:exchange(%d, %d)"):format(random(1, 10), random(1, 6))
        elseif kind == "release" then
            return ("r:release(%d, %d, %s, %s, %d)"):format(random(1, 3), random(1, 4), pick { "-1", "1", "1", "2", '"set"' },
                pick { "0", "0.001" }, random(1, 6))
        elseif kind == "share" then
            return ("r:share(%d, %d, %d)"):format(random(1, 3), random(1, 5), random(2, 3))
        elseif kind == "rest" then
            return ("r:rest(%q)"):format(pick(rests))
        end
        return ("r:wake(%q, %q, %s)"):format(pick(rests), pick { "soft", "hard" }, pick { "0", "0.001" })
    end

    local function step(plan, depth)
        local at = random(1, WEIGHT)
        local kind
        for _, candidate in ipairs(STEPS) do
            at = at - candidate[1]
            if at <= 0 then
                kind = candidate[2]
                break
            end
        end
        if (kind == "drop" or kind == "join" or kind == "cancel") and #plan.children == 0 then kind = "spawn" end
        if WAITING[kind] and plan.copies * plan.times > MOST_WAITING then kind = "send" end
        if kind == "spawn" and (depth >= 4 or lanes_made > 40) then kind = "send" end
        if WAITING[kind] then return waiting_step(kind) end
        local linda, key = random(1, 6), random(1, 3)
        if kind == "send" then
            return ("r:send(%d, %d, %d, %d, %s)"):format(linda, key, pick { 1, 1, 1, 2, 5 }, random(1, 6), pick(timeouts))
        elseif kind == "receive" then
            return ("r:receive(%d, %d, %s, %s)"):format(linda, key, pick { "nil", "1", "3" }, pick(timeouts))
        elseif kind == "batch" then
            local least = random(1, 3)
            return ("r:batch(%d, %d, %d, %d, %s)"):format(linda, key, least, least + random(0, 3), pick(timeouts))
        elseif kind == "set" or kind == "get" or kind == "look" then
            return ("r:%s(%d)"):format(kind, linda)
        elseif kind == "limit" then
            return ("r:limit(%d, %d)"):format(linda, pick { -1, 0, 1, 2, 5 })
        elseif kind == "cancel_linda" then
            return ("r:cancel_linda(%d, %q)"):format(linda, pick { "read", "write", "both", "none", "none", "none" })
        elseif kind == "new_linda" or kind == "finalizer" then
            return ("r:%s()"):format(kind)
        elseif kind == "add" then
            return "r:add(add)"
        elseif kind == "lock" then
            return ("r:lock(lock, %d)"):format(random(1, 3))
        elseif kind == "sleep" then
            return ("r:sleep(%s)"):format(pick(timeouts))
        elseif kind == "spin" then
            return ("r:spin(%d)"):format(pick { 10, 1000, 20000 })
        elseif kind == "collect" then
            return ("r:collect(%q)"):format(pick { "collect", "step", "step" })
        elseif kind == "timer" then
            return ("r:timer(%d, %s, %s)"):format(linda, pick { "0", "0.001", "1000", "nil" }, pick { "nil", "0.001" })
        elseif kind == "spawn" then
            local child = lane(depth + 1, plan.copies * plan.times)
            plan.children[#plan.children + 1] = child
            return child
        elseif kind == "drop" then
            return ("r:drop(%d)"):format(pick(plan.children).id)
        elseif kind == "join" then
            return ("r:join(%d, %s)"):format(pick(plan.children).id, pick { "0", "0.001", "0.05" })
        end
        local child = pick(plan.children)
        local mode = pick(child.hooked and HOOKS or SOFT_OR_HARD)
        if mode == FORCE then child.forced = true end
        return ("r:cancel(%d, %s)"):format(child.id, mode)
    end

    function lane(depth, copies)
        lanes_made = lanes_made + 1
        local plan = {
            id = lanes_made, children = {}, steps = {}, hooked = random(1, 3) == 1, forced = false, reports = random(1, 3) == 1,
            times = pick { 1, 1, 2, 8 }, copies = copies,
        }
        if copies * plan.times > MOST then plan.times = 1 end
        for _ = 1, random(3, depth == 0 and 30 or 15) do
            if steps_made >= size then break end
            steps_made = steps_made + 1
            plan.steps[#plan.steps + 1] = step(plan, depth)
        end
        if depth > 0 and random(1, 6) == 1 then plan.steps[#plan.steps + 1] = "r:fail()" end
        return plan
    end

    local plan = lane(0, 1)
    while steps_made < size do
        steps_made = steps_made + 1
        plan.steps[#plan.steps + 1] = step(plan, 0)
    end
    plan.times = 1
    return plan
end

--- The text of a program.
-- @param plan from `generator.plan`
-- @param left_out nil, or a set of the numbers of steps that are left out (a lane is a step of its parent's)
-- @return the text, and how many steps the plan has in all
function generator.text(plan, left_out)
    local lines, count = {}, 0
    local function line(depth, ...) lines[#lines + 1] = ("    "):rep(depth) .. string.format(...) end

    -- Numbers are given to steps that are left out too, so that they stay the same.
    local function write(steps, depth, written)
        for _, step in ipairs(steps) do
            count = count + 1
            local here = written and not (left_out and left_out[count])
            if type(step) == "string" then
                if here then line(depth, "%s", step) end
            else
                if here then
                    line(depth, "r:keep(%d, require 'lanes'.gen('*', %sfunction(id, logs, hub, add, lock)", step.id,
                        step.reports and "{ gc_cb = function(...) r:collected(...) end }, " or "")
                    line(depth + 1, "local r = require 'random.runtime'.lane(id, %s, logs, hub)",
                        tostring(step.hooked or step.forced))
                    if step.times > 1 then line(depth + 1, "for _ = 1, %d do", step.times) end
                end
                write(step.steps, depth + 2, here)
                if here then
                    if step.times > 1 then line(depth + 1, "end") end
                    line(depth + 1, "do return 'done' end")
                    line(depth, "end)(r:child(), logs, r:linda(%d), add, lock))", step.id)
                end
            end
        end
    end

    -- Lanes that rest have to notice the first request to end: the second one comes at half of this time, when the program counts as
    -- hanging.
    line(0, "local lanes = require 'lanes'.configure { track_lanes = true, shutdown_timeout = 1000 }")
    line(0, "local runtime = require 'random.runtime'")
    line(0, "local logs, hub = lanes.linda 'logs', lanes.linda 'hub'")
    line(0, "local tools = lanes.linda 'tools'")
    line(0, "local add, lock = lanes.genatomic(tools, 'sum', 0), lanes.genlock(tools, 'lock', 3)")
    line(0, "local r = runtime.lane('main', false, logs, hub)")
    line(0, "r:new_linda()")
    line(0, "r:new_linda()")
    write(plan.steps, 0, true)
    line(0, "runtime.check(r, logs, add, lock)")
    return table.concat(lines, "\n") .. "\n", count
end

return generator
