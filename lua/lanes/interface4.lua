--- The 4.x interface (docs/manual/v4.md): its settings, its options of generators, its functions and
--- its texts. `lanes.lua` loads it in a universe that uses this interface.

local core = require "lanes_core"
local four = core.four()

local error, ipairs, pairs, select, tostring, type = error, ipairs, pairs, select, tostring, type
local format, gmatch = string.format, string.gmatch

-- In the module's table, so that generators, which use these functions, can be passed to lanes.
local interface = { functions = four }

-- Type and text of a value, for messages.
local function described(value)
    return format("%s %q", type(value), tostring(value))
end

-- Checks of settings return nil, or what is wrong with the value.
local function boolean(value)
    return type(value) ~= "boolean" and "not a boolean" or nil
end

local function number(from, to)
    return function(value)
        if type(value) ~= "number" or value ~= value then
            return "not a number"
        end
        return (value < from or value > to) and "value out of range" or nil
    end
end

local luajit = package and type(package.loaded.jit) == "table" and package.loaded.jit.version

local SETTINGS = {
    allocator = { default = luajit and "protected" or nil, check = function(value)
        return value ~= "protected" and type(value) ~= "function" and "unknown value" or nil
    end },
    convert_fallback = { check = function(value)
        return value ~= core.null and value ~= "decay" and "must be nil, lanes.null or 'decay'" or nil
    end },
    convert_max_attempts = { default = 1, check = function(value)
        return number(0, 10)(value) or (value == 0 or value == 10) and "value out of range" or nil
    end },
    internal_allocator = { default = luajit and "libc" or "allocator", check = function(value)
        return type(value) ~= "string" and "not a string"
            or value ~= "libc" and value ~= "allocator" and "unknown value" or nil
    end },
    keepers_gc_threshold = { default = -1, check = function(value)
        return type(value) ~= "number" and "not a number" or nil
    end },
    linda_wake_period = { default = "never", check = function(value)
        if value == "never" then
            return nil
        end
        return number(0, 1 / 0)(value) or value == 0 and "value out of range" or nil
    end },
    nb_user_keepers = { default = 0, check = number(0, 100) },
    on_state_create = { check = function(value)
        return type(value) ~= "function" and "not a function" or nil
    end },
    shutdown_timeout = { default = 0.25, check = number(0, 3600) },
    strip_functions = { default = true, check = boolean },
    track_lanes = { default = false, check = boolean },
    verbose_errors = { default = false, check = boolean },
    with_timers = { default = false, check = boolean },
    -- These are not of Lanes 4.
    api = { default = 4, check = function(value)
        return value ~= 4 and "must be 3 or 4" or nil
    end },
    on_deadlock = { check = function()
        return nil -- The core checks it.
    end },
    on_error = { check = function(value)
        return value ~= "stderr" and type(value) ~= "function" and "must be 'stderr' or a function" or nil
    end },
    stack_size = { default = core.stack_sizes.usual, check = function(value)
        return not core.is_stack_size(value) and "must be " .. core.stack_sizes.text or nil
    end },
}

-- What takes the place of settings of the 3.x interface.
local SETTINGS_OF_THREE = {
    demote_full_userdata = "convert_fallback = \"decay\"",
    nb_keepers = "nb_user_keepers",
    protect_allocator = "allocator = \"protected\"",
}

--- Checks the argument of `configure` and returns the complete settings. Raises an error for a bad
--- argument.
-- @param given what the program has given
-- @param level the level of the program, counted from here as by `error`
function interface.checked_settings(given, level)
    if given ~= nil and given ~= false and type(given) ~= "table" then
        error("Bad argument #1 to lanes.configure(), should be a table, got a " .. type(given), level + 1)
    end
    local settings = {}
    for key, value in pairs(given or {}) do
        local known = SETTINGS[key]
        if not known then
            local new = SETTINGS_OF_THREE[key]
            error("Unknown setting [" .. tostring(key) .. "] = " .. tostring(value)
                .. (new and " (it is of the 3.x interface; here it is " .. new .. ")"
                or core.suggestion(key, "settings are", core.names(SETTINGS))), level + 1)
        end
        local wrong = known.check(value)
        if wrong then
            error("Bad parameter " .. key .. ": " .. tostring(value) .. " (" .. wrong .. ")", level + 1)
        end
        settings[key] = value
    end
    for key, known in pairs(SETTINGS) do
        if settings[key] == nil then
            settings[key] = known.default
        end
    end
    if type(settings.allocator) == "function" and core.is_lua_function(settings.allocator) then
        error("Bad config.allocator, must be a C function", level + 1)
    end
    if core.upvalue_count(settings.allocator) > 0 then
        error("config.allocator() shouldn't have upvalues", level + 1)
    end
    if core.upvalue_count(settings.on_state_create) > 0 then
        error("on_state_create shouldn't have upvalues", level + 1)
    end
    return settings
end

local OPTIONS = {
    error_trace_level = "string",
    gc_cb = "function",
    globals = "table",
    memory_limit = "number",
    name = "string",
    native_priority = "number",
    package = "table",
    priority = "number",
    required = "table",
    stack_size = "number",
}

local TRACE_LEVELS = { minimal = true, basic = true, extended = true }

-- Checks one option. Errors have the position of the function at `level`, counted from the caller
-- as by `error`.
local function check_option(key, value, level)
    if type(key) == "number" then
        error("Unkeyed option: " .. described(value), level + 1)
    end
    local expected = OPTIONS[key]
    if not expected then
        error("Bad '" .. tostring(key) .. "' option"
            .. core.suggestion(key, "options of lanes.gen are", core.names(OPTIONS)), level + 1)
    end
    if type(value) ~= expected
        or key == "error_trace_level" and not TRACE_LEVELS[value]
        or key == "memory_limit" and (value ~= value or value < 0)
        or key == "stack_size" and not core.is_stack_size(value) then
        error("Bad '" .. key .. "' option: " .. described(value)
            .. (key == "error_trace_level" and core.suggestion(value, "levels are", core.names(TRACE_LEVELS)) or ""), level + 1)
    end
end

-- Checks a list of libraries and returns it in the form that `core.launch` takes. Errors as for
-- `check_option`.
local function checked_libraries(list, level)
    local seen, names, star = {}, 0, false
    local kept = ""
    for name, forgiven in gmatch(list, "([%w._*-]+)(%??)") do
        if seen[name] then
            error(format("Libs specification contains %q more than once", name), level + 1)
        end
        seen[name] = true
        names = names + 1
        if name == "*" then
            star = true
        else
            local supported
            if name ~= "lanes.core" then
                supported = four.library_support(name == "lanes_core" and "lanes.core" or name)
            end
            if supported == nil then
                error(format("Bad library name: %q", name)
                    .. (name == "lanes.core" and " (it is of the 3.x interface; here it is \"lanes_core\")"
                    or four.instead_of_library(name)), level + 1)
            elseif supported then
                kept = kept .. "," .. name
            elseif forgiven == "" then
                error(format("Unsupported library: %q", name), level + 1)
            end
        end
    end
    if star and names > 1 then
        error("Libs specification '*' must be used alone", level + 1)
    end
    return star and "*" or kept
end

-- Makes a generator of lanes, which `launch` launches, from the arguments of `lanes.gen` or
-- `lanes.coro`.
local function generator(launch, ...)
    local count = select("#", ...)
    if count == 0 then
        error("No arguments!", 3)
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
                check_option(key, value, 3)
                options[key] = value
            end
        elseif kind ~= "nil" then
            error("Bad argument " .. i .. ": " .. described(argument), 3)
        end
    end
    local body = select(count, ...)
    if type(body) ~= "function" and type(body) ~= "string" then
        error("Last argument not function or string: " .. described(body), 3)
    end
    if options.priority and options.native_priority then
        error("priority and native_priority cannot be specified together", 3)
    end
    libraries = libraries and checked_libraries(libraries, 3)
    local named_by_call = options.name == "auto" and type(body) == "string"
    if options.name == "" then
        options.name = nil
    elseif options.name == "auto" and not named_by_call then
        options.name = four.position(body)
    end
    return function(...)
        if named_by_call then
            options.name = four.position(2)
        end
        -- Not a tail call, so that errors have the position of this function's caller.
        local handle = launch(libraries, options, body, ...)
        return handle
    end
end

local launch_lane, launch_coroutine = core.launch, four.launch_coroutine

local function gen(...)
    local made = generator(launch_lane, ...)
    return made
end

local function coro(...)
    local made = generator(launch_coroutine, ...)
    return made
end

--- Puts what differs from 3.x into the module's table.
function interface.publish(lanes)
    lanes.ABOUT.version = "4.0.1"
    lanes.gen = gen
    lanes.coro = coro
    for _, name in ipairs {
        "collectgarbage", "finally", "linda", "nameof", "select", "set_thread_priority", "sleep", "thread_priority_range",
    } do
        lanes[name] = four[name]
    end
    lanes.configure = function()
        return lanes
    end
end

return interface
