-- floor.lua: measures threads, Lua states, C calls and copies without Lanes.
-- Prints lines "<name> <value> <unit>". LUA_CPATH must contain lanes_floor (benches/run builds it).

local floor = require "lanes_floor"
local now = floor.now
local unpack = unpack or table.unpack
local load = loadstring or load

local function out(name, value, unit) print(("%s %.6g %s"):format(name, value, unit)) end

--- Nanoseconds per call of work(i), over `turns` calls, loop included.
local function nanoseconds_each(turns, work)
    for i = 1, turns / 10 do work(i) end
    local begun = now()
    for i = 1, turns do work(i) end
    return (now() - begun) / turns * 1e9
end

-- Threads and states.
out("thread", floor.thread(2000), "us")
out("condvar", floor.condvar(5000), "us/roundtrip")
out("spin", floor.spin(200000), "us/roundtrip")
out("state", floor.state(2000), "us")
out("state_all", floor.state_all(1000), "us")
out("thread_state", floor.thread_state(1000), "us")
out("thread_state_all", floor.thread_state_all(500), "us")
out("memory", floor.memory(500), "KiB")

-- Calls. The methods have the arguments and results of a linda's methods, and do nothing.
local object = floor.object()
local function calls(turns)
    local begun = now()
    for i = 1, turns do
        object:send(nil, "x", i)
        object:receive(nil, "x")
    end
    return (now() - begun) / turns * 1e9
end
local function send_call(turns)
    local begun = now()
    for i = 1, turns do object:send(nil, "x", i) end
    return (now() - begun) / turns * 1e9
end
local function receive_call(turns)
    local begun = now()
    for _ = 1, turns do object:receive(nil, "x") end
    return (now() - begun) / turns * 1e9
end
calls(10000)
out("calls", calls(500000), "ns")
out("call", math.max(send_call(500000), receive_call(500000)), "ns")
local batch = {}
for i = 1, 100 do batch[i] = i end
out("batch", math.max(
    nanoseconds_each(5000, function() object:send(nil, "x", unpack(batch)) end),
    nanoseconds_each(5000, function() object:receive_many(100) end)) / 100, "ns/value")

--- Nanoseconds for the slower half of passing a value: sender and receiver of a stream work in
--- parallel.
local function slower_half(turns, value)
    local reading = nanoseconds_each(turns, function() floor.encode(value) end)
    local building = nanoseconds_each(turns, function() floor.decode() end)
    return math.max(reading, building)
end

-- Values: read from Lua into a flat buffer, and built from the buffer.
out("string", slower_half(200000, ("x"):rep(100)), "ns")
out("table", slower_half(50000, { id = 1, name = "abc", x = 1.5, y = 2.5, tags = { "a", "b", "c" }, ok = true }), "ns")
local list = {}
for i = 1, 200000 do list[i] = i end
out("list", slower_half(10, list) / #list, "ns/item")
out("memcpy", 4.194304e6 / floor.memcpy(), "MB/s")

local a, b = 1, { 2 }
local function adder(x) return x + a + b[1] end
local bytecode = string.dump(adder)
local dumping = nanoseconds_each(20000, function() string.dump(adder) end)
local loading = nanoseconds_each(20000, function()
    local f = load(bytecode)
    debug.setupvalue(f, 1, 1)
    debug.setupvalue(f, 2, { 2 })
end)
out("function", math.max(dumping, loading), "ns")
