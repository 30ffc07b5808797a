-- measure.lua: runs all workloads and floors of one Lua version several times, interleaved, and prints the tables.
-- benches/run calls it: measure.lua INTERPRETER ROUNDS SCALE_ROUNDS ONLY (a comma list of workloads, or nothing).

local interpreter, rounds, scale_rounds, only = arg[1], tonumber(arg[2]), tonumber(arg[3]), arg[4]
local DIRECTORY = arg[0]:match("^(.*)/") or "."

-- A workload that takes longer hangs.
local SECONDS_AT_MOST = 600

--- The lines that one of the programs beside this one prints; ends this program when it fails.
local function run(program)
    local command = ("timeout %d %s %s/%s"):format(SECONDS_AT_MOST, interpreter, DIRECTORY, program)
    local pipe = assert(io.popen(command .. " || echo failed with $?"))
    local lines = {}
    for line in pipe:lines() do
        if line:find("^failed with") then error(command .. " " .. line, 0) end
        lines[#lines + 1] = line
    end
    pipe:close()
    return lines
end

-- Every series is a list of values in the order of measuring, by its name.
local series, units = {}, {}

--- Adds the values that a program prints. `suffix` tells sizes of a workload apart.
local function record(program, suffix)
    for _, line in ipairs(run(program)) do
        local name, value, unit = line:match("^(%S+) (%S+) (.+)$")
        name = name .. (suffix or "")
        series[name] = series[name] or {}
        units[name] = unit
        table.insert(series[name], tonumber(value))
    end
end

local function median(values)
    local sorted = {}
    for i, value in ipairs(values) do sorted[i] = value end
    table.sort(sorted)
    local middle = (#sorted + 1) / 2
    return (sorted[math.floor(middle)] + sorted[math.ceil(middle)]) / 2
end

--- How far the values lie apart: half the distance of the extremes, in per cent of the median.
local function spread(values)
    local least, most = math.huge, -math.huge
    for _, value in ipairs(values) do
        least, most = math.min(least, value), math.max(most, value)
    end
    local middle = median(values)
    return middle == 0 and 0 or (most - least) / 2 / middle * 100
end

--- Four digits, or three of them behind the point, and thousands set apart.
local function readable(value)
    if value >= 1e6 then return ("%.2f M"):format(value / 1e6) end
    if value >= 1000 or value == 0 then return ("%.0f"):format(value) end
    if value >= 100 then return ("%.1f"):format(value) end
    if value >= 1 then return ("%.2f"):format(value) end
    return ("%.3f"):format(value)
end

-- Measuring --------------------------------------------------------------------------------------------------------

local chosen = {}
for name in only:gmatch("[^,]+") do chosen[name] = true end

local workloads = {}
for _, line in ipairs(run("workloads.lua --list")) do
    local name, floor, better, sizes = line:match("^(%S+) (%S+) (%S+) (.*)$")
    if only == "" or chosen[name] then
        workloads[#workloads + 1] = { name = name, floor = floor, better = better, sizes = {} }
        for size in sizes:gmatch("%d+") do table.insert(workloads[#workloads].sizes, size) end
    end
    chosen[name] = nil
end
if next(chosen) then
    io.stderr:write("measure.lua: there is no workload '", next(chosen), "'\n")
    os.exit(2)
end

local function progress(...)
    io.stderr:write("  ", table.concat({ ... }, " "), "\n")
end

for round = 1, rounds do
    progress(interpreter, "round", round, "of", rounds)
    record("floor.lua")
    for _, workload in ipairs(workloads) do record("workloads.lua " .. workload.name) end
end
for round = 1, scale_rounds do
    progress(interpreter, "scale round", round, "of", scale_rounds)
    for _, workload in ipairs(workloads) do
        for _, size in ipairs(workload.sizes) do
            record(("workloads.lua %s %s"):format(workload.name, size), "@" .. size)
        end
    end
end

-- Floors in the unit of the workload -------------------------------------------------------------------------------

local function cpu_count()
    local pipe = assert(io.popen("getconf _NPROCESSORS_ONLN 2>/dev/null"))
    local count = tonumber(pipe:read("*l"))
    pipe:close()
    return count or 1
end

--- The floor of a workload in the workload's unit, or nil.
local function floor_of(workload)
    if workload.floor == "-" then return nil end
    if workload.floor == "cpus" then return math.min(2, cpu_count()) end
    local value = median(series[workload.floor])
    local unit = units[workload.name]
    if unit == "msg/s" then return 1e9 / value end  -- from nanoseconds a message
    if unit == "Mitem/s" then return 1e3 / value end -- from nanoseconds an item
    return value
end

-- Tables -----------------------------------------------------------------------------------------------------------

local function row(...) print("| " .. table.concat({ ... }, " | ") .. " |") end

row("workload", "median", "unit", "spread", "floor", "what the floor is", "ratio to the floor")
row("---", "---:", "---", "---:", "---:", "---", "---:")
for _, workload in ipairs(workloads) do
    local name = workload.name
    local value, floor = median(series[name]), floor_of(workload)
    local ratio = floor and (workload.better == "more" and floor / value or value / floor)
    row(name, readable(value), units[name], ("±%.0f %%"):format(spread(series[name])), floor and readable(floor) or "",
        floor and workload.floor or "", ratio and ("%.2f"):format(ratio) or "")
    if series[name .. ".memory"] then
        local memory = series[name .. ".memory"]
        row(name .. " (memory)", readable(median(memory)), units[name .. ".memory"],
            ("±%.0f %%"):format(spread(memory)), "", "", "")
    end
end

if scale_rounds > 0 then
    print()
    row("scale of", "1x", "10x", "100x", "unit", "100x / 1x")
    row("---", "---:", "---:", "---:", "---", "---:")
    for _, workload in ipairs(workloads) do
        for _, what in ipairs { "", ".memory" } do
            local cells, values = {}, {}
            for i, size in ipairs(workload.sizes) do
                local found = series[workload.name .. what .. "@" .. size]
                if found then
                    values[i] = median(found)
                    cells[i] = ("%s (%s)"):format(readable(values[i]), size)
                end
            end
            if cells[1] then
                row(workload.name .. (what == "" and "" or " (memory)"), cells[1], cells[2], cells[3],
                    units[workload.name .. what .. "@" .. workload.sizes[1]],
                    what == "" and ("%.2f"):format(values[3] / values[1]) or "")
            end
        end
    end
end

print("\n<details><summary>Raw values, in the order of measuring</summary>\n\n```")
local names = {}
for name in pairs(series) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do
    local cells = {}
    for i, value in ipairs(series[name]) do cells[i] = ("%.6g"):format(value) end
    print(("%-24s %-14s %s"):format(name, units[name], table.concat(cells, " ")))
end
print("```\n</details>")
