-- pipeline.lua: counts words with a reader lane, several counter lanes and a log-writer lane.
-- The slot between reader and counters has a limit, so a fast reader does not fill the memory. The lanes
-- belong to a scope: if one fails, the others end, and the program ends with its error.
--
--   $ lua examples/pipeline.lua -n 4 LICENSE
--         15 the
--          9 or
--          9 software
--          8 of

local HELP = [[
usage: lua examples/pipeline.lua [OPTION...] FILE...

Prints the most frequent words of the FILEs with how often each occurs.

  -j N, --lanes N   count with N lanes (default 2)
  -n N, --top N     print N words (default 10)
  --log LOGFILE     write the log there (default: no log)
  -h, --help        print this and end

Running it from a clone, after `ci/build 5.4`:
  LUA_PATH="./lua/?.lua;;" LUA_CPATH="./target/lua/5.4/?.so;;" \
    lua5.4 examples/pipeline.lua --log /dev/stderr docs/*.md
]]

local function refuse(...)
    io.stderr:write("pipeline.lua: ", table.concat({ ... }), "\n")
    os.exit(2)
end

local function whole(name, text)
    local n = tonumber(text)
    if not n or n < 1 or n > 1000 or n % 1 ~= 0 then
        refuse("argument ", name, " needs a whole number from 1 to 1000", text and ", not '" .. text .. "'" or "")
    end
    return n
end

local function read_arguments(arguments)
    local options, i = { lanes = 2, top = 10, files = {} }, 1
    while i <= #arguments do
        local word, value = arguments[i], arguments[i + 1]
        if word == "-h" or word == "--help" then
            io.stdout:write(HELP)
            os.exit(0)
        elseif word == "-j" or word == "--lanes" then
            options.lanes, i = whole(word, value), i + 1
        elseif word == "-n" or word == "--top" then
            options.top, i = whole(word, value), i + 1
        elseif word == "--log" then
            options.log, i = value or refuse("argument --log needs the name of a file"), i + 1
        elseif word:find("^%-.") then
            refuse("unknown option '", word, "' (try --help)")
        else
            local file, problem = io.open(word, "rb")
            if not file then refuse("argument FILE: ", problem) end
            file:close()
            options.files[#options.files + 1] = word
        end
        i = i + 1
    end
    if not options.files[1] then refuse("argument FILE is missing (try --help)") end
    if options.log then
        local file, problem = io.open(options.log, "w")
        if not file then refuse("argument --log: ", problem) end
        file:close()
    end
    return options
end

local options = read_arguments(arg)

local loaded, lanes = pcall(require, "lanes")
if not loaded then refuse("cannot load lanes; --help shows how to say where it is\n", lanes) end
lanes.configure()

-- The lanes ---------------------------------------------------------------------------------------

local pipe = lanes.linda("pipe")
pipe:limit("text", 4 * options.lanes)

--- Logs a line, from any lane. It does not wait for the file: the log writer writes it.
local function log(...)
    pipe:send("log", table.concat({ ... }, " "))
end

--- Writes log lines until it receives false, so all lines that were logged before are written.
local function log_writer(path)
    local file = path and assert(io.open(path, "a"))
    while true do
        local slot, line = pipe:receive("log")
        if slot ~= "log" or not line then break end
        if file then file:write(os.date("%H:%M:%S "), line, "\n") end
    end
    if file then file:close() end
end

--- Sends the files in pieces of whole lines, then one false for each counter.
local function reader(paths, counters)
    for _, path in ipairs(paths) do
        local file = assert(io.open(path, "rb"))
        local pieces = 0
        while true do
            local text, rest, code = file:read(64 * 1024, "*l")
            if code then error(path .. ": " .. rest, 0) end
            if not text then break end
            if pipe:send("text", text .. (rest or "")) ~= true then return end -- another lane has failed
            pieces = pieces + 1
        end
        file:close()
        log("read", path, "in", pieces, "pieces")
    end
    for _ = 1, counters do pipe:send("text", false) end
end

--- Counts words until it receives false. Returns a table from word to count.
local function counter(name)
    local counts, pieces = {}, 0
    while true do
        local slot, text = pipe:receive("text")
        if slot ~= "text" or not text then break end
        pieces = pieces + 1
        for word in text:gmatch("%a+") do
            local key = word:lower()
            counts[key] = (counts[key] or 0) + 1
        end
    end
    log(name, "counted", pieces, "pieces")
    return counts
end

-- The results -------------------------------------------------------------------------------------

local words, totals = {}, {}

local fine, err = pcall(lanes.scope, function(scope)
    scope:run(lanes.gen("*", log_writer), options.log)
    scope:run(lanes.gen("*", reader), options.files, options.lanes)
    local counters = {}
    for i = 1, options.lanes do counters[i] = scope:run(lanes.gen("*", counter), "counter " .. i) end
    for _, lane in ipairs(counters) do
        for word, count in pairs(lane[1] or {}) do
            if not totals[word] then words[#words + 1] = word end
            totals[word] = (totals[word] or 0) + count
        end
    end
    pipe:send("log", false) -- after all lines of the counters
end)
if not fine then refuse(tostring(err)) end

table.sort(words, function(a, b)
    if totals[a] ~= totals[b] then return totals[a] > totals[b] end
    return a < b
end)
for i = 1, math.min(options.top, #words) do print(("%8d %s"):format(totals[words[i]], words[i])) end
