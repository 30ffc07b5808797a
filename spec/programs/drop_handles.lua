-- Lanes without handles: they still do their work, and those that never end do not
-- keep the program from ending.
-- usage: drop_handles.lua COUNT. Prints the number of lanes that reported.
local lanes = require "lanes".configure()

local count = tonumber((...))

local linda = lanes.linda "reports"

local report = lanes.gen("*", function(number)
    linda:send("reports", number)
end)

local fail = lanes.gen("*", function(number)
    linda:send("failing", number)
    error("nobody reads this " .. number)
end)

local wait_for_ever = lanes.gen("*", function()
    linda:send("waiting", true)
    linda:receive("nothing comes here")
end)

local poll_for_ever = lanes.gen("*", function()
    linda:send("waiting", true)
    while not cancel_test() do linda:get("nothing comes here") end
end)

local seen, reported, failed = {}, 0, 0
for number = 1, count do
    report(number)
    if number % 10 == 0 then fail(number) end
    if number % 50 == 0 then collectgarbage() end
    if number % 20 == 0 then
        -- Not too far ahead of the lanes: each is a thread.
        while reported < number do
            local _, got = linda:receive(60, "reports")
            if seen[got] then error("reported twice: " .. got) end
            seen[got], reported = true, reported + 1
        end
        while failed < math.floor(number / 10) do
            linda:receive(60, "failing")
            failed = failed + 1
        end
    end
end
while reported < count do
    local _, got = linda:receive(60, "reports")
    if seen[got] then error("reported twice: " .. got) end
    seen[got], reported = true, reported + 1
end

for _ = 1, 5 do
    wait_for_ever()
    poll_for_ever()
end
for _ = 1, 10 do linda:receive(60, "waiting") end
collectgarbage()
print(("%d reported, %d failed"):format(reported, failed))
