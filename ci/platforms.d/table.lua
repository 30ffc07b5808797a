-- Totals of ci/platforms: table.lua RESULTS [PAGE]. Prints a line for each platform and Lua, and one for all; the lines of PAGE between the
-- marks "<!-- table -->" and "<!-- end -->" get what came out, those of other platforms and Luas stay. Ends with 1 if anything failed.
-- Lines of RESULTS have, between tabs: platform, Lua, checked, linked, spec files, passed, failed, pending, seconds, reasons.
local FIELDS = { "platform", "lua", "checked", "linked", "files", "passed", "failed", "pending", "seconds", "reasons" }

--- The parts of a text between tabs.
local function parts(text)
    local list = {}
    for part in (text .. "\t"):gmatch "([^\t]*)\t" do list[#list + 1] = part end
    return list
end

--- "1 need x; 2 need y;" and more, added up by reason and put in order.
local function summed(reasons)
    local counts, order = {}, {}
    for part in reasons:gmatch "[^;]+" do
        local count, reason = part:match "^%s*(%d+) (.*)$"
        if count then
            if not counts[reason] then order[#order + 1] = reason end
            counts[reason] = (counts[reason] or 0) + tonumber(count)
        end
    end
    table.sort(order)
    for i, reason in ipairs(order) do order[i] = counts[reason] .. " " .. reason end
    return table.concat(order, "; ")
end

local results, total = {}, { passed = 0, failed = 0, pending = 0 }
for line in io.lines(arg[1]) do
    local result, values = {}, parts(line)
    for i, field in ipairs(FIELDS) do result[field] = values[i] end
    result.reasons = summed(result.reasons or "")
    results[#results + 1] = result
    for field, sum in pairs(total) do total[field] = sum + tonumber(result[field]) end
    print(("%s %s: checked %s, linked %s, %s passed, %s failed, %s pending (%s s)"):format(result.platform, result.lua, result.checked,
        result.linked, result.passed, result.failed, result.pending, result.seconds))
end
print(("platforms: %d passed, %d failed, %d pending"):format(total.passed, total.failed, total.pending))

--- A row of the table. What was not run has no numbers.
local function row(result)
    local run = result.linked == "-" or result.files ~= "-"
    local function number(value) return run and value or "not run" end
    return ("| %s | %s | %s | %s | %s | %s | %s | %s | %s |"):format(result.platform, result.lua, result.checked, result.linked,
        result.files, number(result.passed), number(result.failed), number(result.pending), result.reasons)
end

if arg[2] then
    local file = assert(io.open(arg[2]))
    local text = file:read "a"
    file:close()
    local before, rows, after = text:match "^(.*<!%-%- table %-%->\n)(.*)(<!%-%- end %-%->.*)$"
    assert(before, arg[2] .. " has no table")
    local head = rows:match "^[^\n]*\n[^\n]*\n"
    local order, known = {}, {}
    local function put(line)
        local key = line:match "^| ([^|]+ | [^|]+) |"
        if not known[key] then order[#order + 1] = key end
        known[key] = line
    end
    for line in rows:sub(#head + 1):gmatch "[^\n]+" do put(line) end
    for _, result in ipairs(results) do put(row(result)) end
    for i, key in ipairs(order) do order[i] = known[key] end
    -- Rows of a platform stay together, those of new platforms come last.
    local ranks, rank = {}, 0
    for _, line in ipairs(order) do
        local platform = line:match "^| ([^|]+) |"
        if not ranks[platform] then
            rank = rank + 1
            ranks[platform] = rank
        end
    end
    local function place(line)
        local platform, lua = line:match "^| ([^|]+) | ([^|]+) |"
        return ("%03d %s"):format(ranks[platform], lua)
    end
    table.sort(order, function(one, other) return place(one) < place(other) end)
    file = assert(io.open(arg[2], "w"))
    file:write(before, head, table.concat(order, "\n"), #order > 0 and "\n" or "", after)
    file:close()
end
os.exit(total.failed == 0 and 0 or 1)
