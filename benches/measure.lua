-- measure.lua: runs all workloads and floors of one Lua version several times, in turn, and prints
-- the tables.
-- benches/run calls it: measure.lua INTERPRETER ROUNDS SCALE_ROUNDS ONLY, where ONLY is a
-- comma-separated list of workloads, or "".

local unpack = unpack or table.unpack
local interpreter, rounds, scale_rounds, only = arg[1], tonumber(arg[2]), tonumber(arg[3]), arg[4]
local DIRECTORY = arg[0]:match("^(.*)/") or "."

-- A workload that takes longer is considered to hang.
local SECONDS_AT_MOST = 600

--- Runs a program of this directory. Returns its lines of output; raises an error if it fails.
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

-- series: from a name to its values, in the order of measuring. `order`: the names, in the order of
-- their first value.
local series, units, order = {}, {}, {}

--- Adds the values that a program prints. `suffix` distinguishes sizes of a workload.
local function record(program, suffix)
    for _, line in ipairs(run(program)) do
        local name, value, unit = line:match("^(%S+) (%S+) (.+)$")
        name = name .. (suffix or "")
        if not series[name] then
            series[name], units[name] = {}, unit
            order[#order + 1] = name
        end
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

--- The spread: half the difference between the largest and the smallest value, in per cent of the
--- median.
local function spread(values)
    local least, most = math.huge, -math.huge
    for _, value in ipairs(values) do
        least, most = math.min(least, value), math.max(most, value)
    end
    local middle = median(values)
    return middle == 0 and 0 or (most - least) / 2 / middle * 100
end

--- A number as text: three or four significant digits, millions with "M".
local function readable(value)
    if value < 0 then return "-" .. readable(-value) end
    if value >= 1e5 then return ("%.2f M"):format(value / 1e6) end
    if value >= 1000 or value == 0 then return ("%.0f"):format(value) end
    if value >= 100 then return ("%.1f"):format(value) end
    if value >= 1 then return ("%.2f"):format(value) end
    return ("%.3f"):format(value)
end

--- The additional values of a workload: for "x", those named "x.memory" and "x.left" with `suffix`
--- appended.
local function further(workload, suffix)
    local names = {}
    for _, name in ipairs(order) do
        local what, found = name:match("^" .. workload .. "%.(%w+)(.*)$")
        if what and found == suffix then names[#names + 1] = what end
    end
    return names
end

-- Targets on a machine with two CPUs, in the unit of the workload: PUC Lua up to 5.3, newer PUC
-- Lua, LuaJIT.
local TARGETS = {
    spawn0 = { 10, 10, 10 },
    spawnall = { 25, 25, 40 },
    burst = { 30, 30, 30 },
    mem = { 45, 40, 55 },
    startup = { 1, 1, 1 },
    pingpong = { 1, 1, 1 },
    waiters = { 2, 2, 2 },
    numbers = { 5e6, 5e6, 5e6 },
    strings = { 4e6, 4e6, 4e6 },
    tables = { 1.5e6, 1.5e6, 1.5e6 },
    bigtab = { 35, 35, 35 },
    fanin = { 6e6, 6e6, 6e6 },
    loop = { 15, 15, 15 },
    loopstream = { 2e6, 2e6, 2e6 },
    local1 = { 200, 180, 150 },
}
local column = rawget(_G, "jit") and 3 or _VERSION < "Lua 5.4" and 1 or 2

-- Measuring ---------------------------------------------------------------------------------------

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

local floors
for round = 1, rounds do
    progress(interpreter, "round", round, "of", rounds)
    record("floor.lua")
    floors = floors or { unpack(order) }
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

-- Floors, in the unit of the workload -------------------------------------------------------------

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
    if unit == "msg/s" then return 1e9 / value end -- from nanoseconds per message
    if unit == "Mitem/s" then return 1e3 / value end -- from nanoseconds per item
    return value
end

-- Tables ------------------------------------------------------------------------------------------

local function row(...) print("| " .. table.concat({ ... }, " | ") .. " |") end

row("workload", "median", "unit", "spread", "floor", "what the floor is", "ratio to the floor", "target")
row("---", "---:", "---", "---:", "---:", "---", "---:", "---:")
for _, workload in ipairs(workloads) do
    local name = workload.name
    local value, floor = median(series[name]), floor_of(workload)
    local ratio = floor and (workload.better == "more" and floor / value or value / floor)
    local target = TARGETS[name] and TARGETS[name][column]
    local met = target and (workload.better == "more" and value >= target or workload.better == "less" and value <= target)
    row(name, readable(value), units[name], ("±%.0f %%"):format(spread(series[name])), floor and readable(floor) or "",
        floor and workload.floor or "", ratio and ("%.2f"):format(ratio) or "",
        target and (met and "" or "missed: ") .. readable(target) or "")
    for _, what in ipairs(further(name, "")) do
        local other = name .. "." .. what
        row(("%s (%s)"):format(name, what), readable(median(series[other])), units[other],
            ("±%.0f %%"):format(spread(series[other])), "", "", "", "")
    end
end

print()
row("floor", "median", "unit", "spread")
row("---", "---:", "---", "---:")
for _, name in ipairs(floors) do
    row(name, readable(median(series[name])), units[name], ("±%.0f %%"):format(spread(series[name])))
end

--- Prints a row of the scale table. `what` is "", or the name of an additional value such as
--- ".memory".
local function scale_row(workload, what)
    local cells, values = {}, {}
    for i, size in ipairs(workload.sizes) do
        values[i] = median(series[workload.name .. what .. "@" .. size])
        cells[i] = ("%s (%s)"):format(readable(values[i]), size)
    end
    row(workload.name .. (what == "" and "" or (" (%s)"):format(what:sub(2))), cells[1], cells[2], cells[3],
        units[workload.name .. what .. "@" .. workload.sizes[1]], what == "" and ("%.2f"):format(values[3] / values[1]) or "")
end

if scale_rounds > 0 then
    print()
    row("scale of", "1x", "10x", "100x", "unit", "100x / 1x")
    row("---", "---:", "---:", "---:", "---", "---:")
    for _, workload in ipairs(workloads) do
        if workload.sizes[1] then
            scale_row(workload, "")
            for _, what in ipairs(further(workload.name, "@" .. workload.sizes[1])) do scale_row(workload, "." .. what) end
        end
    end
end

print("\n<details><summary>Raw values, in the order of measuring</summary>\n\n```")
for _, name in ipairs(order) do
    local cells = {}
    for i, value in ipairs(series[name]) do cells[i] = ("%.6g"):format(value) end
    print(("%-24s %-14s %s"):format(name, units[name], table.concat(cells, " ")))
end
print("```\n</details>")
