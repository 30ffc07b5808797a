--- The reference of event loops: notifiers, and the calls that wait in coroutines (form of the
--- entries: lanes.reference).

local UNSENT = "can't copy non-deep full userdata across lanes (<place>, a Notifier; ...)"
local LATER = { "a linda is cancelled, or after a soft request", "CancelError" }
local OUTSIDE = {
    "only a coroutine of the event loop can wait here", "only a coroutine of a controller can wait here",
    "copas.loop is not running",
}

local function loop(name, args)
    return {
        name = name, page = "loops.md#lanesasync", args = args,
        text = "The waiting calls for coroutines of " .. (name == "lgi" and "GLib's main loop, by lgi" or name) .. ".",
        returns = { { "the calls", "Async" } },
    }
end

-- A method of a notifier that tells an event loop about the descriptor.
local function fact(name, text, result)
    return { name = name, page = "loops.md#notifiers", text = text, args = {}, returns = { result } }
end

return {
    {
        class = "AsyncLoops", kind = "table", of = "lanes.async", page = "loops.md#lanesasync", own = true,
        text = "What `lanes.async` holds: a function for each event loop.",
        members = {
            loop("luv", { { "uv?", "table", "the module, if it is not `require \"luv\"`" } }), loop("copas", {}), loop("cqueues", {}),
            loop("lgi", {}),
        },
    },
    {
        class = "Async", kind = "table", of = "async", page = "loops.md#lanesasync", own = true,
        text = "The waiting calls for coroutines of an event loop: only the calling coroutine waits.",
        members = {
            {
                name = "receive", page = "loops.md#lanesasync", text = "As `linda:receive`.",
                args = { { "linda", "Linda" }, { "...", "any", "as for `linda:receive`" } },
                returns = { { "received: the key, the values", "Key", "any..." }, { "no value in time" }, LATER },
                errors = OUTSIDE,
            },
            {
                name = "send", page = "loops.md#lanesasync", text = "As `linda:send`.",
                args = { { "linda", "Linda" }, { "...", "any", "as for `linda:send`" } },
                returns = { { "sent; false: no room in time", "boolean" }, LATER },
                errors = OUTSIDE,
            },
            {
                name = "join", page = "loops.md#lanesasync", text = "As `lane:join` and `future:join`.",
                args = { { "lane", "Lane|Future" }, { "timeout?", "number", "in seconds; 0 does not wait" } },
                returns = {
                    { "it returned", "any..." }, { "it failed: nil, error, trace", "nil", "any", "any" }, { "it was cancelled" },
                    { "it has not ended in time", "nil", "\"timeout\"" },
                },
                errors = OUTSIDE,
            },
            {
                name = "sleep", page = "loops.md#lanesasync", text = "As `lanes.sleep`.",
                args = { { "seconds?", "number", "default 0" } },
                returns = { { "the time is over" }, { "after a soft request", "CancelError" } },
                errors = OUTSIDE,
            },
            {
                name = "select", page = "loops.md#lanesasync", text = "As `lanes.select`.",
                args = { { "...", "any", "as for `lanes.select`" } },
                returns = { { "the number of the case, and its results", "integer", "any..." }, { "no case in time" }, LATER },
                errors = OUTSIDE,
            },
            {
                name = "call", page = "loops.md#lanesasync", text = "Calls a function in a lane of a pool. Raises its error.",
                forms = {
                    { { "f", "function" }, { "...", "any", "its arguments" } },
                    { { "pool", "Pool" }, { "f", "function" }, { "...", "any" } },
                },
                returns = { { "its results", "any..." }, { "the task is cancelled, or after a soft request", "CancelError" } },
                errors = { OUTSIDE[1], OUTSIDE[2], OUTSIDE[3], "a function, or a pool and a function expected" },
            },
        },
    },
    {
        class = "Notifier", kind = "object", page = "loops.md#notifiers", own = true,
        text = "A descriptor that an event loop can wait for: readable while something may be there.",
        errors = { UNSENT },
        members = {
            {
                name = "receive", page = "loops.md#notifiers",
                text = "Returns what is there, without a wait.",
                args = {},
                returns = {
                    { "of a linda: a key and its value, which is removed", "Key", "any" },
                    { "of a lane or a future: itself and its status", "Lane|Future", "Status" }, { "nothing is there" }, LATER,
                },
                errors = { "the notifier is closed" },
            },
            {
                name = "fd", page = "loops.md#notifiers",
                text = "The number of the descriptor; on Windows that of a socket.",
                args = {}, returns = { { "the number", "integer" } },
                errors = { "the notifier is closed", "notifier: the system gives no descriptor: <reason>" },
            },
            fact("getfd", "As `fd`, for LuaSocket's `select`.", { "the number", "integer" }),
            fact("pollfd", "As `fd`, for cqueues.", { "the number", "integer" }),
            fact("dirty", "For LuaSocket's `select`: nothing is read ahead.", { "always", "false" }),
            fact("events", "For cqueues: the descriptor is only read.", { "always", "\"r\"" }),
            fact("timeout", "For cqueues: there is no time limit.", { "always" }),
            {
                name = "close", page = "loops.md#notifiers",
                text = "Gives the descriptor back to the system; later calls do nothing.",
                args = {}, returns = {},
            },
        },
    },
}
