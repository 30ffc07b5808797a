-- Section H: what travels.
local lanes = require "lanes".configure { convert_max_attempts = 2 }
local linda = lanes.linda()
local function through(...)
    linda:send("slot", ...)
    return select(2, linda:receive "slot")
end
local key = {}
local value = through { [key] = key, list = { 1, 2.5, "text", true } }
local found = next(value) ~= "list" and next(value) or next(value, "list")
print(type(found), value[found] == found, #value.list) --> table true 4
local object = setmetatable({}, { __lanesconvert = function(_, where) return where end })
print(through(object), lanes.gen(function(x) return x end)(object):join()) --> keeper true regular
print(type(through(setmetatable({}, { __lanesconvert = "decay" })))) --> userdata
print(through(setmetatable({}, { __lanesconvert = lanes.null }))) --> nil
local twice = setmetatable({}, { __lanesconvert = function() return object end })
print(through(twice)) --> keeper
local never = setmetatable({}, {})
getmetatable(never).__lanesconvert = function() return never end
print(select(2, pcall(linda.send, linda, "slot", never)):match "more than 2 conversion attempts") --> more than 2 conversion attempts
print(through(string.rep) == string.rep, through(linda) == linda) --> true true
print(pcall(linda.send, linda, "slot", coroutine.create(function() end)) == false) --> true
