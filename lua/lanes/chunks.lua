--- Calls of one function for many items, in chunks: what `lanes.map` and `lanes.imap` share
--- (docs/manual/pools.md).

local lanes = require "lanes"
local helpers = require "lanes.helpers"
local progress = require "lanes.progress"
local workers = require "lanes.workers"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")
local move = rawget(table, "move")
local attempt, is_whole, keep = helpers.attempt, helpers.is_whole, helpers.keep

local chunks = {}

-- The time that a chunk should take, in seconds.
local CHUNK_TIME = 0.0005

-- The time for which a reply may wait for others, in seconds. Each time that the calling thread
-- wakes up it takes a processor away from a worker.
local REPLY_TIME = 0.002

local function flag(value)
    return type(value) == "boolean"
end

local KNOWN = {
    chunk = { "\"auto\" or a whole number from 1", function(value)
        return value == "auto" or is_whole(value)
    end },
    ordered = { "a boolean", flag },
    buffer = { "a whole number from 1", is_whole },
    on_error = { "\"raise\", \"return\" or a function", function(value)
        return value == "raise" or value == "return" or type(value) == "function"
    end },
    progress = { "a boolean or a function", function(value)
        return flag(value) or type(value) == "function"
    end },
    timeout = { "a number of seconds from 0", function(value)
        return type(value) == "number" and value >= 0
    end },
}

--- Checks the arguments of `map` or `imap` and makes the record of the call.
-- @param name "map" or "imap"
-- @param at number of the argument that is the function
-- @param all whether all results of the function are kept
function chunks.begin(name, pool, own, at, f, list, opts, all, level)
    if type(f) ~= "function" then
        error(("bad argument #%d to '%s' (function expected, got %s)"):format(at, name, type(f)), level + 1)
    end
    if opts ~= nil and type(opts) ~= "table" then
        error(("bad argument #3 to '%s' (table of options expected, got %s)"):format(name, type(opts)), level + 1)
    end
    opts = opts or {}
    helpers.check_options(name, opts, KNOWN, level + 1)
    local call = {
        name = name, pool = pool, own = own, queue = pool.queue, id = workers.new_call(own), workers = pool.workers, all = all,
        on_error = opts.on_error or "raise",
        results = {}, errors = {}, lost = false, first_error = false, outstanding = 0, done = 0, taken = 0, opts = opts,
        progress = progress.new(opts.progress), deadline = helpers.deadline(opts.timeout), began = lanes.now_secs(),
    }
    if type(list) == "table" then
        call.list, call.total = list, #list
    end
    call.size = opts.chunk
    if opts.chunk == nil or opts.chunk == "auto" then
        call.size, call.auto = 1, true
        call.most = call.total and math.max(1, math.floor(call.total / (4 * call.workers))) or math.huge
    end
    call.stop = call.on_error == "raise"
    return call
end

--- Passes the function to the workers.
function chunks.announce(call, f, many, level)
    local sent, failure = attempt(call.queue.set, call.queue, call.id, call.own.slot, call.all, call.stop, many, f)
    if not sent then
        failure = tostring(failure):gsub("arg #6", "function")
        error(call.name .. ": " .. failure, level + 1)
    end
    call.own.calls[call.id] = call
end

--- Removes the function: workers drop chunks that have not begun.
function chunks.finish(call)
    if call.own.calls[call.id] then
        call.own.calls[call.id] = nil
        call.queue:set(call.id)
    end
end

local function failed(call, index, err, trace)
    call.errors[index] = { err, trace }
    if not call.first_error or index < call.first_error then
        call.first_error = index
    end
end

--- Called by `lanes.workers` with a reply of a worker.
function chunks.take(call, first, n, kind, payload)
    local results = call.results
    if kind == "one" or kind == "all" then
        if n == 1 then
            results[first] = payload
        else
            for i = 1, n do
                results[first + i - 1] = payload[i]
            end
        end
    elseif kind == "lost" then
        for i = 1, n do
            failed(call, first + i - 1, payload)
        end
    else
        for i = 1, n do
            local failure = payload.errors[i]
            if failure then
                failed(call, first + i - 1, failure[1], failure[2])
            else
                results[first + i - 1] = payload.values[i]
            end
        end
    end
    if call.arrived then
        call.arrived(first, n)
    end
    -- This comes last: if memory runs out before it, `lose` does it.
    call.outstanding = call.outstanding - 1
    call.done = call.done + n
end

--- As `take`, if memory has run out. Allocates nothing.
function chunks.lose(call)
    call.outstanding = call.outstanding - 1
end

-- How many items are done in this time, by the times so far.
local function items_in(call, time)
    local elapsed = lanes.now_secs() - call.began
    return elapsed > 0 and call.done / elapsed * time or math.huge
end

--- The size of the next chunk: as many items as take CHUNK_TIME.
function chunks.chunk_size(call)
    if call.auto and call.done > 0 then
        local items = math.floor(items_in(call, CHUNK_TIME) / call.workers)
        call.size = math.max(1, math.min(items, call.size * 4, call.most))
    end
    return call.size
end

--- How many chunks may be on their way, and how many replies are worth waking up for: with short
--- chunks many, so that the calling thread does not wake up for each.
function chunks.pace(call)
    local window = 4 * call.workers
    if call.auto or call.done == 0 then
        return window, 1
    end
    local replies = math.floor(items_in(call, REPLY_TIME) / call.size)
    replies = math.max(1, math.min(replies, workers.AT_A_TIME))
    return math.max(window, 4 * replies), replies
end

-- Raises the error about an item that cannot be passed.
local function blame(call, first, n, payload, failure)
    local queue, probe = call.queue, "probe:" .. tostring(call.id)
    for i = 1, n do
        local item = payload
        if n > 1 then
            item = payload[i]
        end
        local sent, text = attempt(queue.set, queue, probe, item)
        if not sent then
            failure = tostring(text)
            local path = failure:match "'arg #2([^']*)'" or ""
            chunks.finish(call)
            error(("%s: item %d%s: %s"):format(call.name, first + i - 1, path, (failure:gsub("arg #2", "item " .. first + i - 1))), 0)
        end
    end
    queue:set(probe)
    chunks.finish(call)
    error(call.name .. ": " .. tostring(failure), 0)
end

--- Sends jobs, four elements each. Returns false if the pool is cancelled or the calling lane is
--- asked to stop.
function chunks.send(call, slot, jobs, count)
    local queue = call.queue
    local sent, failure = attempt(queue.send, queue, slot, unpack(jobs, 1, count))
    if sent then
        call.outstanding = call.outstanding + count / 4
        return failure == true
    end
    for at = 1, count, 4 do
        if not attempt(queue.set, queue, "probe:" .. tostring(call.id), jobs[at + 3]) then
            blame(call, jobs[at + 1], jobs[at + 2], jobs[at + 3], failure)
        end
    end
    chunks.finish(call)
    error(failure, 0)
end

--- Appends a job for the next items of the list.
function chunks.add_job(call, jobs, count)
    local first = call.taken + 1
    local n = math.min(chunks.chunk_size(call), call.total - call.taken)
    local list, payload = call.list, {}
    if n == 1 then
        payload = list[first]
    elseif move then
        move(list, first, first + n - 1, 1, payload)
    else
        for i = 1, n do
            payload[i] = list[first + i - 1]
        end
    end
    if n > 1 then
        keep(payload)
    end
    call.taken = call.taken + n
    jobs[count + 1], jobs[count + 2], jobs[count + 3], jobs[count + 4] = call.id, first, n, payload
    return count + 4
end

--- Raises the error of a call, for item `index`.
function chunks.raise(call, index)
    local failure = call.errors[index]
    local err = failure[1]
    if type(err) == "string" then
        error(("%s: item %d: %s"):format(call.name, index, err), 0)
    end
    error(err, 0)
end

--- Waits for replies. Returns false at the timeout, `cancel_error` if the caller is asked to stop.
-- @param least how many replies are worth waking up for; nil: 1
function chunks.pump(call, least)
    local own = call.own
    if own.failure and own.living == 0 then
        chunks.finish(call)
        error("pool: init failed: " .. tostring(own.failure[1]), 0)
    end
    local outcome = workers.pump(call.pool, own, helpers.remaining(call.deadline), least)
    if outcome ~= true then
        chunks.finish(call)
    elseif call.lost then
        chunks.finish(call)
        error(call.lost, 0)
    end
    return outcome
end

return chunks
