-- primes.lua: launches many lanes from one generator, and waits for each result when it prints it.
--
--   $ lua examples/primes.lua 100000 4
--            0 .. 24999          2762 primes, largest 24989
--        25000 .. 49999          2371 primes, largest 49999
--        50000 .. 74999          2260 primes, largest 74959
--        75000 .. 99999          2199 primes, largest 99991
--   9592 primes below 100000

local HELP = [=[
usage: lua examples/primes.lua [LIMIT [PIECES]]

Counts the primes below LIMIT (default 1000000). The range is divided into PIECES
(default 16), and a lane counts each piece.

  -h, --help   print this and end

Running it from a clone, after `ci/build 5.4`:
  LUA_PATH="./lua/?.lua;;" LUA_CPATH="./target/lua/5.4/?.so;;" \
    lua5.4 examples/primes.lua 2000000 8
]=]

local function refuse(...)
    io.stderr:write("primes.lua: ", table.concat({ ... }), "\n")
    os.exit(2)
end

--- Returns the argument `name` as a whole number, or `default` if it is missing.
local function whole(name, text, default, least, most)
    if text == nil then return default end
    local n = tonumber(text)
    if not n or n < least or n > most or n % 1 ~= 0 then
        refuse("argument ", name, (" must be a whole number from %d to %d, not '"):format(least, most), text, "'")
    end
    return n
end

if arg[1] == "-h" or arg[1] == "--help" then
    io.stdout:write(HELP)
    os.exit(0)
end
local limit = whole("LIMIT", arg[1], 1000000, 2, 1000000000)
local pieces = whole("PIECES", arg[2], 16, 1, 1000)
if arg[3] then refuse("unexpected argument '", arg[3], "' (try --help)") end

local loaded, lanes = pcall(require, "lanes")
if not loaded then refuse("cannot load lanes; --help shows how to say where it is\n", lanes) end
lanes.configure()

-- An ordinary function: it is copied to the lanes, because it is an upvalue of their body.
local function is_prime(n)
    if n < 4 then return n > 1 end
    if n % 2 == 0 or n % 3 == 0 then return false end
    local d = 5
    while d * d <= n do
        if n % d == 0 or n % (d + 2) == 0 then return false end
        d = d + 6
    end
    return true
end

--- Counts the primes in from..to. Returns the count and the largest one (nil if there is none).
local count_primes = lanes.gen(function(from, to)
    local count, largest = 0, nil
    for n = from, to do
        if is_prime(n) then count, largest = count + 1, n end
    end
    return count, largest
end)

local begun, cpu_begun = lanes.now_secs(), os.clock()
local parts = {}
for i = 1, pieces do
    local from = math.floor((i - 1) * limit / pieces)
    local to = math.floor(i * limit / pieces) - 1
    parts[i] = { from = from, to = to, lane = count_primes(from, to) }
end

-- All lanes run now. part.lane[1] waits until this lane has ended.
local total = 0
for _, part in ipairs(parts) do
    local count, largest = part.lane[1], part.lane[2]
    print(("%10d .. %-10d %8d primes, largest %s"):format(part.from, part.to, count, tostring(largest or "-")))
    total = total + count
end
print(("%d primes below %d"):format(total, limit))
io.stderr:write(("%.2f s of work in %.2f s\n"):format(os.clock() - cpu_begun, lanes.now_secs() - begun))
