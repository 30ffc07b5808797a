-- Section J: operations of lindas.
local lanes = require "lanes".configure()
local linda = lanes.linda()
print(linda:send("slot", 1, nil, 3), linda:count "slot") --> true 3
print(linda:receive_batched("slot", 2, 5)) --> slot 1 nil 3
print(linda:receive(0, "slot", "other")) --> nil timeout
print(linda:set("slot", "a", "b")) --> false under
print(linda:limit("slot", 1)) --> false over
print(linda:limit "slot") --> 1 over
print(linda:send(0, "slot", "c")) --> nil timeout
print(linda:get("slot", 5)) --> 2 a b
print(linda:limit("slot", "unlimited")) --> true under
print(linda:restrict("slot", "set/get"), linda:restrict "slot") --> none set/get
print(select(2, pcall(linda.receive, linda, 0, "slot")):match "Key is restricted") --> Key is restricted
print(linda:restrict("slot", "none")) --> set/get
print(linda:receive "slot") --> slot a
local slot = linda:dump().slot
print(slot.count, slot.limit, slot.restrict, slot.fifo[slot.first]) --> 1 unlimited none b
print(linda:get "unknown", linda:count "unknown") --> 0 nil
print(pcall(linda.send, linda, "slot") == false, pcall(linda.send, linda, -1, "slot", 1) == false) --> true true
print(select("#", linda:wake()), select("#", linda:collectgarbage())) --> 0 0
