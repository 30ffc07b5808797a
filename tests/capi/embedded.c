/* A host program that brings Lanes along: it calls luaopen_lanes_embedded and runs a Lua program. Built by ci/checks/capi; run by
   spec/embedded_spec.lua.

     embedded loader FILE PROGRAM   FILE is the Lua half, run by a loader of the host's
     embedded null PROGRAM          no loader: lanes.lua of the current directory
     embedded bare                  a state without libraries */

#include "lanes.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#if !LANES_MIN_VERSION_REQUIRED(3, 17, 2) || LANES_MIN_VERSION_REQUIRED(3, 18, 0) || !LANES_VERSION_GREATER_THAN(3, 9, 99) || \
    LANES_VERSION_GREATER_THAN(3, 17, 2) || !LANES_VERSION_LESS_THAN(4, 0, 0) || LANES_VERSION_LESS_THAN(3, 17, 2) ||         \
    !LANES_VERSION_LESS_OR_EQUAL(3, 17, 2) || !LANES_VERSION_GREATER_OR_EQUAL(3, 17, 2)
#error "the comparisons of versions are wrong"
#endif

static const char *file;

/* Runs the Lua half, as a host might that has it compiled in. */
static int load_lanes(lua_State *L) {
    if (lua_gettop(L) != 1 || strcmp(luaL_checkstring(L, 1), "lanes") != 0)
        return luaL_error(L, "the loader is called with the name of the module");
    if (luaL_loadfile(L, file) != 0)
        return lua_error(L);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

/* Opens Lanes twice, which is once too often and does no harm. Its argument says whether to use the loader. */
static int open_lanes(lua_State *L) {
    lua_CFunction loader = lua_toboolean(L, 1) ? load_lanes : NULL;
    lua_settop(L, 0);
    luaopen_lanes_embedded(L, loader);
    luaopen_lanes_embedded(L, loader);
    if (lua_gettop(L) != 2 || lua_type(L, 1) != LUA_TTABLE || !lua_rawequal(L, 1, 2))
        return luaL_error(L, "the table of lanes expected, twice");
    lua_settop(L, 1);
    return 1;
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    int loader = strcmp(mode, "loader") == 0, bare = strcmp(mode, "bare") == 0;
    if (argc != (loader ? 4 : bare ? 2 : 3)) {
        fprintf(stderr, "embedded: what to do?\n");
        return 2;
    }
    file = argv[2];
    lua_State *L = luaL_newstate();
    if (!bare)
        luaL_openlibs(L);
    lua_pushcfunction(L, open_lanes);
    lua_pushboolean(L, loader);
    int failed = lua_pcall(L, 1, 1, 0) != 0;
    if (!failed && !bare) {
        /* The program gets the table as its argument. */
        failed = luaL_loadstring(L, argv[argc - 1]) != 0;
        lua_insert(L, -2);
        failed = failed || lua_pcall(L, 1, 0, 0) != 0;
    }
    if (failed)
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
    lua_close(L);
    return failed;
}
