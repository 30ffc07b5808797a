-- Section M: the end of the program.
local lanes = require "lanes".configure { shutdown_timeout = 10 }
print(pcall(lanes.finally, 5) == false, pcall(lanes.finally, print, 1) == false) --> true true
lanes.finally(print)
lanes.finally(function(all)
    print("all have ended:", all)
    print(lanes.gen("*", function() return "and another" end)():join())
end)
lanes.gen("*", function() require "lanes".sleep() end)()
lanes.coro("*", function() coroutine.yield() end)()
print "the program ends here"
--> the program ends here
--> all have ended: true
--> true and another
