-- Userdata that are passed between states: lindas, files, lane handles, and the fields of
-- metatables that control it.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local expect = require "expect"

describe("a light userdata", function()
    it("arrives unchanged", function()
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

    it("arrives as nil when its metatable has __lanesignore", function()
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
        -- A module with such a userdata of size 0, which can be made in Lua.
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

        it("is a new object after passing through a linda", function()
            assert.equal("userdata\tproxy\tfalse\n", support.output(module .. [[
                local proxy = proxies.new()
                local linda = lanes.linda()
                linda:send("key", proxy)
                local _, copy = linda:receive(0, "key")
                print(type(copy), getmetatable(copy).kind, copy == proxy)
            ]]))
        end)
    end)
end

describe("a clonable userdata whose metatable is in no module", function()
    -- Userdata whose metatable is set by Lua code, on every Lua: the block of a file without its
    -- finalizer, or an empty one.
    local new = [[
        local lanes = require "lanes".configure()
        local linda = lanes.linda()
        local registry = debug.getregistry()
        local function new(metatable)
            local userdata = newproxy and newproxy() or io.tmpfile()
            debug.setmetatable(userdata, metatable)
            return userdata
        end
        local function results(lane)
            lane:join()
            assert(lane.status == "done", select(2, lane:join()))
            return lane:join()
        end
        local words = { "one" }
        local plain = { __lanesclone = function() end, word = words, length = function() return #words end }
        plain.__index = plain
    ]]

    it("has a copy of the metatable in the lane, the same for all objects", function()
        assert.equal("userdata\tone\t1\ttrue\ttrue\n", support.output(new .. [[
            local a, b = new(plain), new(plain)
            linda:send("key", new(plain))
            print(results(lanes.gen("*", function(x, y)
                local third = select(2, linda:receive("key"))
                return type(x), x.word[1], y:length(), debug.getmetatable(x) == debug.getmetatable(y),
                    debug.getmetatable(third) == debug.getmetatable(a)
            end)(a, b)))
        ]]))
    end)

    it("has its own metatable again when it comes back", function()
        assert.equal("true\ttrue\tfalse\n", support.output(new .. [[
            local a = new(plain)
            local lane = lanes.gen("*", function(x) return x end)(a)
            linda:send("key", a)
            print(debug.getmetatable(lane[1]) == plain, debug.getmetatable(select(2, linda:receive("key"))) == plain, lane[1] == a)
        ]]))
    end)

    it("has the contents of the metatable at the time of sending", function()
        assert.equal("before\tafter\n", support.output(new .. [[
            local metatable = { __lanesclone = function() end, word = "before" }
            metatable.__index = metatable
            local f = lanes.gen("*", function(x) return x.word end)
            local word = results(f(new(metatable)))
            metatable.word = "after"
            print(word, (results(f(new(metatable)))))
        ]]))
    end)

    -- As by luaL_newmetatable, which sets the field __name since Lua 5.3.
    for name, field in pairs { ["without __name"] = "nil", ["with __name"] = '"spec.object"', ["with another __name"] = '"other"' } do
        it("has the metatable of this name in the lane's registry, " .. name, function()
            assert.equal("true\tthere\ttrue\n", support.output(new .. [[
                local metatable = { __lanesclone = print, __name = ]] .. field .. [[, word = "here" }
                metatable.__index = metatable
                registry["spec.object"] = metatable
                local lane = lanes.gen("*", { required = { "spec_object" } }, function(x)
                    return debug.getmetatable(x) == debug.getregistry()["spec.object"], x.word, x
                end)
                package.preload.spec_object = function()
                    local metatable = { __lanesclone = function() end, word = "there" }
                    metatable.__index = metatable
                    debug.getregistry()["spec.object"] = metatable
                    return {}
                end
                metatable.__lanesclone = function() end
                lane = lane(new(metatable))
                print(lane[1], lane[2], debug.getmetatable(lane[3]) == metatable)
            ]]))
        end)
    end

    it("has a copy of a named metatable if the lane's registry has none, or one without __lanesclone", function()
        assert.equal("here\nhere\n", support.output(new .. [[
            local metatable = { __lanesclone = function() end, word = "here" }
            metatable.__index = metatable
            registry["spec.object"] = metatable
            print(results(lanes.gen("*", function(x) return x.word end)(new(metatable))))
            print(results(lanes.gen("*", { required = { "spec_object" } }, function(x) return x.word end)((function()
                package.preload.spec_object = function() debug.getregistry()["spec.object"] = {} return {} end
                return new(metatable)
            end)())))
        ]]))
    end)

    it("is refused if the metatable cannot be copied, with a remedy for userdata", function()
        for _, field in ipairs { "coroutine.create(function() end)", "io.stdout", "coroutine.wrap(function() end)" } do
            local out = support.output(new .. [[
                plain.field = ]] .. field .. [[

                print(pcall(lanes.gen("*", function() end), new(plain)))
                print(pcall(linda.send, linda, "key", { new(plain) }))
            ]])
            assert.equal(2, select(2, out:gsub("false\t[^\n]*can't copy clonable userdata across lanes", "")), out)
            assert.matches("(arg #1; its metatable is in no table of a module", out, 1, true)
            assert.matches("metatable.field", out, 1, true)
            assert.matches("Keep the metatable in a field of the module", out, 1, true)
            assert.is_nil(out:find("require the module that exports it", 1, true))
        end
    end)

    it("is refused by a lane that can neither find nor copy the metatable", function()
        local out = support.output(new .. [[
            plain.field = io.stdout
            registry["spec.object"] = plain
            local ok, problem = pcall(lanes.gen("*", function() end), new(plain))
            print(ok, (problem:gsub("\n", " ")))
            linda:send("key", new(plain))
            ok, problem = results(lanes.gen("*", function() return pcall(linda.receive, linda, "key") end)())
            print(ok, (problem:gsub("\n", " ")))
        ]])
        for line in out:gmatch "[^\n]+" do
            assert.matches("^false\t.*metatable 'spec.object' not found", line)
            assert.matches("no module that is loaded there has made it", line, 1, true)
            assert.matches("a copy cannot be made: can't copy non-deep full userdata across lanes (module.field", line, 1, true)
            assert.matches("require the module that makes such userdata there first", line, 1, true)
        end
    end)

    if newproxy then
        -- In a lane, where such objects are adjacent in memory.
        it("is distinguished from objects that follow it in memory", function()
            assert.equal("fine\n", support.output(new .. [[
                print(results(lanes.gen("*", function()
                    local list = {}
                    for n = 1, 400 do
                        list[3 * n - 2] = newproxy()
                        list[3 * n - 1] = {}
                        list[3 * n] = function() return list end
                        debug.setmetatable(list[3 * n - 2], plain)
                    end
                    linda:send("key", list)
                    local _, copy = linda:receive("key")
                    for n, value in ipairs(list) do
                        if type(copy[n]) ~= type(value) then return type(value) .. " became " .. type(copy[n]) end
                    end
                    return "fine"
                end)()))
            ]]))
        end)

        it("can come from newproxy", function()
            assert.equal("userdata\tproxy\ttrue\n", support.output(new .. [[
                local proxy = newproxy(true)
                local meta = getmetatable(proxy)
                meta.__lanesclone, meta.kind = function() end, "proxy"
                linda:send("key", proxy)
                local _, copy = linda:receive("key")
                local lane = lanes.gen("*", function(x) return type(x), getmetatable(x).kind end)(proxy)
                print(lane[1], lane[2], getmetatable(copy) == meta)
            ]]))
        end)
    end
end)
