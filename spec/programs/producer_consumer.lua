-- Producers and consumers connected by a slot with a limit, so that neither side gets far ahead.
-- usage: producer_consumer.lua COUNT. Prints the number of goods on each side, their sum, and the
-- maximum count of the slot.
local lanes = require "lanes".configure()

local count = tonumber((...))
local producers, consumers, limit = 3, 2, 10

local linda = lanes.linda "shop"
linda:limit("goods", limit)

local function produce(id)
    local sum = 0
    for number = 1, count do
        linda:send("goods", { producer = id, number = number, label = "good " .. number })
        sum = sum + number
    end
    return sum
end

local function consume()
    local seen, sum, latest = 0, 0, {}
    while true do
        local _, good = linda:receive("goods")
        if good == "closed" then return seen, sum end
        if good.label ~= "good " .. good.number then error "wrong label" end
        if good.number <= (latest[good.producer] or 0) then error "out of order" end
        latest[good.producer] = good.number
        seen, sum = seen + 1, sum + good.number
    end
end

local fullest = 0
local producing, consuming = {}, {}
for i = 1, producers do producing[i] = lanes.gen("*", produce)(i) end
for i = 1, consumers do consuming[i] = lanes.gen("*", consume)() end

local sent = 0
for _, lane in ipairs(producing) do
    while lane.status ~= "done" and lane.status ~= "error" do
        fullest = math.max(fullest, linda:count("goods"))
        lanes.sleep(0.0005)
    end
    sent = sent + lane[1]
end
for _ = 1, consumers do linda:send("goods", "closed") end

local seen, received = 0, 0
for _, lane in ipairs(consuming) do
    seen, received = seen + lane[1], received + lane[2]
end
if sent ~= received then error("sent " .. sent .. ", received " .. received) end
if fullest > limit then error("the slot held " .. fullest) end
print(("%d goods, sum %.0f, left %d"):format(seen, received, linda:count("goods")))
