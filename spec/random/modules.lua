-- Modules of random programs: the ways in which a lane gets them, and what must be true of them
-- there.
--
-- A program defines a few. While a module is being loaded it runs steps like a lane, but uses only
-- modules that were defined before it: then waits cannot form a circle, and all modules can be
-- loaded. A module that fails fails always. `circle` makes a circle that must be refused to the
-- lane that closes it; in the circles of `lent` and `cross`, a module that is still being loaded is
-- lent.

local lanes = require "lanes"

local modules = {}

local cancel_error = lanes.cancel_error

--- The text in the errors of modules that fail.
modules.PURPOSE = "on purpose \228"

-- Modules that have been loaded in this state, by name; true if they are being loaded. And the name
-- of the latest one.
local here, latest = {}, nil

-- The number of this thread; nil if the system has no such information.
local function thread()
    local file = io.open "/proc/thread-self/stat"
    local number = file and file:read "*n"
    if file then file:close() end
    return number
end

--- Defines a module for this state and the lanes that it launches.
-- @param name its name
-- @param fails nil, or how its loading fails: "text" or "table"
-- @param steps a function, called with the name while the module is loaded
function modules.define(name, fails, steps)
    package.preload[name] = function() return require "random.modules".load(name, fails, steps) end
end

function modules.load(name, fails, steps)
    if here[name] then error(("module '%s' is loaded twice in one state"):format(name), 0) end
    here[name] = true
    local module = { name = name, thread = thread() }
    module.__index = module
    function module.itself() return module end
    local ok, problem = pcall(steps, name)
    if ok and not fails then
        here[name] = module
        latest = name
        return module
    end
    here[name] = nil
    if not ok then error(problem, 0) end
    error(fails == "table" and { modules.PURPOSE } or modules.PURPOSE, 0)
end

--- Raises an error unless this is the module of that name, which this state has loaded on this
--- thread.
-- @return true
function modules.check(module, name)
    if type(module) ~= "table" then error(("module '%s' is a %s"):format(name, type(module))) end
    if module.name ~= name then error(("module '%s' is '%s'"):format(name, tostring(module.name))) end
    if module ~= package.loaded[name] then error(("module '%s' is a copy"):format(name)) end
    if module.thread ~= thread() then error(("module '%s' was loaded on another thread"):format(name)) end
    return true
end

--- The module that was loaded last in this state, or nil.
function modules.latest()
    return here[latest]
end

-- Ways in which a lane gets a module: each launches a lane, with these options, that checks it.
local ways = {}

function ways.body(name, options)
    return lanes.gen("*", options, function() return require "random.modules".check(require(name), name) end)()
end

function ways.required(name, options)
    options.required = { name }
    return lanes.gen("*", options, function() return require "random.modules".check(package.loaded[name], name) end)()
end

function ways.upvalue(name, options)
    local module = require(name)
    return lanes.gen("*", options, function() return require "random.modules".check(module, name) end)()
end

function ways.argument(name, options)
    return lanes.gen("*", options, function(value)
        return require "random.modules".check(value.module, name) and require "random.modules".check(value.module, name)
    end)({ module = require(name) })
end

function ways.global(name, options)
    options.globals = { given = require(name) }
    return lanes.gen("*", options, function() return require "random.modules".check(given, name) end)() -- luacheck: ignore given
end

function ways.metatable(name, options)
    local object = setmetatable({}, require(name))
    return lanes.gen("*", options, function() return require "random.modules".check(getmetatable(object), name) end)()
end

-- The body refers to a function of the module, so the module is transferred with it.
ways["function"] = function(name, options)
    local itself = require(name).itself
    return lanes.gen("*", options, function() return require "random.modules".check(itself(), name) end)()
end

function ways.linda(name, options)
    local linda = lanes.linda()
    linda:set("module", require(name)) -- which a lane that is asked to stop can do, too
    return lanes.gen("*", options, function()
        return require "random.modules".check(select(2, linda:receive "module"), name)
    end)()
end

-- Ways to wait for the end of a lane: each returns its result, or nil and its error.
local waits = {}

function waits.join(handle)
    return handle:join()
end

function waits.index(handle)
    local answer = handle[1]
    return answer, handle[-1]
end

function waits.cancel(handle)
    handle:cancel("soft", math.huge)
    return handle:join()
end

local function expect_true(name, way, answer, problem)
    if answer ~= true then
        error(("module '%s' by %s: %s, %s"):format(name, way, tostring(answer), tostring(problem)), 0)
    end
end

-- Launches a lane and waits for its end.
local function launched(name, way, stack)
    return ways[way](name, { stack_size = stack })
end

--- Requires a module here.
function modules.own(name)
    modules.check(require(name), name)
end

--- Launches a lane that gets a module, and waits for it.
-- @param name of the module
-- @param way by which the lane gets it, a key of `ways`
-- @param stack nil, or the size of the lane's stack in bytes
function modules.use(name, way, stack)
    expect_true(name, way, waits.join(launched(name, way, stack)))
end

--- As `use`, with several lanes at once, one for each way.
function modules.several(name, some, stack)
    local handles = {}
    for i, way in ipairs(some) do handles[i] = launched(name, way, stack) end
    for i, way in ipairs(some) do expect_true(name, way, waits.join(handles[i])) end
end

--- A lane requires a module and then sends a message.
function modules.told(name)
    local linda = lanes.linda()
    lanes.gen("*", function()
        local ok, problem = pcall(require, name)
        linda:send("told", ok, ok or tostring(problem))
    end)()
    local key, ok, problem = linda:receive(linda.batched, "told", 2)
    if key == cancel_error then return end
    expect_true(name, "linda", ok, problem)
end

-- Whether an error is the one of a module that fails.
local function on_purpose(problem)
    if problem == cancel_error then error(problem, 0) end
    local text = type(problem) == "table" and problem[1] or problem
    -- 5.1 reports a failure only the first time.
    local again = not package.searchers and tostring(text):find("loop or previous error", 1, true)
    return text == modules.PURPOSE or again ~= nil and again ~= false
end

--- A module that fails.
-- @param name of the module @param way how it is loaded: "own", or "body" or "required" of a lane
function modules.fails(name, way)
    local ok, problem
    if way == "own" then
        ok, problem = pcall(require, name)
    elseif way == "required" then
        ok, problem = pcall(ways.required, name, {})
    else
        ok, problem = waits.join(ways.body(name, {}))
    end
    if ok or not on_purpose(problem) then
        error(("module '%s' by %s does not fail as it should: %s, %s"):format(name, way, tostring(ok), tostring(problem)), 0)
    end
end

--- A lane requires the module that is being loaded here, which waits for the lane.
-- @param name of the module
-- @param wait how this one waits, a key of `waits`
function modules.circle(name, wait)
    local handle = lanes.gen("*", function()
        local ok, problem = pcall(require, name)
        if problem == require "lanes".cancel_error then error(problem, 0) end
        return false, ok or problem
    end)()
    waits[wait](handle)
    local ok, problem = handle:join()
    local text = tostring(problem)
    local expected = text:find("module '" .. name .. "' cannot be loaded: ", 1, true) and text:find("is loading it and waits for", 1, true)
    if ok ~= false or not expected then
        error(("module '%s' should have been refused: %s, %s"):format(name, tostring(ok), text), 0)
    end
end

-- The name of a module whose presence in a lane means: its modules launch no more lanes that load
-- them.
local LAST = "random.last"
package.preload[LAST] = function() return true end

local function last_is_required(name)
    return lanes.gen("*", { required = { LAST, name } }, function()
        return require "random.modules".check(package.loaded[name], name)
    end)()
end

--- A lane that requires the module that is being loaded here, while it is launched: it is lent the
--- module.
function modules.lent(name)
    if not package.loaded[LAST] then expect_true(name, "lending", waits.join(last_is_required(name))) end
end

--- A lane that requires the module that is being loaded here, which does not wait for it.
function modules.left(name)
    if package.loaded[LAST] then return end
    lanes.gen("*", { required = { LAST } }, function() return require "random.modules".check(require(name), name) end)()
end

--- Two lanes load two modules that require each other: each is lent the other's.
-- @param one, other names of modules that no other step uses
-- @param linda by which they wait for each other; a lane that is ended half way cancels it
function modules.cross(one, other, linda)
    local generator = lanes.gen("*", function(first, second)
        package.preload[first] = function()
            linda:send(first, true)
            linda:receive(second)
            return (require(second))
        end
        package.preload[second] = function() return second end
        return require(first) == second
    end)
    local handles = { generator(one, other), generator(other, one) }
    for i, name in ipairs { one, other } do expect_true(name, "lending", waits.join(handles[i])) end
end

return modules
