--- Pools of lanes: `lanes.pool` and the methods of pools (docs/manual/pools.md).

local lanes = require "lanes"
local core = require "lanes_core"
local helpers = require "lanes.helpers"
local futures = require "lanes.future"
local worker = require "lanes.worker"
local workers = require "lanes.workers"

local cancel_error = lanes.cancel_error
local plain = helpers.plain
local send, keep = plain.send, helpers.keep
local attempt, described, is_whole = helpers.attempt, helpers.described, helpers.is_whole
local deadline_of, remaining = helpers.deadline, helpers.remaining

local pools = {}

-- The private data of pools that this state has made, by pool.
local owned = setmetatable({}, { __mode = "k" })

-- The methods of pools, and the metatable of pools.
local Pool = {}
local Meta = { __index = Pool }
pools.Meta = Meta

-- For modules that are loaded without this one, and use it if it is there.
pools.workers, pools.future = workers, futures.of

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
    local queue = core.linda(options.name or "pool")
    local pool = setmetatable({ queue = queue, workers = count }, Meta)
    local own = {
        generator = generator, calls = {}, workers = {}, next = 1, living = 0, starting = {}, next_call = 1, slot = "done",
        done = 0, failed = 0, missing = 0, failure = false, limit = options.queue,
        -- A pool that is collected ends its workers.
        guard = helpers.at_end(function()
            queue:cancel()
        end),
        settings = keep { init = options.init, time_limit = options.time_limit, max_tasks = options.max_tasks, name = options.name,
            workers = count, four = plain.four },
    }
    owned[pool] = own
    for _ = 1, count do
        local started, failure = attempt(workers.start, pool, own)
        if not started then
            pool.queue:cancel()
            error(without_position(failure), 3)
        end
    end
    while options.init and next(own.starting) do
        if workers.pump(pool, own) == cancel_error then
            pool.queue:cancel()
            return helpers.cancelled()
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
        workers.replace(pool, own)
    end
    if own.failure and own.living == 0 then
        raise_failure(own, level + 1)
    end
    return own
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
    while workers.is_full(self, own) do
        if workers.pump(self, own) == cancel_error then
            return helpers.cancelled()
        end
    end
    local job = keep { f = f, n = select("#", ...), reply = own.slot, ... }
    local call = workers.new_call(own)
    -- Recorded before it is sent, so that the reply finds it.
    local future = futures.new(self, own, call)
    local sent, failure = attempt(send, self.queue, "job", call, 0, 1, job)
    if not sent then
        own.calls[call] = nil
        failure = tostring(failure):gsub("arg #5%[(%d+)%]", "arg #%1"):gsub("arg #5%.f", "the function")
        error("submit: " .. failure, 2)
    end
    if failure == cancel_error then
        own.calls[call] = nil
        return helpers.cancelled()
    end
    return future
end

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
        workers.take_all(self, own)
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
        local pumped = workers.pump(self, own, remaining(deadline))
        if pumped == cancel_error then
            return helpers.cancelled()
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
        workers.tell(own)
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
