rockspec_format = "3.0"
package = "lanes"
version = "scm-1"
-- `luarocks make` in a checkout does not use this; ci/checks/rocks-server fills in where it packs the sources.
source = { url = "git+file://." }
description = {
   summary = "Native threads for Lua: lanes that run in parallel, lindas through which they talk",
   detailed = [[
      A lane is a Lua function that runs in an operating system thread with a Lua state of its own. Lanes exchange values
      through lindas, sets of named queues; reading a lane's result waits for it. Programs written for Lanes 3.x run unchanged, except for those
      that count on killing a thread.]],
   license = "MIT",
   labels = { "threads", "concurrency", "parallel" },
}
dependencies = { "lua >= 5.1, < 5.6" }
build_dependencies = { "luarocks-build-rust-mlua" }
build = {
   type = "rust-mlua",
   modules = { lanes_core = "lanes_core" },
   install = {
      lua = {
         lanes = "lua/lanes.lua",
         ["lanes.core"] = "lua/lanes/core.lua",
         ["lanes.helpers"] = "lua/lanes/helpers.lua",
         ["lanes.interface4"] = "lua/lanes/interface4.lua",
         ["lanes.limit"] = "lua/lanes/limit.lua",
         ["lanes.map"] = "lua/lanes/map.lua",
         ["lanes.pool"] = "lua/lanes/pool.lua",
         ["lanes.progress"] = "lua/lanes/progress.lua",
         ["lanes.supervise"] = "lua/lanes/supervise.lua",
         ["lanes.supervisor"] = "lua/lanes/supervisor.lua",
         ["lanes.v3"] = "lua/lanes/v3.lua",
         ["lanes.v4"] = "lua/lanes/v4.lua",
         ["lanes.wait"] = "lua/lanes/wait.lua",
         ["lanes.worker"] = "lua/lanes/worker.lua",
      },
   },
   -- C modules that use deep objects find the headers here.
   copy_directories = { "docs", "examples", "include" },
}
test = { type = "busted" }
