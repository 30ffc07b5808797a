--- The workers of a pool as its other states see them: they are started and replaced, and their
--- messages are received (docs/manual/pools.md). What a worker runs is in `lanes.worker`.

local lanes = require "lanes"
local core = require "lanes_core"
local helpers = require "lanes.helpers"

local cancel_error = lanes.cancel_error
local plain = helpers.plain
local receive, batched = plain.receive, plain.batched
local attempt = helpers.attempt

local workers = {}

-- The largest number of messages that a state receives from its workers at a time.
local AT_A_TIME = 32
workers.AT_A_TIME = AT_A_TIME

-- Seconds between two checks of a waiting state for workers that have ended without a message: the
-- first interval, which doubles each time, and the longest.
local FIRST_AUDIT, LAST_AUDIT = 0.05, 2

local NONE = {}

-- What becomes of the calls of a worker that was asked to stop by somebody else than its pool: the
-- universe that is being closed.
local CANCELLED = "the worker was cancelled"
workers.CANCELLED = CANCELLED

--- Whether the queue of a pool is full.
function workers.is_full(pool, own)
    return own.limit and (pool.queue:count "job" or 0) >= 4 * own.limit
end
--- Has a notifier told when a future of the pool ends.
-- @param known what is known of the future; true: told of every message of the workers
function workers.add_notifier(own, notifier, known)
    own.notifiers = own.notifiers or setmetatable({}, { __mode = "k" })
    own.notifiers[notifier] = known
end

--- Has a notifier told of the messages of the workers, and of their ends.
function workers.watch(pool, own, notifier)
    own.watchers = own.watchers or setmetatable({}, { __mode = "k" })
    own.watchers[notifier] = true
    core.watch(notifier, pool.queue, own.slot, false)
    for _, handle in pairs(own.workers or NONE) do
        core.watch(notifier, handle)
    end
end

--- Tells the notifiers of futures that have ended.
function workers.tell(own)
    for notifier, known in pairs(own.notifiers or NONE) do
        if known == true or known.outcome then
            core.tell(notifier)
        end
    end
end

--- Starts a worker.
function workers.start(pool, own)
    local number = own.next
    own.workers[number] = own.generator(pool.queue, number, own.settings, cancel_error, attempt)
    own.next = number + 1
    own.living = own.living + 1
    own.starting[number] = true
    -- An error of a worker belongs to its task.
    core.disregard(own.workers[number])
    for notifier in pairs(own.watchers or NONE) do
        -- Without memory for it, a worker that ends without a message is noticed later.
        attempt(core.watch, notifier, own.workers[number])
    end
end

--- Replaces workers that have ended. Those that cannot be started now are started by
--- a later call.
function workers.replace(pool, own)
    while own.missing > 0 do
        local started, failure = attempt(workers.start, pool, own)
        if not started then
            local is_closing = type(failure) == "string" and failure:find("the main state is being closed", 1, true)
            -- Then the calling lane is about to be asked to stop, too.
            if own.living == 0 and not is_closing then
                error(failure, 0)
            end
            return
        end
        own.missing = own.missing - 1
    end
end

-- Handles the results of a task.
local function dispatch(own, call, first, n, kind, payload)
    local known = own.calls[call]
    if known then
        known:take(first, n, kind, payload)
    end
end

-- Handles the results of `receive`. Messages cannot be put back, so if memory runs out meanwhile,
-- their calls fail, which allocates nothing.
local function deal(own, key, ...)
    if key == nil then
        return false
    end
    if key == cancel_error then
        return cancel_error
    end
    for at = 1, select("#", ...), 5 do
        local call, first, n, kind, payload = select(at, ...)
        if call == 0 then
            -- A control message of a worker must not be lost: nothing is called here, and nothing
            -- allocated.
            own.starting[first] = nil
            if kind ~= "ready" then
                if own.workers[first] then
                    own.workers[first] = nil
                    own.living = own.living - 1
                end
                if kind == "failed" then
                    own.failure = payload
                elseif kind == "gone" and not own.cancelled then
                    own.missing = own.missing + 1
                end
            end
        else
            local fine, failure = attempt(dispatch, own, call, first, n, kind, payload)
            local known = own.calls[call]
            if not fine and known then
                known.lost = failure
                known:lose(call)
            end
        end
    end
    return true
end

-- Searches for workers that have ended without a message, which happens if they run out of memory.
-- Their tasks fail. Returns whether there was one.
local function audit(queue, own)
    local found, why = false, "not enough memory"
    for number, handle in pairs(own.workers or NONE) do
        local status = handle.status
        if (status == "error" or status == "cancelled" or status == "done") and (queue:count(own.slot) or 0) == 0 then
            found = true
            if status == "cancelled" then
                why = CANCELLED
            end
            own.workers[number] = nil
            own.living = own.living - 1
            own.missing = own.missing + 1
            if own.starting[number] then
                own.starting[number] = nil
                local _, failure = handle:join()
                own.failure = { failure }
            end
        end
    end
    if found then
        for call, known in pairs(own.calls) do
            known.lost = why
            known:lose(call)
        end
    end
    return found
end

--- Waits for messages of the workers and handles them.
-- @param timeout seconds; nil: no limit
-- @param least how many messages are worth waking up for, at most `AT_A_TIME`; nil: 1. After a
--   moment one is enough
-- @return true; false at the timeout; `cancel_error` if the calling lane is asked to stop, or the
--   pool has been cancelled
function workers.pump(pool, own, timeout, least)
    local queue = pool.queue
    if own.missing > 0 then
        workers.replace(pool, own)
    end
    local outcome
    if least and least > 1 then
        local pause = math.min(timeout or FIRST_AUDIT, FIRST_AUDIT)
        outcome = deal(own, receive(queue, pause, batched, own.slot, 5 * least, 5 * AT_A_TIME))
        timeout = timeout and timeout - pause
    end
    local slice = FIRST_AUDIT
    while not outcome do
        outcome = deal(own, receive(queue, timeout or slice, batched, own.slot, 5, 5 * AT_A_TIME))
        outcome = outcome or not timeout and audit(queue, own)
        if timeout then
            break
        end
        slice = slice < LAST_AUDIT and 2 * slice or slice
    end
    if outcome then
        workers.tell(own)
    end
    if own.missing > 0 then
        workers.replace(pool, own)
    end
    return outcome
end

--- Handles the messages that have arrived, without waiting.
-- @param look whether to look for workers that have ended without a message
-- @return `cancel_error` if the calling lane is to stop, or the pool has been cancelled
function workers.take_all(pool, own, look)
    local pumped
    repeat
        pumped = workers.pump(pool, own, 0)
    until pumped ~= true
    if not pumped and look and audit(pool.queue, own) then
        workers.tell(own)
        if own.missing > 0 then
            workers.replace(pool, own)
        end
    end
    return pumped
end

--- A new number, or in a worker a name, for a call.
function workers.new_call(own)
    local number = own.next_call
    own.next_call = number + 1
    return own.here and own.here.me .. ":" .. number or number
end

--- To be called before a wait for futures of a pool: marks a worker that waits for its own pool.
--- Raises an error if all its workers would wait for ever.
-- @return a function that removes the mark; nil if the state is no worker of the pool
function workers.begin_wait(pool, own, has_deadline)
    if not own.here then
        return nil
    end
    local queue, mark = pool.queue, "wait:" .. own.here.me
    queue:set(mark, true)
    local waiting = 0
    for key, count in pairs(queue:count()) do
        if count > 0 and type(key) == "string" and key:sub(1, 5) == "wait:" then
            waiting = waiting + 1
        end
    end
    if waiting >= pool.workers and (queue:count "job" or 0) > 0 and not has_deadline then
        queue:set(mark)
        error("pool: waiting for a task of the same pool would take for ever: all its workers wait for each other", 0)
    end
    return function()
        queue:set(mark)
    end
end

return workers
