-- Calls for which the library itself needs large blocks of memory, for refusals.lua: small blocks
-- come from a reserve when the system refuses them. Each is a table { name, setup = function()
-- return given end, run = function(given), check = function(given, ok) }.
local expect = require "expect"
local lanes = require "lanes"

local list = {}

-- The smallest number of elements, objects or keys.
local COUNT = 6000
local TEXT = ("x"):rep(2 ^ 20)

local unpack = table.unpack or unpack -- luacheck: ignore

local function holds(condition, description)
    if not condition then error(description, 2) end
end

local function nothing() end

-- A list of f(1), f(2) ...
local function each(f, count)
    local t = {}
    for i = 1, count or COUNT do t[i] = f(i) end
    return t
end

local function number(i) return i end
local function boxed(i) return { i } end

local function add(name, entry)
    entry.name = name
    entry.setup = entry.setup or function() return { linda = lanes.linda() } end
    entry.check = entry.check or nothing
    list[#list + 1] = entry
end

-- Sending: afterwards all values are in the slot, or none.
local function sends(name, make, count)
    add("sending " .. name, {
        setup = function() return { linda = lanes.linda(), values = make() } end,
        run = function(given) given.linda:send("key", unpack(given.values)) end,
        check = function(given, ok)
            holds((given.linda:count "key" or 0) == (ok and (count or 1) or 0), "half of it, or not what the call says")
        end,
    })
end

-- Objects of different types in one element, and the values that a receiver builds.
local objects = {
    { "many tables", function() return each(boxed) end },
    { "a long chain", function()
        local first = {}
        local last = first
        for _ = 1, COUNT do
            last.next = {}
            last = last.next
        end
        return first
    end },
    { "objects of many classes", function() return each(function() return setmetatable({}, { __index = {} }) end) end },
    { "many functions", function()
        return each(function(i)
            local upvalue = { i }
            return function() return upvalue end
        end)
    end },
    { "many lindas", function() return each(function() return lanes.linda() end) end },
}

for _, entry in ipairs(objects) do
    local name, make = unpack(entry)
    sends(name, function() return { make() } end)
    add("receiving " .. name, {
        setup = function()
            local linda = lanes.linda()
            linda:send("key", make())
            return { linda = linda }
        end,
        run = function(given) given.linda:receive(0, "key") end,
        check = function(given, ok) holds(given.linda:count "key" == (ok and 0 or 1), "it got lost, or stayed") end,
    })
end

sends("many values", function() return each(boxed, 5000) end, 5000)
sends("many numbers", function() return each(number, 5000) end, 5000)
sends("many values that are one", function()
    local one = {}
    return each(function() return one end, 5000)
end, 5000)

sends("many texts", function() return each(function(i) return ("%99d"):format(i):rep(20) end, 2000) end, 2000)

-- One by one: the slots contain what the calls returned.
for name, value in pairs { number = 1, string = ("x"):rep(100) } do
    add(("filling a slot with elements of type %s"):format(name), {
        run = function(given)
            given.sent = 0
            for _ = 1, COUNT do
                given.linda:send("key", value)
                given.sent = given.sent + 1
            end
        end,
        check = function(given) holds((given.linda:count "key" or 0) == given.sent, "another number of elements") end,
    })
end

add("filling a slot whose receiver looks now and then", {
    run = function(given)
        given.sent = 0
        for i = 1, 2 * COUNT do
            given.linda:send("key", i)
            given.sent = given.sent + 1
            if i % 1000 == 1 then
                given.linda:receive(0, "key")
                given.sent = given.sent - 1
            end
            if i % 5000 == 0 then given.linda:limit("key", 1e6) given.linda:limit("key", -1) end
        end
    end,
    check = function(given) holds((given.linda:count "key" or 0) == given.sent, "another number of elements") end,
})

add("making many slots", {
    run = function(given)
        given.made = 0
        for i = 1, COUNT do
            given.linda:set(i, i)
            given.made = given.made + 1
        end
    end,
    check = function(given)
        local count = 0
        for _ in pairs(given.linda:count()) do count = count + 1 end
        holds(count == given.made, "another number of slots")
    end,
})

add("setting many values", {
    setup = function()
        local linda = lanes.linda()
        linda:set("key", "before")
        return { linda = linda, values = each(boxed, 5000) }
    end,
    run = function(given) given.linda:set("key", unpack(given.values)) end,
    check = function(given, ok)
        holds(given.linda:count "key" == (ok and 5000 or 1), "half of it")
        if not ok then holds(given.linda:get "key" == "before", "what was there is gone") end
    end,
})

-- Calls that inspect a linda or take many elements at once change nothing when they fail.
local function reads(name, run, make)
    add(name, {
        setup = function()
            local linda = lanes.linda()
            for i = 1, COUNT do linda:send("key", make(i)) end
            return { linda = linda }
        end,
        run = run,
        check = function(given, ok)
            local left = given.linda:count "key"
            holds(left == COUNT or ok and left == COUNT - 5000, "elements are gone: " .. left)
        end,
    })
end

for kind, make in pairs { numbers = number, tables = boxed, strings = function(i) return ("%99d"):format(i) end } do
    reads("looking at many " .. kind, function(given) given.linda:get("key", 5000) end, make)
    reads("dumping many " .. kind, function(given) given.linda:dump() end, make)
    reads("receiving a batch of " .. kind, function(given) given.linda:receive(0, given.linda.batched, "key", 5000) end, make)
end

add("counting many slots", {
    setup = function()
        local linda = lanes.linda()
        for i = 1, COUNT do linda:set(i, i) end
        return { linda = linda }
    end,
    run = function(given)
        given.linda:count()
        given.linda:dump()
    end,
})

add("timers", {
    setup = function()
        local linda = lanes.linda()
        for i = 1, COUNT do lanes.timer(linda, i, 1000) end
        return { linda = linda }
    end,
    run = function(given)
        for i = COUNT + 1, 2 * COUNT do lanes.timer(given.linda, i, 1000) end
        lanes.timer(given.linda, TEXT, 1000)
        lanes.timers()
    end,
    check = function()
        for _, timer in ipairs(lanes.timers()) do lanes.timer(timer[1], timer[2]) end
        holds(#lanes.timers() == 0, "timers are left")
    end,
})

add("long names and keys", {
    run = function(given)
        tostring(lanes.linda(TEXT)):len()
        given.linda:set(TEXT, 1)
        given.linda:receive(0, TEXT .. "1", TEXT .. "2")
        lanes.register(TEXT, { f = print })
        given.linda:count()
        given.linda:count(TEXT, "other")
    end,
})

add("long texts in messages about mistakes", {
    setup = function()
        local lane = lanes.gen("*", function(text) error(text, 0) end)(TEXT)
        lane:join()
        return { linda = lanes.linda(), lane = lane }
    end,
    run = function(given)
        for _, call in ipairs {
            function() given.linda:send("key", { [TEXT] = { coroutine.create(nothing) } }) end,
            function() given.linda:cancel(TEXT) end,
            function() given.lane:cancel(TEXT) end,
            function() return given.lane[TEXT] end,
            function() return given.lane[1] end,
            function() lanes.sleep(TEXT) end,
            function() lanes.gen(TEXT, print) end,
            function() lanes.gen("*", "return '" .. TEXT .. "\n")() end,
            function() lanes.gen("*", { required = { TEXT } }, print)() end,
        } do
            local ok, problem = pcall(call)
            holds(not ok, "no error")
            if problem:find("not enough memory", 1, true) then error(problem, 0) end
            holds(problem:find(TEXT, 1, true), "the text is not whole")
        end
    end,
})

add("what a lane is given, and what it gives back", {
    run = function(given)
        given.lane = lanes.gen("*", function(...)
            set_debug_threadname((select(3, ...)))
            return ...
        end)({ { {} } }, each(boxed), TEXT, each(boxed))
        local ok, problem = given.lane:join()
        if not ok then error(problem, 0) end
    end,
    check = function(given, ok)
        if ok then holds(#select(3, expect.finished(given.lane)) == #TEXT, "another result") end
    end,
})

add("an error of a lane", {
    setup = function() return { linda = lanes.linda() } end,
    run = function(given)
        given.lane = lanes.gen("*", function() error { TEXT, each(boxed) } end)()
        local _, problem = given.lane:join()
        if type(problem) == "string" then error(problem, 0) end
        holds(problem[1] == TEXT, "another error")
    end,
})

add("a lane of a long source", {
    run = function()
        local lane = lanes.gen("*", "local text = '" .. TEXT .. "' return #text")()
        local ok, problem = lane:join()
        if not ok then error(problem, 0) end
        holds(lane[1] == #TEXT, "another result")
    end,
})

return list
