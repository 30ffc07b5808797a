--- LuaRocks build backend "rust-mlua": builds a Cargo package for the one Lua that LuaRocks is configured for.
-- Stands in for the rock luarocks-build-rust-mlua where that cannot be downloaded; the fields of `build` that it
-- understands are the same:
--   modules           module name -> library name (as Cargo has it), or a list of names that are both
--   target_path       Cargo's target directory (default: CARGO_TARGET_DIR, or "target")
--   features          list of further Cargo features
--   default_features  false: without the package's default features
--   cargo_extra_args  list of further arguments for `cargo build`
--   include           Lua files to install: module name -> file, or a list of files
local rust_mlua = {}

local cfg = require "luarocks.core.cfg"
local dir = require "luarocks.dir"
local fs = require "luarocks.fs"
local path = require "luarocks.path"
local util = require "luarocks.util"

--- The Cargo feature for the Lua that LuaRocks is configured for: "lua51" ... or "luajit".
local function lua_feature()
   if util.get_luajit_version() then
      return "luajit"
   end
   return "lua" .. cfg.lua_version:gsub("%.", "")
end

--- The name of the file that Cargo makes of a library on this system.
local function library_file(name)
   if cfg.is_platform "windows" then
      return name .. ".dll"
   elseif cfg.is_platform "macosx" then
      return "lib" .. name .. ".dylib"
   end
   return "lib" .. name .. ".so"
end

--- Copies a file to where the module of that name is looked for under `root`.
-- @return true, or nil and a message
local function install_module(file, root, module, extension, permissions)
   local directory = dir.path(root, path.module_to_path(module))
   local made, why = fs.make_dir(directory)
   if not made then
      return nil, why
   end
   local base = module:match "([^.]+)$"
   local copied = fs.copy(file, dir.path(directory, base .. "." .. extension), permissions)
   if not copied then
      return nil, "cannot install " .. file .. " as module " .. module
   end
   return true
end

--- The arguments of `cargo build` for a rockspec's `build` table.
local function cargo_arguments(build)
   local features = { lua_feature() }
   for _, feature in ipairs(build.features or {}) do
      table.insert(features, feature)
   end
   local arguments = { "build", "--release", "--features", table.concat(features, ",") }
   if build.default_features == false then
      table.insert(arguments, "--no-default-features")
   end
   for _, argument in ipairs(build.cargo_extra_args or {}) do
      table.insert(arguments, argument)
   end
   return arguments
end

--- Builds, and installs unless told otherwise.
-- @param rockspec the loaded rockspec
-- @param no_install true: build only
-- @return true, or nil and a message
function rust_mlua.run(rockspec, no_install)
   local build = rockspec.build
   local environment = {
      LUA_ROCKSPEC_PACKAGE = rockspec.package,
      LUA_ROCKSPEC_VERSION = rockspec.version,
   }
   if not fs.execute_env(environment, "cargo", (table.unpack or unpack)(cargo_arguments(build))) then
      return nil, "cargo could not build " .. rockspec.package
   end
   if no_install then
      return true
   end

   local target = build.target_path or os.getenv "CARGO_TARGET_DIR" or "target"
   local libraries = path.lib_dir(rockspec.name, rockspec.version)
   for module, library in pairs(build.modules or {}) do
      local name = type(module) == "string" and module or library
      local file = dir.path(target, "release", library_file(library))
      local done, why = install_module(file, libraries, name, cfg.lib_extension, "exec")
      if not done then
         return nil, why
      end
   end
   local lua_files = path.lua_dir(rockspec.name, rockspec.version)
   for module, file in pairs(build.include or {}) do
      local name = type(module) == "string" and module or (file:gsub("%.lua$", ""):gsub("[/\\]", "."))
      local done, why = install_module(file, lua_files, name, "lua", "read")
      if not done then
         return nil, why
      end
   end
   return true
end

return rust_mlua
