--- The public interface as data: every function, method, global, field, option, result and error.
--- `lanes.help` reads it, and ci/types makes type files and a page of the manual from it.
--
-- A face is an interface that `require` returns, of 3.x or of 4.x: { module =, page =, parts = }. Its parts are modules
-- that return lists of classes. A class:
--   class    name; "lanes" for the module, "globals" for the globals of lanes
--   kind     "module", "object" (has methods), "table" (has functions), "globals", "options" (a table
--            that a call takes),
--            "record" (a table that a call returns), "function", "alias", "opaque"
--   of       options: the call that takes them; table: how programs write it
--   page     page of docs/manual, with #heading; text: what it is, in one sentence
--   members  list of functions, fields and options; index: list of { type of key, type, text }
--   type, values   alias, opaque: its type; or its values, strings
--   own      true if Lanes 3.x does not have it
-- A member:
--   name, page, text, own   as above; options take the page of their class
--   type     of a field or option ("?" at the end: or nil); needed: an option that must be given
--   args     of a function: list of { name, type, text }; "name?" is optional, "..." any number
--   forms    in place of args, if there are several: a list of args; form_returns: their results
--   returns  list of outcomes: { when, type, ... }; the last type may end in "...", any number;
--            rare: happens only if the caller has asked for it (a timeout, a request), and so is no
--            part of the type of the call
--   errors   beginnings of the messages, as the pages of the manual list them
-- Types are written as in LuaCATS, with the names of classes as they are here.

local reference = {}

-- Loads a part.
reference.load = require

reference.faces = {
    {
        module = "lanes", page = "reference.md",
        parts = { "lanes.reference.module", "lanes.reference.objects", "lanes.reference.groups", "lanes.reference.loops" },
    },
    { module = "lanes.v4", page = "reference-4.md", parts = { "lanes.reference.four" } },
}

--- The classes of a face, in order.
-- @param face an entry of `reference.faces`; default: the first
-- @return a list of classes; each has its name as a key, too
function reference.classes(face)
    face = face or reference.faces[1]
    if not face.classes then
        local classes = {}
        for _, part in ipairs(face.parts) do
            for _, class in ipairs(reference.load(part)) do
                classes[#classes + 1] = class
                classes[class.class] = class
            end
        end
        face.classes = classes
    end
    return face.classes
end

local function form(args)
    local text, closing = "", ""
    for i, arg in ipairs(args) do
        local name, optional = arg[1]:match "^(.-)(%??)$"
        if optional == "" then
            text = text .. closing .. (i > 1 and ", " or "") .. name
            closing = ""
        else
            text = text .. (i > 1 and " [, " or "[") .. name
            closing = closing .. "]"
        end
    end
    return "(" .. text .. closing .. ")"
end

--- The name of a member with what it belongs to: "lanes.gen", "linda:send", "cancel_test".
function reference.full_name(class, member)
    if class.kind == "globals" then
        return member.name
    elseif class.kind == "object" then
        return class.class:lower() .. (member.returns and ":" or ".") .. member.name
    elseif class.kind == "table" then
        return class.of .. "." .. member.name
    elseif class.kind == "options" then
        return class.of .. " { " .. member.name .. " }"
    end
    return class.class .. "." .. member.name
end

--- The calls of a member: "lanes.timer(linda, key, first [, period])"; without arguments for a
--- field.
-- @return a list of texts
function reference.signatures(class, member)
    local name, list = reference.full_name(class, member), {}
    if not member.returns then
        return { name }
    end
    for _, args in ipairs(member.forms or { member.args }) do
        list[#list + 1] = name .. form(args)
    end
    return list
end

--- What a call returns, as lines of text: "true, Status  -- it has ended".
function reference.outcomes(member)
    local list = {}
    for _, outcome in ipairs(member.returns or {}) do
        local types = {}
        for i = 2, #outcome do
            types[#types + 1] = outcome[i]
        end
        list[#list + 1] = { table.concat(types, ", "), outcome[1] }
    end
    return list
end

return reference
