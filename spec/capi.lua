-- What tests the C interface (tests/capi), for the Lua that runs the specs: a module in C, and a host program.
local support = require "support"

local capi = {}

-- Builds both, where that is needed.
local log = os.tmpname()
local ok = os.execute(("ci/capi %s >%s 2>&1 </dev/null"):format(support.lua, log))
local text = support.read(log)
os.remove(log)
if ok ~= true and ok ~= 0 then error("the tests of the C interface cannot be built:\n" .. text) end

--- The path of the host program, from any directory.
function capi.embedded()
    local pipe = io.popen("pwd")
    local here = pipe:read("*l")
    pipe:close()
    return here .. "/target/lua/" .. support.lua .. "/embedded"
end

--- Runs a program as `support.output` does, in an interpreter that has these functions first:
-- collect() runs the collector to its end; show(name...) prints counts of the module deep_test.
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
