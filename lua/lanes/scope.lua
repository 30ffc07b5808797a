--- `lanes.scope`: a function whose lanes do not outlive it (docs/manual/scopes.md).

local lanes = require "lanes"
local core = require "lanes_core"
local helpers = require "lanes.helpers"

local cancel_error = lanes.cancel_error
local attempt, plain = helpers.attempt, helpers.plain
local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local scope = {}

local Scope = { __name = "scope" }

-- The key of what is known of a scope.
local PRIVATE = {}

-- The number of lanes from which those that have ended are forgotten now and then.
local MANY = 16

-- How often a wait is tried again for which Lua has no memory: it needs some for the call itself.
local MOST_ATTEMPTS = 1000

local NONE = {}

local KNOWN = {
    on_error = { "\"cancel\" or \"wait\"", function(value)
        return value == "cancel" or value == "wait"
    end },
    timeout = { "a number of seconds from 0", function(value)
        return type(value) == "number" and value >= 0
    end },
}

-- Forgets the lanes that have ended without an error.
local function forget_ended(known)
    local kept, count = false, 0
    local node = known.lanes
    while node do
        local following = node.following
        local status = node.lane.status
        if status ~= "done" and status ~= "cancelled" then
            node.following = kept
            kept, count = node, count + 1
        end
        node = following
    end
    known.lanes, known.count = kept, count
    known.many = math.max(MANY, 2 * count)
end

-- Calls a generator. `calling` is the position of errors about this call.
local function launch(generator, ...)
    local lane = generator(...)
    return lane
end

local calling = select(2, pcall(launch, function()
    error("", 2)
end))
if calling == "not enough memory" then
    -- The next use loads this module again.
    error(calling, 0)
end

-- Raises the error of a generator; if it has the position of the call above, with that of the
-- function at `level`.
local function raise_failure(failure, level)
    if type(failure) == "string" and calling ~= "" and failure:sub(1, #calling) == calling then
        error(failure:sub(#calling + 1), level + 1)
    end
    error(failure, 0)
end

local methods = {}

--- Launches a lane that belongs to the scope.
-- @param generator a generator, or another function that returns a lane
-- @param ... its arguments
-- @return the lane. Raises the errors of the generator
function methods:run(generator, ...)
    local known = type(self) == "table" and rawget(self, PRIVATE)
    if not known and type(self) == "table" and getmetatable(self) == Scope then
        error("scope:run: this scope belongs to another state", 2)
    elseif not known then
        error(("bad argument #1 to 'run' (scope expected, got %s): call it as scope:run(...)"):format(type(self)), 2)
    end
    if type(generator) ~= "function" then
        error(("bad argument #1 to 'run' (a generator expected, got %s)"):format(type(generator)), 2)
    end
    if known.over then
        error("scope:run: the scope has ended", 2)
    end
    if known.count >= known.many then
        forget_ended(known)
    end
    -- Made before the lane, because making it may fail.
    local node = { lane = false, following = false }
    local launched, lane = pcall(launch, generator, ...)
    if not launched then
        raise_failure(lane, 2)
    end
    if not core.is_lane(lane) then
        error(("bad argument #1 to 'run' (a generator expected, got a function that returned a %s)"):format(type(lane)), 2)
    end
    node.lane, node.following = lane, known.lanes
    known.lanes, known.count = node, known.count + 1
    local added, failure = attempt(core.scope_add, known.guard, lane)
    if not added then
        core.scope_stop(lane, "soft")
        error(failure, 0)
    end
    return lane
end

function Scope.__index(_, key)
    if methods[key] then
        return methods[key]
    end
    helpers.no_field("scope", key, "'run'", 2)
end

function Scope.__tostring()
    return "scope"
end

-- Asks the lanes to stop: "soft", "hard", or "hooks", which ends Lua code that does not wait, too.
local function stop(known, how)
    known.stopped = how
    if how == "soft" then
        core.scope_ring(known.guard)
        return
    end
    local node = known.lanes
    while node do
        core.scope_stop(node.lane, how)
        node = node.following
    end
end

-- Notes an error of the scope itself: of its function, or one that has ended its wait.
local function fail(known, err, number)
    if known.failed_at then
        return
    end
    known.err, known.failed_at = err, number
end

-- Waits until all lanes have ended. An error ends the wait: call it again then.
local function wait_for_lanes(known)
    if not known.stopped then
        local list, count = {}, 0
        local node = known.lanes
        while node do
            -- One that is a coroutine may be suspended for ever: it is ended below.
            if not plain.is_coroutine(node.lane) then
                count = count + 1
                list[count] = node.lane
            end
            node = node.following
        end
        if core.await(nil, count, list, NONE) == cancel_error then
            known.asked = true
            stop(known, "soft")
        end
    end
    local node = known.lanes
    while node do
        core.scope_wait(node.lane, not known.stopped)
        node = node.following
    end
end

-- Ends a scope whose function has returned: waits for its lanes, whatever happens.
local function finish(known)
    local must_end = core.scope_leave(known.guard)
    if known.failed_at then
        if must_end and known.err == cancel_error then
            known.must_end = true
            stop(known, "hard")
        elseif known.on_error == "cancel" then
            stop(known, "soft")
        end
    end
    local attempts = 0
    repeat
        local fine, failure = pcall(wait_for_lanes, known)
        if not fine and failure == "not enough memory" then
            attempts = attempts + 1
        end
        if not fine then
            -- A hard request to this lane, Ctrl-C, or lack of memory.
            fail(known, failure, core.end_number())
            if failure == cancel_error then
                known.must_end = true
            end
            if failure == cancel_error and known.stopped ~= "hard" then
                stop(known, "hard")
            elseif known.stopped and failure ~= "not enough memory" then
                stop(known, "hooks")
            elseif not known.stopped then
                stop(known, "soft")
            end
        end
    until fine or attempts == MOST_ATTEMPTS
end

-- The errors of lanes, of the scope and of its timeout, the first one first: {number, err, lane}.
local function failures(known, timed_out)
    local list = {}
    local node = known.lanes
    while node do
        local lane = node.lane
        if lane.status == "error" then
            list[#list + 1] = { core.end_number(lane), lane = lane }
        end
        node = node.following
    end
    if known.failed_at then
        list[#list + 1] = { known.failed_at, known.err }
    end
    if timed_out then
        list[#list + 1] = { timed_out, ("scope: timed out after %.14g s"):format(known.timeout), position = true }
    end
    -- Not by table.sort, whose error for lack of memory is another one.
    for i = 2, #list do
        local failure, at = list[i], i
        while at > 1 and list[at - 1][1] > failure[1] do
            list[at] = list[at - 1]
            at = at - 1
        end
        list[at] = failure
    end
    return list
end

-- The error value of an entry of `failures`. What a lane has failed with is read by that.
local function value_of(failure)
    if failure.lane then
        local fine, err = pcall(function()
            return failure.lane[-1]
        end)
        failure[2], failure.lane = err, fine and failure.lane or nil
    end
    return failure[2]
end

-- Whether an error is that of a lane, which `lane[1]` has raised in the function: as text, with a
-- position.
local function is_copy(other, err)
    if rawequal(other, err) then
        return true
    end
    local fine, text = pcall(tostring, err)
    return fine and type(other) == "string" and other:sub(-#text) == text
end

-- Raises the first error of a list; the others go with it if it is a table.
local function raise(list, level)
    local first = list[1]
    local err = value_of(first)
    if type(err) == "table" then
        local others = {}
        for i = 2, #list do
            local other = value_of(list[i])
            if other ~= cancel_error and not is_copy(other, err) then
                others[#others + 1] = other
            end
        end
        rawset(err, "others", others)
    end
    error(err, first.position and level + 1 or 0)
end

local function run_body(known, self, body)
    local function keep(...)
        known.results = { n = select("#", ...), ... }
    end
    keep(body(self))
end

-- Calls the function of a scope, and waits for its lanes.
local function conclude(known, self, body)
    local fine, failure = pcall(run_body, known, self, body)
    known.over = true
    if not fine then
        fail(known, failure, core.end_number())
    end
    finish(known)
end

--- Calls a function with a new scope, and returns when its lanes have ended, too
--- (docs/manual/scopes.md).
-- @param body the function
-- @param options nil, or a table: `on_error`, "cancel" (default) or "wait"; `timeout` in seconds
-- @return the results of the function; those of `helpers.cancelled` if a soft request to the calling lane has
--   ended the wait for the lanes. Raises the first error of function and lanes
function scope.scope(body, options)
    if type(body) ~= "function" then
        error(("bad argument #1 to 'scope' (function expected, got %s)"):format(type(body)), 3)
    end
    if options ~= nil and type(options) ~= "table" then
        error(("bad argument #2 to 'scope' (table expected, got %s)"):format(type(options)), 3)
    end
    options = options or NONE
    helpers.check_options("lanes.scope", options, KNOWN, 3)
    local on_error = options.on_error or "cancel"
    local known = {
        guard = false, lanes = false, count = 0, many = MANY, over = false, on_error = on_error, timeout = options.timeout,
        results = false, err = nil, failed_at = false, stopped = false, asked = false, must_end = false,
    }
    known.err = false -- so that setting it later allocates nothing
    local self = setmetatable({ [PRIVATE] = known }, Scope)
    known.guard = core.scope(options.timeout, on_error == "cancel")
    local fine, failure = pcall(conclude, known, self, body)
    if not fine then
        -- A hook has raised it between two calls, which it does once: that of a request, or of Ctrl-C.
        known.over = true
        fail(known, failure, core.end_number())
        if failure == cancel_error then
            known.must_end = true
            stop(known, "hard")
        end
        finish(known)
    end
    local timed_out = core.scope_end(known.guard)
    if known.must_end then
        error(cancel_error, 0)
    end
    local list = failures(known, timed_out)
    if list[1] then
        raise(list, 3)
    end
    if known.asked then
        return helpers.cancelled()
    end
    return unpack(known.results, 1, known.results.n)
end

return scope
