-- Other people's modules in lanes: several lanes use each of them at once, and compute what this state computes. Modules in C are used by
-- the lanes that require them, and by those that are launched with one of their tables as an upvalue.
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"
local needs = require "needs"
local others = require "others.environment"

-- The module, the package that has it, what a lane does with it, and a part of what that returns for 1. Each function gets the module and a
-- number, and returns a string that is the same in every state.
local uses = {
    { "cjson", "lua-cjson", '"a":[1,2,null]', function(cjson, n)
        local text = cjson.encode { a = { n, 2, cjson.null } }
        return text .. tostring(cjson.decode(text).a[3] == cjson.null)
    end },
    { "lpeg", "lua-lpeg", "13", function(lpeg, n)
        local sum = lpeg.Cf(lpeg.Cc(0) * (lpeg.C(lpeg.R "09" ^ 1) / tonumber * ("+" + -lpeg.P(1))) ^ 1, function(a, b) return a + b end)
        return ("%d"):format(sum:match("1+2+" .. n + 9))
    end },
    { "re", "lua-lpeg", "x1y", function(re, n)
        return (re.gsub("a" .. n .. "b", "[a-b]", { a = "x", b = "y" }))
    end },
    { "lfs", "lua-filesystem", "directory ", function(lfs, n)
        local names = {}
        for name in lfs.dir "lua" do names[#names + 1] = name end
        table.sort(names)
        return lfs.attributes("lua", "mode") .. " " .. n .. table.concat(names, " ")
    end },
    { "socket", "lua-socket", "line 1", function(socket, n)
        local server = assert(socket.bind("127.0.0.1", 0))
        local address, port = server:getsockname()
        local client = assert(socket.connect(address, port))
        local accepted = assert(server:accept())
        assert(accepted:send("line " .. n .. "\n"))
        local line = client:receive "*l"
        accepted:close()
        client:close()
        server:close()
        return line
    end },
    { "mime", "lua-socket", "MSBu", function(mime, n)
        return (mime.b64(n .. " numbers")) .. mime.qp("\195\164")
    end },
    { "pl.pretty", "lua-penlight", '"a"', function(pretty, n)
        return pretty.write({ n, { "a" }, x = { y = n } }, "")
    end },
    { "pl.data", "lua-penlight", "sum 6", function(data, n)
        local table_ = data.read(require "pl.stringio".open(("k,v\na,%d\nb,5\n"):format(n)), { delim = "," })
        local sum = 0
        for _, row in ipairs(table_) do sum = sum + row[2] end
        return ("sum %d"):format(sum)
    end },
    { "inspect", "lua-inspect", '"b"', function(inspect, n)
        return inspect { n, { "b" } }
    end },
    { "argparse", "lua-argparse", "Usage: tool1", function(argparse, n)
        local parser = argparse("tool" .. n)
        parser:option("-x --extra"):convert(tonumber)
        parser:argument "files":args "*"
        local parsed = parser:parse { "-x", "4", "a", "b" }
        return parser:get_usage() .. parsed.extra .. table.concat(parsed.files)
    end },
    { "cliargs", "lua-cliargs", "-n", function(_, n)
        local cli = require "cliargs.core"()
        cli:set_name "tool"
        cli:option("-n, --number=NUMBER", "a number", n)
        return cli.printer.generate_help_and_usage()
    end },
    { "dkjson", "lua-dkjson", '[1,{"k"', function(json, n)
        local value = json.decode(json.encode { n, { k = json.null } }, 1, json.null)
        return json.encode(value)
    end },
    { "say", "lua-say", "one is 1", function(say, n)
        say:set_namespace "en"
        say:set("sentence", "one is %s")
        return say("sentence", { n })
    end },
    { "luassert", "lua-luassert", "Expected objects to be equal", function(luassert, n)
        luassert.are.same({ n, {} }, { n, {} })
        local _, err = pcall(luassert.are.equal, n, "x")
        return tostring(err)
    end },
    { "lyaml", "lua-yaml", "- 1\n", function(lyaml, n)
        return lyaml.dump { lyaml.load("[" .. n .. ", {a: [x, y]}]") }
    end },
    { "MessagePack", "lua-messagepack", "1-abc", function(pack, n)
        local list = pack.unpack(pack.pack { n, { "abc" } })
        return ("%d-%s"):format(list[1], list[2][1])
    end },
    { "mpack", "lua-mpack", "1-abc", function(mpack, n)
        local list = mpack.unpack(mpack.pack { n, { "abc" } })
        return ("%d-%s"):format(list[1], list[2][1])
    end },
    { "zlib", "lua-zlib", "1 text", function(zlib, n)
        local text = (n .. " text "):rep(100)
        return (zlib.inflate()(zlib.deflate()(text, "finish")))
    end },
    { "md5", "lua-md5", "c4ca4238a0b923820dcc509a6f75849b", function(md5, n)
        return md5.sumhexa(("%d"):format(n))
    end },
    { "lxp", "lua-expat", "a b1 ", function(lxp, n)
        local names = {}
        local parser = lxp.new { StartElement = function(_, name) names[#names + 1] = name end }
        assert(parser:parse("<a><b" .. n .. "/></a>"))
        assert(parser:parse())
        parser:close()
        return table.concat(names, " ") .. " "
    end },
    { "iconv", "lua-iconv", "\195\164 1", function(iconv, n)
        return (iconv.new("utf-8", "iso-8859-1"):iconv("\228 " .. n))
    end },
    { "rex_pcre2", "lua-rex-pcre2", "<1>-<2>", function(rex, n)
        return (rex.gsub(n .. "-2", [[(?<digit>\d)]], "<%1>"))
    end },
    { "openssl.digest", "lua-luaossl", "6b86b273", function(digest, n)
        return (digest.new "sha256":final(("%d"):format(n)):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
    end },
    { "luasql.sqlite3", "lua-sql-sqlite3", "3 rows, 6", function(luasql, n)
        local environment = luasql.sqlite3()
        local connection = assert(environment:connect ":memory:")
        assert(connection:execute "create table t (x integer)")
        for i = n, n + 2 do assert(connection:execute("insert into t values (" .. i .. ")")) end
        local cursor = assert(connection:execute "select count(*), sum(x) from t")
        local count, sum = cursor:fetch()
        cursor:close()
        connection:close()
        environment:close()
        return ("%d rows, %d"):format(count, sum)
    end },
    { "posix.unistd", "lua-posix", "1 read", function(unistd, n)
        local reader, writer = unistd.pipe()
        assert(unistd.write(writer, n .. " read"))
        local text = unistd.read(reader, 100)
        unistd.close(reader)
        unistd.close(writer)
        return text
    end },
    { "luv", "lua-luv", "5 timers", function(luv, n)
        -- Its own loop in each state.
        local count = 0
        for i = 1, 5 do
            local timer = luv.new_timer()
            timer:start(i % 2, 0, function()
                count = count + 1
                timer:close()
            end)
        end
        luv.run()
        return count .. " timers " .. n
    end },
    { "cosmo", "lua-cosmo", "1 x 1 y", function(cosmo, n)
        return cosmo.fill("$list[[$number $it ]]", { list = { { number = n, it = "x" }, { number = n, it = "y" } } })
    end },
    { "leg.parser", "lua-leg", "matches 12", function(parser, n)
        -- The grammar of Lua.
        local lpeg = require "lpeg"
        return "matches " .. lpeg.match(lpeg.P(parser.apply(lpeg.V "Chunk")), "local x = " .. n)
    end },
    { "markdown", "lua-markdown", "<h1>1</h1>", function(markdown, n)
        return markdown(("# %d\n\n*text*\n"):format(n))
    end },
    { "rings", "lua-rings", "inner 2", function(rings, n)
        -- A state in a lane's state.
        local state = rings.new()
        local _, result = state:dostring("return 'inner ' .. " .. n .. " + 1")
        state:close()
        return (result:gsub("%.0", ""))
    end },
    { "json", "lua-json", "[1,", function(json, n)
        return json.encode { n, json.decode "[true, {}]"[1] }
    end },
    { "luaunit", "lua-unit", "expected: 2, actual: 1", function(luaunit, n)
        local _, err = pcall(luaunit.assertEquals, n, n + 1)
        return luaunit.prettystr { n, { "x" } } .. tostring(type(err) == "table" and err.msg or err)
    end },
    { "ldoc.lexer", "lua-ldoc", "iden x, =, number 1", function(lexer, n)
        local tokens = {}
        for kind, text in lexer.lua(("x = %d"):format(n), { space = true }) do
            tokens[#tokens + 1] = kind == text and kind or kind .. " " .. text
        end
        return table.concat(tokens, ", ")
    end },
    { "luacheck", "lua-check", "unused variable 'x1'", function(luacheck, n)
        local report = luacheck.check_strings { "local x" .. n .. " = 1" }
        return luacheck.get_message(report[1][1])
    end },
}

-- What a lane does that requires the module; it has the package paths of this state.
local requiring = lanes.gen("*", function(path, cpath, name, use, n)
    package.path, package.cpath = path, cpath
    return use(require(name), n)
end)

local LANES, ROUNDS = 4, 5

for _, entry in ipairs(uses) do
    local name, package_name, expected, use = entry[1], entry[2], entry[3], entry[4]
    describe("the module " .. name, function()
        local it = others.module(name, package_name, it) -- luacheck: ignore (shadows)

        it("does in lanes what it does here", function()
            others.with_paths(function()
                local here = {}
                for n = 1, LANES do here[n] = use(require(name), n) end
                support.contains(expected, here[1])
                for _ = 1, ROUNDS do
                    local running = {}
                    for n = 1, LANES do running[n] = requiring(package.path, package.cpath, name, use, n) end
                    for n = 1, LANES do assert.are.equal(here[n], running[n][1]) end
                end
            end)
        end)

        -- Environments (setfenv) do not travel, and all functions of markdown share one.
        local travels = name ~= "markdown" and it or function() end
        travels("travels with a function that uses it", function()
            others.with_paths(function()
                local module = require(name)
                local path, cpath = package.path, package.cpath
                local generator = lanes.gen("*", { package = { path = path, cpath = cpath } }, function(n) return use(module, n) end)
                local here = use(module, 2)
                local first, second = generator(2), generator(2)
                assert.are.equal(here, first[1])
                assert.are.equal(here, second[1])
            end)
        end)
    end)
end

describe("objects of other people's classes", function()
    needs.module("pl.List", "lua-penlight", it)("come back as objects of the class", function()
        local List = require "pl.List"
        local function lane(list)
            local List = require "pl.List" -- luacheck: ignore
            assert(List:class_of(list))
            return list:map(function(x) return x * 2 end), List { "new" }
        end
        local doubled, new = lanes.gen("*", lane)(List { 1, 2, 3 }):join()
        assert.are.equal("{2,4,6}", tostring(doubled))
        assert.is_true(List:class_of(doubled))
        assert.is_true(List:class_of(new))
        assert.are.equal("{new,1}", tostring(new .. List { 1 }))
    end)

    needs.module("cjson", "lua-cjson", it)("cjson.null is the same everywhere", function()
        local cjson = require "cjson"
        local linda = lanes.linda()
        linda:send("k", { cjson.null })
        local lane = lanes.gen("*", function(linda) -- luacheck: ignore
            local cjson = require "cjson" -- luacheck: ignore
            local _, list = linda:receive "k"
            return list[1] == cjson.null, cjson.decode "[null]"
        end)(linda)
        assert.is_true(lane[1])
        assert.are.equal(cjson.null, lane[2][1])
    end)

    needs.module("lpeg", "lua-lpeg", it)("patterns of LPeg are refused, with what could be done", function()
        local pattern = require "lpeg".P "x"
        local expected = "can't copy non-deep full userdata across lanes (lane body, upvalue pattern"
        support.raises(expected, lanes.gen("*", function() return pattern end))
    end)
end)
