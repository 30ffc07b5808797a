-- `warn` in a lane (Lua 5.4 and later) works as in the program's own state; each state has its own
-- switch.
local support = require "support"

local known = support.lua == "5.4" or support.lua == "5.5"

-- Each is run in the program's own state and in a lane.
local calls = {
    { "a message", [[warn "text"]] },
    { "a message after it was turned on", [[warn "@on" warn "text"]] },
    { "a message after it was turned off", [[warn "@on" warn "@off" warn "text"]] },
    { "a message after it was turned off and on", [[warn "@on" warn "@off" warn "@on" warn "text"]] },
    { "pieces", [[warn "@on" warn("one", " two", 3, 4.5)]] },
    { "many pieces", [[warn "@on" local list = {} for i = 1, 100 do list[i] = ("piece"):rep(i) end warn(table.unpack(list))]] },
    { "a long piece", [[warn "@on" warn(("x"):rep(5000)) warn("short", ("y"):rep(1020), "end") warn(("z"):rep(1024))]] },
    { "an empty message", [[warn "@on" warn "" warn("", "")]] },
    { "an unknown control message", [[warn "@on" warn "@other" warn "@" warn "text"]] },
    { "a control message in pieces", [[warn "@on" warn("@off", "") warn("@", "off") warn "text"]] },
    { "a control message as the last piece", [[warn "@on" warn("text", "@off") warn "more"]] },
    { "lines", [[warn "@on" warn "one\ntwo\n"]] },
    { "a zero byte", [[warn "@on" warn "before\0behind"]] },
    { "no message", [[warn "@on" print(pcall(warn))]] },
    { "a table", [[warn "@on" print(pcall(warn, {})) print(pcall(warn, "text", nil))]] },
    { "a coroutine", [[coroutine.wrap(function() warn "@on" warn "inside" end)() warn "outside"]] },
    { "an error in a finalizer", [[warn "@on" setmetatable({}, { __gc = function() error "on purpose" end }) collectgarbage()]] },
    { "an error in a finalizer at the end", [[warn "@on" KEPT = setmetatable({}, { __gc = function() error("on purpose", 0) end })]] },
}

describe("a warning", function()
    if not known then
        it("does not exist in lanes either", function()
            assert.equal("nil\n", support.output [[
                local lanes = require "lanes".configure()
                print(lanes.gen("*", function() return type(rawget(_G, "warn")) end)()[1])
            ]])
        end)
        return
    end

    local program = [[
        local text, in_lane = arg[1], arg[2] == "lane"
        local body = assert(load(text, "=text"))
        if in_lane then
            local lanes = require "lanes".configure()
            assert(lanes.gen("*", body)():join() == nil)
        else
            body()
        end
    ]]
    for _, call in ipairs(calls) do
        it("of a lane is written like the program's own: " .. call[1], function()
            local here = support.run(program, { arguments = { call[2], "here" } })
            local there = support.run(program, { arguments = { call[2], "lane" } })
            assert.equal(0, here.code, here.err)
            assert.same({ here.code, here.out, here.err }, { there.code, there.out, there.err })
        end)
    end

    it("is turned on and off for its lane only, and not for the next lane", function()
        local run = support.run [[
            local lanes = require "lanes".configure()
            -- Windows has a buffer for it where it is no console.
            io.stderr:setvbuf "no"
            local function run(...)
                lanes.gen("*", function(...)
                    for _, message in ipairs { ... } do warn(message) end
                end)(...):join()
            end
            for i = 1, 20 do
                run("@on", "on " .. i)
                run("@off", "off " .. i)
            end
            io.stderr:write "in new states:\n"
            run "text"
            warn "@on"
            warn "here"
            run "text"
        ]]
        local expected = {}
        for i = 1, 20 do expected[i] = "Lua warning: on " .. i .. "\n" end
        local new = support.lua == "5.4" and "" or "Lua warning: text\n"
        assert.equal(table.concat(expected) .. "in new states:\n" .. new .. "Lua warning: here\n" .. new, run.err)
    end)

    it("is written as one line when many lanes warn", function()
        local run = support.run [[
            local lanes = require "lanes".configure()
            local all = {}
            for i = 1, 8 do
                all[i] = lanes.gen("*", function()
                    warn "@on"
                    for _ = 1, 500 do warn("a", "b", "c", "d") end
                end)()
            end
            for _, lane in ipairs(all) do lane:join() end
        ]]
        assert.equal(("Lua warning: abcd\n"):rep(4000), run.err)
    end)
end)
