/* A C module that only the thread which loaded it may use, as some libraries for graphics are. Built by ci/checks/capi; used by
   spec/affine_spec.lua. */

#include <lua.h>
#include <lauxlib.h>
#include <stdatomic.h>

/* Its address tells threads that are alive from each other. */
static _Thread_local char thread;

/* How many objects were made, one for each state that loaded the module; how many of them were finalized, and how many of those by another
   thread than the one that had loaded it. */
static atomic_int made, finalized, strayed;

static int current(lua_State *L) {
    lua_pushlightuserdata(L, &thread);
    return 1;
}

/* use(): true, or an error on another thread. */
static int use(lua_State *L) {
    if (lua_touserdata(L, lua_upvalueindex(1)) != &thread)
        return luaL_error(L, "affine is used by another thread than the one that has loaded it");
    lua_pushboolean(L, 1);
    return 1;
}

static int counts(lua_State *L) {
    lua_pushinteger(L, finalized);
    lua_pushinteger(L, strayed);
    lua_pushinteger(L, made);
    return 3;
}

static int finalize(lua_State *L) {
    void **object = lua_touserdata(L, 1);
    finalized++;
    if (*object != &thread)
        strayed++;
    return 0;
}

int luaopen_affine(lua_State *L) {
    void **object;
    lua_newtable(L);
    current(L);
    lua_pushcclosure(L, use, 1);
    lua_setfield(L, -2, "use");
    lua_pushcfunction(L, current);
    lua_setfield(L, -2, "current");
    lua_pushcfunction(L, counts);
    lua_setfield(L, -2, "counts");
    current(L);
    lua_setfield(L, -2, "loaded_by");
    lua_newtable(L);
    lua_getfield(L, -2, "use");
    lua_setfield(L, -2, "use");
    lua_setfield(L, -2, "nested");
    /* Kept by the registry, and finalized with the state. */
    object = lua_newuserdata(L, sizeof *object);
    *object = &thread;
    made++;
    lua_newtable(L);
    lua_pushcfunction(L, finalize);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_setfield(L, LUA_REGISTRYINDEX, "affine object");
    return 1;
}
