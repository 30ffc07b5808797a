-- The steps of random programs with the 4.x interface, and their oracle. Each step knows what every call must return, and raises an
-- error if it returns anything else. A lane's error goes to the linda of logs by a finalizer; so does the number of its steps.
--
-- No step has a limit of time where it waits for what must come: a lost wake-up makes the program hang.

local lanes = require "lanes"
local numbers = require "random.four_generator".numbers

local cancel_error = lanes.cancel_error
local closes = _VERSION == "Lua 5.4" or _VERSION == "Lua 5.5"
local load = loadstring or load -- luacheck: ignore
local unpack = table.unpack or unpack

local four = {}

local Lane = {}
Lane.__index = Lane

local function pack(...) return { n = select("#", ...), ... } end

-- Raises an error unless what was found is what is expected; both are as from `pack`.
local function same(expected, found, what)
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

local function holds(condition, what)
    if not condition then error(what, 0) end
end

-- A value in one of several shapes, and the number in it.
local function dressed(n, shape)
    if shape == 1 then return n end
    if shape == 2 then return { n = n, text = ("x"):rep(300) } end
    if shape == 3 then return setmetatable({}, { __lanesconvert = function() return { n = n } end }) end
    local value = { n = n }
    value[value] = value
    return value
end

local function undressed(value)
    if type(value) ~= "table" then return value end
    if next(value) ~= "n" and value.text == nil and value[value] ~= nil then holds(value[value] == value, "a cyclic value changed") end
    return value.n
end

local function ended(handle)
    local status = handle.status
    return status == "done" or status == "error" or status == "cancelled"
end

-- Waits until a lane has a status.
local function until_status(handle, status)
    while handle.status ~= status do
        -- An index would end a lane that is suspended.
        if ended(handle) then error(("a lane that was to be %s is %s: %s"):format(status, handle.status, tostring(handle[-1])), 0) end
        lanes.sleep(0.0005)
    end
end

-- A linda under random operations, one after the other, and a model of it. `seed` determines the operations.
function Lane.model(_, count, seed)
    local random = numbers(seed)
    local linda, slots, cancelled, serial = lanes.linda { name = "" }, {}, false, 0
    local function pick(list) return list[random(1, #list)] end
    local function slot_of(key)
        slots[key] = slots[key] or { limit = math.huge, mode = "none", values = {} }
        return slots[key]
    end
    local function fill(slot)
        local n = slot and #slot.values or 0
        local limit = slot and slot.limit or math.huge
        return n < limit and "under" or n == limit and "exact" or "over"
    end
    -- A slot without elements, limit and mode is gone.
    local function forget(key)
        local slot = slots[key]
        if slot and #slot.values == 0 and slot.limit == math.huge and slot.mode == "none" then slots[key] = nil end
    end
    local function new_values(n)
        local values = {}
        for i = 1, n do
            serial = serial + 1
            values[i] = serial
        end
        return values
    end
    local function take(slot, n)
        local taken = {}
        for i = 1, n do taken[i] = table.remove(slot.values, 1) end
        return taken
    end

    local operations = {}
    function operations.send(key)
        local values, slot = new_values(random(1, 3)), slots[key]
        local found = pack(pcall(linda.send, linda, 0, key, unpack(values)))
        if slot and slot.mode == "set/get" then return "restricted", found end
        if cancelled then return pack(true, nil, cancel_error), found end
        if slot and #slot.values + #values > slot.limit then return pack(true, nil, "timeout"), found end
        for _, value in ipairs(values) do table.insert(slot_of(key).values, value) end
        return pack(true, true), found
    end
    function operations.receive(key)
        local slot = slots[key]
        local found = pack(pcall(linda.receive, linda, 0, key))
        if slot and slot.mode == "set/get" then return "restricted", found end
        if cancelled then return pack(true, nil, cancel_error), found end
        if not slot or #slot.values == 0 then return pack(true, nil, "timeout"), found end
        return pack(true, key, unpack(take(slot, 1))), found
    end
    function operations.batch(key)
        local slot, least = slots[key], random(1, 3)
        local most = least + random(0, 2)
        local found = pack(pcall(linda.receive_batched, linda, 0, key, least, most))
        if slot and slot.mode == "set/get" then return "restricted", found end
        if cancelled then return pack(true, nil, cancel_error), found end
        if not slot or #slot.values < least then return pack(true, nil, "timeout"), found end
        return pack(true, key, unpack(take(slot, math.min(most, #slot.values)))), found
    end
    function operations.set(key)
        local values, slot = new_values(random(0, 3)), slots[key]
        local found = pack(pcall(linda.set, linda, key, unpack(values)))
        if slot and slot.mode == "send/receive" then return "restricted", found end
        if cancelled then return pack(true, nil, cancel_error), found end
        local was_full = slot ~= nil and slot.limit > 0 and #slot.values >= slot.limit
        if #values > 0 then slot = slot_of(key) end
        if slot then slot.values = values end
        return pack(true, was_full and #values < slot.limit, fill(slot)), found
    end
    function operations.get(key)
        local slot, n = slots[key], random(1, 3)
        local found = pack(pcall(linda.get, linda, key, n))
        if slot and slot.mode == "send/receive" then return "restricted", found end
        if cancelled then return pack(true, nil, cancel_error), found end
        n = math.min(n, slot and #slot.values or 0)
        return pack(true, n, unpack(slot and slot.values or {}, 1, n)), found
    end
    function operations.limit(key)
        local slot, limit = slots[key], pick { "unlimited", 0, 1, 2, 5 }
        local found = pack(pcall(linda.limit, linda, key, limit))
        if cancelled then return pack(true, nil, cancel_error), found end
        local was_full = slot ~= nil and #slot.values >= slot.limit
        slot = slot_of(key)
        slot.limit = limit == "unlimited" and math.huge or limit
        return pack(true, was_full and #slot.values < slot.limit, fill(slot)), found
    end
    function operations.read_limit(key)
        local slot = slots[key]
        local found = pack(pcall(linda.limit, linda, key))
        if cancelled then return pack(true, nil, cancel_error), found end
        return pack(true, slot and slot.limit < math.huge and slot.limit or "unlimited", fill(slot)), found
    end
    function operations.restrict(key)
        local slot, mode = slots[key], pick { "none", "none", "set/get", "send/receive" }
        local found = pack(pcall(linda.restrict, linda, key, mode))
        if cancelled then return pack(true, nil, cancel_error), found end
        local before = slot and slot.mode or "none"
        slot_of(key).mode = mode
        return pack(true, before), found
    end
    function operations.count(key)
        return pack(true, #(slots[key] or { values = {} }).values), pack(true, linda:count(key) or 0)
    end
    function operations.select(key)
        local slot = slots[key]
        local found = pack(pcall(lanes.select, 0, { linda, "receive", "nothing" }, { linda, "receive", key }))
        if slot and slot.mode == "set/get" then return "restricted", found end
        if cancelled then return pack(true, nil, cancel_error), found end
        if not slot or #slot.values == 0 then return pack(true, nil, "timeout"), found end
        return pack(true, 2, key, unpack(take(slot, 1))), found
    end
    function operations.cancel()
        cancelled = random(1, 3) == 1
        linda:cancel(cancelled and pick { "read", "write", "both" } or "none")
        return pack(cancelled and "cancelled" or "active"), pack(linda.status)
    end
    function operations.wake()
        return pack(), pack(linda:wake(pick { "read", "write", "both" }))
    end

    local names = {
        "send", "send", "send", "receive", "batch", "set", "get", "limit", "read_limit", "restrict", "count", "select", "cancel", "wake",
    }
    for n = 1, count do
        local name, key = pick(names), pick { "a", 2, true }
        local expected, found = operations[name](key)
        local what = ("operation %d, %s(%s)"):format(n, name, tostring(key))
        -- A request to this lane comes before everything else.
        local asked = rawget(_G, "cancel_test") and cancel_test(true)
        if asked then return end
        if expected == "restricted" then
            holds(found[1] == false and tostring(found[2]):find("Key is restricted", 1, true), what .. " was not refused")
        else
            same(expected, found, what)
        end
        forget(key)
    end
end

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

local NOT_SUSPENDED = "cannot resume non-suspended coroutine Lane"

local function check_over(handle)
    local fine, problem = pcall(handle.resume, handle)
    holds(not fine and tostring(problem):find(NOT_SUSPENDED, 1, true), "a lane that is over was resumed")
end

-- A coroutine lane that is resumed some times, and then ended in some way.
function Lane:coroutine(count, shape, how)
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
function Lane.asked(_, count, mode, ...)
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
function Lane.raced(_, count, mode)
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

local WAITING = {
    receive = function(x) return x:receive "never" end,
    batch = function(x) return x:receive_batched("never", 2) end,
    send = function(x) return x:send("full", 1) end,
    select = function(x) return require "lanes".select({ x, "receive", "never" }, { x, "send", "full", 1 }) end,
    lock = function(x) return nil, x:__lock("full", 1, 1) end,
}

-- A lane that waits: `linda:wake` alone does not end the wait, and with a soft request it does.
function Lane:wake(who, how, period)
    local linda = lanes.linda { wake_period = period }
    linda:limit("full", 0)
    local handle = lanes.gen("*", WAITING[how])(linda)
    until_status(handle, "waiting")
    for _ = 1, 3 do linda:wake(who) end
    same(pack(nil, "timeout"), pack(handle:join(0)), "join of a lane that waits")
    handle:cancel("soft", 0)
    if not period then
        -- What does not fit the wait does not end it.
        linda:wake(who)
        linda:wake "both"
    end
    if self.asked() then return end
    same(pack(true, nil, cancel_error), pack(handle:join()), "join of a lane that was woken")
    same(pack("active"), pack(linda.status), "the status of the linda")
end

local scope = closes and load [[
    local linda, fails = ...
    local closed <close> = linda
    if fails then error("on purpose", 0) end
]]

-- Close handlers are called once for each variable. Before 5.4 nothing is closed.
function Lane:closes(how, shape)
    if not closes then return end
    local results = lanes.linda()
    local linda = lanes.linda {
        close_handler = function(own, problem) results:send("closed", { own == own, tostring(problem) }) end,
    }
    local problem = "nil"
    if how == "return" then
        scope(linda)
    elseif how == "error" then
        problem = "on purpose"
        same(pack(false, problem), pack(pcall(scope, linda, true)), "a scope that fails")
    elseif how == "lane" then
        lanes.gen("*", [[local argument = ... local closed <close> = argument]])(linda):join()
    elseif how == "received" then
        results:send("linda", { linda, dressed(1, shape) })
        local there, list = results:receive "linda"
        if there == nil and self.asked() then return end
        holds(list[1] == linda and undressed(list[2]) == 1, "a linda came back as another")
        scope(list[1])
    else
        local handle = lanes.coro("*", [[
            local argument = ...
            local closed <close> = argument
            coroutine.yield "given"
        ]])(linda)
        until_status(handle, "suspended")
        same(pack(true, "given"), pack(handle:join()), "join")
    end
    local key, found = results:receive "closed"
    if key == nil and self.asked() then return end
    same(pack(true, problem), pack(found[1], found[2]), "a close handler")
    same(pack(0), pack(results:count "closed"), "the number of calls of a close handler")
end

local TAKING = {
    one = function(x) return pack(select(2, x:receive "slot")) end,
    batch = function(x, left)
        local found = pack(x:receive_batched("slot", 1, left))
        return pack(unpack(found, 2, found.n))
    end,
    select = function(x) return pack(select(3, require "lanes".select({ x, "receive", "never" }, { x, "receive", "slot" }))) end,
}

-- Lanes that send through a slot that is kept to send and receive, to one that receives: nothing is lost, and the order is kept.
function Lane:stream(count, each, limit, how, shape)
    local linda = lanes.linda()
    linda:restrict("slot", "send/receive")
    linda:limit("slot", limit)
    local senders = {}
    for n = 1, count do
        senders[n] = lanes.gen("*", function(x, number, last, form, wrap)
            for i = 1, last do
                if not x:send("slot", { number, wrap(i, form) }) then return false end
            end
            return true
        end)(linda, n, each, shape, dressed)
    end
    local last, left = {}, count * each
    while left > 0 do
        local found = TAKING[how](linda, left)
        if self.asked() then
            linda:cancel()
            return
        end
        for _, value in ipairs(found) do
            local number, i = value[1], undressed(value[2])
            same(pack((last[number] or 0) + 1), pack(i), "the next value of a sender")
            last[number] = i
        end
        holds(found.n > 0, "nothing was received")
        left = left - found.n
    end
    for _, sender in ipairs(senders) do same(pack(true, true), pack(sender:join()), "a sender") end
    same(pack(0), pack(linda:count "slot"), "the elements that are left")
end

-- A restriction that comes and goes while lanes send and receive: calls are refused or done, and nothing is lost.
function Lane:toggle(count, first, second)
    local linda = lanes.linda()
    local body = lanes.gen("*", function(x, method, n)
        local done, values = 0, 0
        while done < n do
            local fine, answer, value
            if method == "send" then
                fine, answer = pcall(x.send, x, "slot", done + 1)
            else
                fine, answer, value = pcall(x.receive, x, 0, "slot")
            end
            if fine and answer then
                done = done + 1
                if value and value ~= done then error(("%d came after %d"):format(value, done - 1)) end
                values = values + (value or 0)
            elseif not fine and not tostring(answer):find("Key is restricted", 1, true) then
                error(answer, 0)
            elseif cancel_test() then
                return "asked"
            end
        end
        return done, values
    end)
    local sender, receiver = body(linda, "send", count), body(linda, "receive", count)
    for _, mode in ipairs { first, second, first, "none" } do
        linda:restrict("slot", mode)
        lanes.sleep(0)
    end
    if self.asked() then
        sender:cancel("soft", 0, true)
        receiver:cancel("soft", 0, true)
        return
    end
    same(pack(true, count, 0), pack(sender:join()), "the sender")
    same(pack(true, count, count * (count + 1) / 2), pack(receiver:join()), "the receiver")
end

function Lane.sleep(_, seconds) lanes.sleep(seconds) end

function Lane.collect(_, how) collectgarbage(how) end

-- A lane that only the end of the program ends.
function Lane.rest(_, how)
    lanes[how == "yield" and "coro" or "gen"]("*", function(what)
        local own = require "lanes"
        if what == "yield" then coroutine.yield() end
        if what == "receive" then own.linda():receive "never" end
        if what == "sleep" then own.sleep() end
        if what == "resume" then
            local inner = own.coro("*", function() require "lanes".linda():receive "never" end)()
            pcall(inner.resume, inner)
        end
    end)(how)
end

-- A coroutine lane stops, and its parent resumes it.
function Lane:pause(shape)
    if not self.yields then return end
    self.pauses = self.pauses + 1
    local found = pack(coroutine.yield(self.pauses, dressed(self.pauses, shape)))
    if self.asked() then return end
    same(pack("resumed", self.pauses), found, "what yield returned")
end

function Lane:child()
    self.children = self.children + 1
    return self.id .. "." .. self.children
end

function Lane:keep(is_asked, handle)
    self.handles[#self.handles + 1] = { handle, is_asked }
end

-- Ends the steps of a lane: its lanes are resumed as often as they stop, and joined.
function Lane:done()
    for _, entry in ipairs(self.handles) do
        local handle = entry[1]
        if entry[2] then handle:cancel("soft", 0, true) end
        local pauses = 0
        while true do
            if self.asked() then return end
            local fine, n, value = pcall(handle.resume, handle, "resumed", pauses + 1)
            if not fine then
                if n == cancel_error then error(n, 0) end
                holds(tostring(n):find(NOT_SUSPENDED, 1, true), "resume: " .. tostring(n))
                break
            end
            pauses = pauses + 1
            same(pack(pauses, pauses), pack(n, undressed(value)), "what a lane has yielded")
        end
        local found = pack(handle:join())
        holds(found[1] == true or found[2] == cancel_error, "a lane failed: " .. tostring(found[2]))
    end
    self.handles = {}
    return "done"
end

local function new(id, yields, logs)
    return setmetatable({ id = id, yields = yields, logs = logs, handles = {}, children = 0, pauses = 0 }, Lane)
end

--- The steps of a lane.
function four.lane(yields, id, logs)
    set_finalizer(function(problem)
        logs:set(id, problem ~= nil and problem ~= cancel_error and tostring(problem) or "fine")
    end)
    return new(id, yields, logs)
end

--- The steps of the main state.
function four.main(module)
    module.finally(function(all)
        io.stdout:write("all lanes have ended: ", tostring(all), "\n")
    end)
    return new("main", false, module.linda { name = "logs" })
end

--- Ends the steps of the main state; all that is left ends with the program.
function four.check(main)
    main:done()
    local count = 0
    for id in pairs(main.logs:count()) do
        local _, text = main.logs:get(id)
        count = count + 1
        holds(text == "fine", ("lane %s: %s"):format(tostring(id), tostring(text)))
    end
    io.stdout:write(count, " lanes with steps\n")
end

return four
