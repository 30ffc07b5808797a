-- A lane with an event loop that serves TCP connections with LuaSocket; other lanes are its
-- clients.
-- usage: socket_lane.lua COUNT. Prints the numbers of echoed lines and of clients.
local lanes = require "lanes".configure()

local count = tonumber((...))
local clients = 3

local linda = lanes.linda "sockets"

-- Echoes every line that it receives, in upper case, until it is asked to end.
local function serve()
    local socket = require "socket"
    local listener = assert(socket.bind("127.0.0.1", 0))
    listener:settimeout(0)
    local _, port = listener:getsockname()
    linda:set("port", tonumber(port))
    local open, lines, accepted = { listener }, 0, 0
    while not cancel_test() do
        for _, ready in ipairs((socket.select(open, nil, 0.01))) do
            if ready == listener then
                local connection = listener:accept()
                if connection then
                    connection:setoption("tcp-nodelay", true)
                    open[#open + 1] = connection
                    accepted = accepted + 1
                end
            else
                local line, problem = ready:receive("*l")
                if line then
                    assert(ready:send(line:upper() .. "\n"))
                    lines = lines + 1
                elseif problem == "closed" then
                    ready:close()
                    for i = #open, 1, -1 do
                        if open[i] == ready then table.remove(open, i) end
                    end
                end
            end
        end
    end
    listener:close()
    return lines, accepted
end

local function be_client(id)
    local socket = require "socket"
    local _, port = linda:receive("port of client " .. id)
    local connection = assert(socket.connect("127.0.0.1", port))
    connection:setoption("tcp-nodelay", true)
    for number = 1, count do
        assert(connection:send(("client %d line %d\n"):format(id, number)))
        local answer = assert(connection:receive("*l"))
        if answer ~= ("CLIENT %d LINE %d"):format(id, number) then error("wrong answer: " .. answer) end
    end
    connection:close()
    return count
end

local server = lanes.gen("*", serve)()
local running = {}
for id = 1, clients do running[id] = lanes.gen("*", be_client)(id) end
local _, port = linda:receive("port")
for id = 1, clients do linda:send("port of client " .. id, port) end

local echoed = 0
for _, lane in ipairs(running) do echoed = echoed + lane[1] end
server:cancel("soft", 60)
local lines, accepted = server:join()
print(("%d lines echoed, %d served to %d clients"):format(echoed, lines, accepted))
