-- Helpers in C for tests of the C interface (tests/capi), for the Lua that runs the specs: a module
-- and a host program.
local support = require "support"
local machine = require "machine"
local needs = require "needs"

local capi = {}

-- The reason why they are missing. They are linked with the library that ci/build makes, and work
-- only with it.
local problem

if needs.is_built_here() and machine.windows then
    -- Without a shell, they must have been built together with the library.
    if not machine.is_readable(machine.helper "embedded") then error(machine.helper "embedded" .. " is missing") end
elseif needs.is_built_here() then
    local built = machine.run({ "ci/checks/capi", support.lua }, { limit = 300 })
    if built.code ~= 0 then error("the tests of the C interface cannot be built:\n" .. built.out .. built.err) end
else
    problem = ("need a C module, which goes with the library of ci/build %s alone"):format(support.lua)
end

--- The replacement of busted's `it` for tests that use the module or the host program.
function capi.needed(it)
    return needs.unless(problem, it)
end

--- The module deep_test, or nil if it is missing; tests that use it are then pending.
function capi.module()
    if problem then return nil end
    return require "deep_test"
end

--- The path of the host program, from any directory.
function capi.embedded()
    return machine.helper "embedded"
end

--- Runs a program as `support.output` does, in an interpreter that has these functions first:
-- collect() runs full collections; show(name...) prints counts of the module deep_test.
function capi.output(program)
    return support.output([[
        local lanes = require "lanes".configure()
        local deep_test = require "deep_test"
        local function collect() for _ = 1, 4 do collectgarbage() end end
        local function show(...)
            local counts, out = deep_test.counts(), {}
            for i, name in ipairs { ... } do out[i] = name .. " " .. counts[name] end
            print(table.concat(out, ", "))
        end
    ]] .. program)
end

return capi
