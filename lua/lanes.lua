--- Lanes: native threads for Lua. This file checks options and arguments; `lanes_core` does the
--- rest.

local core = require "lanes_core"

local lanes = {}

local error, pairs, pcall, select, setmetatable, tostring, type =
    error, pairs, pcall, select, setmetatable, tostring, type

-- Type and text of a value, for messages.
local function described(value)
    return type(value) .. " " .. (string.format("%q", tostring(value)))
end

-- The options of `configure`: default, check and, for messages, the expected value
-- (docs/manual/loading.md#options).
local function is_number(value)
    return type(value) == "number" and value == value
end

local luajit = package and package.loaded.jit and type(package.loaded.jit) == "table" and package.loaded.jit.version

local function anything()
    return true
end

local settings_known = {
    nb_keepers = { default = 1, expected = "a number from 1", check = function(value)
        return is_number(value) and value >= 1
    end },
    keepers_gc_threshold = { default = -1, expected = "a number", check = is_number },
    with_timers = { default = true, check = anything },
    verbose_errors = { default = false, check = anything },
    demote_full_userdata = { default = nil, check = anything },
    track_lanes = { default = false, check = anything },
    allocator = { default = luajit and "protected" or nil, expected = "\"protected\" or a C function", check = function(value)
        return value == nil or value == "protected" or type(value) == "function" and not core.is_lua_function(value)
    end },
    protect_allocator = { default = nil, check = anything },
    internal_allocator = { default = luajit and "libc" or "allocator", expected = "\"libc\" or \"allocator\"", check = function(value)
        return value == "libc" or value == "allocator"
    end },
    on_state_create = { default = nil, expected = "a function", check = function(value)
        return value == nil or type(value) == "function"
    end },
    on_deadlock = { default = nil, check = anything },
    on_error = { default = nil, expected = "\"stderr\" or a function", check = function(value)
        return value == nil or value == "stderr" or type(value) == "function"
    end },
    shutdown_timeout = { default = 0.25, expected = "a number of seconds from 0", check = function(value)
        return is_number(value) and value >= 0
    end },
    stack_size = { default = core.stack_sizes.usual, expected = core.stack_sizes.text, check = core.is_stack_size },
    api = { default = 3, check = anything }, -- checked before
}

-- Checks the argument of `configure` and returns the complete settings. Raises an error for a bad
-- argument.
local function checked_settings(given)
    if given ~= nil and given ~= false and type(given) ~= "table" then
        error("Bad parameter #1 to lanes.configure(), should be a table, got " .. described(given), 3)
    end
    local settings = {}
    for key, value in pairs(given or {}) do
        local known = settings_known[key]
        if not known then
            error("Unknown parameter '" .. tostring(key) .. "' in configure options" .. (core.four().name_of_four(key)
                or core.suggestion(key, "settings are", core.names(settings_known))), 3)
        end
        if not known.check(value) then
            error("Bad " .. key .. ": " .. tostring(value) .. ", lanes.configure expects " .. known.expected
                .. ", got a " .. type(value), 3)
        end
        settings[key] = value
    end
    for key, known in pairs(settings_known) do
        if settings[key] == nil then
            settings[key] = known.default
        end
    end
    if settings.protect_allocator and (given and given.allocator) == nil then
        settings.allocator = "protected"
    end
    if core.upvalue_count(settings.allocator) > 0 then
        error("config.allocator() shouldn't have upvalues", 3)
    end
    if core.upvalue_count(settings.on_state_create) > 0 then
        error("on_state_create shouldn't have upvalues", 3)
    end
    return settings
end

-- The type of each option of a generator (docs/manual/generators.md#options).
local option_types = {
    priority = "number",
    globals = "table",
    package = "table",
    required = "table",
    gc_cb = "function",
    memory_limit = "number",
    stack_size = "number",
}

-- Checks one option. Errors have the position of the function at `level`, counted from the caller
-- as by `error`.
local function check_option(key, value, level)
    if type(key) == "number" then
        error("Unkeyed option: " .. described(value) .. ", options of lanes.gen have names", level + 1)
    end
    if key == "cancelstep" then
        error("Bad 'cancelstep' option: lanes are not cancelled at steps any more; cancel them with "
            .. "lane:cancel(\"count\", steps, timeout)", level + 1)
    end
    local expected = option_types[key]
    if not expected then
        error("Bad '" .. tostring(key) .. "' option" .. (core.four().name_of_four(key)
            or core.suggestion(key, "options of lanes.gen are", core.names(option_types))), level + 1)
    end
    if type(value) ~= expected then
        error("Bad '" .. key .. "' option: " .. described(value) .. ", lanes.gen expects a " .. expected, level + 1)
    end
    if key == "memory_limit" and (value ~= value or value < 0) then
        error("Bad 'memory_limit' option: " .. tostring(value) .. ", lanes.gen expects a number of bytes", level + 1)
    end
    if key == "stack_size" and not core.is_stack_size(value) then
        error("Bad 'stack_size' option: " .. tostring(value) .. ", lanes.gen expects " .. core.stack_sizes.text, level + 1)
    end
end

--- Makes a generator of lanes (docs/manual/generators.md). Raises an error for bad arguments.
-- @param ... any number of nil, strings (lists of libraries) and tables (options), in any order;
--   then the body, a function or a string with source text
-- @return a function that launches a lane with its arguments and returns the lane's handle
local function gen(...)
    local count = select("#", ...)
    if count == 0 then
        error("No parameters! lanes.gen([libraries,] [options,] body) needs a body", 2)
    end
    local libraries
    local options = {}
    for i = 1, count - 1 do
        local argument = select(i, ...)
        local kind = type(argument)
        if kind == "string" then
            libraries = libraries and libraries .. "," .. argument or argument
        elseif kind == "table" then
            for key, value in pairs(argument) do
                check_option(key, value, 2)
                options[key] = value
            end
        elseif kind ~= "nil" then
            error("Bad parameter " .. i .. ": " .. described(argument)
                .. ", lanes.gen expects strings (libraries) and tables (options) before the body", 2)
        end
    end
    local body = select(count, ...)
    if type(body) ~= "function" and type(body) ~= "string" then
        error("Last parameter not function or string: " .. described(body) .. ", lanes.gen expects the body of the lane", 2)
    end
    local wrong = libraries and core.check_libraries(libraries)
    if wrong then
        error(wrong, 2)
    end
    local launch = core.launch
    return function(...)
        -- Not a tail call, so that errors have the position of this function's caller.
        local handle = launch(libraries, options, body, ...)
        return handle
    end
end

--- Makes a lock in a slot of a linda (docs/manual/locks.md). Raises an error for bad arguments.
-- @param linda the linda
-- @param key the key of the slot, whose contents are lost
-- @param count the number of units, a whole number from 1 (default 1)
-- @return a function `lock(units [, "try"])` that returns true: a positive number takes units and
--   waits for them (with "try" it returns false if they are not free), a negative number gives
--   units back; or `cancel_error` if the linda is cancelled
local function genlock(linda, key, count)
    count = count == nil and 1 or count
    local cancelled = core.prepare_lock(linda, key, count)
    if cancelled then
        return cancelled
    end
    -- Uses only the linda, so it can be passed to any lane.
    return function(units, mode)
        local answer = linda:__lock(key, count, units, mode)
        return answer
    end
end

--- Makes a counter in a slot of a linda (docs/manual/locks.md). Raises an error for bad arguments.
-- @param linda the linda
-- @param key the key of the slot, whose contents are lost
-- @param initial the first value, a number (default 0.0)
-- @return a function `add([difference])` that adds a number (default 1.0) and returns the sum; or
--   `cancel_error` if the linda is cancelled
local function genatomic(linda, key, initial)
    initial = initial == nil and 0.0 or initial
    local cancelled = core.prepare_atomic(linda, key, initial)
    if cancelled then
        return cancelled
    end
    return function(difference)
        local answer = linda:__add(key, difference == nil and 1.0 or difference)
        return answer
    end
end

--- Sets, replaces or removes a timer (docs/manual/timers.md). Returns nothing. Raises an error for
--- bad arguments.
-- @param linda the linda
-- @param key the key of the slot that is set to the current time when the timer fires
-- @param first seconds from now, or a date table; nil or false removes the timer
-- @param period seconds between later times, or nil
local function timer(linda, key, first, period)
    core.timer(linda, key, first, period)
end

-- Loads a module of the library when it is first needed. As `require`, but if that fails, which may be
-- for lack of memory, a later call tries again.
local function late(module)
    local fine, loaded = pcall(require, module)
    if fine then
        return loaded
    end
    -- 5.1 and LuaJIT mark a module whose loading has failed, for ever. The mark is a light userdata,
    -- which some releases of LuaJIT take for a number.
    for part, mark in pairs(package.loaded) do
        local kind = type(mark)
        if (kind == "userdata" or kind == "number") and type(part) == "string" and string.find(part, "^lanes%.") then
            package.loaded[part] = nil
        end
    end
    error(loaded, 0)
end
core.late = late

local function pass(...)
    return ...
end

-- Returns a function that loads a module of the library when it is first called, and calls its
-- function `name`. The call is no tail call, so that levels of errors are the same on all Luas: the
-- caller is at level 3 for the function `name`.
local function later(module, name)
    return function(...)
        -- `require` and `package` are globals, not upvalues: a lane without them can have this
        -- function.
        if not require then
            error("lanes needs the library 'package' for this function, which this lane does not have", 2)
        end
        return pass(late(module)[name](...))
    end
end

-- The metatable of the entries of `timers`.
local Timer = { __tostring = later("lanes.help", "timer") }

--- Returns a list of all timers, each `{linda, key, {when [, period]}}`
--- (docs/manual/timers.md#lanestimers).
local function timers()
    local list = core.timers()
    for i = 1, #list do
        setmetatable(list[i], Timer)
    end
    return list
end

-- Fills the public table after the core has been configured. If this runs out of memory,
-- `configure` can be called again.
local function publish(main, with_timers)
    lanes.ABOUT = {
        author = "The Lanes developers",
        description = "Native threads for Lua: lanes that run in parallel, and lindas through which they talk",
        license = "MIT/X11",
        copyright = "Copyright (c) 2026 The Lanes developers",
        version = core.version,
        implementation = core.implementation,
    }
    -- What is the core's own.
    for _, name in pairs {
        "cancel_error", "cpus", "linda", "nameof", "now_secs", "null", "register", "require", "select", "set_singlethreaded",
        "set_thread_affinity", "set_thread_priority", "sleep", "threads", "waiting",
    } do
        lanes[name] = core[name]
    end
    lanes.async = {
        copas = later("lanes.async", "copas"),
        cqueues = later("lanes.async", "cqueues"),
        lgi = later("lanes.async", "lgi"),
        luv = later("lanes.async", "luv"),
    }
    lanes.gen = gen
    lanes.genatomic = genatomic
    lanes.genlock = genlock
    lanes.help = later("lanes.help", "help")
    lanes.imap = later("lanes.map", "imap")
    lanes.map = later("lanes.map", "map")
    lanes.pool = later("lanes.pool", "new")
    lanes.progress = later("lanes.progress", "bar")
    lanes.scope = later("lanes.scope", "scope")
    lanes.supervise = later("lanes.supervise", "new")
    lanes.timer = timer
    lanes.timers = timers
    lanes.wait = later("lanes.wait", "wait")
    if main and with_timers then
        lanes.timer_lane = core.timer_lane()
    end
    lanes.configure = nil
    if core.publish(lanes) then
        late("lanes.interface4").publish(lanes)
    end
    return lanes
end

-- Lanes formats messages with the string library. Raises an error if it is missing.
local function check_string()
    if not string then
        error("To use 'lanes', you will also need to have 'string' available.", 3)
    end
end

--- Configures Lanes (docs/manual/loading.md). Called at most once in a main state. Raises an error
--- for bad options.
-- @param settings a table of options, or nil for the defaults
-- @return the module's table
local function configure(settings)
    check_string()
    local checked
    if core.wanted_interface(settings) == 4 then
        checked = late("lanes.interface4").checked_settings(settings, 2)
    else
        checked = checked_settings(settings)
        checked.with_timers = checked.with_timers ~= false
    end
    core.configure(checked)
    return publish(core.is_main())
end

if core.is_configured() then
    check_string()
    return publish(core.is_main())
end

lanes.configure = configure
-- The first use of any field except `null` configures with the defaults.
return setmetatable(lanes, { __metatable = core.sealed(), __index = function(self, key)
    if key == "null" then
        return core.null
    end
    configure()
    return self[key]
end })
