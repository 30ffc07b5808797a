-- Section B: settings, and their errors.
local lanes = require "lanes"
local function fails(settings, ...)
    local fine, problem = pcall(lanes.configure, settings, ...)
    print(fine, (problem:match "Unknown setting %[%w+%] = %w+" or problem:match "Bad .*"))
end
fails { nonsense = 1 } --> false Unknown setting [nonsense] = 1
fails { convert_max_attempts = 0 } --> false Bad parameter convert_max_attempts: 0 (value out of range)
fails { with_timers = "yes" } --> false Bad parameter with_timers: yes (not a boolean)
fails { linda_wake_period = "sometimes" } --> false Bad parameter linda_wake_period: sometimes (not a number)
fails { shutdown_timeout = 3601 } --> false Bad parameter shutdown_timeout: 3601 (value out of range)
lanes.configure {
    allocator = "protected", convert_fallback = lanes.null, convert_max_attempts = 3, internal_allocator = "libc",
    keepers_gc_threshold = 500, linda_wake_period = 1e30, nb_user_keepers = 3, on_state_create = function() prepared = true end, -- luacheck: ignore
    shutdown_timeout = 1, strip_functions = false, track_lanes = true, verbose_errors = true, with_timers = false,
}.configure()
print(lanes.gen("*", function() return rawget(_G, "prepared") end)():join()) --> true true
print(pcall(lanes.timer, lanes.linda { group = 3 }, "slot", 1) == false) --> true
