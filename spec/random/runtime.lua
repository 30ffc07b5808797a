-- The steps of random programs, each of which logs what it did, and the oracle that compares the
-- logs.
--
-- Every value that is sent has an identity, "lane:slot:n", where n counts the values that the lane
-- has sent to the slot. A slot is a linda's name and a key. A lane's log is a table; a finalizer
-- sends it to the linda of logs, so that it survives errors and cancellation. The operation during
-- which a hook ended the lane is its `flight`: it may have happened or not.
--
-- A receive that fails puts the elements back at the front, so that nothing is lost; meanwhile,
-- others may have received later ones.
--
-- Most steps have short timeouts, so that any order of any steps ends. Steps that wait without a
-- limit reveal a lost wake-up: the program does not end. By construction, they receive what they
-- wait for: only the step's own lanes have the linda at which they wait; no other step cancels
-- these lanes; and a lane that gives up half way, or is ended, cancels that linda.

local lanes = require "lanes"

local modules = require "random.modules"

local runtime = {}
runtime.__index = runtime

local cancel_error = lanes.cancel_error

-- Keys of slots: `QUEUES` for send and receive, `STATE` for set and get, `LIMITED` has limits that
-- change.
local QUEUES = { "a", 2, "limited" }
local STATE = "state"

local Lane = {}
Lane.__index = Lane

-- A new value with this identity, in one of several shapes; and the identity of such a value.
local function dressed(identity, shape, linda)
    if shape == 1 then return { id = identity, text = ("x"):rep(300) } end
    if shape == 2 then return { inner = { { id = identity } }, linda = linda } end
    if shape == 3 then return function() return identity, linda end end
    if shape == 4 then
        local value = { id = identity, linda = linda }
        value.itself = value
        return value
    end
    -- The class is a module, and the value brings another module: the receiver loads it if it does
    -- not have it.
    if shape == 7 then return setmetatable({ id = identity, linda = linda }, runtime) end
    if shape == 8 then return { id = identity, module = modules.latest() } end
    return identity
end

-- The identity of a value, and the linda in it.
local function undressed(value)
    if type(value) == "function" then return value() end
    if type(value) ~= "table" then return value end
    if value.inner then return value.inner[1].id, value.linda end
    if value.lane ~= nil and getmetatable(value) ~= runtime then error "an object has another class now" end
    if value.module then modules.check(value.module, value.module.name) end
    if value.itself ~= nil and value.itself ~= value then error "a cyclic value has another shape now" end
    return value.id, value.linda
end

-- A lane's name for a linda is the same everywhere: what tostring says.
function Lane:know(linda)
    if linda == nil then return end
    local name = tostring(linda)
    for _, known in ipairs(self.log.lindas) do
        if tostring(known) == name then return end
    end
    self.log.lindas[#self.log.lindas + 1] = linda
end

function Lane:linda(n)
    return self.log.lindas[(n - 1) % #self.log.lindas + 1]
end

-- The end of the names of all lanes.
local NAME = " \228"

-- Whether an error is that of `fail`, bytes that are no UTF-8 included.
local function on_purpose(problem)
    return tostring(problem):find(modules.PURPOSE, 1, true) ~= nil
end

-- The steps. `linda` and `key` are numbers: the lane knows some lindas, and takes one of them.

-- Sends new values, perhaps with lindas in them. Returns what the linda returns.
function Lane:put(linda, key, count, shape, timeout, bring)
    local slot = tostring(linda) .. "," .. tostring(key)
    local sent = self.log.sent[slot] or 0
    local values = {}
    for i = 1, count do
        values[i] = dressed(self.log.id .. ":" .. slot .. ":" .. (sent + i), shape, bring and self:linda(sent + i) or nil)
    end
    self.log.flight = { what = "send", slot = slot, count = count }
    local answer = linda:send(timeout, key, (table.unpack or unpack)(values))
    if answer == true then
        self.log.sent[slot] = sent + count
    elseif answer ~= false and answer ~= cancel_error then
        error("send answered " .. tostring(answer))
    end
    self.log.flight = nil
    return answer
end

function Lane:took(slot, value)
    local identity, linda = undressed(value)
    local received = self.log.received
    received[#received + 1] = identity
    if tostring(identity):match "^[^:]+:(.*):%d+$" ~= slot then
        error(("slot %s gave %s"):format(slot, tostring(identity)))
    end
    self:know(linda)
end

-- Receives a value from one of some slots. Returns the key, or what the linda returns in its place.
function Lane:take(linda, timeout, ...)
    self.log.flight = { what = "receive", count = 1 }
    local answer, value = linda:receive(timeout, ...)
    if answer ~= nil and answer ~= cancel_error then self:took(tostring(linda) .. "," .. tostring(answer), value) end
    self.log.flight = nil
    return answer
end

-- Receives several values at once. Returns the key, or what the linda returns in its place, and how
-- many.
function Lane:take_batch(linda, timeout, key, least, most)
    self.log.flight = { what = "receive", count = most }
    local results = { linda:receive(timeout, linda.batched, key, least, most) }
    local count = 0
    if #results > 0 and results[1] ~= cancel_error then
        count = #results - 1
        if count < least or count > most then error(("a batch of %d to %d has %d"):format(least, most, count)) end
        for i = 2, #results do self:took(tostring(linda) .. "," .. tostring(results[1]), results[i]) end
    end
    self.log.flight = nil
    return results[1], count
end

function Lane:send(linda, key, count, shape, timeout)
    self:put(self:linda(linda), QUEUES[key], count, shape, timeout, true)
end

function Lane:receive(linda, key, other, timeout)
    if other then
        self:take(self:linda(linda), timeout, QUEUES[key], QUEUES[other])
    else
        self:take(self:linda(linda), timeout, QUEUES[key])
    end
end

function Lane:batch(linda, key, least, most, timeout)
    self:take_batch(self:linda(linda), timeout, QUEUES[key], least, most)
end

function Lane:set(linda)
    linda = self:linda(linda)
    local slot = tostring(linda)
    local n = (self.log.set[slot] or 0) + 1
    self.log.set[slot] = n
    linda:set(STATE, self.log.id .. ":" .. n, n)
end

function Lane:get(linda)
    linda = self:linda(linda)
    local found, n = linda:get(STATE, 2)
    if found == nil or found == cancel_error then return end
    local writer, stated = found:match "^(.*):(%d+)$"
    if tonumber(stated) ~= n then error(("values set together are %s and %s"):format(found, tostring(n))) end
    local slot = tostring(linda) .. " of " .. writer
    local before = self.seen[slot] or 0
    -- Values of one writer are overwritten by its later values, and then never seen again.
    if n < before then error(("%s was %d and is %d"):format(slot, before, n)) end
    self.seen[slot] = n
end

function Lane:limit(linda, limit)
    self:linda(linda):limit("limited", limit)
end

function Lane:look(linda)
    linda = self:linda(linda)
    local counts = linda:count()
    for key, count in pairs(counts) do
        if count < 0 then error(tostring(key) .. " has " .. count) end
    end
    for _, slot in pairs(linda:dump() or {}) do
        for i = slot.first, slot.first + slot.count - 1 do
            if slot.fifo[i] == nil then error "a dump has a hole" end
        end
    end
end

function Lane:cancel_linda(linda, who)
    self:linda(linda):cancel(who)
end

function Lane:new_linda()
    self.made = self.made + 1
    self:know(lanes.linda(self.log.id .. "/" .. self.made))
end

function Lane:add(add)
    self.log.adding = self.log.adding + 1
    if add(1) ~= cancel_error then self.log.added = self.log.added + 1 end
end

function Lane:lock(lock, units)
    self.log.flight = { what = "lock" }
    if lock(units, "try") == true then
        -- A lane that is asked to stop gives nothing back.
        if lock(-units) == cancel_error then self.log.locked = true end
    end
    self.log.flight = nil
end

function Lane.sleep(_, seconds)
    lanes.sleep(seconds)
end

function Lane.spin(_, count)
    local sum = 0
    for i = 1, count do sum = sum + i % 7 end
    return sum
end

function Lane.collect(_, how)
    collectgarbage(how)
end

function Lane:timer(linda, seconds, period)
    lanes.timer(self:linda(linda), "tick", seconds, period)
end

-- Registers a finalizer, which must run.
function Lane:finalizer()
    local log = self.log
    if not rawget(_G, "set_finalizer") then return end
    log.finalizing = log.finalizing + 1
    set_finalizer(function()
        collectgarbage "step"
        self:set(1)
        log.finalized = log.finalized + 1
    end)
    log.finalizers = log.finalizers + 1
end

-- Called when a handle is collected.
function Lane:collected(name, how)
    if type(name) ~= "string" or how ~= "closed" and how ~= "selfdestruct" then
        self.log.problem = ("a handle that was collected reported %s, %s"):format(tostring(name), tostring(how))
    end
end

-- The name of a new lane.
function Lane:child()
    self.children = self.children + 1
    return self.log.id .. "." .. self.children
end

function Lane:keep(n, handle)
    self.handles[n] = handle
end

function Lane:drop(n)
    self.handles[n] = nil
end

function Lane:join(n, timeout)
    local handle = self.handles[n]
    if not handle then return end
    local first, second = handle:join(timeout)
    if handle.status == "error" and second ~= "timeout" and not on_purpose(second) then
        error("a lane failed: " .. tostring(second))
    end
    if handle.status == "done" and second ~= "timeout" and first ~= "done" then
        error("a lane that is done answered " .. tostring(first))
    end
    local name = handle:get_debug_threadname()
    if handle.status == "done" and not name:find(NAME .. "$") then error("a lane is called " .. name) end
end

-- Arguments as for the handle's `cancel`.
function Lane:cancel(n, ...)
    local handle = self.handles[n]
    if not handle then return end
    local ended, status = handle:cancel(...)
    if ended and status ~= "done" and status ~= "error" and status ~= "cancelled" then
        error("a lane that ended is " .. tostring(status))
    end
end

function Lane.fail()
    error(modules.PURPOSE)
end

-- Runs a step inside nested coroutines.
function Lane:within(depth, step)
    if depth == 0 then return step() end
    return coroutine.wrap(Lane.within)(self, depth - 1, step)
end

-- Nests coroutines until an error. LuaJIT has no limit of its own.
function Lane.runaway()
    if jit then return end
    local function deeper() return coroutine.wrap(deeper)() end
    local ok, problem = pcall(deeper)
    if problem == cancel_error then error(problem, 0) end
    if ok or not tostring(problem):find("C stack overflow", 1, true) then
        error(("nested coroutines: %s, %s"):format(tostring(ok), tostring(problem)), 0)
    end
end

-- Recurses in C as deeply as 5.1 allows, for lanes with a large stack; later versions have a lower
-- limit.
function Lane.recurse()
    local ok, problem = pcall(string.match, ("a"):rep(40000), ("a?"):rep(40000))
    if problem == cancel_error then error(problem, 0) end
    if not ok and not tostring(problem):find("too complex", 1, true) then error(problem, 0) end
end

-- Sets a hook of the lane itself. If there is a request, its hook is called instead.
function Lane:hooks(count)
    local called = 0
    local function hook() called = called + 1 end
    debug.sethook(hook, "", count)
    self.spin(nil, 1000)
    local set, mask, every = debug.gethook()
    debug.sethook()
    if set ~= hook or mask ~= "" or every ~= count then
        error(("the hook is %s, %s, %s"):format(tostring(set), tostring(mask), tostring(every)))
    end
    if called == 0 and not self.log.hooked and not jit then error "the hook was not called" end
end

-- Steps that wait without a limit.

-- The result of a lane that has completed its task.
local ALL = "all"

-- A new linda for the lanes of one step.
function Lane:private()
    self.made = self.made + 1
    local linda = lanes.linda(self.log.id .. "/" .. self.made)
    local known = self.log.private
    known[#known + 1] = linda
    return linda
end

-- Launches a lane for one step that calls a method, with the step's linda and more arguments.
-- Returns its handle, which only the step has.
function Lane:launch(method, linda, ...)
    return lanes.gen("*", function(id, logs, own, name, ...)
        local r = require "random.runtime".lane(id, false, logs, own)
        return r[name](r, own, ...)
    end)(self:child(), self.logs, linda, method, ...)
end

-- Sends `count` values, a few at a time. Returns true; false if the lane was asked to stop and has
-- given up.
function Lane:pour(linda, key, count, chunk, shape)
    while count > 0 do
        local now = math.min(chunk, count)
        if self:put(linda, key, now, shape) == cancel_error then return false end
        count = count - now
    end
    return true
end

-- Ends a step: waits for its lanes. They must have completed their tasks unless this one gave up.
function Lane.finish(_, linda, children, complete)
    if not complete then linda:cancel() end
    for _, child in ipairs(children) do
        local answer, message = child:join()
        if complete and answer ~= ALL then
            error(("a lane of a step answered %s, %s"):format(tostring(answer), tostring(message)))
        end
    end
end

-- How lanes take values from a slot, without a limit of time or again and again: each returns what
-- `take` and `take_batch` return.
local TAKING = {
    one = function(r, linda) return r:take(linda, nil, "limited") end,
    either = function(r, linda) return r:take(linda, nil, "a", "limited") end,
    impatient = function(r, linda) return r:take(linda, 0.0002, "limited") end,
    batch = function(r, linda, left, batch)
        return r:take_batch(linda, nil, "limited", math.min(batch, left), math.min(batch, left))
    end,
    some = function(r, linda, left, batch)
        return r:take_batch(linda, nil, "limited", math.min(batch, left), math.min(2 * batch, left))
    end,
}

function Lane:consume(linda, how, count, batch)
    while count > 0 do
        local key, taken = TAKING[how](self, linda, count, batch)
        if key == cancel_error then return end
        if key ~= nil then count = count - (taken or 1) end
    end
    return ALL
end

-- Takes values until it is asked to stop. Returns their number.
function Lane:consume_for_ever(linda)
    local count = 0
    while self:take(linda, nil, "limited") ~= cancel_error do count = count + 1 end
    return count
end

-- Some lanes take `each` values, each in its own way, and this one sends the total. A limit of
-- batch + chunk - 1 is the lowest with which there is always room for a chunk or enough for a
-- batch. If there is a guest, another lane receives too, until it is asked to stop.
function Lane:stream(takers, each, limit, chunk, batch, shape, guest)
    local linda = self:private()
    linda:limit("limited", limit)
    local children = {}
    local visitor = guest and self:launch("consume_for_ever", linda)
    for i, how in ipairs(takers) do children[i] = self:launch("consume", linda, how, each, batch) end
    local count = each * #takers
    local first = math.floor(count / 2)
    local complete = self:pour(linda, "limited", first, chunk, shape)
    if visitor then
        visitor:cancel("soft", 0, true)
        count = count + visitor:join()
    end
    complete = complete and self:pour(linda, "limited", count - first, chunk, shape)
    self:finish(linda, children, complete)
end

function Lane:answer(linda, count, shape)
    for _ = 1, count do
        if self:take(linda, nil, "a") == cancel_error or self:put(linda, 2, 1, shape) == cancel_error then return end
    end
    return ALL
end

-- Values go to and fro: two lanes wake each other in turn.
function Lane:exchange(count, shape)
    local linda = self:private()
    local children = { self:launch("answer", linda, count, shape) }
    local complete = true
    for _ = 1, count do
        complete = complete and self:put(linda, "a", 1, shape) ~= cancel_error and self:take(linda, nil, 2) ~= cancel_error
    end
    self:finish(linda, children, complete)
end

function Lane:produce(linda, count, shape)
    return self:pour(linda, "limited", count, 1, shape) and ALL or nil
end

-- Empties a slot that contains one value, this lane's last one.
function Lane:empty(linda, key)
    local slot = tostring(linda) .. "," .. tostring(key)
    self.log.flight = { what = "receive", count = 1 }
    linda:set(key)
    self:took(slot, self.log.id .. ":" .. slot .. ":" .. self.log.sent[slot])
    self.log.flight = nil
end

-- Some lanes send to a slot without room, until this one gives it a limit, or empties it if the
-- limit is "set"; then it takes all.
function Lane:release(producers, each, limit, seconds, shape)
    local linda = self:private()
    linda:limit("limited", limit == "set" and 1 or 0)
    local full = limit == "set" and self:put(linda, "limited", 1, shape) == true
    local children = {}
    for i = 1, producers do children[i] = self:launch("produce", linda, each, shape) end
    lanes.sleep(seconds)
    if full then self:empty(linda, "limited") end
    if limit ~= "set" then linda:limit("limited", limit) end
    local complete = true
    for _ = 1, producers * each do complete = complete and self:take(linda, nil, "limited") ~= cancel_error end
    self:finish(linda, children, complete)
end

-- Takes turns by a lock, and counts them: both in a slot, which only the holder of the lock
-- changes, and by an atomic number.
function Lane.alternate(_, linda, lock, add, count, units)
    for _ = 1, count do
        if lock(units) == cancel_error then return end
        local turns = linda:get "turns"
        if turns == cancel_error then return end
        linda:set("turns", turns + 1)
        if lock(-units) == cancel_error or add(1) == cancel_error then return end
    end
    return ALL
end

-- Some lanes and this one take turns by a lock of 3 units, of which each takes more than half.
function Lane:share(others, count, units)
    local linda = self:private()
    local lock, add = lanes.genlock(linda, "units", 3), lanes.genatomic(linda, "sum", 0)
    linda:set("turns", 0)
    local children = {}
    for i = 1, others do children[i] = self:launch("alternate", linda, lock, add, count, units) end
    local complete = self:alternate(linda, lock, add, count, units) == ALL
    self:finish(linda, children, complete)
    if not complete then return end
    local expected, turns = (others + 1) * count, linda:get "turns"
    if turns ~= expected then error(("%d turns are %s"):format(expected, tostring(turns))) end
    local sum = linda:get "sum"
    if sum ~= expected then error(("%d additions are %s"):format(expected, tostring(sum))) end
end

-- The task of a pool: every `failing`-th one fails, and some call `map` of the pool.
local function task(number, failing)
    if failing > 0 and number % failing == 0 then error(modules.PURPOSE, 0) end
    if number % 7 == 0 then
        local inner = require "lanes".map({ number, number }, function(x) return x end)
        return inner[1] + inner[2]
    end
    return 2 * number
end

local function check_result(number, failing, result, problem)
    local fails = failing > 0 and number % failing == 0
    if fails and not (result == nil and on_purpose(problem)) or not fails and result ~= 2 * number then
        error(("task %d of a pool, of which every %d fails, gave %s, %s"):format(number, failing, tostring(result), tostring(problem)))
    end
end

-- A pool runs tasks submitted in each way. A lane that is asked to stop gives up half way.
function Lane:pool(workers, count, chunk, max_tasks, failing) -- luacheck: ignore self
    local pool = lanes.pool { workers = workers, max_tasks = max_tasks, name = "random" }
    local list = {}
    for i = 1, count do list[i] = i end
    local function work(number) return task(number, failing) end
    local results = pool:map(work, list, { chunk = chunk, on_error = "return" })
    if results == cancel_error then return end
    for i = 1, count do check_result(i, failing, results[i], results.errors and results.errors[i]) end
    local futures, seen = {}, 0
    for i = 1, math.min(count, 4) do
        futures[i] = pool:submit(work, i)
        if futures[i] == cancel_error then return end
    end
    for i, result, problem in pool:imap(work, list, { ordered = chunk % 2 == 0, buffer = chunk, on_error = "return" }) do
        check_result(i, failing, result, problem)
        seen = seen + 1
    end
    if cancel_test and cancel_test() then return end
    if seen ~= count then error(("imap handed out %d of %d"):format(seen, count)) end
    for i, future in ipairs(futures) do
        local result, problem = future:join()
        if result == cancel_error then return end
        check_result(i, failing, result, problem)
    end
    pool:close()
end

-- Some lanes send `each` values to two lindas in turn, by a select that sends or not; this one
-- takes them by selects. Every value comes once, and those of one lane and linda in order.
function Lane:choose(senders, each, limit, shape)
    local one, two = self:private(), self:private()
    for _, linda in ipairs { one, two } do linda:limit("chosen", limit) end
    local body = lanes.gen("*", function(id, logs, a, b, count, how)
        local r = require "random.runtime".lane(id, false, logs, a)
        return r:send_either(a, b, count, how)
    end)
    local children = {}
    for i = 1, senders do children[i] = body(self:child(), self.logs, one, two, each, shape) end
    local last, complete = {}, true
    for _ = 1, senders * each do
        local case, key, value = lanes.select({ one, "receive", "nothing", "chosen" }, { two, "receive", "chosen" })
        if case == cancel_error then
            complete = false
            break
        end
        if key ~= "chosen" then error("select gave the key " .. tostring(key)) end
        local sender, from, n = undressed(value):match "^(.*):(%d):(%d+)$"
        if tonumber(from) ~= case then error(("case %s gave a value of case %s"):format(case, from)) end
        local stream = sender .. ":" .. from
        if tonumber(n) <= (last[stream] or 0) then error(("%s came after %d"):format(undressed(value), last[stream])) end
        last[stream] = tonumber(n)
    end
    if not complete then two:cancel() end
    self.finish(self, one, children, complete)
    if not complete then return end
    local case = lanes.select(0, { one, "receive", "chosen" }, { two, "receive", "chosen" })
    if case and case ~= cancel_error then error "a value was sent twice" end
end

function Lane:send_either(one, two, count, shape)
    for n = 1, count do
        local function value(case) return dressed(("%s:%d:%d"):format(self.log.id, case, n), shape) end
        local first, second = { one, "send", "chosen", value(1) }, { two, "send", "chosen", value(2) }
        local case
        if n % 2 == 0 then
            case = lanes.select(first, second)
        else
            case = lanes.select({ one, "receive", "nothing" }, second)
        end
        if case == cancel_error then return end
        if n % 2 == 1 and case ~= 2 then error("select chose case " .. tostring(case)) end
    end
    return ALL
end

-- Some lanes end one after the other; `lanes.wait` gives those that have ended, in this order.
function Lane:await(count, wanted)
    local linda, children = self:private(), {}
    local body = lanes.gen("*", function(x, n) x:receive("go" .. n) return n end)
    for n = 1, count do children[n] = body(linda, n) end
    wanted = math.min(wanted, count)
    local complete = true
    for n = count, 1, -1 do
        linda:set("go" .. n, true)
        local ended = lanes.wait({ children[n] })
        if ended == cancel_error then
            complete = false
            break
        end
        if #ended ~= 1 or ended[1] ~= children[n] then error "wait gave another lane" end
    end
    local ended = complete and lanes.wait(children, { count = wanted })
    if complete and ended ~= cancel_error then
        for i = 1, #ended do
            if ended[i] ~= children[count + 1 - i] then error("wait gave the wrong lane " .. i) end
        end
        if #ended < wanted then error(("wait gave %d of %d"):format(#ended, wanted)) end
    end
    for n = 1, count do linda:set("go" .. n, true) end
    for n = 1, count do children[n]:join() end
end

-- A scope with lanes that wait until they are asked to stop. What fails is `how`: "none", where
-- they are told to go on, "lane", "body", or "timeout". Afterwards no lane runs, and this one has no
-- request that it had not before.
function Lane:scope(count, how, on_error, waits, nested)
    local linda = self:private()
    local asked = cancel_test and cancel_test()
    local children = {}
    -- A lane that has been asked to stop cannot use the linda; `set` is not refused.
    local waiting = lanes.gen("*", function(x, n)
        if x:receive("go") ~= require "lanes".cancel_error then x:set("went on" .. n, true) end
    end)
    local failing = lanes.gen("*", function(purpose) error(purpose, 0) end)
    local function body(s)
        for n = 1, count do children[n] = s:run(waiting, linda, n) end
        if how == "lane" then children[count + 1] = s:run(failing, modules.PURPOSE) end
        if how == "none" or on_error == "wait" and how ~= "timeout" then linda:set("go", true, true, true) end
        if waits and how ~= "none" and (on_error == "cancel" and how == "lane" or how == "timeout") then linda:receive "nothing" end
        if how == "body" then error(modules.PURPOSE, 0) end
        return ALL
    end
    local function outer(s)
        if nested then return lanes.scope(body, { on_error = on_error }) end
        return body(s)
    end
    -- In a nested scope the request comes from outside, if there is a timeout.
    local fine, result = pcall(lanes.scope, outer, { on_error = on_error, timeout = how == "timeout" and 0.0005 or nil })
    for _, child in ipairs(children) do
        local status = child.status
        if status ~= "done" and status ~= "error" and status ~= "cancelled" then error("a lane outlives its scope: " .. status) end
    end
    if not fine and result == cancel_error then error(result, 0) end
    if asked or cancel_test and cancel_test() then return end
    if how == "none" then
        if not fine or result ~= ALL then error(("a scope gave %s"):format(tostring(result)), 0) end
        for n = 1, count do
            if not linda:get("went on" .. n) then error(("lane %d has not gone on"):format(n)) end
        end
    else
        local expected = how == "timeout" and "scope: timed out after 0.0005 s" or modules.PURPOSE
        if fine or not tostring(result):find(expected, 1, true) then
            error(("a scope that is to fail by %s gave %s"):format(how, tostring(result)), 0)
        end
    end
    if linda:receive(0, "really nothing") == cancel_error and not (cancel_test and cancel_test()) then
        error "a request has outlived its scope"
    end
end

-- Lanes with monitors, which come while the lanes end: each sends exactly one message.
function Lane:watch(count, how)
    local linda = self:private()
    local body = lanes.gen("*", function(kind, purpose)
        if kind == "error" then error(purpose, 0) end
        if kind == "cancelled" then error(require "lanes".cancel_error, 0) end
    end)
    for n = 1, count do
        local handle = body(how, modules.PURPOSE)
        if n % 2 == 0 then self.spin(nil, 1000 * n) end
        handle:monitor(linda, "end" .. n)
        handle:join()
    end
    for n = 1, count do
        local key, event = linda:receive(nil, "end" .. n)
        if key == cancel_error then return end
        if event.status ~= how then error(("a monitor told %s, not %s"):format(event.status, how)) end
        if (linda:count("end" .. n) or 0) > 0 then error "a monitor told twice" end
    end
end

-- The name of lanes that wait until they are cancelled, at the latest by the end of the program.
local RESTING = "rests"

local RESTS = {
    receive = function(linda) linda:receive("nothing") end,
    batch = function(linda)
        linda:send("one", 1)
        linda:receive(linda.batched, "one", 2)
    end,
    send = function(linda)
        linda:limit("none", 0)
        linda:send("none", 1)
    end,
    lock = function(linda)
        local lock = lanes.genlock(linda, "lock")
        lock(1)
        lock(1)
    end,
    sleep = function() lanes.sleep(1e9) end,
}

function runtime.rest(how)
    set_debug_threadname(RESTING)
    RESTS[how](lanes.linda())
end

local function launch_rest(how)
    return lanes.gen("*", function(...) require "random.runtime".rest(...) end)(how)
end

-- A lane that the end of the program has to wake.
function Lane.rest(_, how)
    launch_rest(how)
end

-- A lane that is woken by a request, soft or hard. If this one is ended before it makes the
-- request, the lane rests.
function Lane.wake(_, how, mode, seconds)
    local handle = launch_rest(how)
    lanes.sleep(seconds)
    handle:cancel(mode, 0, true)
    handle:join()
    local expected = mode == "soft" and "done" or "cancelled"
    if handle.status ~= expected then error(("a lane that was cancelled is %s: %s"):format(handle.status, tostring(handle[-1]))) end
end

-- A lane that sets hooks of its own all the time is ended by that of a request. If this one is
-- ended before it makes the request, the lane rests.
function Lane.outlive_hooks(_, ...)
    local handle = lanes.gen("*", function(name)
        local sleep = require "lanes".sleep
        if jit then jit.off() end
        set_debug_threadname(name)
        while true do
            for _ = 1, 10000 do debug.sethook(function() end, "", 1) end
            sleep(0)
        end
    end)(RESTING)
    handle:cancel(...)
    handle:join()
    if handle.status ~= "cancelled" then error(("a lane with hooks is %s: %s"):format(handle.status, tostring(handle[-1]))) end
end

--- The steps and the log of the lane that calls this.
-- @param id its name, without ":" @param hooked whether hooks may end it @param logs the linda of
-- logs @param hub the first linda that it has
function runtime.lane(id, hooked, logs, hub)
    local lane = setmetatable({
        log = { id = id, hooked = hooked, sent = {}, received = {}, set = {}, lindas = { hub }, private = {}, adding = 0, added = 0,
            finalizing = 0, finalizers = 0, finalized = 0 },
        handles = {}, seen = {}, children = 0, made = 0, logs = logs,
    }, Lane)
    if rawget(_G, "set_finalizer") then
        set_debug_threadname(id .. NAME)
        set_finalizer(function(err, trace)
            local log = lane.log
            for _, linda in ipairs(log.private) do linda:cancel() end
            if err ~= nil and err ~= cancel_error and not on_purpose(err) then
                log.problem = tostring(err) .. " at " .. table.concat(trace or {}, " < ")
            end
            if log.finalized < log.finalizers or log.finalized > log.finalizing then
                log.problem = ("%d finalizers ran, %d to %d expected"):format(log.finalized, log.finalizers, log.finalizing)
            end
            logs:set(id, log)
        end)
    end
    return lane
end

--- Seconds without the end of any lane after which those that are left count as hanging.
runtime.LIMIT = 90

-- Waits until no lane runs, except lanes that rest.
local function all_ended()
    local deadline, before
    while true do
        local running, count = nil, 0
        for _, lane in ipairs(lanes.threads() or {}) do
            local apart = lane.name == "LanesTimer" or lane.name == RESTING
            if not apart and lane.status ~= "done" and lane.status ~= "error" and lane.status ~= "cancelled" then
                running, count = lane, count + 1
            end
        end
        if not running then return end
        if count ~= before then deadline, before = lanes.now_secs() + runtime.LIMIT, count end
        if lanes.now_secs() > deadline then error(("%d lanes hang: one is %s"):format(count, running.status)) end
        lanes.sleep(0.005)
    end
end

--- Waits for all lanes and compares their logs.
-- @param main the steps of the main state
-- @param logs the linda of logs
-- @param add the atomic number
-- @param lock the lock, of which all 3 units must be free
function runtime.check(main, logs, add, lock)
    all_ended()
    local problems = {}
    local function problem(...) problems[#problems + 1] = string.format(...) end

    local all = { main.log }
    for key in pairs(logs:count()) do all[#all + 1] = logs:get(key) end
    -- All lindas, including those in the logs of other lanes; and the elements that nobody
    -- received.
    local by_id, lindas = {}, {}
    for _, log in ipairs(all) do
        by_id[log.id] = log
        if log.problem then problem("%s: %s", log.id, log.problem) end
        for _, linda in ipairs(log.lindas) do lindas[tostring(linda)] = linda end
        for _, linda in ipairs(log.private) do lindas[tostring(linda)] = linda end
    end
    local left = { id = "left", received = {}, hooked = false }
    local queue = {}
    for _, linda in pairs(lindas) do queue[#queue + 1] = linda end
    while #queue > 0 do
        local linda = table.remove(queue)
        linda:cancel "none"
        for _, key in ipairs(QUEUES) do
            while true do
                local found, value = linda:receive(0, key)
                if not found then break end
                local identity, other = undressed(value)
                left.received[#left.received + 1] = identity
                if other and not lindas[tostring(other)] then
                    lindas[tostring(other)] = other
                    queue[#queue + 1] = other
                end
            end
        end
    end

    -- Every element is received at most once, and in order.
    local receivers, last = {}, {}
    local received, late = 0, {}
    all[#all + 1] = left
    for _, log in ipairs(all) do
        local mine = {}
        for _, identity in ipairs(log.received) do
            received = received + 1
            if receivers[identity] then
                problem("%s was received by %s and by %s", identity, receivers[identity], log.id)
            end
            receivers[identity] = log.id
            local sender, slot, n = identity:match "^([^:]+):(.*):(%d+)$"
            n = tonumber(n)
            local stream = sender .. ":" .. slot
            -- The elements left were sent after all received ones.
            local before = log == left and last[stream] or mine[stream] or 0
            if n <= before then late[#late + 1] = ("%s came to %s after %d"):format(identity, log.id, before) end
            mine[stream] = n
            last[stream] = math.max(last[stream] or 0, n)
            local from = by_id[sender]
            local sent = from and from.sent[slot] or 0
            local flight = from and from.flight
            if flight and flight.what == "send" and flight.slot == slot then sent = sent + flight.count end
            if n > sent then problem("%s was received by %s and never sent", identity, log.id) end
        end
    end

    -- Elements that were sent and not received: only a receive ended by a hook may have taken them,
    -- or put them back after others had received later ones.
    local sent, missing, in_flight = 0, {}, 0
    local least, most = 0, 0
    for _, log in ipairs(all) do
        if log ~= left then
            for slot, count in pairs(log.sent) do
                sent = sent + count
                for n = 1, count do
                    local identity = log.id .. ":" .. slot .. ":" .. n
                    if not receivers[identity] then missing[#missing + 1] = identity end
                end
            end
            if log.hooked and log.flight and log.flight.what == "receive" then
                in_flight = in_flight + log.flight.count
            end
            least, most = least + log.added, most + log.adding
        end
    end
    if #missing > in_flight then
        problem("%d were lost, %d may be: %s", #missing, in_flight, table.concat(missing, " "))
    end
    if #late > in_flight then problem("%d were late, %d may be: %s", #late, in_flight, table.concat(late, ", ")) end
    local sum = add(0)
    if sum < least or sum > most then problem("the sum is %s, between %d and %d expected", tostring(sum), least, most) end
    local locked = false
    for _, log in ipairs(all) do
        locked = locked or log.locked or log.flight and log.flight.what == "lock"
    end
    if not locked and lock(3, "try") ~= true then problem "the lock is not free" end

    if #problems > 0 then error(#problems .. " problems:\n" .. table.concat(problems, "\n"), 0) end
    print(("%d lanes, %d sent, %d received"):format(#all - 2, sent, received))
end

return runtime
