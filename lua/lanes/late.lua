--- Loads a module of the library when it is first needed. Returns a function: as `require`, but if
--- loading fails, which may be for lack of memory, a later call tries again.

-- 5.1 and LuaJIT mark a module whose loading has failed, for ever. The mark is a light userdata, which
-- some releases of LuaJIT take for a number.
local function failed(failure)
    for part, mark in pairs(package.loaded) do
        local kind = type(mark)
        if (kind == "userdata" or kind == "number") and type(part) == "string" and string.find(part, "^lanes%.") then
            package.loaded[part] = nil
        end
    end
    error(failure, 0)
end

return function(name)
    local fine, loaded = pcall(require, name)
    if not fine then
        failed(loaded)
    end
    return loaded
end
