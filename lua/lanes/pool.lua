--- Pools of lanes: `lanes.pool`, futures, and messages from and to the workers
--- (docs/manual/pools.md).

local lanes = require "lanes"
local core = require "lanes_core"
local helpers = require "lanes.helpers"
local worker = require "lanes.worker"

local cancel_error = lanes.cancel_error
local unpack = rawget(table, "unpack") or rawget(_G, "unpack")
local attempt, described, is_whole = helpers.attempt, helpers.described, helpers.is_whole
local deadline_of, remaining = helpers.deadline, helpers.remaining

local pools = {}

-- The private data of pools that this state has made, by pool.
local owned = setmetatable({}, { __mode = "k" })

-- The largest number of messages that a state receives from its workers at a time.
local AT_A_TIME = 32
pools.AT_A_TIME = AT_A_TIME

-- Seconds between two checks of a waiting state for workers that have ended without a message: the
-- first interval, which doubles each time, and the longest.
local FIRST_AUDIT, LAST_AUDIT = 0.05, 2

local NONE = {}

-- What becomes of the calls of a worker that was asked to stop by somebody else than its pool: the
-- universe that is being closed.
local CANCELLED = "the worker was cancelled"

-- The methods of pools, and the metatable of pools.
local Pool = {}
local Meta = { __index = Pool }
pools.Pool, pools.Meta = Pool, Meta

local Future = {}

-- The key of a future's private data.
local PRIVATE = {}

local function positive(value)
    return type(value) == "number" and value > 0
end

local function is(expected)
    return function(value)
        return type(value) == expected
    end
end

-- Options of `lanes.pool`. Those in the second table are passed to `lanes.gen`, which checks them.
local KNOWN = {
    workers = { "a whole number from 1", is_whole },
    libraries = { "a string", is "string" },
    init = { "a function", is "function" },
    time_limit = { "a number of seconds above 0", positive },
    queue = { "a whole number from 1", is_whole },
    max_tasks = { "a whole number from 1", is_whole },
    name = { "a string", is "string" },
}
local PASSED_ON = { globals = "table", required = "table", package = "table", priority = "number", memory_limit = "number",
    stack_size = "number" }
for name, expected in pairs(PASSED_ON) do
    KNOWN[name] = { "a " .. expected, is(expected) }
end

local function is_full(pool, own)
    return own.limit and (pool.queue:count "job" or 0) >= 4 * own.limit
end
pools.is_full = is_full

--- Has a notifier told when a future of the pool ends.
-- @param known what is known of the future; true: told of every message of the workers
function pools.add_notifier(own, notifier, known)
    own.notifiers = own.notifiers or setmetatable({}, { __mode = "k" })
    own.notifiers[notifier] = known
end

--- Has a notifier told of the messages of the workers, and of their ends.
function pools.watch(pool, own, notifier)
    own.watchers = own.watchers or setmetatable({}, { __mode = "k" })
    own.watchers[notifier] = true
    core.watch(notifier, pool.queue, own.slot, false)
    for _, handle in pairs(own.workers or NONE) do
        core.watch(notifier, handle)
    end
end

-- Tells the notifiers of futures that have ended.
local function tell(own)
    for notifier, known in pairs(own.notifiers or NONE) do
        if known == true or known.outcome then
            core.tell(notifier)
        end
    end
end

local function start_worker(pool, own)
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

-- Replaces workers that have ended. Those that cannot be started now are started by
-- a later call.
local function replace(pool, own)
    while own.missing > 0 do
        local started, failure = attempt(start_worker, pool, own)
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
-- @param least how many messages are worth waking up for, at most `AT_A_TIME`; nil: 1. After the
--   first interval between two checks one is enough
-- @return true; false at the timeout; `cancel_error` if the calling lane is asked to stop, or the
--   pool has been cancelled
function pools.pump(pool, own, timeout, least)
    local queue = pool.queue
    if own.missing > 0 then
        replace(pool, own)
    end
    local outcome
    local slice = FIRST_AUDIT
    least = least or 1
    repeat
        outcome = deal(own, queue:receive(timeout or slice, queue.batched, own.slot, 5 * least, 5 * AT_A_TIME))
        outcome = outcome or not timeout and audit(queue, own)
        least = 1
        slice = slice < LAST_AUDIT and 2 * slice or slice
    until timeout or outcome
    if outcome then
        tell(own)
    end
    if own.missing > 0 then
        replace(pool, own)
    end
    return outcome
end

-- An error without its position, to be raised with another.
local function without_position(failure)
    return (tostring(failure):gsub("^[^\n]-:%d+: ", ""))
end

-- Raises the error of `init` from the calling function.
local function raise_failure(own, level)
    local failure = own.failure
    local err = failure[1]
    if type(err) == "string" then
        err = "pool: init failed: " .. err
    end
    error(err, type(err) == "string" and 0 or level + 1)
end

--- Makes a pool: lanes that run functions for many calls.
-- @param options see docs/manual/pools.md
-- @return the pool
function pools.new(options)
    if options ~= nil and type(options) ~= "table" then
        error(("bad argument #1 to 'pool' (table expected, got %s)"):format(type(options)), 3)
    end
    options = options or {}
    helpers.check_options("lanes.pool", options, KNOWN, 3)
    if options.time_limit and not core.cpu_time() then
        error("Bad 'time_limit' option: this system does not tell the processor time of a thread", 3)
    end
    local passed_on = {}
    for name in pairs(PASSED_ON) do
        passed_on[name] = options[name]
    end
    local made, generator = attempt(lanes.gen, options.libraries or "*", passed_on, worker)
    if not made then
        error(without_position(generator), 3)
    end
    local count = options.workers or core.cpus()
    local queue = lanes.linda(options.name or "pool")
    local pool = setmetatable({ queue = queue, workers = count }, Meta)
    local own = {
        generator = generator, calls = {}, workers = {}, next = 1, living = 0, starting = {}, next_call = 1, slot = "done",
        done = 0, failed = 0, missing = 0, failure = false, limit = options.queue,
        -- A pool that is collected ends its workers.
        guard = helpers.at_end(function()
            queue:cancel()
        end),
        settings = { init = options.init, time_limit = options.time_limit, max_tasks = options.max_tasks, name = options.name,
            workers = count },
    }
    owned[pool] = own
    for _ = 1, count do
        local started, failure = attempt(start_worker, pool, own)
        if not started then
            pool.queue:cancel()
            error(without_position(failure), 3)
        end
    end
    while options.init and next(own.starting) do
        if pools.pump(pool, own) == cancel_error then
            pool.queue:cancel()
            return cancel_error
        end
        if own.failure then
            pool.queue:cancel()
            raise_failure(own, 3)
        end
    end
    return pool
end

--- Returns this state's private data of a pool, as its owner or as one of its workers. Raises an
--- error if it has none.
-- @param call name of the method, for messages
function pools.access(pool, call, level)
    local queue = type(pool) == "table" and rawget(pool, "queue")
    local own = owned[pool]
    if not own and queue then
        -- In a worker the pool is a copy, the same for all its tasks.
        local here = package and package.loaded["lanes.pool.here"]
        if here and here.queue == queue then
            own = here.own
            if not own then
                own = { calls = {}, next_call = 1, slot = "done:" .. here.me, here = here, done = 0, failed = 0,
                    missing = 0 }
                here.own = own
            end
        else
            error(("pool:%s: this pool belongs to another state: only its workers can use it, too"):format(call), level + 1)
        end
    end
    if not own then
        error(("bad argument #1 to '%s' (pool expected, got %s): call it as pool:%s(...)"):format(call, type(pool), call), level + 1)
    end
    if own.closed then
        error(("pool:%s: pool is closed"):format(call), level + 1)
    end
    if own.missing > 0 then
        replace(pool, own)
    end
    if own.failure and own.living == 0 then
        raise_failure(own, level + 1)
    end
    return own
end

--- A new number, or in a worker a name, for a call.
function pools.new_call(own)
    local number = own.next_call
    own.next_call = number + 1
    return own.here and own.here.me .. ":" .. number or number
end

--- To be called before a wait for futures of a pool: marks a worker that waits for its own pool.
--- Raises an error if all its workers would wait for ever.
-- @return a function that removes the mark; nil if the state is no worker of the pool
function pools.begin_wait(pool, own, has_deadline)
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

-- Waits until a future has ended. Returns true; false at the timeout; cancel_error.
local function await(future, timeout)
    local known = future[PRIVATE]
    local pool, own = known.pool, known.own
    local deadline = deadline_of(timeout)
    local unmark
    local outcome = true
    while not known.outcome do
        unmark = pools.begin_wait(pool, own, deadline)
        outcome = pools.pump(pool, own, remaining(deadline))
        if outcome ~= true then
            break
        end
    end
    if unmark then
        unmark()
    end
    return known.outcome and true or outcome
end

-- Stores the outcome of a task. Called by `dispatch`.
local function take(known, _, _, kind, payload)
    -- Allocates first: if that fails, the call is still recorded, and `lose` ends it.
    local outcome, values, ended = "error", payload, core.end_number()
    if kind == "all" then
        outcome = "done"
    elseif kind == "lost" then
        values = { n = 2, nil, payload }
    else
        local failure = payload.errors[1]
        values = { n = failure[2] == nil and 2 or 3, nil, failure[1], failure[2] }
    end
    local own = known.own
    own.calls[known.call] = nil
    known.outcome, known.values, known.ended = outcome, values, ended
    local count = outcome == "done" and "done" or "failed"
    own[count] = own[count] + 1
end

local NO_MEMORY = { n = 2, nil, "not enough memory" }

-- As `take`, if memory has run out. Allocates nothing.
local function lose(known, call)
    known.own.calls[call] = nil
    -- No call of a function, which might need a larger stack.
    if known.lost == CANCELLED then
        known.outcome, known.ended = "cancelled", known.begun
    else
        known.outcome, known.values, known.ended = "error", NO_MEMORY, known.begun
    end
end

--- Submits a task: a worker calls a function.
-- @param f the function
-- @param ... its arguments
-- @return a future
function Pool:submit(f, ...)
    local own = pools.access(self, "submit", 2)
    if type(f) ~= "function" then
        error(("bad argument #1 to 'submit' (function expected, got %s)"):format(type(f)), 2)
    end
    while is_full(self, own) do
        if pools.pump(self, own) == cancel_error then
            return cancel_error
        end
    end
    local call = pools.new_call(own)
    local known = { pool = self, own = own, call = call, take = take, lose = lose, lost = false, outcome = false, values = false,
        begun = core.end_number(), ended = false }
    local future = setmetatable({ [PRIVATE] = known }, Future)
    -- Recorded before it is sent, so that the reply finds it.
    own.calls[call] = known
    local sent, failure = attempt(self.queue.send, self.queue, "job", call, 0, 1,
        { f = f, n = select("#", ...), reply = own.slot, ... })
    if not sent then
        own.calls[call] = nil
        failure = tostring(failure):gsub("arg #5%[(%d+)%]", "arg #%1"):gsub("arg #5%.f", "the function")
        error("submit: " .. failure, 2)
    end
    if failure == cancel_error then
        own.calls[call] = nil
        return cancel_error
    end
    return future
end

-- Returns whether a task waits for a worker, and the number of the worker that runs it, if any.
local function place(known)
    for number in pairs(known.own.workers or NONE) do
        if known.pool.queue:get("run:" .. number) == known.call then
            return false, number
        end
    end
    return true
end

--- The data of a future that a wait needs.
-- @return pool, own, outcome, ended of the future; nil if the value is no future
function pools.future(value)
    return getmetatable(value) == "Future" and type(value) == "table" and rawget(value, PRIVATE) or nil
end

--- Handles the messages that have arrived, without waiting.
-- @param look whether to look for workers that have ended without a message
-- @return `cancel_error` if the calling lane is to stop, or the pool has been cancelled
function pools.take_all(pool, own, look)
    local pumped
    repeat
        pumped = pools.pump(pool, own, 0)
    until pumped ~= true
    if not pumped and look and audit(pool.queue, own) then
        tell(own)
        if own.missing > 0 then
            replace(pool, own)
        end
    end
    return pumped
end

local methods = {}

local function check_future(value, call)
    if not pools.future(value) then
        error(("bad argument #1 to '%s' (future expected, got %s): call it as future:%s(...)"):format(call, type(value), call), 3)
    end
end

--- Makes a notifier of the end of the task (docs/manual/loops.md#notifiers).
function methods:notifier()
    return core.late "lanes.notifier" (self, self[PRIVATE])
end

--- Waits until the task has ended.
-- @param timeout seconds; nil: no limit
-- @return its results; nil, error, trace; nothing if it was cancelled; nil, "timeout";
--   cancel_error
function methods:join(timeout)
    check_future(self, "join")
    helpers.check_timeout(timeout, "join", 2)
    local ended = await(self, timeout and timeout >= 0 and timeout or nil)
    if ended == cancel_error then
        return cancel_error
    elseif not ended then
        return nil, "timeout"
    end
    local values = self[PRIVATE].values
    if values then
        return unpack(values, 1, values.n)
    end
end

--- Cancels the task: drops a waiting one, asks a running one to stop as by `lane:cancel`.
-- @param ... as for lane:cancel
-- @return true and the status if it has ended, else false and "timeout"
function methods:cancel(mode, ...)
    check_future(self, "cancel")
    local known = self[PRIVATE]
    local own, queue = known.own, known.pool.queue
    if own.here and not known.outcome then
        error("cancel: a task that a worker has submitted cannot be cancelled", 2)
    end
    pools.take_all(known.pool, own)
    if known.outcome then
        return true, self.status
    end
    local waits, number = place(known)
    if not waits then
        -- Only the state that takes this mark may cancel the worker; the worker cannot begin
        -- another task meanwhile.
        local number_of_end = core.end_number()
        local _, call = queue:receive(0, "run:" .. number)
        if call == known.call then
            local handle = own.workers[number]
            own.workers[number] = nil
            own.living = own.living - 1
            own.calls[known.call] = nil
            known.outcome, known.ended = "cancelled", number_of_end
            own.missing = own.missing + 1
            if mode == "soft" then
                mode = "hard"
            end
            local ended = handle:cancel(mode or "hard", ...)
            replace(known.pool, own)
            if not ended then
                return false, "timeout"
            end
            return true, "cancelled"
        elseif call ~= nil then
            queue:send("run:" .. number, call)
        end
        return methods.cancel(self, mode, ...)
    end
    -- The worker that takes its job drops it.
    local number_of_end = core.end_number()
    own.calls[known.call] = nil
    known.outcome, known.ended = "cancelled", number_of_end
    tell(own)
    queue:set("drop:" .. tostring(known.call), true)
    return true, "cancelled"
end

function Future.__index(future, key)
    local known = rawget(future, PRIVATE)
    if type(key) == "number" then
        local ended = await(future)
        if ended == cancel_error then
            return cancel_error
        end
        if known.outcome == "error" then
            if key == -1 then
                return known.values[2]
            end
            error(known.values[2], 2)
        elseif key == 0 then
            return true
        end
        return known.values and known.values[key]
    elseif key == "status" then
        if not known.outcome then
            pools.take_all(known.pool, known.own)
        end
        return known.outcome or (place(known) and "pending" or "running")
    elseif methods[key] then
        return methods[key]
    end
    helpers.no_field("future", key, "'status', 'join', 'cancel', 'notifier' and its results by number", 2)
end

function Future.__tostring(future)
    local known = rawget(future, PRIVATE)
    return "Future: " .. (known.outcome or (place(known) and "pending" or "running"))
end
Future.__metatable = "Future"

-- The numbers of workers with a submitted task, and of waiting tasks and chunks.
local function activity(pool)
    local busy, counts = 0, pool.queue:count()
    for key, count in pairs(counts) do
        if count > 0 and type(key) == "string" and key:sub(1, 4) == "run:" then
            busy = busy + 1
        end
    end
    return busy, math.floor((counts.job or 0) / 4)
end

--- Returns counts of the pool's activity.
-- @return a table: workers, busy, queued, done, failed
function Pool:stats()
    local own = pools.access(self, "stats", 2)
    if not own.here then
        pools.take_all(self, own)
    end
    local busy, queued = activity(self)
    return { workers = own.living or self.workers, busy = busy, queued = queued, done = own.done, failed = own.failed }
end

local function checked_timeout(timeout, call)
    if timeout ~= nil and (type(timeout) ~= "number" or timeout ~= timeout or timeout < 0) then
        error(("bad argument #1 to '%s' (number of seconds from 0 expected, got %s)"):format(call, described(timeout)), 3)
    end
end

--- Ends the pool after all waiting tasks have been run.
-- @param timeout seconds; nil: no limit
-- @return true; false, "timeout": the workers end later
function Pool:close(timeout)
    checked_timeout(timeout, "close")
    local own = owned[self]
    if not (own and own.closed) then
        own = pools.access(self, "close", 2)
        if own.here then
            error("close: a worker cannot end its own pool", 2)
        end
        own.closed = true
        for _ = 1, own.living do
            self.queue:send("job", false, 0, 0, false)
        end
    end
    local deadline = deadline_of(timeout)
    while own.living > 0 and not own.cancelled do
        local pumped = pools.pump(self, own, remaining(deadline))
        if pumped == cancel_error then
            return cancel_error
        elseif not pumped then
            return false, "timeout"
        end
    end
    return true
end

--- Ends the pool at once: drops waiting tasks and asks running ones to stop.
-- @param timeout seconds; nil: no limit
-- @return true; false, "timeout": the workers end later
function Pool:cancel(timeout)
    checked_timeout(timeout, "cancel")
    local own = owned[self]
    if not own then
        pools.access(self, "cancel", 2)
        error("cancel: a worker cannot end its own pool", 2)
    end
    if not own.cancelled then
        local number_of_end = core.end_number()
        own.closed, own.cancelled = true, true
        self.queue:cancel()
        for _, handle in pairs(own.workers) do
            handle:cancel("count", 1000, 0)
        end
        for call, known in pairs(own.calls) do
            own.calls[call] = nil
            if not known.outcome then
                known.outcome, known.ended = "cancelled", number_of_end
            end
        end
        tell(own)
    end
    local deadline = deadline_of(timeout)
    for number, handle in pairs(own.workers) do
        local first, reason = handle:join(remaining(deadline))
        if first == nil and reason == "timeout" then
            return false, "timeout"
        end
        own.workers[number] = nil
        own.living = own.living - 1
    end
    return true
end

--- Ends the pool as `pool:cancel()` does (5.4 and later).
function Meta:__close()
    Pool.cancel(self)
end

function Meta.__tostring(pool)
    local busy, queued = activity(pool)
    return ("Pool: %s (%d workers, %d busy, %d queued)"):format(tostring(pool.queue):match "^Linda: (.*)", pool.workers, busy, queued)
end

setmetatable(Pool, {
    __index = function(_, key)
        helpers.no_field("pool", key, "'submit', 'map', 'imap', 'stats', 'close' and 'cancel'", 2)
    end,
})

-- The methods `map` and `imap` are in a separate file, which requires this one.
function Pool:map(...)
    local results, reason = core.late "lanes.map".map_of_pool(self, ...)
    return results, reason
end

function Pool:imap(...)
    local iterator, state, control, guard = core.late "lanes.map".imap_of_pool(self, ...)
    return iterator, state, control, guard
end

-- Pools are passed to workers with this metatable by name, also if the module was not loaded by the
-- `require` that Lanes has put in place.
lanes.register("lanes.pool", pools)

return pools
