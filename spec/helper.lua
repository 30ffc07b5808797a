-- Run by busted before the specs (see .busted): loads the modules that the specs share, and at the
-- end prints why tests are pending.
local busted = require "busted"
-- Loaded before the first spec file, they are the same for all files; each file loads all other
-- modules itself.
require "support"
local needs = require "needs"
-- Busted unloads what a file has loaded. luv frees its loop then, and crashes when the same state loads it
-- again.
pcall(require, "luv")

busted.subscribe({ "test", "start" }, function(element)
    needs.begin(element)
    return nil, true -- other subscribers are called too
end)

busted.subscribe({ "suite", "end" }, function()
    local line = needs.closing_line()
    if line then print("\n" .. line) end
    return nil, true
end)
