-- Raises errors from finalizers at a chosen collection of this state.
local collector = require "collector"
require("support").without_warnings()
local newproxy = rawget(_G, "newproxy")

local collections = {}

-- Each collection finds one unreferenced object, whose finalizer counts and releases the next
-- object. All are made before, because an allocation in a finalizer would delay the next
-- collection.
local spare = {} -- luacheck: ignore spare
local armed, seen, at, last = false, 0, 0, false
local proxy = newproxy and newproxy(true)
local class = proxy and getmetatable(proxy) or {}

local function object()
    return proxy and newproxy(proxy) or setmetatable({}, class)
end

function class.__gc()
    if not armed then return end
    seen = seen + 1
    spare[seen + 1] = nil
    if seen == at then
        if last then last() end
        error("from a finalizer", 0)
    end
end

-- Sets a full collection at every step (with `long`: when memory has grown by a fifth). The end of
-- each collection determines when the next one starts; the second one here has no finalizers to
-- run, which could delay it.
local function often(long)
    collector.eager(long and 120 or 0)
    collectgarbage()
    collectgarbage()
end

local function seldom()
    collector.usual()
    collectgarbage()
end

local function prepare(n, long)
    for i = 1, n do spare[i] = object() end
    often(long)
end

local function arm(n)
    armed, seen, at = true, 0, n
    spare[1] = nil
end

local function armed_call(n, f, ...)
    arm(n)
    f(...)
    armed = false
end

--- Calls f(...), and raises an error from a finalizer at collection n.
-- @return the number of collections, then the results of pcall
function collections.call(n, long, f, ...)
    prepare(n, long)
    local ok, problem = pcall(armed_call, n, f, ...)
    armed = false
    seldom()
    return seen, ok, problem
end

--- Until the state is closed: calls `reached` and raises an error from a finalizer at collection n.
function collections.raise_from_now(n, reached)
    last = reached
    prepare(n)
    arm(n)
end

--- Whether an error value is that of the finalizer.
function collections.is_raised(problem)
    return tostring(problem):find("from a finalizer", 1, true) ~= nil
end

--- The number after n: all small numbers, then a selection. With LANES_SPEC_FULL in the environment
--- all numbers, fewer with
-- LANES_SPEC_SHORT.
function collections.following(n)
    local all = os.getenv "LANES_SPEC_FULL" and math.huge or os.getenv "LANES_SPEC_SHORT" and 0 or 8
    return n < all and n + 1 or n + math.random(1, 1 + 4 * n)
end

return collections
