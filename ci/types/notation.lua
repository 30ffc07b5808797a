-- Types as the reference writes them (lua/lanes/reference.lua): reads them into trees.
-- A tree: { kind = "union", ... }, { kind = "name", name }, { kind = "literal", text }, { kind = "array", of },
-- { kind = "table", key, value }, { kind = "function", args = { { name, type, optional } }, returns = { ... } },
-- { kind = "rest", of }: any number of values.

local notation = {}

local function fail(text, position, expected)
    error(("type %q at %d: %s expected"):format(text, position, expected), 0)
end

--- Reads a type. Raises an error for a malformed one.
function notation.read(text)
    local at = 1
    local union

    local function skip()
        at = text:find("%S", at) or #text + 1
    end
    local function take(word)
        skip()
        if text:sub(at, at + #word - 1) == word then
            at = at + #word
            return true
        end
    end
    local function needed(word)
        if not take(word) then
            fail(text, at, "'" .. word .. "'")
        end
    end
    local function match(pattern)
        skip()
        local found = text:match("^" .. pattern, at)
        at = found and at + #found or at
        return found
    end

    local function result()
        local tree = union()
        return take "..." and { kind = "rest", tree } or tree
    end

    local function a_function()
        local tree = { kind = "function", args = {}, returns = {} }
        while not take ")" do
            local name = match "%.%.%." or match "[%a_][%w_]*" or fail(text, at, "the name of an argument")
            local optional = take "?"
            needed ":"
            tree.args[#tree.args + 1] = { name, union(), optional }
            if not take "," then
                needed ")"
                break
            end
        end
        if take ":" then
            repeat
                tree.returns[#tree.returns + 1] = result()
            until not take ","
        end
        return tree
    end

    local function one()
        local tree
        local literal = match '"[^"]*"'
        if literal then
            tree = { kind = "literal", literal }
        elseif take "(" then
            tree = union()
            needed ")"
        elseif take "fun(" then
            return a_function()
        elseif take "table<" then
            tree = { kind = "table", union() }
            needed ","
            tree[2] = union()
            needed ">"
        else
            tree = { kind = "name", match "[%a_][%w_]*" or fail(text, at, "a type") }
        end
        while take "[]" do
            tree = { kind = "array", tree }
        end
        return tree
    end

    function union()
        local list = { kind = "union" }
        repeat
            list[#list + 1] = one()
            if take "?" then
                list[#list + 1] = { kind = "name", "nil" }
            end
        until not take "|"
        return list[2] and list or list[1]
    end

    local tree = result()
    skip()
    if at <= #text then
        fail(text, at, "the end")
    end
    return tree
end

--- Calls `f(name)` for each name in a type.
function notation.each_name(tree, f)
    if tree.kind == "name" then
        return f(tree[1])
    end
    for _, part in ipairs(tree) do
        if type(part) == "table" then
            notation.each_name(part, f)
        end
    end
    for _, argument in ipairs(tree.args or {}) do
        notation.each_name(argument[2], f)
    end
    for _, returned in ipairs(tree.returns or {}) do
        notation.each_name(returned, f)
    end
end

--- The types that a call returns, one tree for each position: unions over its outcomes. The last may
--- be a "rest".
function notation.returned(member)
    local outcomes, most = {}, 0
    for _, outcome in ipairs(member.returns) do
        if not outcome.rare then
            outcomes[#outcomes + 1] = outcome
            most = math.max(most, #outcome - 1)
        end
    end
    local list = {}
    for position = 1, most do
        local tree, seen = { kind = "union" }, {}
        for _, outcome in ipairs(outcomes) do
            local text = outcome[position + 1] or "nil"
            if not seen[text] then
                seen[text] = true
                local part = notation.read(text)
                if part.kind == "rest" then
                    list[position] = part
                    return list
                end
                for _, alternative in ipairs(part.kind == "union" and part or { part }) do
                    tree[#tree + 1] = alternative
                end
            end
        end
        list[position] = tree[2] and tree or tree[1]
    end
    return list
end

--- The arguments of a call as those of a function type: "self: Linda, key: Key".
-- @param args as in an entry of the reference
-- @param self the class of a method; nil for a function
-- @param typed a function that writes a type in the language of the file
function notation.arguments(args, self, typed)
    local texts = {}
    if self then
        texts[1] = "self: " .. self
    end
    for _, arg in ipairs(args) do
        texts[#texts + 1] = arg[1] .. ": " .. typed(arg[2])
    end
    return table.concat(texts, ", ")
end

return notation
