--- Notifiers of futures: `future:notifier()` (docs/manual/loops.md#notifiers).

local lanes = require "lanes"
local core = require "lanes_core"
local helpers = require "lanes.helpers"
local workers = require "lanes.workers"

local cancel_error = lanes.cancel_error

-- The key of a notifier's private data.
local PRIVATE = {}

local FutureNotifier = {}
FutureNotifier.__index = FutureNotifier
FutureNotifier.__metatable = "Notifier"
FutureNotifier.__name = "Notifier"

-- The methods that say of the descriptor what loops ask for.
for _, name in ipairs { "fd", "getfd", "pollfd", "dirty", "events", "timeout" } do
    FutureNotifier[name] = function(self)
        local inner = self[PRIVATE].inner
        return inner[name](inner)
    end
end

--- Looks whether the future has ended, without a wait.
-- @return the future and its status; nothing; `cancel_error`. In the 4.x interface nil and
--   "timeout", nil and `cancel_error`
function FutureNotifier:receive()
    local private = self[PRIVATE]
    local known, inner = private.known, private.inner
    -- Clears it: what comes from now on makes it readable again.
    inner:receive()
    local taken = not known.outcome and workers.take_all(known.pool, known.own, true)
    if known.outcome then
        core.tell(inner)
        return private.future, known.outcome
    elseif taken == cancel_error then
        core.tell(inner)
        return helpers.cancelled()
    elseif helpers.plain.four then
        return nil, "timeout"
    end
end

--- Gives the descriptor back.
function FutureNotifier:close()
    local private = self[PRIVATE]
    private.known.own.notifiers[private.inner] = nil
    private.inner:close()
end
FutureNotifier.__close = FutureNotifier.close

--- Makes a notifier of a future.
return function(future, known)
    local inner = core.notifier()
    workers.add_notifier(known.own, inner, known)
    if known.outcome then
        core.tell(inner)
    else
        workers.watch(known.pool, known.own, inner)
    end
    return setmetatable({ [PRIVATE] = { inner = inner, known = known, future = future } }, FutureNotifier)
end
