-- Makes bar charts of benches/RESULTS.md and of the table in README.md that compares with other languages: returns
-- function(results, readme, write) that calls write(name, svg) for each chart and returns the page that shows them.

-- The workloads that are shown, and what each measures.
local WORKLOADS = {
    { "spawnall", "Launch a lane with all libraries and wait for its end" },
    { "spawn0", "Launch a lane without libraries and wait for its end" },
    { "pingpong", "A number to another lane and back" },
    { "numbers", "A stream of numbers to another lane" },
    { "strings", "A stream of strings of 100 bytes" },
    { "tables", "A stream of tables with 6 fields, one nested" },
    { "batched", "A stream of numbers, 100 at a time" },
    { "fanin", "Numbers from four lanes to one" },
    { "bigtab", "Tables of 200,000 integers" },
    { "mem", "Memory of a waiting lane" },
    { "speedup", "A recursive function, in two lanes against none" },
}

local WIDTH, RIGHT, BAR, GAP = 640, 80, 18, 6

local function escape(text)
    return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

-- A number such as "12.5 M" as it is written in the results.
local function number(text)
    local digits, suffix = text:match "^([%d.]+)%s*([kM]?)$"
    return digits and tonumber(digits) * (suffix == "M" and 1e6 or suffix == "k" and 1e3 or 1)
end

-- A chart: bars are { label, value, text, is_floor }.
local function chart(title, bars)
    local height = 34 + #bars * (BAR + GAP) + 6
    local most, left = 0, 100
    for _, bar in ipairs(bars) do
        most = math.max(most, bar[2])
        left = math.max(left, 16 + 7 * #bar[1]) -- about the width of its letters
    end
    local text = '<text x="%.1f" y="%d" text-anchor="%s" fill="#222222">%s</text>'
    local out = {
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="sans-serif" font-size="13">')
            :format(WIDTH, height),
        ('<title>%s</title><rect width="%d" height="%d" fill="#ffffff"/>'):format(escape(title), WIDTH, height),
        ('<text x="8" y="20" font-weight="bold" fill="#222222">%s</text>'):format(escape(title)),
    }
    for i, bar in ipairs(bars) do
        local y = 34 + (i - 1) * (BAR + GAP)
        local width = math.max(1, bar[2] / most * (WIDTH - left - RIGHT))
        local color = bar[4] and "#b8b8b8" or "#2c5f9e"
        out[#out + 1] = text:format(left - 8, y + 14, "end", escape(bar[1]))
        out[#out + 1] = ('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>'):format(left, y, width, BAR, color)
        out[#out + 1] = text:format(left + width + 6, y + 14, "start", escape(bar[3]))
    end
    out[#out + 1] = "</svg>\n"
    return table.concat(out, "\n")
end

-- The rows of the table with peers, "0.77 `multiprocessing.Pool.map`, 27 ...": a list of { title, unit, bars }.
local function comparisons(readme)
    local list = {}
    for line in readme:match "\n| what | Lanes | peers | unit |\n(.-)\n\n":gmatch "[^\n]+" do
        local what, ours, peers, unit = line:match "^| (.-) | (.-) | (.-) ?| ([^|]+) |$"
        if peers and peers:find "%d" then
            local bars = { { "Lanes", tonumber(ours), ours } }
            for value, name in (peers .. ", "):gmatch "([%d.]+) (.-), " do
                bars[#bars + 1] = { name:gsub("`", ""), tonumber(value), value, true }
            end
            list[#list + 1] = { (what:gsub("`", "")), unit, bars }
        end
    end
    assert(#list > 0, "README.md has no table that compares with others")
    return list
end

return function(results, readme, write)
    -- results[workload] = { unit = , { version, value, text, floor value, floor text } ... }
    local found, version = {}, nil
    for line in results:gmatch "[^\n]+" do
        version = line:match "^## (.+)$" or version
        local cells = {}
        for cell in line:gmatch "|%s*([^|]-)%s*%f[|]" do
            cells[#cells + 1] = cell
        end
        local value = version and cells[2] and number(cells[2])
        if value and #cells >= 8 then
            local one = found[cells[1]] or { unit = cells[3], floor_name = cells[6] }
            found[cells[1]] = one
            one[#one + 1] = { version, value, cells[2], number(cells[5]), cells[5] }
        end
    end
    local page = {
        "# Speed in pictures\n",
        "Blue bars are Lanes. A grey bar is the floor of the same row: what the system and the Lua need for that without Lanes,",
        "measured in the same run. The names of the floors are explained in [How it is measured](README.md), all figures are in",
        "[All results](RESULTS.md).\n",
    }
    for _, workload in ipairs(WORKLOADS) do
        local rows = found[workload[1]]
        if not rows then
            error("benches/RESULTS.md has no workload " .. workload[1])
        end
        local bars = {}
        for _, row in ipairs(rows) do
            bars[#bars + 1] = { row[1]:match "^%S+ [%d.]+%d", row[2], row[3] }
            if row[4] then
                bars[#bars + 1] = { "floor", row[4], row[5], true }
            end
        end
        local name = workload[1] .. ".svg"
        local better = (rows.unit:find "/s$" or rows.unit:find "^x ") and "more is better" or "less is better"
        write(name, chart(("%s (%s; %s)"):format(workload[2], rows.unit, better), bars))
        page[#page + 1] = ('<img class="chart" src="%s" alt="%s">\n'):format(name, escape(workload[2]))
    end
    page[#page + 1] = "## Beside other languages\n"
    page[#page + 1] = "Blue bars are Lanes on Lua 5.4, grey ones are Python 3.11 with two processes and Node 20, as in"
    page[#page + 1] = "[the table](../README.md#speed).\n"
    for i, row in ipairs(comparisons(readme)) do
        local name = ("others-%d.svg"):format(i)
        write(name, chart(("%s (%s; less is better)"):format(row[1], row[2]), row[3]))
        page[#page + 1] = ('<img class="chart" src="%s" alt="%s">\n'):format(name, escape(row[1]))
    end
    return table.concat(page, "\n")
end
