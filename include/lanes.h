/* The C interface of Lanes: opening it in a host program, and "deep" objects, which C modules share between lanes.

   A host or a module that uses these functions is linked with the native library (lanes_core.so), or finds them in it
   with dlsym. The manual's chapter on embedding has examples. */

#ifndef LANES_H
#define LANES_H

#include <lua.h>

#if defined(_WIN32)
#define LANES_API __declspec(dllimport)
#else
#define LANES_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the interface. */
#define LANES_VERSION_MAJOR 3
#define LANES_VERSION_MINOR 17
#define LANES_VERSION_PATCH 2

/* Comparisons of it with another version, for #if. */
#define LANES_VERSION_NUMBER_(major, minor, patch) (((major)*1000 + (minor)) * 1000 + (patch))
#define LANES_VERSION_NUMBER LANES_VERSION_NUMBER_(LANES_VERSION_MAJOR, LANES_VERSION_MINOR, LANES_VERSION_PATCH)
#define LANES_MIN_VERSION_REQUIRED(major, minor, patch) (LANES_VERSION_NUMBER >= LANES_VERSION_NUMBER_(major, minor, patch))
#define LANES_VERSION_GREATER_OR_EQUAL(major, minor, patch) \
    (LANES_VERSION_NUMBER >= LANES_VERSION_NUMBER_(major, minor, patch))
#define LANES_VERSION_GREATER_THAN(major, minor, patch) \
    (LANES_VERSION_NUMBER > LANES_VERSION_NUMBER_(major, minor, patch))
#define LANES_VERSION_LESS_OR_EQUAL(major, minor, patch) \
    (LANES_VERSION_NUMBER <= LANES_VERSION_NUMBER_(major, minor, patch))
#define LANES_VERSION_LESS_THAN(major, minor, patch) (LANES_VERSION_NUMBER < LANES_VERSION_NUMBER_(major, minor, patch))

/* ---- opening ---- */

/* The loader of the native half: for package.preload, where no file is to be looked for. */
LANES_API int luaopen_lanes_core(lua_State *L);

/* Enters "lanes.core" (also as "lanes_core") and "lanes" in package.loaded and leaves the table of "lanes" on the stack.
   `loader` runs the Lua half (lanes.lua) and returns its table; it is called with "lanes" as its argument. With NULL the
   file lanes.lua of the current directory is run. Sets no globals and configures nothing.
   Raises a Lua error where the library "package" is not open or the Lua half cannot be run. */
LANES_API void luaopen_lanes_embedded(lua_State *L, lua_CFunction loader);

/* ---- deep objects ---- */

/* A deep object lives outside of all Lua states, in memory of the module's own. States see it through proxies: full
   userdata, at most one per state and object at a time. Sending a proxy to another lane makes a proxy of the same object
   there. Nothing is locked when an object is used: the module sees to it that several threads can. */

/* What the identity function of a kind of objects is asked to do. It answers NULL to any other number. */
enum eDeepOp {
    /* Make an object. The stack holds what luaG_newdeepuserdata found on it, and is left as it is. Answers the object, or
       NULL where there is no memory. May raise an error. */
    eDO_new,
    /* Free an object. It is on the stack as a light userdata, alone; nothing may be left above it. Called once, by
       whichever thread dropped the last reference: in the state that had the last proxy, or, if the last reference was in
       a message that nobody received, in an empty state that is made for this call. */
    eDO_delete,
    /* Push one table: the metatable of proxies. Called once in each state, on first need, and before the module is required
       there; the table must not be used for anything else. Its __gc, if it has one, is called with the last proxy, just
       before eDO_delete; other proxies go without a call, and so does an object whose last reference was in a message. */
    eDO_metatable,
    /* Answer the name of the module, a constant string, or NULL; push nothing. A state that receives an object requires the
       module first, so that its library stays loaded for as long as there are proxies. */
    eDO_module
};
typedef enum eDeepOp DeepOp;

/* The identity function: there is one for each kind of objects, and it says which kind it is by its address. */
typedef void *(*luaG_IdFunction)(lua_State *L, DeepOp op);

/* What every object begins with. */
struct s_DeepPrelude {
    /* Set to DEEP_VERSION by eDO_new. */
    void *magic;
    /* The rest belongs to Lanes: the identity function ... */
    luaG_IdFunction idfunc;
    /* ... and how many proxies there are in all states. Messages that wait in lindas keep an object alive too, and are not
       counted. */
    volatile int refcount;
};
typedef struct s_DeepPrelude DeepPrelude;

/* The contract above, as a number. LuaJIT's light userdata have 47 bits, so that many are enough. */
#if defined(LUAJIT_VERSION_NUM) && (defined(__LP64__) || defined(_WIN64))
#define DEEP_VERSION ((void *)0x119C10642B29ULL)
#elif defined(__LP64__) || defined(_WIN64)
#define DEEP_VERSION ((void *)0xB4B0119C10642B29ULL)
#else
#define DEEP_VERSION ((void *)0x10642B29UL)
#endif

/* Makes an object: calls `idfunc` with eDO_new and the stack as it is, and pushes a proxy with `nuv` user values (0 to 255;
   Lua versions before 5.4 have one, whatever `nuv` is, which must be a table in 5.1 and LuaJIT). Returns 1.
   User values travel with a proxy, and replace those of a proxy that the receiving state has already.
   Raises a Lua error where `idfunc` does, or does not keep to its contract. Can be used without loading Lanes first. */
LANES_API int luaG_newdeepuserdata(lua_State *L, luaG_IdFunction idfunc, int nuv);

/* The object whose proxy is at `index`; NULL where that is something else, an object of another kind included. */
LANES_API void *luaG_todeep(lua_State *L, luaG_IdFunction idfunc, int index);

/* ---- what Lanes 3.x exports besides ---- */

/* Accepted for the sake of modules that have it; nothing depends on it. */
enum eLookupMode { eLM_LaneBody, eLM_ToKeeper, eLM_FromKeeper };
typedef enum eLookupMode LookupMode;

/* Pushes this state's proxy of an object that the module has a pointer to, and returns NULL. Where there can be none (see
   eDO_metatable and eDO_module) pushes the reason instead, a string, and returns its text. The object lives as long as it has
   proxies, or is in messages; a pointer alone does not keep it. An object of the module's own making, with `magic` and
   `idfunc` filled in and a `refcount` of 0, belongs to Lanes as soon as it has a proxy, which has `nuv` user values. */
LANES_API const char *push_deep_proxy(lua_State *L, DeepPrelude *prelude, int nuv, LookupMode mode);

/* Calls the identity function with eDO_delete for an object that has no proxies. Raises a Lua error where it has some. */
LANES_API void free_deep_prelude(lua_State *L, DeepPrelude *prelude);

#ifdef __cplusplus
}
#endif

#endif
