-- What luacheck holds against the Lua code here.
max_line_length = 140
exclude_files = { "target", "types/lanes.lua", "types/lanes", "ci/types/wrong.lua" }
-- The globals that only lanes have.
stds.lanes = dofile "types/luacheck.lua"
-- Specs and programs run on every Lua and look for what theirs has; what is installed keeps to what all have in common.
std = "max+lanes"
files["lua"] = { std = "min+lanes" }
-- Where environments are no upvalues, _ENV is a variable that nobody reads.
files["spec"] = { std = "max+busted+lanes", ignore = { "211/_ENV" } }
