-- The reference (lua/lanes/reference.lua) and the library have the same functions, methods, fields and
-- options; its errors are those of the manual and of the sources.

local support = require "support"
local machine = require "machine"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"
assert(lanes.ABOUT) -- configures
local core = require "lanes_core"
local reference = require "lanes.reference"
local classes = reference.classes()

local function names_of(class)
    local names = {}
    for _, member in ipairs(classes[class].members) do
        names[member.name] = true
    end
    return names
end

local function sorted(set)
    local list = {}
    for name in pairs(set) do list[#list + 1] = name end
    table.sort(list)
    return list
end

-- The names in quotes or between commas of a message, after `begin`.
local function listed(text, begin, pattern)
    local from = select(2, text:find(begin, 1, true))
    assert.truthy(from, text)
    local names = {}
    for name in text:sub(from + 1):gmatch(pattern) do names[name] = true end
    return names
end

local function message(f, ...)
    local fine, text = pcall(f, ...)
    assert.is_false(fine)
    return text
end

local function field(object, name)
    return function() return object[name] end
end

describe("the reference has", function()
    it("the fields of the module, and no others", function()
        local found = {}
        -- What is gone only says that it is of the other interface.
        for name, value in pairs(lanes) do found[name] = value ~= core.gone or nil end
        -- `configure` is there until it has been called, `timer_lane` in a main state with timers.
        found.configure, found.timer_lane = true, true
        assert.same(sorted(found), sorted(names_of "lanes"))
    end)

    it("functions where the module has functions, and fields where it has values", function()
        for _, member in ipairs(classes.lanes.members) do
            local value = lanes[member.name]
            if value ~= nil then
                assert.equal(member.returns ~= nil, type(value) == "function", member.name)
            end
        end
    end)

    it("the fields of lanes.ABOUT", function()
        assert.same(sorted(lanes.ABOUT), sorted(names_of "About"))
    end)

    it("the methods of lindas", function()
        local found = {}
        for name in pairs(debug.getmetatable(lanes.linda()).__index) do
            if not name:find "^__" then found[name] = true end
        end
        assert.same(sorted(found), sorted(names_of "Linda"))
    end)

    it("the fields of lane handles", function()
        local lane = lanes.gen(function() end)()
        local found = listed(message(field(lane, "nothing like that")), "a lane has", "'([%w_]+)'")
        assert.same(sorted(found), sorted(names_of "Lane"))
        for name in pairs(found) do assert.is_not_nil(lane[name]) end
        for name in pairs(debug.getmetatable(lane)[1]) do assert.is_true(found[name], name) end
    end)

    it("the methods of pools and the fields of futures", function()
        local pool = lanes.pool { workers = 1 }
        local found = listed(message(field(pool, "nothing like that")), "a pool has", "'([%w_]+)'")
        assert.same(sorted(found), sorted(names_of "Pool"))
        for name in pairs(found) do assert.equal("function", type(pool[name])) end
        for name in pairs(debug.getmetatable(pool).__index) do assert.is_true(found[name], name) end
        local future = pool:submit(function() end)
        found = listed(message(field(future, "nothing like that")), "a future has", "'([%w_]+)'")
        assert.same(sorted(found), sorted(names_of "Future"))
        for name in pairs(found) do assert.is_not_nil(future[name]) end
        assert.same(sorted(pool:stats()), sorted(names_of "PoolStats"))
        pool:close()
    end)

    it("the fields of supervisors", function()
        local supervisor = lanes.supervise { { name = "one", start = lanes.gen("*", function() end), restart = "temporary" } }
        local found = listed(message(field(supervisor, "nothing like that")), "a supervisor has", "'([%w_]+)'")
        assert.same(sorted(found), sorted(names_of "Supervisor"))
        for name in pairs(found) do assert.is_not_nil(supervisor[name]) end
        for name in pairs(supervisor:which()[1]) do assert.is_true(names_of("ChildState")[name], name) end
        supervisor:stop()
    end)

    it("the functions for event loops, and the methods of notifiers", function()
        assert.same(sorted(lanes.async), sorted(names_of "AsyncLoops"))
        local notifiers = { lanes.linda():notifier "k", lanes.gen("*", function() end)():notifier() }
        for name in pairs(names_of "Notifier") do
            for _, notifier in ipairs(notifiers) do assert.is_function(notifier[name], name) end
        end
        assert.same(sorted(debug.getmetatable(notifiers[1]).__index), sorted(names_of "Notifier"))
        local fine, uv = pcall(require, "luv")
        local calls = fine and lanes.async.luv(uv)
        if calls then assert.same(sorted(calls), sorted(names_of "Async")) end
    end)

    it("the fields of events and of slots in a dump", function()
        local linda = lanes.linda()
        lanes.gen("*", function() error "no" end)():monitor(linda, "end")
        local _, event = linda:receive "end"
        assert.same(sorted(event), sorted(names_of "Event"))
        linda:send("k", 1)
        assert.same(sorted(linda:dump().k), sorted(names_of "SlotDump"))
    end)

    it("the globals of lanes", function()
        local found = lanes.gen("*", function()
            local names = {}
            for name in pairs(_G) do names[name] = true end
            return names
        end)()[1]
        -- What the standard interpreter has, and the name for debuggers.
        local standard = support.run("for name in pairs(_G) do print(name) end").out
        for name in standard:gmatch "[%w_]+" do found[name] = nil end
        found.decoda_name = nil
        assert.same(sorted(found), sorted(names_of "globals"))
    end)
end)

describe("the reference has the options of", function()
    local function compare(class, text, begin)
        assert.same(sorted(listed(text, begin, "[%w_]+")), sorted(names_of(class)))
    end
    local wrong = { ["nothing like that"] = true }

    it("configure", function()
        local result = support.run [[print(select(2, pcall(require "lanes".configure, { ["nothing like that"] = 1 })))]]
        compare("ConfigureOptions", result.out, "settings are")
    end)

    it("lanes.gen", function()
        compare("GenOptions", message(lanes.gen, wrong, print), "options of lanes.gen are")
    end)

    it("lanes.pool", function()
        compare("PoolOptions", message(lanes.pool, wrong), "options of lanes.pool are")
    end)

    it("lanes.map and lanes.imap", function()
        compare("ImapOptions", message(lanes.imap, {}, print, wrong), "options of imap are")
        for name in pairs(names_of "MapOptions") do assert.is_true(names_of("ImapOptions")[name], name) end
    end)

    it("lanes.wait", function()
        compare("WaitOptions", message(lanes.wait, {}, wrong), "options of lanes.wait are")
    end)

    it("lanes.supervise and its children", function()
        compare("SuperviseOptions", message(lanes.supervise, wrong), "options are")
        compare("Child", message(lanes.supervise, { { name = "x", ["nothing like that"] = 1 } }), "fields are")
    end)
end)

-- Calls f(entry, class) for each class and member.
local function each(f)
    for _, class in ipairs(classes) do
        f(class, class)
        for _, member in ipairs(class.members or {}) do f(member, class) end
    end
end

describe("the reference", function()
    it("names pages and headings that are in the manual", function()
        local headings = {}
        local function anchors(page)
            if not headings[page] then
                headings[page] = {}
                for heading in ("\n" .. support.read("docs/manual/" .. page)):gmatch "\n#+ ([^\n]*)" do
                    headings[page][heading:lower():gsub("[^%w _-]", ""):gsub(" ", "-")] = true
                end
            end
            return headings[page]
        end
        each(function(entry, class)
            local page, anchor = (entry.page or class.page):match "^([^#]*)#?(.*)$"
            assert.is_true(anchor == "" or anchors(page)[anchor], page .. "#" .. anchor)
        end)
    end)

    it("has each call in a heading, a table or a signature of its page", function()
        each(function(entry, class)
            if entry.name then
                local page = support.read("docs/manual/" .. (entry.page or class.page):match "^[^#]*")
                assert.is_truthy(page:find(entry.name, 1, true), class.class .. "." .. entry.name)
            end
        end)
    end)

    -- The texts of the tables "Message" of a page.
    local function messages_of(text)
        local list, inside = {}, false
        for line in text:gmatch "[^\n]*" do
            if line:find "^| Message |" then
                inside = true
            elseif inside and line:find "^| `" then
                for part in line:match("^| (.-) |[^`]*"):gmatch "`([^`]*)`" do list[part] = true end
            elseif not line:find "^|" and line ~= "" then
                inside = false
            end
        end
        return list
    end

    it("has the errors that its pages list, and they have its errors", function()
        local own, pages = {}, {}
        each(function(entry)
            for _, text in ipairs(entry.errors or {}) do own[text] = true end
        end)
        for _, name in ipairs(machine.names "docs/manual") do
            if name ~= "troubleshooting.md" and name ~= "embedding.md" and name:find "%.md$" then
                for text in pairs(messages_of(support.read("docs/manual/" .. name))) do pages[text] = name end
            end
        end
        local function has_beginning(set, text)
            for other in pairs(set) do
                if other:sub(1, #text) == text or text:sub(1, #other) == other then return true end
            end
        end
        for text in pairs(own) do
            assert.is_truthy(has_beginning(pages, text), "no page lists: " .. text)
        end
        for text, page in pairs(pages) do
            -- Errors about values belong to all calls that pass some.
            if page ~= "transfer.md" and not text:find "^arg #" then
                assert.is_truthy(has_beginning(own, text), page .. " lists: " .. text)
            end
        end
    end)

    -- What the sources have of texts that are put together from parts, or are Lua's own.
    local COMPOSED = {
        ["lanes wait, and nothing can wake them"] = ", and nothing can wake ",
        ["attempt to call field"] = "lanes.configure = nil", ["Bad stack"] = 'error("Bad " .. key',
        ["number or date table expected"] = "number or date table", ["priority out of range"] = "riority out of range",
        ["can't index a future with"] = "can't index a %s with", ["can't index a pool with"] = "can't index a %s with",
        ["can't index a supervisor with"] = "can't index a %s with",
    }

    it("has errors whose words are in the sources", function()
        local sources = {}
        local function read(directory)
            for _, name in ipairs(machine.names(directory)) do
                local path = directory .. "/" .. name
                if name:find "%.lua$" and not path:find "/reference" or name:find "%.rs$" then
                    -- Texts go on in the next line after a backslash.
                    sources[#sources + 1] = support.read(path):gsub("\\\r?\n%s*", ""):gsub('\\"', '"')
                elseif not name:find "^%." and require "lfs".attributes(path, "mode") == "directory" then
                    read(path)
                end
            end
        end
        read "lua"
        read "src"
        read "engine/src"
        local all = table.concat(sources, "\n")
        each(function(entry)
            for _, text in ipairs(entry.errors or {}) do
                -- The longest part without values, which are filled in.
                local longest = ""
                for part in text:gsub("<[^>]*>", "\n"):gsub("'[%w_]+'", "\n"):gsub("[^%a%s,']", "\n"):gmatch "[^\n]+" do
                    local words = part:match "^%A*(.-)%A*$"
                    if #words > #longest then longest = words end
                end
                longest = COMPOSED[longest] or longest
                assert.is_truthy(all:find(longest, 1, true), text)
            end
        end)
    end)
end)

describe("a wrong name is answered with the right one", function()
    local CASES = {
        { "an option of gen", "Bad 'prioritty' option; do you mean 'priority'?", function() lanes.gen({ prioritty = 1 }, print) end },
        { "an option of a pool", "Bad 'worker' option; do you mean 'workers'?", function() lanes.pool { worker = 1 } end },
        { "an option of a map", "Bad 'chunks' option; do you mean 'chunk'?", function() lanes.map({}, print, { chunks = 1 }) end },
        { "an option of wait", "Bad 'timeuot' option; do you mean 'timeout'?", function() lanes.wait({}, { timeuot = 1 }) end },
        { "an option of supervise", "unknown option 'strategi'; do you mean 'strategy'?", function() lanes.supervise { strategi = 1 } end },
        {
            "a field of a child", "unknown field 'Start'; do you mean 'start'?",
            function() lanes.supervise { { name = "x", Start = print } } end,
        },
        { "a library", "Bad library name: strng; do you mean 'string'?", function() lanes.gen("strng", print) end },
        { "a method of a lane", "'jion'; do you mean 'join'? A lane has", function() lanes.gen(function() end)():jion() end },
        {
            "a method of a pool", "'submitt'; do you mean 'submit'? A pool has",
            function()
                local pool = lanes.pool { workers = 1 }
                pool:submitt(print)
            end,
        },
        {
            "a method of a future", "'canel'; do you mean 'cancel'? A future has",
            function()
                local future = lanes.pool({ workers = 1 }):submit(function() end)
                future:canel()
            end,
        },
    }
    for _, case in ipairs(CASES) do
        it("for " .. case[1], function() support.raises(case[2], case[3]) end)
    end

    it("for a setting", function()
        local result = support.run [[print(select(2, pcall(require "lanes".configure, { with_timer = false })))]]
        support.contains("Unknown parameter 'with_timer' in configure options; do you mean 'with_timers'? (settings are", result.out)
    end)

    it("not if no name is near, or the name is no string", function()
        for _, key in ipairs { "colour", "x", "", ("priority"):rep(100), true, 1.5 } do
            local text = message(lanes.pool, { [key] = 1 })
            assert.is_nil(text:find("do you mean", 1, true), text)
        end
    end)

    it("for a method of a linda, when it is called", function()
        local linda = lanes.linda()
        support.raises("no method 'recieve'; do you mean 'receive'? A linda has cancel, count, deep, dump, ", function()
            linda:recieve "key"
        end)
        support.raises("no method 'Send'; do you mean 'send'?", function() linda:Send("key", 1) end)
        local methods = 0
        for _, member in ipairs(classes.Linda.members) do
            if type(linda[member.name]) == "function" then
                methods = methods + 1
                support.raises("do you mean '" .. member.name .. "'? A linda has", linda[member.name .. "_"], linda)
            end
        end
        assert.is_true(methods >= 9)
    end)

    it("and other names of lindas and of the module read as nil, as in Lanes 3.x", function()
        local linda = lanes.linda()
        for _, name in ipairs { "receiver_of", "close", "__call", "ge", "nul", "batchd", 1, true } do assert.is_nil(linda[name]) end
        assert.is_nil(lanes.lindda)
    end)
end)

describe("objects say what they are:", function()
    it("pools, futures, supervisors, timers", function()
        local pool = lanes.pool { workers = 2, name = "render" }
        assert.equal("Pool: render (2 workers, 0 busy, 0 queued)", tostring(pool))
        local future = pool:submit(function() end)
        future:join()
        assert.equal("Future: done", tostring(future))
        pool:close()
        local supervisor = lanes.supervise { { name = "one", start = lanes.gen("*", function() end), restart = "temporary" } }
        supervisor:join()
        assert.equal("Supervisor: done, 1 children", tostring(supervisor))
        local linda = lanes.linda "clock"
        lanes.timer(linda, "alarm", 3600, 5)
        assert.matches('^Timer: Linda: clock, key "alarm", in 3%d%d%d%.%d+ s, every 5 s$', tostring(lanes.timers()[1]))
        lanes.timer(linda, "alarm", nil)
    end)
end)

describe("lanes.help", function()
    --- What `lanes.help(...)` prints for an argument written in Lua.
    local function help(argument, before)
        local result = support.run(('local lanes = require "lanes".configure() %s lanes.help(%s)'):format(before or "", argument))
        assert.equal("", result.err)
        return result.out
    end

    it("shows signature, text, arguments and results of a name", function()
        local text = help '"linda:get"'
        support.contains("linda:get(key [, count])\n", text)
        support.contains(classes.Linda.members[4].text, text)
        support.contains("count    integer: how many at most; default 1", text)
        support.contains("returns  any...: the values; nothing if it is empty", text)
        assert.equal(text, help '"Linda.get"')
    end)

    it("finds names without their class, options and globals", function()
        support.contains("linda:receive(", help '"receive"')
        support.contains("lanes.gen { gc_cb }", help '"gc_cb"')
        support.contains("set_finalizer(f)", help '"set_finalizer"')
        support.contains("Event: ", help '"Event"')
    end)

    it("names the nearest name", function()
        support.contains("there is no 'recieve'; do you mean 'receive'?\nlinda:receive(", help '"recieve"')
        assert.equal("there is no 'no such name'\n", help '"no such name"')
    end)

    it("shows the state of objects", function()
        support.contains('Linda: jobs\n    "todo": 2\n', help("l", [[local l = lanes.linda "jobs" l:send("todo", 1, 2)]]))
        support.contains('lane "worker" (done)\n',
            help("h", [[local h = lanes.gen("*", function() set_debug_threadname "worker" end)() h:join()]]))
        assert.matches('^lane "<unnamed>" %(waiting, %d+%.%d s%)\n', help("h", [[local h = lanes.gen("*", function()
            lanes.linda():receive "never"
        end)()
        while h.status ~= "waiting" do end]]))
        support.contains("Pool: render (2 workers", help [[lanes.pool { workers = 2, name = "render" }]])
    end)

    it("knows functions of the module and methods", function()
        support.contains("lanes.linda([name [, group]])\n", help "lanes.linda")
        support.contains("linda:send(key, ...)\n", help "lanes.linda().send")
        support.contains("lane:join([timeout])\n", help "lanes.timer_lane.join")
        support.contains("one of Lanes", help "print")
        support.contains("lanes.cancel_error", help "lanes.cancel_error")
        support.contains("one of Lanes", help "12")
        support.contains("one of Lanes", help "nil")
    end)

    it("lists everything", function()
        local text = help ""
        each(function(entry, class)
            if entry.name and (class.kind == "module" or class.kind == "object" or class.kind == "globals") then
                support.contains(reference.signatures(class, entry)[1], text)
            end
        end)
    end)

    it("works in a lane", function()
        local out = support.run([[
            local lanes = require "lanes".configure()
            print(select(2, lanes.gen("*", function() require "lanes".help "gen" end)():join()))]]).out
        support.contains("lanes.gen(", out)
    end)
end)

