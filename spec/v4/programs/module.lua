-- Section A: what the module of 4.x has beside that of 3.x.
local lanes = require "lanes"
print(lanes.null ~= nil, getmetatable(lanes)) --> true Lanes
local configured = lanes.configure()
print(configured == lanes, lanes.configure { nonsense = true } == lanes) --> true true
print(lanes.ABOUT.version) --> 4.0.1
print(lanes.null == lanes.linda().null) --> true
for _, name in ipairs { "coro", "finally", "collectgarbage", "thread_priority_range" } do
    print(name, type(lanes[name]))
end
--> coro function
--> finally function
--> collectgarbage function
--> thread_priority_range function
