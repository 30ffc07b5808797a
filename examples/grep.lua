-- grep.lua: searches files with several lanes; one linda distributes paths, one returns matches.
--
--   $ lua examples/grep.lua --once Software LICENSE
--   LICENSE:6:of this software and associated documentation files (the "Software"), to deal
--   LICENSE:7:in the Software without restriction, including without limitation the rights
--   LICENSE:9:copies of the Software, and to permit persons to whom the Software is
--   LICENSE:13:copies or substantial portions of the Software.

local HELP = [[
usage: lua examples/grep.lua [OPTION...] PATTERN PATH...

Searches the files at and below each PATH for lines that match PATTERN, a Lua
pattern, and prints them as PATH:LINE:TEXT in the order of path and line.

  -j N, --lanes N   search with N lanes (default: one for each CPU)
  -F, --fixed       PATTERN is plain text
  --once            do not search again to measure the speed-up over one lane
  -h, --help        print this and end

Progress (on a terminal only) and the speed-up go to standard error.
Exit code: 0 when something matched, 1 when nothing did, 2 on an error.

Running it from a clone, after `ci/build 5.4`:
  LUA_PATH="./lua/?.lua;;" LUA_CPATH="./target/lua/5.4/?.so;;" \
    lua5.4 examples/grep.lua 'local%s+function' lua spec
]]

local function refuse(...)
    io.stderr:write("grep.lua: ", table.concat({ ... }), "\n")
    os.exit(2)
end

--- The output of a command, or nil if there is none.
local function output_of(command)
    local pipe = io.popen(command)
    local text = pipe and pipe:read("*a")
    if pipe then pipe:close() end
    return text ~= "" and text or nil
end

local IS_UNIX = package.config:sub(1, 1) == "/"

local function cpu_count()
    return IS_UNIX and tonumber(output_of("getconf _NPROCESSORS_ONLN 2>/dev/null")) or 2
end

local function lane_count(name, text)
    local n = tonumber(text)
    if not n or n < 1 or n > 1000 or n % 1 ~= 0 then
        refuse("argument ", name, " needs a whole number from 1 to 1000", text and ", not '" .. text .. "'" or "")
    end
    return n
end

--- Returns the checked options and operands of the command line.
local function read_arguments(arguments)
    local options, operands, i = { compare = true }, {}, 1
    while i <= #arguments do
        local word = arguments[i]
        if word == "-h" or word == "--help" then
            io.stdout:write(HELP)
            os.exit(0)
        elseif word == "-F" or word == "--fixed" then
            options.fixed = true
        elseif word == "--once" then
            options.compare = false
        elseif word == "-j" or word == "--lanes" then
            i = i + 1
            options.lanes = lane_count(word, arguments[i])
        elseif word:find("^%-j%d") then
            options.lanes = lane_count("-j", word:sub(3))
        elseif word == "--" then
            for k = i + 1, #arguments do operands[#operands + 1] = arguments[k] end
            break
        elseif word:find("^%-.") then
            refuse("unknown option '", word, "' (try --help)")
        else
            operands[#operands + 1] = word
        end
        i = i + 1
    end
    options.pattern = table.remove(operands, 1) or refuse("argument PATTERN is missing (try --help)")
    options.paths = operands
    if not operands[1] then refuse("argument PATH is missing (try --help)") end
    if not options.fixed then
        local ok, problem = pcall(string.find, "", options.pattern)
        if not ok then refuse("argument PATTERN: ", problem) end
    end
    options.lanes = options.lanes or cpu_count()
    return options
end

local options = read_arguments(arg)

local loaded, lanes = pcall(require, "lanes")
if not loaded then refuse("cannot load lanes; --help shows how to say where it is\n", lanes) end
lanes.configure()

-- Walking the tree --------------------------------------------------------------------------------

--- Adds the files at and below `path` to `files`, using luafilesystem.
local function walk_with_lfs(lfs, path, files)
    local mode = lfs.symlinkattributes(path, "mode")
    if mode == "file" then
        files[#files + 1] = path
    elseif mode == "directory" then
        for name in lfs.dir(path) do
            if name ~= "." and name ~= ".." then walk_with_lfs(lfs, path:gsub("/$", "") .. "/" .. name, files) end
        end
    end
end

--- The same, using the command `find`. Names end with a zero byte, because a name can contain any
--- other byte.
local function walk_with_find(path, files)
    local word = path:gsub("^%-", "./-"):gsub("'", "'\\''")
    local names = output_of("find '" .. word .. "' -type f -print0") or ""
    local from = 1
    while from <= #names do
        local stop = names:find("\0", from, true)
        files[#files + 1] = names:sub(from, stop - 1)
        from = stop + 1
    end
end

local function files_below(paths)
    local has_lfs, lfs = pcall(require, "lfs")
    if not has_lfs and not IS_UNIX then refuse("walking a directory needs the rock 'luafilesystem' here") end
    local files = {}
    for _, path in ipairs(paths) do
        local file, problem = io.open(path, "rb")
        if file then
            file:close()
        elseif not (has_lfs and lfs.attributes(path, "mode") == "directory") then -- which Windows does not open
            refuse("argument PATH: ", problem)
        end
        if has_lfs then walk_with_lfs(lfs, path, files) else walk_with_find(path, files) end
    end
    table.sort(files)
    return files
end

-- Searching ---------------------------------------------------------------------------------------

--- The body of a worker lane. Takes jobs {index, path} from `work` until it gets false, and sends
--- one result {index, lines | problem} to `found` for each.
-- luacheck: globals set_finalizer
local function worker(work, found, pattern, fixed)
    -- If this lane fails, the receiver of the results must be told, or it would wait for ever.
    set_finalizer(function(err)
        if err then found:send("result", { failure = tostring(err) }) end
    end)

    local function matching_lines(text)
        local lines, number, from = {}, 0, 1
        while from <= #text do
            local stop = text:find("\n", from, true) or #text + 1
            local line = text:sub(from, stop - 1)
            number = number + 1
            if line:find(pattern, 1, fixed) then lines[#lines + 1] = number .. ":" .. line end
            from = stop + 1
        end
        return lines
    end

    while true do
        local _, job = work:receive("job")
        if not job then return end
        local result = { index = job.index }
        local file, problem = io.open(job.path, "rb")
        local text = file and file:read("*a")
        if file then file:close() end
        if not text then
            result.problem = problem or "cannot be read"
        elseif text:sub(1, 1024):find("\0", 1, true) then
            result.lines = {} -- a binary file
        else
            result.lines = matching_lines(text)
        end
        found:send("result", result)
    end
end

--- Searches all files with `count` lanes. Calls `take(result)` for each file, in the order of
--- `files`. Returns the time taken in seconds.
local function search(files, count, take)
    local work, found = lanes.linda("work"), lanes.linda("found")
    local start = lanes.gen("*", worker)
    local begun = lanes.now_secs()
    local workers = {}
    for i = 1, count do workers[i] = start(work, found, options.pattern, options.fixed) end
    for index, path in ipairs(files) do work:send("job", { index = index, path = path }) end
    for _ = 1, count do work:send("job", false) end

    local early, next_index = {}, 1 -- results that arrived out of order
    for _ = 1, #files do
        local _, result = found:receive("result")
        if result.failure then refuse("argument PATTERN: ", result.failure) end
        early[result.index] = result
        while early[next_index] do
            take(early[next_index])
            early[next_index] = nil
            next_index = next_index + 1
        end
    end
    for i = 1, count do workers[i]:join() end
    return lanes.now_secs() - begun
end

-- Showing -----------------------------------------------------------------------------------------

local function stderr_is_a_terminal()
    if not IS_UNIX then return false end
    local status = os.execute("test -t 2")
    return status == true or status == 0 -- Lua 5.1 gives the exit code
end

--- Returns two functions: show(done, total) prints a line, at most ten times a second; hide()
--- removes the line if there is one.
local function progress_line()
    if not stderr_is_a_terminal() then return function() end, function() end end
    local shown_at, visible = 0, false
    local function hide()
        if visible then io.stderr:write("\r\27[K") end
        visible = false
    end
    local function show(done, total)
        local now = lanes.now_secs()
        if now - shown_at < 0.1 then return end
        io.stderr:write(("\r\27[K%d of %d files"):format(done, total))
        shown_at, visible = now, true
    end
    return show, hide
end

local files = files_below(options.paths)
local show, hide = progress_line()
local matches = 0

search(files, options.lanes, function(result)
    local path = files[result.index]
    if result.problem then
        hide()
        io.stderr:write("grep.lua: ", path, ": ", result.problem, "\n")
    elseif result.lines[1] then
        hide()
        for _, line in ipairs(result.lines) do io.stdout:write(path, ":", line, "\n") end
        matches = matches + #result.lines
    end
    show(result.index, #files)
end)
hide()
io.stdout:flush()

if options.compare and files[1] then
    -- Both runs read from the system's file cache, which the first search has filled.
    local function measure(count)
        local seconds = search(files, count, function(result) show(result.index, #files) end)
        hide()
        return seconds
    end
    local one = measure(1)
    local many = options.lanes == 1 and one or measure(options.lanes)
    io.stderr:write(("%d matches in %d files; %.3f s with 1 lane, %.3f s with %d: %.2f times as fast\n")
        :format(matches, #files, one, many, options.lanes, one / many))
end
os.exit(matches > 0 and 0 or 1, true)
