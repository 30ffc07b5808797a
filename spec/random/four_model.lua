-- A step of random programs with the 4.x interface: operations on one linda, with a model of it as the oracle.

local lanes = require "lanes"
local numbers = require "random.four_generator".numbers
local checks = require "random.four_checks"

local holds, pack, same = checks.holds, checks.pack, checks.same
local cancel_error = lanes.cancel_error
local unpack = table.unpack or unpack

local steps = {}

-- A linda under random operations, one after the other, and a model of it. `seed` determines the operations.
function steps.model(_, count, seed)
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

    -- The last one is an object.
    local keys = { "a", 2, true, lanes.linda { name = "key" } }
    local names = {
        "send", "send", "send", "receive", "batch", "set", "get", "limit", "read_limit", "restrict", "count", "select", "cancel", "wake",
    }
    for n = 1, count do
        local name, key = pick(names), pick(keys)
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

return steps
