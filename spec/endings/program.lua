-- A program that ends in a given way while its lanes do something: ACTIVITY ENDING TIMERS DIRECTORY.
-- Each ending is a call, except `host` and `fall`: these end after the last line.
local activity, ending, timers, directory = arg[1], arg[2], arg[3], arg[4]

package.path = directory .. "/?.lua;" .. package.path
local machine = require "machine"

-- Lanes of these activities do not end when they are asked to. All others must end at once: the second request comes later than the time
-- that this program may take.
local deaf = {
    spinning = true, ["spinning under pcall"] = true, ["waiting under pcall"] = true, ["in a finalizer that spins"] = true,
    ["in os.execute"] = true, ["in a read"] = true, ["waiting in a callback of luv"] = true, ["spinning in a callback of luv"] = true,
    ["loading a module that spins"] = true, ["a pool with tasks that spin"] = true,
    ["waiting in coroutines of a loop of luv"] = true, ["loading a module that is in os.execute"] = true,
}
local lanes = require "lanes".configure { shutdown_timeout = deaf[activity] and 0.05 or 100000, with_timers = timers == "timers" }
local linda = lanes.linda "endings"
local sleep = lanes.sleep
local send_signal = ending:find "^SIG" and machine.signaller()

-- A command that runs as long as this process.
local endless = machine.endless()

-- Starts lanes and returns when all have sent that they run.
local function launch(count, body)
    local generator = lanes.gen("*", body)
    for _ = 1, count do handle = generator() end -- luacheck: ignore (the last one stays alive in a global)
    for _ = 1, count do linda:receive("there") end
end

local activities = {}

function activities.waiting()
    launch(3, function()
        set_finalizer(function() linda:send("ended", true) end)
        linda:send("there", true)
        linda:receive("never")
    end)
end

activities["a pool with tasks"] = function()
    pool = lanes.pool { workers = 2 } -- luacheck: ignore (it stays alive in a global)
    for _ = 1, 4 do pool:submit(function() linda:send("there", true) linda:receive "never" end) end -- luacheck: ignore
    for _ = 1, 2 do linda:receive "there" end
end

activities["a pool with nothing to do"] = function()
    lanes.map({ 1, 2 }, function(x) return x end)
end

function activities.monitored()
    launch(3, function() linda:send("there", true) linda:receive("never") end)
    handle:monitor(linda, "ended") -- luacheck: ignore
end

activities["a supervisor with children"] = function()
    local function child() linda:send("there", true) linda:receive "never" end
    local children = { strategy = "one_for_all" }
    for i = 1, 3 do children[i] = { name = "child " .. i, start = lanes.gen("*", child) } end
    supervisor = lanes.supervise(children) -- luacheck: ignore
    for _ = 1, 3 do linda:receive "there" end
end

activities["a supervisor whose children fail"] = function()
    local function child() linda:send("there", true) error "on purpose" end
    supervisor = lanes.supervise { -- luacheck: ignore
        { name = "child", start = lanes.gen("*", child) }, intensity = 1000000,
    }
    for _ = 1, 3 do linda:receive "there" end
end

activities["waiting for notifiers"] = function()
    notifier = linda:notifier "never" -- luacheck: ignore (it stays alive in a global)
    launch(3, function()
        local notifiers = { linda:notifier("never", "neither"), require "lanes".gen("*", function() linda:receive "never" end)():notifier() } -- luacheck: ignore
        linda:send("there", true)
        local found, socket = pcall(require, "socket")
        while true do
            -- A request makes them readable.
            if found then socket.select(notifiers) end
            notifiers[1]:receive()
        end
    end)
    ended = handle:notifier() -- luacheck: ignore
end

activities["waiting in coroutines of a loop of luv"] = function()
    launch(3, function()
        local async = require "lanes".async.luv() -- luacheck: ignore
        for i = 1, 3 do
            coroutine.wrap(function() async.receive(linda, i == 1 and 1000 or nil, "never" .. i) end)()
        end
        coroutine.wrap(function()
            async.sleep(0)
            linda:send("there", true)
            async.call(function() linda:receive "never" end) -- luacheck: ignore
        end)()
        require "luv".run()
    end)
end

activities["a pool with tasks that spin"] = function()
    pool = lanes.pool { workers = 2 } -- luacheck: ignore
    for _ = 1, 2 do pool:submit(function() linda:send("there", true) while true do end end) end -- luacheck: ignore
    for _ = 1, 2 do linda:receive "there" end
end

activities["a select on two lindas"] = function()
    other = lanes.linda() -- luacheck: ignore (it stays alive in a global)
    launch(3, function()
        linda:send("there", true)
        require "lanes".select({ linda, "receive", "never" }, { other, "receive", "never" }, { other, "receive", "neither" }) -- luacheck: ignore
    end)
end

activities["a wait for lanes"] = function()
    launch(2, function()
        local inner = require "lanes".gen(function() linda:receive "never" end)()
        linda:send("there", true)
        require "lanes".wait({ inner }, { count = "all" })
    end)
end

activities["within a scope"] = function()
    launch(2, function()
        local lanes = require "lanes" -- luacheck: ignore
        lanes.scope(function(s)
            for _ = 1, 2 do s:run(lanes.gen("*", function() linda:receive "never" end)) end
            linda:send("there", true)
            linda:receive "never"
        end, { timeout = 1000 })
    end)
end

-- The program ends within the scope.
activities["in a scope of the main state"] = function()
    lanes.scope(function(s)
        for _ = 1, 2 do
            s:run(lanes.gen("*", function()
                linda:send("there", true)
                linda:receive "never"
            end))
        end
        for _ = 1, 2 do linda:receive "there" end
        ends() -- luacheck: ignore (a global that is set below)
        linda:send("never", true, true)
    end, { timeout = 1000 })
end

function activities.sending()
    linda:limit("full", 0)
    launch(3, function() linda:send("there", true) linda:send("full", {}) end)
end

function activities.sleeping()
    launch(3, function() linda:send("there", true) sleep(1000) end)
end

function activities.spinning()
    launch(3, function() linda:send("there", true) while true do end end)
end

activities["spinning under pcall"] = function()
    launch(3, function()
        linda:send("there", true)
        while true do pcall(function() while true do end end) end
    end)
end

activities["waiting under pcall"] = function()
    launch(3, function()
        linda:send("there", true)
        while true do pcall(linda.receive, linda, "never") end
    end)
end

activities["in os.execute"] = function()
    -- Meanwhile Ctrl-C is ignored.
    local command = ending == "SIGINT" and machine.endless(1) or endless
    launch(2, function() linda:send("there", true) os.execute(command) end)
end

activities["in a read"] = function()
    -- With musl, the end that follows Ctrl-C waits until no thread reads.
    local command = machine.is_musl() and ending == "SIGINT" and machine.endless(1) or endless
    launch(2, function()
        local pipe = io.popen(command)
        linda:send("opened", true)
        repeat until linda:count("opened") == 2
        linda:send("there", true)
        pipe:read("*a")
        pipe:close()
    end)
end

function activities.starting()
    local generator = lanes.gen("*", function() linda:receive("never") end)
    for _ = 1, 12 do generator() end
end

-- Lanes that launch lanes until that fails.
activities["starting lanes"] = function()
    launch(2, function()
        local lanes = require "lanes" -- luacheck: ignore
        local generator = lanes.gen("*", function() return {} end)
        linda:send("there", true)
        while true do generator() end
    end)
end

function activities.finishing()
    launch(12, function()
        linda:send("there", true)
        linda:receive("go")
        return { linda, ("x"):rep(1000) }
    end)
    linda:set("go", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
end

activities["in a finalizer that waits"] = function()
    launch(3, function()
        set_finalizer(function() linda:send("there", true) linda:receive("never") end)
    end)
end

activities["in a finalizer that spins"] = function()
    launch(3, function()
        set_finalizer(function() linda:send("there", true) while true do end end)
    end)
end

-- A library that ends the process if a callback raises an error.
local function in_luv(callback)
    launch(2, function()
        local uv = require "luv"
        local said = false
        uv.new_timer():start(0, 1, function()
            if not said then linda:send("there", true) end
            said = true
            callback()
        end)
        uv.run()
    end)
end

activities["waiting in a callback of luv"] = function()
    in_luv(function() linda:receive("never") end)
end

activities["spinning in a callback of luv"] = function()
    in_luv(function() while true do end end)
end

-- One lane is in a module that waits; the others wait to require it.
activities["in require"] = function()
    os.remove(directory .. "/required") -- by the others of an earlier run, when their turn had come
    local generator = lanes.gen("*", function() require "module_that_waits" end)
    for _ = 1, 3 do generator() end
    local file
    repeat
        sleep(0.001)
        file = io.open(directory .. "/required")
    until file
    file:close()
end

-- Lanes launch others, which load modules on their own threads. Each module sends that it is being loaded and then does something.
local function loading(does)
    local launching = lanes.gen("*", function(name)
        package.preload[name] = function()
            linda:send("there", true)
            does()
        end
        return require "lanes".gen("*", { required = { name } }, function() end)()
    end)
    for n = 1, 2 do launching("slow" .. n) end
    for _ = 1, 2 do linda:receive("there") end
end

activities["loading a module that waits"] = function()
    loading(function() linda:receive("never") end)
end

activities["loading a module that spins"] = function()
    loading(function() while true do end end)
end

activities["loading a module that is in os.execute"] = function()
    local command = ending == "SIGINT" and machine.endless(1) or endless
    loading(function() os.execute(command) end)
end

-- The module of one lane waits; other lanes wait to load it while they are launched.
activities["launching others that wait to load a module"] = function()
    package.preload.slow = function()
        linda:send("there", true)
        linda:receive("never")
    end
    launch(1, function() require "slow" end)
    local launching = lanes.gen("*", function()
        linda:send("there", true)
        require "lanes".gen("*", { required = { "slow" } }, function() end)()
    end)
    for _ = 1, 3 do handle = launching() end -- luacheck: ignore
    for _ = 1, 3 do linda:receive("there") end
end

-- Threads with other stack sizes are idle, or run a lane.
activities["on stacks of other sizes"] = function()
    for n = 19, 24 do
        local generator = lanes.gen("*", { stack_size = 2 ^ n }, function() end)
        for _ = 1, 2 do generator():join() end
    end
    for n = 19, 24 do
        lanes.gen("*", { stack_size = 2 ^ n }, function() linda:send("there", true) linda:receive("never") end)()
    end
    for _ = 19, 24 do linda:receive("there") end
    for n = 19, 22 do lanes.gen("*", { stack_size = 2 ^ n }, function() end)() end
end

local endings = {}

function endings.fall() end

endings.host = endings.fall

function endings.error() error("the program fails on purpose") end

function endings.exit() os.exit(7) end

function endings.close() os.exit(7, true) end

-- Seconds after which a signal is sent again: POSIX systems drop Ctrl-C while any thread is in os.execute. Where it arrives, a second one
-- ends the process.
local again = activity:find "in os.execute$" and not machine.windows and 0.5 or 1000
local function signal(name)
    repeat
        local sent = send_signal(name)
        if sent then sent:close() end
    until linda:receive(again, "never")
end

function endings.SIGTERM() signal("TERM") end

function endings.SIGINT() signal("INT") end

if timers == "timers" then
    lanes.timer(linda, "tick", 0.001, 0.001)
    lanes.timer(linda, "later", 1000)
end
ends = endings[ending] -- luacheck: ignore
activities[activity]()
endings[ending]()
