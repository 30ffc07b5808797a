-- A program with mistakes that an editor must find in the types: each line that ends with the name of a diagnostic has that one
-- (ci/checks/types editor).
local lanes = require "lanes".configure { shutdown_timeout = "long" } -- param-type-mismatch
local linda = lanes.linda("jobs")
local lane = lanes.gen("*", function() end)()

linda:recieve("key") -- undefined-field
linda:set() -- missing-parameter
linda:deep("more") -- redundant-parameter
linda:limit("key", "ten") -- param-type-mismatch
lane:joim() -- undefined-field
lane:cancel("harder") -- param-type-mismatch
lanes.lindaa() -- undefined-field
lanes.timer("linda", "key", 1) -- param-type-mismatch
lanes.map({ 1 }, 3) -- param-type-mismatch
lanes.pool { workers = "two" } -- param-type-mismatch
lanes.wait({ lane }, { count = "most" }) -- param-type-mismatch
cancel_tset() -- undefined-global
print(lanes.pool():submit(print).state) -- undefined-field
