-- Section I: making lindas.
local lanes = require "lanes".configure { nb_user_keepers = 2 }
print(tostring(lanes.linda { name = "jobs", group = 1 })) --> Linda: jobs
print(lanes.linda { name = "jobs", group = 2 } .. "!") --> Linda: jobs!
print(tostring(lanes.linda { name = "auto", group = 0 }):match "%.lua:%d+$" ~= nil or "by place") --> by place
local before = pcall(lanes.linda, 5) or pcall(lanes.linda, "name") or pcall(lanes.linda, { name = 5, group = 1 })
print(before, (pcall(lanes.linda, { group = 3 }))) --> false false
print(getmetatable(lanes.linda()), type(lanes.linda():deep())) --> Linda userdata
local calls = 0
local linda = lanes.linda { group = 1, wake_period = "never", close_handler = function() calls = calls + 1 end }
local scope = (loadstring or load)(_VERSION >= "Lua 5.4" and "local linda <close> = ..." or "")
if scope then scope(linda) end
print(calls == (_VERSION >= "Lua 5.4" and 1 or 0)) --> true
