-- What the steps of random programs with the 4.x interface share: checks of results, and values that travel.

local lanes = require "lanes"

local checks = {}

--- The error of a resume that no lane waits for.
checks.NOT_SUSPENDED = "cannot resume non-suspended coroutine Lane"

--- The results of a call, as a list with their number.
function checks.pack(...) return { n = select("#", ...), ... } end

--- Raises an error unless what was found is what is expected; both are as from `pack`.
function checks.same(expected, found, what)
    local equal = expected.n == found.n
    for i = 1, math.max(expected.n, found.n) do equal = equal and expected[i] == found[i] end
    if equal then return end
    local function shown(list)
        local texts = {}
        for i = 1, list.n do texts[i] = tostring(list[i]) end
        return "(" .. table.concat(texts, ", ") .. ")"
    end
    error(("%s: %s expected, %s found"):format(what, shown(expected), shown(found)), 0)
end

--- Raises an error, a text, unless a condition holds.
function checks.holds(condition, what)
    if not condition then error(what, 0) end
end

--- A value in one of several shapes, and the number in it.
function checks.dressed(n, shape)
    if shape == 1 then return n end
    if shape == 2 then return { n = n, text = ("x"):rep(300) } end
    if shape == 3 then return setmetatable({}, { __lanesconvert = function() return { n = n } end }) end
    local value = { n = n }
    value[value] = value
    return value
end

--- The number in such a value.
function checks.undressed(value)
    if type(value) ~= "table" then return value end
    if next(value) ~= "n" and value.text == nil and value[value] ~= nil then
        checks.holds(value[value] == value, "a cyclic value changed")
    end
    return value.n
end

--- Whether a lane has ended.
function checks.ended(handle)
    local status = handle.status
    return status == "done" or status == "error" or status == "cancelled"
end

--- Waits until a lane has a status.
function checks.until_status(handle, status)
    while handle.status ~= status do
        -- An index would end a lane that is suspended.
        if checks.ended(handle) then
            error(("a lane that was to be %s is %s: %s"):format(status, handle.status, tostring(handle[-1])), 0)
        end
        lanes.sleep(0.0005)
    end
end

return checks
