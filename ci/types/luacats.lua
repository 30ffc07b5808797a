-- Writes types/<module>.lua: annotations for lua-language-server and other tools that read LuaCATS.

local notation = require "notation"

local HEAD = [[
---@meta %s
-- Types of the module "%s". Made by ci/types/generate from lua/lanes/reference.lua; do not edit.
-- In .luarc.json: "workspace.library": ["<directory of this file>"].
]]

return function(face, classes)
    local out = {}
    local function line(text, ...)
        out[#out + 1] = select("#", ...) > 0 and text:format(...) or text
    end

    local function known(name)
        local class = classes[name]
        if not class then
            return name
        end
        return class.kind == "module" and face.module or face.module .. "." .. name
    end

    local write

    local function argument(arg)
        local name = arg[1]
        return name .. (arg[3] and "?" or "") .. ": " .. write(arg[2])
    end

    local function results(list)
        local texts = {}
        for i, tree in ipairs(list) do
            texts[i] = tree.kind == "rest" and "..." or write(tree)
        end
        return texts[1] and ": " .. table.concat(texts, ", ") or ""
    end

    function write(tree)
        if tree.kind == "name" then
            return known(tree[1])
        elseif tree.kind == "literal" then
            return tree[1]
        elseif tree.kind == "array" then
            local inner = write(tree[1])
            return (tree[1].kind == "union" and "(" .. inner .. ")" or inner) .. "[]"
        elseif tree.kind == "table" then
            return ("table<%s, %s>"):format(write(tree[1]), write(tree[2]))
        elseif tree.kind == "function" then
            local args = {}
            for i, arg in ipairs(tree.args) do
                args[i] = argument(arg)
            end
            return "fun(" .. table.concat(args, ", ") .. ")" .. results(tree.returns)
        end
        local parts = {}
        for i, part in ipairs(tree) do
            parts[i] = part.kind == "function" and "(" .. write(part) .. ")" or write(part)
        end
        return table.concat(parts, "|")
    end

    local function typed(text)
        return write(notation.read(text))
    end

    local function arguments(args, self)
        return notation.arguments(args, self, typed)
    end

    local function documentation(class, member)
        line("---%s", member.text)
        for _, outcome in ipairs(require "lanes.reference".outcomes(member)) do
            line("--- - %s: `%s`", outcome[2], outcome[1] == "" and "nothing" or outcome[1])
        end
        line("--- [%s](docs/manual/%s)", "Manual", member.page or class.page)
    end

    -- A function or method. `self` is the class of a method; nil for a function.
    local function a_function(class, member, self, prefix)
        line ""
        documentation(class, member)
        local forms = member.forms or { member.args }
        local returned = notation.returned(member)
        local names = {}
        for _, arg in ipairs(forms[1]) do
            names[#names + 1] = arg[1]:match "^[^?]*"
            line("---@param %s %s%s", arg[1], typed(arg[2]), arg[3] and " " .. arg[3] or "")
        end
        for i = 2, #forms do
            local list = returned
            if member.form_returns then
                list = { notation.read(member.form_returns[i][1]) }
            end
            line("---@overload fun(%s)%s", arguments(forms[i], self), results(list))
        end
        if member.form_returns then
            returned = { notation.read(member.form_returns[1][1]) }
        end
        for _, tree in ipairs(returned) do
            line("---@return %s", tree.kind == "rest" and write(tree[1]) .. " ..." or write(tree))
        end
        line("function %s%s(%s) end", prefix, member.name, table.concat(names, ", "))
    end

    local function field(class, member)
        local optional = class.kind == "options" and not member.needed and "?" or ""
        line("---@field %s%s %s%s", member.name, optional, typed(member.type), member.text and " " .. member.text or "")
    end

    local function fields(class)
        for _, index in ipairs(class.index or {}) do
            line("---@field [%s] %s%s", index[1], typed(index[2]), index[3] and " " .. index[3] or "")
        end
        for _, member in ipairs(class.members) do
            if member.type then
                field(class, member)
            end
        end
    end

    line(HEAD, face.module, face.module)
    for _, class in ipairs(classes) do
        local name = known(class.class)
        if class.kind == "globals" then
            for _, member in ipairs(class.members) do
                a_function(class, member, nil, "")
            end
        elseif class.kind == "alias" then
            line("---%s", class.text)
            if class.values then
                line("---@alias %s \"%s\"", name, table.concat(class.values, "\"|\""))
            else
                line("---@alias %s %s", name, typed(class.type))
            end
        elseif class.kind == "function" then
            line("---%s", class.text)
            line("---@alias %s fun(%s)%s", name, arguments(class.args), results(notation.returned(class)))
        elseif class.kind == "opaque" then
            line("---%s", class.text)
            line("---@class %s: %s", name, class.type)
        else
            line("---%s", class.text)
            line("---@class %s%s", class.kind == "options" and "(exact) " or "", name)
            fields(class)
            if class.kind == "module" or class.kind == "object" or class.kind == "table" then
                local variable = class.class
                line("local %s = {}", variable)
                for _, member in ipairs(class.members) do
                    if member.returns then
                        if class.kind == "object" then
                            a_function(class, member, name, variable .. ":")
                        else
                            a_function(class, member, nil, variable .. ".")
                        end
                    end
                end
            end
        end
        line ""
    end
    line "return lanes"
    return table.concat(out, "\n") .. "\n"
end
