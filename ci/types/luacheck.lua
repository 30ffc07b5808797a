-- Writes types/luacheck.lua: the globals of lanes, as a `std` for luacheck.

return function(reference)
    local names, known = {}, {}
    for _, face in ipairs(reference.faces) do
        for _, class in ipairs(reference.classes(face)) do
            for _, member in ipairs(class.kind == "globals" and class.members or {}) do
                if not known[member.name] then
                    known[member.name] = true
                    names[#names + 1] = ("%q"):format(member.name)
                end
            end
        end
    end
    table.sort(names)
    return ([[
-- The globals of lanes for luacheck. Made by ci/types/generate from lua/lanes/reference.lua; do not edit.
-- In .luacheckrc: stds.lanes = dofile "<this file>"; std = "max+lanes"
return { read_globals = { %s } }
]]):format(table.concat(names, ", "))
end
