/* A Lua interpreter for tests on systems that have none: like the standard interpreter, it processes options, runs a script with
 * arguments, and ends; it has no interactive mode. For Lua 5.1 to 5.5.
 *
 * lua [-v] [-W] [-E] [-e TEXT] [-l MODULE] [--] [SCRIPT [ARGUMENT...]]; SCRIPT "-" and no SCRIPT: standard input. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

#if LUA_VERSION_NUM < 502
#define LUA_OK 0
#define INIT_VARIABLE "LUA_INIT"
#else
#define INIT_VARIABLE "LUA_INIT_" LUA_VERSION_MAJOR "_" LUA_VERSION_MINOR
#endif

static const char *program = "lua";
/* For the signal handler. */
static lua_State *running;

static void interrupted(lua_State *L, lua_Debug *event) {
    (void)event;
    lua_sethook(L, NULL, 0, 0);
    luaL_error(L, "interrupted!");
}

/* Only sets a hook, because the state may be inside any operation. A second signal ends the process. */
static void on_interrupt(int number) {
    signal(number, SIG_DFL);
    lua_sethook(running, interrupted, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

static int with_traceback(lua_State *L) {
    const char *message = lua_tostring(L, 1);
    if (message == NULL) {
        if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
        message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
    }
#if LUA_VERSION_NUM < 502
    lua_getglobal(L, "debug");
    lua_getfield(L, -1, "traceback");
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 2);
    lua_call(L, 2, 1);
#else
    luaL_traceback(L, L, message, 1);
#endif
    return 1;
}

/* Whether the status means success; if not, reports the error on the top of the stack. */
static int succeeded(lua_State *L, int status) {
    if (status == LUA_OK) return 1;
    const char *message = lua_tostring(L, -1);
    fprintf(stderr, "%s: %s\n", program, message != NULL ? message : "(error message not a string)");
    fflush(stderr);
    lua_pop(L, 1);
    return 0;
}

/* Calls the function below its arguments and drops the results. */
static int run(lua_State *L, int arguments) {
    int base = lua_gettop(L) - arguments;
    lua_pushcfunction(L, with_traceback);
    lua_insert(L, base);
    running = L;
    void (*before)(int) = signal(SIGINT, on_interrupt);
    int status = lua_pcall(L, arguments, 0, base);
    signal(SIGINT, before);
    lua_remove(L, base);
    return succeeded(L, status);
}

static int run_text(lua_State *L, const char *text, const char *name) {
    return succeeded(L, luaL_loadbuffer(L, text, strlen(text), name)) && run(L, 0);
}

static int run_file(lua_State *L, const char *path, int arguments_from, int argc, char **argv) {
    if (!succeeded(L, luaL_loadfile(L, path))) return 0;
    luaL_checkstack(L, argc, "too many arguments to script");
    int count = 0;
    for (int i = arguments_from; i < argc; i++, count++) lua_pushstring(L, argv[i]);
    return run(L, count);
}

/* Handles `name=module` as well as `name`; the module becomes the global. */
static int require_module(lua_State *L, const char *given) {
    const char *equals = strchr(given, '=');
    const char *module = equals != NULL ? equals + 1 : given;
    lua_pushlstring(L, given, equals != NULL ? (size_t)(equals - given) : strlen(given));
    lua_pushfstring(L, "%s = require '%s'", lua_tostring(L, -1), module);
    int ok = run_text(L, lua_tostring(L, -1), "=(command line)");
    lua_settop(L, 0);
    return ok;
}

static int start_variable(lua_State *L) {
    const char *name = INIT_VARIABLE;
    const char *text = getenv(name);
    if (text == NULL) text = getenv(name = "LUA_INIT");
    if (text == NULL) return 1;
    if (text[0] == '@') return run_file(L, text + 1, 0, 0, NULL);
    lua_pushfstring(L, "=%s", name);
    return run_text(L, text, lua_tostring(L, -1));
}

struct Line {
    int argc;
    char **argv;
    int done;
};

static int usage(const char *option) {
    fprintf(stderr, "%s: unrecognized option '%s'\nusage: %s [-v] [-W] [-E] [-e TEXT] [-l MODULE] [--] [SCRIPT [ARGUMENT...]]\n", program,
        option, program);
    return 0;
}

static int protected_main(lua_State *L) {
    struct Line *line = lua_touserdata(L, 1);
    char **argv = line->argv;
    int script = 1, version = 0, executed = 0, no_environment = 0;

    while (script < line->argc && argv[script][0] == '-' && argv[script][1] != '\0') {
        const char *option = argv[script];
        int with_value = option[1] == 'e' || option[1] == 'l';
        if (strcmp(option, "--") == 0) {
            script++;
            break;
        }
        if (strchr("vWEel", option[1]) == NULL || (!with_value && option[2] != '\0')) return usage(option);
        version |= option[1] == 'v';
        executed |= option[1] == 'e' || option[1] == 'v';
        no_environment |= option[1] == 'E';
        if (with_value && option[2] == '\0' && ++script >= line->argc) return usage(option);
        script++;
    }
    if (version) printf("%s\n", LUA_COPYRIGHT), fflush(stdout);
    if (no_environment) {
        lua_pushboolean(L, 1);
        lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
    }
#if LUA_VERSION_NUM >= 502
    luaL_checkversion(L);
#endif
    luaL_openlibs(L);
    /* The script has index 0. */
    int zero = script < line->argc ? script : 0;
    lua_newtable(L);
    for (int i = 0; i < line->argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - zero);
    }
    lua_setglobal(L, "arg");
    lua_gc(L, LUA_GCRESTART, 0);
#if LUA_VERSION_NUM == 504
    lua_gc(L, LUA_GCGEN, 0, 0);
#elif LUA_VERSION_NUM >= 505
    lua_gc(L, LUA_GCGEN);
#endif
    if (!no_environment && !start_variable(L)) return 0;

    for (int i = 1; i < script; i++) {
        char option = argv[i][1];
#if LUA_VERSION_NUM >= 504
        if (option == 'W') lua_warning(L, "@on", 0);
#endif
        if (option != 'e' && option != 'l') continue;
        const char *value = argv[i][2] != '\0' ? argv[i] + 2 : argv[++i];
        if (!(option == 'e' ? run_text(L, value, "=(command line)") : require_module(L, value))) return 0;
    }
    if (script < line->argc) {
        int dash = strcmp(argv[script], "-") == 0 && strcmp(argv[script - 1], "--") != 0;
        if (!run_file(L, dash ? NULL : argv[script], script + 1, line->argc, argv)) return 0;
    } else if (!executed && !run_file(L, NULL, 0, 0, NULL)) {
        return 0;
    }
    line->done = 1;
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 0 && argv[0][0] != '\0') program = argv[0];
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        fprintf(stderr, "%s: cannot create state: not enough memory\n", program);
        return EXIT_FAILURE;
    }
    struct Line line = {argc, argv, 0};
    lua_gc(L, LUA_GCSTOP, 0);
    lua_pushcfunction(L, protected_main);
    lua_pushlightuserdata(L, &line);
    int ok = succeeded(L, lua_pcall(L, 1, 0, 0)) && line.done;
    lua_close(L);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
