-- Builds the library for LuaRocks: INTERPRETER build/rock.lua [INCLUDE_DIRECTORY]. LuaRocks runs it by the Lua that it installs for, so
-- this file knows for which Lua to build. The library is then in target/rock/, under the name that Lua searches.

--- Raises the message as an error without a position.
local function stop(message)
    io.stderr:write("lanes: ", message, "\n")
    os.exit(1)
end

--- Whether the system's shell could run the command without an error.
local function run(command)
    local done = os.execute(command)
    return done == true or done == 0
end

local include = arg[1]
local windows = package.config:sub(1, 1) == "\\"
local language = _VERSION:match "^Lua (5%.[1-5])$" or stop(_VERSION .. " is not supported: must be Lua 5.1 to 5.5 or LuaJIT")
local feature = rawget(_G, "jit") and "luajit" or "lua" .. language:gsub("%.", "")

if not run(windows and "cargo --version >NUL 2>NUL" or "cargo --version >/dev/null 2>&1") then
    stop("cargo is missing. Lanes is written in Rust, and building it requires Rust 1.95 or newer. To install it: "
        .. (windows and "winget install Rustlang.Rustup" or "curl https://sh.rustup.rs | sh"))
end

-- Cargo's own way to set a variable for the build script, since shells differ. A variable of the environment takes precedence.
local headers = include and io.open(include .. "/lua.h")
local setting = ""
if headers then
    headers:close()
    setting = (" --config \"env.LUA_INCDIR='%s'\""):format(include)
end
-- Cargo.lock is used as it is: the crates are those that were tested.
if not run(("cargo build --release --locked --features %s%s"):format(feature, setting)) then
    stop("cargo could not build the library; its messages are above")
end

--- The contents of the file that Cargo has made, under one of its names on different systems.
local function built()
    local directory = (os.getenv "CARGO_TARGET_DIR" or "target") .. "/release/"
    for _, name in ipairs(windows and { "lanes_core.dll" } or { "liblanes_core.so", "liblanes_core.dylib" }) do
        local file = io.open(directory .. name, "rb")
        if file then
            local contents = file:read "*a"
            file:close()
            return contents
        end
    end
    stop("cargo has built no library in " .. directory)
end

if windows then
    run "if not exist target\\rock mkdir target\\rock"
else
    run "mkdir -p target/rock"
end
local library = assert(io.open("target/rock/lanes_core." .. (windows and "dll" or "so"), "wb"))
assert(library:write(built()))
assert(library:close())
