/* A C module with objects that lanes share (deep), userdata that lanes copy (__lanesclone), and a function that prepares
   lanes. Everything that happens is counted, in the whole process: deep_test.counts(). Built by ci/checks/capi; used by
   spec/deep_spec.lua and spec/clone_spec.lua. */

#include "deep.h"

#include <lauxlib.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#ifndef _WIN32
#include <poll.h>
#endif

#if LUA_VERSION_NUM == 501
#define set_user_value(L, index, n) ((void)(n), lua_setfenv(L, index))
#define get_user_value(L, index, n) ((void)(n), lua_getfenv(L, index))
#define new_userdata(L, size, n) ((void)(n), lua_newuserdata(L, size))
#elif LUA_VERSION_NUM < 504
#define set_user_value(L, index, n) ((void)(n), lua_setuservalue(L, index))
#define get_user_value(L, index, n) ((void)(n), lua_getuservalue(L, index))
#define new_userdata(L, size, n) ((void)(n), lua_newuserdata(L, size))
#else
#define set_user_value(L, index, n) lua_setiuservalue(L, index, n)
#define get_user_value(L, index, n) lua_getiuservalue(L, index, n)
#define new_userdata(L, size, n) lua_newuserdatauv(L, size, n)
#endif

static atomic_int made, deleted, finalized, metatables, states, clones, clones_freed;

typedef struct {
    DeepPrelude prelude;
    atomic_int value;
} Object;

/* ---- the kinds of deep objects ---- */

/* What a kind does against the rules, or leaves out. */
typedef enum {
    NOTHING,
    NO_MODULE_NO_GC,
    NO_MEMORY,
    WRONG_VERSION,
    NEW_PUSHES,
    NEW_RAISES,
    METATABLE_MISSING,
    METATABLE_TWICE,
    METATABLE_NUMBER,
    METATABLE_RAISES,
    MODULE_PUSHES,
    MODULE_NOWHERE,
    DELETE_PUSHES,
    DELETE_RAISES,
    GC_RAISES,
    KINDS
} Kind;

static Object *checked(lua_State *L, int index);
static int object_get(lua_State *L);
static int object_set(lua_State *L);
static int object_refcount(lua_State *L);
static int object_set_user_value(lua_State *L);
static int object_get_user_value(lua_State *L);
static int object_address(lua_State *L);

static int object_gc(lua_State *L) {
    /* The object is still there. */
    Object *object = checked(L, 1);
    if (object->prelude.refcount == 0)
        finalized++;
    return 0;
}

static int object_gc_raises(lua_State *L) {
    return luaL_error(L, "__gc refuses");
}

static void push_functions(lua_State *L, const luaL_Reg *functions) {
    lua_newtable(L);
    for (; functions->name; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}

static void push_metatable(lua_State *L, Kind kind) {
    static const luaL_Reg METHODS[] = {
        {"get", object_get},
        {"set", object_set},
        {"refcount", object_refcount},
        {"set_user_value", object_set_user_value},
        {"get_user_value", object_get_user_value},
        {"address", object_address},
        {NULL, NULL},
    };
    lua_newtable(L);
    push_functions(L, METHODS);
    lua_setfield(L, -2, "__index");
    if (kind == GC_RAISES)
        lua_pushcfunction(L, object_gc_raises);
    else if (kind == NOTHING)
        lua_pushcfunction(L, object_gc);
    else
        lua_pushnil(L);
    lua_setfield(L, -2, "__gc");
}

static void *identify(lua_State *L, DeepOp op, Kind kind) {
    switch (op) {
        case eDO_new: {
            if (kind == NEW_RAISES)
                luaL_error(L, "eDO_new refuses");
            Object *object = kind == NO_MEMORY ? NULL : malloc(sizeof *object);
            if (object == NULL)
                return NULL;
            object->prelude.magic = kind == WRONG_VERSION ? (void *)L : DEEP_VERSION;
            object->value = (int)luaL_optinteger(L, 1, 0);
            made++;
            if (kind == NEW_PUSHES)
                lua_pushnil(L);
            return object;
        }
        case eDO_delete:
            free(lua_touserdata(L, 1));
            deleted++;
            if (kind == DELETE_PUSHES)
                lua_pushnil(L);
            else if (kind == DELETE_RAISES)
                luaL_error(L, "eDO_delete refuses");
            else
                lua_pop(L, 1);
            return NULL;
        case eDO_metatable:
            if (kind == METATABLE_RAISES)
                luaL_error(L, "eDO_metatable refuses");
            if (kind == METATABLE_MISSING)
                return NULL;
            metatables++;
            if (kind == METATABLE_NUMBER)
                lua_pushinteger(L, 1);
            else
                push_metatable(L, kind);
            if (kind == METATABLE_TWICE)
                lua_newtable(L);
            return NULL;
        case eDO_module:
            if (kind == MODULE_PUSHES)
                lua_pushnil(L);
            if (kind == MODULE_NOWHERE)
                return "deep_test_nowhere";
            return kind == NOTHING ? "deep_test" : NULL;
    }
    return NULL;
}

#define IDENTITY(kind) \
    static void *identify_##kind(lua_State *L, DeepOp op) { return identify(L, op, kind); }
IDENTITY(NOTHING)
IDENTITY(NO_MODULE_NO_GC)
IDENTITY(NO_MEMORY)
IDENTITY(WRONG_VERSION)
IDENTITY(NEW_PUSHES)
IDENTITY(NEW_RAISES)
IDENTITY(METATABLE_MISSING)
IDENTITY(METATABLE_TWICE)
IDENTITY(METATABLE_NUMBER)
IDENTITY(METATABLE_RAISES)
IDENTITY(MODULE_PUSHES)
IDENTITY(MODULE_NOWHERE)
IDENTITY(DELETE_PUSHES)
IDENTITY(DELETE_RAISES)
IDENTITY(GC_RAISES)

static const struct {
    const char *name;
    luaG_IdFunction function;
} IDENTITIES[KINDS] = {
    {"plain", identify_NOTHING},
    {"no module, no gc", identify_NO_MODULE_NO_GC},
    {"no memory", identify_NO_MEMORY},
    {"wrong version", identify_WRONG_VERSION},
    {"new pushes", identify_NEW_PUSHES},
    {"new raises", identify_NEW_RAISES},
    {"metatable missing", identify_METATABLE_MISSING},
    {"metatable twice", identify_METATABLE_TWICE},
    {"metatable number", identify_METATABLE_NUMBER},
    {"metatable raises", identify_METATABLE_RAISES},
    {"module pushes", identify_MODULE_PUSHES},
    {"module nowhere", identify_MODULE_NOWHERE},
    {"delete pushes", identify_DELETE_PUSHES},
    {"delete raises", identify_DELETE_RAISES},
    {"gc raises", identify_GC_RAISES},
};

static luaG_IdFunction identity(lua_State *L, int index) {
    const char *name = luaL_checkstring(L, index);
    for (int i = 0; i < KINDS; i++)
        if (strcmp(IDENTITIES[i].name, name) == 0)
            return IDENTITIES[i].function;
    luaL_argerror(L, index, "no such kind");
    return NULL;
}

static Object *checked(lua_State *L, int index) {
    for (int i = 0; i < KINDS; i++) {
        Object *object = luaG_todeep(L, IDENTITIES[i].function, index);
        if (object)
            return object;
    }
    luaL_argerror(L, index, "object expected");
    return NULL;
}

/* deep_test.new(value, user_values): an object that keeps to the rules. */
static int new_object(lua_State *L) {
    int user_values = (int)luaL_optinteger(L, 2, 0);
    return luaG_newdeepuserdata(L, identify_NOTHING, user_values);
}

/* deep_test.new_kind(kind): an object of a kind by name. */
static int new_kind(lua_State *L) {
    luaG_IdFunction function = identity(L, 1);
    lua_settop(L, 0);
    return luaG_newdeepuserdata(L, function, 0);
}

/* deep_test.is_kind(kind, value): whether luaG_todeep finds an object of that kind. */
static int is_kind(lua_State *L) {
    luaG_IdFunction function = identity(L, 1);
    int absolute = luaG_todeep(L, function, 2) != NULL;
    if (lua_gettop(L) >= 2 && absolute != (luaG_todeep(L, function, 2 - lua_gettop(L) - 1) != NULL))
        return luaL_error(L, "luaG_todeep depends on how the index is counted");
    lua_pushboolean(L, absolute);
    return 1;
}

static int object_get(lua_State *L) {
    lua_pushinteger(L, checked(L, 1)->value);
    return 1;
}

static int object_set(lua_State *L) {
    checked(L, 1)->value = (int)luaL_checkinteger(L, 2);
    return 0;
}

static int object_refcount(lua_State *L) {
    lua_pushinteger(L, checked(L, 1)->prelude.refcount);
    return 1;
}

/* object:address(): the same in every state. */
static int object_address(lua_State *L) {
    lua_pushlightuserdata(L, checked(L, 1));
    return 1;
}

static int object_set_user_value(lua_State *L) {
    int n = (int)luaL_checkinteger(L, 2);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    set_user_value(L, 1, n);
    return 0;
}

static int object_get_user_value(lua_State *L) {
    int n = (int)luaL_checkinteger(L, 2);
    get_user_value(L, 1, n);
    return 1;
}

/* deep_test.push_proxy(address): the proxy of an object that is known by its address; nil and the reason where there is none. */
static int push_proxy(lua_State *L) {
    const char *reason = push_deep_proxy(L, lua_touserdata(L, 1), 0, eLM_LaneBody);
    if (reason == NULL)
        return 1;
    lua_pushnil(L);
    lua_pushstring(L, reason);
    return 2;
}

/* deep_test.make(kind, value): the address of an object that Lanes does not know yet. */
static int make(lua_State *L) {
    luaG_IdFunction function = identity(L, 1);
    Object *object = malloc(sizeof *object);
    object->prelude.magic = DEEP_VERSION;
    object->prelude.idfunc = function;
    object->prelude.refcount = 0;
    object->value = (int)luaL_checkinteger(L, 2);
    made++;
    lua_pushlightuserdata(L, object);
    return 1;
}

/* deep_test.free_object(address): frees an object that has no proxies. */
static int free_object(lua_State *L) {
    free_deep_prelude(L, lua_touserdata(L, 1));
    return 0;
}

/* ---- userdata that are copied ---- */

static int clonable_clone(lua_State *L) {
    char **clone = lua_touserdata(L, 1);
    char **source = lua_touserdata(L, 2);
    if (lua_tointeger(L, 3) != (lua_Integer)sizeof *source || !lua_islightuserdata(L, 1) || !lua_islightuserdata(L, 2))
        return luaL_error(L, "__lanesclone: two light userdata and the size expected");
    if (strcmp(*source, "refuses") == 0)
        return luaL_error(L, "__lanesclone refuses");
    *clone = strdup(*source);
    clones++;
    return 0;
}

static int clonable_gc(lua_State *L) {
    char **block = lua_touserdata(L, 1);
    free(*block);
    *block = NULL;
    clones_freed++;
    return 0;
}

static int clonable_get(lua_State *L) {
    lua_pushstring(L, *(char **)lua_touserdata(L, 1));
    return 1;
}

/* deep_test.new_clonable(text): a userdata that owns a copy of the text. */
static int new_clonable(lua_State *L) {
    const char *text = luaL_checkstring(L, 1);
    char **block = new_userdata(L, sizeof *block, 3);
    *block = strdup(text);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_setmetatable(L, -2);
    return 1;
}

/* ---- the rest ---- */

/* deep_test.on_state_create(): for the option of that name. */
static int on_state_create(lua_State *L) {
    lua_pushinteger(L, ++states);
    lua_setglobal(L, "state_number");
    return 0;
}

/* deep_test.counts(): how often each thing has happened. */
static int counts(lua_State *L) {
    const struct {
        const char *name;
        int count;
    } all[] = {
        {"made", made},     {"deleted", deleted}, {"finalized", finalized},       {"metatables", metatables},
        {"states", states}, {"clones", clones},   {"clones_freed", clones_freed},
    };
    lua_newtable(L);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        lua_pushinteger(L, all[i].count);
        lua_setfield(L, -2, all[i].name);
    }
    return 1;
}

#ifndef _WIN32
/* readable(descriptor, seconds): whether a descriptor becomes readable within this time. */
static int readable(lua_State *L) {
    struct pollfd asked = {(int)luaL_checknumber(L, 1), POLLIN, 0};
    lua_pushboolean(L, poll(&asked, 1, (int)(luaL_checknumber(L, 2) * 1000)) == 1);
    return 1;
}
#endif

int luaopen_deep_test(lua_State *L) {
    static const luaL_Reg FUNCTIONS[] = {
#ifndef _WIN32
        {"readable", readable},
#endif
        {"new", new_object},
        {"new_kind", new_kind},
        {"is_kind", is_kind},
        {"push_proxy", push_proxy},
        {"make", make},
        {"free_object", free_object},
        {"on_state_create", on_state_create},
        {"counts", counts},
        {"register", lanes_register},
        {NULL, NULL},
    };
    static const luaL_Reg CLONABLE[] = {
        {"__lanesclone", clonable_clone},
        {"__gc", clonable_gc},
        {"get", clonable_get},
        {"set_user_value", object_set_user_value},
        {"get_user_value", object_get_user_value},
        {NULL, NULL},
    };
    push_functions(L, FUNCTIONS);
    push_functions(L, CLONABLE);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    /* What is copied by a metatable's name needs a metatable that can be found in the module. */
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "clonable");
    lua_pushcclosure(L, new_clonable, 1);
    lua_setfield(L, -2, "new_clonable");
    return 1;
}
