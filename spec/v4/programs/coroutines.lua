-- Section E: lanes that are coroutines.
local lanes = require "lanes".configure()
local function body(...)
    local got = { ... }
    while got[1] ~= "end" do
        got = { coroutine.yield(#got, got[1]) }
    end
    return "the end"
end
local lane = lanes.coro("*", body)("a", "b", "c")
print(lane:resume("x", "y")) --> 3 a
print(lane:resume()) --> 2 x
print(lane:resume "end") --> 0 nil
print(lane:join()) --> true the end
local _, problem = pcall(lane.resume, lane)
print(problem:match "cannot resume.*") --> cannot resume non-suspended coroutine Lane
lane = lanes.coro("*", body)("given")
print(lane:join()) --> true 1 given
print(lane[0], lane[2], lane.status) --> 2 given done
lane = lanes.coro("*", function()
    coroutine.yield()
    return cancel_test()
end)()
while lane.status ~= "suspended" do lanes.sleep(0.001) end
print(lane:cancel("soft", 0)) --> false timeout
print(lane:cancel("soft", nil, true)) --> true done
print(lane:join()) --> true soft
