--- Limits the processor time of tasks of a pool's worker (docs/manual/pools.md#time_limit).

local core = require "lanes_core"

-- Instructions between two checks of the clock.
local INTERVAL = 10000

--- Limits each task of the calling state to this many seconds of processor time; called once,
--- before the first task.
-- @param seconds the maximum processor time of a task
-- @return a function that begins a new task
return function(seconds)
    local clock, sethook = core.cpu_time, debug.sethook
    local finish = clock() + seconds
    local function check()
        if clock() > finish then
            finish = clock() + seconds
            error("time limit exceeded", 2)
        end
    end
    sethook(check, "", INTERVAL)
    local jit = rawget(_G, "jit")
    if jit then
        -- Compiled loops do not check hooks.
        jit.off()
    end
    if coroutine then
        -- A hook belongs to one coroutine, on LuaJIT to all coroutines.
        local create = coroutine.create
        if not jit then
            rawset(coroutine, "create", function(f)
                local co = create(f)
                sethook(co, check, "", INTERVAL)
                return co
            end)
        end
    end
    return function()
        finish = clock() + seconds
    end
end
