-- A polling scheduler: many lanes read and write shared slots with get and set, and pause by
-- receives with short timeouts.
-- usage: scheduler.lua COUNT. Prints the number of turns, and the fewest and the most turns of a
-- lane.
local lanes = require "lanes".configure()

local count = tonumber((...))
local members = 8

local linda = lanes.linda "schedule"

local function member(id)
    local turns = 0
    while true do
        local key = linda:receive(0.0001, "stop")
        if key then return turns end
        local turn = linda:get("turn")
        if turn.whose == id and turn.number < count then
            turns = turns + 1
            linda:set("done by " .. id, turns)
            linda:set("turn", { whose = id % members + 1, number = turn.number + 1 })
        end
    end
end

linda:set("turn", { whose = 1, number = 0 })
local running = {}
for id = 1, members do running[id] = lanes.gen("*", member)(id) end

while linda:get("turn").number < count do
    if linda:receive(0.0001, "nothing comes here") then error "something came" end
end
for _ = 1, members do linda:send("stop", true) end

local total, fewest, most = 0, math.huge, 0
for id, lane in ipairs(running) do
    local turns = lane[1]
    if (linda:get("done by " .. id) or 0) ~= turns then error "the shared state disagrees with the lane" end
    total, fewest, most = total + turns, math.min(fewest, turns), math.max(most, turns)
end
print(("%d turns, fewest %d, most %d"):format(total, fewest, most))
