-- What busted runs before the specs (.busted names it): it keeps what the specs share, and says at the end why tests are pending.
local busted = require "busted"
-- Loaded before the first file, they are the same for all files, each of which loads everything else by itself.
require "support"
local needs = require "needs"

busted.subscribe({ "test", "start" }, function(element)
    needs.begin(element)
    return nil, true -- others are told, too
end)

busted.subscribe({ "suite", "end" }, function()
    local line = needs.closing_line()
    if line then print("\n" .. line) end
    return nil, true
end)
