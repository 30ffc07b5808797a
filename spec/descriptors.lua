-- Whether the descriptors of notifiers are readable, by LuaSocket or by a C helper of the specs.
local needs = require "needs"
local machine = require "machine"
local capi = require "capi"

local descriptors = {}

local found, socket = pcall(require, "socket")
found = found and type(socket) == "table"

--- The replacement of busted's `it` for tests that look at descriptors.
function descriptors.needed(it)
    if found then return it end
    if machine.windows then return needs.unless("need LuaSocket (the module socket)", it) end
    return capi.needed(it)
end

--- Returns whether a notifier becomes readable.
-- @param seconds how long to wait at most (default 0)
function descriptors.readable(notifier, seconds)
    if found then return socket.select({ notifier }, nil, seconds or 0)[1] == notifier end
    return capi.module().readable(notifier:fd(), seconds or 0)
end

return descriptors
