/* A C module that takes as much of the stack as it is told to. Built by ci/checks/capi; used by spec/stack_spec.lua. */

#include <lua.h>
#include <lauxlib.h>

/* The frames of `depth` nested calls, each of about 4 KiB. */
static long nested(long depth) {
    volatile char block[4000];
    block[depth % 4000] = 1;
    return depth == 0 ? block[0] : nested(depth - 1) + block[depth % 4000];
}

/* take(mebibytes): true. */
static int take(lua_State *L) {
    long depth = (long)(luaL_checknumber(L, 1) * 256);
    lua_pushboolean(L, nested(depth) == depth + 1);
    return 1;
}

int luaopen_recursion(lua_State *L) {
    lua_newtable(L);
    lua_pushcfunction(L, take);
    lua_setfield(L, -2, "take");
    return 1;
}
