--- Progress of long calls: a bar on a terminal, or a function of the program
--- (docs/manual/pools.md#options-of-a-map).

local lanes = require "lanes"
local core = require "lanes_core"

local progress = {}

-- Seconds between two calls.
local INTERVAL = 0.1

-- Characters of the bar.
local WIDTH = 40

--- Draws a bar on standard error if that is a terminal; does nothing elsewhere.
-- @param done the number of items done
-- @param total the number of all items; nil if it is not known
function progress.bar(done, total)
    if not core.is_terminal() then
        return
    end
    if not total then
        io.stderr:write(("\r%d"):format(done))
        return
    end
    local share = total == 0 and 1 or done / total
    local filled = math.floor(share * WIDTH)
    io.stderr:write(("\r[%s%s] %3d %% (%d of %d)%s"):format(("#"):rep(filled), (" "):rep(WIDTH - filled), math.floor(share * 100), done,
        total, done == total and "\n" or ""))
end

local function nothing() end

--- Makes the function that reports the progress of a call.
-- @param wanted true: the bar; a function: `wanted(done, total)`; else nothing
-- @return function(done, total, at_end), to be called often: calls `wanted` at most ten times a
--   second, and at the end
function progress.new(wanted)
    if not wanted then
        return nothing
    end
    local show = wanted == true and progress.bar or wanted
    local last = lanes.now_secs()
    local shown
    return function(done, total, at_end)
        local now = lanes.now_secs()
        if at_end and shown ~= done or now - last >= INTERVAL and done ~= total then
            last, shown = now, done
            show(done, total)
        end
    end
end

return progress
