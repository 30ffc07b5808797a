--- The reference of what runs many lanes: pools, futures, maps, waits, supervisors (form of the
--- entries: lanes.reference).

local SOFT = "after a soft request"
local PASSED_ON = "as for `lanes.gen`"

local function map_options(class, of, more)
    local members = {
        { name = "chunk", type = "\"auto\"|integer", text = "how many items a worker gets at a time; default \"auto\"" },
        {
            name = "on_error", type = "\"raise\"|\"return\"|fun(index: integer, err: any, trace: any): any",
            text = "what an error of a call does; default \"raise\"",
        },
        { name = "timeout", type = "number", text = "seconds for the whole call" },
        {
            name = "progress", type = "boolean|fun(done: integer, total: integer?)",
            text = "true shows a bar on a terminal; a function is called now and then",
        },
    }
    for i = 1, #more do
        members[#members + 1] = more[i]
    end
    return { class = class, kind = "options", of = of, own = true, page = "pools.md#options-of-a-map",
        text = "The options of `" .. of .. "`.", members = members }
end

local IMAP_ONLY = {
    { name = "ordered", type = "boolean", text = "`imap` only: false yields results in the order in which calls end" },
    { name = "buffer", type = "integer", text = "`imap` only: how many items may be taken and not yet yielded" },
}

return {
    {
        class = "Pool", kind = "object", page = "pools.md#methods-of-a-pool", own = true,
        text = "Lanes that run functions for many calls.",
        errors = {
            "can't index a pool with '<key>'", "pool:<method>: pool is closed", "pool:<method>: this pool belongs to another state",
        },
        members = {
            {
                name = "submit", page = "pools.md#methods-of-a-pool",
                text = "Submits a task: a worker calls the function with these arguments.",
                args = { { "f", "function" }, { "...", "any" } },
                returns = { { "its result", "Future" }, { SOFT, "CancelError", rare = true } },
                errors = { "submit: <error>" },
            },
            {
                name = "map", page = "pools.md#methods-of-a-pool",
                text = "Calls a function for each item of a list, and waits for the results.",
                args = { { "f", "fun(item: any): any" }, { "list", "any[]" }, { "options?", "MapOptions" } },
                returns = {
                    { "the results", "MapResults" }, { "not in time", "nil", "\"timeout\"", rare = true },
                    { SOFT, "CancelError", rare = true },
                },
            },
            {
                name = "imap", page = "pools.md#methods-of-a-pool",
                text = "Calls a function for each item; an iterator that yields index and results.",
                args = {
                    { "f", "function" }, { "source", "any[]|function" }, { "options?", "ImapOptions" },
                },
                returns = { { "the iterator", "fun(...: any): integer?, any, any, any" } },
            },
            {
                name = "stats", page = "pools.md#methods-of-a-pool",
                text = "Counts of the pool's activity.",
                args = {},
                returns = { { "the counts", "PoolStats" } },
            },
            {
                name = "close", page = "pools.md#methods-of-a-pool",
                text = "Ends the pool after all waiting tasks have been run.",
                args = { { "timeout?", "number" } },
                returns = { { "ended", "true" }, { "not in time", "false", "\"timeout\"" }, { SOFT, "CancelError", rare = true } },
            },
            {
                name = "cancel", page = "pools.md#methods-of-a-pool",
                text = "Ends the pool at once: drops waiting tasks and cancels running ones.",
                args = { { "timeout?", "number" } },
                returns = { { "ended", "true" }, { "not in time", "false", "\"timeout\"" } },
            },
        },
    },
    {
        class = "Future", kind = "object", page = "pools.md#futures", own = true,
        text = "The result of a task of a pool, used like the handle of a lane.",
        index = { { "integer", "any", "future[n] waits for the end: result n; true at 0; the error at -1" } },
        errors = { "can't index a future with '<key>'" },
        members = {
            { name = "status", page = "pools.md#futures", type = "Status", text = "What the task does now. Reading it never waits." },
            {
                name = "join", page = "pools.md#futures",
                text = "Waits until the task has ended, and returns its results.",
                args = { { "timeout?", "number", "in seconds; 0 does not wait" } },
                returns = {
                    { "it returned", "any..." }, { "it failed: nil, error, trace", "nil", "any", "any" }, { "it was cancelled" },
                    { "it has not ended in time", "nil", "\"timeout\"" }, { SOFT, "CancelError", rare = true },
                },
            },
            {
                name = "notifier", page = "loops.md#notifiers",
                text = "Makes a notifier of the end of the task.",
                args = {}, returns = { { "the notifier", "Notifier" } },
                errors = { "notifier: the system gives no descriptor: <reason>" },
            },
            {
                name = "cancel", page = "pools.md#futures",
                text = "Drops a waiting task; cancels a running one as by `lane:cancel`.",
                forms = {
                    { { "mode?", "CancelMode" }, { "timeout?", "number" }, { "flag?", "boolean" } },
                    { { "mode", "HookMode" }, { "count", "number" }, { "timeout?", "number" }, { "flag?", "boolean" } },
                },
                returns = { { "it has ended", "true", "Status" }, { "it has not ended in time", "false", "\"timeout\"" } },
            },
        },
    },
    {
        class = "PoolOptions", kind = "options", of = "lanes.pool", page = "pools.md#lanespooloptions", own = true,
        text = "The options of `lanes.pool`.",
        members = {
            { name = "workers", type = "integer", text = "the number of lanes; default `lanes.cpus()`" },
            { name = "init", type = "function", text = "called once in each worker" },
            { name = "queue", type = "integer", text = "the maximum number of waiting tasks" },
            { name = "time_limit", type = "number", page = "pools.md#time_limit", text = "seconds of processor time that a task may take" },
            { name = "max_tasks", type = "integer", text = "a worker is replaced after this many tasks" },
            { name = "name", type = "string", text = "the name of the pool" },
            { name = "libraries", type = "string", text = "libraries of the workers; default \"*\"" },
            { name = "globals", type = "table", text = PASSED_ON }, { name = "required", type = "string[]", text = PASSED_ON },
            { name = "package", type = "table", text = PASSED_ON }, { name = "priority", type = "number", text = PASSED_ON },
            { name = "memory_limit", type = "number", text = PASSED_ON }, { name = "stack_size", type = "integer", text = PASSED_ON },
        },
    },
    map_options("MapOptions", "lanes.map", {}),
    map_options("ImapOptions", "lanes.imap", IMAP_ONLY),
    {
        class = "MapResults", kind = "record", page = "pools.md#lanesmaplist-f--options", own = true,
        text = "The results of a map, by index.",
        index = { { "integer", "any" } },
        members = {
            { name = "n", type = "integer", text = "the number of items" },
            { name = "errors", type = "table<integer, any>?", text = "errors by index, with `on_error = \"return\"`" },
        },
    },
    {
        class = "PoolStats", kind = "record", page = "pools.md#methods-of-a-pool", own = true,
        text = "What `pool:stats` returns.",
        members = {
            { name = "workers", type = "integer" }, { name = "busy", type = "integer" }, { name = "queued", type = "integer" },
            { name = "done", type = "integer" }, { name = "failed", type = "integer" },
        },
    },
    {
        class = "Case", kind = "alias", type = "any[]", page = "select.md#lanesselecttimeout-case", own = true,
        text = "A case of `lanes.select`.",
    },
    {
        class = "WaitOptions", kind = "options", of = "lanes.wait", page = "select.md#laneswaitlist--options", own = true,
        text = "The options of `lanes.wait`.",
        members = {
            { name = "count", type = "integer|\"all\"", text = "how many are to end; default 1" },
            { name = "timeout", type = "number", text = "in seconds; 0 does not wait" },
        },
    },
    {
        class = "Scope", kind = "object", page = "scopes.md#lanesscopebody--options", own = true,
        text = "What the function of `lanes.scope` gets: its lanes end with the function.",
        members = {
            {
                name = "run", page = "scopes.md#lanesscopebody--options",
                text = "Launches a lane of the scope.",
                args = { { "generator", "fun(...: any): Lane" }, { "...", "any", "its arguments" } },
                returns = { { "launched", "Lane" } },
                errors = {
                    "bad argument #1 to 'run' (a generator expected, ...)", "scope:run: the scope has ended",
                    "scope:run: this scope belongs to another state",
                },
            },
        },
    },
    {
        class = "ScopeOptions", kind = "options", of = "lanes.scope", page = "scopes.md#lanesscopebody--options", own = true,
        text = "Options of `lanes.scope`.",
        members = {
            { name = "on_error", type = "\"cancel\"|\"wait\"", text = "whether an error ends the other lanes; default \"cancel\"" },
            { name = "timeout", type = "number", text = "seconds after which all lanes are asked to stop" },
        },
    },
    {
        class = "Supervisor", kind = "object", page = "failures.md#supervisors", own = true,
        text = "A lane that starts lanes again when they have ended.",
        errors = { "can't index a supervisor with '<key>'" },
        members = {
            { name = "status", page = "failures.md#supervisors", type = "Status", text = "The status of its lane." },
            {
                name = "join", page = "failures.md#supervisors",
                text = "Waits until the supervisor has ended.",
                args = { { "timeout?", "number", "in seconds; 0 does not wait" } },
                returns = {
                    { "it has ended", "true" }, { "it failed: nil, error, trace", "nil", "any", "any" },
                    { "not in time", "nil", "\"timeout\"" },
                },
            },
            {
                name = "stop", page = "failures.md#supervisors",
                text = "Ends the children, the last one first, and the supervisor.",
                args = { { "timeout?", "number", "in seconds; 0 does not wait" } },
                returns = {
                    { "ended", "true" }, { "not in time", "false", "\"timeout\"" },
                    { "it had failed: nil, error, trace", "nil", "any", "any" },
                },
            },
            {
                name = "which", page = "failures.md#supervisors",
                text = "The state of the children.",
                args = {},
                returns = { { "in their order", "ChildState[]" } },
            },
        },
    },
    {
        class = "SuperviseOptions", kind = "options", of = "lanes.supervise", page = "failures.md#supervisors", own = true,
        text = "A list of children, with the options of `lanes.supervise`.",
        index = { { "integer", "Child" } },
        members = {
            {
                name = "strategy", type = "\"one_for_one\"|\"one_for_all\"|\"rest_for_one\"",
                text = "which children are started again; default \"one_for_one\"",
            },
            { name = "intensity", type = "integer", text = "how many restarts there may be in the period; default 3" },
            { name = "period", type = "number", text = "in seconds; default 5" },
        },
    },
    {
        class = "Child", kind = "options", of = "a child of lanes.supervise", page = "failures.md#supervisors", own = true,
        text = "A child of a supervisor.",
        members = {
            { name = "name", type = "string", needed = true, text = "its name" },
            { name = "start", type = "fun(...: any): Lane", needed = true, text = "a generator, or another function that launches a lane" },
            { name = "args", type = "table", text = "arguments of `start`" },
            {
                name = "restart", type = "\"permanent\"|\"transient\"|\"temporary\"",
                text = "when it is started again: always, after an error, never; default \"permanent\"",
            },
        },
    },
    {
        class = "ChildState", kind = "record", page = "failures.md#supervisors", own = true,
        text = "An entry of `supervisor:which()`.",
        members = {
            { name = "name", type = "string" }, { name = "status", type = "Status" }, { name = "restarts", type = "integer" },
            { name = "err", type = "any" },
        },
    },
}
