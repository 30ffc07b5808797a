-- How long waits take, in microseconds: a message to and fro between two lanes, the wake-up of a
-- lane that sleeps, and what timeouts become. Runs wherever `require "lanes"` finds the library.
local lanes = require "lanes"
local now = lanes.now_secs

local function median(list)
    table.sort(list)
    return list[math.ceil(#list / 2)]
end

-- The time of `f()` for each of its `n` steps, in microseconds; the median of 7 runs.
local function measured(n, f)
    local times = {}
    for i = 1, 7 do
        local start = now()
        f()
        times[i] = (now() - start) / n * 1e6
    end
    return median(times)
end

-- Both spin, so neither is asleep when its message comes.
local MESSAGES = 5000
local linda = lanes.linda()
local echo = lanes.gen("*", function()
    while true do
        local _, x = linda:receive "there"
        linda:send("back", x)
    end
end)()
print(("a message to and fro: %.2f us"):format(measured(MESSAGES, function()
    for i = 1, MESSAGES do
        linda:send("there", i)
        linda:receive "back"
    end
end)))
echo:cancel("hard", 1)

-- So many lanes have one message each in turn that all of them sleep.
local SLEEPERS, ROUNDS = 50, 20
local sleepers = {}
for i = 1, SLEEPERS do
    sleepers[i] = lanes.gen("*", function()
        while true do
            linda:receive("sleeper " .. i)
            linda:send("done", true)
        end
    end)()
end
print(("a wake-up, with %d asleep: %.2f us"):format(SLEEPERS, measured(SLEEPERS * ROUNDS, function()
    for _ = 1, ROUNDS do
        for i = 1, SLEEPERS do linda:send("sleeper " .. i, true) end
        for _ = 1, SLEEPERS do linda:receive "done" end
    end
end)))
for _, sleeper in ipairs(sleepers) do sleeper:cancel("hard", 1) end

for _, timeout in ipairs { 50, 500, 1500, 5000 } do
    local times = {}
    for i = 1, 40 do
        local start = now()
        linda:receive(timeout / 1e6, "nothing")
        times[i] = (now() - start) * 1e6
    end
    print(("a timeout of %d us: %.0f us (the shortest: %.0f)"):format(timeout, median(times), times[1]))
end
