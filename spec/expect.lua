-- Waits of the specs for lanes that must end and values that must arrive.
local support = require "support"
local pack = support.pack
local unpack = table.unpack or unpack

local expect = {}

-- Seconds after which a wait counts as hanging.
local endless = support.LIMIT

--- Waits until a lane has ended. Raises an error if it failed, was cancelled or does not end.
-- @return the lane's results
function expect.finished(lane)
    local results = pack(lane:join(endless))
    if results.n == 2 and results[1] == nil and results[2] == "timeout" then
        error("the lane did not end, its status is " .. lane.status, 2)
    end
    if lane.status ~= "done" then
        error(("the lane ended as %s: %s"):format(lane.status, tostring(results[2])), 2)
    end
    return unpack(results, 1, results.n)
end

--- Waits until a lane has ended, in any way.
function expect.ended(lane)
    local deadline = os.time() + endless
    repeat
        local status = lane.status
        if status == "done" or status == "error" or status == "cancelled" then return status end
    until os.time() > deadline
    error("the lane did not end, its status is " .. lane.status, 2)
end

--- Runs body(...) in a lane with all libraries.
-- @return the lane's results
function expect.in_lane(body, ...)
    return expect.finished(require "lanes".gen("*", body)(...))
end

--- Receives from a linda; waits without limit.
-- @return the value
function expect.received(linda, key)
    local found, value = linda:receive(endless, key)
    if found ~= key then
        error("nothing came for key " .. tostring(key) .. ", but " .. tostring(found), 2)
    end
    return value
end

return expect
