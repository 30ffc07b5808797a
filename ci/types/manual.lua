-- Writes the tables of a page of the manual: every function, field and option, with a link to its page.

local reference = require "lanes.reference"

local BEGIN, FINISH = "<!-- Made by ci/types/generate; do not edit. -->\n", "<!-- end -->\n"

local function cell(text)
    return (text:gsub("|", "\\|"))
end

return function(_, classes, page)
    local out = {}
    local function line(text, ...)
        out[#out + 1] = select("#", ...) > 0 and text:format(...) or text
    end

    local function calls(class)
        line "| Call or field | |"
        line "| --- | --- |"
        for _, index in ipairs(class.index or {}) do
            if index[3] then
                line("| `%s` | %s |", class.class:lower() .. "[n]", cell(index[3]))
            end
        end
        for _, member in ipairs(class.members) do
            local texts = {}
            for i, text in ipairs(reference.signatures(class, member)) do
                texts[i] = ("[`%s`](%s)"):format(cell(text), member.page or class.page)
            end
            line("| %s | %s |", table.concat(texts, "<br>"), cell(member.text))
        end
    end

    local function options(class)
        line("| Option of %s | Type | |", class.of:find "^lanes" and "`" .. class.of .. "`" or class.of)
        line "| --- | --- | --- |"
        for _, member in ipairs(class.members) do
            line("| [`%s`](%s) | `%s` | %s |", member.name, member.page or class.page, cell(member.type), cell(member.text))
        end
    end

    local LISTED = { module = true, object = true, table = true, globals = true }
    local HEADINGS = { module = "The module", globals = "Inside a lane" }
    for _, class in ipairs(classes) do
        local heading = HEADINGS[class.kind] or class.class
        if LISTED[class.kind] then
            line("## %s\n", heading)
            line("%s\n", class.text)
            calls(class)
            line ""
        end
    end
    line "## Options\n"
    for _, class in ipairs(classes) do
        if class.kind == "options" then
            options(class)
            line ""
        end
    end
    line "## Other types\n"
    line "| Type | |"
    line "| --- | --- |"
    for _, class in ipairs(classes) do
        if not LISTED[class.kind] and class.kind ~= "options" then
            local text = class.text
            if class.values then
                text = text .. " One of `\"" .. table.concat(class.values, "\"`, `\"") .. "\"`."
            elseif class.type then
                text = text .. " `" .. class.type .. "`."
            elseif class.members and class.members[1] then
                local names = {}
                for i, member in ipairs(class.members) do
                    names[i] = "`" .. member.name .. "`"
                end
                text = text .. " Fields: " .. table.concat(names, ", ") .. "."
            end
            line("| [%s](%s) | %s |", class.class, class.page, cell(text))
        end
    end
    local first = page:find(BEGIN, 1, true)
    local last = first and page:find(FINISH, first, true)
    if not last then
        error("the page has no place for the tables", 0)
    end
    return page:sub(1, first + #BEGIN - 1) .. table.concat(out, "\n") .. "\n" .. page:sub(last)
end
