-- The steps of random programs with the 4.x interface, and their oracle. Each step knows what every call must return, and raises an
-- error if it returns anything else. A lane's error goes to the linda of logs by a finalizer; so does the number of its steps.
-- Further steps are in four_model.lua and four_coroutines.lua.
--
-- No step has a limit of time where it waits for what must come: a lost wake-up makes the program hang.

local lanes = require "lanes"
local checks = require "random.four_checks"

local dressed, holds, pack, same = checks.dressed, checks.holds, checks.pack, checks.same
local undressed, until_status = checks.undressed, checks.until_status
local cancel_error = lanes.cancel_error
local closes = _VERSION == "Lua 5.4" or _VERSION == "Lua 5.5"
local load = loadstring or load -- luacheck: ignore
local unpack = table.unpack or unpack

local four = {}

local Lane = {}
Lane.__index = Lane
for _, part in ipairs { "model", "coroutines" } do
    for name, step in pairs(require("random.four_" .. part)) do Lane[name] = step end
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
                holds(tostring(n):find(checks.NOT_SUSPENDED, 1, true), "resume: " .. tostring(n))
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
