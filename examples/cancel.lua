-- cancel.lua: ends three busy lanes, each by a suitable cancel request; finalizers clean up.
--
--   $ lua examples/cancel.lua
--   polite    done       cleaned up after its end, file removed, did its last step
--   waiting   cancelled  cleaned up after a cancellation, file removed
--   spinning  cancelled  cleaned up after a cancellation, file removed

local HELP = [[
usage: lua examples/cancel.lua [SECONDS]

Starts three lanes, each with a scratch file that its finalizer removes, cancels
them, and waits up to SECONDS (default 5) for each to end:

  polite    looks at cancel_test() between two steps of its work: a soft request
  waiting   waits for a message that never comes: a hard request
  spinning  calculates without end: a hard request through a debug hook

  -h, --help   print this and end

Running it from a clone, after `ci/build 5.4`:
  LUA_PATH="./lua/?.lua;;" LUA_CPATH="./target/lua/5.4/?.so;;" \
    lua5.4 examples/cancel.lua
]]
-- luacheck: globals cancel_test set_finalizer jit

local function refuse(...)
    io.stderr:write("cancel.lua: ", table.concat({ ... }), "\n")
    os.exit(2)
end

if arg[1] == "-h" or arg[1] == "--help" then
    io.stdout:write(HELP)
    os.exit(0)
end
local patience = tonumber(arg[1] or 5)
if not patience or not (patience >= 0 and patience <= 3600) then
    refuse("argument SECONDS must be a number from 0 to 3600, not '", arg[1], "'")
end
if arg[2] then refuse("unexpected argument '", arg[2], "' (try --help)") end

local loaded, lanes = pcall(require, "lanes")
if not loaded then refuse("cannot load lanes; --help shows how to say where it is\n", lanes) end
lanes.configure()

local board = lanes.linda("board")

--- Called by a lane: opens its scratch file and registers a finalizer that removes it.
local function with_scratch_file(name)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    set_finalizer(function(err)
        file:close()
        os.remove(path)
        -- `set` works while a hard request is pending; `send` and `receive` would raise it again.
        board:set(name .. " cleaned", err == nil and "after its end" or "after a cancellation")
    end)
    board:set(name .. " file", path)
    board:send(name .. " is ready", true)
    return file
end

local bodies = {
    polite = function()
        local file = with_scratch_file("polite")
        local steps = 0
        while not cancel_test() do
            steps = steps + 1
            file:write("step ", steps, "\n")
        end
        return "did its last step"
    end,
    waiting = function()
        with_scratch_file("waiting")
        board:receive("a message that never comes")
    end,
    spinning = function()
        with_scratch_file("spinning")
        if jit then jit.off() end -- LuaJIT's compiled loops do not check hooks
        local n = 0
        while true do n = n + 1 end
    end,
}

--- Starts the lane, waits until it is ready, and cancels it. `...` are the arguments of
--- `lane:cancel`.
local function demonstrate(name, ...)
    local lane = lanes.gen("*", bodies[name])()
    if not board:receive(60, name .. " is ready") then
        local _, problem = lane:join(0)
        refuse("the ", name, " lane did not get to work: ", tostring(problem))
    end
    local ended, status = lane:cancel(...)
    if not ended then
        print(("%-8s  still running after %g s"):format(name, patience))
        return false
    end
    local result = lane[1] -- nil for a cancelled lane
    local _, cleaned = board:receive(0, name .. " cleaned")
    local _, path = board:receive(0, name .. " file")
    local left = io.open(path)
    if left then left:close() end
    print(("%-8s  %-9s  cleaned up %s%s%s"):format(name, status, tostring(cleaned),
        left and ", but left its file" or ", file removed", result and ", " .. result or ""))
    return true
end

local all_ended = demonstrate("polite", "soft", patience)
all_ended = demonstrate("waiting", "hard", patience) and all_ended
all_ended = demonstrate("spinning", "count", 1000, patience) and all_ended
os.exit(all_ended and 0 or 1, true)
