-- Userdata on their way between states: lindas, files, lane handles, and what metatables say about them.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local expect = require "expect"

describe("a light userdata", function()
    it("arrives as itself", function()
        local identity = lanes.linda():deep()
        assert.equal(identity, expect.in_lane(function(argument) return argument end, identity))
        assert.is_true(expect.in_lane(function(argument) return type(argument) == "userdata" end, identity))
    end)
end)

describe("a linda", function()
    it("arrives as the same linda, however deep it is in the value", function()
        local linda = lanes.linda("travelling")
        local value = { list = { 1, { linda } }, f = function() return linda end }
        local text = expect.in_lane(function(argument)
            local inner = argument.list[2][1]
            inner:send("key", inner == argument.f())
            return tostring(inner)
        end, value)
        assert.equal("Linda: travelling", text)
        assert.same(support.pack("key", true), support.pack(linda:receive(0, "key")))
    end)

    it("can be in the metatable of a table", function()
        local linda = lanes.linda()
        local object = setmetatable({}, { __index = { linda = linda } })
        assert.is_true(expect.in_lane(function(argument) return argument.linda == linda end, object))
    end)

    it("works in a lane without libraries", function()
        local linda = lanes.linda()
        local lane = lanes.gen(function()
            linda:send("key", "value")
            return linda:get("key")
        end)()
        assert.equal("value", expect.finished(lane))
    end)
end)

describe("a full userdata", function()
    local file = io.tmpfile()

    local ways = {
        ["as argument"] = function(value) lanes.gen("*", function() end)(value) end,
        ["in a table as argument"] = function(value) lanes.gen("*", function() end) { field = value } end,
        ["as upvalue"] = function(value) lanes.gen("*", function() return value end)() end,
        ["as global"] = function(value) lanes.gen("*", { globals = { file = value } }, function() end)() end,
        ["through a linda"] = function(value) lanes.linda():send("key", value) end,
        ["in a table through a linda"] = function(value) lanes.linda():send("key", { field = value }) end,
        ["by linda:set"] = function(value) lanes.linda():set("key", value) end,
        ["in a metatable"] = function(value) lanes.linda():send("key", setmetatable({}, { field = value })) end,
    }
    for name, way in pairs(ways) do
        it("is refused " .. name, function()
            support.raises("can't copy non-deep full userdata across lanes", way, file)
        end)

        it("is refused " .. name .. " also when it is a lane's handle", function()
            local handle = lanes.gen("*", function() end)()
            support.raises("can't copy non-deep full userdata across lanes", way, handle)
            expect.finished(handle)
        end)
    end

    it("is nil there when its metatable says __lanesignore", function()
        assert.equal("nil\tnil\tkept\nkey\tnil\n", support.output [[
            local lanes = require "lanes"
            getmetatable(io.stdout).__lanesignore = true
            local file = io.stdout
            local lane = lanes.gen("*", function(argument) return file, argument[1], argument[2] end) { file, "kept" }
            print(lane[1], lane[2], lane[3])
            local linda = lanes.linda()
            linda:send("key", file)
            print(linda:receive(0, "key"))
        ]])
    end)
end)

describe("with demote_full_userdata", function()
    it("a full userdata becomes a light one, always the same", function()
        assert.equal("userdata\tnil\ttrue\ttrue\n", support.output [[
            local lanes = require "lanes".configure { demote_full_userdata = true }
            local file = io.tmpfile()
            local linda = lanes.linda()
            linda:send("key", file, { file })
            local _, one, two = linda:receive(0, linda.batched, "key", 2)
            local lane = lanes.gen("*", function() return file end)()
            print(type(one), getmetatable(one), one == two[1], one == lane[1])
        ]])
    end)

    it("a linda stays a linda", function()
        assert.equal("Linda: deep\n", support.output [[
            local lanes = require "lanes".configure { demote_full_userdata = true }
            local linda = lanes.linda "deep"
            print(lanes.gen("*", function(argument) return tostring(argument) end)(linda)[1])
        ]])
    end)
end)

if newproxy then
    describe("a userdata whose metatable has __lanesclone", function()
        -- A module with such a userdata of size 0, as far as it can be made in Lua.
        local module = [[
            package.preload.proxies = function()
                local first = newproxy(true)
                local meta = getmetatable(first)
                local calls = {}
                meta.kind = "proxy"
                meta.__lanesclone = function(clone, source, size)
                    calls[#calls + 1] = type(clone) .. " " .. type(source) .. " " .. size
                end
                return { meta = meta, calls = calls, new = function() return newproxy(first) end }
            end
            local lanes = require "lanes"
            local proxies = lanes.require "proxies"
        ]]

        it("is cloned with the lane's own metatable", function()
            assert.equal("userdata\tproxy\ttrue\n1\tuserdata userdata 0\n", support.output(module .. [[
                local lane = lanes.gen("*", { required = { "proxies" } }, function(proxy)
                    local meta = getmetatable(proxy)
                    return type(proxy), meta.kind, meta == require "proxies".meta
                end)(proxies.new())
                print(lane[1], lane[2], lane[3])
                print(#proxies.calls, proxies.calls[1])
            ]]))
        end)

        it("is cloned once per transfer", function()
            assert.equal("true\t1\n", support.output(module .. [[
                local proxy = proxies.new()
                local lane = lanes.gen("*", { required = { "proxies" } }, function(a, b) return a == b[1] end)
                print(lane(proxy, { proxy })[1], #proxies.calls)
            ]]))
        end)

        it("is a new object after a trip through a linda", function()
            assert.equal("userdata\tproxy\tfalse\n", support.output(module .. [[
                local proxy = proxies.new()
                local linda = lanes.linda()
                linda:send("key", proxy)
                local _, copy = linda:receive(0, "key")
                print(type(copy), getmetatable(copy).kind, copy == proxy)
            ]]))
        end)

        it("is refused when its metatable has no name here", function()
            local result = support.run [[
                local lanes = require "lanes"
                local proxy = newproxy(true)
                getmetatable(proxy).__lanesclone = function() end
                print(pcall(lanes.gen("*", function() end), proxy))
            ]]
            assert.matches("^false\t", result.out)
            assert.matches("origin transfer database", result.out, 1, true)
            assert.equal(0, result.code)
        end)
    end)
end
