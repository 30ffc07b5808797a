-- Requirements of tests beside Lanes: the test hooks, programs and modules in C that the specs compile, LuaSocket. If one is missing,
-- the tests that need it are pending with that reason, and the last line of the run has their number.
local support = require "support"
local machine = require "machine"

local needs = {}

-- The running test, as busted describes it.
local current

-- The number of pending tests for each reason, and the reasons in the order of their first test.
local counts, order = {}, {}

--- Notes that a test begins; called by the helper.
function needs.begin(element)
    current = element
end

--- The last line of a run.
-- @return the text; nil if no test was pending because of a missing requirement
function needs.closing_line()
    local sum, parts = 0, {}
    for i, reason in ipairs(order) do
        sum = sum + counts[reason]
        parts[i] = counts[reason] .. " " .. reason
    end
    if sum == 0 then return nil end
    return ("%d %s pending: %s"):format(sum, sum == 1 and "test is" or "tests are", table.concat(parts, "; "))
end

-- Makes the running test pending. `position` is the place of its declaration.
local function pend(position, reason)
    if not counts[reason] then
        counts[reason] = 0
        order[#order + 1] = reason
    end
    counts[reason] = counts[reason] + 1
    current.env.pending(position .. reason)
end

--- Makes the running test pending if the requirement is found missing only while it runs.
-- @param reason the requirement, as "need ..."
function needs.pending(reason)
    pend("", reason)
end

--- A replacement of busted's `it` for tests with a requirement.
-- @param reason nil if it is met; otherwise the requirement, as "need ..."
-- @param it busted's function, or its replacement by `support.plain`
-- @return `it` itself if the requirement is met; otherwise a function that declares pending tests
function needs.unless(reason, it)
    if not reason then return it end
    return function(name)
        local info = debug.getinfo(2, "Sl")
        local position = ("%s:%d: "):format(info.short_src, info.currentline)
        return it(name, function() pend(position, reason) end)
    end
end

--- `needs.unless` for tests that call `require "lanes_core".hooks`.
function needs.hooks(it)
    local reason
    if not needs.is_built_here() then
        reason = ("need the test hooks, which installed libraries do not have (ci/build %s, then ci/spec %s)")
            :format(support.lua, support.lua)
    end
    return needs.unless(reason, it)
end

--- `needs.unless` for tests that need a module of another rock.
-- @param module the module's name
-- @param rock the name under which people know it
function needs.module(module, rock, it)
    local found = pcall(require, module)
    return needs.unless(not found and ("need %s (the module %s)"):format(rock, module) or nil, it)
end

--- `needs.unless` for tests of programs with limited memory or stacks.
function needs.limits(it)
    local reason = machine.windows and "need limits of a process (ulimit), which Windows does not have"
        or machine.emulated and "need limits of a process (ulimit), which would be those of the emulator"
    return needs.unless(reason or nil, it)
end

--- `needs.unless` for tests that read Linux's information about a process and its threads.
function needs.proc(it)
    local reason
    if not machine.tells then
        reason = "need a system that tells about its processes (/proc)"
    elseif machine.emulated then
        reason = "need /proc of the program, which would be that of the emulator"
    end
    return needs.unless(reason, it)
end

--- `needs.unless` for tests of features that only POSIX systems have.
-- @param what the feature, such as "fork"
function needs.posix(what, it)
    return needs.unless(machine.windows and ("need %s, which Windows does not have"):format(what) or nil, it)
end

--- Whether the library in use was made by ci/build. Then every requirement can be met, and a missing one is an error.
function needs.is_built_here()
    return require "lanes_core".hooks ~= nil
end

return needs
