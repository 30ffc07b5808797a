--- The calls that wait, for coroutines of an event loop: only the calling coroutine waits
--- (docs/manual/loops.md).
--
-- A wait makes a notifier of what it waits for, and repeats: clear the notifier, make an attempt that
-- does not wait, let the loop wait for the descriptor. What comes after the notifier was cleared
-- makes it readable again, so nothing is overlooked.
--
-- Of those that wait for futures of one pool in one loop, one receives the messages of the workers
-- for all of them, and tells those whose futures have ended. If it ends, another one goes on.

local lanes = require "lanes"
local core = require "lanes_core"
local helpers = require "lanes.helpers"
local loops = require "lanes.loops"
local pools

local cancel_error = lanes.cancel_error
local plain = helpers.plain
local alarm, batched, four = plain.alarm, plain.batched, plain.four
local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local async = {}

-- Ends a wait: gives back what it has of the system.
local function close(wait)
    local notifier, loop = wait.notifier, wait.loop
    if wait.clock then
        alarm(wait.clock, "over", nil)
    end
    if notifier then
        loop.waits[notifier] = nil
        if loop.forget then
            loop.forget(notifier)
        end
        notifier:close()
    end
    local own = wait.own
    if own and notifier then
        own.notifiers[notifier] = nil
        local leader = loop.leaders[own]
        if not leader or leader == notifier then
            -- Whoever is told becomes the leader, or comes here in its turn.
            loop.leaders[own] = nil
            for other in pairs(own.notifiers) do
                if loop.waits[other] then
                    core.tell(other)
                    break
                end
            end
        end
    end
end

local function closed(wait, ...)
    close(wait)
    return ...
end

-- The results of a protected attempt.
local function attempted(wait, fine, ...)
    if not fine then
        close(wait)
        error(..., 0)
    end
    return ...
end

local function is_over(wait)
    if wait.clock and (wait.clock:count "over" or 0) > 0 then
        return true
    end
    local rest = helpers.remaining(wait.deadline)
    return rest == 0, rest
end

-- Goes on after an attempt with these results.
local function go_on(wait, done, ...)
    if not done then
        local over, rest = is_over(wait)
        if not over then
            wait.loop.wait(wait.notifier, rest)
            wait.notifier:receive()
            return go_on(wait, attempted(wait, pcall(wait.attempt, wait)))
        end
    end
    return closed(wait, ...)
end

-- Makes the notifier of a wait. A loop without timers gets one more source, a slot that is set when
-- the time is over.
local function prepare(wait, sources)
    local loop = wait.loop
    wait.notifier = core.notifier(unpack(sources, 1, sources.n))
    loop.waits[wait.notifier] = true
    if wait.own then
        pools.workers.add_notifier(wait.own, wait.notifier, wait.known)
    end
    if wait.deadline and not loop.has_timers then
        local clock = core.linda "lanes.async"
        alarm(clock, "over", helpers.remaining(wait.deadline))
        wait.clock = clock
        core.watch(wait.notifier, clock, "over", false)
    end
end

-- Begins after the first attempt, which needs no notifier.
local function begin(wait, sources, done, ...)
    if done or wait.deadline and helpers.remaining(wait.deadline) == 0 then
        return ...
    end
    attempted(wait, pcall(prepare, wait, sources(wait)))
    return go_on(wait, attempted(wait, pcall(wait.attempt, wait)))
end

-- The results of a first attempt, which raises errors about the arguments: they get the position of
-- the caller, and the numbers of its arguments.
local function checked(wait, fine, ...)
    if fine then
        return ...
    end
    local failure = ...
    if type(failure) == "string" and wait.given then
        failure = failure:gsub("^[^\n]-:%d+: ", ""):gsub("^bad argument #(%d+)", function(number)
            return ("bad argument #%d"):format(wait.has_timeout and number or number - 1)
        end)
        error(failure, 3)
    end
    error(failure, 0)
end

-- A timeout as the calls take it: nil is for ever, and in the 3.x interface negative numbers.
local function timeout_of(value, call, position)
    if value == nil or not four and type(value) == "number" and value < 0 then
        return nil
    end
    if four and type(value) == "number" and value < 0 then
        error(("bad argument #%d to '%s' (duration cannot be < 0, got %s)"):format(position, call, value), 4)
    end
    if type(value) ~= "number" or value ~= value then
        error(("bad argument #%d to '%s' (number of seconds expected, got %s)"):format(position, call,
            value ~= value and "NaN" or type(value)), 4)
    end
    return value
end

local function new_wait(loop, call, timeout, attempt, position)
    loop.check(call, 4)
    return {
        loop = loop, has_timeout = timeout ~= nil, deadline = helpers.deadline(timeout_of(timeout, call, position)),
        attempt = attempt,
    }
end

local function check_linda(linda, call)
    if getmetatable(linda) ~= "Linda" then
        error(("bad argument #1 to '%s' (a linda expected, got %s)"):format(call, type(linda)), 3)
    end
end

-- Splits `[timeout,] ...` after the linda: the timeout and the rest.
local function split(timeout, ...)
    if type(timeout) == "number" or timeout == nil and select("#", ...) > 0 then
        return timeout, select("#", ...), ...
    end
    return nil, 1 + select("#", ...), timeout, ...
end

local function pack(timeout, n, ...)
    return timeout, { n = n, ... }
end

-- Whether a call other than a send need not be made again: its results, preceded by that.
local function received(first, ...)
    return first ~= nil or four and (...) == cancel_error, first, ...
end

local function attempt_receive(wait)
    local given = wait.given
    return received(wait.linda:receive(0, unpack(given, 1, given.n)))
end

local function sources_of_receive(wait)
    local linda, given = wait.linda, wait.given
    local sources = { n = 0 }
    local first, last = 1, given.n
    if given[1] == batched then
        first, last = 2, 2
    elseif wait.batched then
        last = 1
    end
    for i = first, last do
        local n = sources.n
        sources[n + 1], sources[n + 2], sources[n + 3] = linda, given[i], false
        sources.n = n + 3
    end
    return sources
end

local function attempt_receive_batched(wait)
    local given = wait.given
    return received(wait.linda:receive_batched(0, unpack(given, 1, given.n)))
end

local function sent(outcome, ...)
    if four then
        return received(outcome, ...)
    end
    return outcome ~= false, outcome, ...
end

local function attempt_send(wait)
    local given = wait.given
    return sent(wait.linda:send(0, unpack(given, 1, given.n)))
end

local function sources_of_send(wait)
    return { n = 3, wait.linda, wait.given[1], true }
end

local function attempt_join_lane(wait)
    if not core.end_number(wait.lane) then
        return false, nil, "timeout"
    end
    return true, wait.lane:join(0)
end

local function sources_of_lane(wait)
    return { n = 1, wait.lane }
end

-- Makes the wait for a pool the one that receives its messages, if there is none in this loop.
local function lead(wait)
    local leaders, own, notifier = wait.loop.leaders, wait.own, wait.notifier
    if notifier and not leaders[own] then
        leaders[own] = notifier
        pools.workers.watch(wait.pool, own, notifier)
    end
end

local function attempt_join_future(wait)
    local known = wait.known
    if not known.outcome then
        lead(wait)
        local taken = pools.workers.take_all(wait.pool, wait.own, true)
        if taken == cancel_error and not known.outcome then
            return true, helpers.cancelled()
        end
    end
    if not known.outcome then
        return false, nil, "timeout"
    end
    return true, wait.future:join(0)
end

local function no_sources()
    return { n = 0 }
end

local function attempt_room(wait)
    if not pools.workers.is_full(wait.pool, wait.own) then
        return true
    end
    lead(wait)
    if pools.workers.take_all(wait.pool, wait.own, true) == cancel_error then
        return true, cancel_error
    end
    return not pools.workers.is_full(wait.pool, wait.own)
end

local function attempt_sleep()
    return received(lanes.sleep(0))
end

local function attempt_select(wait)
    local given = wait.given
    return received(lanes.select(0, unpack(given, 1, given.n)))
end

local function sources_of_select(wait)
    local sources = { n = 0 }
    local function add(...)
        for i = 1, select("#", ...) do
            sources.n = sources.n + 1
            sources[sources.n] = select(i, ...)
        end
    end
    for i = 1, wait.given.n do
        local case = wait.given[i]
        if core.is_lane(case[1]) then
            add(case[1])
        elseif case[2] == "send" then
            add(case[1], case[3], true)
        else
            for j = 3, #case do
                add(case[1], case[j], false)
            end
        end
    end
    return sources
end

-- The results of a task as those of a call.
local function answered(known)
    if known.outcome == "error" then
        error(known.values[2], 0)
    elseif known.outcome == "done" then
        return unpack(known.values, 1, known.values.n)
    end
    return helpers.cancelled()
end

--- The waiting calls for one event loop.
-- @param loop `wait(notifier, seconds)` lets the calling coroutine wait until the notifier may be
--   readable, or for some seconds (nil: no limit); `check(call, level)` raises an error outside of a
--   coroutine that can wait; `has_timers`, whether `wait` heeds the seconds; `forget(notifier)`, if
--   it is there, is called before a notifier is closed
-- @return a table of functions
local function new(loop)
    loop.waits = setmetatable({}, { __mode = "k" })
    loop.leaders = setmetatable({}, { __mode = "kv" })
    local calls = {}

    local function join_future(call, future, timeout, position)
        local known = pools.future(future)
        local wait = new_wait(loop, call, timeout, attempt_join_future, position)
        wait.future, wait.known, wait.pool, wait.own = future, known, known.pool, known.own
        return begin(wait, no_sources, attempt_join_future(wait))
    end

    --- As `linda:receive`.
    function calls.receive(linda, ...)
        check_linda(linda, "receive")
        local name = ...
        if type(name) == "string" and select("#", ...) == 1 then
            -- The usual call, where nearly always something is there: no table is made.
            loop.check("receive", 2)
            local key, value = linda:receive(0, name)
            if key ~= nil then
                return key, value
            end
        end
        local timeout, given = pack(split(...))
        local wait = new_wait(loop, "receive", timeout, attempt_receive, 2)
        wait.linda, wait.given = linda, given
        return begin(wait, sources_of_receive, checked(wait, pcall(attempt_receive, wait)))
    end

    if four then
        --- As `linda:receive_batched`.
        function calls.receive_batched(linda, ...)
            check_linda(linda, "receive_batched")
            local timeout, given = pack(split(...))
            local wait = new_wait(loop, "receive_batched", timeout, attempt_receive_batched, 2)
            wait.linda, wait.given, wait.batched = linda, given, true
            return begin(wait, sources_of_receive, checked(wait, pcall(attempt_receive_batched, wait)))
        end
    end

    --- As `linda:send`.
    function calls.send(linda, ...)
        check_linda(linda, "send")
        local timeout, given = pack(split(...))
        local wait = new_wait(loop, "send", timeout, attempt_send, 2)
        wait.linda, wait.given = linda, given
        return begin(wait, sources_of_send, checked(wait, pcall(attempt_send, wait)))
    end

    --- As `lane:join` and `future:join`.
    function calls.join(lane, timeout)
        pools = pools or core.late "lanes.pool"
        if pools.future(lane) then
            return join_future("join", lane, timeout, 2)
        end
        if not core.is_lane(lane) then
            error(("bad argument #1 to 'join' (a lane or a future expected, got %s)"):format(type(lane)), 2)
        end
        local wait = new_wait(loop, "join", timeout, attempt_join_lane, 2)
        wait.lane = lane
        return begin(wait, sources_of_lane, attempt_join_lane(wait))
    end

    --- As `lanes.sleep`.
    function calls.sleep(seconds)
        if seconds == nil then
            -- In the 4.x interface, until the lane is asked to stop.
            seconds = not four and 0 or nil
        elseif type(seconds) ~= "number" or seconds ~= seconds then
            error(("bad argument #1 to 'sleep' (number of seconds expected, got %s)"):format(
                seconds ~= seconds and "NaN" or type(seconds)), 2)
        end
        local wait = new_wait(loop, "sleep", seconds and (four and seconds or math.max(0, seconds)), attempt_sleep, 1)
        return begin(wait, no_sources, attempt_sleep())
    end

    --- As `lanes.select`.
    function calls.select(...)
        local timeout, given = pack(split(...))
        local wait = new_wait(loop, "select", timeout, attempt_select, 1)
        wait.given = given
        return begin(wait, sources_of_select, checked(wait, pcall(attempt_select, wait)))
    end

    --- Calls a function in a pool: the first argument, or that of `lanes.map`.
    -- @return its results; `cancel_error` if the calling lane is to stop, or the task is cancelled.
    --   Raises its error
    function calls.call(pool, ...)
        pools = pools or core.late "lanes.pool"
        local f = ...
        if getmetatable(pool) ~= pools.Meta then
            f = pool
        end
        if type(f) ~= "function" then
            error(("bad argument #1 to 'call' (a function, or a pool and a function expected, got %s)"):format(type(f)), 2)
        end
        if f == pool then
            return calls.call(core.late "lanes.map".default(), f, ...)
        end
        local wait = new_wait(loop, "call", nil, attempt_room, 1)
        wait.pool, wait.own, wait.known = pool, pools.access(pool, "call", 2), true
        if begin(wait, no_sources, attempt_room(wait)) == cancel_error then
            return helpers.cancelled()
        end
        local future = pool:submit(...)
        local known = pools.future(future)
        if not known then
            return helpers.cancelled()
        end
        join_future("call", future, nil, 1)
        return answered(known)
    end

    return calls
end

--- For coroutines of luv's loop.
-- @param uv the module; nil: `require "luv"`
function async.luv(uv)
    return new(loops.luv(uv))
end

--- For coroutines that copas runs.
function async.copas()
    return new(loops.copas())
end

--- For coroutines of a controller of cqueues.
function async.cqueues()
    return new(loops.cqueues())
end

--- For coroutines that are resumed by the main loop of GLib.
function async.lgi()
    return new(loops.lgi())
end

return async
