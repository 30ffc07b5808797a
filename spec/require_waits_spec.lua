-- The waits of require: for modules of the same name, and not for a lane that waits for the
-- requiring one.
local support = require "support"
local assert, describe, it, after_each, before_each, _ENV = support.plain(assert, describe, it, after_each, before_each)

local lanes = require "lanes"
local expect = require "expect"

-- The registry key of the `require` that replaces the original (`src/lua/keys.rs`).
local KEY = -0x4c610007

describe("while a module is loaded,", function()
    -- With several files in one process, busted restores the first globals for each, also the
    -- original `require`.
    before_each(function()
        rawset(_G, "require", lanes.null and lanes.linda and debug.getregistry()[KEY])
    end)

    after_each(function()
        for _, name in ipairs { "spec_module", "spec_other", "spec_nested" } do
            package.loaded[name], package.preload[name] = nil, nil
        end
    end)

    -- Requires a module in the main state whose loader is this function. Returns the results of the
    -- function.
    local function load(loader)
        package.loaded.spec_module = nil
        local results
        package.preload.spec_module = function() results = support.pack(loader()) end
        require "spec_module"
        return (table.unpack or unpack)(results, 1, results.n)
    end

    -- Launches a lane that requires a module.
    local function requiring(name)
        return lanes.gen("*", function()
            package.preload[name] = function() return "loaded" end
            return (require(name))
        end)()
    end

    local REFUSED = "module 'spec_module' cannot be loaded: main is loading it and waits for this lane"

    it("another one can be loaded by another lane, and by main", function()
        local linda = lanes.linda()
        local handle = lanes.gen("*", function()
            package.preload.spec_slow = function() return (select(2, linda:receive "go")) end
            return (require "spec_slow")
        end)()
        support.until_status(handle, "waiting")
        assert.equal("loaded", expect.finished(requiring "spec_other"))
        assert.equal("loaded", (load(function() return "loaded" end)))
        linda:send("go", "slow")
        assert.equal("slow", expect.finished(handle))
    end)

    it("it can wait for a lane that requires another one", function()
        local index, joined = load(function()
            return requiring "spec_other"[1], (requiring "spec_other":join())
        end)
        assert.same({ "loaded", "loaded" }, { index, joined })
    end)

    it("it can launch a lane that requires it, without waiting", function()
        assert.equal("loaded", expect.finished((load(function() return requiring "spec_module" end))))
    end)

    for what, wait in pairs {
        ["by lanes.wait"] = function(handle) return select(2, lanes.wait({ handle })[1]:join()) end,
        ["by lanes.wait for all"] = function(handle) return select(2, lanes.wait({ handle, handle }, { count = "all" })[1]:join()) end,
        ["by a scope"] = function(handle)
            return select(2, pcall(lanes.scope, function(s) s:run(function() return handle end) end))
        end,
        ["by join"] = function(handle) return (select(2, handle:join())) end,
        ["by index"] = function(handle) return handle[-1] end,
        ["by an index that raises"] = function(handle)
            return support.error_of(function() return handle[1] end)
        end,
        ["by cancel"] = function(handle)
            handle:cancel("soft", math.huge)
            return handle[-1]
        end,
    } do
        it("it cannot wait for a lane that requires it, " .. what, function()
            for _ = 1, 50 do
                support.contains(REFUSED, load(function() return wait(requiring "spec_module") end))
            end
            -- No lane still waits.
            assert.equal("loaded", expect.finished(requiring "spec_module"))
        end)
    end

    it("the error is raised by require, and the lane continues", function()
        local ok, err, other = load(function()
            local handle = lanes.gen("*", function()
                local ok, err = pcall(function() require "spec_module" end)
                package.preload.spec_other = function() return "loaded" end
                return ok, err, (require "spec_other")
            end)()
            return handle:join()
        end)
        assert.is_false(ok)
        assert.truthy(err:find("^[^\n]*require_waits_spec.lua:%d+: module 'spec_module' cannot"), err)
        assert.equal("loaded", other)
    end)

    it("it can wait with a timeout for a lane that requires it", function()
        local handle, outcome, reason = load(function()
            local handle = requiring "spec_module"
            return handle, handle:join(0.01)
        end)
        assert.same({ nil, "timeout" }, { outcome, reason })
        assert.equal("loaded", expect.finished(handle))
    end)

    it("it cannot be required by a finalizer of a lane that it waits for", function()
        local linda = lanes.linda()
        support.contains(REFUSED, load(function()
            lanes.gen("*", function()
                set_finalizer(function() linda:send("error", select(2, pcall(require, "spec_module"))) end)
            end)():join()
            return expect.received(linda, "error")
        end))
    end)

    it("the error names the lanes between the two", function()
        local function error_through(name)
            return load(function()
                return lanes.gen("*", function()
                    if name then set_debug_threadname(name) end
                    return require "lanes".gen("*", function() require "spec_module" end)()[-1]
                end)()[1]
            end)
        end
        support.contains("main is loading it and waits for lane 'between', and lane 'between' waits for this lane", error_through "between")
        local err = error_through()
        assert.truthy(err:find "main is loading it and waits for Lane #0x%x+, and Lane #0x%x+ waits for this lane", err)
    end)

    it("the error names the modules between the two, in whichever lane it is raised", function()
        local linda = lanes.linda()
        -- main loads spec_module and waits for a lane, which waits for spec_other, which is loaded
        -- by a lane that requires spec_module.
        local other, worker = load(function()
            local other = lanes.gen("*", function()
                set_debug_threadname "other"
                package.preload.spec_other = function()
                    linda:send("loading", true)
                    linda:receive("go")
                    package.preload.spec_module = function() return "loaded" end
                    return (require "spec_module")
                end
                return (require "spec_other")
            end)()
            expect.received(linda, "loading")
            local worker = lanes.gen("*", function()
                set_debug_threadname "worker"
                linda:send("go", true)
                package.preload.spec_other = function() return "loaded" end
                return (require "spec_other")
            end)()
            worker:join()
            return other, worker
        end)
        assert.is_true(expect.ended(other) == "error" or expect.ended(worker) == "error")
        if other.status == "error" then
            support.contains("module 'spec_module' cannot be loaded: main is loading it and waits for lane 'worker', "
                .. "and lane 'worker' waits for this lane to load module 'spec_other'", other[-1])
        end
        if worker.status == "error" then
            support.contains("module 'spec_other' cannot be loaded: lane 'other' is loading it and waits for main "
                .. "to load module 'spec_module', and main waits for this lane", worker[-1])
        end
    end)

    it("two lanes can require two modules in both orders", function()
        local linda = lanes.linda()
        local generator = lanes.gen("*", function(first, second)
            package.preload[first] = function()
                linda:send(first, true)
                linda:receive(second)
                return (require(second))
            end
            package.preload[second] = function() return second end
            return (require(first))
        end)
        for _ = 1, 20 do
            local one, other = generator("spec_module", "spec_other"), generator("spec_other", "spec_module")
            assert.equal("spec_other", expect.finished(one))
            assert.equal("spec_module", expect.finished(other))
        end
    end)

    describe("a lane that requires it can be launched", function()
        local path, directory = package.path
        after_each(function()
            package.path = path
            support.remove_directory(directory)
        end)

        -- Requires a module that launches a lane with this module as required; a condition ends the
        -- recursion.
        local function nested(condition)
            directory = support.directory { ["spec_nested.lua"] = [[
                ]] .. condition .. [[ then return { depth = 0 } end
                return { depth = require "lanes".gen("*", { required = { "spec_nested" } }, function()
                    return require "spec_nested".depth + 1
                end)()[1] }
            ]] }
            package.path = directory .. "/?.lua;" .. path
            return require "spec_nested".depth
        end

        it("as part of the launch", function()
            -- Lanes get this global.
            assert.equal(1, nested "if decoda_name")
        end)

        it("as part of the launch, but not endlessly", function()
            support.raises("while it is loaded it launches a lane that loads it, 16 times within each other", nested, "if false")
        end)
    end)

    it("a lane that would wait for ever can be cancelled", function()
        assert.equal("cancelled", (load(function()
            local handle = requiring "spec_module"
            return (select(2, handle:cancel("hard", support.LIMIT)))
        end)))
    end)

    it("a launch that waits for a module which an upvalue refers to is cancelled as any other wait", function()
        local linda = lanes.linda()
        local loading = lanes.gen("*", function()
            package.preload.spec_module = function()
                linda:send("loading", true)
                return (select(2, linda:receive "go"))
            end
            return (require "spec_module")
        end)()
        linda:receive(support.LIMIT, "loading")
        for _ = 1, 20 do
            local launching = lanes.gen("*", function()
                -- Tells when the upvalues are being captured, of which the module is the second.
                local function tell(_, key)
                    if key == "__lanesignore" then linda:send("capturing", true) end
                end
                local first = setmetatable({}, setmetatable({}, { __index = tell }))
                local module = { field = "value" }
                package.loaded.spec_module = module
                return lanes.gen("*", function() return first, module.field end)()[1]
            end)()
            linda:receive(support.LIMIT, "capturing")
            assert.same({ true, "cancelled" }, { launching:cancel("hard", support.LIMIT) })
            assert.equal("cancelled", launching.status)
        end
        linda:send("go", "loaded")
        assert.equal("loaded", expect.finished(loading))
    end)
end)
