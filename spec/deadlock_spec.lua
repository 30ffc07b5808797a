-- configure{on_deadlock}, LANES_DEADLOCK and lanes.waiting: what is a deadlock and what is none, its text, and who waits for what.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

local raises, until_status = support.raises, support.until_status
local LIMIT = support.LIMIT

-- Runs a program whose main state is configured with on_deadlock = `mode` (Lua text); returns its result. LANES_DEADLOCK is not set
-- unless `variable` is given.
local function run(mode, program, variable, timeout)
    return support.run(([[
        local lanes = require "lanes".configure { on_deadlock = %s }
        local linda = lanes.linda "jobs"
        local function lane(name, f, ...)
            local handle = lanes.gen("*", function(...)
                set_debug_threadname(name)
                return f(...)
            end)(...)
            return handle
        end
        -- Waits until so many states sleep: what is "waiting" may spin yet.
        local function until_asleep(count)
            repeat until #lanes.waiting() >= count
        end
        %s
    ]]):format(mode, program), { environment = { LANES_DEADLOCK = variable or false }, timeout = timeout or 60 })
end

-- The output of a program that ends by itself and writes nothing to standard error.
local function output(mode, program, variable)
    local result = run(mode, program, variable)
    assert.equal("", result.err)
    assert.equal(0, result.code)
    return result.out
end

-- Lines and blanks as they are in the text about a deadlock, without the places.
local function plain(text)
    return (text:gsub("%s+%S*:%d+\n", "\n"):gsub("%s+%S*:%d+$", ""):gsub("^[^\n]-:%d+: ", ""))
end

describe("on_deadlock = \"error\"", function()
    it("raises an error in the state that waits last, once", function()
        local out = output("'error'", [[
            local b = lane("b", function()
                local a = require "lanes".gen("*", function()
                    set_debug_threadname "a"
                    return select(2, linda:receive(nil, 1))
                end)()
                linda:send("there", true)
                return a[1]
            end)
            linda:receive "there"
            -- All the others sleep for ever.
            until_asleep(2)
            local fine, failure = pcall(linda.receive, linda, "nothing ever comes")
            print(failure)
            print(fine, linda:count "nothing ever comes")
            -- The others wait on, and can be woken.
            linda:send(nil, 1, "woken")
            print(b[1])
        ]])
        out = out:gsub('(\n  lane "b"[^\n]*)(\n  lane "a"[^\n]*)', "%2%1")
        local report, rest = out:match "^(.-\n)(false.*)$"
        assert.equal([[
deadlock: main and 2 lanes wait, and nothing can wake them
  main      receive  jobs:"nothing ever comes"
  lane "a"  receive  jobs:1
  lane "b"  join     lane "a"
]], plain(report))
        assert.equal("false\tnil\nwoken\n", rest)
    end)

    it("raises the error in the lane if it waits last", function()
        local out = output("'error'", [[
            lane("a", function()
                local main
                repeat
                    local first = require "lanes".waiting()[1]
                    main = first and first.name
                until main == "main"
                local fine, failure = pcall(linda.receive, linda, "key")
                linda:send("failure", fine, failure)
            end)
            local key, fine, failure = linda:receive(linda.batched, "failure", 2)
            print(fine, failure:match "deadlock: [^\n]*")
        ]])
        assert.equal("false\tdeadlock: main and 1 lane wait, and nothing can wake them\n", out)
    end)

    it("raises the error in main if a lane that ended was the last that could wake somebody", function()
        local out = output("'error'", [[
            local a = lane("a", function() linda:receive(LIMIT, "go") end)
            local b = lane("b", function() linda:send("go", true) linda:receive "never" end)
            -- Ends when the others sleep: they say what they wait for just before.
            local c = lane("c", function()
                local found
                repeat
                    found = {}
                    for _, entry in ipairs(lanes.waiting()) do found[entry.name] = true end
                until found.main and found['lane "b"'] and not found['lane "a"']
                lanes.sleep(0.1)
            end)
            print(pcall(linda.receive, linda, "key"))
        ]])
        support.contains("deadlock: main and 1 lane wait", out)
        support.contains("lane \"b\"  receive  jobs:\"never\"", out)
    end)

    it("names who holds a lock, and a lane that ended with a unit taken", function()
        local out = output("'error'", [[
            local lock, two = lanes.genlock(linda, "lock"), lanes.genlock(linda, "two", 2)
            lane("careless", function() lock(1) end):join()
            two(1)
            two(1)
            local a = lane("a", function() two(1) end)
            until_asleep(1)
            print(pcall(lock, 1))
            -- What is given back is held no longer.
            two(-2)
            a:join()
            print(pcall(two, 2))
        ]])
        support.contains('lock  jobs:"lock" held by lane "careless", which has ended', out)
        support.contains('lane "a"  lock  jobs:"two" held by main, main', out)
        support.contains('lock  jobs:"two" held by lane "a", which has ended', out)
    end)

    it("knows full slots, selects, batches, several keys and waits for lanes", function()
        local out = output("'error'", [[
            linda:limit("full", 0)
            local list = {
                lane("send", function() linda:send("full", 1) end),
                lane("select", function() require "lanes".select({ linda, "receive", "x", 5 }, { linda, "send", "full", 1 }) end),
                lane("batched", function() linda:receive(linda.batched, "batch", 2, 3) end),
                lane("several", function() linda:receive("k", true, 1.5) end),
            }
            until_asleep(4)
            print(select(2, pcall(lanes.wait, list, { count = "all" })))
        ]])
        for _, line in ipairs {
            'lane "send"     send     jobs:"full"', 'lane "select"   select   jobs:"x",5, jobs:"full"',
            'lane "batched"  receive  jobs:"batch"', 'lane "several"  receive  jobs:"k",true,1.5',
            'main            wait     lane "send", lane "select"',
        } do
            support.contains(line, out)
        end
    end)

    it("raises nothing while anybody can wake the others", function()
        assert.equal("woken\nwoken by a timer\nwoken in time\n", output("'error'", [[
            local a = lane("a", function() require "lanes".sleep(0.05) linda:send("k", "woken") end)
            print((select(2, linda:receive "k")))
            lanes.timer(linda, "tick", 0.05)
            print(linda:receive "tick" and "woken by a timer")
            -- A wait with a timeout is none.
            local b = lane("b", function() linda:receive(0.05, "never") linda:send("k", "woken in time") end)
            print((select(2, linda:receive "k")))
            local c = lane("c", function() for i = 1, 1000 do linda:receive "ping" linda:send("pong", i) end end)
            for i = 1, 1000 do linda:send("ping", i) linda:receive "pong" end
            lanes.map({ 1, 2, 3, 4 }, function(x) return x end)
            local notifier = linda:notifier "k"
            notifier:close()
        ]]))
    end)

    it("takes an open notifier for somebody who may come", function()
        local result = output("'report'", [[
            local a = lane("a", function() linda:receive "never" end)
            local notifier = linda:notifier "k"
            local b = lane("b", function(main) require "lanes".sleep(0.05) linda:send("k", true) end)
            linda:receive "k"
            until_asleep(1)
            print "done"
        ]])
        assert.equal("done\n", result)
    end)
end)

describe("on_deadlock = \"report\"", function()
    it("writes to standard error, once", function()
        -- The program is ended from outside: soon, and later if that was too early.
        local result
        for _, seconds in ipairs { 2, 20, 100 } do
            result = run("'report'", [[
                local a = lane("a", function() linda:receive "never" end)
                until_asleep(1)
                linda:receive "key"
            ]], nil, seconds)
            assert.equal(124, result.code)
            if result.err:find "never" then break end
        end
        assert.equal([[
deadlock: main and 1 lane wait, and nothing can wake them
  main      receive  jobs:"key"
  lane "a"  receive  jobs:"never"
]], plain(result.err):match "^deadlock.*\"never\"\n")
        assert.equal(1, select(2, result.err:gsub("deadlock:", "")))
    end)
end)

describe("on_deadlock = function", function()
    it("is called in main with the text and the list, once; its error ends the wait", function()
        local out = output([[function(text, graph)
            print((text:match "^[^\n]*"), #graph)
            for _, entry in ipairs(graph) do print(entry.name, entry.op, entry.linda, entry.keys[1], entry.timeout) end
            error("that is enough", 0)
        end]], [[
            local a = lane("a", function() linda:receive(nil, "never") end)
            print(pcall(linda.receive, linda, "key"))
        ]])
        local lines = {}
        for line in out:gmatch "[^\n]+" do lines[#lines + 1] = line end
        assert.equal("deadlock: main and 1 lane wait, and nothing can wake them\t2", lines[1])
        assert.equal("main\treceive\tjobs\tkey\tnil", lines[2])
        assert.equal("lane \"a\"\treceive\tjobs\tnever\tnil", lines[3])
        assert.equal("false\tthat is enough", lines[4])
    end)
end)

describe("LANES_DEADLOCK", function()
    it("is for programs that do not say it themselves", function()
        local program = [[ print((select(2, pcall(linda.receive, linda, "key")):match "deadlock: [^\n]*")) ]]
        assert.equal("deadlock: main waits, and nothing can wake it\n", output("nil", program, "error"))
        assert.equal("deadlock: main waits, and nothing can wake it\n", output("'error'", program, "report"))
        assert.equal("nil\n", output("false", [[ print((linda:receive(0.05, "key"))) ]], "error"))
    end)

    it("is checked, as the option is", function()
        support.contains("Bad LANES_DEADLOCK: 'what', the environment may have \"report\" or \"error\"", run("nil", "", "what").err)
        for _, value in ipairs { "5", "true", "{}", "'what'" } do
            support.contains("lanes.configure expects false, \"report\", \"error\" or a function, got a ", run(value, "").err)
        end
    end)
end)

describe("lanes.waiting", function()
    it("lists the states that sleep, and says for what, since when, until when and where", function()
        local linda = lanes.linda "list"
        local before = lanes.now_secs()
        local one = lanes.gen("*", function()
            set_debug_threadname "one"
            linda:receive(100, "a", 2, false)
        end)()
        local two = lanes.gen("*", function() return one:join() and nil end)
        local lane = lanes.gen("*", function() set_debug_threadname "three" linda:receive "b" end)()
        until_status(one, "waiting")
        until_status(lane, "waiting")
        local found = {}
        support.until_true(function()
            found = {}
            for _, entry in ipairs(lanes.waiting()) do found[entry.name] = entry end
            return found['lane "one"'] and found['lane "three"']
        end, "both sleep")
        local entry = found['lane "one"']
        assert.same({ "receive", "list", { "a", 2, false } }, { entry.op, entry.linda, entry.keys })
        assert.is_true(entry.timeout > 0 and entry.timeout <= 100)
        assert.is_true(entry.since >= before - 1 and entry.since <= lanes.now_secs() + 1)
        assert.matches("deadlock_spec.lua:%d+$", entry.where)
        assert.is_nil(found['lane "three"'].timeout)
        assert.is_nil(found.main)
        local dot = lanes.waiting "dot"
        support.contains('digraph waiting {', dot)
        support.contains([["lane \"three\"" -> "list:\"b\"" [label="receive ]], dot)
        linda:cancel()
        one:join(LIMIT)
        lane:join(LIMIT)
        assert.is_function(two)
    end)

    it("names the program's line where functions of the library in Lua wait", function()
        local ways = {
            scope = function(linda, child)
                require "lanes".scope(function(s) s:run(child, linda) end)
            end,
            wait = function(linda, child) require "lanes".wait { child(linda) } end,
            future = function(linda)
                local pool = require "lanes".pool { workers = 1 }
                pool:submit(function() linda:receive "end" end):join()
            end,
            map = function(linda)
                local pool = require "lanes".pool { workers = 1 }
                pool:map(function() linda:receive "end" end, { 1 })
            end,
        }
        for name, way in pairs(ways) do
            local linda = lanes.linda()
            local lane = lanes.gen("*", function()
                set_debug_threadname(name)
                way(linda, require "lanes".gen("*", function(x) x:receive "end" end))
                return true
            end)()
            assert.matches("deadlock_spec.lua:%d+$", support.until_sleeping(name).where)
            linda:send("end", true)
            assert.is_true(lane[1])
        end
    end)

    it("takes no file of the program for one of the library, whatever separates names in its path", function()
        local function where(file)
            local linda = lanes.linda()
            local lane = lanes.gen("*", function()
                set_debug_threadname "reader"
                local receive = assert((loadstring or load)("local linda = ...\nlocal _, x = linda:receive 'end'\nreturn x", "@" .. file))
                local function wait() return (receive(linda)) end
                return wait()
            end)()
            local found = support.until_sleeping("reader").where
            linda:send("end", true)
            assert.is_true(lane[1])
            return found
        end
        for _, file in ipairs { "airlanes.lua", "planes/map.lua", "map.lua", "lib\\planes\\pool.lua", "lanes/other.lua" } do
            assert.equal(file .. ":2", where(file))
        end
        for _, file in ipairs { "lanes.lua", "share/lanes.lua", "lanes\\map.lua", "C:\\share\\lanes\\helpers.lua", "lanes/pool.lua" } do
            assert.matches("deadlock_spec.lua:%d+$", where(file))
        end
    end)

    it("shows main to a lane", function()
        local linda = lanes.linda "main waits"
        local lane = lanes.gen("*", function()
            local lanes = require "lanes" -- luacheck: ignore (shadows)
            while true do
                for _, entry in ipairs(lanes.waiting()) do
                    if entry.name == "main" and entry.linda == "main waits" then
                        linda:send("k", entry.op, entry.keys[1])
                        return
                    end
                end
            end
        end)()
        local _, op, key = linda:receive(LIMIT, linda.batched, "k", 2)
        assert.same({ "receive", "k" }, { op, key })
        lane:join(LIMIT)
    end)

    it("names bad arguments", function()
        raises("bad argument #1 to 'waiting' (\"dot\" or nothing expected, got 'graph')", lanes.waiting, "graph")
        raises("bad argument #1 to 'waiting' (\"dot\" or nothing expected, got number)", lanes.waiting, 5)
        raises("bad argument #2 to 'waiting' (too many arguments)", lanes.waiting, "dot", 1)
    end)
end)
