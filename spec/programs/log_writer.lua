-- An asynchronous log: workers send lines, one lane writes them to a file and is cancelled at the
-- end. Every lane's state is prepared by on_state_create, a Lua function or a C function.
-- usage: log_writer.lua COUNT lua|c. Prints the number of lines in the file and whether they are in
-- order.
local count, kind = tonumber((...)), select(2, ...)

-- The C function that opens LuaFileSystem and sets the global lfs.
local function c_initialiser()
    for template in package.cpath:gmatch "[^;]+" do
        local open = package.loadlib(template:gsub("%?", "lfs"), "luaopen_lfs")
        if open then return open end
    end
    error "LuaFileSystem is not installed"
end

-- Sets a global function that formats a line.
local function lua_initialiser()
    function format_line(worker, number) -- luacheck: globals format_line
        return ("worker %d line %d"):format(worker, number)
    end
end

local lanes = require "lanes".configure {
    on_state_create = kind == "c" and c_initialiser() or lua_initialiser,
}

local workers = 4
local path = require "machine".temporary()
local log = lanes.linda "log"

local function write_log()
    local file = assert(io.open(path, "w"))
    set_finalizer(function()
        local left = log:count("lines") or 0
        if left > 0 then
            local lines = { log:get("lines", left) }
            file:write(table.concat(lines, "\n"), "\n")
            log:set("lines")
        end
        file:close()
    end)
    while true do
        local lines = { log:receive(log.batched, "lines", 1, 50) }
        file:write(table.concat(lines, "\n", 2), "\n")
    end
end

local function work(worker)
    -- luacheck: globals format_line lfs
    local make_line = format_line
    if kind == "c" then
        if lfs.attributes(".", "mode") ~= "directory" then error "on_state_create had no effect" end
        make_line = function(number_of_worker, number)
            return "worker " .. number_of_worker .. " line " .. number
        end
    end
    for number = 1, count do log:send("lines", make_line(worker, number)) end
    return "done"
end

log:limit("lines", 1000)
local writer = lanes.gen("*", write_log)()
local running = {}
for i = 1, workers do running[i] = lanes.gen("*", work)(i) end
for _, lane in ipairs(running) do
    if lane[1] ~= "done" then error "a worker did not end" end
end
local ended, status = writer:cancel("hard", 60)
if not ended or status ~= "cancelled" then error("the writer did not end: " .. tostring(status)) end

local next_number, lines, ordered = {}, 0, true
for line in io.lines(path) do
    local worker, number = line:match("^worker (%d+) line (%d+)$")
    lines = lines + 1
    ordered = ordered and tonumber(number) == (next_number[worker] or 1)
    next_number[worker] = tonumber(number) + 1
end
os.remove(path)
print(("%d lines, %s"):format(lines, ordered and "in order" or "out of order"))
