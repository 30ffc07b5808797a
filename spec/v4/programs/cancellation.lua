-- Section F: requests to lanes, and the cancellation of lindas.
local lanes = require "lanes".configure()
local linda = lanes.linda()
local function launched(body)
    local lane = lanes.gen("*", body)(linda)
    while lane.status ~= "waiting" do lanes.sleep(0.001) end
    return lane
end
local lane = launched(function(from) from:receive "never" end)
print(lane:cancel("soft", 0)) --> false timeout
print(lane:cancel()) --> true cancelled
print(lane.status, select("#", lane:join())) --> cancelled 2
lane = launched(function(from) return select(2, from:receive "never") == require "lanes".cancel_error end)
lane:cancel("soft", 0)
linda:wake "read"
print(lane:join()) --> true true
lane = launched(function(from) return select(2, from:receive "never") == require "lanes".cancel_error, cancel_test() end)
linda:cancel()
print(lane:join()) --> true true false
print(linda.status, (select("#", linda:send("slot", 1)))) --> cancelled 2
linda:cancel "none"
print(linda.status, linda:send("slot", 1)) --> active true
lane = lanes.gen("*", function()
    if jit then jit.off() end
    while true do end
end)()
print(lane:cancel("count", 100)) --> true cancelled
print(pcall(lane.cancel, lane, "nonsense") == false, pcall(lane.cancel, lane, "count") == false) --> true true
