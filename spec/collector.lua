-- Settings of this state's garbage collector, for every Lua.

local collector = {}

--- A full collection at each step; the next one starts when memory is `pause` percent of the memory
--- after the last (0: at once).
function collector.eager(pause)
    if _VERSION == "Lua 5.5" then
        collectgarbage "incremental"
        collectgarbage("param", "pause", pause)
        collectgarbage("param", "stepmul", 0) -- without a multiplier a step is a full collection
        return
    end
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", 1000000)
    if _VERSION == "Lua 5.4" then collectgarbage("incremental", 0, 0, 100) end
end

--- Approximately the settings of a new state.
function collector.usual()
    if _VERSION == "Lua 5.5" then
        collectgarbage("param", "pause", 250)
        collectgarbage("param", "stepmul", 200)
        return
    end
    collectgarbage("setpause", 200)
    collectgarbage("setstepmul", 200)
    if _VERSION == "Lua 5.4" then collectgarbage("incremental", 200, 100, 13) end
end

--- Sets only the pause.
function collector.pause(percent)
    if _VERSION == "Lua 5.5" then
        collectgarbage("param", "pause", percent)
    else
        collectgarbage("setpause", percent)
    end
end

return collector
