--- The body of a supervisor's lane: starts the children, and starts them again when they have ended
--- (docs/manual/failures.md#supervisors).
--
-- Slots of the linda: "stop" asks the supervisor to end. "ready" gets true once all children have
-- started, or { child, error }. "children" has what `which` returns. The slot of a number gets the
-- end of the child with that key.

return function(linda, children, settings, cancel_error, now, plain)
    plain = plain()
    -- What is sent in tables of this file is the program's, but the tables are not.
    local keep = plain.keep or function(list)
        return list
    end
    local count, keys, restarts = #children, 0, {}
    local by_key = {}
    local stopping = false

    local function spread(list, i, n)
        if i <= n then
            return list[i], spread(list, i + 1, n)
        end
    end

    local function publish()
        local list = keep {}
        for i = 1, count do
            local child = children[i]
            list[i] = keep { name = child.name, status = child.status, restarts = child.restarts, err = child.err }
        end
        linda:set("children", list)
    end

    -- Starts a child. Returns true; false and the error.
    local function start(child)
        local fine, lane = pcall(child.start, spread(child.args, 1, child.n))
        if not fine then
            if lane == cancel_error or type(lane) == "string" and lane:find("the main state is being closed", 1, true) then
                error(cancel_error, 0)
            end
            return false, lane
        end
        keys = keys + 1
        local watched, failure = pcall(function()
            return lane:monitor(linda, keys)
        end)
        if not watched then
            if failure == "not enough memory" and pcall(lane.cancel, lane, 0) then
                return false, failure
            end
            return false, "start returned a " .. type(lane) .. " value, a lane is expected"
        end
        child.lane, child.key, child.status, child.err = lane, keys, "running", nil
        by_key[keys] = child
        return true
    end

    local function ended(child, event)
        by_key[child.key] = nil
        child.lane, child.key, child.status, child.err = nil, nil, event.status, event.err
        if event.status == "error" then
            -- Nobody reads this failure. Collecting the handle reports it to `on_error`.
            collectgarbage()
        end
    end

    -- Waits for the end of one of these children, or for the request to stop. Returns the child, or
    -- nil at the request.
    local function next_end(waited)
        local wanted = { n = 0 }
        if not stopping then
            wanted.n, wanted[1] = 1, "stop"
        end
        for i = 1, #waited do
            wanted.n = wanted.n + 1
            wanted[wanted.n] = waited[i].key
        end
        local key, event = plain.receive(linda, nil, spread(wanted, 1, wanted.n))
        if key == cancel_error then
            error(cancel_error, 0)
        end
        if key == "stop" then
            stopping = true
            return nil
        end
        local child = by_key[key]
        ended(child, event)
        return child
    end

    -- Ends these children, the last one first, and waits for each.
    local function finish(first, last)
        for i = last, first, -1 do
            local child = children[i]
            if child.lane then
                child.lane:cancel("count", 1000, 0)
                repeat
                    next_end { child }
                until not child.lane
            end
        end
    end

    local function note_restart()
        local time = now()
        local kept = {}
        for i = 1, #restarts do
            if time - restarts[i] <= settings.period then
                kept[#kept + 1] = restarts[i]
            end
        end
        kept[#kept + 1] = time
        restarts = kept
        return #restarts <= settings.intensity
    end

    -- Starts a child again, and those that the strategy starts with it.
    local function restart(position)
        repeat
            if not note_restart() then
                finish(1, count)
                publish()
                error(("supervisor: %d restarts in %g s"):format(settings.intensity, settings.period), 0)
            end
            local first, last = position, position
            if settings.strategy ~= "one_for_one" then
                first, last = settings.strategy == "one_for_all" and 1 or position, count
                finish(first, last)
                if stopping then
                    return
                end
            end
            local failed
            for i = first, last do
                local child = children[i]
                if i == position or child.restart ~= "temporary" then
                    child.restarts, child.status = child.restarts + 1, "running"
                    -- What the child does may be seen before `start` returns.
                    publish()
                    local started, failure = start(child)
                    if not started then
                        child.status, child.err = "error", failure
                        failed = i
                        break
                    end
                end
            end
            position = failed
        until not position
    end

    plain.name_lane("supervisor")
    set_finalizer(function()
        for i = count, 1, -1 do
            local child = children[i]
            if child.lane then
                child.lane:cancel("count", 1000, 0)
                child.status = "cancelled"
            end
        end
        pcall(publish)
    end)

    for i = 1, count do
        local child = children[i]
        child.position, child.restarts, child.status = i, 0, "pending"
    end
    for i = 1, count do
        local started, failure = start(children[i])
        if not started then
            finish(1, i - 1)
            if not pcall(linda.send, linda, "ready", keep { children[i].name, failure }) then
                linda:send("ready", keep { children[i].name, tostring(failure) })
            end
            return true
        end
    end
    publish()
    linda:send("ready", true)

    while not stopping do
        local running = {}
        for i = 1, count do
            if children[i].lane then
                running[#running + 1] = children[i]
            end
        end
        if #running == 0 then
            -- All have ended, and none will be started again.
            return true
        end
        local child = next_end(running)
        if child then
            if child.restart == "permanent" or child.restart == "transient" and child.status == "error" then
                restart(child.position)
            end
            publish()
        end
    end
    finish(1, count)
    publish()
    return true
end
