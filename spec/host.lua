-- The host program in C (tests/host/host.c) for the Lua that runs the specs.
local support = require "support"
local machine = require "machine"
local needs = require "needs"

local host = {}

-- The path of the program, or the reason why it is missing.
local program, problem

-- Builds it if necessary.
local function build()
    if program or problem then return end
    local known = machine.helper "host"
    -- Without a shell, it must have been built together with the library.
    local built = machine.windows and { code = machine.is_readable(known) and 0 or 1, out = known .. "\n", err = known .. " is missing" }
        or machine.run({ "ci/checks/host", support.lua }, { limit = 300 })
    if built.code == 0 then
        program = built.out:match("[^\n]+")
    elseif needs.is_built_here() then
        error("the host program cannot be built:\n" .. built.err)
    else
        problem = "need a host program in C, which ci/checks/host " .. support.lua .. " cannot build here"
    end
end

--- The replacement of busted's `it` for tests that run the host program.
function host.needed(it)
    build()
    return needs.unless(problem, it)
end

--- Runs the host program with the package paths of this state, and waits for its end.
-- @param timeout seconds after which it counts as hanging, as `machine.run` has them
-- @param ... its arguments
-- @return a table: `code`, `out`, `err`
function host.run(timeout, ...)
    build()
    return machine.run({ program, ... }, { limit = timeout, environment = support.environment(), wrapper = true })
end

return host
