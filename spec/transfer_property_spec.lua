-- Random values arrive equal, with the same sharing and with the metatables they had.
-- LANES_SEED repeats a run; LANES_CASES makes it longer.
local support = require "support"
local assert = assert
local describe, it = support.plain(describe, it)
local _ENV = _G -- luacheck: ignore _ENV
local lanes = require "lanes"
local expect = require "expect"

local seed = tonumber(os.getenv "LANES_SEED") or math.floor(lanes.now_secs() * 1000) % 2 ^ 31
local cases = tonumber(os.getenv "LANES_CASES") or 150
print("transfer_property_spec: LANES_SEED=" .. ("%d"):format(seed))

-- A random number generator of our own, so that a seed means the same on every Lua.
local state = seed
local function random(low, high)
    state = (state * 16807 + 12345) % 2147483647
    return low + math.floor(state / 2147483647 * (high - low + 1))
end

local function chance(percent) return random(1, 100) <= percent end

local function pick(list) return list[random(1, #list)] end

local edges = {
    0, 1, -1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2 ^ 31 - 1, 2 ^ 31, -2 ^ 31, -2 ^ 31 - 1, 2 ^ 32,
    2 ^ 53, 2 ^ 53 - 1, -2 ^ 53, 2 ^ 63, -2 ^ 63, 2 ^ 64, 0.5, -0.5, 0.1, 1e308, -1e308, 5e-324, math.huge,
    -math.huge, 0 / 0, -tonumber "0.0",
}
if math.type then
    for _, integer in ipairs { math.maxinteger, math.mininteger, math.maxinteger - 1, math.tointeger(2 ^ 53) } do
        edges[#edges + 1] = integer
    end
end

local texts = { "", "a", "key", "value", "a\0b", "\0", "\255\254", ("x"):rep(39), ("y"):rep(40), ("z"):rep(5000) }

local function random_text()
    if chance(50) then return pick(texts) end
    local bytes = {}
    for i = 1, random(0, 60) do bytes[i] = string.char(random(0, 255)) end
    return table.concat(bytes)
end

local function random_number()
    local kind = random(1, 4)
    if kind == 1 then return pick(edges) end
    if kind == 2 then return random(-1000, 1000) end
    if kind == 3 then return random(-1000000, 1000000) / 64 end
    return pick(edges) + random(-2, 2)
end

local lindas = { lanes.linda(), lanes.linda("named") }

local function random_key()
    local kind = random(1, 10)
    if kind <= 4 then return random_text() end
    if kind <= 8 then
        local number = random_number()
        return number == number and number or 0
    end
    if kind == 9 then return chance(50) end
    return pick { lanes.null, lanes.cancel_error, lindas[1]:deep() }
end

local random_value

-- Fills a table with a run of values of one type, as data in bulk has it, now and then with another value or a hole.
local function add_run(t, known)
    local kind, at = random(1, 5), #t
    local mixed = chance(30)
    for i = at + 1, at + random(1, 300) do
        local value
        if kind == 1 then value = i * 3
        elseif kind == 2 then value = i + 0.25
        elseif kind == 3 then value = "text " .. i
        elseif kind == 4 then value = i % 2 == 0
        else value = { i } end
        if mixed and chance(5) then value = random_value(1, known) end
        t[i] = value
    end
end

local function random_table(depth, known)
    local t = {}
    known[#known + 1] = t
    if chance(15) then add_run(t, known) end
    for _ = 1, random(0, 6) do t[#t + 1] = random_value(depth - 1, known) end
    for _ = 1, random(0, 5) do t[random_key()] = random_value(depth - 1, known) end
    if chance(10) then t[random(10, 10000)] = random_value(depth - 1, known) end
    if chance(20) then
        local meta = chance(50) and known.metas[1] and pick(known.metas)
        if not meta then
            -- It shares nothing with the value: back in its state the value gets the original metatable, with its contents.
            meta = { tag = random_text(), [1] = random_value(depth - 2, { metas = {} }) }
            known.metas[#known.metas + 1] = meta
        end
        setmetatable(t, meta)
    end
    return t
end

-- A function that returns its upvalue, which may lead back to the function.
local function random_function(depth, known)
    local upvalue
    local function f() return upvalue end
    known[#known + 1] = f
    upvalue = random_value(depth - 1, known)
    return f
end

function random_value(depth, known)
    local kind = random(1, 20)
    if kind <= 6 and depth > 0 then return random_table(depth, known) end
    if kind <= 7 and depth > 0 then return random_function(depth, known) end
    if kind <= 9 and known[1] then return pick(known) end
    if kind <= 13 then return random_number() end
    if kind <= 16 then return random_text() end
    if kind == 17 then return chance(50) end
    if kind == 18 then return nil end
    if kind == 19 then return pick { lanes.null, lanes.cancel_error, lindas[2]:deep() } end
    return pick(lindas)
end

-- A text that is the same for values that are the same: in contents, sharing, metatables and upvalues.
local function describe_value(root)
    local out, number_of, count = {}, {}, 0

    local function text_of(value)
        local kind = type(value)
        if kind == "number" then
            if value ~= value then return "nan" end
            if value == 0 then return (1 / value < 0 and "-0" or "0") .. (math.type and math.type(value) or "") end
            if math.type and math.type(value) == "integer" then return ("%d"):format(value) end
            return ("float %.17g"):format(value)
        elseif kind == "string" then
            return #value .. ":" .. value
        end
        return kind .. " " .. tostring(value)
    end

    local function visit(value)
        local kind = type(value)
        if kind ~= "table" and kind ~= "function" then
            out[#out + 1] = text_of(value)
            return
        end
        if number_of[value] then
            out[#out + 1] = kind .. " " .. number_of[value]
            return
        end
        count = count + 1
        number_of[value] = count
        if kind == "function" then
            out[#out + 1] = "function " .. count .. " returns"
            visit(value())
            return
        end
        out[#out + 1] = "table " .. count .. " {"
        local keys, shown = {}, {}
        for key in next, value do
            local text = type(key) .. " " .. text_of(key)
            keys[#keys + 1] = text
            shown[text] = key
        end
        table.sort(keys)
        for _, text in ipairs(keys) do
            out[#out + 1] = text .. " ="
            visit(value[shown[text]])
        end
        out[#out + 1] = "}"
        if getmetatable(value) then
            out[#out + 1] = "with metatable"
            visit(getmetatable(value))
        end
    end

    visit(root)
    return table.concat(out, "\n")
end

-- Asserts that the metatables of a value that is back in this state are the very ones of the original.
local function same_metatables(original, copy, seen)
    local kind = type(original)
    if kind ~= "table" and kind ~= "function" or seen[original] then return end
    seen[original] = true
    if kind == "function" then return same_metatables(original(), copy(), seen) end
    assert.is_true(rawequal(getmetatable(original), getmetatable(copy)))
    for key, value in next, original do same_metatables(value, rawget(copy, key), seen) end
end

local function random_case(number)
    local known = { metas = {} }
    local value = random_table(random(1, 6), known)
    return value, ("case %d of LANES_SEED=%d"):format(number, seed)
end

local function check(value, copy, name)
    local expected, got = describe_value(value), describe_value(copy)
    if expected ~= got then
        error(("%s arrived different\n--- sent:\n%s\n--- arrived:\n%s"):format(name, expected, got), 0)
    end
    local ok, message = pcall(same_metatables, value, copy, {})
    if not ok then error(name .. ": " .. tostring(message), 0) end
end

describe("a random value", function()
    it("comes back equal through a linda", function()
        local linda = lanes.linda()
        for number = 1, cases do
            local value, name = random_case(number)
            linda:send("key", value)
            check(value, select(2, linda:receive(0, "key")), name)
        end
    end)

    it("comes back equal through linda:set and linda:get", function()
        local linda = lanes.linda()
        for number = 1, cases do
            local value, name = random_case(number)
            linda:set("key", value)
            check(value, linda:get("key"), name)
            check(value, linda:get("key"), name)
        end
    end)

    it("is equal in a lane that gets it through a linda, and comes back equal", function()
        local there, back = lanes.linda(), lanes.linda()
        local lane = lanes.gen("*", function()
            while true do
                local _, value = there:receive("key")
                if value == false then return true end
                back:send("key", { text = describe_value(value), value = value })
            end
        end)()
        for number = 1, cases do
            local value, name = random_case(number)
            there:send("key", value)
            local answer = expect.received(back, "key")
            local expected = describe_value(value)
            if expected ~= answer.text then
                local text = "%s is different in the lane\n--- sent:\n%s\n--- there:\n%s"
                error(text:format(name, expected, answer.text), 0)
            end
            check(value, answer.value, name)
        end
        there:send("key", false)
        assert.is_true(expect.finished(lane))
    end)

    it("is equal as argument, upvalue and result of a lane", function()
        for number = 1, math.ceil(cases / 10) do
            local value, name = random_case(number)
            local upvalue, upvalue_name = random_case(number)
            local argument_text, upvalue_text, result, second_result = expect.in_lane(function(argument)
                return describe_value(argument), describe_value(upvalue), argument, { argument, upvalue }
            end, value)
            assert.equal(describe_value(value), argument_text, name)
            assert.equal(describe_value(upvalue), upvalue_text, upvalue_name)
            check(value, result, name)
            assert.is_true(rawequal(result, second_result[1]))
            check(upvalue, second_result[2], upvalue_name)
        end
    end)

    it("keeps its references to the others of a batch", function()
        local linda = lanes.linda()
        for number = 1, cases do
            local value, name = random_case(number)
            local other = { value, random_value(3, { metas = {}, value }) }
            linda:send("key", value, other, value)
            local _, one, two, three = linda:receive(0, linda.batched, "key", 3)
            check({ value, other, value }, { one, two, three }, name)
        end
    end)
end)
