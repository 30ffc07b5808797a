-- Runs programs that know nothing of lanes, each in a lane of its own, all at once:
--     in_lanes.lua FILE [ARGUMENT...] [--next FILE [ARGUMENT...]]...
-- Prints for each program how it ended and what it has printed, between the bytes 1 and 2.
local lanes = require "lanes".configure()

-- What is the process's in a program of its own is the lane's here: arg, print, io.write, os.exit.
local run = lanes.gen("*", function(words)
    local unpack = table.unpack or unpack -- luacheck: ignore
    local written, ending = {}, {}
    local function write(...)
        for i = 1, select("#", ...) do written[#written + 1] = tostring((select(i, ...))) end
    end
    function io.write(...) -- luacheck: ignore
        write(...)
        return io.stdout
    end
    function print(...) -- luacheck: ignore
        for i = 1, select("#", ...) do write(i > 1 and "\t" or "", (select(i, ...))) end
        write "\n"
    end
    function os.exit(code) -- luacheck: ignore
        ending.status = code == true and 0 or code == false and 1 or code or 0
        error(ending)
    end
    arg = words -- luacheck: ignore
    local program = assert(loadfile(words[0]))
    local ok, err = xpcall(function() program(unpack(words)) end, function(e)
        return e == ending and e or debug.traceback(tostring(e), 2)
    end)
    if not ok and err ~= ending then
        ending.status = "error"
        write(err, "\n")
    end
    return tostring(ending.status or 0), table.concat(written)
end)

local running, words = {}, nil
for _, word in ipairs(arg) do
    if not words or word == "--next" then
        words = word == "--next" and { n = -1 } or { [0] = word, n = 0 }
        running[#running + 1] = words
    else
        words.n = words.n + 1
        words[words.n] = word
    end
end
for i, program in ipairs(running) do
    program.n = nil
    running[i] = run(program)
end
for _, lane in ipairs(running) do io.write("\1", lane[1], "\n", lane[2], "\2") end
