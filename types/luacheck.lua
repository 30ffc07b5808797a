-- The globals of lanes for luacheck. Made by ci/types/generate from lua/lanes/reference.lua; do not edit.
-- In .luacheckrc: stds.lanes = dofile "<this file>"; std = "max+lanes"
return { read_globals = { "cancel_test", "lane_threadname", "set_debug_threadname", "set_error_reporting", "set_finalizer" } }
