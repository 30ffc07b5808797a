/* C modules that busted needs, reduced to the functions that busted uses: system.core (SYSTEM_CORE) and term.core (TERM_CORE). Their
 * original sources are not used. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

/* On Windows, a function is exported only if it is marked. */
#ifdef _WIN32
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED
#endif

#ifndef luaL_newlib
#define luaL_newlib(L, functions) (lua_newtable(L), luaL_register(L, NULL, functions))
#endif

#ifdef SYSTEM_CORE
static int seconds(lua_State *L, clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
    return 1;
}

/* gettime() -> seconds since 1970. */
static int gettime(lua_State *L) { return seconds(L, CLOCK_REALTIME); }

/* monotime() -> seconds of a monotonic clock. */
static int monotime(lua_State *L) { return seconds(L, CLOCK_MONOTONIC); }

/* sleep(seconds): signals do not shorten it. */
static int sleep_for(lua_State *L) {
    lua_Number time = luaL_checknumber(L, 1);
    if (time <= 0) return 0;
    struct timespec left = {(time_t)time, (long)(fmod(time, 1) * 1e9)};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
    return 0;
}

EXPORTED int luaopen_system_core(lua_State *L) {
    static const luaL_Reg functions[] = {{"gettime", gettime}, {"monotime", monotime}, {"sleep", sleep_for}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
#endif

#ifdef TERM_CORE
/* isatty(file) -> whether the file is a terminal. */
static int is_terminal(lua_State *L) {
#if LUA_VERSION_NUM < 502 /* LuaJIT's begin the same way */
    FILE *file = *(FILE **)luaL_checkudata(L, 1, LUA_FILEHANDLE);
#else
    luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
    FILE *file = stream->closef != NULL ? stream->f : NULL;
#endif
    lua_pushboolean(L, file != NULL && isatty(fileno(file)));
    return 1;
}

EXPORTED int luaopen_term_core(lua_State *L) {
    static const luaL_Reg functions[] = {{"isatty", is_terminal}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
#endif
