-- Generates the text of random programs of lanes, from a seed; the same seed gives the same text on
-- every Lua.
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
    { 2, "hooks" }, { 2, "outlive_hooks" }, { 1, "runaway" }, { 1, "recurse" }, { 2, "own" }, { 8, "use" }, { 2, "pool" },
    { 3, "choose" }, { 2, "await" }, { 3, "scope" }, { 2, "watch" },
}
-- Steps that launch lanes and wait for them.
local WAITING = {
    stream = true, exchange = true, release = true, share = true, rest = true, wake = true, outlive_hooks = true, use = true, pool = true,
    choose = true, await = true, scope = true, watch = true,
}
local WEIGHT = 0
for _, step in ipairs(STEPS) do WEIGHT = WEIGHT + step[1] end

-- Modes of cancellation, as the arguments of `handle:cancel`.
local FORCE = [["hard", 0.01, true, 0.01]] -- by hooks, at last
local SOFT_OR_HARD = { [["soft", 0]], [["soft", 0, true]], [["soft", 0.01, true]], [["hard", 0]], [["hard", 0.01]], FORCE }
-- Ways in which a lane gets a module, and ways to wait for its end: keys in
-- spec/random/modules.lua.
local WAYS = { "body", "required", "upvalue", "argument", "global", "metatable", "function", "linda" }
local WAITS = { "join", "index", "cancel" }

-- Stack sizes of lanes, in bytes: the system's, and others. Steps that recurse in C use the last
-- one.
local STACKS = { "nil", "nil", "nil", "2 ^ 19", "2 ^ 21", "2 ^ 24" }
local LARGE = STACKS[#STACKS]

-- The number of shapes of values (`dressed` in spec/random/runtime.lua).
local SHAPES = 8

-- The largest number of lanes that the loading of one module launches.
local MOST_LOADING = 6

local HOOKS = { [["count", 100, 0]], [["count", 1, 0.01]], [["line", 1, 0]], [["call", 1, 0.01]], [["ret", 1, 0]] }

-- The largest number of copies of one lane in a program: loops that launch lanes may be nested.
local MOST = 100

-- The largest number of copies of a step that launches lanes.
local MOST_WAITING = 8

--- A random program: a lane with steps, some of which are lanes.
-- @param seed a number @param size the approximate number of steps @return the plan of its main
-- lane, to be written with `generator.text`
function generator.plan(seed, size)
    local random = numbers(seed)
    local lanes_made, steps_made = 0, 0

    local function pick(list) return list[random(1, #list)] end

    local timeouts = { "0", "0", "0.0001", "0.001", "0.005" }

    local takers = { "one", "one", "either", "impatient", "batch", "some" }
    local rests = { "receive", "batch", "send", "lock", "sleep" }

    local lane

    -- For each module, in the order of definition: its name, whether it fails, its steps, and the
    -- number of lanes that its loading launches.
    local defined = {}

    local function of_those(fail)
        local list = {}
        for _, module in ipairs(defined) do
            if module.fails == fail then list[#list + 1] = module end
        end
        return #list > 0 and pick(list) or nil
    end

    local function some_ways()
        local list = {}
        for i = 1, random(2, 4) do list[i] = ("%q"):format(pick(WAYS)) end
        return table.concat(list, ", "), #list
    end

    -- A step by which a lane, or this state, gets a module; and the number of lanes that it
    -- launches.
    local function module_step()
        local module = of_those(random(1, 4) == 1) or defined[1]
        local name = ("%q"):format(module.name)
        if module.fails then
            return ("modules.fails(%s, %q)"):format(name, pick { "own", "body", "required" }), 1 + module.cost
        end
        local stack = pick(STACKS)
        local kind = random(1, 9)
        if kind <= 5 then return ("modules.use(%s, %q, %s)"):format(name, pick(WAYS), stack), 1 + 2 * module.cost end
        if kind <= 8 then
            local ways, count = some_ways()
            return ("modules.several(%s, { %s }, %s)"):format(name, ways, stack), count + (count + 1) * module.cost
        end
        return ("modules.told(%s)"):format(name), 1 + module.cost
    end

    local function define(n)
        local module = { name = ("module %d \228"):format(n), fails = n > 1 and random(1, 4) == 1, steps = {}, cost = 0 }
        module.how = module.fails and pick { "text", "table" } or nil
        for _ = 1, n == 1 and 0 or random(0, 3) do
            local step, cost
            local kind = random(1, 8)
            if kind == 1 then
                step, cost = ("modules.circle(name, %q)"):format(pick(WAITS)), 1
            elseif kind == 2 and not module.fails then
                step, cost = "modules.lent(name)", 2 + module.cost
            elseif kind == 3 and not module.fails then
                step, cost = "modules.left(name)", 2 + module.cost
            else
                step, cost = module_step()
            end
            if module.cost + cost <= MOST_LOADING then
                module.steps[#module.steps + 1] = step
                module.cost = module.cost + cost
            end
        end
        return module
    end

    -- A step that waits without a limit.
    local function waiting_step(kind)
        local shape = random(1, SHAPES)
        if kind == "stream" then
            local names = {}
            for i = 1, random(1, 3) do names[i] = ("%q"):format(pick(takers)) end
            local chunk, batch = random(1, 3), random(1, 4)
            local limit = pick { batch + chunk - 1, batch + chunk - 1, batch + chunk, -1 }
            return ("r:stream({ %s }, %d, %d, %d, %d, %d, %s)"):format(table.concat(names, ", "), random(1, 8), limit, chunk, batch,
                shape, tostring(random(1, 3) == 1))
        elseif kind == "exchange" then
            return ("r:exchange(%d, %d)"):format(random(1, 10), shape)
        elseif kind == "release" then
            return ("r:release(%d, %d, %s, %s, %d)"):format(random(1, 3), random(1, 4), pick { "-1", "1", "1", "2", '"set"' },
                pick { "0", "0.001" }, shape)
        elseif kind == "share" then
            return ("r:share(%d, %d, %d)"):format(random(1, 3), random(1, 5), random(2, 3))
        elseif kind == "rest" then
            return ("r:rest(%q)"):format(pick(rests))
        elseif kind == "use" then
            if random(1, 8) == 1 then return "modules.cross(r:child(), r:child(), r:private())" end
            return (module_step())
        elseif kind == "pool" then
            return ("r:pool(%d, %d, %d, %s, %d)"):format(random(1, 3), random(0, 20), random(1, 6), pick { "nil", "nil", "1", "3" },
                random(0, 4))
        elseif kind == "choose" then
            return ("r:choose(%d, %d, %s, %d)"):format(random(1, 3), random(1, 8), pick { "-1", "1", "2" }, shape)
        elseif kind == "await" then
            return ("r:await(%d, %d)"):format(random(1, 4), random(1, 3))
        elseif kind == "scope" then
            return ("r:scope(%d, %s, %s, %s, %s)"):format(random(1, 3), pick { '"none"', '"lane"', '"body"', '"timeout"' },
                pick { '"cancel"', '"cancel"', '"wait"' }, tostring(random(1, 2) == 1), tostring(random(1, 3) == 1))
        elseif kind == "watch" then
            return ("r:watch(%d, %s)"):format(random(1, 4), pick { '"done"', '"error"', '"cancelled"' })
        elseif kind == "outlive_hooks" then
            return ("r:outlive_hooks(%s)"):format(pick(HOOKS))
        end
        return ("r:wake(%q, %q, %s)"):format(pick(rests), pick { "soft", "hard" }, pick { "0", "0.001" })
    end

    local function plain_step(plan, depth)
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
        if kind == "recurse" and plan.stack ~= LARGE then kind = "runaway" end
        if WAITING[kind] then return waiting_step(kind) end
        local linda, key = random(1, 6), random(1, 3)
        if kind == "send" then
            return ("r:send(%d, %d, %d, %d, %s)"):format(linda, key, pick { 1, 1, 1, 2, 5 }, random(1, SHAPES), pick(timeouts))
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
        elseif kind == "own" then
            return ("modules.own(%q)"):format(of_those(false).name)
        elseif kind == "hooks" then
            return ("r:hooks(%d)"):format(pick { 1, 10, 100 })
        elseif kind == "new_linda" or kind == "finalizer" or kind == "runaway" or kind == "recurse" then
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

    -- A step, perhaps run inside nested coroutines.
    local function step(plan, depth)
        local made = plain_step(plan, depth)
        if type(made) == "table" or random(1, 12) > 1 then return made end
        return ("r:within(%d, function() %s end)"):format(pick { 1, 2, 5, 50 }, made)
    end

    function lane(depth, copies)
        lanes_made = lanes_made + 1
        local plan = {
            id = lanes_made, children = {}, steps = {}, hooked = random(1, 3) == 1, forced = false, reports = random(1, 3) == 1,
            times = pick { 1, 1, 2, 8 }, copies = copies, stack = pick(STACKS),
        }
        if depth > 0 and copies <= MOST_WAITING and random(1, 4) == 1 then plan.required = of_those(false).name end
        if copies * plan.times > MOST then plan.times = 1 end
        for _ = 1, random(3, depth == 0 and 30 or 15) do
            if steps_made >= size then break end
            steps_made = steps_made + 1
            plan.steps[#plan.steps + 1] = step(plan, depth)
        end
        if depth > 0 and random(1, 6) == 1 then plan.steps[#plan.steps + 1] = "r:fail()" end
        return plan
    end

    for n = 1, random(1, 5) do defined[n] = define(n) end
    local plan = lane(0, 1)
    plan.modules = defined
    while steps_made < size do
        steps_made = steps_made + 1
        plan.steps[#plan.steps + 1] = step(plan, 0)
    end
    plan.times = 1
    return plan
end

--- The text of a program.
-- @param plan from `generator.plan` @param left_out nil, or a set of the numbers of steps that are
-- left out (a lane is a step of its parent's) @return the text, and the number of all steps of the
-- plan
function generator.text(plan, left_out)
    local lines, count = {}, 0
    local function line(depth, ...) lines[#lines + 1] = ("    "):rep(depth) .. string.format(...) end

    -- Steps that are left out are numbered too, so that the numbers stay the same.
    local function write(steps, depth, written)
        for _, step in ipairs(steps) do
            count = count + 1
            local here = written and not (left_out and left_out[count])
            if type(step) == "string" then
                if here then line(depth, "%s", step) end
            else
                if here then
                    local options = { ("stack_size = %s"):format(step.stack) }
                    if step.reports then options[#options + 1] = "gc_cb = function(...) r:collected(...) end" end
                    if step.required then options[#options + 1] = ("required = { %q }"):format(step.required) end
                    line(depth, "r:keep(%d, require 'lanes'.gen('*', { %s }, function(id, logs, hub, add, lock)", step.id,
                        table.concat(options, ", "))
                    line(depth + 1, "local r = require 'random.runtime'.lane(id, %s, logs, hub)",
                        tostring(step.hooked or step.forced))
                    line(depth + 1, "local modules = require 'random.modules'")
                    if step.required then
                        line(depth + 1, "modules.check(package.loaded[%q], %q)", step.required, step.required)
                    end
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

    -- Resting lanes must obey the first request to end: the second one comes at half of this time,
    -- when the program counts as hanging.
    line(0, "local lanes = require 'lanes'.configure { track_lanes = true, shutdown_timeout = 1000 }")
    line(0, "local runtime = require 'random.runtime'")
    line(0, "local logs, hub = lanes.linda 'logs', lanes.linda 'hub'")
    line(0, "local tools = lanes.linda 'tools'")
    line(0, "local add, lock = lanes.genatomic(tools, 'sum', 0), lanes.genlock(tools, 'lock', 3)")
    line(0, "local r = runtime.lane('main', false, logs, hub)")
    line(0, "local modules = require 'random.modules'")
    for _, module in ipairs(plan.modules or {}) do
        line(0, "modules.define(%q, %s, function(name)", module.name, module.how and ("%q"):format(module.how) or "nil")
        line(1, "local modules = require 'random.modules'")
        write(module.steps, 1, true)
        line(0, "end)")
    end
    line(0, "r:new_linda()")
    line(0, "r:new_linda()")
    write(plan.steps, 0, true)
    line(0, "runtime.check(r, logs, add, lock)")
    return table.concat(lines, "\n") .. "\n", count
end

return generator
