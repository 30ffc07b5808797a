-- Rewrites Lua files that assign to variables of their `for` loops, which are constants in 5.5: loops.lua FILE...
-- Each such variable gets a local of the same name, on the line of the loop's `do`, so that line numbers stay the same.

--- Splits a text into lines, with their line ends.
local function lines_of(text)
    local lines = {}
    for line in text:gmatch "[^\n]*\n?" do lines[#lines + 1] = line end
    return lines
end

--- Returns the number of the line before `last` with the head of the loop that declares `name`.
local function head(lines, name, last)
    for i = last, 1, -1 do
        local names = lines[i]:match "%f[%w_]for%s+([%w_%s,]+)[%s=]"
        if names and lines[i]:find "%f[%w_]do%f[^%w_]" and names:find("%f[%w_]" .. name .. "%f[^%w_]") then return i end
    end
end

for _, path in ipairs(arg) do
    local file = assert(io.open(path, "rb"))
    local lines = lines_of(file:read "a")
    file:close()
    local changed = 0
    while true do
        local loaded, problem = load(table.concat(lines), "=text", "t")
        if loaded then break end
        local line, name = problem:match "^text:(%d+): attempt to assign to const variable '([%w_]+)'"
        local place = line and head(lines, name, tonumber(line))
        if not place then
            -- A file in another language version fails when it is required.
            io.stderr:write(path, ": ", problem, "\n")
            break
        end
        lines[place] = lines[place]:gsub("%f[%w_]do%f[^%w_]", "%0 local " .. name .. " = " .. name, 1)
        changed = changed + 1
        assert(changed < 100, path)
    end
    if changed > 0 then
        file = assert(io.open(path, "wb"))
        assert(file:write(table.concat(lines)))
        file:close()
        print(path:match "[^/]*/[^/]*$" .. ": " .. changed .. " loops")
    end
end
