-- A program with the 4.x interface that ends in a given way while its lanes do something: ACTIVITY ENDING HANDLER. The handler is that
-- of `lanes.finally`, which prints its argument.
local activity, ending, handler = arg[1], arg[2], arg[3]

local machine = require "machine"
require "support".without_warnings()

-- Older than the universe, so that its file is open when the universe ends.
local send_signal = (not machine.windows or ending == "SIGINT") and machine.signaller()

-- Lanes of these activities end by a hook only, or not at all.
local late = {
    ["suspended again and again"] = true, spinning = true, ["spinning under pcall"] = true, ["in a finalizer that spins"] = true,
    ["starting coroutine lanes"] = true,
}
local lanes = require "lanes".configure { api = 4, shutdown_timeout = late[activity] and 0.05 or 3600 }
local linda = lanes.linda { name = "endings" }

-- Launches lanes by `make`, lanes.gen or lanes.coro, and returns when all have sent that they run.
local function launch(make, count, body)
    local generator = make("*", body)
    for _ = 1, count do handle = generator(linda) end -- luacheck: ignore (the last one stays alive in a global)
    for _ = 1, count do linda:receive "there" end
end

-- Waits until the lane of the handle is suspended.
local function until_suspended(lane)
    while lane.status ~= "suspended" do lanes.sleep(0.001) end
end

local activities = {}

function activities.waiting()
    launch(lanes.gen, 3, function(x) x:send("there", true) x:receive "never" end)
end

activities["sleeping for ever"] = function()
    launch(lanes.gen, 3, function(x) x:send("there", true) require "lanes".sleep() end)
end

function activities.spinning()
    launch(lanes.gen, 2, function(x)
        if jit then jit.off() end
        x:send("there", true)
        while true do end
    end)
end

activities["spinning under pcall"] = function()
    launch(lanes.coro, 2, function(x)
        x:send("there", true)
        while true do pcall(function() while true do end end) end
    end)
end

function activities.suspended()
    launch(lanes.coro, 3, function(x)
        set_finalizer(function() x:set("ended", true) end)
        x:send("there", true)
        coroutine.yield({}, x)
        return x:receive "never"
    end)
    until_suspended(handle) -- luacheck: ignore
end

activities["suspended, and nobody has them"] = function()
    launch(lanes.coro, 3, function(x) x:send("there", true) coroutine.yield {} end)
    handle = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
end

activities["suspended again and again"] = function()
    launch(lanes.coro, 2, function(x)
        if jit then jit.off() end
        x:send("there", true)
        while true do coroutine.yield() end
    end)
end

activities["suspended, with an answer under way"] = function()
    launch(lanes.coro, 1, function(x)
        x:send("there", true)
        for i = 1, 100 do coroutine.yield(i) end
        x:receive "never"
    end)
    for _ = 1, 50 do handle:resume {} end -- luacheck: ignore
end

-- Before 5.4 nothing is closed.
activities["suspended, with a variable that waits when it is closed"] = function()
    local body = [[
        local x = ...
        local closed <close> = setmetatable({}, { __close = function() x:receive "never" end })
        x:send("there", true)
        coroutine.yield()
    ]]
    launch(lanes.coro, 2, _VERSION < "Lua 5.4" and body:gsub("<close>", "") or body)
end

activities["resumed by another lane"] = function()
    launch(lanes.gen, 2, function(x)
        local lanes, cancelled = require "lanes", false -- luacheck: ignore
        local inner = lanes.coro("*", function() while not cancel_test() do coroutine.yield(1) end end)()
        x:send("there", true)
        while not cancelled do
            local fine = pcall(inner.resume, inner, 1)
            cancelled = not fine or cancel_test()
        end
    end)
end

activities["in a resume, for a lane that is not suspended"] = function()
    launch(lanes.gen, 2, function(x)
        local inner = require "lanes".coro("*", function(y) y:receive "never" end)(x)
        x:send("there", true)
        pcall(inner.resume, inner)
    end)
end

activities["in a join, for a lane that closes"] = function()
    launch(lanes.gen, 2, function(x)
        local inner = require "lanes".coro("*", function(y)
            set_finalizer(function() y:send("there", true) y:receive "never" end)
            coroutine.yield()
        end)(x)
        inner:join()
    end)
end

activities["in a finalizer that waits"] = function()
    launch(lanes.coro, 2, function(x)
        set_finalizer(function() x:send("there", true) x:receive "never" end)
    end)
end

activities["in a finalizer that spins"] = function()
    launch(lanes.coro, 2, function(x)
        set_finalizer(function()
            if jit then jit.off() end
            x:send("there", true)
            while true do pcall(function() while true do end end) end
        end)
    end)
end

activities["starting coroutine lanes"] = function()
    launch(lanes.gen, 2, function(x)
        local generator = require "lanes".coro("*", function() coroutine.yield {} end)
        x:send("there", true)
        while not cancel_test() do generator() end
    end)
end

activities["launching lanes, and waiting for them"] = function()
    launch(lanes.gen, 2, function(x)
        x:send("there", true)
        local generator = require "lanes".coro("*", function(y) y:receive "never" end)
        repeat until cancel_test()
        local inner = generator(x)
        pcall(inner.resume, inner)
    end)
end

function activities.finishing()
    launch(lanes.coro, 12, function(x)
        x:send("there", true)
        coroutine.yield()
        x:receive "go"
        return { x, ("x"):rep(1000) }
    end)
    linda:set("go", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
end

-- Each gets whether all lanes have ended.
local handlers = {}

-- luacheck: push ignore linda (those of before have been collected)
function handlers.uses()
    local linda = lanes.linda()
    linda:send("slot", 1)
    if linda:receive "slot" ~= "slot" then os.exit(99) end
    if select(2, lanes.gen(function() return 7 end)():join()) ~= 7 then os.exit(99) end
end

function handlers.leaves()
    local linda = lanes.linda()
    for _ = 1, 2 do left = lanes.coro("*", function() coroutine.yield() end)() end -- luacheck: ignore
    lanes.gen("*", function(x) x:receive "never" end)(linda)
    lanes.finally(handlers.fails)
end

function handlers.fails() error("the handler fails on purpose") end

function handlers.throws() error {} end

function handlers.returns() return "a value" end

-- Only if lanes are left.
function handlers.freezes(ended)
    if not ended then send_signal "TERM" end
    return "freeze"
end

function handlers.spins()
    send_signal "TERM"
    while true do end
end

function handlers.waits()
    send_signal "TERM"
    lanes.linda():receive "never"
end

function handlers.joins()
    local lane = lanes.coro("*", function(x) x:receive "never" end)(lanes.linda())
    send_signal "TERM"
    lane:join()
end

function handlers.exits() os.exit(9) end
-- luacheck: pop

local endings = {}

function endings.fall() end

endings.host = endings.fall

function endings.error() error("the program fails on purpose") end

function endings.exit() os.exit(7) end

function endings.close() os.exit(7, true) end

local function signal(name)
    local sent = send_signal(name)
    if sent then sent:close() end
    while true do linda:receive(1000, "never") end
end

function endings.SIGTERM() signal "TERM" end

function endings.SIGINT() signal "INT" end

if handler ~= "none" then
    local chosen = handlers[handler]
    lanes.finally(function(ended)
        io.stdout:write("finally ", tostring(ended), "\n")
        io.stdout:flush()
        return chosen(ended)
    end)
end
activities[activity]()
endings[ending]()
