-- Runs every program of the manual.
-- A block marked ```lua is a complete program and must end without an error. A block marked
-- ```output right after it is its exact output. A program with a Lua version after the mark (```lua
-- 5.4) runs only on this version. One that requires luv or LuaSocket runs where they are.

local support = require "support"
local machine = require "machine"
local needs = require "needs"

--- The programs of one page: { line, versions, program, output or nil }.
local function programs_of(path)
    local programs, block, number = {}, nil, 0
    for line in (support.read(path) .. "\n"):gmatch("(.-)\n") do
        number = number + 1
        local mark = line:match("^```(.*)$")
        if block and mark == "" then
            local text = table.concat(block.lines)
            if block.kind == "lua" then
                programs[#programs + 1] = { line = block.line, versions = block.versions, program = text }
            elseif block.kind == "output" then
                programs[#programs].output = text
            end
            block = nil
        elseif block then
            table.insert(block.lines, line .. "\n")
        elseif mark then
            local kind, versions = mark:match("^(%a*)%s*(.*)$")
            block = { kind = kind, versions = versions, line = number, lines = {} }
        end
    end
    assert(not block, path .. ": a block that does not end")
    return programs
end

local function is_for_this_lua(versions)
    return versions == "" or (" " .. versions .. " "):find(" " .. support.lua .. " ", 1, true)
end

local function pages()
    local list = { "README.md", "docs/differences.md" }
    for _, name in ipairs(machine.names "docs/manual") do
        if name:find "%.md$" then list[#list + 1] = "docs/manual/" .. name end
    end
    return list
end

--- The output of a program, with the name of its temporary file replaced by the name that the
--- manual uses.
local function without_file_name(text, file)
    local plain = file:gsub("%p", "%%%0")
    return (text:gsub(plain, "example.lua"))
end

for _, path in ipairs(pages()) do
    describe(path, function()
        for _, example in ipairs(programs_of(path)) do
            if is_for_this_lua(example.versions) then
                local it = it -- luacheck: ignore (shadows)
                for _, module in ipairs { "luv", "socket" } do
                    if example.program:find(('require "%s"'):format(module), 1, true) then it = needs.module(module, module, it) end
                end
                it("shows the right output of the program at line " .. example.line, function()
                    local result = support.run(example.program)
                    local err = without_file_name(result.err, result.file)
                    assert.equal("", err)
                    assert.equal(0, result.code)
                    if example.output then
                        assert.equal(example.output, without_file_name(result.out, result.file))
                    end
                end)
            end
        end
    end)
end

describe("the manual", function()
    it("has no broken link", function()
        for _, path in ipairs(pages()) do
            local directory = path:match("^(.*)/") or "."
            for target in support.read(path):gmatch("%]%(([^)#%s]+)[^)]*%)") do
                if not target:find("^%a+:") then
                    local mode = require "lfs".attributes(directory .. "/" .. target, "mode")
                    assert.truthy(mode, path .. " links to " .. target)
                end
            end
        end
    end)
end)
