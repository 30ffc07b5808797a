-- The reference of the 4.x interface (lua/lanes/reference/four.lua) and the library have the same
-- functions, methods, fields and options.

local support = require "support"
if support.apart(describe, it) then return end
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local reference = require "lanes.reference"
local face = reference.faces[2]
local classes = reference.classes(face)

local function sorted(set)
    local list = {}
    for name in pairs(set) do list[#list + 1] = name end
    table.sort(list)
    return table.concat(list, " ")
end

local function names_of(class)
    local names = {}
    for _, member in ipairs(classes[class].members) do names[member.name] = true end
    return sorted(names)
end

--- What a program in a process of its own prints. It has `lanes`, and `sorted`, which returns the
--- names of a set as text.
local function printed(program, settings)
    local result = support.run([[
        local lanes = require "lanes.v4".configure(]] .. (settings or "") .. [[)
        local function sorted(set)
            local list = {}
            for name in pairs(set) do list[#list + 1] = name end
            table.sort(list)
            return table.concat(list, " ")
        end
    ]] .. program)
    assert.equal("", result.err)
    return (result.out:gsub("\r", ""):gsub("\n$", ""))
end

describe("the reference of the 4.x interface has", function()
    it("the fields of the module, and no others", function()
        assert.equal(names_of "lanes", printed("print(sorted(lanes))", "{ with_timers = true }"))
    end)

    it("functions where the module has functions, and fields where it has values", function()
        local functions = {}
        for _, member in ipairs(classes.lanes.members) do
            if member.returns then functions[member.name] = true end
        end
        assert.equal(sorted(functions), printed [[
            local functions = {}
            for name, value in pairs(lanes) do functions[name] = type(value) == "function" or nil end
            print(sorted(functions))]])
    end)

    it("the methods and fields of lindas and lanes", function()
        -- The second upvalue of `__index` is the table of methods. Lua 5.1 and LuaJIT do not show it.
        local program = [[
            local object, fields, names = %s, %q
            for name in names:gmatch "%%S+" do assert(object[name] ~= nil, name) end
            local _, methods = debug.getupvalue(debug.getmetatable(object).__index, 2)
            local found = {}
            for name in pairs(methods or {}) do found[name] = not name:find "^__" or nil end
            for name in fields:gmatch "%%S+" do found[name] = true end
            print(methods and sorted(found) or names)]]
        local function check(class, object, fields)
            assert.equal(names_of(class), printed(program:format(object .. ", " .. ("%q"):format(fields), names_of(class))))
        end
        check("Linda", "lanes.linda()", "status")
        check("Lane", "lanes.gen(function() end)()", "status error_trace_level")
        assert.equal(names_of "SlotDump", printed [[
            local linda = lanes.linda()
            linda:send("slot", 1)
            print(sorted(linda:dump().slot))]])
    end)

    it("the globals of lanes", function()
        assert.equal(names_of "globals", printed [[
            local found = lanes.gen("*", function()
                local names = {}
                -- Those of 3.x only say what has taken their place.
                for name, value in pairs(_G) do
                    local text = (name:find "^set_" or name:find "lane") and type(value) == "function" and select(2, pcall(value))
                    names[name] = not (type(text) == "string" and text:find("3.x", 1, true)) or nil
                end
                return names
            end)()[1]
            for name in pairs(_G) do found[name] = nil end
            found.decoda_name = nil
            print(sorted(found))]])
    end)

    -- The value of an upvalue, or of one of the functions that are upvalues.
    local function upvalue(f, wanted, depth)
        for i = 1, 60 do
            local name, value = debug.getupvalue(f, i)
            if not name then return end
            if name == wanted then return value end
            value = type(value) == "function" and depth > 0 and upvalue(value, wanted, depth - 1)
            if value then return value end
        end
    end

    it("the options of configure, lanes.gen and lanes.linda", function()
        local interface = require "lanes.interface4"
        assert.equal(names_of "ConfigureOptions", sorted(upvalue(interface.checked_settings, "SETTINGS", 0)))
        assert.equal(names_of "GenOptions", sorted(upvalue(interface.publish, "OPTIONS", 3)))
        for _, member in ipairs(classes.LindaOptions.members) do
            -- Each option refuses a value of a wrong type; one has an effect only where variables are closed.
            local program = [[
                local fine = pcall(lanes.linda, { %s = true })
                print(fine and (%q ~= "close_handler" or debug.getmetatable(lanes.linda()).__close))]]
            assert.is_truthy(("false nil"):find(printed(program:format(member.name, member.name)), 1, true), member.name)
        end
    end)
end)

describe("the reference of the 4.x interface", function()
    it("names pages and headings that are in the manual, and calls that its pages have", function()
        local pages = {}
        local function page_of(entry, class)
            local name, anchor = (entry.page or class.page):match "^([^#]*)#?(.*)$"
            local page = pages[name]
            if not page then
                page = { text = support.read("docs/manual/" .. name), [""] = true }
                for heading in ("\n" .. page.text):gmatch "\n#+ ([^\n]*)" do
                    page[heading:lower():gsub("[^%w _-]", ""):gsub(" ", "-")] = true
                end
                pages[name] = page
            end
            assert.is_true(page[anchor], name .. "#" .. anchor)
            return page.text
        end
        for _, class in ipairs(classes) do
            page_of(class, class)
            for _, member in ipairs(class.members or {}) do
                assert.is_truthy(page_of(member, class):find(member.name, 1, true), class.class .. "." .. member.name)
            end
        end
    end)

    it("is what lanes.help shows", function()
        support.contains("linda:receive_batched(key, min [, max])\n", printed [[lanes.help "receive_batched"]])
        support.contains("lanes.coro(", printed [[lanes.help(lanes.coro)]])
        support.contains("lane:resume(...)", printed [[lanes.help()]])
        support.contains('lane "worker" (done)\n', printed [[
            local lane = lanes.gen("*", { name = "worker" }, function() end)()
            lane:join()
            lanes.help(lane)]])
        support.contains("there is no 'batched'", printed [[lanes.help "batched"]])
    end)
end)
