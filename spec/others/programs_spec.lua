-- Programs of other people that are there as packages, unmodified: ldoc in lanes, a Copas server whose handlers let lanes work.
local support = require "support"
local machine = require "machine"
local needs = require "needs"
local others = require "others.environment"

describe("ldoc in lanes", function()
    -- Its template assigns to the variable of a loop, which 5.5 refuses.
    local missing = support.lua == "5.5" and "need an ldoc for Lua 5.5"
        or not machine.is_readable "/usr/bin/ldoc" and "need ldoc (the program /usr/bin/ldoc)" or nil
    local it = others.module("ldoc.html", "lua-ldoc", needs.unless(missing, it)) -- luacheck: ignore (shadows)

    -- Modules to be documented, and the directory that has one of them and the results.
    local directory
    local NAMES = { "first", "second", "third", "fourth" }

    before_each(function()
        local files = {}
        for i, name in ipairs(NAMES) do
            files[name .. ".lua"] = ([[
--- The %s module.
-- @module %s
local M = {}

--- Adds %d.
-- @param x a number
-- @return the sum
function M.add(x) return x + %d end

return M
]]):format(name, name, i, i)
        end
        -- The templates of the package; without these options ldoc writes them into a directory that all its runs share.
        others.with_paths(function()
            files["ldoc.ltp"], files["ldoc.css"] = require "ldoc.html.ldoc_ltp", require "ldoc.html.ldoc_css"
        end)
        directory = support.directory(files)
    end)

    after_each(function() support.remove_directory(directory) end)

    -- The page without its date.
    local function page(place)
        return (support.read(directory .. "/" .. place .. "/index.html"):gsub("%d+%-%d+%-%d+ %d+:%d+:%d+", "DATE"))
    end

    it("documents several modules at once as one after the other", function()
        local programs = {}
        for i, name in ipairs(NAMES) do
            local function words(place)
                local file = directory .. "/" .. name .. ".lua"
                return { "/usr/bin/ldoc", "--template", directory, "--style", directory, "-d", directory .. place .. name, file }
            end
            local result = others.run(words "/alone-")
            assert.equal("", result.err)
            assert.equal(0, result.code)
            programs[i] = words "/lane-"
        end
        for i, lane in ipairs(others.in_lanes(programs)) do
            assert.equal("0", lane.status, lane.out)
            support.contains("output written to " .. directory .. "/lane-" .. NAMES[i], lane.out)
            local alone = page("alone-" .. NAMES[i])
            support.contains(("Adds %d."):format(i), alone)
            assert.equal(alone, page("lane-" .. NAMES[i]))
        end
    end)
end)

describe("a Copas server", function()
    local it = others.module("copas", "lua-copas", it) -- luacheck: ignore (shadows)

    it("serves other connections while a pool of lanes works for one", function()
        local out = machine.temporary()
        support.write(out, [[
            local lanes = require "lanes"
            local copas, socket = require "copas", require "socket"
            local async = lanes.async.copas()
            local pool = lanes.pool { workers = 2 }
            local linda = lanes.linda()
            local server = assert(socket.bind("127.0.0.1", 0))
            local _, port = server:getsockname()

            local function work(x, count)
                if x:receive "work" then return count * count end
            end
            copas.addserver(server, function(raw)
                local connection = copas.wrap(raw)
                while true do
                    local line = connection:receive "*l"
                    if not line then return end
                    local number = tonumber(line)
                    connection:send((number and async.call(pool, work, linda, number) or "quick " .. line) .. "\n")
                end
            end)

            -- Its connection waits for the pool, which waits until the other client has been served.
            local slow = lanes.gen("*", function(port, linda, n)
                local client = assert(require "socket".connect("127.0.0.1", port))
                client:send(n .. "\n")
                linda:send("asked", true)
                local line = client:receive "*l"
                client:close()
                linda:send("ended", true)
                return line
            end)
            local quick = lanes.gen("*", function(port, linda)
                linda:receive "asked"
                linda:receive "asked"
                local client = assert(require "socket".connect("127.0.0.1", port))
                local answers = {}
                for i = 1, 100 do
                    client:send("line" .. i .. "\n")
                    answers[i] = client:receive "*l"
                end
                client:close()
                for i = 1, 2 do linda:send("work", true) end
                linda:send("ended", true)
                return #answers, answers[100]
            end)
            local clients = { slow(port, linda, 12), slow(port, linda, 15), quick(port, linda) }
            copas.addthread(function()
                for _ = 1, #clients do async.receive(linda, "ended") end
                for _, lane in ipairs(clients) do print(async.join(lane)) end
                pool:close()
                os.exit(0)
            end)
            copas.loop()
        ]])
        local result = others.run { out }
        os.remove(out)
        assert.equal("", result.err)
        assert.equal("144\n225\n100\tquick line100\n", (result.out:gsub("%.0\n", "\n")))
        assert.equal(0, result.code)
    end)

    it("runs in a lane, and clients in others", function()
        local program = machine.temporary()
        support.write(program, [[
            local lanes = require "lanes"
            local linda = lanes.linda()
            local server = lanes.gen("*", { package = { path = package.path, cpath = package.cpath } }, function(linda, count)
                local copas, socket = require "copas", require "socket"
                local server = assert(socket.bind("127.0.0.1", 0))
                linda:send("port", (select(2, server:getsockname())))
                local served = 0
                copas.addserver(server, function(raw)
                    local connection = copas.wrap(raw)
                    local line = connection:receive "*l"
                    while line do
                        connection:send(line:reverse() .. "\n")
                        line = connection:receive "*l"
                    end
                    served = served + 1
                end)
                while served < count do copas.step(10) end
                return served
            end)(linda, 5)
            local _, port = linda:receive "port"
            local client = lanes.gen("*", function(port, name)
                local connection = assert(require "socket".connect("127.0.0.1", port))
                local right = 0
                for i = 1, 100 do
                    connection:send(name .. i .. "\n")
                    if connection:receive "*l" == (name .. i):reverse() then right = right + 1 end
                end
                connection:close()
                return right
            end)
            local clients, right = {}, 0
            for i = 1, 5 do clients[i] = client(port, "client" .. i .. "-") end
            for i = 1, 5 do right = right + clients[i][1] end
            print(right, server[1])
        ]])
        local result = others.run { program }
        os.remove(program)
        assert.equal("", result.err)
        assert.equal("500\t5\n", result.out)
        assert.equal(0, result.code)
    end)
end)
