-- tour.lua: eight short steps through Lanes. Each shows its code, runs it, and shows what it prints.
--
-- What the steps print:
--   1 A lane is a function in a thread          the sum is 5050
--   2 One generator launches many lanes         1 4 9 16
--   3 Lanes talk through a linda                ping, pong
--   4 A pool runs a function for each item      ONE TWO THREE
--   5 An error ends the lane, not the program   nil no such file: x error
--   6 A lane can be asked to end                true cancelled
--   7 Lanes can share a counter                 3000
--   8 Wait for whatever happens first           the message came first letter hello

local HELP = [=[
usage: lua examples/tour.lua [STEP...]

Shows Lanes in eight steps, or the given ones: prints the code of each step,
runs it, and prints what came out after ">".

  -h, --help   print this and end

Running it from a clone, after `ci/build 5.4`:
  LUA_PATH="./lua/?.lua;;" LUA_CPATH="./target/lua/5.4/?.so;;" \
    lua5.4 examples/tour.lua
]=]

local function refuse(...)
    io.stderr:write("tour.lua: ", table.concat({ ... }), "\n")
    os.exit(2)
end

if arg[1] == "-h" or arg[1] == "--help" then
    io.stdout:write(HELP)
    os.exit(0)
end

local loaded, lanes = pcall(require, "lanes")
if not loaded then refuse("cannot load lanes; --help shows how to say where it is\n", lanes) end
lanes.configure()

--- Prints a result of a step.
local function show(...)
    local words = {}
    for i = 1, select("#", ...) do words[i] = tostring((select(i, ...))) end
    print("  > " .. table.concat(words, " "))
end

local steps = {}

steps[1] = {
    title = "A lane is a function in a thread",
    text = "lanes.gen makes a generator; calling it launches a lane. Both threads run until the result is read:\n"
        .. "lane[1] waits for the end. \"*\" opens all libraries in the lane.",
    run = function()
        local sum = lanes.gen("*", function(n)
            local total = 0
            for i = 1, n do total = total + i end
            return total
        end)
        local lane = sum(100)
        show("the sum is", lane[1])
    end,
}

steps[2] = {
    title = "One generator launches many lanes",
    text = "They run at the same time, on all processors. Values are copied: no lane can change those of another.",
    run = function()
        local square = lanes.gen("*", function(x) return x * x end)
        local running = {}
        for i = 1, 4 do running[i] = square(i) end
        show(running[1][1], running[2][1], running[3][1], running[4][1])
    end,
}

steps[3] = {
    title = "Lanes talk through a linda",
    text = "A linda has slots, each with a key. `send` appends to a slot, `receive` takes from it, and waits if it is empty.",
    run = function()
        local linda = lanes.linda "table"
        local player = lanes.gen("*", function()
            local _, ball = linda:receive("ball")
            linda:send("back", ball == "ping" and "pong" or "what?")
        end)()
        linda:send("ball", "ping")
        show("ping,", select(2, linda:receive("back")))
        player:join()
    end,
}

steps[4] = {
    title = "A pool runs a function for each item",
    text = "lanes.map has one lane for each processor, and gives back the results in the order of the items.",
    run = function()
        local words = lanes.map({ "one", "two", "three" }, function(word) return word:upper() end)
        show(table.concat(words, " "))
    end,
}

steps[5] = {
    title = "An error ends the lane, not the program",
    text = "`join` returns nil, the error and its trace. Reading lane[1] would raise the error here.",
    run = function()
        local lane = lanes.gen("*", function(name) error("no such file: " .. name, 0) end)("x")
        local result, err = lane:join()
        show(result, err, lane.status)
    end,
}

steps[6] = {
    title = "A lane can be asked to end",
    text = "A lane that waits ends at once, and its finalizers run. Busy ones take the mode \"count\", or look at cancel_test().",
    run = function()
        local linda = lanes.linda()
        local lane = lanes.gen("*", function()
            set_finalizer(function() linda:set("state", "cleaned up") end)
            linda:receive("what never comes")
        end)()
        show(lane:cancel("hard", 10))
        show(linda:get("state"))
    end,
}

steps[7] = {
    title = "Lanes can share a counter",
    text = "lanes.genatomic makes a function that any lane can call; lanes.genlock does so for a lock.",
    run = function()
        local add = lanes.genatomic(lanes.linda(), "visitors", 0)
        local count = lanes.gen("*", function() for _ = 1, 1000 do add(1) end end)
        local a, b, c = count(), count(), count()
        for _, lane in ipairs { a, b, c } do lane:join() end
        show(string.format("%d", add(0)))
    end,
}

steps[8] = {
    title = "Wait for whatever happens first",
    text = "lanes.select waits for slots of several lindas and for lanes. A number first is a timeout in seconds.",
    run = function()
        local mail, alarm = lanes.linda(), lanes.linda()
        lanes.timer(alarm, "ring", 60)
        lanes.gen("*", function() mail:send("letter", "hello") end)()
        local case, key, value = lanes.select(30, { mail, "receive", "letter" }, { alarm, "receive", "ring" })
        show(case == 1 and "the message came first" or "the alarm came first", key, value)
        lanes.timer(alarm, "ring", nil)
    end,
}

--- The source lines of a function, without its first and last one.
local function source_of(f)
    local info, lines, number = debug.getinfo(f, "S"), {}, 0
    local file = io.open(info.source:sub(2))
    if not file then return lines end
    for line in file:lines() do
        number = number + 1
        if number > info.linedefined and number < info.lastlinedefined then
            lines[#lines + 1] = "    " .. line:gsub("\r$", ""):gsub("^        ", "")
        end
    end
    file:close()
    return lines
end

local wanted = {}
for i, word in ipairs(arg) do
    wanted[i] = steps[tonumber(word)] and tonumber(word)
        or refuse("argument STEP must be a whole number from 1 to ", #steps, ", not '", word, "'")
end
if not wanted[1] then
    for i = 1, #steps do wanted[i] = i end
end

for _, number in ipairs(wanted) do
    local step = steps[number]
    print(number .. " " .. step.title)
    print(step.text .. "\n")
    for _, line in ipairs(source_of(step.run)) do print(line) end
    step.run()
    print()
end
print "More: lanes.help() lists all functions, lanes.help \"send\" explains one; docs/manual/ has the whole story."
