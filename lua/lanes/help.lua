--- `lanes.help`: prints what a name or a value is, from the reference
--- (docs/manual/reference.md#laneshelpname).

local lanes = require "lanes"
local core = require "lanes_core"
local reference = require "lanes.reference"

reference.load = core.late

-- Whether the program uses the 4.x interface.
local four = lanes.ABOUT.version:find "^4" ~= nil

local function classes()
    return reference.classes(reference.faces[four and 2 or 1])
end

local help = {}

local INDENT = "    "

local function print_lines(...)
    for i = 1, select("#", ...) do
        print((select(i, ...)))
    end
end

-- Prints two columns.
local function print_columns(rows)
    local width = 0
    for _, row in ipairs(rows) do
        width = math.max(width, #row[1])
    end
    for _, row in ipairs(rows) do
        print((INDENT .. row[1] .. (" "):rep(width - #row[1] + 2) .. row[2]):match "^(.-)%s*$")
    end
end

local function print_member(class, member)
    print_lines((table.concat(reference.signatures(class, member), "\n")))
    print(INDENT .. member.text)
    local rows, known = {}, {}
    if not member.returns then
        rows[1] = { "type", member.type }
    end
    for _, args in ipairs(member.forms or { member.args }) do
        for _, arg in ipairs(args) do
            local name = arg[1]:match "^[^?]*"
            if not known[name] then
                known[name] = true
                rows[#rows + 1] = { name, arg[2] .. (arg[3] and ": " .. arg[3] or "") }
            end
        end
    end
    for _, outcome in ipairs(reference.outcomes(member)) do
        rows[#rows + 1] = { "returns", (outcome[1] == "" and "nothing" or outcome[1]) .. ": " .. outcome[2] }
    end
    print_columns(rows)
    print(INDENT .. "docs/manual/" .. (member.page or class.page))
end

local function print_class(class)
    print(class.class .. ": " .. class.text)
    local rows = {}
    for _, index in ipairs(class.index or {}) do
        rows[#rows + 1] = { "[n]", index[3] or index[2] }
    end
    for _, member in ipairs(class.members or {}) do
        for i, signature in ipairs(reference.signatures(class, member)) do
            rows[#rows + 1] = { signature, i == 1 and (member.text or member.type) or "" }
        end
    end
    print_columns(rows)
    if class.returns then
        print_columns { { "returns", reference.outcomes(class)[1][1] } }
    end
    print(INDENT .. "docs/manual/" .. class.page)
end

-- All names, each with the entries that have it, in the order of the reference.
local function index()
    local found, list = {}, {}
    local function add(name, class, member)
        if not found[name] then
            found[name] = {}
            list[#list + 1] = name
        end
        table.insert(found[name], { class, member })
    end
    for _, class in ipairs(classes()) do
        add(class.class, class)
        for _, member in ipairs(class.members or {}) do
            add(member.name, class, member)
            add(class.class .. "." .. member.name, class, member)
        end
    end
    return found, list
end

local function print_name(name)
    local found, list = index()
    local plain = name:gsub(":", "."):gsub("%(.*$", "")
    local short = plain:match "([^.]*)$"
    local entries = found[plain] or found[plain:gsub("^%l", string.upper)]
    if not entries then
        local nearest = core.nearest(plain, table.concat(list, " ")) or core.nearest(short, table.concat(list, " "))
        print(("there is no '%s'%s"):format(name, nearest and "; do you mean '" .. nearest .. "'?" or ""))
        entries = found[nearest]
    end
    for _, entry in ipairs(entries or {}) do
        if entry[2] then
            print_member(entry[1], entry[2])
        else
            print_class(entry[1])
        end
    end
end

-- Prints a line about the state of an object, and its class.
local function print_object(text, class)
    print(text)
    print_class(classes()[class])
end

local function text_of_linda(linda)
    local keys, text = {}, { tostring(linda) }
    local counts = linda:count()
    for key in pairs(counts) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(left, right)
        return tostring(left) < tostring(right)
    end)
    for _, key in ipairs(keys) do
        text[#text + 1] = ("%s%s: %d"):format(INDENT, type(key) == "string" and ("%q"):format(key) or tostring(key), counts[key])
    end
    return table.concat(text, "\n")
end

-- The class of a table of the module, by the name of its text.
local function class_of(value)
    local name = tostring(value):match "^(%a+): "
    return (name == "Pool" or name == "Future" or name == "Supervisor" or name == "Timer") and name
end

-- The entry of a function of the module or of an object.
local function entry_of(f, objects)
    for _, class in ipairs(classes()) do
        local object = class.kind == "module" and lanes or objects[class.class]
        for _, member in ipairs(object and class.members or {}) do
            if member.returns and object[member.name] == f then
                return class, member
            end
        end
    end
end

--- The text of an entry of `lanes.timers()`.
function help.timer(entry)
    local key, due, period = entry[2], entry[3][1] - lanes.now_secs(), entry[3][2]
    key = type(key) == "string" and ("%q"):format(key) or tostring(key)
    return ("Timer: %s, key %s, in %.3f s%s"):format(tostring(entry[1]), key, due, period and (", every %g s"):format(period) or "")
end

--- Prints what a name or a value is. Returns nothing.
-- @param ... a name, or a value; nothing: lists all names
function help.help(...)
    local value = ...
    if select("#", ...) == 0 or value == lanes then
        for _, class in ipairs(classes()) do
            if class.kind == "module" or class.kind == "object" or class.kind == "globals" then
                print_class(class)
            end
        end
        print "lanes.help(name) tells more."
    elseif type(value) == "string" then
        print_name(value)
    elseif core.is_lane(value) then
        local status = value.status
        local ended = status == "done" or status == "error" or status == "cancelled"
        print_object(("lane %q (%s%s)"):format((four and value.get_threadname or value.get_debug_threadname)(value), status,
            ended and "" or (", %.1f s"):format(core.age(value))), "Lane")
    elseif type(value) == "userdata" and getmetatable(value) == "Linda" then
        print_object(text_of_linda(value), "Linda")
    elseif value == lanes.cancel_error then
        print_name "lanes.cancel_error"
    elseif value == lanes.null then
        print_name "lanes.null"
    elseif type(value) == "function" then
        local class, member = entry_of(value, { Linda = lanes.linda(), Lane = lanes.timer_lane })
        if class then
            print_member(class, member)
        else
            print "a function that is not one of Lanes"
        end
    elseif type(value) == "table" and class_of(value) then
        print_object(tostring(value), class_of(value))
    else
        print(("a value of type %s, which is not one of Lanes"):format(type(value)))
    end
end

return help
