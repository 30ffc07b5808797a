-- Section G: the functions that every lane has.
local lanes = require "lanes".configure()
local linda = lanes.linda()
local lane = lanes.gen({ name = "before" }, function(to)
    set_finalizer(function() to:send("order", "first") end)
    set_finalizer(function() to:send("order", "last") end)
    local name = lane_threadname()
    lane_threadname "after"
    return name, lane_threadname(), cancel_test()
end)(linda)
print(lane:join()) --> true before after false
print(lane:get_threadname()) --> after
print(linda:receive_batched("order", 2)) --> order last first
lane = lanes.gen("base", function(to)
    set_finalizer(function(...) to:send("arguments", select("#", ...), (...)) end)
    error("text", 0)
end)(linda)
print(lane:join()) --> nil text
print(linda:receive_batched("arguments", 2)) --> arguments 1 text
lane = lanes.gen("base", function() set_finalizer(function() error("instead", 0) end) end)()
print(lane:join()) --> nil instead
