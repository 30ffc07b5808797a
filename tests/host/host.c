/* A host program in C that embeds Lua: it opens states that use lanes, closes them while lanes run, and continues.
   Built by ci/checks/host for each Lua; run by spec/host_spec.lua and spec/endings_spec.lua.

     host run FILE [ARGUMENT...]   runs a Lua program, closes its state, and shows that another one works
     host cycles COUNT             opens and closes COUNT states with lanes running; memory and threads must not grow
     host universes                several universes at once, closed in every order
     host threads                  several threads of the host, each of which opens, uses and closes states; some are closed by
                                   another thread than the one that opened them
     host allocator [protected]    states over an allocator that counts, and that must not be called by two threads at once
     host deaf                     the same, with lanes that do not listen and go on when their universe has ended
     host on_state_create          a C function prepares each lane
     host fork                     a child process, made while there are threads, has lanes of its own and closes the state
     host old_objects              finalizers of objects older than the universe use it while the state is being closed

   Each ends with 0 and a line of figures, or with a sentence on standard error and another code. */

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef _WIN32
#include <windows.h>
/* These need windows.h before them. */
#include <psapi.h>
#include <tlhelp32.h>
#else
#include <poll.h>
#include <sys/types.h>
#include <sys/wait.h>
#endif

static void fail(const char *what, const char *why) {
    fprintf(stderr, "host: %s: %s\n", what, why);
    exit(2);
}

/* Opens a state with all libraries and this allocator; Lua's own if it is NULL. */
static lua_State *open_state(lua_Alloc allocator, void *data) {
#if LUA_VERSION_NUM >= 505
    lua_State *L = allocator ? lua_newstate(allocator, data, luaL_makeseed(NULL)) : luaL_newstate();
#else
    lua_State *L = allocator ? lua_newstate(allocator, data) : luaL_newstate();
#endif
    if (L == NULL)
        fail("opening a state", "no memory, or this Lua takes no allocator");
    luaL_openlibs(L);
    return L;
}

/* Runs Lua text with `argument` as its argument, and leaves its result on the stack. */
static void run(lua_State *L, const char *text, const char *argument) {
    int failed = luaL_loadstring(L, text);
    if (!failed) {
        lua_pushstring(L, argument);
        failed = lua_pcall(L, 1, 1, 0);
    }
    if (failed)
        fail("running Lua", lua_tostring(L, -1));
}

/* As `run`; fails unless the result is this string. */
static void expect(lua_State *L, const char *text, const char *argument, const char *result) {
    run(L, text, argument);
    const char *found = lua_tostring(L, -1);
    if (found == NULL || strcmp(found, result) != 0) {
        fprintf(stderr, "host: '%s' expected, '%s' found\n", result, found ? found : "no string");
        exit(2);
    }
    lua_pop(L, 1);
}

/* A figure of this process: VmRSS in KiB, or Threads. */
#ifdef _WIN32
static long status_of_process(const char *field) {
    if (strcmp(field, "VmRSS") == 0) {
        PROCESS_MEMORY_COUNTERS counters;
        return GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters) ? (long)(counters.WorkingSetSize / 1024) : -1;
    }
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    THREADENTRY32 entry = {.dwSize = sizeof entry};
    long count = 0;
    for (BOOL more = Thread32First(snapshot, &entry); more; more = Thread32Next(snapshot, &entry))
        count += entry.th32OwnerProcessID == GetCurrentProcessId();
    CloseHandle(snapshot);
    return count;
}
#else
static long status_of_process(const char *field) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long value = -1;
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':')
            value = atol(line + strlen(field) + 1);
    if (file)
        fclose(file);
    return value;
}
#endif

/* run FILE [ARGUMENT...] */
static int run_file(int argc, char **argv) {
    lua_State *L = open_state(NULL, NULL);
    lua_newtable(L);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i);
    }
    lua_setglobal(L, "arg");
    int failed = luaL_loadfile(L, argv[0]) || lua_pcall(L, 0, 0, 0);
    if (failed)
        fprintf(stderr, "host: %s\n", lua_tostring(L, -1));
    lua_close(L);
    L = open_state(NULL, NULL);
    expect(L, "return require 'lanes'.gen('*', function() return 'another state works' end)()[1]", "", "another state works");
    lua_close(L);
    /* Lanes that ignore the request still run: give them time to. */
    usleep(20000);
    puts("the host lives on");
    return failed ? 1 : 0;
}

/* Runs in a state before it is closed: lanes that wait, sleep, have ended, launch lanes and are being launched; a timer; messages. The lanes
   must end at the first request: the second one comes later than anybody waits for this program. */
static const char BUSY[] =
    "local lanes = require 'lanes'.configure { shutdown_timeout = 100000, allocator = (...) ~= '' and (...) or nil }\n"
    "local linda = lanes.linda('busy')\n"
    "local sleep, new_gen = lanes.sleep, lanes.gen\n"
    "local generator = lanes.gen('*', function(n)\n"
    "    if n % 4 == 0 then linda:receive('never') end\n"
    "    if n % 4 == 1 then require 'lanes'.sleep(1000) end\n"
    "    if n % 4 == 2 then repeat until cancel_test() end\n"
    "    if n % 4 == 3 then require 'lanes'.gen('*', function() linda:receive('never') end)() end\n"
    "    linda:send('done', n)\n"
    "    return n\n"
    "end)\n"
    "for n = 1, 8 do handle = generator(n) end\n"
    "linda:receive('done')\n"
    "linda:send('unread', { linda, text = ('x'):rep(1000) }, function() return linda end)\n"
    "lanes.timer(linda, 'tick', 0.001, 0.001)\n"
    "lanes.timer(linda, 'later', 1000)\n"
    "return linda:send('k', 'v') and select(2, linda:receive('k'))\n";

/* cycles COUNT */
static int cycles(long count) {
    long memory = 0, threads = 0, most = 0;
    long warm = count / 4;
    for (long n = 0; n < count; n++) {
        if (n == warm) {
            memory = status_of_process("VmRSS");
            threads = status_of_process("Threads");
        }
        lua_State *L = open_state(NULL, NULL);
        expect(L, BUSY, "", "v");
        lua_close(L);
        long now = status_of_process("Threads");
        most = now > most ? now : most;
    }
    long grown = status_of_process("VmRSS") - memory;
    long now = status_of_process("Threads");
    printf("%ld states: memory %ld KiB after %ld, grown by %ld KiB; threads %ld, at the end %ld, at most %ld\n", count, memory,
           warm, grown, threads, now, most);
    /* Idle threads live for a while, and each has its own heap in the C library, so the size takes some cycles to settle. */
    if (grown > 8192)
        fail("memory", "it grows with each state");
    if (most > 40)
        fail("threads", "they grow with each state");
    return 0;
}

/* universes */
static int universes(void) {
    static const int ORDERS[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int n = 0; n < 30; n++) {
        const int *order = ORDERS[n % 6];
        lua_State *states[3];
        for (int i = 0; i < 3; i++) {
            states[i] = open_state(NULL, NULL);
            expect(states[i], BUSY, "", "v");
        }
        for (int i = 0; i < 3; i++) {
            lua_close(states[order[i]]);
            /* The open ones must still work. */
            for (int j = i + 1; j < 3; j++)
                expect(states[order[j]],
                       "local lanes = require 'lanes'\n"
                       "local linda = lanes.linda()\n"
                       "local lane = lanes.gen('*', function(v) linda:send('k', v) return v end)('still')\n"
                       "return select(2, linda:receive('k')) .. ' ' .. lane[1]",
                       "", "still still");
        }
    }
    puts("90 universes, closed in every order");
    return 0;
}

/* An allocator that counts, and fails if two threads call it at once. */
struct counter {
    size_t bytes, blocks, calls;
    int inside, collisions;
};

static void *counting(void *data, void *block, size_t old, size_t new) {
    struct counter *counter = data;
    if (__atomic_exchange_n(&counter->inside, 1, __ATOMIC_ACQUIRE))
        counter->collisions++;
    counter->calls++;
    void *result = NULL;
    if (new == 0) {
        if (block) {
            counter->bytes -= old;
            counter->blocks--;
        }
        free(block);
    } else {
        result = realloc(block, new);
        if (result) {
            counter->bytes += new - (block ? old : 0);
            counter->blocks += block == NULL;
        }
    }
    __atomic_store_n(&counter->inside, 0, __ATOMIC_RELEASE);
    return result;
}

/* allocator [protected] */
static int allocator(const char *kind) {
    struct counter counter = {0, 0, 0, 0, 0};
    for (int n = 0; n < 30; n++) {
        lua_State *L = open_state(counting, &counter);
        expect(L, BUSY, kind, "v");
        lua_close(L);
        if (counter.bytes != 0 || counter.blocks != 0) {
            fprintf(stderr, "host: %zu bytes in %zu blocks were not given back\n", counter.bytes, counter.blocks);
            return 2;
        }
        if (counter.collisions)
            fail("allocator", "it was called by two threads at once");
    }
    puts("30 states, every byte given back, one thread at a time");
    return 0;
}

/* deaf */
static int deaf(void) {
    /* Lanes that still run use the allocator, so it must stay; each state has its own. */
    static struct counter counters[5];
    for (int n = 0; n < 5; n++) {
        lua_State *L = open_state(counting, &counters[n]);
        expect(L,
               "local lanes = require 'lanes'.configure { shutdown_timeout = 0.02, allocator = 'protected' }\n"
               "local linda = lanes.linda()\n"
               "local generator = lanes.gen('*', function()\n"
               "    linda:send('there', true)\n"
               "    while true do pcall(function() while true do local _ = { tostring(linda), linda:count() } end end) end\n"
               "end)\n"
               "for _ = 1, 2 do generator() end\n"
               "linda:receive('there')\n"
               "return 'v'",
               "", "v");
        lua_close(L);
    }
    for (int n = 0; n < 5; n++)
        if (counters[n].collisions)
            fail("allocator", "it was called by two threads at once");
    lua_State *L = open_state(NULL, NULL);
    expect(L, BUSY, "", "v");
    lua_close(L);
    puts("lanes that do not listen do no harm");
    return 0;
}

/* A state that one thread leaves for another one to close. */
static lua_State *left;
static pthread_mutex_t left_lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *unused) {
    (void)unused;
    for (int n = 0; n < 25; n++) {
        lua_State *L = open_state(NULL, NULL);
        expect(L, BUSY, "", "v");
        pthread_mutex_lock(&left_lock);
        lua_State *other = left;
        left = L;
        pthread_mutex_unlock(&left_lock);
        if (other) {
            expect(other, "return require 'lanes'.gen('*', function() return 'works' end)()[1]", "", "works");
            lua_close(other);
        }
    }
    return NULL;
}

/* threads */
static int threads(void) {
    pthread_t list[4];
    for (int n = 0; n < 4; n++)
        if (pthread_create(&list[n], NULL, work, NULL) != 0)
            fail("threads", "one cannot be started");
    for (int n = 0; n < 4; n++)
        pthread_join(list[n], NULL);
    lua_close(left);
    puts("100 states on 4 threads");
    return 0;
}

static int from_host(lua_State *L) {
    lua_pushliteral(L, "prepared by the host");
    return 1;
}

static int prepare(lua_State *L) {
    lua_pushcfunction(L, from_host);
    lua_setglobal(L, "from_host");
    return 0;
}

static int broken(lua_State *L) { return luaL_error(L, "the host has changed its mind"); }

/* on_state_create */
static int on_state_create(void) {
    lua_State *L = open_state(NULL, NULL);
    lua_pushcfunction(L, prepare);
    lua_setglobal(L, "prepare");
    expect(L,
           "local lanes = require 'lanes'.configure { on_state_create = prepare }\n"
           "local function body() return from_host() end\n"
           "for _ = 1, 100 do assert(lanes.gen('*', body)()[1] == 'prepared by the host') end\n"
           "return lanes.gen('*', function(body) return require 'lanes'.gen('*', body)()[1] end)(body)[1]",
           "", "prepared by the host");
    lua_close(L);
    L = open_state(NULL, NULL);
    lua_pushcfunction(L, broken);
    lua_setglobal(L, "broken");
    expect(L,
           "local lanes = require 'lanes'.configure { on_state_create = broken }\n"
           "local ok, message = pcall(lanes.gen('*', function() end))\n"
           "return tostring(not ok and message:find('the host has changed its mind', 1, true) ~= nil)",
           "", "true");
    lua_close(L);
    puts("lanes are prepared by C functions");
    return 0;
}

/* fork */
#ifdef _WIN32
static int forked(void) {
    fail("fork", "this system does not have it");
    return 2;
}
#else
/* readable(descriptor) */
static int readable(lua_State *L) {
    struct pollfd asked = {(int)lua_tonumber(L, 1), POLLIN, 0};
    lua_pushboolean(L, poll(&asked, 1, 0) == 1);
    return 1;
}

/* A notifier has a descriptor in each process: what one process does with its own does not touch that of the other. */
static const char *const NOTIFIER_IS_APART =
    "local seen = { readable(n:fd()) }\n"
    "linda:send('n', 'v') seen[2] = readable(n:fd())\n"
    "local key, value = n:receive() seen[3] = readable(n:fd())\n"
    "n:receive() seen[4] = readable(n:fd())\n"
    "return ('%s %s %s %s %s'):format(value, tostring(seen[1]), tostring(seen[2]), tostring(seen[3]), tostring(seen[4]))";

static int forked(void) {
    lua_State *L = open_state(NULL, NULL);
    lua_register(L, "readable", readable);
    expect(L,
           "lanes = require 'lanes'.configure { shutdown_timeout = 1000 }\n"
           "linda = lanes.linda()\n"
           "ended = lanes.gen('*', function() return 'v' end)()\n"
           "waiting = lanes.gen('*', function() linda:receive('never') end)()\n"
           "lanes.timer(linda, 'key', 1000)\n"
           "n = linda:notifier('n')\n"
           "return ended[1]",
           "", "v");
    pid_t child = fork();
    if (child < 0)
        fail("fork", "no process");
    expect(L,
           "lanes.gen('*', function(linda) linda:send('here', 'v') end)(linda)\n"
           "return (select(2, linda:receive('here')))",
           "", "v");
    if (child == 0) {
        /* Readable at first, because a child does not know what came before. */
        expect(L, NOTIFIER_IS_APART, "", "v true true true false");
        expect(L, "linda:send('n', 'left') return tostring(readable(n:fd()))", "", "true");
        expect(L, "lanes.timer(linda, 'tick', 0.01) linda:receive('tick') return tostring(#lanes.timers())", "", "0");
        lua_close(L);
        /* Another program, because a leak checker would report the memory of the parent's threads. */
        execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
        fail("fork", "no shell");
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
        fail("fork", "the child did not end as it should");
    expect(L, NOTIFIER_IS_APART, "", "v false true true false");
    lua_close(L);
    puts("a child has lanes of its own");
    return 0;
}
#endif

static int finalized, finalized_with_error;

/* Calls the registry's function for the object. It uses no upvalues, since these may be older than the universe, too. */
static int finalize(lua_State *L) {
    lua_getfield(L, LUA_REGISTRYINDEX, "host.use");
    finalized++;
    if (lua_isfunction(L, -1) && lua_pcall(L, 0, 0, 0) != 0) {
        finalized_with_error++;
        if (lua_type(L, -1) != LUA_TSTRING)
            fail("finalizer", "the error is not a text");
    }
    lua_settop(L, 0);
    return 0;
}

/* old_objects */
static int old_objects(void) {
    static const char *const USES[] = {
        "linda:send('k', 5)",   "linda:receive(0, 'k')", "linda:receive('k')",      "linda:set('k', 1, 2)", "linda:get('k')",
        "linda:limit('k', 1)",  "linda:count()",         "linda:dump()",            "linda:cancel()",       "tostring(linda)",
        "lanes.linda()",        "lanes.sleep(0.001)",    "lanes.gen('*', print)()", "ended:join(0)",        "ended[1]",
        "ended.status",         "waiting:cancel(0)",     "waiting:join(0.001)",     "waiting.status",       "lanes.timers()",
        "lanes.timer(linda, 'k', 1)", "lock(1)",         "atomic(1)",               "lanes.now_secs()",     "require 'lanes'",
    };
    const int count = (int)(sizeof USES / sizeof *USES);
    for (int n = 0; n < count; n++) {
        lua_State *L = open_state(NULL, NULL);
        *(char *)lua_newuserdata(L, 1) = 0;
        lua_newtable(L);
        lua_pushcfunction(L, finalize);
        lua_setfield(L, -2, "__gc");
        lua_setmetatable(L, -2);
        lua_setfield(L, LUA_REGISTRYINDEX, "host.object");
        char text[1024];
        snprintf(text, sizeof text,
                 "lanes = require 'lanes'.configure()\n"
                 "linda = lanes.linda()\n"
                 "ended = lanes.gen('*', function() return {} end)()\n"
                 "ended:join()\n"
                 "waiting = lanes.gen('*', function(linda) linda:receive('never') end)(linda)\n"
                 "lock, atomic = lanes.genlock(linda, 'lock', 2), lanes.genatomic(linda, 'atomic')\n"
                 "return function() local result = %s return result end",
                 USES[n]);
        run(L, text, "");
        lua_setfield(L, LUA_REGISTRYINDEX, "host.use");
        int before = finalized;
        lua_close(L);
        if (finalized != before + 1)
            fail(USES[n], "the finalizer did not run");
    }
    printf("%d objects finalized, %d of them with an error\n", finalized, finalized_with_error);
    return 0;
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "run") == 0 && argc > 2)
        return run_file(argc - 2, argv + 2);
    if (strcmp(mode, "cycles") == 0 && argc > 2)
        return cycles(atol(argv[2]));
    if (strcmp(mode, "universes") == 0)
        return universes();
    if (strcmp(mode, "threads") == 0)
        return threads();
    if (strcmp(mode, "deaf") == 0)
        return deaf();
    if (strcmp(mode, "allocator") == 0)
        return allocator(argc > 2 ? argv[2] : "");
    if (strcmp(mode, "on_state_create") == 0)
        return on_state_create();
    if (strcmp(mode, "fork") == 0)
        return forked();
    if (strcmp(mode, "old_objects") == 0)
        return old_objects();
    fail(mode, "no such mode");
    return 2;
}
