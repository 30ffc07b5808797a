--- The reference of `lanes` itself: loading, generators, lindas' makers, timers, threads, transfer
--- (form of the entries: lanes.reference).

local BACK = "`lanes.cancel_error` after a soft request, or if the linda is cancelled"

return {
    {
        class = "lanes", kind = "module", page = "README.md",
        text = "Native threads for Lua.",
        members = {
            {
                name = "configure", page = "loading.md",
                text = "Configures Lanes and returns the module's table. Once per state; the field is nil afterwards.",
                args = { { "options?", "ConfigureOptions", "nil means the defaults" } },
                returns = { { "configured", "lanes" } },
                errors = {
                    "Bad parameter #1 to lanes.configure(), should be a table", "Unknown parameter '<name>' in configure options",
                    "Bad <option>: <value>, lanes.configure expects ...", "on_state_create shouldn't have upvalues",
                    "config.allocator() shouldn't have upvalues",
                    "To use 'lanes', you will also need to have 'string' available.",
                    "attempt to call field 'configure' (a nil value)",
                },
            },
            {
                name = "gen", page = "generators.md",
                text = "Makes a generator: a function, each call of which launches a lane with its arguments.",
                forms = {
                    {
                        {
                            "...", "string|GenOptions|function|nil",
                            "libraries (\"*\" opens all) and options, in any order; then the body, a function or Lua source",
                        },
                    },
                    { { "body", "function|string" } },
                    { { "libraries", "string" }, { "body", "function|string" } },
                    { { "options", "GenOptions" }, { "body", "function|string" } },
                    { { "libraries", "string" }, { "options", "GenOptions" }, { "body", "function|string" } },
                },
                returns = { { "the generator", "Generator" } },
                errors = {
                    "No parameters!", "Bad parameter <i>: <type> \"<value>\"",
                    "Last parameter not function or string: <type> \"<value>\"", "Bad library name: <name>",
                    "libs specification contains '<name>' more than once", "Bad '<option>' option",
                    "Bad '<option>' option: <type> \"<value>\"", "Bad 'stack_size' option: <value>", "Bad 'memory_limit' option: <value>",
                    "Unkeyed option: <type> \"<value>\"",
                },
            },
            {
                name = "linda", page = "lindas.md",
                text = "Makes a linda: a set of slots, each of which has a key and is a queue of values.",
                forms = {
                    { { "name?", "string", "what `tostring` shows" }, { "group?", "number", "accepted, without effect" } },
                    { { "group", "number", "accepted, without effect" } },
                },
                returns = { { "the linda", "Linda" } },
                errors = { "wrong parameter (should be a string or a number)" },
            },
            {
                name = "timer", page = "timers.md#lanestimerlinda-key-first--period",
                text = "Sets, replaces or removes the timer of a slot. When it fires, the slot is set to the current time.",
                args = {
                    { "linda", "Linda" }, { "key", "Key" },
                    { "first", "number|table|false|nil", "seconds from now, or a date table; nil or false removes the timer" },
                    { "period?", "number|false", "seconds between later times" },
                },
                returns = {},
                errors = {
                    "expecting a Linda", "timers are not active", "number or date table expected", "time in seconds expected",
                    "the date ...", "field '<name>' of the date ...", "period in seconds expected", "number expected",
                },
            },
            {
                name = "timers", page = "timers.md#lanestimers",
                text = "Lists all timers.",
                args = {},
                returns = { { "the list", "Timer[]" } },
                errors = { "timers are not active" },
            },
            {
                name = "timer_lane", page = "timers.md#lanestimer_lane", type = "Lane?",
                text = "Stands for the timer service, in the main state if timers are on.",
            },
            {
                name = "sleep", page = "timers.md#lanessleepseconds",
                text = "Waits for a time. Without one, lets other threads run.",
                args = { { "seconds?", "number|false" } },
                returns = { { "the time is over" }, { "after a soft request", "CancelError" } },
                errors = { "invalid duration \"<value>\"" },
            },
            {
                name = "now_secs", page = "timers.md#lanesnow_secs",
                text = "The seconds since 1970, with fractions.",
                args = {},
                returns = { { "the time", "number" } },
            },
            {
                name = "genlock", page = "locks.md#lanesgenlocklinda-key--n",
                text = "Makes a slot of a linda a lock with a number of units, and returns the function that takes and gives them.",
                args = {
                    { "linda", "Linda" }, { "key", "Key" }, { "n?", "integer", "the number of units, from 1; default 1" },
                },
                returns = { { "the lock", "Lock" }, { "the linda is cancelled", "CancelError", rare = true } },
                errors = { "expecting a linda object", "number of units should be >= 1" },
            },
            {
                name = "genatomic", page = "locks.md#lanesgenatomiclinda-key--initial",
                text = "Makes a slot of a linda a counter, and returns the function that adds to it.",
                args = { { "linda", "Linda" }, { "key", "Key" }, { "initial?", "number", "default 0.0" } },
                returns = { { "the counter", "Counter" }, { "the linda is cancelled", "CancelError", rare = true } },
                errors = { "expecting a linda object", "number expected" },
            },
            {
                name = "require", page = "transfer.md#lanesrequirename-lanesregistername-module",
                text = "Requires a module and records the names of its functions.",
                args = { { "name", "string" } },
                returns = { { "the module", "any" } },
                errors = { "unsupported module type <type>", "module '<name>' cannot be loaded: ..." },
            },
            {
                name = "register", page = "transfer.md#lanesrequirename-lanesregistername-module",
                text = "Records the names of the functions of a module that was not loaded by `require`.",
                args = { { "name", "string" }, { "module", "table|function" } },
                returns = {},
                errors = { "unexpected module type <type>" },
            },
            {
                name = "nameof", page = "transfer.md#lanesnameofvalue",
                text = "The type of a value and the name by which it can be reached.",
                args = { { "value", "any" } },
                returns = { { "type and name", "string", "any" } },
                errors = { "value expected", "too many arguments." },
            },
            {
                name = "threads", page = "threads.md#which-lanes-there-are",
                text = "Lists all lanes, the newest first. Needs `configure { track_lanes = true }`.",
                args = {},
                returns = { { "there are lanes", "ThreadInfo[]" }, { "there are none", rare = true } },
                errors = { "lane tracking is not available" },
            },
            {
                name = "set_thread_priority", page = "threads.md#priority",
                text = "Sets the priority of the calling thread.",
                args = { { "priority", "integer", "from -3 to 3; 0 is the system's default" } },
                returns = {},
                errors = { "priority out of range: -3..+3 (<n>)" },
            },
            {
                name = "set_thread_affinity", page = "threads.md#affinity",
                text = "Restricts the calling thread to some processors.",
                args = { { "mask", "integer", "one bit for each processor" } },
                returns = {},
                errors = { "invalid affinity" },
            },
            {
                name = "set_singlethreaded", page = "threads.md#lanesset_singlethreadedn",
                text = "Not available: raises an error.",
                args = { { "n?", "integer" } },
                returns = {},
                errors = { "not implemented" },
            },
            {
                name = "cpus", page = "pools.md#lanescpus", own = true,
                text = "The number of processors that the process can use at the same time.",
                args = {},
                returns = { { "from 1", "integer" } },
            },
            {
                name = "map", page = "pools.md#lanesmaplist-f--options", own = true,
                text = "Calls a function for each item of a list, in lanes, and waits for the results.",
                args = { { "list", "any[]" }, { "f", "fun(item: any): any" }, { "options?", "MapOptions" } },
                returns = {
                    { "the results", "MapResults" }, { "not in time", "nil", "\"timeout\"", rare = true },
                    { "after a soft request", "CancelError", rare = true },
                },
                errors = { "bad argument #<n> to 'map' (...)", "lanes needs the library 'package' for this function" },
            },
            {
                name = "imap", page = "pools.md#lanesimapsource-f--options", own = true,
                text = "Calls a function for each item, in lanes; an iterator that yields index and results.",
                args = {
                    { "source", "any[]|function", "a list, or an iterator that may be endless" },
                    { "f", "function" }, { "options?", "ImapOptions" },
                },
                returns = { { "the iterator", "fun(...: any): integer?, any, any, any" } },
                errors = { "bad argument #<n> to 'imap' (...)", "lanes needs the library 'package' for this function" },
            },
            {
                name = "pool", page = "pools.md#lanespooloptions", own = true,
                text = "Makes a pool: lanes that run functions for many calls.",
                args = { { "options?", "PoolOptions" } },
                returns = { { "the pool", "Pool" }, { "after a soft request", "CancelError", rare = true } },
                errors = {
                    "bad argument #1 to 'pool' (table expected, ...)", "Bad '<option>' option", "pool: init failed: <error>",
                    "lanes needs the library 'package' for this function",
                },
            },
            {
                name = "progress", page = "pools.md#lanesprogressdone--total", own = true,
                text = "Draws a bar on standard error if that is a terminal.",
                args = { { "done", "integer" }, { "total?", "integer" } },
                returns = {},
            },
            {
                name = "select", page = "select.md#lanesselecttimeout-case", own = true,
                text = "Waits until one of several sends, receives and ends of lanes can happen, lets it happen, and tells which.",
                forms = {
                    {
                        { "case", "Case", "{ linda, \"receive\", key... }, { linda, \"send\", key, value... } or { lane }" },
                        { "...", "Case" },
                    },
                    { { "timeout", "number|nil", "in seconds; 0 never waits" }, { "case", "Case" }, { "...", "Case" } },
                },
                returns = {
                    { "received: number of the case, key, value", "integer", "Key", "any" }, { "sent", "integer", "Key" },
                    { "the lane has ended", "integer", "Lane" }, { "not in time" }, { BACK, "CancelError", rare = true },
                },
                errors = {
                    "a case expected, got no value", "case <n>: a table expected", "case <n>: a linda or a lane expected",
                    "case <n>: 'receive' or 'send' expected", "case <n>: a key expected", "case <n>: invalid key type",
                    "case <n>: no data to send", "case <n>: a lane stands alone", "case <n>, value <m>: ...",
                    "timeout in seconds expected, got NaN",
                },
            },
            {
                name = "wait", page = "select.md#laneswaitlist--options", own = true,
                text = "Waits until some of a list of lanes and futures have ended.",
                args = { { "list", "(Lane|Future)[]" }, { "options?", "WaitOptions" } },
                returns = {
                    { "those that have ended, in that order", "(Lane|Future)[]" }, { "not in time", "nil", "\"timeout\"", rare = true },
                    { BACK, "CancelError", rare = true },
                },
                errors = {
                    "a list of lanes and futures expected", "entry <n>: a lane or a future expected", "Bad '<name>' option",
                    "pool: waiting for a task of the same pool would take for ever",
                },
            },
            {
                name = "scope", page = "scopes.md#lanesscopebody--options", own = true,
                text = "Calls a function, and waits until all lanes of its scope have ended.",
                args = { { "body", "fun(s: Scope): any..." }, { "options?", "ScopeOptions" } },
                returns = { { "the results of the function", "any..." }, { BACK, "CancelError", rare = true } },
                errors = {
                    "bad argument #1 to 'scope' (function expected, ...)", "bad argument #2 to 'scope' (table expected, ...)",
                    "Bad '<name>' option",
                },
            },
            {
                name = "waiting", page = "deadlocks.md#laneswaitingdot", own = true,
                text = "Returns what sleeps in calls of Lanes, and for what it waits.",
                forms = { {}, { { "form", "\"dot\"", "as a text for Graphviz" } } },
                returns = { { "a list", "Waiting[]" }, { "with \"dot\"", "string" } },
                form_returns = { { "Waiting[]" }, { "string" } },
                errors = { "\"dot\" or nothing expected" },
            },
            {
                name = "supervise", page = "failures.md#supervisors", own = true,
                text = "Starts lanes, and starts them again when they have ended.",
                args = { { "children", "SuperviseOptions", "a list of children, with the options" } },
                returns = { { "the supervisor", "Supervisor" }, { "after a soft request", "CancelError", rare = true } },
                errors = {
                    "supervise: child \"<name>\"...",
                    "supervise: child \"<name>\" did not start: ...",
                    "supervise: unknown option ...", "supervise: there are no children",
                },
            },
            {
                name = "help", page = "reference.md#laneshelpname", own = true,
                text = "Prints what a function, field, option or object is.",
                args = { { "name?", "any", "a name such as \"linda:send\" or \"gen\"; or a value of Lanes" } },
                returns = {},
            },
            {
                name = "cancel_error", page = "cancellation.md#inside-the-lane", type = "CancelError",
                text = "The error of a request to end, and the result of calls that notice one. The same value in all lanes.",
            },
            {
                name = "null", page = "lindas.md#other", type = "lightuserdata",
                text = "Stands for nil in `linda:dump`. Sent as a value, it arrives as nil.",
            },
            {
                name = "async", page = "loops.md#lanesasync", own = true, type = "AsyncLoops",
                text = "The waiting calls for coroutines of event loops.",
            },
            {
                name = "ABOUT", page = "loading.md#facts-about-the-library", type = "About",
                text = "Facts about the library.",
            },
        },
    },
    {
        class = "ConfigureOptions", kind = "options", of = "lanes.configure", page = "loading.md#options",
        text = "The options of `lanes.configure`.",
        members = {
            {
                name = "api", type = "integer", page = "v4.md#choosing-it", own = true,
                text = "the interface: 3, that of Lanes 3.x, or 4; default 3, or the environment variable LANES_API",
            },
            { name = "with_timers", type = "boolean", text = "whether timers work; default true" },
            { name = "shutdown_timeout", type = "number", text = "seconds that the end of the program waits for lanes; default 0.25" },
            {
                name = "stack_size", type = "integer", page = "threads.md#stacks", own = true, text = "bytes of the stacks of lanes",
                errors = { "Bad stack_size" },
            },
            { name = "track_lanes", type = "boolean", text = "whether `lanes.threads` works; default false" },
            {
                name = "on_error", type = "\"stderr\"|fun(name: string, err: any, trace: any)", page = "failures.md#on_error", own = true,
                text = "who is told of failures of lanes that nobody reads",
                errors = { "Bad on_error: <value>, lanes.configure expects \"stderr\" or a function" },
            },
            {
                name = "on_deadlock", type = "false|\"report\"|\"error\"|fun(text: string, graph: Waiting[])", own = true,
                page = "deadlocks.md#on_deadlock", text = "what is done about a deadlock; default false",
                errors = {
                    "Bad on_deadlock: <value>", "Bad LANES_DEADLOCK: '<value>'", "deadlock: <n> lanes wait, and nothing can wake them",
                },
            },
            {
                name = "on_state_create", type = "function", page = "loading.md#on_state_create",
                text = "a function without upvalues that is called in each new lane",
            },
            { name = "demote_full_userdata", type = "boolean", text = "whether userdata is passed as light userdata; default false" },
            { name = "allocator", type = "\"protected\"|function", page = "loading.md#allocator", text = "where lanes allocate memory" },
            { name = "verbose_errors", type = "boolean", text = "accepted, without effect" },
            { name = "internal_allocator", type = "\"allocator\"|\"libc\"", text = "accepted, without effect" },
            { name = "nb_keepers", type = "number", text = "accepted, without effect" },
            { name = "keepers_gc_threshold", type = "number", text = "accepted, without effect" },
            { name = "protect_allocator", type = "boolean", text = "older name: true means `allocator = \"protected\"`" },
        },
    },
    {
        class = "GenOptions", kind = "options", of = "lanes.gen", page = "generators.md#options",
        text = "The options of `lanes.gen`.",
        members = {
            { name = "globals", type = "table", text = "globals of the lane" },
            { name = "required", type = "string[]", text = "modules that the lane requires before its body runs" },
            { name = "package", type = "table", text = "`path`, `cpath` and `preload` in place of those of the launching state" },
            { name = "priority", type = "number", page = "threads.md#priority", text = "priority of the thread, from -3 to 3" },
            {
                name = "gc_cb", type = "fun(name: string, how: \"selfdestruct\"|\"closed\")", page = "lanes.md#letting-a-handle-go",
                text = "called when the handle is collected",
            },
            { name = "memory_limit", type = "number", text = "maximum memory of the lane's Lua state in bytes", own = true },
            {
                name = "stack_size", type = "integer", page = "threads.md#stacks", own = true,
                text = "bytes of the stack of the lane's thread",
            },
        },
    },
    {
        class = "Generator", kind = "function", page = "generators.md#launching",
        text = "Launches a lane with these arguments and returns its handle.",
        args = { { "...", "any" } },
        returns = { { "launched", "Lane" } },
        errors = {
            "error when parsing lane function code: ...", "Priority out of range: -3..+3 (<n>)",
            "required module list should be a list of strings", "cannot pre-require modules without loading 'package' library first",
            "Bad 'memory_limit' option: this LuaJIT ...", "cannot start a lane: the system gives no thread",
            "cannot start a lane: the main state is being closed", "on_state_create failed: \"...\"",
        },
    },
    {
        class = "Lock", kind = "function", page = "locks.md#lanesgenlocklinda-key--n",
        text = "Takes units of a lock (above 0, waits until they are free) or gives them back (below 0).",
        args = { { "units", "number" }, { "mode?", "\"try\"", "does not wait" } },
        returns = { { "taken or given back, or not free with \"try\"", "boolean" }, { BACK, "CancelError", rare = true } },
        errors = { "number of units expected" },
    },
    {
        class = "Counter", kind = "function", page = "locks.md#lanesgenatomiclinda-key--initial",
        text = "Adds to a counter.",
        args = { { "difference?", "number", "default 1.0" } },
        returns = { { "the sum", "number" }, { BACK, "CancelError", rare = true } },
        errors = { "number expected", "the slot of this atomic number holds a <type> now" },
    },
    {
        class = "CancelError", kind = "opaque", type = "lightuserdata", page = "cancellation.md#inside-the-lane",
        text = "The type of `lanes.cancel_error`.",
    },
    {
        class = "Key", kind = "alias", type = "boolean|number|string|lightuserdata", page = "lindas.md",
        text = "The key of a slot.",
    },
    {
        class = "About", kind = "record", page = "loading.md#facts-about-the-library",
        text = "What `lanes.ABOUT` holds.",
        members = {
            { name = "author", type = "string" }, { name = "copyright", type = "string" }, { name = "description", type = "string" },
            { name = "implementation", type = "string", text = "the name and version of this library", own = true },
            { name = "license", type = "string" }, { name = "version", type = "string", text = "the version of the interface" },
        },
    },
    {
        class = "Timer", kind = "record", page = "timers.md#lanestimers",
        text = "An entry of `lanes.timers()`: { linda, key, { when, period } }.",
        index = { { "integer", "any" } },
        members = {},
    },
    {
        class = "Waiting", kind = "record", page = "deadlocks.md#laneswaitingdot", own = true,
        text = "An entry of `lanes.waiting()`: a state that sleeps.",
        members = {
            { name = "name", type = "string", text = "`main`, or the lane" }, { name = "op", type = "string", text = "the operation" },
            { name = "linda", type = "string?", text = "the name of the linda" }, { name = "keys", type = "Key[]?" },
            { name = "lanes", type = "string[]?", text = "the lanes, or the module, that it waits for" },
            { name = "holders", type = "string[]?", text = "those who hold units of the lock" },
            { name = "since", type = "number", text = "when it began to sleep" },
            { name = "timeout", type = "number?", text = "the seconds that it may still sleep" },
            { name = "where", type = "string?", text = "file and line" },
        },
    },
    {
        class = "ThreadInfo", kind = "record", page = "threads.md#which-lanes-there-are",
        text = "An entry of `lanes.threads()`.",
        members = { { name = "name", type = "string" }, { name = "status", type = "Status" } },
    },
}
