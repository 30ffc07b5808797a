/* The C interface of Lanes: functions that open Lanes in a host program, and deep objects, which C
   modules share between lanes.

   The interface is the same whichever interface for Lua a program has chosen, that of 3.x or that of
   4.x. Link a host or module that uses these functions with the native library (lanes_core.so), or look
   the functions up with dlsym. docs/manual/embedding.md has examples. */

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

/* Comparisons with another version, for #if. */
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

/* The loader of the native library, for package.preload of a host that does not load it from a
   file. */
LANES_API int luaopen_lanes_core(lua_State *L);

/* Stores "lanes.core" (also as "lanes_core") and "lanes" in package.loaded and pushes the table of
   "lanes". Sets no globals and does not configure Lanes.
   `loader` is called with the string "lanes", runs lanes.lua and returns its table. If it is NULL,
   the file lanes.lua in the current directory is run.
   Raises a Lua error if the library "package" is not open or lanes.lua cannot be run, and any error
   of `loader`. */
LANES_API void luaopen_lanes_embedded(lua_State *L, lua_CFunction loader);

/* A C function with the arguments of lanes.register: push it and call it with a name and a module, a
   table or a function. Functions and metatables that the module has got since it was loaded can then
   be passed to lanes. Returns nothing. Raises a Lua error for other arguments, and before Lanes has
   been configured in this state. */
LANES_API int lanes_register(lua_State *L);

/* ---- deep objects ---- */

/* A deep object exists outside of all Lua states, in memory that the module allocates. States refer
   to it by proxies: full userdata, at most one per state and object at a time. Passing a proxy to
   another lane makes a proxy of the same object there. Lanes does not lock the object; the module
   must make its use from several threads safe. */

/* The operation that the identity function of a kind of objects is called for. For any other number
   it returns NULL. */
enum eDeepOp {
    /* Create an object. The stack is that of the caller of luaG_newdeepuserdata; leave it
       unchanged. Returns the object, or NULL if out of memory. May raise an error. */
    eDO_new,
    /* Free an object. The stack contains only the object, as a light userdata; leave nothing above
       it. Called once, by the thread that drops the last reference: in the state that had the last
       proxy, or, if the last reference was in a message that was never received, in an empty state
       that is created for this call. */
    eDO_delete,
    /* Push one table: the metatable of proxies. Called once per state, when it is first needed and
       before the module is required there. The table must not be used for anything else. If it has
       a __gc, it is called with the last proxy only, just before eDO_delete. It is not called if
       the last reference was in a message. */
    eDO_metatable,
    /* Return the name of the module, a constant string, or NULL; push nothing. A state that
       receives an object requires the module first, so that its library stays loaded while there
       are proxies. */
    eDO_module
};
typedef enum eDeepOp DeepOp;

/* The identity function. Each kind of objects has its own, whose address identifies the kind. */
typedef void *(*luaG_IdFunction)(lua_State *L, DeepOp op);

/* The beginning of every deep object. */
struct s_DeepPrelude {
    /* Set to DEEP_VERSION by eDO_new. */
    void *magic;
    /* Set by Lanes, like the next field: the identity function. */
    luaG_IdFunction idfunc;
    /* The number of proxies in all states. Messages in lindas keep an object alive too and are not
       counted. */
    volatile int refcount;
};
typedef struct s_DeepPrelude DeepPrelude;

/* Identifies the contract above. On LuaJIT it fits into 47 bits, the size of its light userdata. */
#if defined(LUAJIT_VERSION_NUM) && (defined(__LP64__) || defined(_WIN64))
#define DEEP_VERSION ((void *)0x119C10642B29ULL)
#elif defined(__LP64__) || defined(_WIN64)
#define DEEP_VERSION ((void *)0xB4B0119C10642B29ULL)
#else
#define DEEP_VERSION ((void *)0x10642B29UL)
#endif

/* Creates an object: calls `idfunc` with eDO_new and the current stack, and pushes a proxy with
   `nuv` user values (0 to 255; before Lua 5.4 always one, whatever `nuv` is; in 5.1 and LuaJIT it
   must be a table). Returns 1. User values are passed with a proxy and replace those of a proxy
   that the receiving state already has. Raises the errors of `idfunc`, and a Lua error if it breaks
   its contract. Can be called before Lanes is loaded. */
LANES_API int luaG_newdeepuserdata(lua_State *L, luaG_IdFunction idfunc, int nuv);

/* Returns the object whose proxy is at `index`, or NULL if the value is anything else, also an
   object of another kind. */
LANES_API void *luaG_todeep(lua_State *L, luaG_IdFunction idfunc, int index);

/* ---- further functions of Lanes 3.x ---- */

/* Accepted for modules written for Lanes 3.x; has no effect. */
enum eLookupMode { eLM_LaneBody, eLM_ToKeeper, eLM_FromKeeper };
typedef enum eLookupMode LookupMode;

/* Pushes this state's proxy of an object that the module has a pointer to, and returns NULL. If the
   proxy cannot be made (see eDO_metatable and eDO_module), pushes the reason, a string, and returns
   its text. An object exists while it has proxies or is in messages; a pointer does not keep it
   alive. For an object that the module has created itself, with `magic` and `idfunc` set and a
   `refcount` of 0, the call passes ownership to Lanes; its proxy has `nuv` user values. */
LANES_API const char *push_deep_proxy(lua_State *L, DeepPrelude *prelude, int nuv, LookupMode mode);

/* Calls the identity function with eDO_delete for an object without proxies. Raises a Lua error if
   it has some. */
LANES_API void free_deep_prelude(lua_State *L, DeepPrelude *prelude);

#ifdef __cplusplus
}
#endif

#endif
