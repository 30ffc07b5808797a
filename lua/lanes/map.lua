--- `lanes.map` and `lanes.imap`: calls of one function for many items, by a pool
--- (docs/manual/pools.md).

local lanes = require "lanes"
local chunks = require "lanes.chunks"
local helpers = require "lanes.helpers"
local imap = require "lanes.imap"
local pools = require "lanes.pool"

local cancel_error = lanes.cancel_error
local plain = helpers.plain
local receive, batched = plain.receive, plain.batched

local map = {}

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
        count = chunks.add_job(call, jobs, count)
        if count == 128 or call.taken == call.total then
            if not chunks.send(call, slot, jobs, count) then
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
        local key, _, first, n, payload = receive(queue, 0, batched, slot, 4)
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
        local outcome = chunks.pump(call)
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
        local window, replies = chunks.pace(call)
        while call.taken < call.total and call.outstanding + count / 4 < window and not (call.stop and call.first_error) do
            count = chunks.add_job(call, jobs, count)
        end
        if count > 0 and not chunks.send(call, "job", jobs, count) then
            chunks.finish(call)
            return cancel_error
        end
        if call.outstanding == 0 then
            return true
        end
        local outcome = chunks.pump(call, math.min(replies, call.outstanding))
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
    local call = chunks.begin(name, pool, own, 3 - at, f, list, opts, false, level + 1)
    call.take, call.lose, call.f = chunks.take, chunks.lose, f
    chunks.announce(call, f, false, level + 1)
    local outcome = true
    if call.total > 0 then
        if own.here then
            outcome = nested(call)
        else
            outcome = outside(call)
        end
    end
    chunks.finish(call)
    if outcome == cancel_error then
        return helpers.cancelled()
    elseif not outcome then
        return nil, "timeout"
    end
    call.progress(call.done, call.total, true)
    local results = call.results
    results.n = call.total
    if call.first_error then
        if call.on_error == "raise" then
            chunks.raise(call, call.first_error)
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
    local iterator, state, control, guard = imap("imap", pool, own, 2, f, source, opts, 3)
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
    local iterator, state, control, guard = imap("imap", pool, pools.access(pool, "imap", 3), 1, f, source, opts, 3)
    return iterator, state, control, guard
end

map.default = default

return map
