# Checked by ci/checks/packages: ruby -c, and its methods run against stand-ins of Homebrew's. Not built with Homebrew.
class LuaLanes < Formula
  desc "Native threads for Lua: lanes that run in parallel, lindas through which they talk"
  homepage "https://lanes.invalid"
  # The archive has all crates.
  url "https://lanes.invalid/releases/lanes-0.2.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "MIT"

  depends_on "rust" => :build
  depends_on "lua"
  depends_on "luajit"

  # The Lua of the formula `lua`: "5.4" or "5.5".
  def lua_version
    Formula["lua"].version.major_minor.to_s
  end

  def install
    [lua_version, "luajit"].each do |version|
      feature = (version == "luajit") ? "luajit" : "lua#{version.delete(".")}"
      formula = Formula[(version == "luajit") ? "luajit" : "lua"]
      include = (version == "luajit") ? formula.opt_include/"luajit-2.1" : formula.opt_include/"lua"
      with_env(LUA_INCDIR: include.to_s) do
        system "cargo", "build", "--release", "--locked", "--offline", "--features", feature
      end
      # Where both would be found by Lua 5.1, each has a name of its own.
      with_env(PREFIX: prefix.to_s, INCLUDEDIR: (self.include/"lanes").to_s, BESIDE: "1") do
        system "ci/install", version
      end
    end
    pkgshare.install "packaging/shared/program.lua"
  end

  test do
    system Formula["lua"].opt_bin/"lua", pkgshare/"program.lua"
    system Formula["luajit"].opt_bin/"luajit", pkgshare/"program.lua"
  end
end
