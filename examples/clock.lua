-- clock.lua: a ticking timer and an alarm at a date, both received from one linda.
--
--   $ lua examples/clock.lua 1 2.1
--   2 timers are set
--   alarm  09:06:02.000
--   tick 1 09:06:02.248
--   0 timers are set

local HELP = [=[
usage: lua examples/clock.lua [TICKS [SECONDS]]

Prints TICKS (default 5) ticks, one every SECONDS (default 1), and an alarm at
the first full second that is more than one second away.

  -h, --help   print this and end

Running it from a clone, after `ci/build 5.4`:
  LUA_PATH="./lua/?.lua;;" LUA_CPATH="./target/lua/5.4/?.so;;" \
    lua5.4 examples/clock.lua 10 0.5
]=]

local function refuse(...)
    io.stderr:write("clock.lua: ", table.concat({ ... }), "\n")
    os.exit(2)
end

if arg[1] == "-h" or arg[1] == "--help" then
    io.stdout:write(HELP)
    os.exit(0)
end
local ticks, period = tonumber(arg[1] or 5), tonumber(arg[2] or 1)
if not ticks or ticks < 1 or ticks > 1000000 or ticks % 1 ~= 0 then
    refuse("argument TICKS must be a whole number from 1 to 1000000, not '", arg[1], "'")
end
if not period or not (period >= 0.001 and period <= 3600) then
    refuse("argument SECONDS must be a number from 0.001 to 3600, not '", arg[2], "'")
end
if arg[3] then refuse("unexpected argument '", arg[3], "' (try --help)") end

local loaded, lanes = pcall(require, "lanes")
if not loaded then refuse("cannot load lanes; --help shows how to say where it is\n", lanes) end
lanes.configure()

local function clock_face(seconds)
    return os.date("%H:%M:%S", math.floor(seconds)) .. ("%.3f"):format(seconds % 1):sub(2)
end

local events = lanes.linda("events")
lanes.timer(events, "tick", period, period)                        -- first and then every `period` seconds
lanes.timer(events, "alarm", os.date("*t", math.floor(lanes.now_secs()) + 2)) -- once, at a date
print(#lanes.timers() .. " timers are set")

local seen = 0
while seen < ticks do
    -- A timer sets its slot to the time at which it fired. `receive` prefers earlier keys.
    local key, fired_at = events:receive("alarm", "tick")
    if key == "alarm" then
        print("alarm  " .. clock_face(fired_at))
    else
        seen = seen + 1
        print(("tick %d %s"):format(seen, clock_face(fired_at)))
    end
end

lanes.timer(events, "tick")  -- no time: removes the timer
lanes.timer(events, "alarm") -- nothing happens if it has fired already
print(#lanes.timers() .. " timers are set")
