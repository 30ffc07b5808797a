-- What luacheck holds against the Lua code here.
max_line_length = 140
exclude_files = { "target" }
-- Specs and programs run on every Lua and look for what theirs has; what is installed keeps to what all have in common.
std = "max"
files["lua"] = { std = "min" }
-- Where environments are no upvalues, _ENV is a variable that nobody reads.
files["spec"] = { std = "max+busted", ignore = { "211/_ENV" } }
-- Globals that only lanes have.
read_globals = { "cancel_test", "lane_threadname", "set_debug_threadname", "set_error_reporting", "set_finalizer" }
