-- Decodes messages with randomly changed bytes: program.lua FIRST-SEED CASES. Each gives values or
-- a clear error, takes no more memory than such a message may, and leaves a working state.
-- spec/decoder_spec.lua runs it in a separate interpreter.
local lanes = require "lanes".configure()
local decode_mutated = require "lanes_core".hooks.decode_mutated
local first, cases = tonumber(arg[1]), tonumber(arg[2])

local has_module, deep_test = pcall(require, "deep_test")

local unpack = table.unpack or unpack

-- KiB that a decoded message may take; the message itself has a few KiB.
local LIMIT = 4096

-- A random number generator, so that a seed gives the same numbers on every Lua.
local state
local function random(low, high)
    state = (state * 16807 + 12345) % 2147483647
    return low + math.floor(state / 2147483647 * (high - low + 1))
end

local class = { name = "class" }
class.__index = class
function class:method() return self, class.name end

-- Modules that are known by name but cannot be required.
local module = { class = {}, value = 1 }
module.__index = module
module.class.__index = module.class
package.loaded.decoder_module = module
package.loaded.decoder_refused = { thread = coroutine.create(function() end) }

-- Userdata whose metatable has no name, or one in the registry.
local nameless, registered = { __lanesclone = function() end }, { __lanesclone = function() end }
debug.getregistry()["decoder.registered"] = registered
local function userdata(metatable)
    local made = newproxy and newproxy() or io.tmpfile()
    debug.setmetatable(made, metatable)
    return made
end
local one, two, three = userdata(nameless), userdata(nameless), userdata(registered)

local linda = lanes.linda "decoder"
-- The number of clonable userdata made here.
local originals = 0
local shared = { "shared" }

-- Every construct of the format at least once.
local makers = {
    function() return nil end,
    function() return random(0, 1) == 1 end,
    function() return random(-1000, 1000) end,
    function() return random(-1000, 1000) / 8 end,
    function() return ("s"):rep(random(0, 40)) end,
    function() return ("l"):rep(random(250, 1000)) end,
    function() return lanes.null end,
    function() return linda end,
    function() return { linda, linda, lanes.linda() } end,
    function() return string.rep end,
    function() return { math, string.format, io.write } end,
    function() return shared end,
    function() return { shared, { shared } } end,
    function()
        local t = {}
        for i = 1, random(1, 30) do t[i] = random(1, 2) == 1 and i or i + 0.5 end
        return t
    end,
    function() return { x = 1, y = { z = "z", [1.5] = true }, [lanes.null] = "null", [-1] = false } end,
    function()
        local t = { "bottom" }
        for _ = 1, random(1, 150) do t = { t } end
        return t
    end,
    function()
        local t = {}
        t.self, t[1] = t, t
        return t
    end,
    function() return setmetatable({ "object" }, class) end,
    function() return { class, setmetatable({}, class) } end,
    function() return { module, setmetatable({ module }, module), setmetatable({}, module.class) } end,
    function() return { setmetatable({}, package.loaded.decoder_refused), package.loaded.decoder_refused } end,
    function() return { one, two, three } end,
    function() return setmetatable({ 1 }, { __index = { fresh = { linda } } }) end,
    function()
        local t = setmetatable({}, { __call = "call" })
        getmetatable(t).back = t
        return { t, getmetatable(t) }
    end,
    function()
        local x, object = random(1, 100), setmetatable({ linda }, class)
        return function() return x, object, class end
    end,
    function()
        local n, text = 0, ("t"):rep(random(0, 300))
        return { function() n = n + 1 end, function() return n, text, string end }
    end,
    function()
        local f
        f = function() return f, print end
        for _ = 1, random(0, 100) do
            local inner = f
            f = function() return inner end
        end
        return f
    end,
}

if has_module then
    local function clonable(text)
        originals = originals + 1
        return deep_test.new_clonable(text)
    end
    makers[#makers + 1] = function() return clonable "text" end
    makers[#makers + 1] = function()
        local copied = clonable "other"
        return { copied, { copied }, clonable "third" }
    end
    local object = deep_test.new(1, 1)
    makers[#makers + 1] = function()
        object:set_user_value(1, { random(1, 100), { "user value" } })
        return { object, deep_test.new(2, 1) }
    end
end

local getmetatable_of = debug.getmetatable

-- Visits everything in a value.
local function visit(root)
    local seen, list = { [_G] = true, [package.loaded] = true }, { root }
    local function see(value)
        local kind = type(value)
        if kind == "string" then
            assert(#value >= 0 and value .. "" == value)
        elseif kind == "number" then
            assert(value ~= value or value - value == 0 or value == 1 / 0 or value == -1 / 0)
        elseif kind ~= "nil" and kind ~= "boolean" and not seen[value] then
            seen[value] = true
            list[#list + 1] = value
        end
    end
    see(root)
    local i = 1
    while list[i] do
        local value = list[i]
        i = i + 1
        local kind = type(value)
        see(getmetatable_of(value))
        if kind == "table" then
            for k, v in next, value do
                see(k)
                see(v)
            end
        elseif kind == "function" then
            local n = 1
            while true do
                local name, upvalue = debug.getupvalue(value, n)
                if not name then break end
                see(upvalue)
                n = n + 1
            end
        elseif kind == "userdata" then
            tostring(value)
            if debug.getuservalue then see((debug.getuservalue(value, 1))) end
        end
    end
end

local values_of, errors, decoded = {}, 0, 0
for seed = first, first + cases - 1 do
    state = seed % 2147483647
    local count = random(1, 4)
    for i = 1, count do values_of[i] = makers[random(1, #makers)]() end
    collectgarbage "stop"
    local before = collectgarbage "count"
    local results = { pcall(decode_mutated, seed, unpack(values_of, 1, count)) }
    local grown = collectgarbage "count" - before
    collectgarbage "restart"
    if grown > LIMIT then error(("seed %d: it took %.0f KiB"):format(seed, grown)) end
    if results[1] then
        decoded = decoded + 1
        visit(results)
    else
        errors = errors + 1
        local problem = results[2]
        if type(problem) ~= "string" or problem == "" or problem:find("memory", 1, true) or problem:find("panic", 1, true) then
            error(("seed %d: the error is %s"):format(seed, tostring(problem)))
        end
    end
    if seed % 100 == 0 then collectgarbage() end
end

-- Checks that everything works. (Only metatables that were in changed messages may have changed.)
local fresh = {}
fresh.__index = fresh
function fresh:method() return self end
linda:send("key", { setmetatable({ "value" }, fresh), function() return shared[1] end })
local _, value = linda:receive(0, "key")
assert(value[1]:method() == value[1] and value[1][1] == "value" and value[2]() == "shared")
assert(lanes.gen("*", function(x) return { x } end)(42)[1][1] == 42)
if has_module then
    values_of = nil -- luacheck: ignore
    for _ = 1, 4 do collectgarbage() end
    local counts = deep_test.counts()
    assert(counts.clones_freed <= counts.clones + originals, "a block was freed twice")
    assert(counts.deleted <= counts.made, "an object was deleted twice")
end
print(("%d decoded, %d refused"):format(decoded, errors))
