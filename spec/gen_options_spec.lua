-- The options of lanes.gen: their checks, globals, package and required. (gc_cb: lane_handle;
-- priority: threads.)
local support = require "support"
local assert, describe, it, before_each, after_each, _ENV = support.plain(assert, describe, it, before_each, after_each)
-- luacheck: globals a b c x both given spec_loaded (of lanes)

local lanes = require "lanes"

local function nothing() end

describe("an option of gen", function()
    it("must be known", function()
        support.raises("Bad 'prority' option", lanes.gen, "*", { prority = 1 }, nothing)
        support.raises("Bad 'name' option", lanes.gen, "*", { name = "x" }, nothing)
    end)

    it("must have a name", function()
        support.raises('Unkeyed option: string "io"', lanes.gen, { "io" }, nothing)
        support.raises('Unkeyed option: number "1"', lanes.gen, "*", { [3] = 1 }, nothing)
    end)

    it("must have the right type", function()
        support.raises([[Bad 'priority' option: string "1"]], lanes.gen, { priority = "1" }, nothing)
        support.raises([[Bad 'globals' option: string "x"]], lanes.gen, { globals = "x" }, nothing)
        support.raises([[Bad 'package' option: number "5"]], lanes.gen, { package = 5 }, nothing)
        support.raises([[Bad 'required' option: string "x"]], lanes.gen, { required = "x" }, nothing)
        support.raises([[Bad 'gc_cb' option: table "table: ]], lanes.gen, { gc_cb = {} }, nothing)
    end)

    it("cannot be switched off by false", function()
        for _, name in ipairs { "priority", "globals", "package", "required", "gc_cb" } do
            local message = ([[Bad '%s' option: boolean "false"]]):format(name)
            support.raises(message, lanes.gen, { [name] = false }, nothing)
        end
    end)

    it("cancelstep, of old programs, is an error that names its replacement", function()
        local message = support.raises("Bad 'cancelstep' option", lanes.gen, "*", { cancelstep = 100 }, nothing)
        local _, last = message:find("Bad 'cancelstep' option", 1, true)
        support.contains("cancel", message:sub(last + 1))
    end)
end)

describe("the option globals", function()
    it("sets globals of the lane", function()
        local generator = lanes.gen({ globals = { a = 1, b = "two", c = { 3 } } }, function() return a, b, c[1] end)
        assert.same({ 1, "two", 3 }, { generator():join() })
    end)

    it("replaces globals that libraries set", function()
        assert.equal("mine", lanes.gen("*", { globals = { print = "mine" } }, function() return print end)()[1])
    end)

    it("is read at each call of the generator", function()
        local globals = { x = 1 }
        local generator = lanes.gen("*", { globals = globals }, function() return x end)
        globals.x = 2
        assert.equal(2, generator()[1])
        globals.x = 3
        assert.equal(3, generator()[1])
    end)

    it("ignores the table's metatable", function()
        local globals = setmetatable({ x = 1 }, {
            __index = function() error("must not be asked") end,
            __pairs = function() error("must not be asked") end,
        })
        assert.equal(1, lanes.gen("*", { globals = globals }, function() return x end)()[1])
    end)

    it("copies every pair in a separate transfer", function()
        local shared = {}
        local generator = lanes.gen("*", { globals = { a = shared, b = shared, both = { shared, shared } } }, function()
            return a == b, both[1] == both[2]
        end)
        assert.same({ false, true }, { generator():join() })
    end)

    it("cannot replace the functions that lanes have", function()
        local globals = { cancel_test = 1, set_finalizer = 2, set_debug_threadname = 3, set_error_reporting = 4 }
        local generator = lanes.gen("*", { globals = globals }, function()
            return type(cancel_test), type(set_finalizer), type(set_debug_threadname), type(set_error_reporting)
        end)
        assert.same({ "function", "function", "function", "function" }, { generator():join() })
    end)

    it("names a global that cannot be passed", function()
        local thread = coroutine.create(nothing)
        support.raises("handler", lanes.gen("*", { globals = { handler = thread } }, nothing))
        support.raises("config", lanes.gen("*", { globals = { config = { handler = thread } } }, nothing))
    end)

    it("leaves the generator usable after a global that cannot be passed", function()
        local globals = { x = coroutine.create(nothing) }
        local generator = lanes.gen("*", { globals = globals }, function() return x end)
        assert.is_string(support.error_of(generator))
        globals.x = "fine"
        assert.equal("fine", generator()[1])
    end)
end)

describe("the option package", function()
    local path, cpath

    before_each(function() path, cpath = package.path, package.cpath end)
    after_each(function()
        package.path, package.cpath = path, cpath
        package.preload.spec_module, package.preload.spec_unsendable = nil, nil
    end)

    it("sets the lane's path and cpath", function()
        local generator = lanes.gen("*", { package = { path = "here", cpath = "there" } }, function()
            return package.path, package.cpath
        end)
        assert.same({ "here", "there" }, { generator():join() })
    end)

    it("is the caller's package table by default", function()
        local generator = lanes.gen("package", function() return package.path, package.cpath end)
        assert.same({ package.path, package.cpath }, { generator():join() })
    end)

    it("reads the caller's package table at each call of the generator", function()
        local generator = lanes.gen("package", function() return package.path, package.cpath end)
        package.path, package.cpath = "changed path", "changed cpath"
        assert.same({ "changed path", "changed cpath" }, { generator():join() })
    end)

    it("keeps the fields that it does not set", function()
        local path_kind, cpath_value = lanes.gen("package", { package = { cpath = "only" } }, function()
            return type(package.path), package.cpath
        end)():join()
        assert.same({ "string", "only" }, { path_kind, cpath_value })
    end)

    it("does not pass searchers", function()
        local searchers = package.searchers or package.loaders
        searchers[#searchers + 1] = function() return function() return "found" end end
        local found = lanes.gen("*", function() return (pcall(require, "no.such.module.at.all")) end)()[1]
        searchers[#searchers] = nil
        assert.is_false(found)
    end)

    it("passes given preload functions", function()
        local given = { preload = { spec_module = function() return { value = 5 } end } }
        local generator = lanes.gen("*", { package = given }, function() return require "spec_module".value end)
        assert.equal(5, generator()[1])
    end)

    it("passes the caller's preload functions by default", function()
        package.preload.spec_module = function(name) return { name = name } end
        assert.equal("spec_module", lanes.gen("*", function() return require "spec_module".name end)()[1])
    end)

    it("skips preload functions that cannot be passed", function()
        local thread = coroutine.create(nothing)
        package.preload.spec_unsendable = function() return thread end
        package.preload.spec_module = function() return { value = 5 } end
        local value, found = lanes.gen("*", function()
            return require "spec_module".value, (pcall(require, "spec_unsendable"))
        end)():join()
        assert.same({ 5, false }, { value, found })
    end)

    it("is ignored by a lane without the package library", function()
        local generator = lanes.gen("base", { package = { path = "here" } }, function() return type(package) end)
        assert.equal("nil", generator()[1])
    end)
end)

describe("the option required", function()
    local directory

    before_each(function()
        directory = support.directory {
            ["spec_table.lua"] = "return { value = 5 }",
            ["spec_function.lua"] = "return function() return 6 end",
            ["spec_true.lua"] = "spec_loaded = true",
            ["spec_false.lua"] = "return false",
            ["spec_error.lua"] = "error('this module fails')",
            ["spec_error_table.lua"] = "error({ code = 7 })",
            ["spec_order.lua"] = "return { g = given, t = type(cancel_test), table = package.loaded.spec_table }",
        }
    end)
    after_each(function() support.remove_directory(directory) end)

    local function gen(required, body, libraries)
        local package_table = { path = directory .. "/?.lua", cpath = "" }
        return lanes.gen(libraries or "*", { required = required, package = package_table }, body)
    end

    it("loads the modules before the lane runs", function()
        local generator = gen({ "spec_table", "spec_function" }, function()
            return package.loaded.spec_table.value, package.loaded.spec_function()
        end)
        assert.same({ 5, 6 }, { generator():join() })
    end)

    it("accepts an empty list", function()
        assert.equal("done", gen({}, function() return "done" end)()[1])
    end)

    it("accepts modules that return nothing, or false", function()
        local generator = gen({ "spec_true", "spec_false" }, function() return spec_loaded end)
        assert.is_true(generator()[1])
    end)

    it("accepts a list built in any order", function()
        local generator = gen({ [2] = "spec_table", [1] = "spec_true" }, function() return spec_loaded end)
        assert.is_true(generator()[1])
        local list = {}
        for i = 3, 1, -1 do list[i] = ({ "spec_true", "spec_table", "spec_function" })[i] end
        assert.is_true(gen(list, function() return spec_loaded end)()[1])
    end)

    it("loads them in order, before globals and before the functions of lanes are set", function()
        local package_table = { path = directory .. "/?.lua", cpath = "" }
        local generator = lanes.gen("*", {
            required = { "spec_table", "spec_order" }, package = package_table, globals = { given = 1 },
        }, function()
            local seen = package.loaded.spec_order
            return seen.g, seen.t, seen.table ~= nil, given
        end)
        assert.same({ n = 4, nil, "nil", true, 1 }, support.pack(generator():join()))
    end)

    it("loads them before the generator call returns", function()
        local marker = directory .. "/marked"
        support.write(directory .. "/spec_mark.lua", ("io.open(%q, 'w'):close()"):format(marker))
        local handle = gen({ "spec_mark" }, nothing)()
        local file = io.open(marker)
        handle:join()
        assert.is_truthy(file)
        file:close()
    end)

    it("must be a list of strings", function()
        local message = "required module list should be a list of strings"
        support.raises(message, gen({ 1 }, nothing))
        support.raises(message, gen({ "spec_table", true }, nothing))
        support.raises(message, gen({ name = "spec_table" }, nothing))
        support.raises(message, gen({ "spec_table", [3] = "spec_true" }, nothing))
    end)

    it("needs the package library in the lane", function()
        support.raises(
            "cannot pre-require modules without loading 'package' library first",
            gen({ "spec_table" }, nothing, "base")
        )
    end)

    it("fails the call when a module does not exist, with its name", function()
        support.raises("spec_missing", gen({ "spec_table", "spec_missing" }, nothing))
    end)

    it("fails the call with the module's error", function()
        support.raises("this module fails", gen({ "spec_error" }, nothing))
    end)

    it("fails the call with the module's error value when that is a table", function()
        assert.same({ code = 7 }, support.error_of(gen({ "spec_error_table" }, nothing)))
    end)

    it("is read at each call of the generator", function()
        local list = { "spec_missing" }
        local generator = gen(list, function() return package.loaded.spec_table.value end)
        assert.is_string(support.error_of(generator))
        list[1] = "spec_table"
        assert.equal(5, generator()[1])
    end)
end)
