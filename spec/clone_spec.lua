-- Userdata of C modules that are copied between lanes by __lanesclone. The module is
-- tests/capi/deep_test.c: each userdata owns memory, so that a leaked copy, or one that two
-- userdata share, is detected.
local support = require "support"
local capi = require "capi"
local deep_test = capi.module()
local expect = require "expect"
local lanes = require "lanes"
local assert, describe, it, _ENV = support.plain(assert, describe, capi.needed(it))
local collect = support.collect

if deep_test then lanes.require "deep_test" end

local many = _VERSION >= "Lua 5.4"

-- Runs body. Checks that all clones have then been freed exactly once, and the number of clones.
local function balanced(clones, body)
    collect()
    local before = deep_test.counts()
    local originals = body()
    local function freed() return deep_test.counts().clones_freed - before.clones_freed end
    support.until_true(function()
        collect()
        return freed() >= clones + originals
    end, clones .. " clones and " .. originals .. " originals freed")
    assert.equal(clones, deep_test.counts().clones - before.clones)
    assert.equal(clones + originals, freed())
end

local required = { required = { "deep_test" } }

describe("a clonable userdata", function()
    it("is copied into a lane, as argument", function()
        balanced(1, function()
            local original = deep_test.new_clonable "text"
            local text, class = expect.finished(lanes.gen("*", required, function(copy)
                return copy:get(), getmetatable(copy) == require "deep_test".clonable
            end)(original))
            assert.equal("text", text)
            assert.is_true(class)
            assert.equal("text", original:get())
            return 1
        end)
    end)

    it("is copied into a lane, as upvalue, and its module is required there", function()
        balanced(1, function()
            local original = deep_test.new_clonable "text"
            assert.equal("text", expect.in_lane(function() return original:get() end))
            return 1
        end)
    end)

    it("is copied out of a lane", function()
        balanced(1, function()
            local copy = expect.in_lane(function() return require "deep_test".new_clonable "from the lane" end)
            assert.equal("from the lane", copy:get())
            return 1
        end)
    end)

    it("is copied once per transfer, however often the value contains it", function()
        balanced(1, function()
            local original = deep_test.new_clonable "text"
            assert.is_true(expect.finished(lanes.gen("*", required, function(a, b)
                return rawequal(a, b[1]) and rawequal(a, b.x)
            end)(original, { original, x = original })))
            return 1
        end)
    end)

    it("is a new object in each transfer", function()
        balanced(2, function()
            local original, linda = deep_test.new_clonable "text", lanes.linda()
            linda:send("key", original)
            linda:send("key", original)
            local a, b = expect.received(linda, "key"), expect.received(linda, "key")
            assert.is_false(rawequal(a, b) or rawequal(a, original) or rawequal(b, original))
            assert.equal("texttext", a:get() .. b:get())
            return 1
        end)
    end)

    it("is copied by each get", function()
        -- One copy is in the linda, each get makes another, and the receiver gets the one in the
        -- linda.
        balanced(3, function()
            local linda = lanes.linda()
            linda:set("key", deep_test.new_clonable "text")
            local a, b = linda:get("key"), linda:get("key")
            assert.is_false(rawequal(a, b))
            local c = expect.received(linda, "key")
            assert.equal("texttexttext", a:get() .. b:get() .. c:get())
            return 1
        end)
    end)

    it("is shared by values that are sent together and received together", function()
        balanced(1, function()
            local linda = lanes.linda()
            local original = deep_test.new_clonable "text"
            linda:send("key", original, { original })
            local _, a, b = linda:receive(linda.batched, "key", 2)
            assert.is_true(rawequal(a, b[1]))
            return 1
        end)
    end)

    it("is a separate copy for each of the values that are sent together and received separately", function()
        -- The last one gets the copy in the linda.
        balanced(2, function()
            local linda = lanes.linda()
            local original = deep_test.new_clonable "text"
            linda:send("key", original, { original })
            local a, b = expect.received(linda, "key"), expect.received(linda, "key")
            assert.is_false(rawequal(a, b[1]))
            assert.equal("texttext", a:get() .. b[1]:get())
            return 1
        end)
    end)

    it("stays in the linda when a value that was sent with it cannot be received", function()
        balanced(1, function()
            local linda = lanes.linda()
            linda:send("key", { deep_test.new_clonable "text", deep_test.new_kind "module nowhere" })
            for _ = 1, 3 do
                support.raises("error while requiring 'deep_test_nowhere'", linda.receive, linda, "key")
                collect()
            end
            package.preload.deep_test_nowhere = function() return true end
            assert.equal("text", expect.received(linda, "key")[1]:get())
            package.preload.deep_test_nowhere, package.loaded.deep_test_nowhere = nil, nil
            return 1
        end)
    end)

    it("keeps its user values", function()
        balanced(1, function()
            local original = deep_test.new_clonable "text"
            original:set_user_value(1, { original, "first" })
            if many then original:set_user_value(3, "third") end
            local same, first, third = expect.finished(lanes.gen("*", required, function(copy, more)
                local value = copy:get_user_value(1)
                return rawequal(value[1], copy), value[2], more and copy:get_user_value(3)
            end)(original, many))
            assert.is_true(same)
            assert.equal("first", first)
            assert.equal(many and "third", third)
            return 1
        end)
    end)

    it("raises what __lanesclone raises, and nothing is sent", function()
        balanced(0, function()
            local linda = lanes.linda()
            local original = deep_test.new_clonable "refuses"
            support.raises("__lanesclone refuses", linda.send, linda, "key", original)
            support.raises("__lanesclone refuses", lanes.gen("*", function() end), { original })
            assert.is_nil(linda:count("key"))
            return 1
        end)
    end)

    it("arrives as nil when its metatable has __lanesignore too", function()
        local object = deep_test.new_clonable("ignored")
        deep_test.clonable.__lanesignore = true
        local kind = expect.in_lane(function(o) return type(o) end, object)
        deep_test.clonable.__lanesignore = nil
        assert.equal("nil", kind)
    end)

    it("needs its module in the receiving lane", function()
        local original = deep_test.new_clonable "text"
        local generator = lanes.gen("base,package", { package = { path = "", cpath = "" } }, function() end)
        support.raises("'deep_test/clonable' not found in ", generator, original)
    end)

    it("is copied by many lanes at once", function()
        local count, rounds = 8, 20
        balanced(count * (2 * rounds + 2), function()
            local original = deep_test.new_clonable "text"
            local linda, running = lanes.linda(), {}
            for i = 1, count do
                running[i] = lanes.gen("*", required, function(copy, l, n)
                    for _ = 1, n do
                        l:send("key", copy)
                        local _, other = l:receive("key")
                        l:send("key", other)
                        _, copy = l:receive("key")
                    end
                    return copy
                end)(original, linda, rounds)
            end
            for i = 1, count do assert.equal("text", expect.finished(running[i]):get()) end
            return 1
        end)
    end)
end)
