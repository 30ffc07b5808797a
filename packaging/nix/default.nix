# Checked by ci/checks/packages: nix-instantiate --parse of Debian's nix-bin. Not built with Nix.
# For one Lua: callPackage ./default.nix { lua = lua5_4; }. Lua 5.1 ... 5.5 or luajit.
{ lib, rustPlatform, fetchurl, lua }:

let
  version = "0.2.0";
  jit = lua.luaversion == "5.1" && lua.pname == "luajit";
  feature = if jit then "luajit" else "lua" + builtins.replaceStrings [ "." ] [ "" ] lua.luaversion;
in
rustPlatform.buildRustPackage {
  pname = "lua${lua.luaversion}-lanes";
  inherit version;

  src = fetchurl {
    url = "https://lanes.invalid/releases/lanes-${version}.tar.gz";
    sha256 = "0000000000000000000000000000000000000000000000000000000000000000";
  };
  # The archive has all crates, and the configuration of Cargo that uses them.
  cargoVendorDir = "vendor";

  buildInputs = [ lua ];
  buildNoDefaultFeatures = true;
  buildFeatures = [ feature ];
  LUA_INCDIR = "${lua}/include";
  # The specs need busted and more; the program below is what is installed.
  doCheck = false;

  installPhase = ''
    runHook preInstall
    # Nix builds into a directory that is named after the platform.
    mkdir -p target/release
    find target -name 'liblanes_core.*' -path '*/release/*' ! -path '*/deps/*' -exec cp -n {} target/release/ \;
    PREFIX=$out sh ci/install ${if jit then "luajit" else lua.luaversion}
    runHook postInstall
  '';

  doInstallCheck = true;
  installCheckPhase = ''
    LUA_PATH="$out/share/lua/${lua.luaversion}/?.lua" LUA_CPATH="$out/lib/lua/${lua.luaversion}/?.so" \
      ${lua}/bin/lua packaging/shared/program.lua
  '';

  meta = {
    description = "Native threads for Lua: lanes that run in parallel, lindas through which they talk";
    homepage = "https://lanes.invalid";
    license = lib.licenses.mit;
    platforms = lib.platforms.unix;
  };
}
