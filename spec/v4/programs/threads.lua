-- Section L: priorities, tracking, names.
local lanes = require "lanes".configure { track_lanes = true }
local least, most = lanes.thread_priority_range()
print(least <= 0 and most >= 0, select("#", lanes.thread_priority_range "native")) --> true 2
lanes.set_thread_priority(0)
print(pcall(lanes.set_thread_priority, most + 1) == false, pcall(lanes.set_thread_affinity, 0) == false) --> true true
print(select("#", lanes.threads())) --> 0
local lane = lanes.gen("*", { name = "tracked" }, function() require "lanes".sleep() end)()
while lane.status ~= "waiting" do lanes.sleep(0.001) end
print(#lanes.threads(), lanes.threads()[1].name, lanes.threads()[1].status) --> 1 tracked waiting
lane:cancel()
print(lanes.nameof(string.sub)) --> function _G/string[]/sub()
print(lanes.nameof(5)) --> number 5
print(pcall(lanes.nameof) == false, select("#", lanes.collectgarbage())) --> true 0
