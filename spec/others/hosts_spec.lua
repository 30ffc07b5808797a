-- Programs that embed a Lua, as Debian and PyPI have them: premake, HAProxy, clingo, Neovim, Python with lupa. Each runs a script that
-- uses Lanes, goes on, and ends while a lane still waits.
local support = require "support"
local machine = require "machine"
local needs = require "needs"
local others = require "others.environment"

local script = [[
package.path, package.cpath = os.getenv "LANES_PATH", os.getenv "LANES_CPATH"
local lanes = require "lanes".configure()
local linda = lanes.linda()
local sender = lanes.gen("*", function(x, n)
    for i = 1, n do x:send("k", i) end
    return n
end)(linda, 1000)
local sum = 0
for _ = 1, 1000 do sum = sum + select(2, linda:receive "k") end
local doubled = lanes.map({ 1, 2, 3 }, function(x) return x * 2 end)
local waiting = lanes.gen("*", function(x) x:receive "never" end)(linda)
while waiting.status ~= "waiting" do lanes.sleep(0.001) end
io.stdout:write(("received %d of %d, doubled %d\n"):format(sum, sender[1], doubled[3]))
io.stdout:flush()
]]

-- The Lua, the program, a function that writes its files into a directory and returns its arguments, and what it prints afterwards.
local hosts = {
    { "5.1", "/usr/bin/premake4", function(directory)
        support.write(directory .. "/premake4.lua",
            script .. 'newaction { trigger = "go-on", description = "", execute = function() print "premake goes on" end }\n')
        return { "--file=" .. directory .. "/premake4.lua", "go-on" }
    end, "premake goes on\n" },
    { "5.3", "/usr/sbin/haproxy", function(directory)
        -- A task of HAProxy: its loop runs, and the task ends the process.
        support.write(directory .. "/script.lua", script .. [[
            core.register_task(function()
                core.msleep(1)
                print "haproxy goes on"
                io.stdout:flush()
                os.exit(0)
            end)]])
        support.write(directory .. "/haproxy.cfg", ([[
global
    lua-load %s/script.lua
    nbthread 2
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 10s
frontend all
    bind unix@%s/socket
]]):format(directory, directory))
        return { "-f", directory .. "/haproxy.cfg" }
    end, "haproxy goes on\n" },
    { "5.4", "/usr/bin/clingo", function(directory)
        support.write(directory .. "/program.lp", "#script (lua)\n" .. script ..
            "function double(x) return 2 * x.number end\n#end.\nclingo_goes_on(@double(21)).\n")
        return { directory .. "/program.lp" }
    end, "clingo_goes_on(42)\n" },
    { "luajit", "/usr/bin/nvim", function(directory)
        -- Its loop, which is luv's, runs while a coroutine waits for a lane.
        support.write(directory .. "/script.lua", script .. [[
            local async = lanes.async.luv(vim.loop)
            local result
            coroutine.wrap(function()
                result = async.join(lanes.gen("*", function(x) return select(2, x:receive "go") end)(linda))
            end)()
            vim.schedule(function() linda:send("go", "on") end)
            vim.wait(60000, function() return result end, 1)
            io.stdout:write("nvim goes ", result, "\n")]])
        return { "--headless", "--clean", "-c", "luafile " .. directory .. "/script.lua", "-c", "qa!" }
    end, "nvim goes on\n" },
    { support.lua, "/usr/bin/python3", function(directory)
        support.write(directory .. "/script.lua", script)
        local module = support.lua == "luajit" and "luajit21" or "lua" .. support.lua:gsub("%.", "")
        -- C modules find Lua's functions only if they are those of all.
        support.write(directory .. "/program.py", ([[
import sys, importlib
sys.path.insert(0, "%s")
import lupa
with lupa.allow_lua_module_loading():
    lua = importlib.import_module("lupa.%s").LuaRuntime()
lua.execute("dofile '%s/script.lua'")
print("python goes on with", lua.eval("20 + 1") * 2)
]]):format(others.sources "lupa", module, directory))
        return { directory .. "/program.py" }
    end, "python goes on with 42\n", "lupa" },
}

-- The programs are this machine's, and so must the library be.
local target = require "lanes_core".build.target
local foreign = (machine.wrapper ~= "" or not target:find "linux%-gnu$") and "need a library for the programs of Debian" or nil

for _, entry in ipairs(hosts) do
    local language, program, prepare, after, sources = entry[1], entry[2], entry[3], entry[4], entry[5]
    if language == support.lua then
        describe("in " .. program, function()
            local missing = not machine.is_readable(program) and "need the program " .. program or nil
            if sources then missing = missing or others.missing(sources) end
            needs.unless(foreign or missing, it)("a script uses Lanes, and the program goes on and ends", function()
                local directory = support.directory()
                local words = { program }
                for _, word in ipairs(prepare(directory)) do words[#words + 1] = word end
                local path, cpath = others.paths()
                local result = machine.run(words, {
                    limit = 60, directory = directory,
                    environment = { LANES_PATH = path, LANES_CPATH = cpath, HOME = directory, TERM = "dumb" },
                })
                support.remove_directory(directory)
                support.contains("received 500500 of 1000, doubled 6\n", result.out)
                support.contains(after, result.out)
                -- clingo says by 30 that it has all answers.
                assert.equal(program:find "clingo$" and 30 or 0, result.code)
            end)
        end)
    end
end
