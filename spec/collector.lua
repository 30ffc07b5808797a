-- How eagerly the collector of this state works, on every Lua.

local collector = {}

--- A whole collection at each step, and the next one when memory is `pause` percent of what the last one left (0: at once).
function collector.eager(pause)
    if _VERSION == "Lua 5.5" then
        collectgarbage "incremental"
        collectgarbage("param", "pause", pause)
        collectgarbage("param", "stepmul", 0) -- without a multiplier a step is a whole collection
        return
    end
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", 1000000)
    if _VERSION == "Lua 5.4" then collectgarbage("incremental", 0, 0, 100) end
end

--- About what it is when a state is new.
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

--- Sets the pause alone.
function collector.pause(percent)
    if _VERSION == "Lua 5.5" then
        collectgarbage("param", "pause", percent)
    else
        collectgarbage("setpause", percent)
    end
end

return collector
