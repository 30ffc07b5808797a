-- Section D: handles.
local lanes = require "lanes".configure()
local lane = lanes.gen("*", function(...) return ..., "more" end)(1)
print(lane:join()) --> true 1 more
print(lane:join()) --> true 1 more
print(lane[0], lane[1], lane[2], lane[3], lane[-1], lane.status) --> 2 1 more nil nil done
lane = lanes.gen("*", { error_trace_level = "basic" }, function() error("text", 0) end)()
local fine, problem, trace = lane:join()
print(fine, problem, type(trace), lane[-1], lane.status) --> nil text table text error
print(pcall(function() return lane[1] end) == false) --> true
lane = lanes.gen("*", function() error(require "lanes".cancel_error) end)()
fine, problem = lane:join()
print(fine, problem == lanes.cancel_error, lane.status, lane[0], lane[2] == lanes.cancel_error) --> nil true cancelled 2 true
print(select(2, pcall(function() return lane.nonsense end)):match "unknown field 'nonsense'") --> unknown field 'nonsense'
print(pcall(lane.join, lane, -1) == false, getmetatable(lane)) --> true Lane
