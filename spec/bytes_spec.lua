-- Lua strings contain any bytes: names, keys and error texts arrive unchanged and complete.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local expect = require "expect"
local lanes = require "lanes"

local load = rawget(_G, "loadstring") or load
local strings = {
    { "in another encoding", "m\228\255\128" },
    { "in UTF-8", "m\195\164\226\130\172" },
    { "with a zero byte", "m\0n\0" },
    { "with a line break", "m\nn" },
    { "of 100,000 bytes", ("m\228n\0o"):rep(20000) },
    { "of 10,000,000 bytes", ("m\228"):rep(5000000) },
}
-- Those without a zero byte.
local plain = { strings[1], strings[2] }

-- A string within quotation marks, as in the path of a value.
local function quoted(text)
    local escapes = { ["\n"] = "\\n", ["\0"] = "\\000" }
    return '"' .. text:gsub("[%z\n]", escapes) .. '"'
end

-- Asserts that two texts are equal, without printing both.
local function same(expected, actual)
    if expected == actual then return end
    error(("expected %d bytes that begin with %q, got %s: %q"):format(#expected, expected:sub(1, 200),
        type(actual) == "string" and #actual .. " bytes" or "no string", tostring(actual):sub(1, 300)), 2)
end

-- Asserts that a text contains another.
local function has(part, text)
    if type(text) == "string" and text:find(part, 1, true) then return end
    error(("expected a text with %d bytes that begin with %q, got %q"):format(#part, part:sub(1, 200), tostring(text):sub(1, 300)), 2)
end

local function each(list, name, test)
    for _, entry in ipairs(list) do
        it(name .. " " .. entry[1], function() test(entry[2]) end)
    end
end

describe("an error text", function()
    each(strings, "that is read by index is raised whole:", function(text)
        local lane = lanes.gen("*", function(...) error(..., 0) end)(text)
        local expected, problem = support.here() .. text, support.error_of(function() return lane[1] end)
        same(expected, problem)
        same(text, lane[-1])
        same(text, (select(2, lane:join())))
    end)

    each(strings, "of a finalizer, with what it was given:", function(text)
        local lane = lanes.gen("*", function(...)
            set_finalizer(function(problem) error(problem .. "!", 0) end)
            error(..., 0)
        end)(text)
        same(text .. "!", (select(2, lane:join())))
    end)

    each(strings, "of a module that a lane is to require:", function(text)
        local preload = { failing = assert(load("error(" .. ("%q"):format(text):gsub("\n", "n"):gsub("%z", "\\0") .. ", 0)")) }
        local problem = support.error_of(lanes.gen("*", { package = { preload = preload }, required = { "failing" } }, function() end))
        has(text, problem)
    end)
end)

describe("a body that does not compile", function()
    each(strings, "is told as Lua tells it:", function(text)
        if #text > 1000000 then text = text:sub(1, 1000000) end
        for _, body in ipairs { "return '" .. text, "return = " .. text, "goto " .. text .. " = 1", text } do
            local _, problem = load(body, (body:gsub("%z.*", "")))
            if problem then
                has("error when parsing lane function code: " .. problem, support.error_of(lanes.gen("*", body)))
            end
        end
    end)
end)

describe("the name of a lane", function()
    each(strings, "is what it was given:", function(name)
        local linda = lanes.linda()
        local lane = lanes.gen("*", function(...)
            set_debug_threadname(...)
            linda:send("named", rawget(_G, "decoda_name"))
            linda:receive "end"
            return rawget(_G, "decoda_name")
        end)(name)
        same(name, expect.received(linda, "named"))
        same(name, lane:get_debug_threadname())
        linda:send("end", true)
        same(name, lane[1])
    end)

    each(strings, "is given to gc_cb:", function(name)
        local given
        do
            local lane = lanes.gen("*", { gc_cb = function(...) given = ... end }, function(...) set_debug_threadname(...) end)(name)
            expect.ended(lane)
        end
        support.until_true(function()
            support.collect()
            return given
        end)
        same(name, given)
    end)

    each(strings, "is in messages:", function(name)
        local lane = lanes.gen("*", function(...)
            set_debug_threadname(...)
            local foreign = coroutine.wrap(function() end)
            local linda = require "lanes".linda()
            return select(2, pcall(linda.send, linda, "key", foreign))
        end)(name)
        has("not found in " .. name .. " origin transfer database", lane[1])
    end)

    it("is in the list of threads", function()
        local program = [[
            local lanes = require "lanes".configure { track_lanes = true }
            local linda = lanes.linda()
            for _, name in ipairs { "m\228", "m\0n", ("m\228"):rep(50000) } do
                local lane = lanes.gen("*", function(...)
                    set_debug_threadname(...)
                    linda:send("named", true)
                    linda:receive "end"
                end)(name)
                linda:receive "named"
                assert(lanes.threads()[1].name == name)
                linda:send("end", true)
                lane:join()
            end
            print "fine"
        ]]
        assert.equal("fine\n", support.output(program))
    end)
end)

describe("a trace", function()
    each(plain, "has the name of the source:", function(name)
        local body = load("error('x', 0)", "@" .. name .. ".lua")
        local lane = lanes.gen("*", body)()
        local _, _, trace = lane:join()
        local found
        for _, entry in ipairs(trace) do found = found or entry == name .. ".lua:1" end
        assert.is_true(found, table.concat(trace, "\n"))
    end)

    each(strings, "has the source in its extended form:", function(text)
        if #text > 1000000 then text = text:sub(1, 1000000) end
        local source = "--[==[" .. text .. "]==] error('x', 0)"
        local chunk = assert(load(source, source))
        local known = debug.getinfo(chunk, "S").source
        local lane = lanes.gen("*", function(f)
            set_error_reporting "extended"
            f()
        end)(chunk)
        local _, _, trace = lane:join()
        local found
        for _, entry in ipairs(trace) do found = found or entry.source == known end
        assert.is_true(found)
    end)

    if support.lua == "luajit" then -- its names may contain such bytes
        it("contains the names of functions", function()
            local lane = lanes.gen("*", function(text)
                set_error_reporting "extended"
                assert(loadstring(text))()
            end)("local m\228 = function() error('x', 0) end m\228() return")
            local _, _, trace = lane:join()
            local found
            for _, entry in ipairs(trace) do found = found or entry.name == "m\228" end
            assert.is_true(found)
        end)
    end
end)

describe("the path of a value", function()
    each(strings, "has keys as they are:", function(key)
        local linda = lanes.linda()
        local value = { [key] = coroutine.create(function() end) }
        has("arg #2[" .. quoted(key) .. "]", support.error_of(linda.send, linda, "key", value))
    end)

    it("contains a plain key of 100,000 bytes completely", function()
        local linda, key = lanes.linda(), ("k"):rep(100000)
        has("'arg #2." .. key .. "'", support.error_of(linda.send, linda, "key", { [key] = coroutine.create(function() end) }))
    end)

    it("contains quotation marks, backslashes and control characters as Lua reads them", function()
        local key = 'a"b\\c\r\t\1' .. "2\127"
        local problem = support.error_of(lanes.gen("*", function() end), { [key] = coroutine.create(function() end) })
        local text = problem:match 'arg #1%[(".*")%]'
        same(key, assert(load("return " .. text))())
    end)

    each(strings, "has the keys of the option globals:", function(key)
        local generator = lanes.gen("*", { globals = { [key] = coroutine.create(function() end) } }, function() end)
        has("[" .. quoted(key) .. "]", support.error_of(generator))
    end)

    if support.lua == "luajit" then
        it("contains the names of upvalues", function()
            local body = assert(load "local m\228 = coroutine.create(print) return function() return m\228 end")()
            has("upvalue m\228;", support.error_of(lanes.gen("*", body)))
        end)
    end
end)

describe("the name of a module", function()
    each(strings, "is whole where a lane does not have it:", function(name)
        local f = coroutine.wrap(function() end)
        lanes.register(name, { [name] = f })
        local problem = support.error_of(lanes.gen("*", function() end), f)
        has("function '" .. name .. "/" .. name .. "' not found", problem)
        has("for example required = {\"" .. name .. "\"}", problem)
    end)

    each(strings, "finds a function where the lane has it:", function(name)
        local lane = lanes.gen("*", function(...)
            local wanted = string.gmatch("text", ".")
            require "lanes".register(..., { ["k\228\0"] = wanted })
            return wanted
        end)(name)
        -- This state knows it under the same name.
        local here = string.gmatch("other", ".")
        lanes.register(name, { ["k\228\0"] = here })
        assert.equal(here, lane[1])
    end)

    each(strings, "is whole where it is no module:", function(name)
        package.loaded[name] = 5
        local ok, problem = pcall(lanes.require, name)
        package.loaded[name] = nil
        assert.is_false(ok)
        -- Before 5.4, and in some functions of 5.4, Lua itself ends a name at a zero byte.
        has("module '" .. name:match "^%Z*", problem)
    end)
end)

describe("a text that a call refuses", function()
    local linda, lane = lanes.linda(), lanes.gen("*", function() end)()
    expect.ended(lane)
    local calls = {
        ["lane:cancel"] = function(text) lane:cancel(text) end,
        ["lane[key]"] = function(text) return lane[text] end,
        ["linda:cancel"] = function(text) linda:cancel(text) end,
        ["lanes.sleep"] = function(text) lanes.sleep(text) end,
        ["set_error_reporting"] = function(text) error(lanes.gen("*", function(...) set_error_reporting(...) end)(text)[-1], 0) end,
        ["an option of gen"] = function(text) lanes.gen({ [text] = true }, print) end,
    }
    for name, call in pairs(calls) do
        each(strings, "is whole in the error of " .. name .. ":", function(text) has(text, support.error_of(call, text)) end)
    end

    it("is complete in the error about a library", function()
        for _, name in ipairs { "m\228", "m\195\164", ("m"):rep(100000) } do
            has("Bad library name: " .. name .. " (", support.error_of(lanes.gen, name, print))
        end
    end)

    it("is complete in the errors of on_state_create and configure", function()
        local program = [[
            local text = ("m\228\0"):rep(50000)
            local lanes = require "lanes"
            local ok, problem = pcall(lanes.configure, { [text] = true })
            assert(not ok and problem:find("'" .. text .. "'", 1, true))
            lanes.configure { with_timers = false, on_state_create = function() error(("m\228\0"):rep(50000), 0) end }
            ok, problem = pcall(lanes.gen("*", function() end))
            assert(not ok and problem:find('on_state_create failed: "' .. text .. '"', 1, true))
            print "fine"
        ]]
        assert.equal("fine\n", support.output(program))
    end)
end)

describe("the name of a linda", function()
    each(strings, "is what it was given:", function(name)
        local linda = lanes.linda(name)
        same("Linda: " .. name, tostring(linda))
        same("Linda: " .. name .. "!", linda .. "!")
        same("Linda: " .. name, expect.in_lane(function() return tostring(linda) end))
    end)
end)
