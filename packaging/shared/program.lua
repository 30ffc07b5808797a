-- Run with each interpreter: lanes compute, talk, fail and end; the library is the one for this interpreter. At its end the
-- program runs itself with the argument 4: with the 4.x interface, which a process chooses once.
if arg[1] == "4" then
    local lanes = require "lanes.v4".configure()
    local linda = lanes.linda { name = "numbers" }
    local double = lanes.gen("*", function(x)
        local _, number = linda:receive("numbers")
        return number * x
    end)(2)
    assert(linda:send("numbers", 21))
    local ok, result = double:join()
    assert(ok == true and result == 42, result)
    return
end
local lanes = require("lanes").configure()
local core = require "lanes_core"
assert(core.build.luajit == (rawget(_G, "jit") ~= nil), "the library is for another interpreter")
assert(core.build.hooks == false, "the library has test hooks")
assert(require "lanes.core" == core)

local linda = lanes.linda()
local square = lanes.gen("*", function(number)
    assert(require("lanes_core") ~= nil and require "lanes")
    linda:send("done", number)
    return number * number
end)
local sum, squares = 0, {}
for i = 1, 8 do
    squares[i] = square(i)
end
for i = 1, 8 do
    sum = sum + squares[i][1]
end
assert(sum == 204, sum)
assert(linda:count "done" == 8)

local failed = lanes.gen("*", function() error "on purpose" end)()
local _, why = failed:join()
assert(tostring(why):find "on purpose")

local results = lanes.map({ 1, 2, 3 }, function(number) return number + 1 end)
assert(results[3] == 4)
print("ran with " .. (rawget(_G, "jit") and jit.version or _VERSION) .. ", built for " .. tostring(core.build.lua_release))

local command = ('"%s" "%s" 4'):format(arg[-1], arg[0])
-- The shell of Windows takes the outer quotes away.
if package.config:sub(1, 1) == "\\" then command = '"' .. command:gsub("/", "\\") .. '"' end
local ended = os.execute(command)
assert(ended == true or ended == 0, "the program with the 4.x interface has failed")
