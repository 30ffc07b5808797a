--- `lanes.map` and `lanes.imap`: calls of one function for many items, by a pool
--- (docs/manual/pools.md).

local lanes = require "lanes"
local pools = require "lanes.pool"
local helpers = require "lanes.helpers"
local progress = require "lanes.progress"

local cancel_error = lanes.cancel_error
local unpack = rawget(table, "unpack") or rawget(_G, "unpack")
local move = rawget(table, "move")
local attempt, is_whole = helpers.attempt, helpers.is_whole

local map = {}

-- The time that a chunk should take, in seconds.
local CHUNK_TIME = 0.0005

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

-- Checks the arguments of `map` or `imap` and makes the record of the call.
-- @param name "map" or "imap"
-- @param at number of the argument that is the function
-- @param all whether all results of the function are kept
local function begin(name, pool, own, at, f, list, opts, all, level)
    if type(f) ~= "function" then
        error(("bad argument #%d to '%s' (function expected, got %s)"):format(at, name, type(f)), level + 1)
    end
    if opts ~= nil and type(opts) ~= "table" then
        error(("bad argument #3 to '%s' (table of options expected, got %s)"):format(name, type(opts)), level + 1)
    end
    opts = opts or {}
    helpers.check_options(name, opts, KNOWN, level + 1)
    local call = {
        name = name, pool = pool, own = own, queue = pool.queue, id = pools.new_call(own), workers = pool.workers, all = all,
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

-- Passes the function to the workers.
local function announce(call, f, many, level)
    local sent, failure = attempt(call.queue.set, call.queue, call.id, call.own.slot, call.all, call.stop, many, f)
    if not sent then
        failure = tostring(failure):gsub("arg #6", "function")
        error(call.name .. ": " .. failure, level + 1)
    end
    call.own.calls[call.id] = call
end

-- Removes the function: workers drop chunks that have not begun.
local function finish(call)
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

-- Called by the pool with a reply of a worker.
local function take(call, first, n, kind, payload)
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

-- As `take`, if memory has run out. Allocates nothing.
local function lose(call)
    call.outstanding = call.outstanding - 1
end

-- How many items a worker does in CHUNK_TIME, by the times so far.
local function items_in_time(call)
    local elapsed = lanes.now_secs() - call.began
    return elapsed > 0 and math.floor(call.done / elapsed / call.workers * CHUNK_TIME) or math.huge
end

-- The size of the next chunk: as many items as take CHUNK_TIME.
local function chunk_size(call)
    if call.auto and call.done > 0 then
        call.size = math.max(1, math.min(items_in_time(call), call.size * 4, call.most))
    end
    return call.size
end

-- How many chunks may be on their way, and how many replies are worth waking up for: with small
-- chunks many, so that the calling thread does not wake up for each.
local function pace(call)
    local window = 4 * call.workers
    if call.auto or call.done == 0 then
        return window, 1
    end
    local replies = math.floor(items_in_time(call) * call.workers / call.size)
    replies = math.max(1, math.min(replies, pools.AT_A_TIME))
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
            finish(call)
            error(("%s: item %d%s: %s"):format(call.name, first + i - 1, path, (failure:gsub("arg #2", "item " .. first + i - 1))), 0)
        end
    end
    queue:set(probe)
    finish(call)
    error(call.name .. ": " .. tostring(failure), 0)
end

-- Sends jobs, four elements each. Returns false if the pool is cancelled or the calling lane is
-- asked to stop.
local function send(call, slot, jobs, count)
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
    finish(call)
    error(failure, 0)
end

-- Appends a job for the next items of the list.
local function add_job(call, jobs, count)
    local first = call.taken + 1
    local n = math.min(chunk_size(call), call.total - call.taken)
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
    call.taken = call.taken + n
    jobs[count + 1], jobs[count + 2], jobs[count + 3], jobs[count + 4] = call.id, first, n, payload
    return count + 4
end

-- The error of a call, for item `index`.
local function raise(call, index)
    local failure = call.errors[index]
    local err = failure[1]
    if type(err) == "string" then
        error(("%s: item %d: %s"):format(call.name, index, err), 0)
    end
    error(err, 0)
end

-- Waits for replies. Returns false at the timeout, `cancel_error` if the caller is asked to stop.
-- @param least how many replies are worth waking up for; nil: 1
local function pump(call, least)
    local own = call.own
    if own.failure and own.living == 0 then
        finish(call)
        error("pool: init failed: " .. tostring(own.failure[1]), 0)
    end
    local outcome = pools.pump(call.pool, own, helpers.remaining(call.deadline), least)
    if outcome ~= true then
        finish(call)
    elseif call.lost then
        finish(call)
        error(call.lost, 0)
    end
    return outcome
end

-- Runs the jobs of a map within a task, with the help of other workers. It never waits for a job
-- that has not begun.
local function nested(call)
    local here, queue = call.own.here, call.queue
    local slot = "jobs:" .. call.id
    if call.auto then
        call.size, call.auto = call.most, nil
    end
    local jobs, count = {}, 0
    while call.taken < call.total do
        count = add_job(call, jobs, count)
        if count == 128 or call.taken == call.total then
            if not send(call, slot, jobs, count) then
                return cancel_error
            end
            count = 0
        end
    end
    for _ = 1, math.min(here.workers - 1, call.outstanding - 1) do
        queue:send("job", call.id, -1, 0, slot)
    end
    local known = { f = call.f, all = call.all, stop = call.stop }
    while not (call.stop and call.first_error) do
        local key, _, first, n, payload = queue:receive(0, queue.batched, slot, 4)
        if key == nil then
            break
        elseif key == cancel_error then
            return cancel_error
        end
        local values, errors = here.work(known, n, payload)
        if errors then
            call:take(first, n, "mixed", { values = values, errors = errors })
        elseif n == 1 then
            call:take(first, n, "one", values[1])
        else
            call:take(first, n, "one", values)
        end
    end
    call.outstanding = call.outstanding - math.floor((queue:count(slot) or 0) / 4)
    queue:set(slot)
    while call.outstanding > 0 do
        local outcome = pump(call)
        if outcome ~= true then
            return outcome
        end
    end
    return true
end

-- Runs a map from outside of the pool.
local function outside(call)
    local jobs = {}
    while true do
        local count = 0
        local window, replies = pace(call)
        while call.taken < call.total and call.outstanding + count / 4 < window and not (call.stop and call.first_error) do
            count = add_job(call, jobs, count)
        end
        if count > 0 and not send(call, "job", jobs, count) then
            finish(call)
            return cancel_error
        end
        if call.outstanding == 0 then
            return true
        end
        local outcome = pump(call, math.min(replies, call.outstanding))
        if outcome ~= true then
            return outcome
        end
        call.progress(call.done, call.total)
    end
end

-- @param at number of the argument that is the list; the function is the other one of 1 and 2
local function do_map(name, pool, own, at, f, list, opts, level)
    if type(list) ~= "table" then
        error(("bad argument #%d to '%s' (table expected, got %s)"):format(at, name, type(list)), level + 1)
    end
    local call = begin(name, pool, own, 3 - at, f, list, opts, false, level + 1)
    call.take, call.lose, call.f = take, lose, f
    announce(call, f, false, level + 1)
    local outcome = true
    if call.total > 0 then
        if own.here then
            outcome = nested(call)
        else
            outcome = outside(call)
        end
    end
    finish(call)
    if outcome == cancel_error then
        return cancel_error
    elseif not outcome then
        return nil, "timeout"
    end
    call.progress(call.done, call.total, true)
    local results = call.results
    results.n = call.total
    if call.first_error then
        if call.on_error == "raise" then
            raise(call, call.first_error)
        elseif call.on_error == "return" then
            results.errors = {}
            for index, failure in pairs(call.errors) do
                results.errors[index] = failure[1]
            end
        else
            for index, failure in pairs(call.errors) do
                results[index] = call.on_error(index, failure[1], failure[2])
            end
        end
    end
    return results
end

-- An iterator over the items of a list.
local function items_of(list)
    local i = 0
    return function()
        i = i + 1
        return list[i]
    end
end

-- @param at as for do_map
local function do_imap(name, pool, own, at, f, source, opts, level)
    local iterator = source
    if type(source) == "table" and not (getmetatable(source) and getmetatable(source).__call) then
        iterator = items_of(source)
    elseif type(source) ~= "function" and type(source) ~= "table" and type(source) ~= "userdata" then
        error(("bad argument #%d to '%s' (table or iterator expected, got %s)"):format(at, name, type(source)), level + 1)
    end
    local call = begin(name, pool, own, 3 - at, f, type(source) == "table" and iterator ~= source and source or nil, opts, true, level + 1)
    call.take, call.lose = take, lose
    local function packed(...)
        return { n = select("#", ...), ... }
    end
    local ahead = packed(iterator())
    local many = ahead.n > 1
    local exhausted = ahead[1] == nil
    if own.here then
        -- Within a task of the same pool, the task runs the calls itself.
        local index = 0
        return function()
            if exhausted then
                return nil
            end
            index = index + 1
            local item = ahead
            local results = packed(f(unpack(item, 1, item.n)))
            ahead = packed(iterator())
            exhausted = ahead[1] == nil
            return index, unpack(results, 1, results.n)
        end
    end
    announce(call, f, many, level + 1)
    local buffer = call.opts.buffer
    local ordered = call.opts.ordered ~= false
    local handed, ready, ready_first, ready_last = 0, {}, 1, 0
    if not ordered then
        function call.arrived(first, n)
            for index = first, first + n - 1 do
                ready_last = ready_last + 1
                ready[ready_last] = index
            end
        end
    end
    -- Drops the rest of the call when the loop is left, or the iterator is collected.
    local guard = helpers.at_end(function()
        finish(call)
    end)
    local jobs = {}

    -- Takes items from the iterator, as many as the buffer allows, and sends them.
    local function feed()
        local count = 0
        while not exhausted and not (call.stop and call.first_error) do
            local size = chunk_size(call)
            local room = (buffer or 4 * call.workers * size) - (call.taken - handed)
            if room < 1 then
                break
            end
            local n, payload = 0, {}
            while n < math.min(size, room) and not exhausted do
                n = n + 1
                payload[n] = many and ahead or ahead[1]
                ahead = packed(iterator())
                exhausted = ahead[1] == nil
            end
            jobs[count + 1], jobs[count + 2], jobs[count + 3] = call.id, call.taken + 1, n
            jobs[count + 4] = payload
            if n == 1 then
                jobs[count + 4] = payload[1]
            end
            call.taken = call.taken + n
            count = count + 4
            if count >= 128 then
                break
            end
        end
        return count == 0 or send(call, "job", jobs, count)
    end

    -- Returns the results of item `index`, which have arrived.
    local function hand(index)
        handed = handed + 1
        call.progress(handed, call.total)
        local failure = call.errors[index]
        if failure then
            if call.on_error == "raise" then
                finish(call)
                raise(call, index)
            end
            call.errors[index] = nil
            if call.on_error == "return" then
                return index, nil, failure[1]
            end
            return index, call.on_error(index, failure[1], failure[2])
        end
        local results = call.results[index]
        call.results[index] = nil
        return index, unpack(results, 1, results.n)
    end

    local over = false
    local function following()
        if over then
            return nil
        end
        while true do
            if not feed() then
                over = true
                finish(call)
                return nil, cancel_error
            end
            local index
            if ordered then
                index = handed + 1
                if not (call.results[index] or call.errors[index]) then
                    index = nil
                end
            elseif ready_first <= ready_last then
                index = ready[ready_first]
                ready[ready_first] = nil
                ready_first = ready_first + 1
            end
            if index then
                return hand(index)
            end
            if call.outstanding == 0 then
                if call.stop and call.first_error then
                    over = true
                    raise(call, call.first_error)
                end
                over = true
                finish(call)
                call.progress(handed, call.total, true)
                return nil
            end
            local outcome = pump(call)
            if outcome == cancel_error then
                over = true
                return nil, cancel_error
            elseif not outcome then
                over = true
                error(("%s: timed out after %s s"):format(name, call.opts.timeout), 0)
            end
        end
    end
    return function()
        -- Keeps the guard alive as long as the iterator.
        return following(guard)
    end, nil, nil, guard
end

--- `pool:map(f, list, opts)`: calls a function for each item of a list, in the pool's lanes.
-- @param f the function
-- @param list the items, a table
-- @param opts see docs/manual/pools.md#options-of-a-map
-- @return a table of the first results, with their number in `n`; nil, "timeout"; cancel_error
function map.map_of_pool(pool, f, list, opts)
    local own = pools.access(pool, "map", 3)
    local results, reason = do_map("map", pool, own, 2, f, list, opts, 3)
    return results, reason
end

--- `pool:imap(f, source, opts)`: calls a function for each item of a list or an iterator, in the
--- pool's lanes.
-- @return an iterator of index and results
function map.imap_of_pool(pool, f, source, opts)
    local own = pools.access(pool, "imap", 3)
    local iterator, state, control, guard = do_imap("imap", pool, own, 2, f, source, opts, 3)
    return iterator, state, control, guard
end

local shared

-- The pool of `lanes.map`: within a task the task's pool, otherwise one that is made at first use.
local function default()
    local here = package.loaded["lanes.pool.here"]
    if here then
        return setmetatable({ queue = here.queue, workers = here.workers }, pools.Meta)
    end
    shared = shared or pools.new { name = "lanes.map" }
    return shared
end

--- `pool:map` with a pool that is made at first use.
function map.map(list, f, opts)
    -- Before a pool is made.
    if type(list) ~= "table" then
        error(("bad argument #1 to 'map' (table expected, got %s)"):format(type(list)), 3)
    end
    local pool = default()
    local results, reason = do_map("map", pool, pools.access(pool, "map", 3), 1, f, list, opts, 3)
    return results, reason
end

--- `pool:imap` with a pool that is made at first use.
function map.imap(source, f, opts)
    local pool = default()
    local iterator, state, control, guard = do_imap("imap", pool, pools.access(pool, "imap", 3), 1, f, source, opts, 3)
    return iterator, state, control, guard
end

map.default = default

return map
