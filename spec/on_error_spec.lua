-- configure{on_error = ...}: failures of lanes whose handles were collected unread.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

-- Programs begin with this: `settle(lane)` waits until a lane has ended without reading its error,
-- `collect()` collects all that can be, and `wait_for(condition)` waits in calls of Lanes.
local BEGIN = [[
    local lanes = require "lanes"
    local function settle(lane)
        while lane.status ~= "error" and lane.status ~= "done" and lane.status ~= "cancelled" do lanes.sleep(0.001) end
    end
    local function collect() for _ = 1, 4 do collectgarbage() end end
    local function wait_for(condition)
        for _ = 1, 60000 do
            if condition() then return end
            lanes.sleep(0.001)
        end
        error "it has not happened"
    end
    local function fails(message) error(message, 0) end
    local function named(name, message) set_debug_threadname(name) error(message, 0) end
]]

local TELL = [[
    local told = {}
    lanes.configure { on_error = function(name, err, trace)
        told[#told + 1] = { name = name, err = err, trace = trace }
    end }
]]

local function run(program)
    return support.run(BEGIN .. program)
end

local function output(program)
    local result = run(program)
    assert.equal("", result.err)
    assert.equal(0, result.code)
    return result.out
end

describe("on_error", function()
    it("is \"stderr\" or a function", function()
        for _, wrong in ipairs { "'stdout'", "5", "true", "{}", "false" } do
            local result = run("print(pcall(lanes.configure, { on_error = " .. wrong .. " }))")
            support.contains("Bad on_error: ", result.out)
            support.contains("lanes.configure expects \"stderr\" or a function, got a ", result.out)
        end
    end)

    it("is nobody by default", function()
        assert.equal("", output [[
            lanes.configure()
            do local lane = lanes.gen("*", fails)("lost") settle(lane) end
            collect()
        ]])
    end)

    it("is told once of a failed lane whose handle is collected", function()
        assert.equal("1\t<unnamed>\tlost\ttable\n", output(TELL .. [[
            do local lane = lanes.gen("*", fails)("lost") settle(lane) end
            wait_for(function() collect() return told[1] end)
            collect()
            lanes.sleep(0.001)
            print(#told, told[1].name, told[1].err, type(told[1].trace))
        ]]))
    end)

    it("is told within a wait of a lane that fails after its handle was collected; the wait goes on", function()
        assert.equal("late\tlost\tyes\n", output [[
            local linda
            lanes.configure { on_error = function(name, err) linda:send("told", name, err) end }
            linda = lanes.linda()
            local gone = setmetatable({}, { __mode = "v" })
            gone[1] = lanes.gen("*", function() set_debug_threadname "late" linda:receive "go" error("lost", 0) end)()
            while gone[1] do collect() end
            linda:send("go", true)
            local _, name = linda:receive(60, "told")
            local _, err = linda:receive(60, "told")
            linda:send("rest", "yes")
            print(name, err, select(2, linda:receive(60, "rest")))
        ]])
    end)

    it("is not told of lanes that were read, returned or were cancelled", function()
        assert.equal("0\n", output(TELL .. [[
            do
                local start = lanes.gen("*", fails)
                start("joined"):join()
                pcall(function() return start("indexed")[1] end)
                local _ = start("its error")[-1]
                settle(lanes.gen("*", function() return 1 end)())
                local lane = lanes.gen("*", function() lanes.sleep() end)()
                lane:cancel(60)
            end
            collect()
            lanes.sleep(0.001)
            print(#told)
        ]]))
    end)

    it("is told where only the status was read, or a join has timed out", function()
        assert.equal("1\n", output(TELL .. [[
            local linda = lanes.linda()
            do
                local lane = lanes.gen("*", function() linda:receive "go" error "lost" end)()
                assert(select(2, lane:join(0)) == "timeout")
                linda:send("go", true)
                settle(lane)
            end
            wait_for(function() collect() return told[1] end)
            print(#told)
        ]]))
    end)

    it("is told of lanes that lanes have launched", function()
        assert.equal("child\tlost\n", output(TELL .. [[
            lanes.gen("*", function()
                local inner = require "lanes"
                local child = inner.gen("*", function() set_debug_threadname "child" error("lost", 0) end)()
                while child.status ~= "error" do inner.sleep(0.001) end
            end)():join()
            wait_for(function() return told[1] end)
            print(told[1].name, told[1].err)
        ]]))
    end)

    it("is told by the launch of another lane, too", function()
        assert.equal("lost\n", output(TELL .. [[
            lanes.gen("*", function()
                local inner = require "lanes"
                local child = inner.gen("*", function() error("lost", 0) end)()
                while child.status ~= "error" do inner.sleep(0.001) end
            end)():join()
            for _ = 1, 100000 do
                local lane = lanes.gen("", function() end)()
                while lane.status ~= "done" do end
                if told[1] then break end
            end
            print(told[1].err)
        ]]))
    end)

    it("gets error objects, and the reason where the error cannot travel", function()
        assert.equal("table\t7\nstring\tyes\n", output(TELL .. [[
            do
                local lane = lanes.gen("*", function() error { code = 7 } end)()
                settle(lane)
            end
            wait_for(function() collect() return told[1] end)
            print(type(told[1].err), told[1].err.code)
            do
                local lane = lanes.gen("*", function() error(coroutine.create(function() end)) end)()
                settle(lane)
            end
            wait_for(function() collect() return told[2] end)
            print(type(told[2].err), told[2].err:find "error value" and "yes" or told[2].err)
        ]]))
    end)

    it("is told of the error of a finalizer", function()
        assert.equal("in the finalizer\n", output(TELL .. [[
            do
                local lane = lanes.gen("*", function() set_finalizer(function() error("in the finalizer", 0) end) end)()
                settle(lane)
            end
            wait_for(function() collect() return told[1] end)
            print(told[1].err)
        ]]))
    end)

    it("may fail: the program goes on, and standard error says so", function()
        local result = run [[
            lanes.configure { on_error = function(_, err) error("I fail at " .. err, 0) end }
            do local lane = lanes.gen("*", named)("worker", "lost") settle(lane) end
            collect()
            lanes.sleep(0.001)
            print "goes on"
        ]]
        assert.equal("goes on\n", result.out)
        assert.equal("lanes: error in on_error, called for lane 'worker': I fail at lost\n", result.err)
        assert.equal(0, result.code)
    end)

    it("may raise a value without a text", function()
        local result = run [[
            lanes.configure { on_error = function() error(setmetatable({}, { __tostring = function() error "no" end })) end }
            do local lane = lanes.gen("*", named)("worker", "lost") settle(lane) end
            collect()
            lanes.sleep(0.001)
        ]]
        support.contains("error in on_error, called for lane 'worker': (error object is a table value)", result.err)
        assert.equal(0, result.code)
    end)

    it("may use lanes, and is not called within itself", function()
        assert.equal("1 2 3\n", output [[
            local depth, order = 0, {}
            lanes.configure { on_error = function(_, err)
                assert(depth == 0)
                depth = depth + 1
                err = err[1]
                order[#order + 1] = err
                if err < 3 then
                    do local lane = lanes.gen("*", error)({ err + 1 }) settle(lane) end
                    collect()
                end
                depth = depth - 1
            end }
            do local lane = lanes.gen("*", error)({ 1 }) settle(lane) end
            wait_for(function() collect() return order[3] end)
            print(table.concat(order, " "))
        ]])
    end)

    it("is told at the end of the program", function()
        for _, how in ipairs { "", "os.exit(0, true)" } do
            if how == "" or support.lua ~= "5.1" then
                local out = output([[
                    lanes.configure { on_error = function(name, err) print(name, err) end }
                    kept = lanes.gen("*", named)("kept", "unread")
                    settle(kept)
                ]] .. how)
                assert.equal("kept\tunread\n", out)
            end
        end
    end)

    it("is told of lanes that fail while the program ends", function()
        assert.equal("stubborn\tnot even now\n", output [[
            lanes.configure { shutdown_timeout = 30, on_error = function(name, err) print(name, err) end }
            local linda = lanes.linda()
            kept = lanes.gen("*", function()
                set_debug_threadname "stubborn"
                linda:send("runs", true)
                pcall(linda.receive, linda, "never")
                error("not even now", 0)
            end)()
            linda:receive "runs"
        ]])
    end)

    it("is not told of a worker's end: the task has the error", function()
        assert.equal("nil\ttrue\t0\n", output(TELL .. [[
            local pool = lanes.pool { workers = 1, memory_limit = 4000000 }
            local task = pool:submit(function() return #("x"):rep(100000000) end)
            local one, two = task:join(60)
            pool:cancel(60)
            pool = nil
            collect()
            lanes.sleep(0.001)
            print(one, two:find "not enough memory" ~= nil, #told)
        ]]))
    end)
end)

describe("on_error = \"stderr\"", function()
    it("writes name, error and trace", function()
        local result = run [[
            lanes.configure { on_error = "stderr" }
            do
                local lane = lanes.gen("*", function() set_debug_threadname "worker" error "oops" end)()
                settle(lane)
            end
            collect()
        ]]
        assert.truthy(result.err:find "^lanes: lane 'worker' failed: [^\n]*oops\n\t%[C%]:%?\n\t[^\n]+:%d+\n$", result.err)
        assert.equal(0, result.code)
    end)

    it("writes at once where the handle is gone when the lane fails", function()
        local result = run [[
            lanes.configure { on_error = "stderr" }
            local linda = lanes.linda()
            local gone = setmetatable({}, { __mode = "v" })
            gone[1] = lanes.gen("*", function()
                linda:receive "go"
                error(setmetatable({}, { __tostring = function()
                    linda:send("shown", true)
                    return "an object"
                end }))
            end)()
            while gone[1] do collect() end
            linda:send("go", true)
            linda:receive "shown"
        ]]
        assert.truthy(result.err:find "^lanes: Lane #[^\n]+ failed: an object\n", result.err)
    end)

    it("writes what fails at the end of the program", function()
        local result = run [[
            lanes.configure { on_error = "stderr" }
            kept = lanes.gen("*", named)("kept", "unread")
            settle(kept)
        ]]
        support.contains("lanes: lane 'kept' failed: unread\n", result.err)
    end)

    it("shortens long traces", function()
        local result = run [[
            lanes.configure { on_error = "stderr" }
            local function deep(n) if n == 0 then error "bottom" end return 1 + deep(n - 1) end
            do local lane = lanes.gen("*", deep)(1000) settle(lane) end
            collect()
        ]]
        local _, count = result.err:gsub("\n", "")
        assert.equal(32, count)
        support.contains("\n\t...\n", result.err)
    end)
end)
