-- C functions for the specs: the opening function of a C module that no state has loaded by name.
local native = {}

-- Path of the C module `name`, found along package.cpath.
function native.path(name)
    local file_name = name:gsub("%.", "/")
    for template in package.cpath:gmatch("[^;]+") do
        local path = template:gsub("%?", file_name)
        local file = io.open(path, "rb")
        if file then
            file:close()
            return path
        end
    end
    error("C module " .. name .. " is nowhere in " .. package.cpath)
end

-- The function luaopen_lfs of LuaFileSystem: a C function that is in no module table.
function native.opener()
    local open, problem = package.loadlib(native.path "lfs", "luaopen_lfs")
    return open or error(problem)
end

return native
