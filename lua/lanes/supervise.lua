--- `lanes.supervise`: a lane that starts lanes again when they have ended
--- (docs/manual/failures.md#supervisors).

local lanes = require "lanes"
local core = require "lanes_core"
local helpers = require "lanes.helpers"
local body = require "lanes.supervisor"

local cancel_error = lanes.cancel_error
local plain = helpers.plain
local described, keep, names, suggestion = helpers.described, helpers.keep, helpers.names, helpers.suggestion

local supervise = {}

local Supervisor = {}

-- The key of a supervisor's private data.
local PRIVATE = {}

local RESTARTS = { permanent = true, transient = true, temporary = true }
local STRATEGIES = { one_for_one = true, one_for_all = true, rest_for_one = true }
local CHILD = { name = true, start = true, args = true, restart = true }
local OPTIONS = { strategy = true, intensity = true, period = true }

local function quoted(known)
    return (names(known):gsub("[%w_]+", "\"%0\""))
end

local function is_finite(value)
    return type(value) == "number" and value >= 0 and value < math.huge
end

-- Checks a child. Returns a copy; nil and the text of the error.
local function checked_child(given, number, known)
    local where = "child " .. number
    if type(given) ~= "table" then
        return nil, ("%s: a table expected, got a %s"):format(where, type(given))
    end
    if type(given.name) ~= "string" then
        return nil, ("%s.name: a string expected, got %s"):format(where, described(given.name))
    end
    where = ("child %q"):format(given.name)
    if known[given.name] then
        return nil, where .. ": there are two of this name"
    end
    known[given.name] = true
    for key in pairs(given) do
        if not CHILD[key] then
            return nil, ("%s: unknown field '%s'%s"):format(where, tostring(key), suggestion(key, "fields are", CHILD))
        end
    end
    if type(given.start) ~= "function" then
        return nil, ("%s.start: a function that returns a lane expected, got %s"):format(where, described(given.start))
    end
    if given.args ~= nil and type(given.args) ~= "table" then
        return nil, ("%s.args: a table expected, got %s"):format(where, described(given.args))
    end
    local restart = given.restart == nil and "permanent" or given.restart
    if not RESTARTS[restart] then
        return nil, ("%s.restart: one of %s expected, got %s"):format(where, quoted(RESTARTS), described(given.restart))
    end
    local args = given.args or {}
    local n = args.n == nil and #args or args.n
    if not is_finite(n) or n % 1 ~= 0 or n > 200 then
        return nil, ("%s.args.n: a whole number up to 200 expected, got %s"):format(where, described(args.n == nil and n or args.n))
    end
    -- A table of our own: that of the program is not to be marked.
    local copy = keep {}
    for i = 1, n do
        copy[i] = args[i]
    end
    return keep { name = given.name, start = given.start, args = copy, n = n, restart = restart }
end

-- Checks the argument of `supervise`. Returns children and settings; nil and the text of the error.
local function checked(given)
    if type(given) ~= "table" then
        return nil, ("bad argument #1 to 'supervise' (table expected, got %s)"):format(type(given))
    end
    local count = #given
    for key in pairs(given) do
        local is_child = type(key) == "number" and key >= 1 and key <= count and key % 1 == 0
        if not is_child and not OPTIONS[key] then
            return nil, ("unknown option '%s'%s"):format(tostring(key), suggestion(key, "options are", OPTIONS))
        end
    end
    if count == 0 then
        return nil, "there are no children"
    end
    local children, known = keep {}, {}
    for i = 1, count do
        local child, wrong = checked_child(given[i], i, known)
        if not child then
            return nil, wrong
        end
        children[i] = child
    end
    local settings = keep { strategy = given.strategy, intensity = given.intensity, period = given.period }
    if settings.strategy == nil then
        settings.strategy = "one_for_one"
    end
    if not STRATEGIES[settings.strategy] then
        return nil, ("strategy: one of %s expected, got %s"):format(quoted(STRATEGIES), described(settings.strategy))
    end
    if settings.intensity == nil then
        settings.intensity = 3
    end
    if not is_finite(settings.intensity) or settings.intensity % 1 ~= 0 then
        return nil, "intensity: a whole number from 0 expected, got " .. described(settings.intensity)
    end
    if settings.period == nil then
        settings.period = 5
    end
    if not is_finite(settings.period) or settings.period == 0 then
        return nil, "period: a number of seconds above 0 expected, got " .. described(settings.period)
    end
    return children, settings
end

local function fail(wrong, level)
    if wrong:sub(1, 4) ~= "bad " then
        wrong = "supervise: " .. wrong
    end
    error(wrong, level + 1)
end

-- Waits until all children have started. Returns the supervisor's message.
local function await_start(linda)
    local key, outcome = plain.receive(linda, nil, "ready", "ended")
    if key == cancel_error then
        return key
    end
    if key == "ended" then
        return { nil, outcome.err or "its lane was cancelled" }
    end
    return outcome
end

--- Starts lanes and a supervisor, which starts them again (docs/manual/failures.md#supervisors).
--- Raises an error for bad arguments, and if a child does not start.
-- @param given a list of children with the options
-- @return the supervisor; those of `helpers.cancelled` after a soft request to the calling lane
function supervise.new(given)
    local children, settings = checked(given)
    if not children then
        fail(settings, 3)
    end
    local linda = core.linda("supervisor")
    -- Made before anything runs, because making it may fail.
    local known = { linda = linda, lane = false }
    local supervisor = setmetatable({ [PRIVATE] = known }, Supervisor)
    local launched, lane = pcall(lanes.gen("*", body), linda, children, settings, cancel_error, lanes.now_secs,
        core.plain)
    if not launched then
        if lane == cancel_error then
            error(lane, 0)
        end
        local text = tostring(lane):gsub("^[^\n]-:%d+: ", ""):gsub("arg #2%[(%d+)%]", function(number)
            local child = children[tonumber(number)]
            return child and ("child %q"):format(child.name)
        end)
        fail(text, 3)
    end
    local watched, outcome = pcall(function()
        lane:monitor(linda, "ended")
        return await_start(linda)
    end)
    if not watched or outcome == cancel_error then
        linda:set("stop", true)
        if not watched then
            error(outcome, 0)
        end
        return helpers.cancelled()
    end
    if outcome ~= true then
        local name, failure = outcome[1], outcome[2]
        lane:join(0)
        if type(failure) ~= "string" then
            error(failure, 0)
        end
        fail(name and ("child %q did not start: %s"):format(name, failure) or failure, 3)
    end
    known.lane = lane
    return supervisor
end

local methods = {}

-- The results of `join`, of which the 4.x interface has one more.
local function joined(fine, ...)
    if fine then
        return true
    end
    return fine, ...
end

local function private(self, call)
    local known = type(self) == "table" and rawget(self, PRIVATE)
    if not known then
        error(("bad argument #1 to '%s' (supervisor expected, got %s): call it as supervisor:%s(...)"):format(call, type(self), call), 3)
    end
    return known
end

--- Waits until the supervisor has ended.
-- @param timeout in seconds; nil waits as long as it takes
-- @return true; nil and the error if it has failed; nil, "timeout"
function methods:join(timeout)
    local known = private(self, "join")
    helpers.check_timeout(timeout, "join", 2)
    return joined(known.lane:join(timeout))
end

--- Ends the children, the last one first, and the supervisor.
-- @param timeout in seconds; nil waits as long as it takes
-- @return true; false, "timeout"; nil and the error if the supervisor has failed
function methods:stop(timeout)
    local known = private(self, "stop")
    helpers.check_timeout(timeout, "stop", 2)
    known.linda:set("stop", true)
    local _, err, trace = known.lane:join(timeout)
    local status = known.lane.status
    if status == "error" then
        return nil, err, trace
    end
    if status == "done" or status == "cancelled" then
        return true
    end
    return false, "timeout"
end

--- The state of the children.
-- @return a list of { name, status, restarts, err }, in the order of the children
function methods:which()
    return (plain.get(private(self, "which").linda, "children"))
end

function Supervisor:__index(key)
    if key == "status" then
        return private(self, "status").lane.status
    end
    return methods[key] or helpers.no_field("supervisor", key, "'status', 'join', 'stop' and 'which'", 2)
end

function Supervisor:__tostring()
    local children = plain.get(rawget(self, PRIVATE).linda, "children")
    return ("Supervisor: %s, %d children"):format(self.status, type(children) == "table" and #children or 0)
end

function Supervisor:__close()
    methods.stop(self)
end

Supervisor.__name = "supervisor"

return supervise
