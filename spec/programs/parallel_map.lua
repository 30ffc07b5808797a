-- A parallel map: jobs and results are passed through one linda with integer keys, without
-- timeouts.
-- usage: parallel_map.lua COUNT. Prints the number of results and their sum.
local lanes = require "lanes".configure()

local count = tonumber((...))
local workers = 4
local queue = 0 -- the key of the jobs; the result of job i is under key i

local linda = lanes.linda "map"

local function worker(map)
    while true do
        local _, job = linda:receive(nil, queue)
        if job == false then return end
        linda:send(nil, job.index, map(job.value))
    end
end

local function parallel_map(map, list)
    local running = {}
    for i = 1, workers do running[i] = lanes.gen("*", worker)(map) end
    for index, value in ipairs(list) do linda:send(nil, queue, { index = index, value = value }) end
    local mapped = {}
    for index = 1, #list do
        local key, value = linda:receive(nil, index)
        if key ~= index then error("got key " .. tostring(key) .. " for " .. index) end
        mapped[index] = value
        linda:set(index) -- the slot is no longer needed
    end
    for _ = 1, workers do linda:send(nil, queue, false) end
    for _, lane in ipairs(running) do lane:join() end
    return mapped
end

local numbers = {}
for i = 1, count do numbers[i] = i end
local squares = parallel_map(function(x) return x * x end, numbers)

local sum = 0
for i = 1, count do
    if squares[i] ~= i * i then error("wrong result for " .. i) end
    sum = sum + squares[i]
end
local slots = 0
for key in pairs(linda:count()) do
    if key ~= queue then slots = slots + 1 end
end
print(("%d results, sum %.0f, %d slots left"):format(#squares, sum, slots))
