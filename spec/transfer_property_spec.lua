-- Random values arrive equal, with the same sharing and the same metatables.
-- Environment: LANES_SEED repeats a run, LANES_CASES makes it longer.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)
-- On Lua 5.1 and LuaJIT, an environment replaces busted's globals, whose access is slow.
if rawget(_G, "setfenv") then setfenv(1, _G) end
local lanes = require "lanes"
local expect = require "expect"
local unpack = table.unpack or unpack

local seed = tonumber(os.getenv "LANES_SEED") or math.floor(lanes.now_secs() * 1000) % 2 ^ 31
local cases = tonumber(os.getenv "LANES_CASES") or 150
print("transfer_property_spec: LANES_SEED=" .. ("%d"):format(seed))

-- A random number generator, so that a seed gives the same numbers on every Lua.
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

-- Fills a table with a run of values of one type, as in bulk data, sometimes with a different value
-- or a hole.
local function add_run(t, known, count)
    -- Long runs consist of values that are quick to compare.
    local kind, at = random(1, count > 1000 and 4 or 5), #t
    local mixed = chance(30) and math.max(20, math.floor(count / 10))
    for i = at + 1, at + count do
        local value
        if kind == 1 then value = i * 3
        elseif kind == 2 then value = i + 0.25
        elseif kind == 3 then value = "text " .. i
        elseif kind == 4 then value = i % 2 == 0
        else value = { i } end
        if mixed and random(1, mixed) == 1 then value = random_value(1, known) end
        if mixed and random(1, mixed) == 1 then value = nil end
        t[i] = value
    end
end

local function random_table(depth, known)
    local t = {}
    known[#known + 1] = t
    if chance(15) then add_run(t, known, random(1, 300)) end
    for _ = 1, random(0, 6) do t[#t + 1] = random_value(depth - 1, known) end
    for _ = 1, random(0, 5) do t[random_key()] = random_value(depth - 1, known) end
    if chance(10) then t[random(10, 10000)] = random_value(depth - 1, known) end
    if chance(20) then
        local meta = chance(50) and known.metas[1] and pick(known.metas)
        if not meta then
            -- Shares nothing with the value: in its own state the value gets its original
            -- metatable, with its contents, again.
            meta = { tag = random_text(), [1] = random_value(depth - 2, { metas = {} }) }
            known.metas[#known.metas + 1] = meta
        end
        setmetatable(t, meta)
    end
    return t
end

-- A function that returns its upvalue, which may refer to the function, and sets it on request.
local function random_function(depth, known)
    local upvalue
    local function f(new, set)
        if set then upvalue = new end
        return upvalue
    end
    known[#known + 1] = f
    if chance(40) then
        -- Another function shares the variable.
        known[#known + 1] = function(new, set)
            if set then upvalue = new end
            return upvalue
        end
    end
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

-- Tables and functions nested beyond the depth up to which messages contain them inline, with
-- others beside them.
local function deep_value(known)
    local value = random_value(1, known)
    for _ = 1, pick { 58, 59, 60, 61, 62, 119, 120, 121, 200 } do
        local inner = value
        if chance(20) then
            value = function(new, set)
                if set then inner = new end
                return inner
            end
        else
            value = chance(50) and { inner } or { inner = inner }
            if chance(30) then value[#value + 1] = random_value(1, known) end
            if chance(30) then value.other = random_value(1, known) end
            if chance(10) and known.metas[1] then setmetatable(value, pick(known.metas)) end
        end
        known[#known + 1] = value
    end
    return value
end

-- Text of about a megabyte.
local function long_text()
    local piece = random_text() .. "."
    return piece:rep(math.floor(2 ^ 20 / #piece) + random(-1, 1))
end

-- Whether functions of one message that share a variable share its copy.
local JOINS = debug.upvaluejoin ~= nil

-- A text that is equal for values that are equal in contents, sharing, metatables, upvalues and
-- their variables.
local function describe_value(root)
    local out, number_of, count, functions = {}, {}, 0, {}

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
            functions[#functions + 1] = value
            visit(value())
            return
        end
        out[#out + 1] = "table " .. count .. " {"
        local length = 0
        while rawget(value, length + 1) ~= nil do
            length = length + 1
            visit(rawget(value, length))
        end
        local numbers, keys, shown = {}, {}, {}
        for key in next, value do
            if type(key) ~= "number" then
                local text = type(key) .. " " .. text_of(key)
                keys[#keys + 1] = text
                shown[text] = key
            elseif key < 1 or key > length or key % 1 ~= 0 then
                numbers[#numbers + 1] = key
            end
        end
        table.sort(numbers)
        for _, key in ipairs(numbers) do
            out[#out + 1] = text_of(key) .. " ="
            visit(rawget(value, key))
        end
        table.sort(keys)
        for _, text in ipairs(keys) do
            out[#out + 1] = text .. " ="
            visit(rawget(value, shown[text]))
        end
        out[#out + 1] = "}"
        if getmetatable(value) then
            out[#out + 1] = "with metatable"
            visit(getmetatable(value))
        end
    end

    visit(root)
    -- All functions set their variables in turn: a variable is named after the last function that
    -- has set it.
    local contents = {}
    for i = 1, JOINS and #functions or 0 do
        contents[i] = functions[i]()
        functions[i](i, true)
    end
    for i = 1, JOINS and #functions or 0 do out[#out + 1] = ("function %d has variable %d"):format(i, functions[i]()) end
    for i = JOINS and #functions or 0, 1, -1 do functions[i](contents[i], true) end
    return table.concat(out, "\n")
end

-- Asserts that a value that came back to this state has the original metatables.
local function same_metatables(original, copy, seen)
    local kind = type(original)
    if kind ~= "table" and kind ~= "function" or seen[original] then return end
    seen[original] = true
    if kind == "function" then return same_metatables(original(), copy(), seen) end
    if not rawequal(getmetatable(original), getmetatable(copy)) then error("a metatable is another one", 0) end
    for key, value in next, original do same_metatables(value, rawget(copy, key), seen) end
end

local function random_case(number)
    local known = { metas = {} }
    local value = random_table(random(1, 6), known)
    if chance(6) then value[random_key()] = deep_value(known) end
    if chance(2) then value[random_key()] = long_text() end
    if chance(2) then
        local run = {}
        add_run(run, known, 50000)
        value[random_key()] = run
    end
    return value, ("case %d of LANES_SEED=%d"):format(number, seed)
end

-- Fails if two descriptions differ, and reports where.
local function same(expected, got, name)
    if expected == got then return end
    local at = 1
    while expected:byte(at) == got:byte(at) do at = at + 1 end
    local from = math.max(1, at - 2000)
    error(("%s is different at byte %d of its description\n--- sent:\n%s\n--- arrived:\n%s"):format(
        name, at, expected:sub(from, at + 2000), got:sub(from, at + 2000)), 0)
end

-- `text` is the description of the value, if known.
local function check(value, copy, name, text)
    same(text or describe_value(value), describe_value(copy), name)
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
            local text = describe_value(value)
            check(value, linda:get("key"), name, text)
            check(value, linda:get("key"), name, text)
        end
    end)

    it("is equal in a lane that receives it through a linda, and comes back equal", function()
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
            local text = describe_value(value)
            same(text, answer.text, name .. " in the lane")
            check(value, answer.value, name, text)
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
            local text, other_text = describe_value(value), describe_value(upvalue)
            same(text, argument_text, name .. " as argument")
            same(other_text, upvalue_text, upvalue_name .. " as upvalue")
            check(value, result, name, text)
            assert.is_true(rawequal(result, second_result[1]))
            check(upvalue, second_result[2], upvalue_name, other_text)
        end
    end)

    it("keeps its references to other values of a batch", function()
        local linda = lanes.linda()
        for number = 1, cases do
            local value, name = random_case(number)
            local other = { value, random_value(3, { metas = {}, value }) }
            linda:send("key", value, other, value)
            local _, one, two, three = linda:receive(0, linda.batched, "key", 3)
            check({ value, other, value }, { one, two, three }, name)
        end
    end)

    -- Repeatedly sends values by one call and receives them a few at a time: part(originals, name)
    -- receives and checks some.
    local function in_parts(linda, part)
        for number = 1, cases do
            local known, values = { metas = {} }, {}
            for i = 1, random(2, 6) do values[i] = random_table(random(1, 3), known) end
            local name = ("case %d of LANES_SEED=%d"):format(number, seed)
            linda:send("key", unpack(values))
            local at = 1
            while at <= #values do
                local count = chance(50) and 1 or random(1, #values - at + 1)
                part({ unpack(values, at, at + count - 1) }, name)
                at = at + count
            end
        end
    end

    it("comes back equal in any part of a batch", function()
        local linda = lanes.linda()
        in_parts(linda, function(originals, name)
            check(originals, { select(2, linda:receive(0, linda.batched, "key", #originals)) }, name)
        end)
    end)

    it("is equal in any part of a batch that a lane receives", function()
        local there, back = lanes.linda(), lanes.linda()
        local lane = lanes.gen("*", function()
            while true do
                local _, count = there:receive("count")
                if not count then return true end
                back:send("text", describe_value { select(2, there:receive(0, there.batched, "key", count)) })
            end
        end)()
        in_parts(there, function(originals, name)
            there:send("count", #originals)
            assert.equal(describe_value(originals), expect.received(back, "text"), name)
        end)
        there:send("count", false)
        assert.is_true(expect.finished(lane))
    end)
end)
