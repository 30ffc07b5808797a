-- Writes types/<module>.d.tl: declarations for Teal.

local notation = require "notation"

local HEAD = [[
-- Types of the module "%s" for Teal. Made by ci/types/generate from lua/lanes/reference.lua; do not edit.
-- Put this file where Teal searches for modules, beside %s.lua or in a directory of `include_dir`.
]]

local SIMPLE = {
    lightuserdata = "any", table = "{any : any}", ["function"] = "function(...: any): any...", ["true"] = "boolean", ["false"] = "boolean",
}

return function(face, classes)
    local out, depth = {}, 0
    local function line(text, ...)
        text = select("#", ...) > 0 and text:format(...) or text
        out[#out + 1] = text == "" and "" or ("   "):rep(depth) .. text
    end

    local write

    local function results(list)
        local texts = {}
        for i, tree in ipairs(list) do
            texts[i] = tree.kind == "rest" and write(tree[1]) .. "..." or write(tree)
        end
        return texts[1] and ": " .. table.concat(texts, ", ") or ""
    end

    -- A union of the types that Teal can tell apart; "any" where it cannot. It knows one type each that is
    -- a table, a function or a string. A function stands last, because "|" would go on with its result.
    local function union(tree)
        local list, seen, tables, last = {}, {}, 0, nil
        for _, part in ipairs(tree) do
            local text = write(part)
            local class = part.kind == "name" and classes[part[1]]
            if class and class.values then
                text = "string"
            end
            if text == "any" then
                return "any"
            elseif text:find "^function" then
                if last then
                    return "any"
                end
                last = text
            elseif text ~= "nil" and not seen[text] then
                seen[text] = true
                if text:find "^{" or text:find "^lanes%." then
                    tables = tables + 1
                end
                list[#list + 1] = text
            end
        end
        list[#list + 1] = last
        if tables > 1 or seen.number and seen.integer then
            return "any"
        end
        return list[2] and "(" .. table.concat(list, " | ") .. ")" or list[1] or "nil"
    end

    function write(tree)
        if tree.kind == "name" then
            local class = classes[tree[1]]
            if class and (class.kind == "alias" and class.type or class.kind == "opaque") then
                return write(notation.read(class.type))
            end
            return class and class.kind ~= "module" and "lanes." .. tree[1] or SIMPLE[tree[1]] or tree[1]
        elseif tree.kind == "literal" then
            return "string"
        elseif tree.kind == "array" then
            return "{" .. write(tree[1]) .. "}"
        elseif tree.kind == "table" then
            return ("{%s : %s}"):format(write(tree[1]), write(tree[2]))
        elseif tree.kind == "function" then
            local args = {}
            for i, arg in ipairs(tree.args) do
                args[i] = arg[1] == "..." and "...: " .. write(arg[2]) or arg[1] .. (arg[3] and "?" or "") .. ": " .. write(arg[2])
            end
            return "function(" .. table.concat(args, ", ") .. ")" .. results(tree.returns)
        end
        return union(tree)
    end

    local function typed(text)
        return write(notation.read(text))
    end

    local function signature(args, returned, self)
        return "function(" .. notation.arguments(args, self, typed) .. ")" .. results(returned)
    end

    local function members(class, self)
        for _, index in ipairs(class.index or {}) do
            if class.kind == "object" then
                line("metamethod __index: function(self: %s, key: %s): %s", self, index[1], typed(index[2]))
            end
        end
        for _, member in ipairs(class.members) do
            if member.text then
                line("-- %s", member.text)
            end
            if member.returns then
                for i, args in ipairs(member.forms or { member.args }) do
                    local returned = notation.returned(member)
                    if member.form_returns then
                        returned = { notation.read(member.form_returns[i][1]) }
                    end
                    line("%s: %s", member.name, signature(args, returned, self))
                end
            else
                line("%s: %s", member.name, typed(member.type))
            end
        end
    end

    local function nested(class)
        line ""
        line("-- %s", class.text)
        if class.values then
            line("enum %s", class.class)
            depth = depth + 1
            for _, value in ipairs(class.values) do
                line("%q", value)
            end
            depth = depth - 1
            line "end"
        elseif class.kind == "function" then
            line("type %s = %s", class.class, signature(class.args, notation.returned(class)))
        else
            local array = class.kind ~= "object" and class.index
            line("record %s%s", class.class, array and " is {" .. typed(class.index[1][2]) .. "}" or "")
            depth = depth + 1
            if class.class == "Lane" or class.class == "Linda" then
                line "userdata"
            end
            members(class, class.kind == "object" and "lanes." .. class.class or nil)
            depth = depth - 1
            line "end"
        end
    end

    out[1] = HEAD:format(face.module, (face.module:gsub("%.", "/")))
    for _, class in ipairs(classes) do
        if class.kind == "globals" then
            for _, member in ipairs(class.members) do
                line("-- %s", member.text)
                line("global %s: %s", member.name, signature(member.args, notation.returned(member)))
            end
            line ""
        end
    end
    line "local record lanes"
    depth = 1
    for _, class in ipairs(classes) do
        if class.kind ~= "globals" and class.kind ~= "module" and class.kind ~= "opaque" and not (class.kind == "alias" and class.type) then
            nested(class)
        end
    end
    line ""
    for _, class in ipairs(classes) do
        if class.kind == "module" then
            members(class)
        end
    end
    depth = 0
    line "end"
    line ""
    line "return lanes"
    return table.concat(out, "\n") .. "\n"
end
