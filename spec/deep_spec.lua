-- Deep objects of C modules: identity, user values, reference counts, deletion, and modules that
-- break the contract. The module is tests/capi/deep_test.c.
local support = require "support"
local capi = require "capi"
local deep_test = capi.module()
local expect = require "expect"
local lanes = require "lanes"
local assert, describe, it, _ENV = support.plain(assert, describe, capi.needed(it))
local collect = support.collect

-- The module's counts, after all garbage of this state has been collected.
local function collected()
    collect()
    return deep_test.counts()
end

-- The module's counts once no object is left to be deleted, not even by a lane of an earlier test
-- whose state is still being closed.
local function counts()
    local now
    support.until_true(function()
        now = collected()
        return now.made == now.deleted
    end, "all objects of earlier tests gone")
    return now
end

-- Waits until this many objects have been deleted since the counts `before`.
local function until_deleted(before, count)
    support.until_true(function()
        collect()
        return deep_test.counts().deleted - before.deleted >= count
    end, count .. " objects deleted")
end

-- User values: their number, and a value that they may have, depend on the version.
local many = _VERSION >= "Lua 5.4"

describe("a deep object", function()
    it("is the same object in a lane, as argument", function()
        local object = deep_test.new(7)
        local value, address = expect.in_lane(function(o)
            o:set(o:get() + 1)
            return o:get(), o:address()
        end, object)
        assert.equal(8, value)
        assert.equal(8, object:get())
        assert.equal(object:address(), address)
    end)

    it("is the same object in a lane, as upvalue", function()
        local object = deep_test.new(7)
        assert.equal(object:address(), expect.in_lane(function() return object:address() end))
    end)

    it("comes back as the proxy that this state has", function()
        local object = deep_test.new(7)
        assert.is_true(rawequal(object, expect.in_lane(function(o) return o end, object)))
    end)

    it("can be passed through a linda in any container", function()
        local object, linda = deep_test.new(7), lanes.linda()
        linda:send("key", { object, deeper = { [object:get()] = object } })
        local received = expect.received(linda, "key")
        assert.is_true(rawequal(object, received[1]))
        assert.is_true(rawequal(object, received.deeper[7]))
        linda:set("key", object)
        assert.is_true(rawequal(object, linda:get("key")))
        assert.is_true(rawequal(object, linda:get("key")))
    end)

    it("has one proxy per state, however it is passed", function()
        local linda = lanes.linda()
        local object = deep_test.new(7)
        linda:send("key", object)
        local same, count = expect.in_lane(function(a, b, l)
            local _, c = l:receive("key")
            return rawequal(a, b[1]) and rawequal(a, c), a:refcount()
        end, object, { object }, linda)
        assert.is_true(same)
        assert.equal(2, count)
    end)

    it("can be made in a lane and outlives it", function()
        local object = expect.in_lane(function() return require "deep_test".new(42) end)
        support.until_true(function() return object:refcount() == 1 end, "the lane's proxy gone")
        assert.equal(42, object:get())
    end)

    it("makes the receiving lane require its module", function()
        local object = deep_test.new(7)
        local loaded = expect.finished(lanes.gen("base,package,string", function(o)
            return package.loaded.deep_test ~= nil and o ~= nil
        end)(object))
        assert.is_true(loaded)
    end)
end)

describe("the number of proxies", function()
    it("counts one for each state that has the object, and none for messages", function()
        local object, linda = deep_test.new(1), lanes.linda()
        assert.equal(1, object:refcount())
        linda:send("key", object)
        linda:send("key", object)
        assert.equal(1, object:refcount())
        local lane = lanes.gen("*", function(o, l)
            l:send("in", o:refcount())
            l:receive("go")
        end)(object, linda)
        assert.equal(2, expect.received(linda, "in"))
        assert.equal(2, object:refcount())
        linda:send("go", true)
        expect.finished(lane)
        support.until_true(function() return object:refcount() == 1 end, "the lane's proxy gone")
    end)
end)

describe("user values of a proxy", function()
    it("are passed with it", function()
        local object = deep_test.new(1, many and 3 or 1)
        object:set_user_value(1, { "first" })
        if many then object:set_user_value(3, "third") end
        local first, third = expect.in_lane(function(o, more)
            return o:get_user_value(1)[1], more and o:get_user_value(3)
        end, object, many)
        assert.equal("first", first)
        assert.equal(many and "third", third)
    end)

    it("replace those of a proxy that the receiver has", function()
        local object = deep_test.new(1, 1)
        object:set_user_value(1, { "here" })
        local back = expect.in_lane(function(o)
            o:set_user_value(1, { "there" })
            return o
        end, object)
        assert.is_true(rawequal(object, back))
        assert.equal("there", object:get_user_value(1)[1])
    end)

    it("may refer to the object itself", function()
        local object = deep_test.new(1, 1)
        object:set_user_value(1, { object })
        assert.is_true(expect.in_lane(function(o) return rawequal(o, o:get_user_value(1)[1]) end, object))
    end)

    it("that were never set are not passed", function()
        assert.is_true(expect.finished(lanes.gen("base,package,string", function(o)
            local value = o:get_user_value(1)
            return value == nil or value == _G
        end)(deep_test.new(1, 1))))
    end)

    it("are refused when there are too many", function()
        support.raises("the number of user values must be from 0 to 255", deep_test.new, 1, 256)
        support.raises("the number of user values must be from 0 to 255", deep_test.new, 1, -1)
    end)
end)

describe("the end of a deep object", function()
    it("comes once, with the last proxy", function()
        local before = counts()
        local object = deep_test.new(1)
        expect.in_lane(function(o) return o:get() end, object)
        support.until_true(function() return object:refcount() == 1 end, "the lane's proxy gone")
        local now = deep_test.counts()
        assert.equal(before.deleted, now.deleted)
        assert.equal(before.finalized, now.finalized)
        assert.equal(1, object:get())
        object = nil -- luacheck: ignore
        until_deleted(before, 1)
        now = deep_test.counts()
        assert.equal(before.deleted + 1, now.deleted)
        assert.equal(before.finalized + 1, now.finalized)
    end)

    it("waits for messages", function()
        local before = counts()
        local linda = lanes.linda()
        linda:send("key", deep_test.new(5))
        collect()
        assert.equal(before.deleted, deep_test.counts().deleted)
        local object = expect.received(linda, "key")
        assert.equal(5, object:get())
        assert.equal(1, object:refcount())
        object = nil -- luacheck: ignore
        until_deleted(before, 1)
        assert.equal(before.finalized + 1, deep_test.counts().finalized)
    end)

    it("comes without the module's __gc in a message that is never received", function()
        local before = counts()
        local linda = lanes.linda()
        linda:send("key", deep_test.new(5))
        linda:send("other", { deep_test.new(6) })
        collect()
        linda:set("key")
        assert.equal(before.deleted + 1, deep_test.counts().deleted)
        linda = nil -- luacheck: ignore
        until_deleted(before, 2)
        local now = deep_test.counts()
        assert.equal(before.deleted + 2, now.deleted)
        assert.equal(before.finalized, now.finalized)
    end)

    it("comes once when many lanes have it at once", function()
        local before = counts()
        for _ = 1, 10 do
            local object, linda, running = deep_test.new(0), lanes.linda(), {}
            for i = 1, 8 do
                running[i] = lanes.gen("*", function(o, l)
                    for _ = 1, 20 do
                        l:send("key", o)
                        local _, other = l:receive("key")
                        if not rawequal(o, other) then error("another proxy") end
                    end
                    return true
                end)(object, linda)
            end
            object = nil -- luacheck: ignore
            for i = 1, 8 do assert.is_true(expect.finished(running[i])) end
        end
        until_deleted(before, 10)
        local now = deep_test.counts()
        assert.equal(before.made + 10, now.made)
        assert.equal(before.deleted + 10, now.deleted)
    end)

    it("comes when the state is closed, wherever the object is referenced", function()
        -- Objects are finalized in reverse order of creation.
        assert.equal("made 3, deleted 0\nmade 3, deleted 3\n", capi.output [[
            local at_exit = {}
            if newproxy then
                at_exit = newproxy(true)
                getmetatable(at_exit).__gc = function() show("made", "deleted") end
            else
                setmetatable(at_exit, { __gc = function() show("made", "deleted") end })
            end
            kept = { at_exit, deep_test.new(1), deep_test.new(2), lanes.linda() }
            kept[4]:send("key", deep_test.new(3))
            collect()
            show("made", "deleted")
        ]])
    end)

    it("may come after the module has been unloaded", function()
        assert.equal("closing\n", capi.output [[
            handle = lanes.gen("*", function(o) return o end)(deep_test.new(1))
            handle:join()
            local linda = lanes.linda()
            linda:send("key", linda, deep_test.new(2)) -- a linda that contains itself is freed with the universe
            print "closing"
        ]])
    end)

    it("is not caused by an explicit call of __gc", function()
        local before = counts()
        local object, other = deep_test.new(1), deep_test.new(2)
        local gc = debug.getmetatable(object).__gc
        for _, value in pairs { 1, "text", {}, io.stdout, lanes.linda(), gc } do gc(value) end
        gc()
        gc(object)
        assert.equal(before.deleted + 1, deep_test.counts().deleted)
        support.raises("object expected", object.get, object)
        gc(object)
        support.raises("object expected", object.get, object)
        assert.is_false(deep_test.is_kind("plain", object))
        assert.equal(2, other:get())
        object, other = nil, nil -- luacheck: ignore
        until_deleted(before, 2)
        assert.equal(before.deleted + 2, deep_test.counts().deleted)
    end)

    it("survives a __gc that raises", function()
        local before = counts()
        local object = deep_test.new_kind "gc raises"
        local gc = debug.getmetatable(object).__gc
        support.raises("__gc refuses", gc, object)
        assert.equal(before.deleted + 1, deep_test.counts().deleted)
    end)

    it("raises the errors of eDO_delete, and an error if it breaks the contract", function()
        local object = deep_test.new_kind "delete raises"
        support.raises("eDO_delete refuses", debug.getmetatable(object).__gc, object)
        object = deep_test.new_kind "delete pushes"
        support.raises("Bad idfunc(eDO_delete): should not push anything", debug.getmetatable(object).__gc, object)
        -- Where it cannot be raised, it is ignored.
        local before = counts()
        local linda = lanes.linda()
        linda:send("key", deep_test.new_kind "no module, no gc")
        collect()
        linda:set("key")
        assert.equal(before.deleted + 1, deep_test.counts().deleted)
    end)
end)

describe("luaG_todeep", function()
    it("returns objects of the given kind, and NULL for anything else", function()
        local object, other = deep_test.new(1), deep_test.new_kind "no module, no gc"
        assert.is_true(deep_test.is_kind("plain", object))
        assert.is_false(deep_test.is_kind("no module, no gc", object))
        assert.is_true(deep_test.is_kind("no module, no gc", other))
        for _, value in pairs { 1, "text", {}, print, io.stdout, lanes.linda(), object:address(), false } do
            assert.is_false(deep_test.is_kind("plain", value))
        end
        assert.is_false(deep_test.is_kind("plain", nil))
        assert.is_false(deep_test.is_kind("plain"))
    end)

    it("works without Lanes", function()
        assert.equal("false\t5\t1\ntrue\tnil\n", support.output [[
            local deep_test = require "deep_test"
            print(deep_test.is_kind("plain", io.stdout), deep_test.new(5):get(), deep_test.new(5):refcount())
            for _ = 1, 4 do collectgarbage() end
            print(deep_test.counts().deleted == 2, package.loaded.lanes)
        ]])
    end)

    it("works when Lanes is loaded later", function()
        assert.equal("true\t6\n", support.output [[
            local object = require "deep_test".new(5)
            local lanes = require "lanes".configure()
            local lane = lanes.gen("*", function(o) o:set(o:get() + 1) return o end)(object)
            print(lane[1] == object, object:get())
        ]])
    end)

    it("works in a coroutine that is collected before Lanes is used", function()
        assert.equal("7\tnil\n", support.output [[
            local object = coroutine.wrap(function() return require "deep_test".new(7) end)()
            local lanes = require "lanes".configure()
            for _ = 1, 1000 do coroutine.create(function() end) end
            for _ = 1, 4 do collectgarbage() end
            local value = coroutine.wrap(function() return object:get() end)()
            print(value, (lanes.linda():receive(0.01, "key")))
        ]])
    end)
end)

describe("an identity function", function()
    it("is asked for the metatable once per state", function()
        assert.equal("metatables 1\nmetatables 2\nmetatables 2\n", capi.output [[
            local a, b = deep_test.new(1), deep_test.new(2)
            show "metatables"
            lanes.gen("*", function(x, y) return getmetatable(x) == getmetatable(y) end)(a, b):join()
            show "metatables"
            deep_test.new(3)
            show "metatables"
        ]])
    end)

    -- The error of the call, with the position of its caller.
    local refused = {
        { "no memory", "idfunc(eDO_new) failed to create deep userdata (out of memory)" },
        { "wrong version", "Bad idfunc(eDO_new): DEEP_VERSION is incorrect, "
            .. "rebuild your implementation with the latest deep implementation" },
        { "new pushes", "Bad idfunc(eDO_new): should not push anything on the stack" },
        { "new raises", "eDO_new refuses" },
        { "metatable missing", "Bad idfunc(eOP_metatable): unexpected pushed value" },
        { "metatable twice", "Bad idfunc(eOP_metatable): unexpected pushed value" },
        { "metatable number", "Bad idfunc(eOP_metatable): unexpected pushed value" },
    }
    for i = 1, #refused do
        local kind, text = refused[i][1], refused[i][2]
        it("that breaks the contract is an error: " .. kind, function()
            local before = counts()
            local position
            local err = support.error_of(function()
                position = support.here()
                local object = deep_test.new_kind(kind)
                return object
            end)
            assert.equal(position:gsub(":(%d+)", function(line) return (":%d"):format(line + 1) end) .. text, err)
            local now = deep_test.counts()
            assert.equal(now.made - before.made, now.deleted - before.deleted)
        end)
    end

    it("may raise any error", function()
        local before = counts()
        support.raises("eDO_metatable refuses", deep_test.new_kind, "metatable raises")
        local now = deep_test.counts()
        assert.equal(now.made - before.made, now.deleted - before.deleted)
    end)

    it("that pushes values with the module's name is refused by the receiver", function()
        local object = deep_test.new_kind "module pushes"
        local generator = lanes.gen("*", function() end)
        support.raises("Bad idfunc(eOP_module): should not push anything", generator, object)
    end)
end)

describe("the module of a deep object", function()
    it("must be available to the receiver, whose error gives the reason", function()
        local object, generator = deep_test.new_kind "module nowhere", lanes.gen("*", function() end)
        local err = support.raises(
            "error while requiring 'deep_test_nowhere' identified by idfunc(eOP_module): ", generator, object
        )
        support.contains("module 'deep_test_nowhere' not found", err)
        -- Again: the failure is not remembered.
        support.raises("error while requiring 'deep_test_nowhere'", generator, object)
    end)

    it("is required again after a failure", function()
        -- In a separate interpreter, because the state remembers that it has been required.
        assert.equal("true\n", capi.output [[
            local support = require "support"
            local linda = lanes.linda()
            linda:send("key", deep_test.new_kind "module nowhere")
            support.raises("error while requiring 'deep_test_nowhere'", linda.receive, linda, "key")
            support.raises("error while requiring 'deep_test_nowhere'", linda.receive, linda, "key")
            package.preload.deep_test_nowhere = function() return true end
            print(deep_test.is_kind("module nowhere", select(2, linda:receive("key"))))
        ]])
    end)

    it("cannot be required without the library package", function()
        support.raises(
            "lanes receiving deep userdata should register the 'package' library",
            lanes.gen("base", function() end), deep_test.new(1)
        )
        -- Objects without a module do not need the library.
        assert.equal("userdata", expect.finished(lanes.gen("base", function(o)
            return type(o)
        end)(deep_test.new_kind "no module, no gc")))
    end)
end)

describe("a C function as on_state_create", function()
    it("prepares every lane", function()
        assert.equal("true\t1\nstates 3\n", support.output [[
            local deep_test = require "deep_test"
            local lanes = require "lanes".configure { on_state_create = deep_test.on_state_create }
            local lane = lanes.gen("*", function() return state_number end)
            print(lane()[1] ~= lane()[1], lanes.gen(function() return 1 end)()[1])
            print("states " .. deep_test.counts().states)
        ]])
    end)
end)

describe("push_deep_proxy", function()
    it("pushes this state's proxy of an object", function()
        local object = deep_test.new(7)
        assert.is_true(rawequal(object, deep_test.push_proxy(object:address())))
        assert.equal(1, object:refcount())
    end)

    it("makes a proxy in a lane that has none, and requires the module there", function()
        local object = deep_test.new(7)
        local same, count, loaded = expect.in_lane(function(address, path, cpath)
            package.path, package.cpath = path, cpath
            local push_proxy = require "deep_test".push_proxy
            local proxy = push_proxy(address)
            proxy:set(8)
            return rawequal(proxy, push_proxy(address)), proxy:refcount(), package.loaded.deep_test ~= nil
        end, object:address(), package.path, package.cpath)
        assert.is_true(same)
        assert.equal(2, count)
        assert.is_true(loaded)
        assert.equal(8, object:get())
    end)

    it("takes ownership of an object that the module has created itself", function()
        local before = counts()
        do
            local object = deep_test.push_proxy(deep_test.make("plain", 5))
            assert.equal(1, object:refcount())
            assert.equal(6, expect.in_lane(function(o) o:set(6) return o:get() end, object))
            assert.equal(6, object:get())
        end
        until_deleted(before, 1)
    end)

    it("returns the reason when it cannot make a proxy, and leaves the object to the module", function()
        local before = counts()
        local address = deep_test.make("metatable missing", 1)
        for _ = 1, 2 do
            local proxy, reason = deep_test.push_proxy(address)
            assert.is_nil(proxy)
            assert.equal("Bad idfunc(eOP_metatable): unexpected pushed value", reason)
        end
        assert.equal(before.deleted, collected().deleted)
        deep_test.free_object(address)
        address = deep_test.make("module nowhere", 1)
        local proxy, reason = expect.in_lane(function(a, path, cpath)
            package.path, package.cpath = path, cpath
            return require "deep_test".push_proxy(a)
        end, address, package.path, package.cpath)
        assert.is_nil(proxy)
        support.contains("error while requiring 'deep_test_nowhere' identified by idfunc(eOP_module): ", reason)
        assert.equal(before.deleted + 1, collected().deleted)
        deep_test.free_object(address)
        assert.equal(before.deleted + 2, collected().deleted)
    end)
end)

describe("free_deep_prelude", function()
    it("frees an object without proxies", function()
        local before = counts()
        deep_test.free_object(deep_test.make("plain", 1))
        assert.equal(before.deleted + 1, collected().deleted)
    end)

    it("refuses an object with proxies", function()
        local object = deep_test.new(7)
        support.raises("the object still has proxies", deep_test.free_object, object:address())
        assert.equal(7, object:get())
    end)

    it("raises an error when the identity function breaks the contract", function()
        support.raises("Bad idfunc(eDO_delete): should not push anything", deep_test.free_object,
            deep_test.make("delete pushes", 1))
        support.raises("eDO_delete refuses", deep_test.free_object, deep_test.make("delete raises", 1))
    end)
end)
