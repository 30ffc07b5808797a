-- wordcount.lua: counts the words of many files in a pool of lanes, with a progress bar.
--
--   $ lua examples/wordcount.lua -n 3 LICENSE
--         21      170       1077 LICENSE
--         21      170       1077 in 1 files
--         15 the
--          9 or
--          9 software

local HELP = [=[
usage: lua examples/wordcount.lua [-j LANES] [-n WORDS] PATH...

Counts the words (letters A to Z, lower case) of each PATH, a file, or all files in a directory and
below. Prints lines, words and bytes of each file, in the order of their names, the sums, and the
WORDS (default 10) that are most frequent. Shows a progress bar if standard error is a terminal.

  -j LANES     the number of lanes (default: that of the processors)
  -n WORDS     how many of the most frequent words to print
  -h, --help   print this and end

Running it from a clone, after `ci/build 5.4`:
  LUA_PATH="./lua/?.lua;;" LUA_CPATH="./target/lua/5.4/?.so;;" \
    lua5.4 examples/wordcount.lua docs spec
]=]

local function refuse(...)
    io.stderr:write("wordcount.lua: ", table.concat({ ... }), "\n")
    os.exit(2)
end

local function whole(name, text, least)
    local n = tonumber(text)
    if not n or n < least or n > 1000 or n % 1 ~= 0 then
        refuse("argument ", name, " needs a whole number from ", least, " to 1000", text and ", not '" .. text .. "'" or "")
    end
    return n
end

local workers, most_frequent, paths, i = nil, 10, {}, 1
while i <= #arg do
    local word = arg[i]
    if word == "-h" or word == "--help" then
        io.stdout:write(HELP)
        os.exit(0)
    elseif word == "-j" then
        i = i + 1
        workers = whole(word, arg[i], 1)
    elseif word == "-n" then
        i = i + 1
        most_frequent = whole(word, arg[i], 0)
    elseif word:find("^%-.") then
        refuse("unknown option '", word, "' (try --help)")
    else
        paths[#paths + 1] = word
    end
    i = i + 1
end
if not paths[1] then refuse("argument PATH is missing (try --help)") end

local loaded, lanes = pcall(require, "lanes")
if not loaded then refuse("cannot load lanes; --help shows how to say where it is\n", lanes) end
if lanes.configure then lanes.configure() end

--- The names of the files at and below `path`. Names from `find` end with a zero byte, because a
--- name can contain any other byte.
local function add_files(path, files)
    local has_lfs, lfs = pcall(require, "lfs")
    local function walk(name)
        local mode = lfs.symlinkattributes(name, "mode")
        if mode == "file" then
            files[#files + 1] = name
        elseif mode == "directory" then
            for entry in lfs.dir(name) do
                if entry ~= "." and entry ~= ".." then walk(name:gsub("/$", "") .. "/" .. entry) end
            end
        end
    end
    local file, problem = io.open(path, "rb")
    if file then
        file:close()
    elseif not (has_lfs and lfs.attributes(path, "mode") == "directory") then -- which Windows does not open
        refuse("argument PATH: ", problem)
    end
    if has_lfs then return walk(path) end
    if package.config:sub(1, 1) ~= "/" then refuse("walking a directory needs the rock 'luafilesystem' here") end
    local word = path:gsub("^%-", "./-"):gsub("'", "'\\''")
    local pipe = io.popen("find '" .. word .. "' -type f -print0")
    local names = pipe:read("*a")
    pipe:close()
    local from = 1
    while from <= #names do
        local stop = names:find("\0", from, true)
        files[#files + 1] = names:sub(from, stop - 1)
        from = stop + 1
    end
end

--- Runs in the workers: returns the counts of one file, and the number of occurrences of each word.
local function count(path)
    local file, problem = io.open(path, "rb")
    local text = file and file:read("*a")
    if file then file:close() end
    if not text then error(problem or path .. ": cannot be read", 0) end
    local lines, words, frequency = select(2, text:gsub("\n", "")), 0, {}
    for word in text:lower():gmatch("[a-z]+") do
        words = words + 1
        frequency[word] = (frequency[word] or 0) + 1
    end
    return { lines = lines, words = words, bytes = #text, frequency = frequency }
end

local files = {}
for _, path in ipairs(paths) do add_files(path, files) end
table.sort(files)

local pool = lanes.pool { workers = workers, name = "counter" }
local sum, frequency, failed = { lines = 0, words = 0, bytes = 0 }, {}, false

local function show(result, name)
    io.stdout:write(("%8d %8d %10d %s\n"):format(result.lines, result.words, result.bytes, name))
end

local results = pool:map(count, files, { on_error = "return", progress = true })
for n, path in ipairs(files) do
    local result = results[n]
    if result then
        show(result, path)
        for field in pairs(sum) do sum[field] = sum[field] + result[field] end
        for word, times in pairs(result.frequency) do frequency[word] = (frequency[word] or 0) + times end
    else
        io.stderr:write("wordcount.lua: ", tostring(results.errors[n]), "\n")
        failed = true
    end
end
show(sum, "in " .. #files .. " files")

local words = {}
for word in pairs(frequency) do words[#words + 1] = word end
table.sort(words, function(a, b)
    if frequency[a] ~= frequency[b] then return frequency[a] > frequency[b] end
    return a < b
end)
for n = 1, math.min(most_frequent, #words) do io.stdout:write(("%8d %s\n"):format(frequency[words[n]], words[n])) end

pool:close()
io.stdout:flush()
os.exit(failed and 1 or 0, true)
