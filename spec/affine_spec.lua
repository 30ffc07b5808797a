-- Modules that may be used only by the thread that loaded them: a lane's modules are loaded on the
-- lane's own thread.
local support = require "support"
local capi = require "capi"
local needs = require "needs"
local assert, describe, it, after_each, _ENV = support.plain(assert, describe, capi.needed(it), after_each)

local lanes = require "lanes"
local hooks = require "lanes_core".hooks
local expect = require "expect"
local affine = needs.is_built_here() and require "affine"

-- The results of a body about its module: the thread that loaded it, the running thread, and
-- whether it can be used.
local function used(module)
    return module.loaded_by == module.current(), module.use(), module.nested.use()
end

local function forget()
    for _, name in ipairs { "spec_wrapper", "spec_failing", "spec_inner", "spec_waiting" } do
        package.loaded[name], package.preload[name] = nil, nil
    end
end

describe("a module that belongs to its loading thread", function()
    after_each(forget)

    local function check(...)
        assert.same({ true, true, true }, { ... })
    end

    it("can be used in a lane that requires it", function()
        check(expect.in_lane(function() return used(require "affine") end))
    end)

    it("can be used in a lane that lists it as required", function()
        for _ = 1, 3 do
            check(expect.finished(lanes.gen("*", { required = { "affine" } }, function()
                return used(package.loaded.affine)
            end)()))
        end
    end)

    it("can be used as an upvalue", function()
        check(expect.in_lane(function() return used(affine) end))
    end)

    it("can be used as an argument, and within tables", function()
        check(expect.in_lane(function(module) return used(module) end, affine))
        check(expect.in_lane(function(value) return used(value.deep[1]) end, { deep = { affine } }))
        check(expect.finished(lanes.gen("*", { globals = { module = affine } }, function()
            return used(module) -- luacheck: ignore module
        end)()))
    end)

    it("can be used by one of its functions", function()
        local use, nested = affine.use, affine.nested.use
        assert.is_true(expect.in_lane(function() return use() and nested() end))
    end)

    it("can be used when a module in Lua, or a loader in preload, has loaded it", function()
        package.preload.spec_wrapper = function()
            local inner = require "affine"
            return { inner = inner, by = inner.current() }
        end
        local function body()
            local wrapper = require "spec_wrapper"
            return wrapper.by == wrapper.inner.current(), wrapper.inner.use(), wrapper.inner.nested.use()
        end
        check(expect.finished(lanes.gen("*", { required = { "spec_wrapper" } }, body)()))
        check(expect.finished(lanes.gen("*", { required = { "spec_wrapper", "affine" } }, body)()))
    end)

    it("can be used when on_state_create has required it", function()
        assert.equal("true\n", support.output [[
            local lanes = require "lanes".configure {
                on_state_create = function() if require then require "affine" end end,
            }
            local lane = lanes.gen("*", function() return require "affine".use() end)()
            print(lane[1])
        ]])
    end)

    it("can be used in a lane with a priority and a stack size", function()
        local options = { required = { "affine" }, priority = -1, stack_size = 2 ^ 21 }
        check(expect.finished(lanes.gen("*", options, function() return used(require "affine") end)()))
    end)

    it("is finalized by its thread, after the lane has run or its launch has failed", function()
        -- Only the object of the main state is left: lanes of earlier tests have closed their
        -- states.
        local function settled()
            collectgarbage()
            local finalized, _, made = affine.counts()
            return made == finalized + 1
        end
        support.until_true(settled, "objects of earlier lanes finalized")
        local _, strayed, made = affine.counts()
        local generator = lanes.gen("*", { required = { "affine" } }, function() end)
        expect.finished(generator())
        support.raises("tried to copy", generator, coroutine.create(function() end))
        package.preload.spec_failing = function() error("not this one") end
        support.raises("not this one", lanes.gen("*", { required = { "affine", "spec_failing" } }, function() end))
        support.until_true(settled, "all objects finalized")
        assert.same({ strayed, made + 3 }, { select(2, affine.counts()) })
    end)
end)

describe("a module that is loaded for a lane", function()
    after_each(forget)

    it("raises its errors from the launching call", function()
        package.preload.spec_failing = function() error("no such luck") end
        local generator = lanes.gen("*", { required = { "spec_failing" } }, function() end)
        for _ = 1, 3 do support.raises("no such luck", generator) end
        package.preload.spec_failing = function() error({ code = 7 }) end
        assert.same({ code = 7 }, support.error_of(lanes.gen("*", { required = { "spec_failing" } }, function() end)))
        support.raises("module 'spec_missing' not found", lanes.gen("*", { required = { "spec_missing" } }, function() end))
        assert.equal(1, expect.in_lane(function() return 1 end))
    end)

    it("may itself launch lanes that load modules, and wait for them", function()
        package.preload.spec_inner = function() return { value = 42 } end
        package.preload.spec_wrapper = function()
            local lanes = require "lanes" -- luacheck: ignore lanes
            local affine = require "affine" -- luacheck: ignore affine
            local options = { required = { "spec_inner", "affine" } }
            local lane = lanes.gen("*", options, function()
                return package.loaded.spec_inner.value, require "affine".use()
            end)()
            local value, fine = lane[1], lane[2]
            return { value = value, fine = fine and affine.use() }
        end
        local value, fine = expect.finished(lanes.gen("*", { required = { "spec_wrapper" } }, function()
            local wrapper = package.loaded.spec_wrapper
            return wrapper.value, wrapper.fine
        end)())
        assert.same({ 42, true }, { value, fine })
        assert.same({ value = 42, fine = true }, require "spec_wrapper")
    end)

    it("may change the thread, which is then not reused", function()
        package.preload.spec_wrapper = function()
            local affine = require "affine" -- luacheck: ignore affine
            require "lanes".set_thread_priority(-1)
            return { by = affine.current() }
        end
        local generator = lanes.gen("*", { required = { "spec_wrapper" } }, function()
            local affine = require "affine" -- luacheck: ignore affine
            return package.loaded.spec_wrapper.by == affine.current()
        end)
        for _ = 1, 3 do assert.is_true(expect.finished(generator())) end
    end)

    it("for which there is no thread is a clear error", function()
        for _, options in ipairs { {}, { required = { "affine" } } } do
            local generator = lanes.gen("*", options, function() return affine.use() end)
            hooks.refuse_threads(1, 1)
            local problem = support.raises("cannot start a lane: the system gives no thread", generator)
            assert.equal(1, hooks.refuse_threads())
            assert.is_nil(problem:find("table 'affine'", 1, true))
            assert.is_true(expect.finished(generator()))
        end
    end)

    it("is stopped when the launching lane is cancelled", function()
        local linda = lanes.linda()
        package.preload.spec_waiting = function()
            linda:send("waiting", true)
            linda:receive("never")
        end
        local lane = lanes.gen("*", function()
            return require "lanes".gen("*", { required = { "spec_waiting" } }, function() end)()
        end)()
        expect.received(linda, "waiting")
        assert.is_true(lane:cancel("hard", 100))
        assert.equal("cancelled", lane.status)
    end)

    it("is asked to stop where it waits, when the launching lane already had a request", function()
        local linda = lanes.linda()
        package.preload.spec_inner = function() return { value = 42 } end
        package.preload.spec_waiting = function() linda:receive("never") end
        local lane = lanes.gen("*", function()
            local lanes = require "lanes" -- luacheck: ignore lanes
            linda:send("ready", true)
            pcall(linda.receive, linda, "never")
            -- A module that does not wait is loaded, and the new lane has no request.
            local value, asked = lanes.gen("*", { required = { "spec_inner" } }, function()
                return package.loaded.spec_inner.value, cancel_test()
            end)():join()
            local _, problem = pcall(lanes.gen("*", { required = { "spec_inner", "spec_waiting" } }, function() end))
            return value, asked, problem == lanes.cancel_error
        end)()
        expect.received(linda, "ready")
        lane:cancel("hard", 0)
        assert.same({ 42, false, true }, { expect.finished(lane) })
    end)

    it("may wait for a finalizer of a cancelled lane", function()
        local linda = lanes.linda()
        package.preload.spec_waiting = function() return { value = select(2, linda:receive("go")) } end
        local lane = lanes.gen("*", function()
            set_finalizer(function()
                local generator = require "lanes".gen("*", { required = { "spec_waiting" } }, function()
                    return package.loaded.spec_waiting.value
                end)
                linda:set("ended", true)
                linda:set("value", generator()[1])
            end)
            linda:receive("never")
        end)()
        support.until_status(lane, "waiting")
        lane:cancel("hard", 0)
        expect.received(linda, "ended")
        linda:send("go", 42)
        assert.equal(42, expect.received(linda, "value"))
    end)

    it("is stopped at the end of the program, which it does not delay", function()
        assert.equal("waiting\n", support.output [[
            local lanes = require "lanes".configure { shutdown_timeout = 100 }
            local linda = lanes.linda()
            package.preload.waiting = function()
                linda:send("waiting", true)
                linda:receive("never")
            end
            lanes.gen("*", function()
                require "lanes".gen("*", { required = { "waiting" } }, function() end)()
            end)()
            print((linda:receive("waiting")))
        ]])
    end)
end)
