-- Functions that all specs use: running a program in a new interpreter, waiting for a condition, checking errors and their positions.

local machine = require "machine"

local support = {}

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

--- "luajit", or the Lua version: "5.1" ... "5.5".
support.lua = rawget(_G, "jit") and "luajit" or _VERSION:match("%d+%.%d+")

--- Turns off Lua's own messages on standard error about errors in finalizers, in this state.
function support.without_warnings()
    local warn = rawget(_G, "warn")
    if warn then warn "@off" end
    if jit then pcall(jit.attach, function() end, "errfin") end
end

--- Seconds after which a test stops waiting and fails. It is long because other processes may need the processors; the limits of
-- programs started by `support.run` exclude the wait for a processor.
support.LIMIT = 120 * machine.slowness

--- Runs the calling spec file in a process of its own, by one test, unless it is in one: a process has
--- one interface. Returns whether the file is to do nothing more.
function support.apart(describe, it)
    local file = debug.getinfo(2, "S").source:gsub("^@", ""):gsub("^%./", "")
    local last = arg[#arg]
    if type(last) == "string" and last:gsub("^%./", "") == file then return false end
    local words, first = {}, 0
    while arg[first - 1] do first = first - 1 end
    for i = first, 0 do words[#words + 1] = "'" .. arg[i]:gsub("'", "'\\''") .. "'" end
    describe(file, function()
        it("passes in a process of its own", function()
            local pipe = assert(io.popen(table.concat(words, " ") .. " -o gtest " .. file .. " 2>&1; echo \"ended with $?\""))
            local out = pipe:read "*a"
            pipe:close()
            if not out:find "ended with 0\n$" then error(out, 0) end
        end)
    end)
    return true
end

--- Makes busted's functions usable in a spec whose lanes use globals. From Lua 5.2 on, a function refers to its globals through the upvalue
-- `_ENV`, and busted replaces that in every function it is given: a lane body would carry busted's environment. Such a spec begins with
--
--     local support = require "support"
--     local assert, describe, it, _ENV = support.plain(assert, describe, it)
--
-- busted then receives wrappers without the upvalue `_ENV`, so the spec's own `_ENV`, which is `_G`, stays unchanged.
-- @param ... busted's functions: describe, it, before_each ...; may include `assert`
-- @return their replacements, in the same order, and `_G`
function support.plain(...)
    local count, plain = select("#", ...), { ... }
    -- In a Lua with setfenv, environments are not upvalues and are not transferred.
    for i = 1, rawget(_G, "setfenv") and 0 or count do
        local block = plain[i]
        if type(block) == "function" then -- assert is a table
            plain[i] = function(name, body)
                if type(name) == "function" then return block(function() name() end) end -- before_each(function)
                return block(name, function() body() end)
            end
        end
    end
    plain[count + 1] = _G
    return unpack(plain, 1, count + 1)
end

--- Packs the results of a call, nils included.
-- @return a table with the values at 1..n and their number in `n`
function support.pack(...)
    return { n = select("#", ...), ... }
end

--- Asserts that the results of a call are these values.
-- @param expected a list, with its length in `n` if it has nils
-- @param found the results, as `support.pack` returns them
function support.same(expected, found)
    local luassert = require "luassert"
    luassert.are.equal(expected.n or #expected, found.n)
    for i = 1, found.n do
        luassert.are.equal(expected[i], found[i])
    end
end

--- The position of the calling line, as it stands before an error message: "file:line: ".
function support.here()
    local info = debug.getinfo(2, "Sl")
    return info.short_src .. ":" .. info.currentline .. ": "
end

--- Whether an error in a finalizer is raised by the collection that calls it. Lua 5.4, 5.5 and newer releases of LuaJIT turn it into a
-- warning.
support.finalizers_raise = (function()
    local newproxy = rawget(_G, "newproxy")
    local object = newproxy and newproxy(true) or setmetatable({}, { __gc = function() error("as a probe", 0) end })
    if newproxy then getmetatable(object).__gc = function() error("as a probe", 0) end end
    support.without_warnings()
    object = nil -- luacheck: ignore
    return not pcall(collectgarbage)
end)()

--- The error value of `error(nil)`: nil, or a text on 5.5.
support.no_error = select(2, pcall(error, nil))

--- Calls a function that must fail.
-- @param f the function, called with the remaining arguments
-- @return the error value
function support.error_of(f, ...)
    local ok, err = pcall(f, ...)
    if ok then error("expected an error, but the call succeeded", 2) end
    return err
end

local function contains(whole, part)
    return type(whole) == "string" and whole:find(part, 1, true) ~= nil
end

--- Asserts that a call fails with an error message that contains a text.
-- @param expected the text, taken literally
-- @param f the function, called with the remaining arguments
-- @return the whole message
function support.raises(expected, f, ...)
    local ok, err = pcall(f, ...)
    if ok then error(("expected an error with %q, but the call succeeded"):format(expected), 2) end
    if not contains(err, expected) then
        error(("expected an error with %q, got: %s"):format(expected, tostring(err)), 2)
    end
    return err
end

--- Asserts that a string contains a text, taken literally.
-- @param expected the text, taken literally
-- @param actual the string
function support.contains(expected, actual)
    if not contains(actual, expected) then
        error(("expected a string with %q, got: %s"):format(expected, tostring(actual)), 2)
    end
end

--- Asserts that a program's standard error consists of the interpreter's report of an error with its traceback.
-- @param message a pattern for the error message, or for its part after the position
-- @param err what the program wrote to standard error
function support.reports(message, err)
    local rest, found = err:gsub("^%S+: %S* ?" .. message .. "\nstack traceback:\n", "")
    if found == 0 then error(("expected a report of %q, got: %s"):format(message, err), 2) end
    repeat
        local lines
        rest, lines = rest:gsub("^\t[^\n]*\n", "")
    until lines == 0
    if rest ~= "" then error("there is more than a report on standard error: " .. rest, 2) end
end

--- Waits until a condition holds; fails if it does not. The condition is called a fixed number of times, about once a millisecond: on a
-- busy machine both these calls and what they wait for take longer.
-- @param condition a function, called until it returns a true value
-- @param description text for the failure message: what the condition is
-- @return the result of the condition
function support.until_true(condition, description)
    local lanes = require "lanes"
    for _ = 1, support.LIMIT * 1000 do
        local result = condition()
        if result then return result end
        lanes.sleep(0.001)
    end
    error("this never became true: " .. (description or "the condition"), 2)
end

--- Collects all garbage, including objects released by finalizers. LuaJIT's compiled loops keep the functions that they called and their
-- upvalues: an object for which a loop has waited long enough is kept until the compiled code is flushed.
function support.collect()
    if jit then jit.flush() end
    for _ = 1, 4 do collectgarbage() end
end

--- Waits until a lane has a status.
function support.until_status(handle, status)
    support.until_true(function() return handle.status == status end, "status '" .. status .. "'")
end

--- Waits until the lane that has given itself this name sleeps in a call of Lanes; returns its entry of `lanes.waiting()`.
function support.until_sleeping(name)
    local lanes = require "lanes"
    return support.until_true(function()
        for _, entry in ipairs(lanes.waiting()) do
            if entry.name == ("lane %q"):format(name) then return entry end
        end
    end, name .. " sleeps")
end

--- Whether the main thread of this process sleeps, as it does while the specs wait. Lanes may call this. If the system has no such
-- information, or an emulator makes it up, returns true after a moment.
function support.main_sleeps()
    if not machine.tells or machine.emulated then
        require "lanes".sleep(0.05)
        return true
    end
    local file = assert(io.open "/proc/self/stat")
    local state = file:read("*a"):match("%) (%a)[^)]*$")
    file:close()
    return state == "S"
end

--- The command that starts this interpreter: the word with the lowest index in `arg`.
function support.interpreter()
    local arguments = rawget(_G, "arg") or {}
    local i = 0
    while arguments[i - 1] do i = i - 1 end
    if i < 0 then return arguments[i] end
    return support.lua == "luajit" and "luajit" or "lua" .. support.lua
end

support.read, support.write = machine.read, machine.write

--- Makes a new directory with files.
-- @param files table from file name (no subdirectories) to contents
-- @return its path; `support.remove_directory` deletes it
function support.directory(files)
    local path = machine.temporary()
    os.remove(path)
    machine.make_directory(path)
    for name, text in pairs(files or {}) do support.write(path .. "/" .. name, text) end
    return path
end

support.remove_directory = machine.remove_directory

--- Environment variables that give another interpreter the package paths of this one.
-- @return a table, as for the option `environment` of `machine.run`
function support.environment()
    local environment = { LUA_PATH = package.path, LUA_CPATH = package.cpath, LUA_INIT = false }
    for minor = 2, 5 do
        for _, name in ipairs { "LUA_INIT", "LUA_PATH", "LUA_CPATH" } do environment[name .. "_5_" .. minor] = false end
    end
    return environment
end

--- Runs a program in a new interpreter of the same kind with the same package paths, and waits for its end.
-- @param program the program's text
-- @param options nil or a table: `arguments`, a list of strings; `timeout`, seconds after which it counts as hanging, as
--   for `machine.run` (default 150; its code is then 124); `environment`, more variables; `limits`, as for `machine.run`
-- @return a table: `code`, the exit code (128 + n if signal n ended it); `out` and `err`, its output;
--   `file`, the path of the program
function support.run(program, options)
    options = options or {}
    local file = machine.temporary()
    support.write(file, program)
    local words = { support.interpreter(), file }
    for _, argument in ipairs(options.arguments or {}) do words[#words + 1] = argument end
    local environment = support.environment()
    for name, value in pairs(options.environment or {}) do environment[name] = value end
    local result = machine.run(words, {
        limit = options.timeout or 150, environment = environment, limits = options.limits, wrapper = true,
    })
    result.file = file
    os.remove(file)
    return result
end

--- Runs a program as `support.run` does; fails unless it exits with code 0 and writes nothing to standard error.
-- @param options as for `support.run`; `warning`, the text of a warning of Lua that is allowed any number of times
-- @return its standard output
function support.output(program, options)
    local result = support.run(program, options)
    local warning = options and options.warning
    if warning then
        local line = "Lua warning: " .. warning .. "\n"
        while result.err:sub(1, #line) == line do result.err = result.err:sub(#line + 1) end
    end
    if result.code ~= 0 or result.err ~= "" then
        error(("the program ended with code %d and this on standard error:\n%s"):format(result.code, result.err), 2)
    end
    return result.out
end

return support
