-- The host program in C (tests/host/host.c) for the Lua that runs the specs.
local support = require "support"

local host = {}

-- The result of a shell command: its exit code, and what it wrote to standard output and standard error.
local function shell(command)
    local out, err, code = os.tmpname(), os.tmpname(), os.tmpname()
    os.execute(("{ %s; } >%s 2>%s </dev/null; echo $? >%s"):format(command, out, err, code))
    local result = { code = tonumber(support.read(code)), out = support.read(out), err = support.read(err) }
    for _, path in ipairs { out, err, code } do os.remove(path) end
    return result
end

local program

--- The path of the program; builds it where that is needed.
function host.program()
    if not program then
        local built = shell("ci/host " .. support.lua)
        if built.code ~= 0 then error("the host program cannot be built:\n" .. built.err) end
        program = built.out:match("[^\n]+")
    end
    return program
end

--- Runs the host program with the package paths of this state, and waits for its end.
-- @param timeout seconds after which it is killed
-- @param ... its arguments
-- @return a table: `code`, `out`, `err`
function host.run(timeout, ...)
    local words = {}
    for i = 1, select("#", ...) do words[i] = support.quoted((select(i, ...))) end
    return shell(("LUA_PATH=%s LUA_CPATH=%s timeout -k 5 %d %s %s %s"):format(
        support.quoted(package.path), support.quoted(package.cpath), timeout * support.slowness, support.wrapper, host.program(),
        table.concat(words, " ")
    ))
end

return host
