--- The body of a pool's worker: receives jobs from the pool's linda and replies with their results
--- (docs/manual/pools.md).
--
-- It runs in a lane that may have few libraries, so it uses only the base library and its
-- arguments. `attempt` is `pcall`, but does not catch requests to the lane.
--
-- A job is four elements of the slot "job": call, first, n, payload.
--   call false: the worker ends.
--   first > 0:  `n` items of a map; the first has this index. `payload` is the item if n is 1, else
--               a list. The slot `call` has the settings of the map and its function: reply, all,
--               stop, spread, f.
--   first == 0: a submitted task; `payload` has `f`, `n` arguments at 1..n, and `reply`.
--   first < 0:  a map of another worker has jobs in the slot `payload`.
-- A reply is five elements of the slot `reply`: call, first, n, kind, payload.
--   "one":   the values of `n` items: the value if n is 1, else a list
--   "all":   the same with a table {n = count, ...} for each item
--   "mixed": {values = list, errors = {[position] = {error, trace}}}
--   "lost":  the text of the error by which the worker ended
-- Control messages to the owner have call 0 and the worker's number as `first`: kinds "ready",
-- "failed" (init; the error), "gone" (the worker must be replaced) and "ended".

return function(queue, me, settings, cancel_error, attempt)
    -- Methods with the results of 3.x.
    local plain
    if settings.four then
        plain = queue.__plain()
    else
        plain = { receive = queue.receive, get = queue.get, batched = queue.batched, name_lane = set_debug_threadname }
    end
    local receive, get, batched = plain.receive, plain.get, plain.batched
    -- What is sent in tables of this file is the program's, but the tables are not.
    local keep = plain.keep or function(list)
        return list
    end
    local never, running, probe = "never:" .. me, "run:" .. me, "probe:" .. me
    local calls = {}
    local current, begin
    local tasks = 0

    local function pack(...)
        return keep { n = select("#", ...), ... }
    end

    local function spread(list, i, n)
        if i <= n then
            return list[i], spread(list, i + 1, n)
        end
    end

    -- Sends to the owner or to another worker. Returns false if the pool is cancelled.
    local function send(reply, ...)
        return queue:send(reply, ...) == true
    end

    local function control(kind, payload)
        return send("done", 0, me, 0, kind, payload)
    end

    local traceback = debug and debug.traceback

    local function caught(err)
        return keep { err, traceback and traceback("", 2) or nil }
    end

    -- Calls a function of the program. Returns true; false and { error, trace }.
    local function guarded(f)
        local fine, failure = xpcall(f, caught)
        if not fine then
            if type(failure) ~= "table" then
                failure = keep { failure }
            end
            if failure[1] == cancel_error then
                error(cancel_error, 0)
            end
        end
        return fine, failure
    end

    -- Returns the settings and function of a call, which are cached by call. Those of ended calls
    -- are removed.
    local function found(call)
        if queue:count(call) ~= 5 then
            calls[call] = nil
            return nil
        end
        local known = calls[call]
        if not known then
            for other in pairs(calls) do
                if queue:count(other) ~= 5 then
                    calls[other] = nil
                end
            end
            local reply, all, stop, many, f = get(queue, call, 5)
            if f == nil then
                return nil
            end
            known = { f = f, all = all, stop = stop, spread = many, reply = reply }
            calls[call] = known
        end
        return known
    end

    local has_died

    -- Calls the function for each item. Returns values by position, errors by position or nil.
    local function work(known, n, payload)
        local f, all, many = known.f, known.all, known.spread
        local values, errors = keep {}, nil
        local i = 0
        local function loop()
            while i < n do
                i = i + 1
                if begin then
                    begin()
                end
                local item = payload
                if n > 1 then
                    item = payload[i]
                end
                if many then
                    values[i] = all and pack(f(spread(item, 1, item.n))) or f(spread(item, 1, item.n))
                elseif all then
                    values[i] = pack(f(item))
                else
                    values[i] = f(item)
                end
            end
        end
        repeat
            local fine, failure = guarded(loop)
            if not fine then
                has_died = has_died or failure[1] == "not enough memory"
                errors = errors or keep {}
                errors[i] = failure
                if known.stop or has_died then
                    break
                end
            end
        until fine
        return values, errors
    end

    -- Replaces values that cannot be passed by errors with the reason.
    local function sift(values, errors, n)
        errors = errors or keep {}
        for i = 1, n do
            if values[i] ~= nil then
                local fine, text = attempt(queue.set, queue, probe, values[i])
                if not fine then
                    values[i] = nil
                    errors[i] = keep { text }
                end
            end
            if errors[i] then
                for part = 1, 2 do
                    local fine, text = attempt(queue.set, queue, probe, errors[i][part])
                    if not fine then
                        errors[i][part] = part == 1 and text or nil
                    end
                end
            end
        end
        queue:set(probe)
        return errors
    end

    local function answer(reply, call, first, n, kind, values, errors)
        if not errors then
            local payload = values
            if n == 1 then
                payload = values[1]
            end
            local fine, sent = attempt(send, reply, call, first, n, kind, payload)
            if fine then
                return sent
            end
            errors = sift(values, nil, n)
        end
        local fine, sent = attempt(send, reply, call, first, n, "mixed", keep { values = values, errors = errors })
        if fine then
            return sent
        end
        return send(reply, call, first, n, "mixed", keep { values = values, errors = sift(values, errors, n) })
    end

    -- Runs one job. Returns false if the pool is cancelled.
    local function run(call, first, n, payload)
        current = { call, first, n, "done" }
        if first == 0 then
            local reply, dropped = payload.reply, "drop:" .. call
            if queue:count(dropped) then
                queue:set(dropped)
                return true
            end
            current[4] = reply
            queue:set(running, call)
            local values, errors = work({ f = payload.f, all = true, spread = true }, 1, payload)
            if receive(queue, 0, running) == nil then
                -- Another state has taken the mark and is about to cancel this worker.
                receive(queue, never)
                return false
            end
            tasks = tasks + 1
            return answer(reply, call, first, 1, "all", values, errors)
        end
        local fine, known = attempt(found, call)
        if not fine then
            -- The function cannot be built here.
            local reply, errors = get(queue, call, 1), keep {}
            for i = 1, n do
                errors[i] = keep { known }
            end
            return first < 0 or answer(reply, call, first, n, "mixed", keep {}, errors)
        end
        if not known then
            return true
        end
        if first > 0 then
            current[4] = known.reply
            local values, errors = work(known, n, payload)
            tasks = tasks + n
            return answer(known.reply, call, first, n, known.all and "all" or "one", values, errors)
        end
        while true do
            local _, of, at, count, items = receive(queue, 0, batched, payload, 4)
            if of == nil or _ == cancel_error then
                return true
            end
            current = { of, at, count, known.reply }
            if not answer(known.reply, of, at, count, known.all and "all" or "one", work(known, count, items)) then
                return false
            end
        end
    end

    set_finalizer(function(err)
        if err ~= nil and err ~= cancel_error then
            local job = current
            if job then
                pcall(send, job[4], job[1], job[2], job[3], "lost", tostring(err))
            end
            control("gone")
        end
    end)

    if settings.name then
        plain.name_lane(settings.name .. " " .. me)
    end
    if settings.time_limit then
        begin = require "lanes.limit" (settings.time_limit)
    end
    if settings.init then
        local fine, failure = guarded(settings.init)
        if not fine then
            if not attempt(control, "failed", failure) then
                control("failed", keep { tostring(failure[1]) })
            end
            return
        end
    end
    if package then
        -- A map within a task finds its pool here.
        package.loaded["lanes.pool.here"] = {
            queue = queue, me = me, workers = settings.workers, work = work,
        }
    end
    if not control("ready") then
        return
    end
    while true do
        local _, call, first, n, payload = receive(queue, batched, "job", 4)
        if _ == cancel_error then
            return
        end
        if not call then
            control("ended")
            return
        end
        if not run(call, first, n, payload) then
            return
        end
        current = nil
        if has_died or settings.max_tasks and tasks >= settings.max_tasks then
            control("gone")
            return
        end
    end
end
