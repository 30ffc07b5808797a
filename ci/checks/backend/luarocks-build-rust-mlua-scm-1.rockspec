-- The stand-in for the build backend as a rock, so that LuaRocks finds the build dependency fulfilled.
rockspec_format = "3.0"
package = "luarocks-build-rust-mlua"
version = "scm-1"
source = { url = "file://." }
description = { summary = "Build backend for rocks written in Rust with mlua", license = "MIT" }
dependencies = { "lua >= 5.1" }
build = {
   type = "builtin",
   modules = { ["luarocks.build.rust-mlua"] = "luarocks/build/rust-mlua.lua" },
}
