-- C functions for the specs: the opening function of a C module that no state has loaded by name.
local native = {}

-- The path of the C module `name`, searched in package.cpath.
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

-- The function luaopen_lfs of LuaFileSystem: a C function that no module table contains.
function native.opener()
    local open, problem = package.loadlib(native.path "lfs", "luaopen_lfs")
    return open or error(problem)
end

return native
