--- Functions that the other modules share: checks of options, deadlines, and calls that pass
--- requests on.

local lanes = require "lanes"
local core = require "lanes_core"

local cancel_error = lanes.cancel_error

local helpers = {}

--- Methods of lindas and lanes that are the same whichever interface the program has chosen.
local plain = core.plain()
helpers.plain = plain

--- Marks a table of this library that is sent, so that the setting `convert_fallback` does not
--- convert it; what the program has put into it is converted.
-- @return the table
helpers.keep = plain.keep or function(list)
    return list
end

--- The results of a call that a request to the calling lane has ended: `cancel_error`; in the 4.x
--- interface nil and `cancel_error`.
function helpers.cancelled()
    if plain.four then
        return nil, cancel_error
    end
    return cancel_error
end

-- As `pcall`, but a request to the lane is not caught.
local function passed(fine, failure, ...)
    if not fine and failure == cancel_error then
        error(failure, 0)
    end
    return fine, failure, ...
end

--- As `pcall`, but a request to the lane is not caught.
function helpers.attempt(f, ...)
    return passed(pcall(f, ...))
end

--- A value as text, for messages.
function helpers.described(value)
    if type(value) == "string" then
        return ("%q"):format(value)
    end
    return tostring(value)
end

--- Whether a value is a whole number from 1.
function helpers.is_whole(value)
    return type(value) == "number" and value >= 1 and value < 2 ^ 31 and value % 1 == 0
end

--- The keys of a table, sorted, as text.
function helpers.names(known)
    local list = {}
    for name in pairs(known) do
        list[#list + 1] = name
    end
    table.sort(list)
    return table.concat(list, ", ")
end

--- A part of a message about a wrong name: the nearest of the known names, if one is near, and all
--- of them.
-- @param what a text such as "options are"
-- @param known a table whose keys are the known names
function helpers.suggestion(name, what, known)
    return core.suggestion(name, what, helpers.names(known))
end

--- Raises the error of an object that has no field of a name.
-- @param what the object, for messages
-- @param fields the names of its fields, as text
-- @param level the level of the error's position, as for `error`
function helpers.no_field(what, name, fields, level)
    local nearest = type(name) == "string" and core.nearest(name, fields)
    local suggested = nearest and ("; do you mean '%s'? A"):format(nearest) or ": a"
    error(("can't index a %s with '%s'%s %s has %s"):format(what, tostring(name), suggested, what, fields), level + 1)
end

--- Checks a table of options. Raises an error about the first bad one.
-- @param call name of the function, for messages
-- @param known from an option's name to { text of what is expected, function that checks a value }
-- @param level the level of the error's position, as for `error`
function helpers.check_options(call, options, known, level)
    for key, value in pairs(options) do
        local option = known[key]
        if not option then
            error(("Bad '%s' option%s"):format(tostring(key), helpers.suggestion(key, "options of " .. call .. " are", known)), level + 1)
        end
        if not option[2](value) then
            error(("Bad '%s' option: %s, %s expects %s"):format(key, helpers.described(value), call, option[1]), level + 1)
        end
    end
end

--- What an option that is a timeout may be, for `check_options`: as arguments of the interface, from 0 in that of 4.x.
helpers.TIMEOUT = {
    plain.four and "a number of seconds from 0" or "a number of seconds",
    function(value)
        return type(value) == "number" and value == value and not (plain.four and value < 0)
    end,
}

--- Checks the timeout that is the argument of a method. Raises an error if it is no number of seconds.
-- @param timeout nil, or seconds
-- @param call name of the method, for messages
-- @param level the level of the error's position, as for `error`
function helpers.check_timeout(timeout, call, level)
    if timeout ~= nil and (type(timeout) ~= "number" or timeout ~= timeout) then
        error(("bad argument #1 to '%s' (number expected, got %s)"):format(call, helpers.described(timeout)), level + 1)
    end
    if plain.four and timeout and timeout < 0 then
        error(("bad argument #1 to '%s' (duration cannot be < 0, got %s)"):format(call, timeout), level + 1)
    end
end

--- The time at which a wait of `timeout` seconds that begins now ends; nil if it is nil.
function helpers.deadline(timeout)
    return timeout and lanes.now_secs() + timeout
end

--- The seconds until a deadline, at least 0; nil if there is none.
function helpers.remaining(deadline)
    return deadline and math.max(0, deadline - lanes.now_secs())
end

--- Makes an object that calls a function when it is collected, and from Lua 5.4 on when a variable
--- that closes it goes out of scope.
function helpers.at_end(f)
    local newproxy = rawget(_G, "newproxy")
    if newproxy then
        local proxy = newproxy(true)
        getmetatable(proxy).__gc = f
        return proxy
    end
    return setmetatable({}, { __gc = f, __close = f })
end

return helpers
