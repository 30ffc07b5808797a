-- Modules that are passed between states: by name if the receiver has them or can require them,
-- otherwise copied; and classes that are a module's table, or a field of one.
local support = require "support"
local teardown = teardown
local assert, describe, it, _ENV = support.plain(assert, describe, it)

-- Modules as files: the class itself, a class and a function in it, a counter, one that uses
-- another, one that says where it was loaded.
local directory = support.directory {
    ["point_class.lua"] = [[
        local Point = { __name = "Point" }
        Point.__index = Point
        function Point.new(x) return setmetatable({ x = x }, Point) end
        function Point.is(value) return getmetatable(value) == Point end
        function Point.twice(self) return 2 * self.x end
        return Point
    ]],
    ["shapes.lua"] = [[
        local shapes = { Circle = {}, defaults = { size = 1 } }
        shapes.Circle.__index = shapes.Circle
        function shapes.circle(r) return setmetatable({ r = r }, shapes.Circle) end
        shapes.Behind = setmetatable({}, { __index = shapes })
        return shapes
    ]],
    ["counter_module.lua"] = [[
        local count = 0
        return { add = function() count = count + 1 return count end, upper = string.upper }
    ]],
    ["uses_counter.lua"] = [[ local counter = require "counter_module" return { add = function() return counter.add() end } ]],
    ["fails_in_lanes.lua"] = [[ if not package.loaded.busy then error "only in the main state" end return { value = 5 } ]],
}
teardown(function() support.remove_directory(directory) end)

-- Runs a program with the modules on its path.
local function output(program)
    return support.output(([[
        local original = require
        package.path = %q .. "/?.lua;" .. package.path
        local lanes = require "lanes".configure()
        local linda = lanes.linda()
        local function results(lane)
            lane:join()
            assert(lane.status == "done", select(2, lane:join()))
            return lane:join()
        end
    ]]):format(directory) .. program)
end

describe("an object whose metatable is a module's table", function()
    local ways = {
        ["as argument"] = "print(results(lanes.gen('*', check)(o, M)))",
        ["as argument after the module"] = "print(results(lanes.gen('*', function(M, o) return check(o, M) end)(M, o)))",
        ["as argument alone"] = "print(results(lanes.gen('*', check)(o)))",
        ["as upvalue"] = "print(results(lanes.gen('*', function() return check(o, M) end)()))",
        ["as global"] = "print(results(lanes.gen('*', { globals = { O = o } }, function() return check(O) end)()))",
        ["in a table"] = "print(results(lanes.gen('*', function(t) return check(t.o[1], t.M) end)({ o = { o }, M = M })))",
        ["through a linda"] = [[
            linda:send("key", o)
            print(results(lanes.gen("*", function() return check(select(2, linda:receive("key"))) end)()))
        ]],
        ["through a linda with the module"] = [[
            linda:send("key", { o, M })
            print(results(lanes.gen("*", function() return check((table.unpack or unpack)(select(2, linda:receive("key")))) end)()))
        ]],
        ["through a linda after the module"] = [[
            linda:send("key", M, o)
            print(results(lanes.gen("*", function()
                local _, module, object = linda:receive(linda.batched, "key", 2)
                return check(object, module)
            end)()))
        ]],
        ["and shared with what else is sent"] = [[
            linda:send("key", { M.new, o, M.is })
            print(results(lanes.gen("*", function() return check(select(2, linda:receive("key"))[2]) end)()))
        ]],
    }
    for name, way in pairs(ways) do
        it("keeps its class " .. name, function()
            assert.equal("true\ttrue\ttrue\t6\n", output([[
                local M = require "point_class"
                local o = M.new(3)
                local function check(object, module)
                    local mine = require "point_class"
                    return getmetatable(object) == mine, mine.is(object), module == nil or module == mine, object:twice()
                end
            ]] .. way))
        end)
    end

    it("keeps its class when a lane returns it", function()
        assert.equal("true\ttrue\t8\n", output [[
            local M = require "point_class"
            local lane = lanes.gen("*", function() return require "point_class".new(4) end)()
            print(M.is(lane[1]), getmetatable(lane[1]) == M, lane[1]:twice())
        ]])
    end)

    it("keeps its class when the module is loaded afterwards", function()
        assert.equal("true\ttrue\n", output [[
            local M = require "point_class"
            print(results(lanes.gen("*", function(o)
                local mine = require "point_class"
                linda:send("back", mine.new(1))
                return mine.is(o)
            end)(M.new(1))), M.is(select(2, linda:receive("back"))))
        ]])
    end)

    it("keeps its class in many objects, and on a metatable's metatable", function()
        assert.equal("true\t1000\ttrue\n", output [[
            local M = require "point_class"
            local list = {}
            for n = 1, 1000 do list[n] = M.new(n) end
            local derived = setmetatable({}, setmetatable({ __index = M }, M))
            print(results(lanes.gen("*", function(objects, other)
                local mine = require "point_class"
                local all = true
                for _, o in ipairs(objects) do all = all and mine.is(o) end
                return all, objects[1000].x, getmetatable(getmetatable(other)) == mine and getmetatable(other).__index == mine
            end)(list, derived)))
        ]])
    end)

    it("is recognized by Penlight", function()
        assert.equal("true\ttrue\ttrue\t3\ntrue\ttrue\n", output [[
            local List, class = require "pl.List", require "pl.class"
            local Own = class(List)
            linda:send("key", List { 1, 2, 3 })
            local lane = lanes.gen("*", function(list, module, own)
                local mine = require "pl.List"
                return mine:class_of(list), module == mine, mine:class_of(own), select(2, linda:receive("key")):len(), mine { 4 }, own
            end)(List { 1 }, List, Own { 2 })
            print(lane[1], lane[2], lane[3], lane[4])
            print(List:class_of(lane[5]), Own:class_of(lane[6]))
        ]])
    end)

    it("may have a library's table, or the globals, as metatable", function()
        assert.equal("true\ttrue\ttrue\ttrue\n", output [[
            linda:send("key", setmetatable({}, string), setmetatable({}, _G))
            print(results(lanes.gen("*", function(a, b)
                local _, c, d = linda:receive(linda.batched, "key", 2)
                return getmetatable(a) == string, getmetatable(b) == _G, getmetatable(c) == string, getmetatable(d) == _G
            end)(setmetatable({}, string), setmetatable({}, _G))))
        ]])
    end)

    it("gets a copy of the class if the module cannot be loaded, the same copy each time", function()
        assert.equal("true\ttrue\ttrue\t6\n", output [[
            package.loaded.made_here = { value = 1 }
            local M = package.loaded.made_here
            M.__index = M
            function M.twice(self) return 2 * self.x end
            local function new(x) return setmetatable({ x = x }, M) end
            linda:send("key", new(3), M)
            print(results(lanes.gen("*", function(a, module)
                local _, b, received = linda:receive(linda.batched, "key", 2)
                return getmetatable(a) == getmetatable(b), getmetatable(a) == module, module == received, b:twice()
            end)(new(1), M)))
        ]])
    end)
end)

describe("a class in a module's table", function()
    it("is the receiver's own, as metatable and as value", function()
        assert.equal("true\ttrue\ttrue\ttrue\n", output [[
            local shapes = require "shapes"
            linda:send("key", shapes.circle(1))
            print(results(lanes.gen("*", function(o, class)
                local mine = require "shapes"
                return getmetatable(o) == mine.Circle, class == mine.Circle,
                    getmetatable(select(2, linda:receive("key"))) == mine.Circle, getmetatable(mine.circle(1)) == class
            end)(shapes.circle(2), shapes.Circle)))
        ]])
    end)

    it("comes back as itself", function()
        assert.equal("true\n", output [[
            local shapes = require "shapes"
            print(getmetatable(lanes.gen("*", function() return require "shapes".circle(1) end)()[1]) == shapes.Circle)
        ]])
    end)

    it("is distinguished from other tables in the module, which are copied", function()
        assert.equal("false\t2\t1\n", output [[
            local shapes = require "shapes"
            shapes.defaults.size = 2
            print(results(lanes.gen("*", function(defaults)
                local mine = require "shapes"
                return defaults == mine.defaults, defaults.size, mine.defaults.size
            end)(shapes.defaults)))
        ]])
    end)

    it("is not searched among the globals", function()
        assert.equal("false\t1\n", output [[
            Global = { __index = {}, value = 1 }
            print(results(lanes.gen("*", function(class)
                Global = { __index = {}, value = 2 }
                return class == Global, class.value
            end)(Global)))
        ]])
    end)
end)

describe("a module written in Lua", function()
    it("is the lane's own as upvalue and argument of a launch, through a linda, and as result", function()
        assert.equal("true\ttrue\ttrue\t1\ntrue\n", output [[
            local counter = require "counter_module"
            counter.add()
            linda:send("key", counter)
            local lane = lanes.gen("*", function(argument)
                local mine = require "counter_module"
                return mine == counter, mine == argument, mine == select(2, linda:receive("key")), mine.add(), mine
            end)(counter)
            print(lane[1], lane[2], lane[3], lane[4])
            print(lane[5] == counter)
        ]])
    end)

    it("may contain C objects when it is required", function()
        local program = [[
            local re = require "re"
            print(results(lanes.gen("*", function() return re == require "re", re.match("aab", "'a'+") end)()))
        ]]
        if pcall(require, "re") then
            assert.equal("true\t3\n", output(program))
        else
            -- A similar module, without LPeg.
            assert.equal("true\t5\n", output [[
                package.preload.re = function()
                    local file = io.tmpfile()
                    return { match = function() return file and 5 end }
                end
                local re = require "re"
                print(results(lanes.gen("*", function() return re == require "re", re.match() end)()))
            ]])
        end
    end)

    -- What the program has put into `package.loaded` since the last transfer is known, too. In each
    -- program something has been transferred before.
    local unnoticed = {
        ["that the original require has loaded"] = 'M = original "counter_module"',
        ["that the program has put into package.loaded"] = [[
            M = dofile((package.path:gsub("%?.*", "counter_module.lua")))
            package.loaded.counter_module = M
        ]],
    }
    for how, load in pairs(unnoticed) do
        local function output_after(program)
            return output("linda:send('first', { print }) local M " .. load .. "\n" .. program)
        end

        it(how .. " is the lane's own", function()
            assert.equal("true\ttrue\ttrue\ttrue\n", output_after [[
                linda:send("key", M)
                local given = { M = M }
                print(results(lanes.gen("*", function(argument, received)
                    local mine = require "counter_module"
                    return mine == M, mine == given.M, mine == argument.M, mine == select(2, linda:receive("key"))
                end)({ M = M })))
            ]])
        end)

        it(how .. " is the lane's own as metatable and in a function of a metatable", function()
            assert.equal("true\ttrue\n", output_after [[
                linda:send("other", setmetatable({}, { __call = function() return M end }))
                linda:send("key", setmetatable({}, M))
                print(results(lanes.gen("*", function()
                    local mine = require "counter_module"
                    return mine == select(2, linda:receive("other"))(), mine == getmetatable(select(2, linda:receive("key")))
                end)()))
            ]])
        end)

        it(how .. " is the receiver's own in one batch with other values", function()
            assert.equal("true\t1\ttrue\n", output_after [[
                local t = { 1 }
                linda:send("key", t, M, t)
                print(results(lanes.gen("*", function()
                    local _, a, b, c = linda:receive(linda.batched, "key", 3)
                    return b == require "counter_module", a[1], a == c
                end)()))
            ]])
        end)
    end

    it("that is written in C, and that the original require has loaded, is the lane's own", function()
        assert.equal("true\ttrue\n", output [[
            linda:send("first", { print })
            local lfs = original "lfs"
            linda:send("key", { lfs = lfs })
            print(results(lanes.gen("*", function()
                local mine = require "lfs"
                return mine == lfs, mine == select(2, linda:receive("key")).lfs
            end)()))
        ]])
    end)

    it("is the lane's own if its table is where that of another module was", function()
        assert.equal("true\n", output [[
            local addresses, others = {}, {}
            for i = 1, 100 do
                package.loaded["old" .. i] = {}
                addresses[tostring(package.loaded["old" .. i])] = true
            end
            linda:send("first", { print })
            for i = 1, 100 do package.loaded["old" .. i] = nil end
            collectgarbage()
            collectgarbage()
            local M
            repeat
                others[#others + 1] = M
                M = {}
            until addresses[tostring(M)]
            for name, value in pairs(dofile((package.path:gsub("%?.*", "counter_module.lua")))) do M[name] = value end
            package.loaded.counter_module = M
            print(results(lanes.gen("*", function() return require "counter_module" == M end)()))
        ]])
    end)

    it("may contain C objects when the original require has loaded it", function()
        local load = pcall(require, "re") and "" or [[
            package.preload.re = function()
                local file = io.tmpfile()
                return { match = function() return file and 3 end }
            end
        ]]
        assert.equal("true\t3\ntrue\t3\n", output("pcall(require, 'lpeg') linda:send('first', { print })" .. load .. [[
            local re = original "re"
            linda:send("key", { re = re })
            print(results(lanes.gen("*", function()
                local received = select(2, linda:receive "key").re
                return received == require "re", received.match("aab", "'a'+")
            end)()))
            print(results(lanes.gen("*", function() return re == require "re", re.match("aab", "'a'+") end)()))
        ]]))
    end)

    it("is copied if there is no such file", function()
        assert.equal("5\t6\t7\n", output [[
            package.loaded.made_here = { five = 5, add = function(x) return x + 1 end }
            local made = package.loaded.made_here
            linda:send("key", made)
            print(results(lanes.gen("*", function(argument)
                return made.five, argument.add(5), select(2, linda:receive("key")).add(6)
            end)(made)))
        ]])
    end)

    it("is copied if its loader cannot be passed", function()
        assert.equal("5\t5\n", output [[
            local thread = coroutine.create(function() end)
            package.preload.cannot_travel = function() return thread and { five = 5 } end
            local made = require "cannot_travel"
            linda:send("key", made)
            print(results(lanes.gen("*", function() return made.five, select(2, linda:receive("key")).five end)()))
        ]])
    end)

    it("is copied if loading it fails", function()
        assert.equal("5\t5\n", output [[
            package.loaded.busy = true
            local made = require "fails_in_lanes"
            linda:send("key", made)
            print(results(lanes.gen("*", function() return made.five or made.value, select(2, linda:receive("key")).value end)()))
        ]])
    end)

    it("is copied once into a lane without require", function()
        assert.equal("1\t2\t3\n", output [[
            local counter = require "counter_module"
            linda:send("key", counter)
            print(results(lanes.gen("base,string", function()
                return counter.add(), counter.add(), select(2, linda:receive("key")).add()
            end)()))
        ]])
    end)

    it("is copied together with the modules that it uses", function()
        assert.equal("1\n", output [[
            local user = require "uses_counter"
            print(results(lanes.gen("base,string", function() return user.add() end)()))
        ]])
    end)

    it("is copied with its classes, which are the same for all objects", function()
        assert.equal("true\ttrue\ttrue\ttrue\n", output [[
            local made = { class = {} }
            made.class.__index = made.class
            made.object = setmetatable({}, made.class)
            package.loaded.made_here = made
            linda:send("key", made, made.class, setmetatable({}, made.class))
            print(results(lanes.gen("*", function()
                local _, module, class, object = linda:receive(linda.batched, "key", 3)
                return module.class == class, getmetatable(object) == class, getmetatable(module.object) == class,
                    getmetatable(made.object) == made.class
            end)()))
        ]])
    end)

    it("is copied once if two modules use each other", function()
        assert.equal("true\ttrue\n", output [[
            local a, b = { name = "a" }, { name = "b" }
            a.other, b.other = b, a
            package.loaded.mutual_a, package.loaded.mutual_b = a, b
            print(results(lanes.gen("*", function(x, y)
                return x == a and x.other == b, y.other == a and a.other.other == a
            end)(a, b)))
        ]])
    end)

    it("arrives through a linda as the module of a state that knows it", function()
        assert.equal("true\n", output [[
            package.loaded.made_here = { five = 5 }
            linda:send("key", package.loaded.made_here)
            print(select(2, linda:receive("key")) == package.loaded.made_here)
        ]])
    end)

    it("that can neither be loaded nor copied is an error with both reasons", function()
        local program = [[
            package.loaded.made_here = { thread = coroutine.create(function() end) }
            local made = package.loaded.made_here
            local function show(ok, problem) print(ok, (tostring(problem):gsub("\n%s*", " "))) end
        ]]
        local launch = output(program .. [[ show(pcall(lanes.gen("*", function() return made end))) ]])
        assert.matches("lane body, upvalue made.thread", launch, 1, true)
        assert.matches("is of type 'thread'", launch, 1, true)
        assert.matches("the table 'made_here' is copied, because it cannot be had by name", launch, 1, true)
        assert.matches("module 'made_here' not found", launch, 1, true)
        for _, libraries in ipairs { '"*"', '"base"' } do
            local received = output(program .. [[
                linda:send("key", made)
                show(results(lanes.gen(]] .. libraries .. [[, function() return pcall(linda.receive, linda, "key") end)()))
            ]])
            assert.matches("table 'made_here' not found", received, 1, true)
            assert.matches(libraries == '"*"' and "module 'made_here' not found" or "the lane has no 'require'", received, 1, true)
            assert.matches("a copy cannot be made: Unable to copy table entry 'module.thread'", received, 1, true)
        end
    end)

    it("that can neither be loaded nor copied does not affect a lane's other results", function()
        assert.equal("false\n1\tfalse\tfalse\tfalse\t5\t5\ttrue\n", output [[
            local lane = lanes.gen("*", function()
                local refused = { thread = coroutine.create(function() end) }
                local copied = { five = 5 }
                copied.__index = copied
                package.loaded.only_refused, package.loaded.only_copied = refused, copied
                local metatable = { __lanesclone = function() end, thread = refused.thread }
                debug.getregistry()["only.there"] = metatable
                local userdata = newproxy and newproxy() or io.tmpfile()
                debug.setmetatable(userdata, metatable)
                return { 1 }, refused, setmetatable({}, refused), { userdata }, copied, setmetatable({}, copied)
            end)()
            print((pcall(lane.join, lane)))
            local function known(n) return (pcall(function() return lane[n] end)) end
            print(lane[1][1], known(2), known(3), known(4), lane[5].five, lane[6].five, getmetatable(lane[6]) == lane[5])
        ]])
    end)

    it("of which the lane lacks a C function is an error with both reasons", function()
        local text = output [[
            local lfs = require "lfs"
            package.loaded.made_here = { dir = lfs.dir }
            local made = package.loaded.made_here
            local function show(ok, problem) print(ok, (tostring(problem):gsub("\n%s*", " "))) end
            show(pcall(lanes.gen("base", function() return made end)))
            linda:send("key", made)
            show(results(lanes.gen("base", function() return pcall(linda.receive, linda, "key") end)()))
        ]]
        for line in text:gmatch("[^\n]+") do
            assert.matches("^false\tfunction 'lfs/dir' not found", line)
            assert.matches("the table 'made_here' is copied, because it cannot be had by name: the lane has no 'require'", line, 1, true)
        end
        assert.equal(2, select(2, text:gsub("\n", "")))
    end)
end)

describe("a lane without the library package", function()
    it("can use Lanes when it has lanes.core, ten lanes deep", function()
        assert.equal("bottom12345678910\n", output [[
            local function nest(n)
                if n == 0 then return "bottom" end
                return lanes.gen("base,string,lanes.core", nest)(n - 1)[1] .. n
            end
            print(nest(10))
        ]])
    end)

    it("can use all of Lanes, with its own linda and a received module", function()
        assert.equal("Linda: inner\t3\tnil\ttrue\n", output [[
            linda:send("key", lanes)
            print(results(lanes.gen("base,string,lanes.core", function()
                local _, received = linda:receive("key")
                local inner = lanes.linda "inner"
                inner:send("n", 3)
                return tostring(inner), select(2, inner:receive("n")), lanes.timer_lane, received.linda == lanes.linda
            end)()))
        ]])
    end)

    it("without lanes.core gets an error that names the missing library", function()
        local text = output [[
            print((tostring(select(2, pcall(lanes.gen("base,string", function() return lanes end)))):gsub("\n", " ")))
        ]]
        assert.matches("the lane has no 'require'", text, 1, true)
        assert.matches("the table 'lanes' is copied", text, 1, true)
    end)
end)

describe("a module with the name of a library of other Luas", function()
    for _, name in ipairs { "bit", "bit32", "ffi", "jit", "utf8" } do
        -- A built-in library exists without require; ffi on LuaJIT with it.
        it(name .. " is required if it is not built in", function()
            assert.equal("true\ttrue\ttrue\n", output(([[
                local name = %q
                package.preload[name] = package.preload[name] or not package.loaded[name] and function()
                    return { f = function() return 1 end }
                end
                local module = require(name)
                linda:send("key", module)
                print(results(lanes.gen("*", function(argument)
                    local mine = require(name)
                    return mine == module, mine == argument, select(2, linda:receive("key")) == mine
                end)(module)))
            ]]):format(name)))
        end)
    end

    it("is also required if the lane has not opened that library", function()
        assert.equal("1\n", output [[
            package.preload.table = function() return { marker = 1 } end
            print(results(lanes.gen("base,package", function(argument) return argument.marker end)(table)))
        ]])
    end)

    it("is not confused with a library that a lane has not opened, which is not searched in files", function()
        local text = output [[
            print(pcall(lanes.gen("base,package", function(argument) return argument end), math))
        ]]
        assert.matches("table 'math' not found", text, 1, true)
        assert.is_nil(text:find("no file", 1, true))
    end)
end)
