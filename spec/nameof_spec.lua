-- lanes.nameof: type and name of any value.
local support = require "support"
local assert, describe, it, after_each, _ENV = support.plain(assert, describe, it, after_each)

local lanes = require "lanes"

local function nameof(...)
    return support.pack(lanes.nameof(...))
end

describe("nameof", function()
    after_each(function() _G.spec_global, _G.spec_longer_global = nil, nil end)

    it("returns other values as their own names", function()
        assert.same({ n = 2, "nil", nil }, nameof(nil))
        assert.same({ n = 2, "boolean", true }, nameof(true))
        assert.same({ n = 2, "boolean", false }, nameof(false))
        assert.same({ n = 2, "number", 5 }, nameof(5))
        assert.same({ n = 2, "string", "text" }, nameof("text"))
        assert.same({ n = 2, "userdata", lanes.cancel_error }, nameof(lanes.cancel_error))
    end)

    it("finds objects that are reachable from the globals", function()
        assert.same({ n = 2, "function", "_G/print" }, nameof(print))
        assert.same({ n = 2, "function", "_G/string/sub" }, nameof(string.sub))
        assert.same({ n = 2, "table", "_G/string" }, nameof(string))
        assert.same({ n = 2, "userdata", "_G/io/stdout" }, nameof(io.stdout))
        assert.same({ n = 2, "table", "_G/_G" }, nameof(_G))
    end)

    it("finds functions of modules", function()
        assert.same({ n = 2, "function", "_G/package/loaded/lanes/gen" }, nameof(lanes.gen))
    end)

    it("finds the program's own globals", function()
        _G.spec_global = { inner = { f = function() end } }
        assert.same({ n = 2, "function", "_G/spec_global/inner/f" }, nameof(_G.spec_global.inner.f))
    end)

    it("returns the shortest path", function()
        local f = function() end
        _G.spec_global = { a = { b = { c = f } } }
        _G.spec_longer_global = f
        assert.same({ n = 2, "function", "_G/spec_longer_global" }, nameof(f))
    end)

    it("goes through metatables", function()
        local f = function() end
        _G.spec_global = setmetatable({}, { __index = { f = f } })
        assert.same({ n = 2, "function", "_G/spec_global/__metatable/__index/f" }, nameof(f))
    end)

    it("finds methods of userdata through their metatable", function()
        local _, name = lanes.nameof(getmetatable(io.stdout).__tostring)
        support.contains("__metatable/__tostring", name)
    end)

    it("returns no name for unreachable objects", function()
        assert.same({ n = 2, "table", nil }, nameof({}))
        assert.same({ n = 2, "function", nil }, nameof(function() end))
        assert.same({ n = 2, "thread", nil }, nameof(coroutine.create(function() end)))
    end)

    it("survives cycles", function()
        local t = { deep = {} }
        t.deep.up, t.self = t, t
        _G.spec_global = t
        assert.same({ n = 2, "table", "_G/spec_global/deep" }, nameof(t.deep))
    end)

    it("returns a path through keys of any type", function()
        for _, key in ipairs { 1, 1.5, true, false, io.stdout, {}, print, lanes.cancel_error } do
            local f = function() end
            _G.spec_global = { [key] = f }
            local kind, name = lanes.nameof(f)
            assert.equal("function", kind)
            assert.equal("_G/spec_global/", name:sub(1, 15))
        end
    end)

    it("takes exactly one argument", function()
        support.raises("bad argument #1 to 'nameof'", lanes.nameof)
        support.raises("bad argument #2 to 'nameof' (too many arguments", lanes.nameof, 1, 2)
        support.raises("too many arguments", lanes.nameof, nil, nil, nil)
    end)

    it("works in lanes", function()
        assert.same({ "function", "_G/print" }, { lanes.gen("*", function()
            return require "lanes".nameof(print)
        end)():join() })
    end)
end)
