-- The system calls of the specs: files, directories, processes, and information about them.
-- Programs are run by tests/run/run.c on Windows, elsewhere by the shell.
local machine = {}

--- Whether this is Windows.
machine.windows = package.config:sub(1, 1) == "\\"

--- The command that runs programs, from LANES_SPEC_WRAPPER: shell words, such as a call of
--- valgrind.
machine.wrapper = os.getenv "LANES_SPEC_WRAPPER" or ""

--- Whether an emulator runs the programs: limits of a program then limit the emulator.
machine.emulated = machine.wrapper:find("qemu", 1, true) ~= nil

--- The factor by which time limits are longer in this case.
machine.slowness = machine.wrapper ~= "" and 20 or machine.windows and 5 or 1

--- Whether a file can be read.
function machine.is_readable(path)
    local file = io.open(path)
    if file then file:close() end
    return file ~= nil
end

--- Whether the system has information about processes in /proc, like Linux.
machine.tells = not machine.windows and machine.is_readable "/proc/thread-self/stat"

--- Whether the C library is musl.
function machine.is_musl()
    return require "lanes_core".build.target:find("-musl", 1, true) ~= nil
end

--- The number of bits of an address, 32 or 64. (With 32 bits, the marker is truncated.)
function machine.address_bits()
    return require "lanes_core".build.target:find "^i%d86%-" and 32 or 64
end

--- Quotes a word for the shell.
function machine.quoted(word)
    return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

--- Returns the contents of a file. Raises an error if it cannot be read.
function machine.read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end

--- Writes a file. Raises an error if it cannot be written.
function machine.write(path, text)
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
end

local names = 0

--- Makes a new, empty file. Returns its path.
function machine.temporary()
    if not machine.windows then return os.tmpname() end
    -- The C library would use the root directory; the name contains the process number.
    -- The address of a table is different in each state.
    local directory, process = os.getenv "TEMP":gsub("\\", "/"), os.tmpname():match "[^/\\]*$"
    names = names + 1
    local path = ("%s/lanes-%s-%s-%d"):format(directory, process, tostring(machine):match "%x+$", names)
    assert(not machine.is_readable(path), path)
    machine.write(path, "")
    return path
end

--- Makes a directory.
function machine.make_directory(path)
    assert(require "lfs".mkdir(path))
end

--- Deletes a directory with its contents.
function machine.remove_directory(path)
    local lfs = require "lfs"
    for name in lfs.dir(path) do
        if name ~= "." and name ~= ".." then
            local inner = path .. "/" .. name
            if lfs.symlinkattributes(inner, "mode") == "directory" then
                machine.remove_directory(inner)
            else
                os.remove(inner)
            end
        end
    end
    lfs.rmdir(path)
end

--- Returns the names of the files in a directory, sorted.
function machine.names(path)
    local list = {}
    for name in require "lfs".dir(path) do list[#list + 1] = name end
    table.sort(list)
    return list
end

--- The directory in which this process runs.
function machine.here()
    return (require "lfs".currentdir():gsub("\\", "/"))
end

--- The number of processors, at most.
function machine.processors()
    local count = tonumber(os.getenv "NUMBER_OF_PROCESSORS")
    if count then return count end
    count = 0
    for line in io.lines "/proc/cpuinfo" do
        if line:find "^processor" then count = count + 1 end
    end
    return count
end

--- A number from /proc/self/status, such as "VmRSS" (KiB) or "Threads"; nil if there is none.
function machine.status(field)
    local file = io.open "/proc/self/status"
    if not file then return nil end
    local value = tonumber(file:read "*a":match("%f[%w]" .. field .. ":%s*(%d+)"))
    file:close()
    return value
end

--- The path of a program that is built together with the library; on Windows also "run".
function machine.helper(name)
    local path = require "native".path "lanes_core":match "^.*[/\\]" .. name
    if not path:find "^/" then path = machine.here() .. "/" .. path:gsub("^%./", "") end
    return path .. (machine.windows and ".exe" or "")
end

--- A shell command that waits for this many seconds, or without them until this process has ended.
function machine.endless(seconds)
    if not machine.windows then
        if seconds then return "sleep " .. seconds end
        -- A shell that starts after its end cannot get its number.
        return ("while kill -0 %d 2>/dev/null; do sleep 0.1; done"):format(io.open("/proc/self/stat"):read("*n"))
    end
    local run = machine.helper "run":gsub("/", "\\")
    return ('"%s" sleep %d'):format(run, seconds or 1000)
end

--- Returns a function that sends Ctrl-C to this process ("INT"), or ends it ("TERM", not on
--- Windows). The signal arrives at once or a little later. To be called before there are lanes:
--- starting a shell may wait for what other threads read, and may fail while they close a pipe.
--- On Windows the function returns a file; closing it waits until the signal is sent.
function machine.signaller()
    if machine.windows then
        return function(name)
            assert(name == "INT")
            for _ = 1, 10 do
                local file = io.popen('"' .. machine.helper "run":gsub("/", "\\") .. '" interrupt')
                if (file:read "*l" or ""):find "^soon" then return file end
                -- A busy Wine has not started it.
                file:close()
            end
            error "no program can be started that sends Ctrl-C"
        end
    end
    -- The shell's parent is this process.
    local shell = io.popen("while read name; do kill -$name $PPID; done", "w")
    return function(name)
        shell:write(name, "\n")
        shell:flush()
    end
end

local function on_windows(words, options)
    local request, out, err, code = machine.temporary(), machine.temporary(), machine.temporary(), machine.temporary()
    local lines = { "out=" .. out, "err=" .. err, "code=" .. code, "limit=" .. options.limit * machine.slowness }
    local function add(name, text)
        lines[#lines + 1] = name .. "=" .. text:gsub("[%%\r\n]", function(c) return ("%%%02X"):format(c:byte()) end)
    end
    for _, word in ipairs(words) do add("arg", tostring(word)) end
    for name, value in pairs(options.environment or {}) do
        if value then add("set", name .. "=" .. value) else add("unset", name) end
    end
    if options.directory then add("directory", options.directory) end
    assert(not options.limits, "there is no ulimit here")
    machine.write(request, table.concat(lines, "\n") .. "\n")
    -- A busy Wine does not start each program that it is asked to; nothing has run then, and the file of the code is empty.
    local attempts = 0
    repeat
        attempts = attempts + 1
        os.execute('""' .. machine.helper "run":gsub("/", "\\") .. '" "' .. request .. '""')
    until machine.read(code) ~= "" or attempts == 10
    local result = { code = tonumber((machine.read(code))), err = machine.read(err), out = machine.read(out) }
    for _, path in ipairs { request, out, err, code } do os.remove(path) end
    -- In text mode, the C library writes both.
    result.out, result.err = result.out:gsub("\r\n", "\n"), result.err:gsub("\r\n", "\n")
    return result
end

local function by_shell(words, options)
    local out, err, code, mark = os.tmpname(), os.tmpname(), os.tmpname(), os.tmpname()
    local lines, quoted = {}, { options.wrapper and machine.wrapper or "" }
    for _, word in ipairs(words) do quoted[#quoted + 1] = machine.quoted(word) end
    for name, value in pairs(options.environment or {}) do
        lines[#lines + 1] = value and ("export %s=%s"):format(name, machine.quoted(value)) or "unset " .. name
    end
    if options.limits then lines[#lines + 1] = "ulimit " .. options.limits end
    -- Most commands have ended before they need to be watched.
    local watch = machine.quoted(machine.here() .. "/spec/watch")
    lines[#lines + 1] = ("(sleep 1; exec %s %d $$ %s) </dev/null >/dev/null 2>&1 &"):format(watch, options.limit * machine.slowness, mark)
    if options.directory then lines[#lines + 1] = "cd " .. machine.quoted(options.directory) end
    lines[#lines + 1] = ("%s >%s 2>%s </dev/null"):format(table.concat(quoted, " "), out, err)
    lines[#lines + 1] = "echo $? >" .. code
    lines[#lines + 1] = "kill $!"
    os.execute(table.concat(lines, "\n"))
    local result = { code = tonumber((machine.read(code))), out = machine.read(out), err = machine.read(err) }
    if machine.read(mark) ~= "" then result.code = 124 end
    for _, path in ipairs { out, err, code, mark } do os.remove(path) end
    return result
end

--- Runs a program with a limit and waits for its end.
-- @param words the program and its arguments
-- @param options a table: `limit`, seconds, not counting the wait for a processor (spec/watch
--   counts them; on Windows it is elapsed time, and longer); a program that takes longer is ended,
--   and its code is then 124. `environment`, variables: a string, or false to unset it.
--   `directory`, where it runs. `limits`, arguments of the shell's `ulimit`. `wrapper`, whether
--   LANES_SPEC_WRAPPER runs it
-- @return a table: `code`, the exit code (128 + n if signal n ended it); `out` and `err`, its
--   output
function machine.run(words, options)
    return (machine.windows and on_windows or by_shell)(words, options)
end

return machine
