-- server.lua: an HTTP server on luv whose requests are computed in a pool of lanes and answered from the loop.
--
--   $ lua examples/server.lua -p 8080 &
--   listening on 127.0.0.1:8080
--   $ curl http://127.0.0.1:8080/primes/1000000
--   78498
--   $ curl http://127.0.0.1:8080/status
--   2 lanes, 0 busy, 0 waiting

local HELP = [=[
usage: lua examples/server.lua [-p PORT] [-j LANES] [-n REQUESTS]

Serves HTTP on 127.0.0.1 until Ctrl-C, or until REQUESTS have been answered. Needs the module luv.

  GET /primes/N   the number of primes up to N, counted in a lane of the pool
  GET /status     what the pool does, answered by the loop itself at once

  -p PORT       the port; 0 (default) lets the system choose
  -j LANES      the number of lanes (default: that of the processors)
  -n REQUESTS   how many requests to answer before the end
  -h, --help    print this and end

Prints "listening on 127.0.0.1:PORT" first. Running it from a clone, after `ci/build 5.4`:
  LUA_PATH="./lua/?.lua;;" LUA_CPATH="./target/lua/5.4/?.so;;" lua5.4 examples/server.lua -p 8080 &
  curl http://127.0.0.1:8080/primes/1000000
]=]

local function refuse(...)
    io.stderr:write("server.lua: ", table.concat({ ... }), "\n")
    os.exit(2)
end

local options, i = { ["-p"] = 0 }, 1
local LIMITS = { ["-p"] = { 0, 65535 }, ["-j"] = { 1, 1000 }, ["-n"] = { 1, 1000000000 } }
while i <= #arg do
    local word = arg[i]
    local limits = LIMITS[word]
    if word == "-h" or word == "--help" then
        io.stdout:write(HELP)
        os.exit(0)
    elseif limits then
        i = i + 1
        local n = tonumber(arg[i])
        if not n or n < limits[1] or n > limits[2] or n % 1 ~= 0 then
            local given = arg[i] and ", not '" .. arg[i] .. "'" or ""
            refuse("argument ", word, " needs a whole number from ", limits[1], " to ", limits[2], given)
        end
        options[word] = n
    else
        refuse("unexpected argument '", word, "' (try --help)")
    end
    i = i + 1
end

local loaded, lanes = pcall(require, "lanes")
if not loaded then refuse("cannot load lanes; --help shows how to say where it is\n", lanes) end
if lanes.configure then lanes.configure() end
local has_luv, uv = pcall(require, "luv")
if not has_luv then refuse("needs the module luv (the rock 'luv')") end

local async = lanes.async.luv(uv)
local pool = lanes.pool { workers = options["-j"], name = "server" }

--- Runs in the pool: the number of primes up to `n`, by the sieve of Eratosthenes.
local function count_primes(n)
    if n > 1e7 then error("that would take too long: at most 10000000", 0) end
    local composite, count = {}, 0
    for x = 2, n do
        if not composite[x] then
            count = count + 1
            for multiple = x * x, n, x do composite[multiple] = true end
        end
    end
    return count
end

--- Answers one request. Runs in a coroutine of the loop: while `async.call` waits, others go on.
local function answer(method, path)
    if method ~= "GET" then return 405, "only GET is served" end
    if path == "/status" then
        local stats = pool:stats()
        return 200, ("%d lanes, %d busy, %d waiting"):format(stats.workers, stats.busy, stats.queued)
    end
    local n = tonumber(path:match "^/primes/(%d+)$")
    if not n then return 404, "GET /primes/N or GET /status" end
    local count, problem = async.join(pool:submit(count_primes, n))
    if not count then return 500, tostring(problem) end
    return 200, ("%d"):format(count)
end

local REASONS = { [200] = "OK", [400] = "Bad Request", [404] = "Not Found", [405] = "Method Not Allowed", [500] = "Internal Server Error" }

local listener, left, stop = assert(uv.new_tcp()), options["-n"], nil

--- Reads the head of a request from a client, in a coroutine; returns method and path, or nothing.
---@async
local function read_head(client)
    local waiting, text = coroutine.running(), ""
    client:read_start(function(problem, chunk)
        text = text .. (chunk or "")
        if problem or not chunk or #text > 8192 or text:find("\r?\n\r?\n") then
            client:read_stop()
            assert(coroutine.resume(waiting))
        end
    end)
    coroutine.yield()
    return text:match "^(%u+) (%S+) HTTP/1%.%d\r?\n"
end

--- Answers a client, in a coroutine.
---@async
local function serve(client)
    local method, path = read_head(client)
    local status, text = 400, "this is not HTTP"
    if method then status, text = answer(method, path) end
    local head = "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n"
    client:write(head:format(status, REASONS[status], #text + 1, text), function()
        client:close()
        left = left and left - 1
        if left == 0 then stop() end
    end)
end

local interrupt = assert(uv.new_signal())
function stop()
    listener:close()
    interrupt:close()
end
interrupt:start("sigint", stop)

local bound, problem = listener:bind("127.0.0.1", options["-p"])
if not bound then refuse("argument -p: ", tostring(problem)) end
assert(listener:listen(128, function(failure)
    local client = uv.new_tcp()
    if not failure and listener:accept(client) then coroutine.wrap(serve)(client) end
end))
io.stdout:write("listening on 127.0.0.1:", ("%d"):format(listener:getsockname().port), "\n")
io.stdout:flush()

uv.run()
pool:close()
os.exit(0, true)
