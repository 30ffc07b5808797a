-- Errors from finalizers at a chosen collection of this state.
local collector = require "collector"
require("support").without_warnings()
local newproxy = rawget(_G, "newproxy")

local collections = {}

-- Each collection finds an object that nobody refers to any more, counts, and lets go of the next one. All are made before: an
-- allocation in a finalizer would put off the next collection.
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

-- A whole collection at every step (with `long`: when there is a fifth more). When the next one comes is decided at the end of the one
-- before; the second one here has no finalizers to run, which could put that off.
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
-- @return how many collections there were; how the call ended, as from pcall
function collections.call(n, long, f, ...)
    prepare(n, long)
    local ok, problem = pcall(armed_call, n, f, ...)
    armed = false
    seldom()
    return seen, ok, problem
end

--- From now on, to the end of the state: calls `reached` and raises an error from a finalizer at collection n.
function collections.raise_from_now(n, reached)
    last = reached
    prepare(n)
    arm(n)
end

--- Whether an error value is the one from the finalizer.
function collections.is_raised(problem)
    return tostring(problem):find("from a finalizer", 1, true) ~= nil
end

--- The number that follows n: each of the first ones, then some. All of them with LANES_SPEC_FULL in the environment, fewer with
-- LANES_SPEC_SHORT.
function collections.following(n)
    local all = os.getenv "LANES_SPEC_FULL" and math.huge or os.getenv "LANES_SPEC_SHORT" and 0 or 8
    return n < all and n + 1 or n + math.random(1, 1 + 4 * n)
end

return collections
