-- Loads the library of this interpreter, for packages in which Lua 5.1 and LuaJIT share directories: both look here before they look for
-- C modules, and each has a library of its own beside the other, with its name as a prefix.
local prefix = rawget(_G, "jit") and "luajit-" or "lua51-"
local tried = {}
for template in package.cpath:gmatch "[^;]+" do
    local path = template:gsub("%?", prefix .. "lanes_core")
    local file = io.open(path, "rb")
    if file then
        file:close()
        return assert(package.loadlib(path, "luaopen_lanes_core"))(...)
    end
    table.insert(tried, "\n\tno file '" .. path .. "'")
end
error("the library of Lanes for this interpreter is not installed:" .. table.concat(tried), 0)
