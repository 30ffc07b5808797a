-- Section O, as far as it has Lua: modules that are registered.
local lanes = require "lanes".configure()
local own = { inner = { format = function(...) return string.format(...) end } }
package.loaded.own = own
lanes.register("own", own)
print(lanes.require "string" == string) --> true
local lane = lanes.gen("*", function(f, g) return f == string.rep, g("%d", 5) end)(string.rep, own.inner.format)
print(lane:join()) --> true true 5
print(pcall(lanes.register, {}, own) == false, pcall(lanes.register, "name", 5) == false) --> true true
