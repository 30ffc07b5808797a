--- The reference of lanes and lindas: methods of handles and lindas, and the globals of lanes (form
--- of the entries: lanes.reference).

local BACK = "the linda is cancelled, or after a soft request"
local KEY_ERRORS = {
    "expecting a linda object", "invalid key type (not a boolean, string, number or light userdata)",
}

local function with_key(...)
    return { KEY_ERRORS[1], KEY_ERRORS[2], ... }
end

return {
    {
        class = "Lane", kind = "object", page = "lanes.md",
        text = "The handle of a lane.",
        index = { { "integer", "any", "lane[n] waits for the end: result n; true at 0; the error at -1" } },
        errors = { "can't index a lane with '<key>'", "Unknown key: <key>", "result #<n>..." },
        members = {
            {
                name = "status", page = "lanes.md#status", type = "Status",
                text = "What the lane does now. Reading it never waits.",
            },
            {
                name = "join", page = "lanes.md#lanejointimeout",
                text = "Waits until the lane has ended, and returns its results.",
                args = { { "timeout?", "number", "in seconds; 0 does not wait" } },
                returns = {
                    { "it returned", "any..." }, { "it failed: nil, error, trace", "nil", "any", "any" }, { "it was cancelled" },
                    { "it has not ended in time", "nil", "\"timeout\"" },
                },
                errors = { "number expected", "timeout in seconds expected, got NaN" },
            },
            {
                name = "cancel", page = "cancellation.md",
                text = "Asks a lane to end, and waits until it has ended.",
                forms = {
                    {
                        { "mode?", "CancelMode", "default \"hard\"" }, { "timeout?", "number", "in seconds; default 0" },
                        { "flag?", "boolean", "after a soft request: wakes the lane; otherwise: sets all hooks after the timeout" },
                        { "more?", "number", "seconds to wait in addition; default 0" },
                    },
                    {
                        { "mode", "HookMode" }, { "count", "number", "instructions for \"count\"; from 1" },
                        { "timeout?", "number" }, { "flag?", "boolean" }, { "more?", "number" },
                    },
                    { { "timeout", "number" }, { "flag?", "boolean" }, { "more?", "number" } },
                },
                returns = { { "it has ended", "true", "Status" }, { "it has not ended in time", "false", "\"timeout\"" } },
                errors = { "invalid hook option <mode>", "hook count cannot be < 1", "cancel timeout cannot be < 0" },
            },
            {
                name = "monitor", page = "failures.md#monitors", own = true,
                text = "Sends a message to a slot of a linda at the end of the lane.",
                args = { { "linda", "Linda" }, { "key", "Key" } },
                returns = {
                    { "it has been or will be sent; false: the slot is full", "boolean" }, { "the linda is cancelled", "CancelError" },
                },
                errors = { "bad argument #2 to 'monitor' (expecting a linda, ...)" },
            },
            {
                name = "notifier", page = "loops.md#notifiers", own = true,
                text = "Makes a notifier of the end of the lane.",
                args = {}, returns = { { "the notifier", "Notifier" } },
                errors = { "notifier: the system gives no descriptor: <reason>" },
            },
            {
                name = "get_debug_threadname", page = "lanes.md#names",
                text = "The name of the lane, `\"<unnamed>\"` if it has none.",
                args = {},
                returns = { { "the name", "string" } },
            },
        },
    },
    {
        class = "Linda", kind = "object", page = "lindas.md",
        text = "A set of slots, each of which has a key and is a queue of values.",
        members = {
            {
                name = "send", page = "lindas.md#lindasendtimeout-key-value",
                text = "Appends values to a slot, all or none. Waits while they do not fit.",
                forms = {
                    { { "key", "Key" }, { "...", "any", "the values, one at least" } },
                    { { "timeout", "number|nil", "in seconds; 0 does not wait" }, { "key", "Key" }, { "...", "any" } },
                },
                returns = { { "sent; false: no room in time", "boolean" }, { BACK, "CancelError" } },
                errors = with_key("no data to send", "timeout in seconds expected, got NaN"),
            },
            {
                name = "receive", page = "lindas.md#lindareceivetimeout-key",
                text = "Removes and returns a value of the first of the slots that has one; with `linda.batched`, several of one slot.",
                forms = {
                    { { "key", "Key" }, { "...", "any", "more keys; after `linda.batched`: key, min, max" } },
                    { { "timeout", "number|nil", "in seconds; 0 does not wait" }, { "key", "Key" }, { "...", "any" } },
                },
                returns = { { "received: the key, the values", "Key", "any..." }, { "no value in time" }, { BACK, "CancelError" } },
                errors = with_key("timeout in seconds expected, got NaN", "min count should be >= 1", "batched min/max error"),
            },
            {
                name = "set", page = "lindas.md#lindasetkey-value-lindagetkey--count",
                text = "Replaces the contents of a slot.",
                args = { { "key", "Key" }, { "...", "any", "the values; none empties the slot" } },
                returns = {
                    { "that made room in a full slot", "true" }, { "otherwise" }, { "the linda is cancelled", "CancelError", rare = true },
                },
                errors = KEY_ERRORS,
            },
            {
                name = "get", page = "lindas.md#lindasetkey-value-lindagetkey--count",
                text = "Returns the first values of a slot, which stay there.",
                args = { { "key", "Key" }, { "count?", "integer", "how many at most; default 1" } },
                returns = { { "the values; nothing if it is empty", "any..." }, { "the linda is cancelled", "CancelError", rare = true } },
                errors = with_key("count should be >= 1"),
            },
            {
                name = "limit", page = "lindas.md#lindalimitkey-n",
                text = "Sets the maximum number of values in a slot.",
                args = { { "key", "Key" }, { "n", "number", "a whole number; below 0: no limit" } },
                returns = {
                    { "that made room in a full slot", "true" }, { "otherwise" }, { "the linda is cancelled", "CancelError", rare = true },
                },
                errors = with_key("wrong number of arguments"),
            },
            {
                name = "count", page = "lindas.md#lindacountkey",
                text = "Returns the number of values in slots.",
                forms = {
                    { { "key", "Key" } }, {}, { { "key", "Key" }, { "...", "Key" } },
                },
                returns = {
                    { "one key", "integer?" }, { "none or several keys: a table from key to number", "table<Key, integer>" },
                },
                form_returns = { { "integer?" }, { "table<Key, integer>" }, { "table<Key, integer>" } },
                errors = KEY_ERRORS,
            },
            {
                name = "dump", page = "lindas.md#lindadump",
                text = "Returns a snapshot of all slots, for debugging.",
                args = {},
                returns = { { "from key to contents", "table<Key, SlotDump>" }, { "never used", rare = true } },
            },
            {
                name = "cancel", page = "lindas.md#lindacancelwho",
                text = "Cancels the linda: all calls on it return `lanes.cancel_error` from now on.",
                args = { { "who?", "WakeHint", "which waiting calls are woken; \"none\" ends the cancelled state" } },
                returns = {},
                errors = { "unknown wake hint '<who>'", "wrong number of arguments" },
            },
            {
                name = "notifier", page = "loops.md#notifiers", own = true,
                text = "Makes a notifier of elements in these slots.",
                args = { { "key", "Key" }, { "...", "Key" } }, returns = { { "the notifier", "Notifier" } },
                errors = with_key("a key expected, got no value", "notifier: the system gives no descriptor: <reason>"),
            },
            {
                name = "deep", page = "lindas.md#other",
                text = "Returns a light userdata that identifies this linda in all lanes.",
                args = {},
                returns = { { "its identity", "lightuserdata" } },
            },
            { name = "null", page = "lindas.md#other", type = "lightuserdata", text = "As `lanes.null`." },
            {
                name = "batched", page = "lindas.md#lindareceivetimeout-lindabatched-key-min--max", type = "lightuserdata",
                text = "Selects the batched form of `receive`.",
            },
        },
    },
    {
        class = "globals", kind = "globals", page = "lanes.md#inside-a-lane",
        text = "Globals of every lane.",
        members = {
            {
                name = "cancel_test", page = "cancellation.md#inside-the-lane",
                text = "Whether the lane has been asked to end.",
                args = {},
                returns = { { "a request is pending", "boolean" } },
            },
            {
                name = "set_finalizer", page = "finalizers.md",
                text = "Registers a function that is called when the lane ends.",
                args = { { "f", "fun(err: any, trace: any)" } },
                returns = {},
                errors = { "bad argument #1 to 'set_finalizer' (finalizer should be a function, ...)" },
            },
            {
                name = "set_error_reporting", page = "errors.md#the-trace",
                text = "Selects the form of the trace after an error.",
                args = { { "mode", "\"basic\"|\"extended\"" } },
                returns = {},
                errors = {
                    "unsupported error reporting model <mode>", "bad argument #1 to 'set_error_reporting' (string expected, ...)",
                },
            },
            {
                name = "set_debug_threadname", page = "lanes.md#names",
                text = "Names the lane for debuggers and for `lanes.threads`.",
                args = { { "name", "string" } },
                returns = {},
                errors = { "bad argument #1 to 'set_debug_threadname' (string expected, ...)" },
            },
        },
    },
    {
        class = "Status", kind = "alias", page = "lanes.md#status",
        values = { "pending", "running", "waiting", "done", "error", "cancelled" },
        text = "What a lane does.",
    },
    {
        class = "CancelMode", kind = "alias", page = "cancellation.md", values = { "hard", "soft" },
        text = "The kind of a request.",
    },
    {
        class = "HookMode", kind = "alias", page = "cancellation.md", values = { "count", "line", "call", "ret" },
        text = "The kind of a request that interrupts running code.",
    },
    {
        class = "WakeHint", kind = "alias", page = "lindas.md#lindacancelwho", values = { "none", "read", "write", "both" },
        text = "Which waiting calls are woken.",
    },
    {
        class = "SlotDump", kind = "record", page = "lindas.md#lindadump",
        text = "The contents of a slot.",
        members = {
            { name = "first", type = "integer" }, { name = "count", type = "integer" },
            { name = "limit", type = "integer", text = "-1 if there is none" },
            { name = "fifo", type = "table<integer, any>", text = "the values at `first` to `first + count - 1`" },
        },
    },
    {
        class = "Event", kind = "record", page = "failures.md#monitors", own = true,
        text = "What `lane:monitor` sends.",
        members = {
            { name = "name", type = "string" }, { name = "status", type = "Status" }, { name = "err", type = "any" },
            { name = "trace", type = "any" },
        },
    },
}
