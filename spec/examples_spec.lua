-- The programs in examples/, run as a user runs them: with arguments, by the interpreter that runs
-- these specs.

local support = require "support"
local machine = require "machine"
local needs = require "needs"

--- Runs examples/<name> with arguments. Returns its exit code, standard output and standard error.
local function run(name, ...)
    local result = support.run(("dofile %q"):format("examples/" .. name), { arguments = { ... } })
    return result.code, result.out, result.err
end

local function lines(text)
    local list = {}
    for line in text:gmatch("[^\n]+") do list[#list + 1] = line end
    return list
end

--- A tree of small files, made before and removed after each test that uses it.
local tree
local function write(name, text) support.write(tree .. "/" .. name, text) end

local function make_tree()
    tree = support.directory {
        ["b.txt"] = "one\ntwo needles\n\nneedle at the end",
        ["a b.txt"] = "the first needle\r\n",
        ["none.txt"] = "",
    }
    machine.make_directory(tree .. "/sub")
    machine.make_directory(tree .. "/empty")
    write("sub/it's.txt", "needle\n")
    write("sub/binary", "needle\0needle\n")
end

local function remove_tree() support.remove_directory(tree) end

local NAMES = { "grep.lua", "primes.lua", "pipeline.lua", "clock.lua", "cancel.lua", "wordcount.lua", "server.lua",
    "tour.lua" }

describe("every example", function()
    for _, name in ipairs(NAMES) do
        it(name .. " prints its usage with --help", function()
            for _, option in ipairs { "--help", "-h" } do
                local code, out, err = run(name, option)
                assert.equal("", err)
                assert.equal(0, code)
                assert.truthy(out:find("usage: lua examples/" .. name, 1, true))
                assert.truthy(out:find("LUA_CPATH=", 1, true))
            end
        end)

        it(name .. " says what to do when the library is not found", function()
            local words = { ["grep.lua"] = { "x", "examples" }, ["pipeline.lua"] = { "examples/grep.lua" },
                ["wordcount.lua"] = { "examples" } }
            local result = support.run("package.path, package.cpath = '', ''\n" ..
                ("dofile %q"):format("examples/" .. name), { arguments = words[name] })
            support.contains(name .. ": cannot load lanes; --help shows how", result.err)
            assert.equal(2, result.code)
        end)
    end
end)

describe("the output in the first lines", function()
    -- Lines of the output that are times of day.
    local function without_times(line) return (line:gsub("%d%d:%d%d:%d%d%.%d%d%d", "<time>")) end

    for _, name in ipairs(NAMES) do
        -- A server needs a client: the test of its requests shows what it prints.
        if name ~= "tour.lua" and name ~= "server.lua" then
            it("of " .. name .. " is what it prints", function()
                local text = support.read("examples/" .. name):gsub("\r", "")
                local command, block = text:match "\n%-%-   %$ lua ([^\n]*)\n(.-)\n\n"
                assert.equal("examples/" .. name, command:match "^%S+")
                local words, expected = {}, {}
                for word in command:gsub("^%S+", ""):gmatch "%S+" do words[#words + 1] = word end
                for line in (block .. "\n"):gmatch "%-%-   ([^\n]*)\n" do expected[#expected + 1] = without_times(line) end
                local code, out, err = run(name, (unpack or table.unpack)(words))
                local found = lines(out)
                for i, line in ipairs(found) do found[i] = without_times(line) end
                assert.same(expected, found)
                assert.is_nil(err:find(name, 1, true), err)
                assert.equal(0, code)
            end)
        end
    end
end)

describe("tour.lua", function()
    -- The number of a step, and what it prints.
    local function results(out)
        local list, step = {}, nil
        for line in out:gsub("\r", ""):gmatch "[^\n]+" do
            step = line:match "^(%d) " or step
            local result = line:match "^  > (.*)"
            if result then list[#list + 1] = step .. " " .. result end
        end
        return list
    end

    it("prints in its steps what its first lines say", function()
        local code, out, err = run "tour.lua"
        assert.equal("", err)
        assert.equal(0, code)
        local found, count = "\n" .. table.concat(results(out), "\n") .. "\n", 0
        for line in support.read("examples/tour.lua"):gsub("\r", ""):gmatch "\n%-%-   (%d [^\n]*)" do
            local number, title, result = line:match "^(%d) (.-)   +(.*)$"
            support.contains("\n" .. number .. " " .. title .. "\n", "\n" .. out)
            support.contains("\n" .. number .. " " .. result .. "\n", found)
            count = count + 1
        end
        assert.equal(8, count)
    end)

    it("shows the code of its steps, and takes the numbers of some", function()
        local code, out = run("tour.lua", 4, 2)
        assert.equal(0, code)
        support.contains("\n    local square = lanes.gen(\"*\", function(x) return x * x end)\n", out)
        assert.same({ "4 ONE TWO THREE", "2 1 4 9 16" }, results(out))
    end)
end)

describe("a wrong argument", function()
    local CASES = {
        { "tour.lua", "argument STEP must be a whole number from 1 to 8, not '9'", "1", "9" },
        { "tour.lua", "argument STEP must be a whole number from 1 to 8, not '1.5'", "1.5" },
        { "tour.lua", "argument STEP must be a whole number from 1 to 8, not 'first'", "first" },
        { "grep.lua", "argument PATTERN is missing" },
        { "grep.lua", "argument PATH is missing", "x" },
        { "grep.lua", "argument PATTERN: malformed pattern", "[a", "examples" },
        { "grep.lua", "argument PATTERN: ", "a[b", "examples" },
        { "grep.lua", "argument PATH: /no/such/place", "x", "/no/such/place" },
        { "grep.lua", "argument -j needs a whole number from 1 to 1000, not 'x'", "-j", "x", "a", "examples" },
        { "grep.lua", "argument --lanes needs a whole number from 1 to 1000, not '1.5'", "--lanes", "1.5" },
        { "grep.lua", "argument -j needs a whole number from 1 to 1000", "a", "examples", "-j" },
        { "grep.lua", "unknown option '--what'", "--what" },
        { "primes.lua", "argument LIMIT must be a whole number from 2 to 1000000000, not '1'", "1" },
        { "primes.lua", "argument LIMIT must be a whole number from 2 to 1000000000, not 'nan'", "nan" },
        { "primes.lua", "argument PIECES must be a whole number from 1 to 1000, not '0'", "100", "0" },
        { "primes.lua", "unexpected argument 'more'", "100", "2", "more" },
        { "pipeline.lua", "argument FILE is missing" },
        { "pipeline.lua", "argument FILE: /no/such/file", "/no/such/file" },
        { "pipeline.lua", "argument -n needs a whole number from 1 to 1000, not '-3'", "-n", "-3", "examples/grep.lua" },
        { "pipeline.lua", "argument --log needs the name of a file", "examples/grep.lua", "--log" },
        { "pipeline.lua", "argument --log: /no/such/dir/log", "examples/grep.lua", "--log", "/no/such/dir/log" },
        { "pipeline.lua", "unknown option '-x'", "-x" },
        { "clock.lua", "argument TICKS must be a whole number from 1 to 1000000, not '0'", "0" },
        { "clock.lua", "argument SECONDS must be a number from 0.001 to 3600, not 'soon'", "3", "soon" },
        { "clock.lua", "unexpected argument 'more'", "3", "1", "more" },
        { "cancel.lua", "argument SECONDS must be a number from 0 to 3600, not '-1'", "-1" },
        { "wordcount.lua", "argument PATH is missing" },
        { "wordcount.lua", "argument PATH: /no/such/place", "/no/such/place" },
        { "wordcount.lua", "argument -j needs a whole number from 1 to 1000, not '0'", "-j", "0", "examples" },
        { "wordcount.lua", "argument -n needs a whole number from 0 to 1000", "examples", "-n" },
        { "wordcount.lua", "unknown option '--what'", "--what" },
        { "cancel.lua", "unexpected argument 'more'", "3", "more" },
        { "server.lua", "argument -p needs a whole number from 0 to 65535, not '65536'", "-p", "65536" },
        { "server.lua", "argument -j needs a whole number from 1 to 1000", "-j" },
        { "server.lua", "unexpected argument 'more'", "more" },
    }
    for _, case in ipairs(CASES) do
        local name, message = case[1], case[2]
        it("of " .. name .. " is named: " .. message, function()
            local words = {}
            for i = 3, #case do words[i - 2] = case[i] end
            local code, out, err = run(name, (unpack or table.unpack)(words))
            assert.truthy(err:find(name .. ": " .. message, 1, true), err)
            assert.equal("", out)
            assert.equal(2, code)
            assert.falsy(err:find("traceback", 1, true))
        end)
    end
end)

describe("wordcount.lua", function()
    before_each(make_tree)
    after_each(remove_tree)

    it("counts a tree, with any number of lanes", function()
        local expected = ([[
       1        3         18 %s/a b.txt
       3        7         34 %s/b.txt
       0        0          0 %s/none.txt
       1        2         14 %s/sub/binary
       1        1          7 %s/sub/it's.txt
       6       13         73 in 5 files
       5 needle
       2 the
]]):gsub("%%s", function() return tree end)
        for _, count in ipairs { 1, 2, 5 } do
            local code, out, err = run("wordcount.lua", "-j", count, "-n", 2, tree)
            assert.equal(expected, out)
            assert.equal("", err)
            assert.equal(0, code)
        end
    end)

    it("counts the files of this repository as they are", function()
        local files = { "README.md", "lua/lanes.lua" }
        local sum = 0
        local code, out = run("wordcount.lua", "-n", 0, files[1], files[2])
        for i, name in ipairs(files) do
            local text = support.read(name)
            sum = sum + #text
            local counted = tonumber(lines(out)[i]:match("^%s*%d+%s+%d+%s+(%d+) "))
            assert.equal(#text, counted)
        end
        assert.truthy(lines(out)[3]:find(" " .. sum .. " in 2 files", 1, true))
        assert.equal(0, code)
    end)

    it("names a file that cannot be read, and counts the others", function()
        local program = ([[
            require "lanes".configure { on_state_create = function()
                local real = io.open
                io.open = function(name, ...)
                    if name:find "b%%.txt$" and not name:find " " then return nil, name .. ": no permission" end
                    return real(name, ...)
                end
            end }
            dofile %q
        ]]):format "examples/wordcount.lua"
        local result = support.run(program, { arguments = { "-n", "0", tree } })
        assert.equal("wordcount.lua: " .. tree .. "/b.txt: no permission\n", result.err)
        assert.truthy(result.out:find("3        6         39 in 5 files", 1, true), result.out)
        assert.equal(1, result.code)
    end)
end)

describe("grep.lua", function()
    before_each(make_tree)
    after_each(remove_tree)

    local function expected()
        return table.concat({
            tree .. "/a b.txt:1:the first needle\r",
            tree .. "/b.txt:2:two needles",
            tree .. "/b.txt:4:needle at the end",
            tree .. "/sub/it's.txt:1:needle",
        }, "\n") .. "\n"
    end

    it("prints the matches of a tree in the order of path and line, with any number of lanes", function()
        for _, count in ipairs { 1, 2, 3, 20 } do
            local code, out, err = run("grep.lua", "--once", "-j", count, "needle", tree)
            assert.equal(expected(), out)
            assert.equal("", err)
            assert.equal(0, code)
        end
    end)

    it("prints the speed-up over one lane on standard error", function()
        local code, out, err = run("grep.lua", "-j", 2, "needle", tree)
        assert.equal(expected(), out)
        assert.truthy(err:find("^4 matches in 5 files; [%d.]+ s with 1 lane, [%d.]+ s with 2: [%d.]+ times as fast\n$"))
        assert.equal(0, code)
    end)

    it("takes patterns, and plain text with -F", function()
        local code, out = run("grep.lua", "--once", "^n%a+$", tree)
        assert.equal(tree .. "/sub/it's.txt:1:needle\n", out)
        assert.equal(0, code)
        code, out = run("grep.lua", "--once", "-F", "^n", tree)
        assert.equal("", out)
        assert.equal(1, code)
    end)

    it("ends with 1 when nothing matches", function()
        local code, out = run("grep.lua", "--once", "haystack", tree)
        assert.equal("", out)
        assert.equal(1, code)
    end)

    it("takes a file in place of a directory, and several paths", function()
        local _, out = run("grep.lua", "--once", "needle", tree .. "/sub", tree .. "/a b.txt")
        assert.same({ tree .. "/a b.txt:1:the first needle\r", tree .. "/sub/it's.txt:1:needle" }, lines(out))
    end)

    it("handles many more files than lanes", function()
        for i = 1, 300 do write(("sub/n%03d.txt"):format(i), "needle " .. i .. "\n") end
        local code, out = run("grep.lua", "--once", "-j", 3, "^needle %d", tree)
        local found = lines(out)
        assert.equal(300, #found)
        for i = 1, 300 do assert.equal(("%s/sub/n%03d.txt:1:needle %d"):format(tree, i, i), found[i]) end
        assert.equal(0, code)
    end)
end)

describe("primes.lua", function()
    it("counts the primes below the limit", function()
        local code, out = run("primes.lua", 1000, 3)
        assert.same({
            "         0 .. 332              67 primes, largest 331",
            "       333 .. 665              54 primes, largest 661",
            "       666 .. 999              47 primes, largest 997",
            "168 primes below 1000",
        }, lines(out))
        assert.equal(0, code)
    end)

    it("handles ranges without primes, and empty ranges", function()
        local code, out = run("primes.lua", 2, 4)
        local found = lines(out)
        assert.equal(5, #found)
        assert.truthy(found[1]:find("0 primes, largest -", 1, true))
        assert.equal("0 primes below 2", found[5])
        assert.equal(0, code)
    end)
end)

describe("pipeline.lua", function()
    before_each(make_tree)
    after_each(remove_tree)

    it("counts the words of its files, most frequent first", function()
        write("words.txt", ("the cat and the dog\n"):rep(20000))
        local code, out, err = run("pipeline.lua", "-j", 3, "-n", 3, tree .. "/words.txt", tree .. "/b.txt")
        assert.same({ "   40001 the", "   20000 and", "   20000 cat" }, lines(out))
        assert.equal("", err)
        assert.equal(0, code)
    end)

    it("loses no line of its log", function()
        local path = tree .. "/log"
        local code = run("pipeline.lua", "-j", 2, "--log", path, tree .. "/b.txt", tree .. "/a b.txt")
        assert.equal(0, code)
        local log = support.read(path):gsub("\r", "")
        assert.truthy(log:find("%d%d:%d%d:%d%d read " .. tree:gsub("%p", "%%%0") .. "/b.txt in 1 pieces\n"))
        assert.truthy(log:find("/a b.txt in 1 pieces\n", 1, true))
        assert.truthy(log:find(" counter 1 counted %d pieces\n"))
        assert.truthy(log:find(" counter 2 counted %d pieces\n"))
        assert.equal(4, #lines(log))
    end)

    it("ends with the error of a lane, while the others have more to do", function()
        write("words.txt", ("the cat and the dog\n"):rep(200000))
        -- A directory can be opened on some systems, but not read.
        local code, out, err = run("pipeline.lua", "-j", 2, tree .. "/words.txt", tree)
        assert.equal(2, code)
        assert.equal("", out)
        assert.truthy(err:find("^pipeline.lua: "), err)
    end)
end)

describe("clock.lua", function()
    it("prints the given number of ticks and leaves no timer", function()
        local code, out = run("clock.lua", 3, 0.01)
        local found, ticks = lines(out), {}
        for _, line in ipairs(found) do
            if line:find("^tick") then ticks[#ticks + 1] = line end
        end
        assert.equal("2 timers are set", found[1])
        assert.equal(3, #ticks)
        for i, tick in ipairs(ticks) do
            assert.truthy(tick:find("^tick " .. i .. " %d%d:%d%d:%d%d%.%d%d%d$"), tick)
        end
        assert.equal("0 timers are set", found[#found])
        assert.equal(0, code)
    end)

    it("rings the alarm before a tick that comes later", function()
        local code, out = run("clock.lua", 1, 2.5)
        local found = lines(out)
        assert.truthy(found[2]:find("^alarm  %d%d:%d%d:%d%d%.%d%d%d$"), found[2])
        assert.truthy(found[3]:find("^tick 1 "), found[3])
        assert.equal(0, code)
    end)
end)

describe("cancel.lua", function()
    it("ends all three lanes and removes their files", function()
        local code, out = run("cancel.lua", 60)
        assert.same({
            "polite    done       cleaned up after its end, file removed, did its last step",
            "waiting   cancelled  cleaned up after a cancellation, file removed",
            "spinning  cancelled  cleaned up after a cancellation, file removed",
        }, lines(out))
        assert.equal(0, code)
    end)
end)

describe("server.lua", function()
    local it = needs.posix("io.popen with an environment", needs.module("luv", "luv", it)) -- luacheck: ignore (shadows)

    -- Starts the server; returns the pipe of its output and its port.
    local function start(...)
        local words = {}
        for name, value in pairs(support.environment()) do
            if value then words[#words + 1] = name .. "=" .. machine.quoted(value) end
        end
        words[#words + 1] = support.interpreter() .. " examples/server.lua"
        for _, word in ipairs { ... } do words[#words + 1] = word end
        local pipe = io.popen(table.concat(words, " "))
        return pipe, tonumber(pipe:read("*l"):match "^listening on 127%.0%.0%.1:(%d+)$")
    end

    -- Sends texts to the server, each on a connection of its own, all at the same time; returns its answers.
    local function ask(port, texts)
        local uv = require "luv"
        local answers = {}
        for i, text in ipairs(texts) do
            local client = uv.new_tcp()
            answers[i] = ""
            client:connect("127.0.0.1", port, function(problem)
                assert(not problem, problem)
                client:write(text)
                client:read_start(function(failure, chunk)
                    answers[i] = answers[i] .. (failure or chunk or "")
                    if failure or not chunk then client:close() end
                end)
            end)
        end
        uv.run()
        return answers
    end

    local function get(path) return ("GET %s HTTP/1.1\r\nHost: here\r\n\r\n"):format(path) end

    local function body(answer)
        return answer:match "^HTTP/1%.1 (%d+) ", answer:match "\r\n\r\n(.*)\n$"
    end

    it("answers requests that come at the same time, each with its own result", function()
        local pipe, port = start("-n", 40, "-j", 2)
        local texts, expected = {}, {}
        local primes = { 4, 8, 25, 168, 1229 }
        for i = 1, 40 do
            local power = i % 5 + 1
            texts[i] = get("/primes/" .. ("%d"):format(power == 1 and 10 or power == 2 and 20 or 10 ^ (power - 1)))
            expected[i] = primes[power]
        end
        for i, answer in ipairs(ask(port, texts)) do
            assert.same({ "200", tostring(expected[i]) }, { body(answer) })
        end
        -- It ends after as many answers as it was told.
        assert.is_nil(pipe:read "*l")
        pipe:close()
    end)

    it("answers others while a request is computed, and says what is wrong", function()
        local pipe, port = start("-n", 6, "-j", 1)
        local answers = ask(port, {
            get "/primes/3000000", get "/status", get "/primes/1e9", get "/primes/100000000",
            "PUT / HTTP/1.0\r\n\r\n", "hello\r\n\r\n",
        })
        assert.same({ "200", "216816" }, { body(answers[1]) })
        assert.matches("1 lanes, %d busy, %d waiting", (select(2, body(answers[2]))))
        assert.same({ "404", "GET /primes/N or GET /status" }, { body(answers[3]) })
        assert.same({ "500", "that would take too long: at most 10000000" }, { body(answers[4]) })
        assert.same({ "405", "only GET is served" }, { body(answers[5]) })
        assert.same({ "400", "this is not HTTP" }, { body(answers[6]) })
        assert.is_nil(pipe:read "*l")
        pipe:close()
    end)
end)
