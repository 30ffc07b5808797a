--- `lanes.imap`: an iterator over the results of a function for many items, by a pool
--- (docs/manual/pools.md).

local lanes = require "lanes"
local chunks = require "lanes.chunks"
local helpers = require "lanes.helpers"

local cancel_error, keep = lanes.cancel_error, helpers.keep
local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

-- An iterator over the items of a list.
local function items_of(list)
    local i = 0
    return function()
        i = i + 1
        return list[i]
    end
end

--- Begins a call and returns its iterator of index and results.
-- @param name of the function in messages
-- @param at number of the argument that is the source; the function is the other one of 1 and 2
return function(name, pool, own, at, f, source, opts, level)
    local iterator = source
    if type(source) == "table" and not (getmetatable(source) and getmetatable(source).__call) then
        iterator = items_of(source)
    elseif type(source) ~= "function" and type(source) ~= "table" and type(source) ~= "userdata" then
        error(("bad argument #%d to '%s' (table or iterator expected, got %s)"):format(at, name, type(source)), level + 1)
    end
    local list = type(source) == "table" and iterator ~= source and source or nil
    local call = chunks.begin(name, pool, own, 3 - at, f, list, opts, true, level + 1)
    call.take, call.lose = chunks.take, chunks.lose
    local function packed(...)
        return keep { n = select("#", ...), ... }
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
    chunks.announce(call, f, many, level + 1)
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
        chunks.finish(call)
    end)
    local jobs = {}

    -- Takes items from the iterator, as many as the buffer allows, and sends them.
    local function feed()
        local count = 0
        while not exhausted and not (call.stop and call.first_error) do
            local size = chunks.chunk_size(call)
            local room = (buffer or 4 * call.workers * size) - (call.taken - handed)
            if room < 1 then
                break
            end
            local n, payload = 0, keep {}
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
        return count == 0 or chunks.send(call, "job", jobs, count)
    end

    -- Returns the results of item `index`, which have arrived.
    local function hand(index)
        handed = handed + 1
        call.progress(handed, call.total)
        local failure = call.errors[index]
        if failure then
            if call.on_error == "raise" then
                chunks.finish(call)
                chunks.raise(call, index)
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
                chunks.finish(call)
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
                    chunks.raise(call, call.first_error)
                end
                over = true
                chunks.finish(call)
                call.progress(handed, call.total, true)
                return nil
            end
            local outcome = chunks.pump(call)
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
