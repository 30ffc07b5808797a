--- Futures: what the tasks of a pool return (docs/manual/pools.md#futures).

local lanes = require "lanes"
local core = require "lanes_core"
local helpers = require "lanes.helpers"
local workers = require "lanes.workers"

local cancel_error = lanes.cancel_error
local plain = helpers.plain
local receive, get = plain.receive, plain.get
local unpack = rawget(table, "unpack") or rawget(_G, "unpack")
local deadline_of, remaining = helpers.deadline, helpers.remaining

local futures = {}

local Future = {}

-- The key of a future's private data.
local PRIVATE = {}

-- Waits until a future has ended. Returns true; false at the timeout; cancel_error.
local function await(future, timeout)
    local known = future[PRIVATE]
    local pool, own = known.pool, known.own
    local deadline = deadline_of(timeout)
    local unmark
    local outcome = true
    while not known.outcome do
        unmark = workers.begin_wait(pool, own, deadline)
        outcome = workers.pump(pool, own, remaining(deadline))
        if outcome ~= true then
            break
        end
    end
    if unmark then
        unmark()
    end
    return known.outcome and true or outcome
end

-- Stores the outcome of a task. Called by `lanes.workers`.
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
    if known.lost == workers.CANCELLED then
        known.outcome, known.ended = "cancelled", known.begun
    else
        known.outcome, known.values, known.ended = "error", NO_MEMORY, known.begun
    end
end

--- Makes the future of a task and records it, so that the reply of the worker finds it.
-- @param call number of the call
function futures.new(pool, own, call)
    local known = { pool = pool, own = own, call = call, take = take, lose = lose, lost = false, outcome = false, values = false,
        begun = core.end_number(), ended = false }
    local future = setmetatable({ [PRIVATE] = known }, Future)
    own.calls[call] = known
    return future
end

-- Returns whether a task waits for a worker, and the number of the worker that runs it, if any.
local function place(known)
    for number in pairs(known.own.workers or {}) do
        if get(known.pool.queue, "run:" .. number) == known.call then
            return false, number
        end
    end
    return true
end

--- The data of a future that a wait needs.
-- @return pool, own, outcome, ended of the future; nil if the value is no future
function futures.of(value)
    return getmetatable(value) == "Future" and type(value) == "table" and rawget(value, PRIVATE) or nil
end

local methods = {}

local function check_future(value, call)
    if not futures.of(value) then
        error(("bad argument #1 to '%s' (future expected, got %s): call it as future:%s(...)"):format(call, type(value), call), 3)
    end
end

--- Makes a notifier of the end of the task (docs/manual/loops.md#notifiers).
function methods:notifier()
    return core.late "lanes.notifier" (self, self[PRIVATE])
end

--- Waits until the task has ended.
-- @param timeout seconds; nil: no limit
-- @return as `lane:join`: in the 3.x interface its results; nil, error, trace; nothing if it was
--   cancelled; nil, "timeout"; cancel_error
function methods:join(timeout)
    check_future(self, "join")
    helpers.check_timeout(timeout, "join", 2)
    local ended = await(self, timeout and timeout >= 0 and timeout or nil)
    if ended == cancel_error then
        return helpers.cancelled()
    elseif not ended then
        return nil, "timeout"
    end
    local known = self[PRIVATE]
    local values = known.values
    if not plain.four then
        if values then
            return unpack(values, 1, values.n)
        end
    elseif known.outcome == "cancelled" then
        return nil, cancel_error
    elseif known.outcome == "error" then
        return unpack(values, 1, values.n)
    else
        return true, unpack(values, 1, values.n)
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
    workers.take_all(known.pool, own)
    if known.outcome then
        return true, self.status
    end
    local waits, number = place(known)
    if not waits then
        -- Only the state that takes this mark may cancel the worker; the worker cannot begin
        -- another task meanwhile.
        local number_of_end = core.end_number()
        local _, call = receive(queue, 0, "run:" .. number)
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
            workers.replace(known.pool, own)
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
    workers.tell(own)
    queue:set("drop:" .. tostring(known.call), true)
    return true, "cancelled"
end

-- A result of a task that has not failed, as the 4.x interface gives it.
local function result_of_four(known, n)
    local values = known.outcome == "cancelled" and { n = 2, nil, cancel_error } or known.values
    if n == 0 then
        return values.n
    end
    return n >= 1 and n <= values.n and values[n] or nil
end

function Future.__index(future, key)
    local known = rawget(future, PRIVATE)
    if type(key) == "number" then
        local ended = await(future)
        if ended == cancel_error then
            return cancel_error
        end
        if known.outcome == "error" then
            if key == -1 or plain.four and key < 0 then
                return known.values[2]
            end
            error(known.values[2], 2)
        elseif plain.four then
            return result_of_four(known, key)
        elseif key == 0 then
            return true
        end
        return known.values and known.values[key]
    elseif key == "status" then
        if not known.outcome then
            workers.take_all(known.pool, known.own)
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

return futures
