-- Steps of random programs with the 4.x interface, and their oracle: coroutine lanes that are resumed, ended and asked to stop.

local lanes = require "lanes"
local checks = require "random.four_checks"

local dressed, ended, holds, pack, same = checks.dressed, checks.ended, checks.holds, checks.pack, checks.same
local undressed, until_status = checks.undressed, checks.until_status
local cancel_error = lanes.cancel_error
local closes = _VERSION == "Lua 5.4" or _VERSION == "Lua 5.5"
local load = loadstring or load -- luacheck: ignore
local unpack = table.unpack or unpack

local steps = {}

-- The body of coroutine lanes: yields its number of yields again and again, and reports what it was given, as `logs` say. `how`: whether
-- it ends when it is asked to stop.
local function yielding(linda, shape, how, wrap)
    local count, given = 0, {}
    set_finalizer(function() linda:set("given", count, unpack(given, 1, #given)) end)
    while true do
        count = count + 1
        local got = { n = 0 }
        local function keep(...) got = { n = select("#", ...), ... } end
        keep(coroutine.yield(count, nil, wrap(count, shape)))
        given[#given + 1] = got.n
        local asked = how == "obeys" and cancel_test(true)
        if asked then return asked, count end
        if count == 2000 then error "it is never asked" end
    end
end

local function launch_yielding(shape, how)
    local linda = lanes.linda()
    return linda, lanes.coro("*", yielding)(linda, shape, how, dressed)
end

-- Resumes such a lane `count` times, with 0, 1, 2 ... arguments.
local function resume(handle, count)
    for n = 1, count do
        local arguments = {}
        for i = 1, n % 4 do arguments[i] = i end
        local found = pack(handle:resume(unpack(arguments)))
        same(pack(n, nil, n), pack(found[1], found[2], undressed(found[3])), "resume")
        same(pack(3), pack(found.n), "the number of yielded values")
    end
end

-- Checks what it was given.
local function check_given(linda, count, more)
    local found = pack(linda:get("given", count + 10))
    same(pack(count + 1), pack(found[2]), "the number of yields")
    for n = 1, count do same(pack(n % 4), pack(found[n + 2]), "the number of arguments of resume") end
    same(pack(count + (more or 0)), pack(found[1] - 1), "the number of answers")
end

local function check_over(handle)
    local fine, problem = pcall(handle.resume, handle)
    holds(not fine and tostring(problem):find(checks.NOT_SUSPENDED, 1, true), "a lane that is over was resumed")
end

-- A coroutine lane that is resumed some times, and then ended in some way.
function steps:coroutine(count, shape, how)
    local linda, handle = launch_yielding(shape, "ignores")
    resume(handle, count)
    if how == "drop" then return end
    if how == "close" and closes then load [[local handle = ... local closed <close> = handle]](handle) end
    if how == "index" then
        same(pack(3, count + 1, nil), pack(handle[0], handle[1], handle[2]), "the results of a suspended lane")
    end
    local found = pack(handle:join())
    if self.asked() then return end
    same(pack(true, count + 1, nil, count + 1), pack(found[1], found[2], found[3], undressed(found[4])), "join")
    same(pack("done"), pack(handle.status), "the status")
    check_given(linda, count)
    check_over(handle)
end

-- A coroutine lane that is resumed some times, and then asked to stop.
local function ask(count, how, wake, ...)
    local linda, handle = launch_yielding(1, how)
    resume(handle, count)
    until_status(handle, "suspended")
    local arguments = pack(...)
    local mode = arguments[1]
    -- A lane that ignores requests goes on for ever.
    arguments[#arguments + 1] = (how == "ignores" or not wake) and 0.001 or 3600
    arguments[#arguments + 1] = wake
    local found = pack(handle:cancel(unpack(arguments)))
    if not wake and mode == "soft" then
        same(pack(false, "timeout"), found, "a soft request that wakes nobody")
        same(pack(count + 1, nil, count + 1), pack(handle:resume()), "resume after a soft request")
        if how == "obeys" then
            same(pack(true, "soft", count + 1), pack(handle:join()), "join after a soft request")
        else
            same(pack(true, count + 2, nil, count + 2), pack(handle:join()), "join of a lane that ignores a soft request")
        end
        return
    end
    if how == "obeys" and wake then
        local fine = found[1] == true and (found[2] == "done" or found[2] == "cancelled")
        holds(fine, ("a lane that was asked: %s, %s"):format(tostring(found[1]), tostring(found[2])))
        if found[2] == "done" then check_given(linda, count, 1) end
    end
    -- A lane that yields for ever is ended by a hook, or has yielded often enough.
    local joined = pack(handle:join())
    holds(ended(handle), "a lane that was joined has not ended")
    if handle.status == "cancelled" then same(pack(nil, cancel_error), joined, "join of a cancelled lane") end
    check_over(handle)
end

-- As `ask`; `...` is perhaps the count of a hook, whether the request wakes the lane, and what its body does. Called without arguments
-- it returns whether the calling lane has a request.
function steps.asked(_, count, mode, ...)
    if count == nil then return rawget(_G, "cancel_test") and cancel_test(true) end
    local rest = pack(...)
    local how, wake = rest[rest.n], rest[rest.n - 1]
    if rest.n == 3 then
        ask(count, how, wake, mode, rest[1])
    else
        ask(count, how, wake, mode)
    end
end

-- A request that comes while another lane resumes one.
function steps.raced(_, count, mode)
    local handle = lanes.gen("*", function(wrap, body, n)
        local inner = require "lanes".coro("*", body)(require "lanes".linda(), 1, "obeys", wrap)
        for _ = 1, n do
            if cancel_test(true) then break end
            inner:resume()
        end
        local _, status = inner:cancel("soft", nil, true)
        return status
    end)(dressed, yielding, count)
    handle:cancel(mode, 0)
    local found = pack(handle:join())
    if handle.status == "cancelled" then return same(pack(nil, cancel_error), found, "join of a cancelled lane") end
    same(pack(true, "done"), found, "the lane that was resumed")
end

return steps
