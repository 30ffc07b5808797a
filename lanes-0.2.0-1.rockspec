rockspec_format = "3.0"
package = "lanes"
version = "0.2.0-1"
source = { url = "https://lanes.invalid/releases/lanes-0.2.0.tar.gz" }
description = {
   summary = "Native threads for Lua: lanes that run in parallel, lindas through which they talk",
   detailed = [[
      A lane is a Lua function that runs in an operating system thread with a Lua state of its own. Lanes exchange values
      through lindas, sets of named queues; reading a lane's result waits for it. Programs written for Lanes 3.x run unchanged, except for those
      that count on killing a thread.]],
   homepage = "https://lanes.invalid",
   issues_url = "https://lanes.invalid/issues",
   license = "MIT",
   labels = { "threads", "concurrency", "parallel" },
}
dependencies = { "lua >= 5.1, < 5.6" }
build = {
   type = "command",
   -- The interpreter that the rock is installed for selects the library (docs/packaging.md#rocks).
   build_command = [["$(LUA)" build/rock.lua "$(LUA_INCDIR)"]],
   install = {
      lib = { lanes_core = "target/rock/lanes_core.so" },
      lua = {
         lanes = "lua/lanes.lua",
         ["lanes.async"] = "lua/lanes/async.lua",
         ["lanes.chunks"] = "lua/lanes/chunks.lua",
         ["lanes.core"] = "lua/lanes/core.lua",
         ["lanes.future"] = "lua/lanes/future.lua",
         ["lanes.help"] = "lua/lanes/help.lua",
         ["lanes.helpers"] = "lua/lanes/helpers.lua",
         ["lanes.imap"] = "lua/lanes/imap.lua",
         ["lanes.interface4"] = "lua/lanes/interface4.lua",
         ["lanes.limit"] = "lua/lanes/limit.lua",
         ["lanes.loops"] = "lua/lanes/loops.lua",
         ["lanes.map"] = "lua/lanes/map.lua",
         ["lanes.notifier"] = "lua/lanes/notifier.lua",
         ["lanes.pool"] = "lua/lanes/pool.lua",
         ["lanes.progress"] = "lua/lanes/progress.lua",
         ["lanes.reference"] = "lua/lanes/reference.lua",
         ["lanes.reference.four"] = "lua/lanes/reference/four.lua",
         ["lanes.reference.groups"] = "lua/lanes/reference/groups.lua",
         ["lanes.reference.loops"] = "lua/lanes/reference/loops.lua",
         ["lanes.reference.module"] = "lua/lanes/reference/module.lua",
         ["lanes.reference.objects"] = "lua/lanes/reference/objects.lua",
         ["lanes.scope"] = "lua/lanes/scope.lua",
         ["lanes.supervise"] = "lua/lanes/supervise.lua",
         ["lanes.supervisor"] = "lua/lanes/supervisor.lua",
         ["lanes.v3"] = "lua/lanes/v3.lua",
         ["lanes.v4"] = "lua/lanes/v4.lua",
         ["lanes.wait"] = "lua/lanes/wait.lua",
         ["lanes.worker"] = "lua/lanes/worker.lua",
         ["lanes.workers"] = "lua/lanes/workers.lua",
      },
   },
   platforms = { windows = { install = { lib = { lanes_core = "target/rock/lanes_core.dll" } } } },
   -- C modules that use deep objects find the headers here.
   copy_directories = { "docs", "examples", "include", "types" },
}
test = { type = "busted" }
