-- Prepares the site: pages.lua DIRECTORY, run at the root of the checkout, writes the sources of the book into DIRECTORY.
-- Pages keep their paths, so links between them stay valid. Links to files that are no pages become text.

local directory = assert(arg[1], "usage: pages.lua DIRECTORY")

local function read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read "*a"
    file:close()
    return text
end

local function write(path, text)
    path = directory .. "/" .. path
    assert(os.execute(("mkdir -p '%s'"):format(path:match "^(.*)/")))
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
end

local function lines_of(command)
    local list = {}
    local pipe = assert(io.popen(command))
    for line in pipe:lines() do
        list[#list + 1] = line
    end
    pipe:close()
    return list
end

-- The parts of the book in order. A page is { path, title }; the title is nil if it is the page's first heading.
local parts = {}

local function part(title)
    parts[#parts + 1] = { title = title }
    return parts[#parts]
end

-- The text of each page, by its path in the book; and the page of each file that has another path there.
local pages, places = {}, {}

-- Adds a page to a part. The first page of a directory is its index, as servers look for it.
local function add(to, path, text, title)
    local page = path:gsub("README%.md$", "index.md")
    places[path] = page
    path = page
    to[#to + 1] = { path, title or text:match "^#%s+([^\n]+)" or text:match "\n#%s+([^\n]+)" }
    pages[path] = text
end

local function file(to, path, title)
    add(to, path, read(path), title)
end

-- The C interface: comments of the header are text, what is between them is code.
local function header(text)
    local out = { "# The C interface\n\n`include/lanes.h`; [Embedding](../docs/manual/embedding.md) has examples.\n" }
    local code = {}
    local function flush()
        local block = table.concat(code, "\n"):gsub("^%s*\n", ""):gsub("%s+$", "")
        if block:find "%S" then
            out[#out + 1] = "```c\n" .. block .. "\n```\n"
        end
        code = {}
    end
    local position = 1
    while true do
        -- Comments that begin a line; others belong to the code beside them.
        local first, last, comment = text:find("\n/%*(.-)%*/", position)
        code[#code + 1] = text:sub(position, (first or 0) - 1)
        flush()
        if not first then
            break
        end
        local title = comment:match "^ %-+ (.-) %-+ $"
        comment = comment:gsub("\n%s*", "\n"):gsub("^%s+", ""):gsub("%s+$", "")
        out[#out + 1] = title and "## " .. title:gsub("^%l", string.upper) .. "\n" or comment .. "\n"
        position = last + 1
    end
    return (table.concat(out, "\n"))
end

-- An example: its head comment is text, and all of it code.
local function example(path, text)
    local head = {}
    for line in text:gmatch "[^\n]*" do
        local comment = line:match "^%-%-%-? ?(.*)$"
        if not comment then
            break
        end
        head[#head + 1] = comment
    end
    return ("# %s\n\n```text\n%s\n```\n\n```lua\n%s```\n"):format(path:match "[^/]+$", table.concat(head, "\n"), text)
end

local manual = part "Manual"
file(manual, "docs/manual/README.md", "Overview")
for name in read "docs/manual/README.md":gmatch "\n| %[[^%]]+%]%(([%w_]+%.md)%) |" do
    file(manual, "docs/manual/" .. name)
end
local c_interface = header("\n" .. read "include/lanes.h")
add(manual, "include/lanes.md", c_interface)
places["include/lanes.h"] = "include/lanes.md"

local examples = part "Examples"
local list = {}
for _, path in ipairs(lines_of "ls examples/*.lua") do
    local page = path:gsub("%.lua$", ".md")
    list[#list + 1] = ("- [%s](%s)"):format(path:match "[^/]+$", page:match "[^/]+$")
    places[path] = page
end
places["examples"] = "examples/index.md"
add(examples, "examples/README.md", "# Examples\n\n" .. table.concat(list, "\n") .. "\n")
for _, path in ipairs(lines_of "ls examples/*.lua") do
    add(examples, places[path], example(path, read(path)))
end

local system = part "Systems and packages"
file(system, "docs/packaging.md")
file(system, "docs/platforms.md")
for _, path in ipairs(lines_of "ls docs/platforms/*.md") do
    file(system, path)
end

local more = part "Reference"
for _, path in ipairs(lines_of "ls docs/differences*.md") do
    file(more, path)
end
file(more, "docs/performance.md")
add(more, "benches/charts.md", dofile "site/charts.lua"(read "benches/RESULTS.md", read "README.md", function(name, svg)
    write("benches/" .. name, svg)
end))
file(more, "benches/RESULTS.md", "All results")
file(more, "benches/README.md", "How it is measured")
file(more, "CHANGELOG.md", "Changes")

local development = part "Development"
for _, path in ipairs { "CONTRIBUTING.md", "docs/architecture.md", "docs/testing.md", "SECURITY.md" } do
    file(development, path)
end
add({}, "README.md", read "README.md")

-- The path to which a link in a page leads, without "." and "..".
local function target(page, link)
    local names = {}
    for name in (page:match "^(.*/)[^/]*$" or ""):gmatch "[^/]+" do
        names[#names + 1] = name
    end
    for name in link:gmatch "[^/]+" do
        if name == ".." then
            names[#names] = nil
        elseif name ~= "." then
            names[#names + 1] = name
        end
    end
    return table.concat(names, "/")
end

-- The link from one page to another.
local function relative(page, path)
    return ("../"):rep(select(2, page:gsub("/", ""))) .. path
end

for path, text in pairs(pages) do
    text = text:gsub("%[([^%[%]\n]+)%]%(([^()%s]+)%)", function(label, link)
        if link:find "^%a+:" or link:find "^#" then
            return nil
        end
        local name, anchor = link:match "^([^#]*)(.*)$"
        local found = target(path, name)
        found = places[found] or found
        if pages[found] then
            return ("[%s](%s%s)"):format(label, relative(path, found), anchor)
        end
        return label
    end)
    write(path, text)
end

local summary = { "# Summary\n\n[Lanes](index.md)" }
for _, one in ipairs(parts) do
    summary[#summary + 1] = "\n# " .. one.title .. "\n"
    for _, page in ipairs(one) do
        summary[#summary + 1] = ("- [%s](%s)"):format(page[2], page[1])
    end
end
write("SUMMARY.md", table.concat(summary, "\n") .. "\n")
