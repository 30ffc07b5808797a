--- Waiting for several lanes and futures: `lanes.wait`
--- (docs/manual/select.md#laneswaitlist--options).

local lanes = require "lanes"
local core = require "lanes_core"
local helpers = require "lanes.helpers"
local pools

local cancel_error = lanes.cancel_error

-- Seconds after which a wait for futures first looks for workers that have ended without a message;
-- each time it waits twice as long, up to the second.
local FIRST_LOOK, LAST_LOOK = 0.05, 2

local wait = {}

local function future_of(value)
    -- Futures exist only if the module of pools has been loaded.
    pools = pools or package and type(package.loaded["lanes.pool"]) == "table" and package.loaded["lanes.pool"]
    return pools and pools.future(value)
end

-- The number of the end of an entry of a list; nil if it has not ended.
local function end_of(entry)
    local known = future_of(entry)
    if known then
        return known.ended or nil
    end
    return core.end_number(entry)
end

-- What kind of value it is, for messages.
local function kind_of(value)
    if core.is_lane(value) then
        return "lane"
    elseif future_of(value) then
        return "future"
    elseif pools and getmetatable(value) == pools.Meta then
        return "pool"
    end
    return type(value)
end

local KNOWN = {
    timeout = helpers.TIMEOUT,
    count = { "a whole number from 1 or \"all\"", function(value)
        return value == "all" or type(value) == "number" and value >= 1 and value % 1 == 0
    end },
}

-- Checks the arguments of `wait`. Returns the timeout and how many ends to wait for.
local function checked(list, options, level)
    local kind = kind_of(list)
    if kind ~= "table" then
        error(("bad argument #1 to 'wait' (a list of lanes and futures expected, got %s)"):format(kind), level + 1)
    end
    if options ~= nil and type(options) ~= "table" then
        error(("bad argument #2 to 'wait' (table expected, got %s)"):format(type(options)), level + 1)
    end
    for i = 1, #list do
        if not future_of(list[i]) and not core.is_lane(list[i]) then
            error(("bad argument #1 to 'wait' (entry %d: a lane or a future expected, got %s)"):format(i, kind_of(list[i])), level + 1)
        end
    end
    options = options or {}
    helpers.check_options("lanes.wait", options, KNOWN, level + 1)
    local timeout, count = options.timeout, options.count
    if count == nil then
        count = 1
    elseif count == "all" then
        count = #list
    end
    if count > #list and options.count == nil then
        error("bad argument #1 to 'wait' (a list of lanes and futures expected, got an empty table)", level + 1)
    elseif count > #list then
        error(("Bad 'count' option: %d, lanes.wait expects at most the number of lanes and futures in the list, which is %d")
            :format(count, #list), level + 1)
    end
    return timeout and timeout >= 0 and timeout or nil, count
end

-- Sorts the entries that have ended by their ends, and the others into lanes and, by pool, futures.
local function look(list)
    local ended, lanes_left, pools_left = {}, {}, {}
    for i = 1, #list do
        local entry = list[i]
        local number = end_of(entry)
        if number then
            local at = #ended + 1
            while at > 1 and ended[at - 1].number > number do
                ended[at] = ended[at - 1]
                at = at - 1
            end
            ended[at] = { entry = entry, number = number }
        else
            local known = future_of(entry)
            if known then
                pools_left[known.pool] = known.own
            else
                lanes_left[#lanes_left + 1] = entry
            end
        end
    end
    for i = 1, #ended do
        ended[i] = ended[i].entry
    end
    return ended, lanes_left, pools_left
end

-- Waits until `count` of the list have ended. Returns what `wait` returns; puts functions that end
-- the wait into `marks`.
local function until_ended(list, timeout, count, marks)
    local deadline = helpers.deadline(timeout)
    local slice = FIRST_LOOK
    local idle = false
    while true do
        local ended, lanes_left, pools_left = look(list)
        if next(pools_left) and #ended < count then
            for pool, own in pairs(pools_left) do
                -- A pool that has been cancelled has ended all its futures.
                if pools.workers.take_all(pool, own, idle) == cancel_error and not own.cancelled then
                    return cancel_error
                end
            end
            ended, lanes_left, pools_left = look(list)
        end
        if #ended >= count then
            return ended
        end
        local slots = {}
        for pool, own in pairs(pools_left) do
            marks[pool] = pools.workers.begin_wait(pool, own, deadline)
            slots[#slots + 1] = pool.queue
            slots[#slots + 1] = own.slot
        end
        local rest = helpers.remaining(deadline)
        local step = slots[1] and (not rest or rest > slice) and slice or rest
        local told = core.await(step, count - #ended, lanes_left, slots)
        if told == cancel_error then
            return cancel_error
        end
        idle = not told
        if idle then
            if step == rest and rest then
                ended = look(list)
                if #ended >= count then
                    return ended
                end
                return nil, "timeout"
            end
            slice = slice < LAST_LOOK and 2 * slice or slice
        end
    end
end

--- Waits until some of a list of lanes and futures have ended.
-- @param list the lanes and futures
-- @param options nil, or a table: `timeout` in seconds (negative or nil: no limit), `count`, how
--   many are to end (default 1), or "all"
-- @return a list of those that have ended, in the order of their ends; nil, "timeout"; what
--   `helpers.cancelled` returns
function wait.wait(list, options)
    local timeout, count = checked(list, options, 3)
    local copy = {}
    for i = 1, #list do
        copy[i] = list[i]
    end
    local marks = {}
    local fine, ended, reason = pcall(until_ended, copy, timeout, count, marks)
    for _, unmark in pairs(marks) do
        unmark()
    end
    if not fine then
        error(ended, 0)
    elseif ended == cancel_error then
        return helpers.cancelled()
    end
    return ended, reason
end

return wait
