--- The reference of the 4.x interface (docs/manual/v4.md): what differs from that of 3.x, and the
--- entries that both have (form of the entries: lanes.reference).

local load = require "lanes.reference".load

-- The entries of 3.x: classes by name, and members by the names of class and member.
local classes, members = {}, {}
for _, part in ipairs { "module", "objects", "groups", "loops" } do
    for _, class in ipairs(load("lanes.reference." .. part)) do
        classes[class.class] = class
        for _, member in ipairs(class.members or {}) do
            members[class.class .. "." .. member.name] = member
        end
    end
end

-- A member that both have, with other fields. Messages of errors differ, and are left out.
local function changed(name, fields)
    local member = {}
    for key, value in pairs(members[name]) do
        member[key] = key ~= "errors" and value or nil
    end
    for key, value in pairs(fields) do
        member[key] = value
    end
    return member
end

-- Outcomes of 3.x that have no values, or one, in the form of 4.x.
local function outcome_of_four(outcome)
    if outcome[2] == "CancelError" then
        return { outcome[1], "nil", "CancelError", rare = outcome.rare }
    elseif outcome[2] or outcome[1] == "always" then
        return outcome
    elseif outcome[1] == "it was cancelled" then
        return { outcome[1], "nil", "CancelError" }
    end
    return { outcome[1], "nil", "\"timeout\"" }
end

-- A member that both have, with the outcomes of 4.x.
local function answering(member, fields)
    local copy = {}
    for key, value in pairs(member) do
        copy[key] = value
    end
    if member.returns then
        copy.returns = {}
        for i, outcome in ipairs(member.returns) do
            copy.returns[i] = outcome_of_four(outcome)
        end
    end
    for key, value in pairs(fields or {}) do
        copy[key] = value
    end
    return copy
end

local JOIN_RETURNS = {
    { "it returned: true, and its results", "true", "any..." }, { "it failed: nil, error, trace", "nil", "any", "any" },
    { "it was cancelled, or after a soft request", "nil", "CancelError" }, { "it has not ended in time", "nil", "\"timeout\"" },
}

-- Fields of members of this library's own classes that are not those of 3.x.
local OTHER_FIELDS = {
    ["Future.join"] = { args = { { "timeout?", "number", "in seconds, from 0" } }, returns = JOIN_RETURNS },
    ["Future.cancel"] = {
        forms = {
            { { "mode?", "CancelMode" }, { "timeout?", "number", "in seconds; default: for ever" }, { "wake_lane?", "boolean" } },
            { { "mode", "HookMode" }, { "count", "number" }, { "timeout?", "number" }, { "wake_lane?", "boolean" } },
        },
    },
    ["Async.join"] = { returns = JOIN_RETURNS },
    ["Async.send"] = {
        returns = {
            { "sent", "true" }, { "no room in time", "nil", "\"timeout\"" },
            { "the linda is cancelled, or after a soft request", "nil", "CancelError" },
        },
    },
    ["Async.sleep"] = { args = { { "seconds?", "number", "default: until the lane is asked to stop" } } },
}

-- A class that both have, with the outcomes of 4.x.
local function answering_class(name)
    local class = answering(classes[name])
    if name == "Future" then
        class.index = { { "integer", "any", "future[n] waits for the end: result n; their number at 0; the error below 0" } }
    end
    if class.members then
        local list = {}
        for i, member in ipairs(class.members) do
            list[i] = answering(member, OTHER_FIELDS[name .. "." .. member.name])
        end
        if name == "Async" then
            table.insert(list, 2, answering(list[1], { name = "receive_batched", text = "As `linda:receive_batched`.",
                args = { { "linda", "Linda" }, { "...", "any", "as for `linda:receive_batched`" } } }))
        end
        class.members = list
    end
    return class
end

local ASKED = "the linda is cancelled, or after a request"
local TIMEOUT = { "not in time", "nil", "\"timeout\"" }
local CANCELLED = { ASKED, "nil", "CancelError" }
local LINDA_CANCELLED = { "the linda is cancelled", "nil", "CancelError" }
local SLOTS = "v4.md#lindas"

local function settings()
    local list = {
        {
            name = "convert_fallback", type = "lightuserdata|\"decay\"",
            text = "what becomes of tables and userdata without metatable: `lanes.null` or `\"decay\"`",
        },
        { name = "convert_max_attempts", type = "number", text = "how often an object may be converted in a row; default 1" },
        {
            name = "linda_wake_period", type = "number|\"never\"",
            text = "seconds after which a call that waits on a linda looks for requests; default \"never\"",
        },
        { name = "nb_user_keepers", type = "integer", text = "the highest `group` of lindas, from 0 to 100; default 0" },
        { name = "strip_functions", type = "boolean", text = "whether functions travel without names and lines; default true" },
        { name = "with_timers", type = "boolean", text = "whether timers work; default false" },
    }
    for _, name in ipairs {
        "allocator", "api", "internal_allocator", "keepers_gc_threshold", "on_deadlock", "on_error", "on_state_create",
        "shutdown_timeout", "stack_size", "track_lanes", "verbose_errors",
    } do
        list[#list + 1] = changed("ConfigureOptions." .. name, { page = members["ConfigureOptions." .. name].page or "loading.md#options" })
    end
    return list
end

local function generator_options()
    local list = {
        { name = "name", type = "string", text = "name of the lane; \"auto\": where its body was defined" },
        { name = "native_priority", type = "integer", text = "priority in the range of the system, in place of `priority`" },
        {
            name = "error_trace_level", type = "TraceLevel",
            text = "what the traces of errors contain; default \"minimal\": there are none",
        },
    }
    for _, member in ipairs(classes.GenOptions.members) do
        list[#list + 1] = changed("GenOptions." .. member.name, { page = member.page or classes.GenOptions.page })
    end
    return list
end

local function module()
    local list = {
        changed("lanes.configure", {
            page = "v4.md#settings",
            text = "Configures Lanes and returns the module's table. Later calls only return it.",
            args = { { "options?", "ConfigureOptions|false", "nil and false mean the defaults" } },
        }),
        changed("lanes.gen", { page = "v4.md#generators" }),
        changed("lanes.gen", {
            name = "coro", page = "v4.md#coroutine-lanes",
            text = "Makes a generator of lanes whose body is a coroutine: `yield` suspends the lane.",
        }),
        {
            name = "linda", page = SLOTS,
            text = "Makes a linda: a set of slots, each of which has a key and is a queue of values.",
            args = { { "options?", "LindaOptions" } },
            returns = { { "the linda", "Linda" } },
        },
        {
            name = "sleep", page = "v4.md#other-functions",
            text = "Waits for a time. Without one, until the lane is asked to stop.",
            args = { { "seconds?", "number" } },
            returns = { { "the time is over", "nil", "\"timeout\"" }, { "after a request", "nil", "CancelError" } },
        },
        {
            name = "finally", page = "v4.md#shutdown",
            text = "Sets the function that is called when the main state has been closed; nil takes it away.",
            args = { { "f?", "fun(ended: boolean): any", "`ended`: all lanes have ended" } },
            returns = {},
        },
        {
            name = "collectgarbage", page = "v4.md#other-functions",
            text = "Has nothing to do: elements are memory of no Lua state.",
            args = {}, returns = {},
        },
        {
            name = "thread_priority_range", page = "v4.md#other-functions",
            text = "The lowest and the highest priority of a thread.",
            args = { { "kind?", "\"native\"", "those of the system" } },
            returns = { { "both", "integer", "integer" } },
        },
        {
            name = "set_thread_priority", page = "v4.md#other-functions",
            text = "Sets the priority of the calling thread.",
            args = { { "priority", "integer" }, { "kind?", "\"native\"", "in the range of the system" } },
            returns = {},
        },
        changed("lanes.nameof", { page = "v4.md#other-functions" }),
        changed("lanes.select", {
            returns = {
                { "received: number of the case, key, value", "integer", "Key", "any" }, { "sent", "integer", "Key" },
                { "the lane has ended", "integer", "Lane" }, { "not in time", "nil", "\"timeout\"", rare = true },
                { ASKED, "nil", "CancelError", rare = true },
            },
        }),
    }
    for _, name in ipairs {
        "timer", "timers", "timer_lane", "now_secs", "genlock", "genatomic", "require", "register", "threads",
        "set_thread_affinity", "set_singlethreaded", "cpus", "waiting", "help", "cancel_error", "null", "ABOUT",
    } do
        list[#list + 1] = members["lanes." .. name]
    end
    for _, name in ipairs { "async", "imap", "map", "pool", "progress", "scope", "supervise", "wait" } do
        list[#list + 1] = answering(members["lanes." .. name])
    end
    return list
end

local FILL_RETURNS = { { "whether there is room in a slot that was full; how full it is", "boolean", "Fill" }, LINDA_CANCELLED }

local own = {
    {
        class = "lanes", kind = "module", page = "v4.md",
        text = "Native threads for Lua, with the interface of Lanes 4.x.",
        members = module(),
    },
    {
        class = "ConfigureOptions", kind = "options", of = "lanes.configure", page = "v4.md#settings",
        text = "The options of `lanes.configure`.",
        members = settings(),
    },
    {
        class = "GenOptions", kind = "options", of = "lanes.gen", page = "v4.md#generators",
        text = "The options of `lanes.gen` and `lanes.coro`.",
        members = generator_options(),
    },
    {
        class = "LindaOptions", kind = "options", of = "lanes.linda", page = SLOTS,
        text = "The options of `lanes.linda`.",
        members = {
            { name = "name", type = "string", text = "what `tostring` shows; \"auto\": where `lanes.linda` was called" },
            { name = "group", type = "integer", text = "from 0 to `nb_user_keepers`" },
            { name = "wake_period", type = "number|\"never\"", text = "in place of the setting `linda_wake_period`" },
            {
                name = "close_handler", type = "fun(linda: Linda, err: any)",
                text = "called when a variable that closes the linda goes out of scope",
            },
        },
    },
    {
        class = "Lane", kind = "object", page = "v4.md#lanes",
        text = "The handle of a lane.",
        index = { { "integer", "any", "lane[n] waits for the end: result n; their number at 0; the error below 0" } },
        members = {
            changed("Lane.status", { page = "v4.md#coroutine-lanes" }),
            {
                name = "error_trace_level", page = "v4.md#lanes", type = "TraceLevel",
                text = "What the traces of its errors contain.",
            },
            {
                name = "join", page = "v4.md#lanes",
                text = "Waits until the lane has ended, and returns its results.",
                args = { { "timeout?", "number", "in seconds, from 0" } },
                returns = {
                    { "it returned: true, and its results", "true", "any..." }, { "it failed: nil, error, trace", "nil", "any", "any" },
                    { "it was cancelled", "nil", "CancelError" }, { "it has not ended in time", "nil", "\"timeout\"" },
                },
            },
            {
                name = "cancel", page = "v4.md#cancellation",
                text = "Asks a lane to end, and waits until it has ended.",
                forms = {
                    {
                        { "mode?", "CancelMode", "default \"hard\"" }, { "timeout?", "number", "in seconds; default: for ever" },
                        { "wake_lane?", "boolean", "whether a wait of the lane ends; default: not after a soft request" },
                    },
                    {
                        { "mode", "HookMode" }, { "count", "number", "from 1" }, { "timeout?", "number" }, { "wake_lane?", "boolean" },
                    },
                    { { "timeout", "number" }, { "wake_lane?", "boolean" } },
                },
                returns = { { "it has ended", "true", "Status" }, { "it has not ended in time", "false", "\"timeout\"" } },
            },
            {
                name = "resume", page = "v4.md#coroutine-lanes",
                text = "Resumes a coroutine lane, once it is suspended; the lane gets the arguments.",
                args = { { "...", "any" } },
                returns = { { "what it has yielded", "any..." } },
            },
            {
                name = "get_threadname", page = "v4.md#lanes",
                text = "The name of the lane, `\"<unnamed>\"` if it has none.",
                args = {},
                returns = { { "the name", "string" } },
            },
            members["Lane.monitor"], members["Lane.notifier"],
        },
    },
    {
        class = "Linda", kind = "object", page = SLOTS,
        text = "A set of slots, each of which has a key and is a queue of values.",
        members = {
            changed("Linda.send", { page = SLOTS, returns = { { "sent", "true" }, TIMEOUT, CANCELLED } }),
            changed("Linda.receive", {
                page = SLOTS, text = "Removes and returns a value of the first of the slots that has one.",
                forms = {
                    { { "key", "Key" }, { "...", "Key" } },
                    { { "timeout", "number|nil", "in seconds; 0 does not wait" }, { "key", "Key" }, { "...", "Key" } },
                },
                returns = { { "the key, and the value", "Key", "any" }, TIMEOUT, CANCELLED },
            }),
            {
                name = "receive_batched", page = SLOTS,
                text = "Removes and returns several values of a slot.",
                forms = {
                    { { "key", "Key" }, { "min", "integer" }, { "max?", "integer", "default: min" } },
                    { { "timeout", "number|nil" }, { "key", "Key" }, { "min", "integer" }, { "max?", "integer" } },
                },
                returns = { { "the key, and the values", "Key", "any..." }, TIMEOUT, CANCELLED },
            },
            changed("Linda.set", { page = SLOTS, returns = FILL_RETURNS }),
            changed("Linda.get", {
                page = SLOTS, returns = { { "their number, and the values", "integer", "any..." }, LINDA_CANCELLED },
            }),
            {
                name = "limit", page = SLOTS,
                text = "Sets or returns the maximum number of values in a slot.",
                args = { { "key", "Key" }, { "n?", "number|\"unlimited\"" } },
                returns = {
                    { "without `n`: the limit, and how full the slot is", "number|\"unlimited\"", "Fill" },
                    FILL_RETURNS[1], LINDA_CANCELLED,
                },
            },
            {
                name = "restrict", page = SLOTS,
                text = "Restricts a slot to some of the calls, or returns to which.",
                args = { { "key", "Key" }, { "mode?", "Restriction" } },
                returns = { { "the restriction before", "Restriction" }, { "the linda is cancelled", "nil", "CancelError", rare = true } },
            },
            changed("Linda.count", { page = SLOTS }),
            changed("Linda.dump", { page = SLOTS }),
            changed("Linda.cancel", { page = "v4.md#cancellation" }),
            {
                name = "wake", page = "v4.md#cancellation",
                text = "Lets those who wait look again at what they are asked to do.",
                args = { { "who?", "\"read\"|\"write\"|\"both\"", "default \"both\"" } },
                returns = {},
            },
            {
                name = "status", page = "v4.md#cancellation", type = "\"active\"|\"cancelled\"",
                text = "Whether the linda is cancelled.",
            },
            changed("Linda.deep", { page = SLOTS }), members["Linda.notifier"],
            {
                name = "collectgarbage", page = SLOTS, text = "Has nothing to do: elements are memory of no Lua state.",
                args = {}, returns = {},
            },
            changed("Linda.null", { page = "lindas.md#other" }),
        },
    },
    {
        class = "globals", kind = "globals", page = "v4.md#inside-a-lane",
        text = "Globals of every lane.",
        members = {
            {
                name = "cancel_test", page = "v4.md#inside-a-lane",
                text = "Whether the lane has been asked to end. A hard request raises `lanes.cancel_error`.",
                args = { { "no_error?", "boolean", "a hard request raises nothing" } },
                returns = {
                    { "there is no request", "false" }, { "a soft request", "\"soft\"" }, { "a hard one, with `no_error`", "\"hard\"" },
                },
            },
            changed("globals.set_finalizer", { page = "v4.md#inside-a-lane" }),
            {
                name = "lane_threadname", page = "v4.md#inside-a-lane",
                text = "Names the lane, or returns its name.",
                args = { { "name?", "string" } },
                returns = { { "without an argument: the name", "string?" } },
            },
        },
    },
    {
        class = "Status", kind = "alias", page = "v4.md#coroutine-lanes",
        values = { "pending", "running", "waiting", "suspended", "resuming", "closing", "done", "error", "cancelled" },
        text = "What a lane does.",
    },
    {
        class = "HookMode", kind = "alias", page = "v4.md#cancellation", values = { "count", "line", "call", "ret", "all" },
        text = "The kind of a request that interrupts running code.",
    },
    {
        class = "TraceLevel", kind = "alias", page = "v4.md#generators", values = { "minimal", "basic", "extended" },
        text = "What the traces of errors contain.",
    },
    {
        class = "Restriction", kind = "alias", page = SLOTS, values = { "none", "set/get", "send/receive" },
        text = "To which calls a slot is restricted.",
    },
    {
        class = "Key", kind = "alias", type = "boolean|number|string|lightuserdata|userdata|Linda", page = SLOTS,
        text = "The key of a slot. Userdata are lindas and objects of C modules.",
    },
    {
        class = "Fill", kind = "alias", page = SLOTS, values = { "under", "exact", "over" },
        text = "How full a slot is, measured by its limit.",
    },
    {
        class = "SlotDump", kind = "record", page = "lindas.md#lindadump",
        text = "The contents of a slot.",
        members = {
            { name = "first", type = "integer" }, { name = "count", type = "integer" },
            { name = "limit", type = "number|\"unlimited\"" }, { name = "restrict", type = "Restriction", page = SLOTS },
            { name = "fifo", type = "table<integer, any>", text = "the values at `first` to `first + count - 1`" },
        },
    },
}

for _, name in ipairs {
    "Generator", "Lock", "Counter", "CancelError", "About", "Timer", "Waiting", "ThreadInfo", "Event", "Case", "CancelMode",
    "WakeHint",
} do
    own[#own + 1] = classes[name]
end
for _, name in ipairs {
    "Pool", "Future", "PoolOptions", "MapOptions", "ImapOptions", "MapResults", "PoolStats", "WaitOptions", "Scope", "ScopeOptions",
    "Supervisor", "SuperviseOptions", "Child", "ChildState", "AsyncLoops", "Async", "Notifier",
} do
    own[#own + 1] = answering_class(name)
end

return own
