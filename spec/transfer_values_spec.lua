-- Values other than tables and functions, by every way of passing them between states.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
local lanes = require "lanes"
local expect = require "expect"
local pack = support.pack

-- The ways to pass a value to another state and back: each is a function from the value to the
-- value that comes back.
local ways = {
    ["through a linda"] = function(value)
        local linda = lanes.linda()
        linda:send("key", value)
        return select(2, linda:receive(0, "key"))
    end,
    ["read from a linda"] = function(value)
        local linda = lanes.linda()
        linda:set("key", value)
        return (linda:get("key"))
    end,
    ["as argument and result"] = function(value)
        return (expect.in_lane(function(argument) return argument end, value))
    end,
    ["as upvalue and result"] = function(value)
        return (expect.in_lane(function() return value end))
    end,
    ["as global and result"] = function(value)
        local body = function() return given_global end -- luacheck: globals given_global
        return (expect.finished(lanes.gen("*", { globals = { given_global = value } }, body)()))
    end,
    ["in a table through a linda and a lane"] = function(value)
        local there, back = lanes.linda(), lanes.linda()
        local lane = lanes.gen("*", function()
            local _, got = there:receive("key")
            back:send("key", { got.field })
        end)()
        there:send("key", { field = value })
        local got = expect.received(back, "key")
        expect.finished(lane)
        return got[1]
    end,
}

-- Calls fn for each way. If fn fails, the error names the way.
local function each_way(fn)
    for name, way in pairs(ways) do
        local ok, message = pcall(fn, way)
        if not ok then error(name .. ": " .. tostring(message), 0) end
    end
end

local all_bytes = {}
for byte = 0, 255 do all_bytes[#all_bytes + 1] = string.char(byte) end
all_bytes = table.concat(all_bytes)

local plain_values = {
    ["true"] = true,
    ["false"] = false,
    zero = 0,
    one = 1,
    ["a negative number"] = -12345,
    ["a fraction"] = 0.1,
    ["the largest float"] = 1.7976931348623157e308,
    ["the smallest float"] = 4.9406564584124654e-324,
    infinity = math.huge,
    ["negative infinity"] = -math.huge,
    ["2^31"] = 2 ^ 31,
    ["-2^31 - 1"] = -2 ^ 31 - 1,
    ["2^53"] = 2 ^ 53,
    ["2^53 - 1"] = 2 ^ 53 - 1,
    ["2^63"] = 2 ^ 63,
    ["2^64"] = 2 ^ 64,
    ["the empty string"] = "",
    ["a short string"] = "short",
    ["a string with zero bytes"] = "a\0b\0\0",
    ["a string of all bytes"] = all_bytes,
    ["a string of 39 bytes"] = ("x"):rep(39),
    ["a string of 40 bytes"] = ("x"):rep(40),
    ["a string of 41 bytes"] = ("x"):rep(41),
    ["a string of 69999 bytes"] = ("x\0y"):rep(23333),
    ["a string of 5 million bytes"] = ("0123456789"):rep(500000),
    ["a string that is no UTF-8"] = "\255\254\128",
    ["the nil marker"] = lanes.null,
    ["a light userdata"] = lanes.linda():deep(),
    ["the cancel error"] = lanes.cancel_error,
}

describe("the transfer of values", function()
    for name, value in pairs(plain_values) do
        it("keeps " .. name, function()
            each_way(function(way)
                local got = way(value)
                if value == lanes.null and got == nil then return end -- at top level the marker stands for nil
                if not rawequal(value, got) then
                    error("got " .. type(got) .. " " .. tostring(got):sub(1, 100), 0)
                end
            end)
        end)
    end

    it("keeps nil", function()
        each_way(function(way) assert.is_nil(way(nil)) end)
    end)

    it("keeps NaN", function()
        each_way(function(way)
            local got = way(0 / 0)
            assert.equal("number", type(got))
            assert.is_true(got ~= got)
        end)
    end)

    it("keeps the sign of zero", function()
        local zero = tonumber "0.0" -- not a constant: Lua 5.1 merges the constants 0 and -0
        each_way(function(way)
            assert.equal(-math.huge, 1 / way(-zero))
            assert.equal(math.huge, 1 / way(zero))
        end)
    end)

    if math.type then
        local numbers = {
            math.maxinteger, math.mininteger, math.maxinteger - 1, -1, 0, 1, 255, 256, 65535, 65536, 2147483647,
            -2147483648, 4294967295, 9007199254740993, 0.0, 1.0, -1.0, 2.0 ^ 53, 1e15, 3.0, 2.0 ^ 63,
        }
        for _, number in ipairs(numbers) do
            it(("keeps %s a number of subtype %s"):format(number, math.type(number)), function()
                each_way(function(way)
                    local got = way(number)
                    assert.equal(math.type(number), math.type(got))
                    assert.is_true(number == got)
                end)
            end)
        end

        it("keeps the subtype of numbers that are table keys", function()
            each_way(function(way)
                for key in pairs(way { [math.maxinteger] = 1 }) do assert.equal("integer", math.type(key)) end
                for key in pairs(way { [0.5] = 1 }) do assert.equal("float", math.type(key)) end
            end)
        end)
    end
end)

describe("the transfer of a list of values", function()
    it("keeps nils and their number among arguments and results", function()
        local echo = lanes.gen("*", function(...) return ... end)
        assert.same(pack(1, nil, "x", nil), pack(expect.finished(echo(1, nil, "x", nil))))
        assert.same(pack(nil), pack(expect.finished(echo(nil))))
        assert.same(pack(nil, nil, nil), pack(expect.finished(echo(nil, nil, nil))))
        assert.same(pack(), pack(expect.finished(echo())))
    end)

    it("gives the lane's body the exact number of arguments", function()
        local count = lanes.gen("*", function(...) return select("#", ...) end)
        assert.equal(0, expect.finished(count()))
        assert.equal(2, expect.finished(count(nil, nil)))
        assert.equal(3, expect.finished(count("a", nil, nil)))
    end)

    it("keeps two hundred arguments and results", function()
        local values = {}
        for i = 1, 200 do values[i] = i % 3 == 0 and "string " .. i or i end
        local unpack = table.unpack or unpack
        local got = pack(expect.in_lane(function(...) return ... end, unpack(values)))
        assert.equal(200, got.n)
        for i = 1, 200 do assert.equal(values[i], got[i]) end
    end)

    it("keeps the nil marker among arguments and results", function()
        assert.equal(lanes.null, expect.in_lane(function(...) return ... end, lanes.null))
    end)
end)

describe("a message of a hundred million bytes", function()
    it("arrives whole", function()
        assert.equal("100000000\n", support.output [[
            local lanes = require "lanes"
            local linda = lanes.linda()
            local lane = lanes.gen("*", function()
                local _, text = linda:receive "key"
                return #text
            end)()
            linda:send("key", ("0123456789"):rep(10000000))
            print((lane:join()))
        ]])
    end)
end)
