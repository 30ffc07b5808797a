-- Scenarios that cover every public function, for specs that make each of them fail at every point where it can fail.
--
-- A scenario is a table: `name`; `setup()`, whose result is passed to the others; `run(given)`, which may fail at any point;
-- `check(given, ok)`, which raises an error unless `run` has been completed (ok) or has had no effect.
local lanes = require "lanes"
if lanes.configure then lanes.configure { verbose_errors = true, demote_full_userdata = true } end
local expect = require "expect"
local support = require "support"

local unpack = table.unpack or unpack

local scenarios = {}

-- Fields that `run` may set in the table it is given. They exist from the start, so that setting them allocates nothing.
local results = {
    "all", "dump", "first", "identity", "key", "kind", "lane", "list", "lock", "made", "name", "one", "received", "refused",
    "second", "sent", "taken", "text", "two", "value",
}

local function scenario(name, setup, run, check)
    local function prepared()
        local given = setup()
        for _, field in ipairs(results) do
            if given[field] == nil then given[field] = false end
        end
        return given
    end
    scenarios[#scenarios + 1] = { name = name, setup = prepared, run = run, check = check }
end

local function holds(condition, description)
    if not condition then error(description, 2) end
end

local LONG = ("long string "):rep(1000)
local class = { __index = { method = function() return "method" end } }

-- A module with a class; no lane can require it.
local module = { value = 3, class = {} }
module.__index = module
module.class.__index = module.class
function module.method() return "module's" end
function module.class.method() return "class's" end
package.loaded.scenarios_module = module

-- A clonable userdata whose metatable is in no module.
local nameless = { __lanesclone = function() end, value = 4 }
nameless.__index = nameless
local nameless_userdata = newproxy and newproxy() or io.tmpfile()
debug.setmetatable(nameless_userdata, nameless)

local function nested(depth)
    local value = { "bottom" }
    for _ = 1, depth do value = { value, key = value } end
    return value
end

-- Kinds of values that can be transferred: a function that makes one, and one that checks one.
local values = {
    { "a scalar", function() return 1.5 end, function(v) return v == 1.5 end },
    { "a long string", function() return LONG end, function(v) return v == LONG end },
    { "nested tables", function() return { { 1, 2, { x = "y" } }, list = { "a", "b", { true } } } end,
        function(v) return v[1][2] == 2 and v[1][3].x == "y" and v.list[3][1] == true end },
    { "deep tables", function() return nested(70) end, function(v)
        for _ = 1, 70 do
            if v[1] ~= v.key then return false end
            v = v[1]
        end
        return v[1] == "bottom"
    end },
    { "a table with a metatable", function() return setmetatable({ 1 }, class) end,
        function(v) return v[1] == 1 and v.method() == "method" end },
    { "a table with a fresh metatable", function() return setmetatable({}, { __index = { x = { 1 } } }) end,
        function(v) return v.x[1] == 1 end },
    { "a function", function()
        local x, t = 20, { 22 }
        return function() return x + t[1] end
    end, function(v) return v() == 42 end },
    { "functions that share a variable", function()
        local n = 0
        return { up = function() n = n + 1 end, get = function() return n end }
    end, function(v)
        v.up()
        return type(v.get()) == "number"
    end },
    { "C functions", function() return { string.rep, math.floor } end,
        function(v) return v[1] == string.rep and v[2] == math.floor end },
    { "a module", function() return { module } end, function(v) return v[1].value == 3 and v[1].method() == "module's" end },
    { "an object whose class is a module", function() return { setmetatable({ 1 }, module), module } end,
        function(v) return v[1].method() == "module's" and getmetatable(v[1]) == v[2] end },
    { "an object whose class is in a module", function() return setmetatable({ 1 }, module.class) end,
        function(v) return v.method() == "class's" end },
    { "userdata whose metatable has no name", function() return nameless_userdata end, function(v) return v.value == 4 end },
    { "a linda", function() return lanes.linda("sent") end, function(v) return tostring(v) == "Linda: sent" end },
    { "lindas in tables", function() return { lanes.linda("one"), { lanes.linda("two") } } end,
        function(v) return tostring(v[1]) == "Linda: one" and tostring(v[2][1]) == "Linda: two" end },
}

-- Userdata of a C module (tests/capi/deep_test.c, which must have been built).
local has_module, deep_test = pcall(require, "deep_test")
if has_module then lanes.require "deep_test" end

--- Whether the scenario of this name needs that module.
function scenarios.needs_module(name)
    return name:find("of a C module", 1, true) ~= nil
end

values[#values + 1] = { "a shared object of a C module", function()
    local object = deep_test.new(7, 1)
    object:set_user_value(1, { "user value" })
    return object
end, function(v) return v:get() == 7 end }
values[#values + 1] = { "copied userdata of a C module", function()
    local userdata = deep_test.new_clonable "text"
    return { userdata, { userdata } }
end, function(v) return v[1]:get() == "text" and rawequal(v[1], v[2][1]) end }

scenarios.values = values

-- Returns the first element of the slot "key"; raises an error if it is empty.
local function taken(linda)
    local key, value = linda:receive(0, "key")
    holds(key == "key", "an element is missing")
    return value
end

local function counted(linda, count, description)
    holds((linda:count("key") or 0) == count,
        ("%s: %s elements and not %d"):format(description, tostring(linda:count("key")), count))
end

for _, entry in ipairs(values) do
    local what, make, is = unpack(entry)

    scenario("sending " .. what, function() return { lanes.linda(), make() } end,
        function(given) given[1]:send("key", given[2]) end,
        function(given, ok)
            counted(given[1], ok and 1 or 0, "after the send")
            if ok then holds(is(taken(given[1])), "another value arrived") end
        end)

    scenario("sending several: " .. what, function() return { lanes.linda(), make(), make() } end,
        function(given) given[1]:send("key", given[2], given[3], given[2]) end,
        function(given, ok)
            counted(given[1], ok and 3 or 0, "after the send")
            for _ = 1, ok and 3 or 0 do holds(is(taken(given[1])), "another value arrived") end
        end)

    scenario("setting " .. what, function()
        local linda = lanes.linda()
        linda:send("key", "old", "older")
        return { linda, make() }
    end, function(given) given[1]:set("key", given[2]) end,
        function(given, ok)
            counted(given[1], ok and 1 or 2, "after the set")
            local value = taken(given[1])
            holds(ok and is(value) or value == "old", "another value is there")
        end)

    local function full()
        local linda = lanes.linda()
        linda:send("key", make())
        linda:send("key", make(), "last")
        return { linda }
    end

    scenario("receiving " .. what, full, function(given) given.key, given.value = given[1]:receive(0, "key") end,
        function(given, ok)
            counted(given[1], ok and 2 or 3, "after the receive")
            if ok then holds(is(given.value), "another value arrived") else holds(is(taken(given[1])), "it changed") end
            holds(is(taken(given[1])), "the second one changed")
            holds(taken(given[1]) == "last", "the last one changed")
        end)

    scenario("receiving several: " .. what, full,
        function(given) given.key, given.first, given.second = given[1]:receive(0, given[1].batched, "key", 2, 2) end,
        function(given, ok)
            counted(given[1], ok and 1 or 3, "after the receive")
            local first, second = given.first, given.second
            if not ok then first, second = taken(given[1]), taken(given[1]) end
            holds(is(first) and is(second), "another value arrived")
            holds(taken(given[1]) == "last", "the last one changed")
        end)

    scenario("getting and dumping " .. what, full, function(given)
        given.value = given[1]:get("key")
        given.dump = given[1]:dump()
    end, function(given, ok)
        counted(given[1], 3, "after the get")
        if ok then
            holds(is(given.value), "another value is there")
            holds(given.dump.key.count == 3 and is(given.dump.key.fifo[2]), "the dump is wrong")
        end
        for _ = 1, 2 do holds(is(taken(given[1])), "an element changed") end
        holds(taken(given[1]) == "last", "the last one changed")
    end)

    scenario("a lane with argument and upvalue " .. what, function() return { make(), make() } end,
        function(given)
            local upvalue = given[2]
            given.lane = lanes.gen("*", function(argument) return argument, upvalue end)(given[1])
        end, function(given, ok)
            if ok then
                local one, two = expect.finished(given.lane)
                holds(is(one) and is(two), "another value came back")
            end
        end)

    scenario("a lane with the global " .. what, function() return { make() } end,
        function(given)
            given.lane = lanes.gen("*", { globals = { global_one = given[1], global_two = given[1] } }, function()
                return global_one, global_two -- luacheck: ignore
            end)()
        end, function(given, ok)
            if ok then
                local one, two = expect.finished(given.lane)
                holds(is(one) and is(two), "another value came back")
            end
        end)

    local function ended()
        local lane = lanes.gen("*", function(...) return ... end)(make(), make())
        expect.finished(lane)
        lane = lanes.gen("*", function(...) return ... end)(make(), make())
        while lane.status ~= "done" do lanes.sleep(0.0001) end
        return { lane }
    end

    scenario("joining a lane that returned " .. what, ended, function(given) given[1]:join() end,
        function(given)
            local one, two = expect.finished(given[1])
            holds(is(one) and is(two), "another value came back")
        end)

    scenario("indexing a lane that returned " .. what, ended, function(given)
        for _, key in ipairs { 1, 2, 0, 7, "status" } do local _ = given[1][key] end
    end, function(given)
        holds(is(given[1][1]) and is(given[1][2]), "another value came back")
    end)
end

scenario("making lindas", function() return {} end, function(given)
    given.one, given.two = lanes.linda(), lanes.linda("name", 1)
    given.text = tostring(given.two) .. given.one .. given.two
    given.identity = given.one:deep()
end, function(given, ok)
    if ok then holds(given.text:find("^Linda: nameLinda: .*Linda: name$"), given.text) end
    for _, linda in ipairs { given.one or given.two, given.two or given.one } do
        if linda then
            linda:set("key", {})
            counted(linda, 1, "in a new linda")
        end
    end
end)

scenario("making a shared object of a C module", function() return {} end, function(given)
    given.made = deep_test.new(7, 1)
    given.two = deep_test.new(8)
end, function(given, ok)
    if given.made then holds(given.made:get() == 7 and given.made:refcount() == 1, "another object") end
    if ok then holds(given.two:get() == 8, "another object") end
end)

-- Calls a function that must fail with this text; passes other errors on.
local function refused(text, f, ...)
    local ok, problem = pcall(f, ...)
    holds(not ok, "it did not fail")
    if not problem:find(text, 1, true) then error(problem, 0) end
    return true
end

scenario("a value that cannot travel", function()
    return { lanes.linda(), { list = { 1, coroutine.create(function() end) } } }
end, function(given)
    given.refused = refused("Unable to copy", given[1].send, given[1], "key", "before", given[2])
end, function(given, ok)
    holds(given.refused == ok, "no error")
    counted(given[1], 0, "after the send")
end)

scenario("what there is not", function() return {} end, function(given)
    given.refused = refused("not implemented", lanes.set_singlethreaded, 1)
end, function(given, ok) holds(given.refused == ok, "no error") end)

scenario("a wrong name", function()
    return { lanes.gen(function() end)() }
end, function(given)
    given.refused = refused("do you mean 'priority'?", lanes.gen, { prioritty = 1 }, "")
        and refused("do you mean 'string'?", lanes.gen, "strng", "")
        and refused("do you mean 'join'?", function() return given[1].jion end)
end, function(given, ok) holds(given.refused == ok, "no error") end)

local original_print = print
local function silent_print() end

scenario("help", function()
    local linda = lanes.linda "helped"
    linda:send("key", 1)
    return { linda }
end, function(given)
    rawset(_G, "print", silent_print)
    lanes.help(given[1])
    lanes.help "recieve"
end, function()
    -- Also after an error.
    rawset(_G, "print", original_print)
end)

scenario("userdata that become light", function()
    return { lanes.linda(), { io.stdout, io.stderr } }
end, function(given)
    given[1]:send("key", given[2])
end, function(given, ok)
    counted(given[1], ok and 1 or 0, "after the send")
    if ok then
        local one = taken(given[1])[1]
        holds(type(one) == "userdata" and one ~= io.stdout, "another value arrived")
    end
end)

scenario("looking into a linda", function()
    local linda = lanes.linda("watched")
    linda:send("key", { "value" })
    return { linda }
end, function(given)
    given.dump = given[1]:__towatch()
end, function(given, ok)
    if ok then holds(given.dump.key.count == 1 and given.dump.key.fifo[1][1] == "value", "the dump is wrong") end
    counted(given[1], 1, "afterwards")
end)

scenario("a handle that is collected", function()
    local given = {}
    given[1] = lanes.gen("*", { gc_cb = function(_, how) given.kind = how end }, function() end)()
    expect.finished(given[1])
    return given
end, function(given)
    given[1] = false
    collectgarbage()
end, function(given, ok)
    -- If Lua turns errors of finalizers into warnings, the callback is not called and nothing fails.
    if ok and support.finalizers_raise then holds(given.kind == "closed", "the callback was not called") end
end)

scenario("counting, limiting, cancelling", function()
    local linda = lanes.linda()
    linda:send("key", 1, 2)
    linda:send(nil, 7, 1)
    return { linda }
end, function(given)
    local linda = given[1]
    given.all, given.two = linda:count(), linda:count("key", 7)
    linda:limit("key", 2)
    linda:limit("other", 2)
    given.refused = linda:send(0, "key", 3)
    linda:cancel("read")
    linda:cancel("none")
end, function(given, ok)
    given[1]:cancel("none")
    counted(given[1], 2, "afterwards")
    if ok then
        holds(given.all.key == 2 and given.two[7] == 1, "the counts are wrong")
        holds(given.refused == false, "the limit was not there")
    end
end)

scenario("receiving from several keys", function()
    local linda = lanes.linda()
    linda:send("key", { "value" })
    return { linda }
end, function(given)
    given.key, given.value = given[1]:receive(0, 1, "other", {} and "key", true)
end, function(given, ok)
    if ok then holds(given.key == "key" and given.value[1] == "value", "another value") end
    counted(given[1], ok and 0 or 1, "after the receive")
end)

scenario("timing out", function() return { lanes.linda() } end, function(given)
    given[1]:limit("full", 0)
    given.sent = given[1]:send(0.0001, "full", { 1 })
    given.received = given[1]:receive(0.0001, "none")
    lanes.sleep(0.0001)
    lanes.now_secs()
end, function(given)
    holds((given[1]:count("full") or 0) == 0 and not given.sent and not given.received, "something was there")
end)

scenario("generators with every option", function() return { x = 1 } end, function(given)
    given.lane = lanes.gen("base,package,string", "table", {
        globals = { text = "text", list = { 1 } },
        required = { "lanes" },
        package = { path = package.path, cpath = package.cpath, preload = { own = function() return { 1 } end } },
        priority = 0,
        gc_cb = function() end,
    }, function(...)
        return text, list[1], type(require "lanes".linda), ... -- luacheck: ignore
    end)(given.x)
end, function(given, ok)
    if ok then
        local text, one, kind, x = expect.finished(given.lane)
        holds(text == "text" and one == 1 and kind == "function" and x == 1, "another result")
    end
end)

scenario("a lane with a stack of its own size", function() return { x = 1 } end, function(given)
    given.lane = lanes.gen("*", { stack_size = 2 ^ 20 }, function(x) return x end)(given.x)
end, function(given, ok)
    if ok then holds(expect.finished(given.lane) == 1, "another result") end
end)

-- Modules that a lane can require.
package.preload.scenarios_loaded = function() return { value = { 5 } } end
package.preload.scenarios_launching = function()
    local lane = require "lanes".gen("*", { required = { "scenarios_loaded" } }, function()
        return require "scenarios_loaded".value[1]
    end)()
    return { lane:join() }
end
package.preload.scenarios_circle = function()
    local lane = require "lanes".gen("*", function() return pcall(require, "scenarios_circle") end)()
    return { select(2, lane:join()) }
end

local function forget()
    for _, name in ipairs { "scenarios_loaded", "scenarios_launching", "scenarios_circle" } do package.loaded[name] = nil end
end

scenario("a lane whose modules are loaded on its thread", function()
    forget()
    return { require "scenarios_loaded" }
end, function(given)
    local upvalue = given[1]
    given.lane = lanes.gen("*", { required = { "scenarios_loaded" } }, function(argument)
        return upvalue.value[1], upvalue == argument and argument == require "scenarios_loaded"
    end)(given[1])
end, function(given, ok)
    if ok then
        local value, same = expect.finished(given.lane)
        holds(value == 5 and same, "another module")
    end
end)

-- There is one idle thread, whose stack size may differ from the size asked for.
scenario("a lane with a stack of its own size whose modules are loaded on its thread", function() return {} end, function(given)
    given.lane = lanes.gen("*", { stack_size = 2 ^ 20, required = { "scenarios_loaded" } }, function()
        return require "scenarios_loaded".value[1]
    end)()
end, function(given, ok)
    if ok then holds(expect.finished(given.lane) == 5, "another module") end
end)

scenario("a module that launches a lane which loads another", function()
    forget()
    return {}
end, function(given)
    given.value = require "scenarios_launching"
end, function(given, ok)
    if ok and given.value[1] ~= 5 then error(given.value[2], 0) end
    holds(not ok or package.loaded.scenarios_launching == given.value, "another module is there")
end)

-- The lane is refused the module or memory; the module itself exists.
scenario("a module whose loading waits for a lane that requires it", function()
    forget()
    return {}
end, function(given)
    given.value = require "scenarios_circle"
end, function(given, ok)
    local problem = ok and given.value[1]
    if ok and not problem:find("module 'scenarios_circle' cannot be loaded: main is loading it and waits for this lane", 1, true) then
        error(problem, 0)
    end
end)

-- For a moment, another lane is loading the module.
scenario("a module that another lane is loading", function()
    forget()
    local linda = lanes.linda()
    local lane = lanes.gen("*", function()
        package.preload.scenarios_loaded = function()
            linda:set("loading", true)
            require "lanes".sleep(0.0005)
            return {}
        end
        require "scenarios_loaded"
    end)()
    expect.received(linda, "loading")
    return { lane }
end, function(given)
    given.value = require "scenarios_loaded"
end, function(given, ok)
    given[1]:join(support.LIMIT)
    holds(not ok or given.value.value[1] == 5, "another module")
    forget()
    holds(require "scenarios_loaded".value[1] == 5, "the lock is still held")
end)

scenario("a select that waits", function()
    local a, b = lanes.linda(), lanes.linda()
    b:limit("full", 0)
    return { a, b }
end, function(given)
    given.nothing = lanes.select(0.001, { given[1], "receive", "x", "y" }, { given[2], "send", "full", { 1 }, "two" })
    given.case, given.key = lanes.select({ given[1], "receive", "x" }, { given[2], "send", "free", { 5 }, "two" })
    given.received = { lanes.select({ given[1], "receive", "x" }, { given[2], "receive", "free" }) }
end, function(given, ok)
    if ok then
        holds(given.nothing == nil and given.case == 2 and given.key == "free", "the cases")
        holds(given.received[1] == 2 and given.received[3][1] == 5, "the element")
    end
    given[2]:limit("full", 1)
    holds(lanes.select(support.LIMIT, { given[2], "send", "full", 9 }) == 1, "the slot works")
    holds(given[2]:count "full" == 1, "nothing was sent before")
end)

scenario("a wait for lanes and futures", function()
    local pool = lanes.pool { workers = 1 }
    local linda = lanes.linda()
    local lane = lanes.gen("*", function(x) x:receive "go" end)(linda)
    return { pool, linda, lane }
end, function(given)
    local _, reason = lanes.wait({ given[3] }, { timeout = 0.001 })
    given.reason = reason
    given[2]:send("go", true)
    given.ended = lanes.wait({ given[1]:submit(function() return 1 end), given[3] }, { count = "all" })
end, function(given, ok)
    if ok then
        holds(given.reason == "timeout" and #given.ended == 2, "results")
    end
    given[2]:send("go", true)
    holds(lanes.wait({ given[3] }, { timeout = support.LIMIT })[1] == given[3], "the lane ends")
    holds(given[1]:cancel(support.LIMIT), "the pool ends")
end)

scenario("notifiers", function()
    local linda = lanes.linda()
    local lane = lanes.gen("*", function(x) x:receive "go" end)(linda)
    return { linda, lane }
end, function(given)
    local linda, lane = given[1], given[2]
    given.made = linda:notifier("a", 5, "a key that is longer than short strings are in any version of Lua")
    linda:send("a", { 1 }, "two")
    given.one = select(2, given.made:receive())
    given.two = select(2, given.made:receive())
    given.first = given.made:receive() == nil
    given.list = { lane:notifier(), lane:notifier() }
    given.second = given.list[1]:receive() == nil and given.list[1]:fd()
end, function(given, ok)
    local linda, lane = given[1], given[2]
    if ok then
        holds(given.one[1] == 1 and given.two == "two" and given.first and given.second, "results")
    end
    linda:set("a")
    linda:send("a", "next")
    if given.made then
        holds(select(2, given.made:receive()) == "next", "the notifier works")
        given.made:close()
    else
        holds(select(2, linda:receive(0, "a")) == "next", "the slot works")
    end
    linda:send("go", true)
    holds(#lanes.wait({ lane }, { timeout = support.LIMIT }) == 1, "the lane ends")
    if ok then
        holds(given.list[1]:receive() == lane, "the end is seen")
    end
    -- Nobody watches what is not there: the slot ends with its last element.
    given.made, given.list = false, false
    support.collect()
    linda:set("a")
    holds(linda:count "a" == nil, "the slot is watched")
end)

scenario("what lanes wait for", function()
    local linda = lanes.linda "waited for"
    local key = "a key that is longer than short strings are in any version of Lua"
    local lane = lanes.gen("*", function(x) x:receive(key, 5, true) end)(linda)
    support.until_true(function() return lanes.waiting()[1] end, "the lane sleeps")
    return { linda, lane }
end, function(given)
    given.list = lanes.waiting()
    given.text = lanes.waiting "dot"
end, function(given, ok)
    if ok then
        holds(given.list[1].op == "receive" and given.list[1].linda == "waited for" and #given.list[1].keys == 3, "the list")
        holds(given.text:find("\"waited for:5\"", 1, true), "the text")
    end
    given[1]:send(nil, 5, true)
    holds(#lanes.wait({ given[2] }, { timeout = support.LIMIT }) == 1, "the lane ends")
end)

scenario("a notifier of a future", function()
    local pool = lanes.pool { workers = 1 }
    return { pool, pool:submit(function() return 5 end) }
end, function(given)
    given.made = given[2]:notifier()
    given.value = given[2][1]
    given.key, given.text = given.made:receive()
end, function(given, ok)
    if ok then
        holds(given.key == given[2] and given.text == "done" and given.value == 5, "results")
        given.made:close()
    end
    holds(given[1]:submit(function() return "next" end)[1] == "next", "the pool works")
    holds(given[1]:cancel(support.LIMIT), "the pool ends")
end)

scenario("a scope", function()
    return { lanes.linda(), lanes.gen("*", function(linda)
        linda:receive "go"
        return { 5 }
    end) }
end, function(given)
    given.value = lanes.scope(function(s)
        given.first = s:run(given[2], given[1])
        given.second = s:run(given[2], given[1])
        given[1]:send("go", true, true)
        return given.first[1][1] + given.second[1][1]
    end, { timeout = support.LIMIT })
end, function(given, ok)
    if ok then holds(given.value == 10, "the results") end
    for _, name in ipairs { "first", "second" } do
        local lane = given[name]
        holds(not lane or select(2, lane:join(support.LIMIT)) ~= "timeout", "the lanes of the scope end")
    end
    holds(lanes.sleep(0) ~= lanes.cancel_error, "nothing is left of the request")
    holds(given[1]:receive(0, "nothing") == nil, "nothing is left of the request")
end)

scenario("a scope whose function and lanes fail", function()
    return { lanes.linda(), lanes.gen("*", function(linda)
        linda:receive "never"
        error { code = 5 }
    end) }
end, function(given)
    local fine, err = pcall(lanes.scope, function(s)
        given.first = s:run(given[2], given[1])
        given.second = s:run(given[2], given[1])
        error { code = 7 }
    end)
    if type(err) ~= "table" then error(err, 0) end
    given.value = err
    given.one = #err.others == 2
    given.two = fine
end, function(given, ok)
    if ok then holds(given.one and not given.two and given.value.code == 7, "the error") end
    for _, name in ipairs { "first", "second" } do
        local lane = given[name]
        holds(not lane or select(2, lane:join(support.LIMIT)) ~= "timeout", "the lanes of the scope end")
    end
    holds(given[1]:receive(0, "nothing") == nil, "nothing is left of the request")
end)

scenario("a pool", function() return {} end, function(given)
    given.made = lanes.pool { workers = 1, name = "refused", init = function() return 1 end }
    given.value = given.made:submit(function(x) return { x } end, 5)[1]
end, function(given, ok)
    if given.made then
        holds(not ok or given.value[1] == 5, "result")
        holds(given.made:submit(function() return "next" end)[1] == "next", "the pool works")
        holds(given.made:close(support.LIMIT), "the pool ends")
    end
end)

scenario("a monitor", function()
    local linda = lanes.linda()
    local lane = lanes.gen("*", function()
        linda:receive "go"
        error("on purpose", 0)
    end)()
    return { linda, lane }
end, function(given)
    given.value = given[2]:monitor(given[1], "end")
end, function(given, ok)
    local linda, lane = given[1], given[2]
    linda:send("go", true)
    holds(select(2, lane:join(support.LIMIT)) == "on purpose", "the error")
    if ok then
        holds(given.value == true, "result")
        local _, event = linda:receive(support.LIMIT, "end")
        holds(event.status == "error" and event.err == "on purpose", "the message")
    else
        holds(linda:count "end" == nil, "no message")
    end
end)

scenario("a monitor of a lane that has ended", function()
    local lane = lanes.gen("*", function() error { code = 5 } end)()
    support.until_status(lane, "error")
    return { lanes.linda(), lane }
end, function(given)
    given.value = given[2]:monitor(given[1], "end")
end, function(given, ok)
    local linda = given[1]
    if ok then
        local _, event = linda:receive(support.LIMIT, "end")
        holds(event.status == "error" and event.err.code == 5, "the message")
    end
    holds((linda:count "end" or 0) == 0, "one message")
end)

scenario("a supervisor", function() return { lanes.linda(), lanes.gen("*", function() end) } end, function(given)
    local linda = given[1]
    given.made = lanes.supervise { { name = "a", start = given[2], restart = "temporary" }, { name = "b", start = lanes.gen("*", function()
        linda:send("up", true)
        linda:receive "never"
    end), restart = "transient", args = { 1, 2 } }, strategy = "rest_for_one" }
    given.list = given.made:which()
end, function(given, ok)
    if given.made then
        local linda, made = given[1], given.made
        support.until_true(function()
            return (linda:count "up" or 0) > 0 or made.status ~= "waiting" and made.status ~= "running"
        end, "the child runs, or the supervisor has ended")
        holds(not ok or given.list[2].name == "b", "the list")
        local stopped, reason = made:stop(support.LIMIT)
        if not stopped then
            -- Its lane has run out of memory, or the child has, each time that it was started.
            error(reason == "supervisor: 3 restarts in 5 s" and "not enough memory" or reason, 0)
        end
    end
end)

scenario("maps", function()
    local pool = lanes.pool { workers = 1 }
    pool:map(function(x) return x end, { 1 })
    return { pool }
end, function(given)
    given.all = given[1]:map(function(x) return x + 1 end, { 1, 2, 3 }, { chunk = 2 })
    given.value = 0
    for _, x in given[1]:imap(function(x) return x end, { 1, 2, 3 }) do given.value = given.value + x end
end, function(given, ok)
    if ok then
        holds(given.all[1] == 2 and given.all[3] == 4 and given.value == 6, "results")
    end
    holds(given[1]:map(function(x) return -x end, { 1 })[1] == -1, "the pool works")
    holds(given[1]:cancel(support.LIMIT), "the pool ends")
end)

scenario("a generator with source text", function() return {} end, function(given)
    given.lane = lanes.gen("*", "return 1, ...")(2)
end, function(given, ok)
    if ok then holds(select(2, expect.finished(given.lane)) == 2, "another result") end
end)

scenario("a lane that failed", function()
    local lane = lanes.gen("*", function(...)
        set_error_reporting "extended"
        error { "failed", ... }
    end)(1)
    while lane.status ~= "error" do lanes.sleep(0.0001) end
    return { lane }
end, function(given)
    local nothing, problem, trace = given[1]:join()
    holds(nothing == nil and problem[1] == "failed" and type(trace) == "table", "another error")
    holds(given[1][-1][1] == "failed", "another error")
end, function(given)
    holds(select(2, given[1]:join())[1] == "failed", "another error")
end)

scenario("a lane with results that this state does not know", function()
    local lane = lanes.gen("*", function()
        local unknown = coroutine.wrap(function() end)
        require "lanes".register("nowhere", { f = unknown })
        local shared = {}
        return { 1 }, { unknown, shared }, shared, setmetatable({ 4 }, { __index = { unknown } }), { 5 }
    end)()
    expect.ended(lane)
    return { lane }
end, function(given)
    given.first = given[1][1]
    given.second = given[1][5]
    given.refused = not pcall(given[1].join, given[1])
end, function(given, ok)
    local lane = given[1]
    if ok then holds(given.refused and given.first[1] == 1 and given.second[1] == 5, "other results") end
    holds(not given.first or given.first == lane[1], "the first result is another one now")
    for n = 2, 4 do holds(not pcall(function() return lane[n] end), "a result that should not be known") end
    holds(lane[1][1] == 1 and lane[5][1] == 5, "other results")
end)

scenario("cancelling a lane", function()
    local linda = lanes.linda()
    return { lanes.gen("*", function() linda:receive("never") end)() }
end, function(given)
    given[1]:cancel("soft", 0)
    given[1]:get_debug_threadname()
    given[1]:cancel("hard", 20)
    given[1]:cancel("count", 100, 20, true)
end, function(given, ok)
    given[1]:cancel("hard", 20)
    local _, problem = given[1]:join(120)
    local status = given[1].status
    holds(status == "cancelled" or status == "done", ("it goes on as %s: %s"):format(status, tostring(problem)))
    holds(not ok or given[1].status ~= "waiting", "it waits")
end)

scenario("timers", function() return { lanes.linda() } end, function(given)
    local linda = given[1]
    lanes.timer(linda, "key", 0)
    lanes.timer(linda, "later", 1000, 5)
    lanes.timer(linda, { year = 2037, month = 1, day = 1 } and "date", { year = 2037, month = 1, day = 1 })
    given.list = lanes.timers()
    lanes.timer(linda, "later")
end, function(given, ok)
    for _, timer in ipairs(lanes.timers()) do lanes.timer(timer[1], timer[2]) end
    holds(#lanes.timers() == 0, "timers are left")
    if ok then
        holds(#given.list == 2 and given.list[1][1] == given[1], "the list is wrong")
        counted(given[1], 1, "after the tick")
    end
end)

scenario("making a lock", function()
    return { lanes.linda() }
end, function(given)
    given.lock = lanes.genlock(given[1], "key", 3)
end, function(given, ok)
    if ok then holds(given.lock(3) and given.lock(-3), "the lock does not work") end
end)

scenario("using a lock", function()
    local linda = lanes.linda()
    return { linda, lanes.genlock(linda, "key", 3), taken = 0 }
end, function(given)
    given[2](2)
    given.taken = 2
    given[2](2, "try")
    given[2](-2)
    given.taken = 0
end, function(given)
    local count = given[1]:count("key")
    holds(count == given.taken or count == 2 - given.taken, "units got lost")
    given[2](-count)
    holds(given[2](3, "try") == true, "the units are not free")
end)

scenario("an atomic number", function()
    local linda = lanes.linda()
    return { linda, lanes.genatomic(linda, "key", 5) }
end, function(given)
    given.made = lanes.genatomic(given[1], "other", "1")
    given[2](1)
end, function(given, ok)
    holds(given[2](0) == (ok and 6 or 5), "the number is wrong")
end)

scenario("settings of the thread", function() return {} end, function(given)
    lanes.set_thread_priority(0)
    lanes.set_thread_affinity(1)
    lanes.set_thread_affinity(3)
    given.lane = lanes.timer_lane
end, function(given, ok)
    if ok then holds(given.lane and given.lane.status, "no lane of timers") end
end)

scenario("names", function() return { { f = string.rep, t = {} } } end, function(given)
    lanes.register("memory_spec_module", given[1])
    lanes.nameof(given[1].t)
    given.kind, given.name = lanes.nameof(string.rep)
    lanes.require "lanes"
end, function(given, ok)
    if ok then holds(given.kind == "function" and given.name:find("rep", 1, true), "another name") end
end)

scenario("the name of something nameless", function() return { {} } end, function(given)
    given.kind, given.name = lanes.nameof(given[1])
end, function(given, ok)
    if ok then holds(given.kind == "table" and given.name == nil, "another name") end
end)
-- The scenario scans everything reachable, so collecting garbage at every step would take minutes.
scenarios[#scenarios].long = true

-- Scenarios for the state of a lane: `body` runs in a lane with a linda that contains { 1 } and { 2 } in the slot "in", and the results
-- of `values` in the slot "value".
local bodies = {}
scenarios.bodies = bodies

local function body(name, f)
    bodies[#bodies + 1] = { name = name, body = f }
end

body("nothing", function() end)
body("results", function() return { 1, { 2 } }, function() end, ("x"):rep(1000) end)
body("an error with a trace", function() error { "on purpose", { 1 } } end)
body("an error text", function() error "on purpose" end)
body("finalizers", function(linda)
    set_finalizer(function() linda:set("finalized", true) end)
    set_finalizer(function(problem, trace) linda:set("problem", problem, trace and #trace) end)
    error "on purpose"
end)
body("names and settings", function()
    set_debug_threadname "memory spec"
    set_error_reporting "extended"
    cancel_test()
    error "on purpose"
end)
body("modules", function()
    local lane_lanes = require "lanes"
    local linda = lane_lanes.linda()
    linda:send("key", { 1 })
    lane_lanes.sleep(0)
    return linda:receive(0, "key")
end)
body("notifiers", function(linda)
    local notifier = linda:notifier("in", "other")
    local key, value = notifier:receive()
    notifier:fd()
    return key, value, require "lanes".gen("*", function() end)():notifier():receive()
end)
body("a lane of its own", function()
    local lane_lanes = require "lanes"
    return lane_lanes.gen("*", function(x) return { x } end)(1)[1][1]
end)
body("a lane of its own whose modules are loaded on its thread", function()
    local lane = require "lanes".gen("*", { stack_size = 2 ^ 20, required = { "scenarios_loaded" } }, function()
        return require "scenarios_loaded".value
    end)()
    return lane[1][1]
end)
body("a module that closes a circle", function()
    return require "scenarios_circle"[1]
end)
body("coroutines", function()
    local co = coroutine.wrap(function(...)
        local sum = 0
        for _, x in ipairs { ... } do sum = sum + coroutine.yield(x) end
        return sum
    end)
    co(1, 2, 3)
    co(1)
    local other = coroutine.create(function() error "in a coroutine" end)
    return co(2), coroutine.resume(other)
end)

return scenarios
