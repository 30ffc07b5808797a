-- Standard functions that are replaced behave like the originals: results, texts and positions of
-- errors are compared call by call.
local original_require = require
local support = require "support"
local assert, describe, it, _ENV = support.plain(assert, describe, it)

local lanes = require "lanes"

-- Each line is a program, which returns the values to compare.
-- luacheck: push no max line length
local PROGRAMS = [==[
-- resume: bad arguments
return coroutine.resume()
return coroutine.resume(nil)
return coroutine.resume(5)
return coroutine.resume("text", 1, 2)
return coroutine.resume({})
return coroutine.resume(print)
return coroutine.resume(io.stdout)
local r = coroutine.resume; r(5)
local t = { go = coroutine.resume }; t.go(5)
local t = { go = coroutine.resume }; t:go(5)
local t = setmetatable({}, { __index = coroutine.resume }); return t.field
local r = coroutine.resume; return (r(5))
return coroutine.resume(5), 1
return pcall(coroutine.resume)
return pcall(coroutine.resume, 5)
return xpcall(function() coroutine.resume(5) end, debug.traceback ~= nil and function(e) return e end)
local co = coroutine.create(function() coroutine.resume(5) end); return coroutine.resume(co)
local co = coroutine.create(coroutine.resume); return coroutine.resume(co, 5)
-- resume: states of the coroutine
local co = coroutine.create(function() end); return coroutine.resume(co), coroutine.status(co), coroutine.resume(co)
local co = coroutine.create(function() end); coroutine.resume(co); return coroutine.resume(co, 1, 2)
local co = coroutine.create(function() error("no") end); coroutine.resume(co); return coroutine.resume(co)
local co; co = coroutine.create(function() return coroutine.resume(co) end); return coroutine.resume(co)
local co; co = coroutine.create(function() return coroutine.resume(coroutine.create(function() return coroutine.resume(co) end)) end); return coroutine.resume(co)
local co = coroutine.running(); if co then return coroutine.resume(co) end
local co; co = coroutine.create(function(...) local c = coroutine.running(); return coroutine.resume(c, ...) end); return coroutine.resume(co, 1)
-- resume: arguments and results
local co = coroutine.create(function(...) return select("#", ...), ... end); return coroutine.resume(co, nil, 2, nil)
local co = coroutine.create(function(a) local b = coroutine.yield(a, nil); return b end); local x, y, z = coroutine.resume(co, 1); return x, y, z, coroutine.resume(co, 2)
local co = coroutine.create(function() error("text") end); return coroutine.resume(co)
local co = coroutine.create(function() error("text", 0) end); return coroutine.resume(co)
local co = coroutine.create(function() error("text", 2) end); return coroutine.resume(co)
local co = coroutine.create(function() error(5) end); return coroutine.resume(co)
local co = coroutine.create(function() error() end); return coroutine.resume(co)
local co = coroutine.create(function() error({}) end); return coroutine.resume(co)
local co = coroutine.create(function() return nil + 1 end); return coroutine.resume(co)
local co = coroutine.create(function() return (table.unpack or unpack)({}, 1, 500) end); return select("#", coroutine.resume(co))
local co = coroutine.create(function(...) return select("#", ...) end); return coroutine.resume(co, (table.unpack or unpack)({}, 1, 500))
local co = coroutine.create(function(...) return 1 end); return coroutine.resume(co, (table.unpack or unpack)({}, 1, 7900))
local co = coroutine.create(function() return pcall(error, "inner") end); return coroutine.resume(co)
local co = coroutine.create(string.rep); return coroutine.resume(co, "x", 3)
local co = coroutine.create(string.rep); return coroutine.resume(co, {})
-- wrap: bad arguments
return coroutine.wrap()
return coroutine.wrap(nil)
return coroutine.wrap(5)
return coroutine.wrap("text")
return coroutine.wrap({})
return coroutine.wrap(coroutine.create(function() end))
local w = coroutine.wrap; w(5)
local t = { go = coroutine.wrap }; t:go(5)
return pcall(coroutine.wrap)
return pcall(coroutine.wrap, 5)
return type(coroutine.wrap(print))
return coroutine.wrap(print, 1, 2)
return coroutine.wrap(string.rep)("x", 3)
return type(coroutine.wrap(function() end, 1, 2))
return select("#", coroutine.wrap(function() end))
return coroutine.create()
return coroutine.create(5)
return type(coroutine.create(print))
-- wrap: calls
return coroutine.wrap(function(...) return select("#", ...), ... end)(nil, 2, nil)
local f = coroutine.wrap(function(a) local b = coroutine.yield(a, nil); return b end); local x, y = f(1); return x, y, f(2)
local f = coroutine.wrap(function() end); f(); f()
local f = coroutine.wrap(function() end); f(); return f(1, 2, 3)
local f = coroutine.wrap(function() end); f(); return pcall(f)
local f; f = coroutine.wrap(function() f() end); f()
local f; f = coroutine.wrap(function() return pcall(f) end); return f()
local f; f = coroutine.wrap(function() coroutine.wrap(function() f() end)() end); f()
local f = coroutine.wrap(function() error("text") end); f()
local f = coroutine.wrap(function() error("text", 0) end); f()
local f = coroutine.wrap(function() error("text", 2) end); f()
local f = coroutine.wrap(function() error(5) end); f()
local f = coroutine.wrap(function() error(5.5) end); f()
local f = coroutine.wrap(function() error() end); f()
local f = coroutine.wrap(function() error(true) end); f()
local f = coroutine.wrap(function() error({}) end); f()
local f = coroutine.wrap(function() error(setmetatable({}, { __tostring = function() return "object" end })) end); f()
local f = coroutine.wrap(function() return nil + 1 end); f()
local f = coroutine.wrap(function() error("text") end); pcall(f); f()
local f = coroutine.wrap(function() error("text") end); return pcall(f)
local f = coroutine.wrap(function() coroutine.wrap(function() error("text") end)() end); f()
local f = coroutine.wrap(function() string.rep() end); f()
for a, b in coroutine.wrap(function() coroutine.yield(1, 2) end) do return a, b end
return select("#", coroutine.wrap(function() return (table.unpack or unpack)({}, 1, 500) end)())
return coroutine.wrap(function(...) return select("#", ...) end)((table.unpack or unpack)({}, 1, 500))
return debug.getinfo(coroutine.wrap, "S").what, debug.getinfo(coroutine.resume, "S").short_src, debug.getinfo(coroutine.wrap(function() end), "S").what
-- the rest of the library
return coroutine.status()
return coroutine.status(5)
return coroutine.yield and type(coroutine.yield)
return coroutine.isyieldable and coroutine.isyieldable()
-- (since 5.5, a coroutine that closes itself ends, so this is done in a separate coroutine)
if coroutine.isyieldable and coroutine.isyieldable() then return end return coroutine.close and coroutine.close()
local co = coroutine.create(function() return coroutine.close and coroutine.close() end); return coroutine.resume(co)
local co = coroutine.create(function() end); return coroutine.close and coroutine.close(co), coroutine.status(co)
local co = coroutine.create(function() error("no") end); coroutine.resume(co); return coroutine.close and coroutine.close(co)
if coroutine.isyieldable and coroutine.isyieldable() then return end return coroutine.close and coroutine.close(coroutine.running())
local co = coroutine.create(function() return coroutine.close and coroutine.close(coroutine.running()) end); return coroutine.resume(co)
return coroutine.close and coroutine.close(5)
return coroutine.close and coroutine.close(nil, 1)
if coroutine.isyieldable and coroutine.isyieldable() then return end return coroutine.close and pcall(coroutine.close)
local co = coroutine.create(function() return coroutine.close and pcall(coroutine.close) end); return coroutine.resume(co)
local co; co = coroutine.create(function() return coroutine.close and coroutine.close(co) end); return coroutine.resume(co)
local co; co = coroutine.create(function() return coroutine.resume(coroutine.create(function() return coroutine.close and coroutine.close(co) end)) end); return coroutine.resume(co)
local co = coroutine.create(function() coroutine.yield() end); coroutine.resume(co); return coroutine.close and coroutine.close(co), coroutine.status(co)
local co = coroutine.create(function() end); coroutine.resume(co); return coroutine.close and coroutine.close(co), coroutine.status(co)
local n = 0; local function f() n = n + 1; if n < 150 then return coroutine.wrap(f)() end; return n end; return f()
local n = 0; local function f() n = n + 1; if n < 150 then return select(2, coroutine.resume(coroutine.create(f))) end; return n end; return f()
-- sethook: bad arguments
return debug.sethook(5)
return debug.sethook(5, 5)
return debug.sethook(5, "l")
return debug.sethook("f", "l")
return debug.sethook({}, "l")
return debug.sethook(print)
return debug.sethook(print, nil)
return debug.sethook(print, {})
return debug.sethook(function() end, "l", "x")
return debug.sethook(function() end, "l", {})
return debug.sethook(function() end, "", 1.5)
return debug.sethook(coroutine.create(print or 1), 5)
return debug.sethook(coroutine.create(function() end), 5)
return debug.sethook(coroutine.create(function() end), print)
return debug.sethook(coroutine.create(function() end), print, "l", {})
local s = debug.sethook; s(5)
local t = { go = debug.sethook }; t:go(5)
return pcall(debug.sethook, 5)
return pcall(debug.sethook, print)
return debug.sethook()
return debug.sethook(nil)
return debug.sethook(nil, 5)
return debug.sethook(nil, "l", "x")
return select("#", debug.sethook())
-- sethook and gethook
return debug.gethook()
return debug.gethook(5)
return debug.gethook({}, 1)
return select("#", debug.gethook())
local h = function() end; debug.sethook(h, ""); local f, m, c = debug.gethook(); debug.sethook(); return f == h, m, c
debug.sethook(print, "", 100000000); local f, m, c = debug.gethook(); debug.sethook(); return f == print, m, c
local h = function() end; debug.sethook(h, "crl", 7); local f, m, c = debug.gethook(); debug.sethook(); return f == h, m, c, debug.gethook()
local h = function() end; debug.sethook(h, "x", 0); local f, m, c = debug.gethook(); debug.sethook(); return f == h, m, c
local co = coroutine.create(function() end); debug.sethook(co, print, "", 5000); local f, m, c = debug.gethook(co); local own = debug.gethook(); debug.sethook(co); return f == print, m, c, own == print, debug.gethook(co)
local co = coroutine.create(function() end); debug.sethook(co); return debug.gethook(co)
local n = 0; debug.sethook(function() n = n + 1 end, "c"); math.abs(1); debug.sethook(); return n
local n = 0; debug.sethook(function() n = n + 1 end, "r"); math.abs(1); debug.sethook(); return n
local lines = {}; debug.sethook(function(e, l) lines[#lines + 1] = e .. l end, "l"); local x = 1
debug.sethook(function() debug.sethook(); error("from the hook") end, "", 1); local x = 1; x = x + 1; return x
debug.sethook(function() debug.sethook(); error("from the hook") end, "c"); math.abs(1)
-- require
return require()
return require(nil)
return require({})
return require(true)
return require(print)
local r = require; r()
local t = { go = require }; t.go()
local t = { go = require }; t:go()
return pcall(require)
return pcall(require, {})
return require "spec_no_such_module"
return require("spec_no_such_module", 1)
return pcall(require, "spec_no_such_module")
return require(5)
package.preload.spec_a = function() error("inside") end; require "spec_a"
package.preload.spec_b = function() error("inside", 0) end; require "spec_b"
package.preload.spec_c = function() error("inside", 2) end; require "spec_c"
package.preload.spec_d = function() error({}) end; require "spec_d"
package.preload.spec_e = function() return nil + 1 end; require "spec_e"
package.preload.spec_f = function() require "spec_no_such_module" end; require "spec_f"
package.preload.spec_g = function() require() end; require "spec_g"
package.preload.spec_h = function(...) return select("#", ...) end; return require "spec_h"
package.preload.spec_i = function(...) return ... end; return require("spec_i", 1, 2)
package.preload.spec_j = function() return false end; return require "spec_j"
package.preload.spec_k = function() end; return require "spec_k"
package.preload.spec_l = function() coroutine.resume(5) end; require "spec_l"
package.preload.spec_m = function() string.rep() end; require "spec_m"
package.preload.spec_n = function() error("module 'spec_n' not found:", 0) end; require "spec_n"
package.loaded.spec_o = "there"; return require "spec_o"
package.loaded.spec_u = 5; return require "spec_u"
package.preload.spec_v = function() error("inside", 0) end; return pcall(require, "spec_v"), require "spec_v"
package.preload.spec_w = function() error("inside", 0) end; return pcall(require, "spec_w"), pcall(require, "spec_w")
local n = 0; package.preload.spec_x = function() n = n + 1; return n > 3 and n or require "spec_x" end; return require "spec_x"
local p = package.path; package.path = nil; local ok, e = pcall(function() require "spec_p" end); package.path = p; return e
local p = package.path; package.path = "./?.none"; local ok, e = pcall(function() require "spec_q" end); package.path = p; return e
local k = package.searchers and "searchers" or "loaders"; local s = package[k]; package[k] = nil; local ok, e = pcall(function() require "spec_r" end); package[k] = s; return e
local s = package.searchers or package.loaders; table.insert(s, 1, function(n) if n == "spec_s" then error("searcher") end end); local ok, e = pcall(function() require "spec_s" end); table.remove(s, 1); return e
local s = package.searchers or package.loaders; table.insert(s, 1, function(n) return 5 end); local ok, e = pcall(function() require "spec_t" end); table.remove(s, 1); return (tostring(e):gsub("\n.*", ""))
]==]
-- luacheck: pop

-- Runs each program. Returns the outcomes as texts; tables, functions and the like are shown by
-- their types.
local function outcomes(programs)
    local load_text = rawget(_G, "loadstring") or load
    local function write(...)
        local texts = {}
        for i = 1, select("#", ...) do
            local value = select(i, ...)
            local kind = type(value)
            local plain = kind == "string" or kind == "number" or kind == "boolean" or kind == "nil"
            -- 5.2 finds a function in _G by any of its names, depending on the order in its tables.
            local text = tostring(value):gsub("'_G%.", "'")
            -- LuaRocks, which may run the specs, adds a searcher to the main state.
            text = text:gsub("No LuaRocks module found for [%w_]+", "")
            texts[i] = kind .. (plain and " " .. text or "")
        end
        return table.concat(texts, ", ")
    end
    local found = {}
    for line in programs:gmatch("[^\n]+") do
        if not line:find("^%-%-") then
            local program = assert(load_text(line, "@program"))
            found[#found + 1] = line .. "\n => " .. write(pcall(program))
            debug.sethook()
            for name in line:gmatch("spec_%l") do package.loaded[name], package.preload[name] = nil, nil end
        end
    end
    return found
end

-- Asserts that the outcomes are the same. Reports only those that differ.
local function same(expected, actual)
    assert.is_true(#expected > 150)
    local differences = {}
    for i = 1, math.max(#expected, #actual) do
        if expected[i] ~= actual[i] then
            differences[#differences + 1] = ("%s\n but %s"):format(expected[i], tostring(actual[i]):gsub("^.-\n", ""))
        end
    end
    assert.equal("", table.concat(differences, "\n"))
end

describe("a replaced function", function()
    local function in_main()
        local serialised = require
        rawset(_G, "require", original_require)
        local found = outcomes(PROGRAMS)
        rawset(_G, "require", serialised)
        return found
    end

    it("behaves in a lane like the original in the main state", function()
        same(in_main(), lanes.gen("*", outcomes)(PROGRAMS)[1])
    end)

    it("behaves in a coroutine of a lane like the original in one of the main state", function()
        local function in_coroutine()
            local _, found = coroutine.resume(coroutine.create(outcomes), PROGRAMS)
            return found
        end
        local serialised = require
        rawset(_G, "require", original_require)
        local expected = in_coroutine()
        rawset(_G, "require", serialised)
        same(expected, lanes.gen("*", in_coroutine)()[1])
    end)

    it("behaves in the main state like the original", function()
        same(in_main(), outcomes(PROGRAMS))
    end)

    it("limits the nesting of coroutines as the original does", function()
        -- The depth reached, and the innermost error.
        local function nest(resume)
            local depth = 0
            local function f()
                depth = depth + 1
                if depth > 10000 then return "no limit" end
                if resume then
                    local _, message = coroutine.resume(coroutine.create(f))
                    return message
                end
                return coroutine.wrap(f)()
            end
            local ok, message = pcall(f)
            return depth, ok, message
        end
        for _, resume in ipairs { false, true } do
            local depth, ok, message = nest(resume)
            local handle = lanes.gen("*", nest)(resume)
            local lane_depth, lane_ok, lane_message = handle[1], handle[2], handle[3]
            assert.equal(ok, lane_ok)
            local limit = "C stack overflow"
            assert.equal(tostring(message):find(limit, 1, true) ~= nil, tostring(lane_message):find(limit, 1, true) ~= nil)
            assert.is_true(math.abs(depth - lane_depth) <= 10, ("%d levels, %d in a lane"):format(depth, lane_depth))
        end
    end)
end)
