-- Section N: what the settings of keepers and allocators allow.
local lanes = require "lanes".configure {
    allocator = "protected", keepers_gc_threshold = 0, nb_user_keepers = 2, internal_allocator = "libc",
}
do
    local lindas = {}
    for group = 0, 2 do lindas[#lindas + 1] = lanes.linda { group = group } end
    for _, linda in ipairs(lindas) do
        linda:send("all", lindas)
        local _, found = linda:receive "all"
        for i, one in ipairs(found) do assert(one == lindas[i]) end
        linda:send("kept", lindas)
    end
end
collectgarbage()
lanes.collectgarbage()
local linda = lanes.linda { group = 0 }
for i = 1, 1000 do linda:send("slot", ("x"):rep(100) .. i) end
print(linda:count "slot", linda:set "slot") --> 1000 false under
