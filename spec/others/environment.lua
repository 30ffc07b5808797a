-- What the specs of other people's programs share: where those are, and how they run.
local support = require "support"
local machine = require "machine"
local needs = require "needs"

local others = {}

-- Debian has some modules in Lua for 5.1 only, although they run on every Lua.
local FALLBACK = ";/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua"

-- A path with absolute directories, since programs run in directories of their own.
local function absolute(path)
    local parts = {}
    for part in path:gmatch "[^;]+" do
        parts[#parts + 1] = part:gsub("^%./", function() return machine.here() .. "/" end)
    end
    return table.concat(parts, ";")
end

--- The package paths of this interpreter, for programs.
-- @return package.path with the modules that are there for 5.1 only, and package.cpath
function others.paths()
    return absolute(package.path) .. FALLBACK, absolute(package.cpath)
end

--- Calls a function with these paths, and sets the former ones again.
function others.with_paths(f)
    local path, cpath = package.path, package.cpath
    package.path, package.cpath = others.paths()
    local ok, err = pcall(f)
    package.path, package.cpath = path, cpath
    if not ok then error(err, 0) end
end

--- `needs.module` with these paths.
function others.module(module, package_name, it)
    local result
    others.with_paths(function() result = needs.module(module, package_name, it) end)
    return result
end

--- The directory of what ci/others has fetched under a name: the sources of a Debian package, or lupa.
function others.sources(name)
    return machine.here() .. "/target/others/" .. name
end

--- The requirement of a test that needs it, if it has not been fetched; otherwise nil.
function others.missing(name)
    if not machine.is_readable(others.sources(name) .. "/fetched") then
        return ("need %s, as ci/others fetches it"):format(name)
    end
end

--- A replacement of `it` for tests that need the sources of a package, with their test programs, and a module.
function others.needed(name, module, it)
    local missing = others.missing(name)
    return missing and needs.unless(missing, it) or others.module(module, name, it)
end

--- Runs a program in the interpreter of these specs, with an absolute path of files.
-- @param words the program's file and its arguments
-- @param options as for `machine.run`; the limit is 150 s unless it is given
-- @return as from `machine.run`
function others.run(words, options)
    options = options or {}
    local environment = support.environment()
    environment.LUA_PATH, environment.LUA_CPATH = others.paths()
    local all = { support.interpreter() }
    for _, word in ipairs(words) do all[#all + 1] = word end
    return machine.run(all, {
        limit = options.limit or 150, environment = environment, directory = options.directory, wrapper = true,
    })
end

--- Runs programs as `spec/others/in_lanes.lua` does: each in a lane of its own, all at once.
-- @param programs a list of lists: the file and the arguments of each
-- @param options as for `others.run`
-- @return a list of tables for the programs: `status`, "0" after a plain end, the argument of os.exit, or "error"; `out`, what it has
--   printed
function others.in_lanes(programs, options)
    local words = { machine.here() .. "/spec/others/in_lanes.lua" }
    for i, program in ipairs(programs) do
        if i > 1 then words[#words + 1] = "--next" end
        for _, word in ipairs(program) do words[#words + 1] = word end
    end
    local result = others.run(words, options)
    if result.code ~= 0 or result.err ~= "" then
        error(("the programs ended with code %d and this on standard error:\n%s"):format(result.code, result.err), 2)
    end
    local list = {}
    for status, out in result.out:gmatch "\1(%w+)\n([^\1]*)\2" do list[#list + 1] = { status = status, out = out } end
    assert(#list == #programs, "there must be a result for each program")
    return list
end

return others
