--- Chooses an interface for the universe that is about to be configured.

local core = require "lanes_core"

-- @param wanted 3 or 4
-- @return the module `lanes`
-- Raises an error if the universe has another interface.
return function(wanted)
    if not core.is_configured() then
        core.chosen = wanted
    elseif core.interface() ~= wanted then
        error("lanes is configured with the interface of " .. core.interface() .. ".x, and a universe has one: require \"lanes\", "
            .. "or choose " .. wanted .. " before it is configured", 0)
    end
    return require "lanes"
end
