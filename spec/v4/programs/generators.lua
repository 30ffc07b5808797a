-- Section C: the arguments and options of generators.
local lanes = require "lanes".configure()
local function fails(...)
    local fine, problem = pcall(lanes.gen, ...)
    print(fine, (problem:gsub("^[^:]*:%d+: ", ""):gsub(" %(libraries .*", "")))
end
fails() --> false No arguments!
fails("base,base", print) --> false Libs specification contains "base" more than once
fails("*,io", print) --> false Libs specification '*' must be used alone
fails("nonsense?", print) --> false Bad library name: "nonsense"
fails({ priority = 1, native_priority = 1 }, print) --> false priority and native_priority cannot be specified together
fails("base", 5) --> false Last argument not function or string: number "5"
local options = { name = "worker", error_trace_level = "basic", globals = { answer = 42 }, required = { "string" } }
local lane = lanes.gen("base,string,package", "bit32?", options, function(...) return answer, string.rep("x", 3), ... end)(1, nil) -- luacheck: ignore
print(lane:join()) --> true 42 xxx 1 nil
print(lane:get_threadname(), lane.error_trace_level) --> worker basic
print(lanes.gen("return ...")("text"):join()) --> true text
print(pcall(lanes.gen "this is no Lua") == false) --> true
print(lanes.gen({ name = "auto" }, function() end)():get_threadname():match "%.lua:%d+$" or "by name") --> by name
