-- A pool of workers that reply to requests: each request names a key, used once, for its reply.
-- usage: worker_pool.lua COUNT. Prints the number of right replies and the values left in the
-- linda.
local lanes = require "lanes".configure()

local count = tonumber((...))
local workers, outstanding = 3, 16

local linda = lanes.linda "pool"

local function worker()
    while true do
        local _, request = linda:receive("requests")
        if request.stop then return "stopped" end
        local ok, result = pcall(function()
            if request.value % 10 == 0 then error({ code = "multiple of ten", value = request.value }) end
            return { double = request.value * 2, text = tostring(request.value):rep(3) }
        end)
        linda:send(request.reply, { ok = ok, result = result })
    end
end

local pool = {}
for i = 1, workers do pool[i] = lanes.gen("*", worker)() end

local right, serial = 0, 0

local function ask(value)
    serial = serial + 1
    local reply = "reply " .. serial
    linda:send("requests", { value = value, reply = reply })
    return { value = value, key = reply }
end

local function await(request)
    local _, answer = linda:receive(60, request.key)
    linda:set(request.key) -- makes the key unknown again
    if not answer then error("no reply for " .. request.value) end
    local result, value = answer.result, request.value
    if answer.ok then
        if result.double == 2 * value and result.text == tostring(value):rep(3) and value % 10 ~= 0 then
            right = right + 1
        end
    elseif result.code == "multiple of ten" and result.value == value then
        right = right + 1
    end
end

local waiting, first = {}, 1
for value = 1, count do
    waiting[#waiting + 1] = ask(value)
    if #waiting - first >= outstanding then
        await(waiting[first])
        first = first + 1
    end
end
for i = first, #waiting do await(waiting[i]) end

for _ = 1, workers do linda:send("requests", { stop = true }) end
for _, lane in ipairs(pool) do
    if lane[1] ~= "stopped" then error("a worker ended by " .. tostring(lane[1])) end
end

local left = {}
for key, number in pairs(linda:count()) do left[#left + 1] = tostring(key) .. "=" .. number end
print(("%d right replies, left: %s"):format(right, table.concat(left, " ")))
