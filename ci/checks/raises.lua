-- Finds stack frames that own something and that a Lua error can pass through: raises.lua FILE, the library as LLVM's text.
--
-- The compiler gives a call that may unwind a landing pad if its frame has something to drop, and none otherwise. An error of
-- PUC Lua skips landing pads: what they would have dropped leaks, and a lock stays locked. So a function of Lua that can
-- raise, and a function of the library that calls one outside a lua_pcall of its own, may be called only without a landing pad.

-- Functions of Lua that do not raise: they allocate nothing and call nothing. Functions missing here raise.
local QUIET = {}
for name in ([[
    absindex atpanic checkstack close copy cpcall getallocf gethook gethookcount gethookmask getinfo getiuservalue getmetatable
    getstack gettop getupvalue getuservalue getfenv insert iscfunction isinteger isnumber isstring newstate objlen pcall pcallk
    pushboolean pushinteger pushlightuserdata pushnil pushnumber pushthread pushvalue rawequal rawget rawgeti rawlen remove replace
    resetthread resume rotate setallocf sethook setlevel setmetatable settop setupvalue setuservalue setiuservalue setwarnf status toboolean
    tocfunction tointeger tointegerx tonumber tonumberx topointer tothread touserdata type typename upvalueid upvaluejoin xmove
]]):gmatch "%w+" do
    QUIET["lua_" .. name] = true
end
QUIET.luaL_newstate = true
-- These raise only under conditions that our calls exclude: closing the running coroutine (5.5); a number as argument; a key that is
-- missing from the table; in a step of a collection.
QUIET.lua_closethread, QUIET.lua_tolstring, QUIET.lua_next, QUIET.lua_gc = true, true, true, true

-- Pushing a function without upvalues allocates in 5.1 and LuaJIT only. The library's own Lua runs this script.
local LIGHT_FUNCTIONS = _VERSION ~= "Lua 5.1"

local path = assert(arg[1], "which file? usage: raises.lua FILE")

-- name -> calls: { name, line, pad (whether it has a landing pad) }
local functions = {}

local function called(line)
    return line:match '@"([^"]+)"%(' or line:match "@([%w_.$]+)%("
end

do
    local calls
    for line in assert(io.open(path)):lines() do
        if line:find "^define " then
            calls = {}
            functions[called(line)] = calls
        elseif line == "}" then
            calls = nil
        elseif calls then
            local instruction = line:match "^%s+%%[^=]+=%s*(.*)" or line
            local name = instruction:find "^[%s%w]*call " and called(line)
            if instruction:find "^%s*invoke " then
                -- The target of a call through a pointer is unknown.
                calls[#calls + 1] = { name = called(line) or "", line = line, pad = true }
            elseif name then
                calls[#calls + 1] = { name = name, line = line }
            end
        end
    end
end

-- Whether the call is of a function of Lua that can raise.
local function raises_itself(call)
    local name = call.name
    if name == "lua_pushcclosure" and LIGHT_FUNCTIONS then return not call.line:find "i32 noundef 0%)" end
    return name:find "^lua[L_]" and not QUIET[name]
end

-- name -> the function through which it raises
local raises = {}
local count = 0
repeat
    local before = count
    for name, calls in pairs(functions) do
        for _, call in ipairs(raises[name] and {} or calls) do
            if raises_itself(call) or raises[call.name] then
                raises[name] = call.name
                count = count + 1
                break
            end
        end
    end
until count == before

-- The Rust path of a symbol, which has the length of each part before it and a number at its end.
local function readable(symbol)
    local rest = symbol:match "^_ZN(.*)17h%x+E$"
    if not rest then return symbol end
    local parts = {}
    while rest ~= "" do
        local length, following = rest:match "^(%d+)(.*)"
        parts[#parts + 1] = following:sub(1, length)
        rest = following:sub(length + 1)
    end
    return (table.concat(parts, "::"):gsub("%$LT%$", "<"):gsub("%$GT%$", ">"):gsub("%$u20%$", " "):gsub("%.%.", "::"))
end

local bad = 0
for name, calls in pairs(functions) do
    for _, call in ipairs(calls) do
        if call.pad and (raises_itself(call) or raises[call.name]) then
            bad = bad + 1
            local chain, at = { readable(name) }, call.name
            repeat
                chain[#chain + 1] = readable(at)
                at = raises[at]
            until not at
            print("owns something when it calls what raises: " .. table.concat(chain, "\n    -> "))
        end
    end
end
-- Code inside a lua_pcall has frames of Lua below it, through which nothing may unwind: such code uses `room` of a `Raising`.
local PROTECTED, UNWINDS = "^_ZN10lanes_core3lua7protect3run17h", "^_ZN12lanes_engine6memory4grow13out_of_memory17h"
local protected, unwinds = 0, 0

-- The chain of calls through which a function unwinds; nil if it does not.
local visited = {}
local function unwinding(name)
    if name:find(UNWINDS) then return readable(name) end
    if visited[name] then return nil end
    visited[name] = true
    for _, call in ipairs(functions[name] or {}) do
        local chain = unwinding(call.name)
        if chain then return readable(name) .. "\n    -> " .. chain end
    end
end

for name in pairs(functions) do
    if name:find(UNWINDS) then unwinds = unwinds + 1 end
    if name:find(PROTECTED) then
        protected = protected + 1
        visited = {}
        local chain = unwinding(name)
        if chain then
            bad = bad + 1
            print("can unwind through frames of Lua's: " .. chain)
        end
    end
end

print(("%d functions can raise; %d calls of them would skip a destructor, or unwind where nothing may"):format(count, bad))
-- The library has functions that raise and functions that are known not to: a file without both is not the library.
-- The functions that unwind are in the engine, a separate package: a file without them is the library before it was linked.
assert(count > 100 and protected > 10, "too few functions: is this the library?")
assert(unwinds > 0, "no function " .. UNWINDS .. ": is the engine in it?")
os.exit(bad == 0 and 0 or 1)
