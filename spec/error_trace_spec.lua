-- Errors in lanes: the error value, and the stack trace in both modes.
local support = require "support"
local needs = require "needs"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local source = debug.getinfo(1, "S").short_src

local function line()
    return debug.getinfo(2, "l").currentline
end

-- Runs a body that fails. Returns its error value and trace.
local function fail(body, ...)
    local none, value, trace = lanes.gen("*", body)(...):join()
    assert.is_nil(none)
    return value, trace
end

describe("the error value of a lane", function()
    it("arrives unchanged", function()
        for _, value in ipairs { "text", "", 5, 5.5, true, false } do
            assert.equal(value, (fail(function(given) error(given, 0) end, value)))
        end
        assert.equal(support.no_error, (fail(function() error(nil) end)))
    end)

    it("has the position that Lua gives it", function()
        local at = line() + 1
        local value = fail(function() error("no") end)
        assert.equal(source .. ":" .. at .. ": no", value)
    end)

    it("may be a table", function()
        assert.same({ code = 7, list = { 1, 2 } }, (fail(function() error({ code = 7, list = { 1, 2 } }) end)))
    end)

    it("may be a function", function()
        assert.equal(5, fail(function() error(function() return 5 end) end)())
    end)

    it("may be a linda", function()
        local linda = lanes.linda()
        assert.equal(linda, (fail(function() error(linda) end)))
    end)

    it("has the metatable of its class in the main state, when the lane received the class with an object", function()
        local class = { __index = { describe = function(self) return "error " .. self.code end } }
        local prototype = setmetatable({}, class)
        local value = fail(function() error(setmetatable({ code = 7 }, getmetatable(prototype))) end)
        assert.equal(class, getmetatable(value))
        assert.equal("error 7", value:describe())
    end)

    it("may be the text of a runtime error", function()
        local at = line() + 1
        local value = fail(function(t) return t.x end)
        support.contains(source .. ":" .. at .. ": attempt to index", value)
    end)
end)

describe("the basic trace", function()
    it("begins with the function that raised the error, error itself", function()
        local at = line() + 1
        local _, trace = fail(function() error("no") end)
        assert.same({ "[C]:?", source .. ":" .. at }, trace)
    end)

    it("begins with the Lua function for a runtime error", function()
        local at = line() + 1
        local _, trace = fail(function(t) t = t.x return t end)
        assert.same({ source .. ":" .. at }, trace)
    end)

    it("lists every function down to the body", function()
        local first
        local at = line()
        local function inner() error("no") end
        local function middle() inner() first = nil end
        local function outer() middle() first = nil end
        local _, trace = fail(function() outer() first = nil end)
        assert.same({
            "[C]:?", source .. ":" .. at + 1, source .. ":" .. at + 2, source .. ":" .. at + 3, source .. ":" .. at + 4,
        }, trace)
        assert.is_nil(first)
    end)

    it("exists for errors with any value", function()
        local _, trace = fail(function() error(nil) end)
        assert.equal("[C]:?", trace[1])
        _, trace = fail(function() error({}) end)
        assert.equal("[C]:?", trace[1])
    end)

    it("is used when the last set_error_reporting selects basic", function()
        local _, trace = fail(function()
            set_error_reporting("extended")
            set_error_reporting("basic")
            error("no")
        end)
        assert.equal("[C]:?", trace[1])
    end)

    it("does not include calls inside a coroutine", function()
        local inside, outside = line() + 3, line() + 4
        local _, trace = fail(function()
            local run = coroutine.wrap(function()
                error("no")
            end) run()
        end)
        for _, entry in ipairs(trace) do assert.are_not.equal(source .. ":" .. inside, entry) end
        assert.equal(source .. ":" .. outside, trace[#trace])
    end)

    it("describes the error that ended the lane, not one that was caught", function()
        local at = line() + 3
        local _, trace = fail(function()
            pcall(error, "caught")
            error("no")
        end)
        assert.same({ "[C]:?", source .. ":" .. at }, trace)
    end)

    if support.lua == "5.1" then
        it("shows tail calls without a line", function()
            local function raise() error("no") end
            local _, trace = fail(function() return raise() end)
            assert.equal("(tail call):?", trace[3])
        end)
    end

    it("shows a string body by its text", function()
        local _, trace = fail("error('no')")
        assert.same({ "[C]:?", [==[[string "error('no')"]:1]==] }, trace)
    end)
end)

describe("the extended trace", function()
    it("describes every function", function()
        local at = line()
        local function inner() error("no") end
        local _, trace = fail(function()
            set_error_reporting("extended")
            inner()
        end)
        assert.equal(3, #trace)
        assert.equal("error", trace[1].name)
        assert.equal("C", trace[1].what)
        assert.equal(-1, trace[1].currentline)
        assert.equal("=[C]", trace[1].source)
        assert.equal("inner", trace[2].name)
        assert.equal("Lua", trace[2].what)
        assert.equal("upvalue", trace[2].namewhat)
        assert.equal(at + 1, trace[2].currentline)
        assert.equal(debug.getinfo(1, "S").source, trace[2].source)
        assert.is_nil(trace[3].name)
        assert.equal("", trace[3].namewhat)
        assert.equal("Lua", trace[3].what)
        assert.equal(at + 4, trace[3].currentline)
    end)

    it("has no other fields", function()
        local known = { source = true, currentline = true, name = true, namewhat = true, what = true }
        local _, trace = fail(function() set_error_reporting("extended") error("no") end)
        for _, entry in ipairs(trace) do
            for key in pairs(entry) do assert.is_true(known[key], key) end
        end
    end)

    it("is used if it is selected when the error is raised", function()
        local _, trace = fail(function()
            local function raise() set_error_reporting("extended") error("no") end
            raise()
        end)
        assert.is_table(trace[1])
    end)
end)

describe("a trace", function()
    it("does not exist after a cancellation", function()
        local handle = lanes.gen("*", function() error(require "lanes".cancel_error) end)()
        assert.same({ n = 0 }, support.pack(handle:join()))
        assert.equal("cancelled", handle.status)
    end)

    needs.limits(it)("does not exist when memory ran out #address_space", function()
        local out = support.output([[
            local lanes = require "lanes"
            local handle = lanes.gen("*", function()
                local text = ("x"):rep(1000)
                while true do text = text .. text end
            end)()
            local none, message = handle:join()
            print(none, message, select("#", handle:join()))
        ]], { limits = "-v 400000" })
        assert.equal("nil\tnot enough memory\t2\n", out)
    end)

    it("of a deep recursion is complete", function()
        local _, trace = fail(function()
            local function descend(n)
                if n == 0 then error("bottom") end
                descend(n - 1)
                return n
            end
            descend(1000)
        end)
        -- error, 1001 times descend, and the body
        assert.equal(1003, #trace)
    end)

    -- Runs a lane whose recursion never ends. Returns the output after its join.
    local function runaway(model)
        return support.output(([[
            local lanes = require "lanes"
            local body = debug.getinfo(1, "l").currentline + 4
            local handle = lanes.gen("*", function()
                set_error_reporting("%s")
                local function recurse(n) return 1 + recurse(n + 1) end
                return 1 + recurse(1)
            end)()
            local none, message, trace = handle:join()
            local last = trace[#trace]
            local line = type(last) == "table" and last.currentline or tonumber(last:match(":(%%d+)$"))
            print(none, message:find("stack overflow", 1, true) ~= nil, #trace > 100, line == body, handle.status)
        ]]):format(model))
    end

    it("of a runaway recursion is made quickly and has both ends", function()
        assert.equal("nil\ttrue\ttrue\ttrue\terror\n", runaway "basic")
    end)

    it("of a runaway recursion can be extended too", function()
        assert.equal("nil\ttrue\ttrue\ttrue\terror\n", runaway "extended")
    end)
end)

describe("an error in a lane", function()
    it("has no effect on others if it is not read", function()
        local handle = lanes.gen("*", function() error("no") end)()
        support.until_status(handle, "error")
        assert.equal("error", handle.status)
    end)

    it("writes nothing", function()
        assert.equal("", support.output [[
            local lanes = require "lanes"
            lanes.gen("*", function() error("no") end)():join()
        ]])
    end)

    it("with the value cancel_error makes the lane a cancelled one", function()
        local handle = lanes.gen("*", function() error(require "lanes".cancel_error) end)()
        handle:join()
        assert.equal("cancelled", handle.status)
        assert.is_nil(handle[1])
    end)
end)
