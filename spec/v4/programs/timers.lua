-- Section K: timers, sleep, locks and the clock.
local lanes = require "lanes".configure { with_timers = true }
local linda = lanes.linda()
lanes.timer(linda, "tick", 0.001, 0.001)
print((linda:receive "tick")) --> tick
print(#lanes.timers()) --> 1
lanes.timer(linda, "tick", nil)
print(lanes.sleep(0.001)) --> nil timeout
print(pcall(lanes.sleep, false) == false, pcall(lanes.sleep, -1) == false) --> true true
local lane = lanes.gen("*", function() return select(2, require "lanes".sleep()) == require "lanes".cancel_error end)()
while lane.status ~= "waiting" do lanes.sleep(0.001) end
lane:cancel("soft", nil, true)
print(lane:join()) --> true true
local lock, add = lanes.genlock(linda, "lock", 2), lanes.genatomic(linda, "sum", 40)
print(lock(2), lock(1, "try"), lock(-2), add(1) == 41, add() == 42) --> true false true true true
print(math.abs(lanes.now_secs() - os.time()) < 5) --> true
