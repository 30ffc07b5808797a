---@meta lanes
-- Types of the module "lanes". Made by ci/types/generate from lua/lanes/reference.lua; do not edit.
-- In .luarc.json: "workspace.library": ["<directory of this file>"].

---Native threads for Lua.
---@class lanes
---@field timer_lane lanes.Lane|nil Stands for the timer service, in the main state if timers are on.
---@field cancel_error lanes.CancelError The error of a request to end, and the result of calls that notice one. The same value in all lanes.
---@field null lightuserdata Stands for nil in `linda:dump`. Sent as a value, it arrives as nil.
---@field async lanes.AsyncLoops The waiting calls for coroutines of event loops.
---@field ABOUT lanes.About Facts about the library.
local lanes = {}

---Configures Lanes and returns the module's table. Once per state; the field is nil afterwards.
--- - configured: `lanes`
--- [Manual](docs/manual/loading.md)
---@param options? lanes.ConfigureOptions nil means the defaults
---@return lanes
function lanes.configure(options) end

---Makes a generator: a function, each call of which launches a lane with its arguments.
--- - the generator: `Generator`
--- [Manual](docs/manual/generators.md)
---@param ... string|lanes.GenOptions|function|nil libraries ("*" opens all) and options, in any order; then the body, a function or Lua source
---@overload fun(body: function|string): lanes.Generator
---@overload fun(libraries: string, body: function|string): lanes.Generator
---@overload fun(options: lanes.GenOptions, body: function|string): lanes.Generator
---@overload fun(libraries: string, options: lanes.GenOptions, body: function|string): lanes.Generator
---@return lanes.Generator
function lanes.gen(...) end

---Makes a linda: a set of slots, each of which has a key and is a queue of values.
--- - the linda: `Linda`
--- [Manual](docs/manual/lindas.md)
---@param name? string what `tostring` shows
---@param group? number accepted, without effect
---@overload fun(group: number): lanes.Linda
---@return lanes.Linda
function lanes.linda(name, group) end

---Sets, replaces or removes the timer of a slot. When it fires, the slot is set to the current time.
--- [Manual](docs/manual/timers.md#lanestimerlinda-key-first--period)
---@param linda lanes.Linda
---@param key lanes.Key
---@param first number|table|false|nil seconds from now, or a date table; nil or false removes the timer
---@param period? number|false seconds between later times
function lanes.timer(linda, key, first, period) end

---Lists all timers.
--- - the list: `Timer[]`
--- [Manual](docs/manual/timers.md#lanestimers)
---@return lanes.Timer[]
function lanes.timers() end

---Waits for a time. Without one, lets other threads run.
--- - the time is over: `nothing`
--- - after a soft request: `CancelError`
--- [Manual](docs/manual/timers.md#lanessleepseconds)
---@param seconds? number|false
---@return nil|lanes.CancelError
function lanes.sleep(seconds) end

---The seconds since 1970, with fractions.
--- - the time: `number`
--- [Manual](docs/manual/timers.md#lanesnow_secs)
---@return number
function lanes.now_secs() end

---Makes a slot of a linda a lock with a number of units, and returns the function that takes and gives them.
--- - the lock: `Lock`
--- - the linda is cancelled: `CancelError`
--- [Manual](docs/manual/locks.md#lanesgenlocklinda-key--n)
---@param linda lanes.Linda
---@param key lanes.Key
---@param n? integer the number of units, from 1; default 1
---@return lanes.Lock
function lanes.genlock(linda, key, n) end

---Makes a slot of a linda a counter, and returns the function that adds to it.
--- - the counter: `Counter`
--- - the linda is cancelled: `CancelError`
--- [Manual](docs/manual/locks.md#lanesgenatomiclinda-key--initial)
---@param linda lanes.Linda
---@param key lanes.Key
---@param initial? number default 0.0
---@return lanes.Counter
function lanes.genatomic(linda, key, initial) end

---Requires a module and records the names of its functions.
--- - the module: `any`
--- [Manual](docs/manual/transfer.md#lanesrequirename-lanesregistername-module)
---@param name string
---@return any
function lanes.require(name) end

---Records the names of the functions of a module that was not loaded by `require`.
--- [Manual](docs/manual/transfer.md#lanesrequirename-lanesregistername-module)
---@param name string
---@param module table|function
function lanes.register(name, module) end

---The type of a value and the name by which it can be reached.
--- - type and name: `string, any`
--- [Manual](docs/manual/transfer.md#lanesnameofvalue)
---@param value any
---@return string
---@return any
function lanes.nameof(value) end

---Lists all lanes, the newest first. Needs `configure { track_lanes = true }`.
--- - there are lanes: `ThreadInfo[]`
--- - there are none: `nothing`
--- [Manual](docs/manual/threads.md#which-lanes-there-are)
---@return lanes.ThreadInfo[]
function lanes.threads() end

---Sets the priority of the calling thread.
--- [Manual](docs/manual/threads.md#priority)
---@param priority integer from -3 to 3; 0 is the system's default
function lanes.set_thread_priority(priority) end

---Restricts the calling thread to some processors.
--- [Manual](docs/manual/threads.md#affinity)
---@param mask integer one bit for each processor
function lanes.set_thread_affinity(mask) end

---Not available: raises an error.
--- [Manual](docs/manual/threads.md#lanesset_singlethreadedn)
---@param n? integer
function lanes.set_singlethreaded(n) end

---The number of processors that the process can use at the same time.
--- - from 1: `integer`
--- [Manual](docs/manual/pools.md#lanescpus)
---@return integer
function lanes.cpus() end

---Calls a function for each item of a list, in lanes, and waits for the results.
--- - the results: `MapResults`
--- - not in time: `nil, "timeout"`
--- - after a soft request: `CancelError`
--- [Manual](docs/manual/pools.md#lanesmaplist-f--options)
---@param list any[]
---@param f fun(item: any): any
---@param options? lanes.MapOptions
---@return lanes.MapResults
function lanes.map(list, f, options) end

---Calls a function for each item, in lanes; an iterator that yields index and results.
--- - the iterator: `fun(...: any): integer?, any, any, any`
--- [Manual](docs/manual/pools.md#lanesimapsource-f--options)
---@param source any[]|function a list, or an iterator that may be endless
---@param f function
---@param options? lanes.ImapOptions
---@return fun(...: any): integer|nil, any, any, any
function lanes.imap(source, f, options) end

---Makes a pool: lanes that run functions for many calls.
--- - the pool: `Pool`
--- - after a soft request: `CancelError`
--- [Manual](docs/manual/pools.md#lanespooloptions)
---@param options? lanes.PoolOptions
---@return lanes.Pool
function lanes.pool(options) end

---Draws a bar on standard error if that is a terminal.
--- [Manual](docs/manual/pools.md#lanesprogressdone--total)
---@param done integer
---@param total? integer
function lanes.progress(done, total) end

---Waits until one of several sends, receives and ends of lanes can happen, lets it happen, and tells which.
--- - received: number of the case, key, value: `integer, Key, any`
--- - sent: `integer, Key`
--- - the lane has ended: `integer, Lane`
--- - not in time: `nothing`
--- - `lanes.cancel_error` after a soft request, or if the linda is cancelled: `CancelError`
--- [Manual](docs/manual/select.md#lanesselecttimeout-case)
---@param case lanes.Case { linda, "receive", key... }, { linda, "send", key, value... } or { lane }
---@param ... lanes.Case
---@overload fun(timeout: number|nil, case: lanes.Case, ...: lanes.Case): integer|nil, lanes.Key|lanes.Lane|nil, any|nil
---@return integer|nil
---@return lanes.Key|lanes.Lane|nil
---@return any|nil
function lanes.select(case, ...) end

---Waits until some of a list of lanes and futures have ended.
--- - those that have ended, in that order: `(Lane|Future)[]`
--- - not in time: `nil, "timeout"`
--- - `lanes.cancel_error` after a soft request, or if the linda is cancelled: `CancelError`
--- [Manual](docs/manual/select.md#laneswaitlist--options)
---@param list (lanes.Lane|lanes.Future)[]
---@param options? lanes.WaitOptions
---@return (lanes.Lane|lanes.Future)[]
function lanes.wait(list, options) end

---Calls a function, and waits until all lanes of its scope have ended.
--- - the results of the function: `any...`
--- - `lanes.cancel_error` after a soft request, or if the linda is cancelled: `CancelError`
--- [Manual](docs/manual/scopes.md#lanesscopebody--options)
---@param body fun(s: lanes.Scope): ...
---@param options? lanes.ScopeOptions
---@return any ...
function lanes.scope(body, options) end

---Returns what sleeps in calls of Lanes, and for what it waits.
--- - a list: `Waiting[]`
--- - with "dot": `string`
--- [Manual](docs/manual/deadlocks.md#laneswaitingdot)
---@overload fun(form: "dot"): string
---@return lanes.Waiting[]
function lanes.waiting() end

---Starts lanes, and starts them again when they have ended.
--- - the supervisor: `Supervisor`
--- - after a soft request: `CancelError`
--- [Manual](docs/manual/failures.md#supervisors)
---@param children lanes.SuperviseOptions a list of children, with the options
---@return lanes.Supervisor
function lanes.supervise(children) end

---Prints what a function, field, option or object is.
--- [Manual](docs/manual/reference.md#laneshelpname)
---@param name? any a name such as "linda:send" or "gen"; or a value of Lanes
function lanes.help(name) end

---The options of `lanes.configure`.
---@class (exact) lanes.ConfigureOptions
---@field api? integer the interface: 3, that of Lanes 3.x, or 4; default 3, or the environment variable LANES_API
---@field with_timers? boolean whether timers work; default true
---@field shutdown_timeout? number seconds that the end of the program waits for lanes; default 0.25
---@field stack_size? integer bytes of the stacks of lanes
---@field track_lanes? boolean whether `lanes.threads` works; default false
---@field on_error? "stderr"|(fun(name: string, err: any, trace: any)) who is told of failures of lanes that nobody reads
---@field on_deadlock? false|"report"|"error"|(fun(text: string, graph: lanes.Waiting[])) what is done about a deadlock; default false
---@field on_state_create? function a function without upvalues that is called in each new lane
---@field demote_full_userdata? boolean whether userdata is passed as light userdata; default false
---@field allocator? "protected"|function where lanes allocate memory
---@field verbose_errors? boolean accepted, without effect
---@field internal_allocator? "allocator"|"libc" accepted, without effect
---@field nb_keepers? number accepted, without effect
---@field keepers_gc_threshold? number accepted, without effect
---@field protect_allocator? boolean older name: true means `allocator = "protected"`

---The options of `lanes.gen`.
---@class (exact) lanes.GenOptions
---@field globals? table globals of the lane
---@field required? string[] modules that the lane requires before its body runs
---@field package? table `path`, `cpath` and `preload` in place of those of the launching state
---@field priority? number priority of the thread, from -3 to 3
---@field gc_cb? fun(name: string, how: "selfdestruct"|"closed") called when the handle is collected
---@field memory_limit? number maximum memory of the lane's Lua state in bytes
---@field stack_size? integer bytes of the stack of the lane's thread

---Launches a lane with these arguments and returns its handle.
---@alias lanes.Generator fun(...: any): lanes.Lane

---Takes units of a lock (above 0, waits until they are free) or gives them back (below 0).
---@alias lanes.Lock fun(units: number, mode?: "try"): boolean

---Adds to a counter.
---@alias lanes.Counter fun(difference?: number): number

---The type of `lanes.cancel_error`.
---@class lanes.CancelError: lightuserdata

---The key of a slot.
---@alias lanes.Key boolean|number|string|lightuserdata

---What `lanes.ABOUT` holds.
---@class lanes.About
---@field author string
---@field copyright string
---@field description string
---@field implementation string the name and version of this library
---@field license string
---@field version string the version of the interface

---An entry of `lanes.timers()`: { linda, key, { when, period } }.
---@class lanes.Timer
---@field [integer] any

---An entry of `lanes.waiting()`: a state that sleeps.
---@class lanes.Waiting
---@field name string `main`, or the lane
---@field op string the operation
---@field linda string|nil the name of the linda
---@field keys lanes.Key[]|nil
---@field lanes string[]|nil the lanes, or the module, that it waits for
---@field holders string[]|nil those who hold units of the lock
---@field since number when it began to sleep
---@field timeout number|nil the seconds that it may still sleep
---@field where string|nil file and line

---An entry of `lanes.threads()`.
---@class lanes.ThreadInfo
---@field name string
---@field status lanes.Status

---The handle of a lane.
---@class lanes.Lane
---@field [integer] any lane[n] waits for the end: result n; true at 0; the error at -1
---@field status lanes.Status What the lane does now. Reading it never waits.
local Lane = {}

---Waits until the lane has ended, and returns its results.
--- - it returned: `any...`
--- - it failed: nil, error, trace: `nil, any, any`
--- - it was cancelled: `nothing`
--- - it has not ended in time: `nil, "timeout"`
--- [Manual](docs/manual/lanes.md#lanejointimeout)
---@param timeout? number in seconds; 0 does not wait
---@return any ...
function Lane:join(timeout) end

---Asks a lane to end, and waits until it has ended.
--- - it has ended: `true, Status`
--- - it has not ended in time: `false, "timeout"`
--- [Manual](docs/manual/cancellation.md)
---@param mode? lanes.CancelMode default "hard"
---@param timeout? number in seconds; default 0
---@param flag? boolean after a soft request: wakes the lane; otherwise: sets all hooks after the timeout
---@param more? number seconds to wait in addition; default 0
---@overload fun(self: lanes.Lane, mode: lanes.HookMode, count: number, timeout?: number, flag?: boolean, more?: number): true|false, lanes.Status|"timeout"
---@overload fun(self: lanes.Lane, timeout: number, flag?: boolean, more?: number): true|false, lanes.Status|"timeout"
---@return true|false
---@return lanes.Status|"timeout"
function Lane:cancel(mode, timeout, flag, more) end

---Sends a message to a slot of a linda at the end of the lane.
--- - it has been or will be sent; false: the slot is full: `boolean`
--- - the linda is cancelled: `CancelError`
--- [Manual](docs/manual/failures.md#monitors)
---@param linda lanes.Linda
---@param key lanes.Key
---@return boolean|lanes.CancelError
function Lane:monitor(linda, key) end

---Makes a notifier of the end of the lane.
--- - the notifier: `Notifier`
--- [Manual](docs/manual/loops.md#notifiers)
---@return lanes.Notifier
function Lane:notifier() end

---The name of the lane, `"<unnamed>"` if it has none.
--- - the name: `string`
--- [Manual](docs/manual/lanes.md#names)
---@return string
function Lane:get_debug_threadname() end

---A set of slots, each of which has a key and is a queue of values.
---@class lanes.Linda
---@field null lightuserdata As `lanes.null`.
---@field batched lightuserdata Selects the batched form of `receive`.
local Linda = {}

---Appends values to a slot, all or none. Waits while they do not fit.
--- - sent; false: no room in time: `boolean`
--- - the linda is cancelled, or after a soft request: `CancelError`
--- [Manual](docs/manual/lindas.md#lindasendtimeout-key-value)
---@param key lanes.Key
---@param ... any the values, one at least
---@overload fun(self: lanes.Linda, timeout: number|nil, key: lanes.Key, ...: any): boolean|lanes.CancelError
---@return boolean|lanes.CancelError
function Linda:send(key, ...) end

---Removes and returns a value of the first of the slots that has one; with `linda.batched`, several of one slot.
--- - received: the key, the values: `Key, any...`
--- - no value in time: `nothing`
--- - the linda is cancelled, or after a soft request: `CancelError`
--- [Manual](docs/manual/lindas.md#lindareceivetimeout-key)
---@param key lanes.Key
---@param ... any more keys; after `linda.batched`: key, min, max
---@overload fun(self: lanes.Linda, timeout: number|nil, key: lanes.Key, ...: any): lanes.Key|nil|lanes.CancelError, ...
---@return lanes.Key|nil|lanes.CancelError
---@return any ...
function Linda:receive(key, ...) end

---Replaces the contents of a slot.
--- - that made room in a full slot: `true`
--- - otherwise: `nothing`
--- - the linda is cancelled: `CancelError`
--- [Manual](docs/manual/lindas.md#lindasetkey-value-lindagetkey--count)
---@param key lanes.Key
---@param ... any the values; none empties the slot
---@return true|nil
function Linda:set(key, ...) end

---Returns the first values of a slot, which stay there.
--- - the values; nothing if it is empty: `any...`
--- - the linda is cancelled: `CancelError`
--- [Manual](docs/manual/lindas.md#lindasetkey-value-lindagetkey--count)
---@param key lanes.Key
---@param count? integer how many at most; default 1
---@return any ...
function Linda:get(key, count) end

---Sets the maximum number of values in a slot.
--- - that made room in a full slot: `true`
--- - otherwise: `nothing`
--- - the linda is cancelled: `CancelError`
--- [Manual](docs/manual/lindas.md#lindalimitkey-n)
---@param key lanes.Key
---@param n number a whole number; below 0: no limit
---@return true|nil
function Linda:limit(key, n) end

---Returns the number of values in slots.
--- - one key: `integer?`
--- - none or several keys: a table from key to number: `table<Key, integer>`
--- [Manual](docs/manual/lindas.md#lindacountkey)
---@param key lanes.Key
---@overload fun(self: lanes.Linda): table<lanes.Key, integer>
---@overload fun(self: lanes.Linda, key: lanes.Key, ...: lanes.Key): table<lanes.Key, integer>
---@return integer|nil
function Linda:count(key) end

---Returns a snapshot of all slots, for debugging.
--- - from key to contents: `table<Key, SlotDump>`
--- - never used: `nothing`
--- [Manual](docs/manual/lindas.md#lindadump)
---@return table<lanes.Key, lanes.SlotDump>
function Linda:dump() end

---Cancels the linda: all calls on it return `lanes.cancel_error` from now on.
--- [Manual](docs/manual/lindas.md#lindacancelwho)
---@param who? lanes.WakeHint which waiting calls are woken; "none" ends the cancelled state
function Linda:cancel(who) end

---Makes a notifier of elements in these slots.
--- - the notifier: `Notifier`
--- [Manual](docs/manual/loops.md#notifiers)
---@param key lanes.Key
---@param ... lanes.Key
---@return lanes.Notifier
function Linda:notifier(key, ...) end

---Returns a light userdata that identifies this linda in all lanes.
--- - its identity: `lightuserdata`
--- [Manual](docs/manual/lindas.md#other)
---@return lightuserdata
function Linda:deep() end


---Whether the lane has been asked to end.
--- - a request is pending: `boolean`
--- [Manual](docs/manual/cancellation.md#inside-the-lane)
---@return boolean
function cancel_test() end

---Registers a function that is called when the lane ends.
--- [Manual](docs/manual/finalizers.md)
---@param f fun(err: any, trace: any)
function set_finalizer(f) end

---Selects the form of the trace after an error.
--- [Manual](docs/manual/errors.md#the-trace)
---@param mode "basic"|"extended"
function set_error_reporting(mode) end

---Names the lane for debuggers and for `lanes.threads`.
--- [Manual](docs/manual/lanes.md#names)
---@param name string
function set_debug_threadname(name) end

---What a lane does.
---@alias lanes.Status "pending"|"running"|"waiting"|"done"|"error"|"cancelled"

---The kind of a request.
---@alias lanes.CancelMode "hard"|"soft"

---The kind of a request that interrupts running code.
---@alias lanes.HookMode "count"|"line"|"call"|"ret"

---Which waiting calls are woken.
---@alias lanes.WakeHint "none"|"read"|"write"|"both"

---The contents of a slot.
---@class lanes.SlotDump
---@field first integer
---@field count integer
---@field limit integer -1 if there is none
---@field fifo table<integer, any> the values at `first` to `first + count - 1`

---What `lane:monitor` sends.
---@class lanes.Event
---@field name string
---@field status lanes.Status
---@field err any
---@field trace any

---Lanes that run functions for many calls.
---@class lanes.Pool
local Pool = {}

---Submits a task: a worker calls the function with these arguments.
--- - its result: `Future`
--- - after a soft request: `CancelError`
--- [Manual](docs/manual/pools.md#methods-of-a-pool)
---@param f function
---@param ... any
---@return lanes.Future
function Pool:submit(f, ...) end

---Calls a function for each item of a list, and waits for the results.
--- - the results: `MapResults`
--- - not in time: `nil, "timeout"`
--- - after a soft request: `CancelError`
--- [Manual](docs/manual/pools.md#methods-of-a-pool)
---@param f fun(item: any): any
---@param list any[]
---@param options? lanes.MapOptions
---@return lanes.MapResults
function Pool:map(f, list, options) end

---Calls a function for each item; an iterator that yields index and results.
--- - the iterator: `fun(...: any): integer?, any, any, any`
--- [Manual](docs/manual/pools.md#methods-of-a-pool)
---@param f function
---@param source any[]|function
---@param options? lanes.ImapOptions
---@return fun(...: any): integer|nil, any, any, any
function Pool:imap(f, source, options) end

---Counts of the pool's activity.
--- - the counts: `PoolStats`
--- [Manual](docs/manual/pools.md#methods-of-a-pool)
---@return lanes.PoolStats
function Pool:stats() end

---Ends the pool after all waiting tasks have been run.
--- - ended: `true`
--- - not in time: `false, "timeout"`
--- - after a soft request: `CancelError`
--- [Manual](docs/manual/pools.md#methods-of-a-pool)
---@param timeout? number
---@return true|false
---@return nil|"timeout"
function Pool:close(timeout) end

---Ends the pool at once: drops waiting tasks and cancels running ones.
--- - ended: `true`
--- - not in time: `false, "timeout"`
--- [Manual](docs/manual/pools.md#methods-of-a-pool)
---@param timeout? number
---@return true|false
---@return nil|"timeout"
function Pool:cancel(timeout) end

---The result of a task of a pool, used like the handle of a lane.
---@class lanes.Future
---@field [integer] any future[n] waits for the end: result n; true at 0; the error at -1
---@field status lanes.Status What the task does now. Reading it never waits.
local Future = {}

---Waits until the task has ended, and returns its results.
--- - it returned: `any...`
--- - it failed: nil, error, trace: `nil, any, any`
--- - it was cancelled: `nothing`
--- - it has not ended in time: `nil, "timeout"`
--- - after a soft request: `CancelError`
--- [Manual](docs/manual/pools.md#futures)
---@param timeout? number in seconds; 0 does not wait
---@return any ...
function Future:join(timeout) end

---Makes a notifier of the end of the task.
--- - the notifier: `Notifier`
--- [Manual](docs/manual/loops.md#notifiers)
---@return lanes.Notifier
function Future:notifier() end

---Drops a waiting task; cancels a running one as by `lane:cancel`.
--- - it has ended: `true, Status`
--- - it has not ended in time: `false, "timeout"`
--- [Manual](docs/manual/pools.md#futures)
---@param mode? lanes.CancelMode
---@param timeout? number
---@param flag? boolean
---@overload fun(self: lanes.Future, mode: lanes.HookMode, count: number, timeout?: number, flag?: boolean): true|false, lanes.Status|"timeout"
---@return true|false
---@return lanes.Status|"timeout"
function Future:cancel(mode, timeout, flag) end

---The options of `lanes.pool`.
---@class (exact) lanes.PoolOptions
---@field workers? integer the number of lanes; default `lanes.cpus()`
---@field init? function called once in each worker
---@field queue? integer the maximum number of waiting tasks
---@field time_limit? number seconds of processor time that a task may take
---@field max_tasks? integer a worker is replaced after this many tasks
---@field name? string the name of the pool
---@field libraries? string libraries of the workers; default "*"
---@field globals? table as for `lanes.gen`
---@field required? string[] as for `lanes.gen`
---@field package? table as for `lanes.gen`
---@field priority? number as for `lanes.gen`
---@field memory_limit? number as for `lanes.gen`
---@field stack_size? integer as for `lanes.gen`

---The options of `lanes.map`.
---@class (exact) lanes.MapOptions
---@field chunk? "auto"|integer how many items a worker gets at a time; default "auto"
---@field on_error? "raise"|"return"|(fun(index: integer, err: any, trace: any): any) what an error of a call does; default "raise"
---@field timeout? number seconds for the whole call
---@field progress? boolean|(fun(done: integer, total: integer|nil)) true shows a bar on a terminal; a function is called now and then

---The options of `lanes.imap`.
---@class (exact) lanes.ImapOptions
---@field chunk? "auto"|integer how many items a worker gets at a time; default "auto"
---@field on_error? "raise"|"return"|(fun(index: integer, err: any, trace: any): any) what an error of a call does; default "raise"
---@field timeout? number seconds for the whole call
---@field progress? boolean|(fun(done: integer, total: integer|nil)) true shows a bar on a terminal; a function is called now and then
---@field ordered? boolean `imap` only: false yields results in the order in which calls end
---@field buffer? integer `imap` only: how many items may be taken and not yet yielded

---The results of a map, by index.
---@class lanes.MapResults
---@field [integer] any
---@field n integer the number of items
---@field errors table<integer, any>|nil errors by index, with `on_error = "return"`

---What `pool:stats` returns.
---@class lanes.PoolStats
---@field workers integer
---@field busy integer
---@field queued integer
---@field done integer
---@field failed integer

---A case of `lanes.select`.
---@alias lanes.Case any[]

---The options of `lanes.wait`.
---@class (exact) lanes.WaitOptions
---@field count? integer|"all" how many are to end; default 1
---@field timeout? number in seconds; 0 does not wait

---What the function of `lanes.scope` gets: its lanes end with the function.
---@class lanes.Scope
local Scope = {}

---Launches a lane of the scope.
--- - launched: `Lane`
--- [Manual](docs/manual/scopes.md#lanesscopebody--options)
---@param generator fun(...: any): lanes.Lane
---@param ... any its arguments
---@return lanes.Lane
function Scope:run(generator, ...) end

---Options of `lanes.scope`.
---@class (exact) lanes.ScopeOptions
---@field on_error? "cancel"|"wait" whether an error ends the other lanes; default "cancel"
---@field timeout? number seconds after which all lanes are asked to stop

---A lane that starts lanes again when they have ended.
---@class lanes.Supervisor
---@field status lanes.Status The status of its lane.
local Supervisor = {}

---Waits until the supervisor has ended.
--- - it has ended: `true`
--- - it failed: nil, error, trace: `nil, any, any`
--- - not in time: `nil, "timeout"`
--- [Manual](docs/manual/failures.md#supervisors)
---@param timeout? number in seconds; 0 does not wait
---@return true|nil
---@return nil|any|"timeout"
---@return nil|any
function Supervisor:join(timeout) end

---Ends the children, the last one first, and the supervisor.
--- - ended: `true`
--- - not in time: `false, "timeout"`
--- - it had failed: nil, error, trace: `nil, any, any`
--- [Manual](docs/manual/failures.md#supervisors)
---@param timeout? number in seconds; 0 does not wait
---@return true|false|nil
---@return nil|"timeout"|any
---@return nil|any
function Supervisor:stop(timeout) end

---The state of the children.
--- - in their order: `ChildState[]`
--- [Manual](docs/manual/failures.md#supervisors)
---@return lanes.ChildState[]
function Supervisor:which() end

---A list of children, with the options of `lanes.supervise`.
---@class (exact) lanes.SuperviseOptions
---@field [integer] lanes.Child
---@field strategy? "one_for_one"|"one_for_all"|"rest_for_one" which children are started again; default "one_for_one"
---@field intensity? integer how many restarts there may be in the period; default 3
---@field period? number in seconds; default 5

---A child of a supervisor.
---@class (exact) lanes.Child
---@field name string its name
---@field start fun(...: any): lanes.Lane a generator, or another function that launches a lane
---@field args? table arguments of `start`
---@field restart? "permanent"|"transient"|"temporary" when it is started again: always, after an error, never; default "permanent"

---An entry of `supervisor:which()`.
---@class lanes.ChildState
---@field name string
---@field status lanes.Status
---@field restarts integer
---@field err any

---What `lanes.async` holds: a function for each event loop.
---@class lanes.AsyncLoops
local AsyncLoops = {}

---The waiting calls for coroutines of luv.
--- - the calls: `Async`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param uv? table the module, if it is not `require "luv"`
---@return lanes.Async
function AsyncLoops.luv(uv) end

---The waiting calls for coroutines of copas.
--- - the calls: `Async`
--- [Manual](docs/manual/loops.md#lanesasync)
---@return lanes.Async
function AsyncLoops.copas() end

---The waiting calls for coroutines of cqueues.
--- - the calls: `Async`
--- [Manual](docs/manual/loops.md#lanesasync)
---@return lanes.Async
function AsyncLoops.cqueues() end

---The waiting calls for coroutines of GLib's main loop, by lgi.
--- - the calls: `Async`
--- [Manual](docs/manual/loops.md#lanesasync)
---@return lanes.Async
function AsyncLoops.lgi() end

---The waiting calls for coroutines of an event loop: only the calling coroutine waits.
---@class lanes.Async
local Async = {}

---As `linda:receive`.
--- - received: the key, the values: `Key, any...`
--- - no value in time: `nothing`
--- - a linda is cancelled, or after a soft request: `CancelError`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param linda lanes.Linda
---@param ... any as for `linda:receive`
---@return lanes.Key|nil|lanes.CancelError
---@return any ...
function Async.receive(linda, ...) end

---As `linda:send`.
--- - sent; false: no room in time: `boolean`
--- - a linda is cancelled, or after a soft request: `CancelError`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param linda lanes.Linda
---@param ... any as for `linda:send`
---@return boolean|lanes.CancelError
function Async.send(linda, ...) end

---As `lane:join` and `future:join`.
--- - it returned: `any...`
--- - it failed: nil, error, trace: `nil, any, any`
--- - it was cancelled: `nothing`
--- - it has not ended in time: `nil, "timeout"`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param lane lanes.Lane|lanes.Future
---@param timeout? number in seconds; 0 does not wait
---@return any ...
function Async.join(lane, timeout) end

---As `lanes.sleep`.
--- - the time is over: `nothing`
--- - after a soft request: `CancelError`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param seconds? number default 0
---@return nil|lanes.CancelError
function Async.sleep(seconds) end

---As `lanes.select`.
--- - the number of the case, and its results: `integer, any...`
--- - no case in time: `nothing`
--- - a linda is cancelled, or after a soft request: `CancelError`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param ... any as for `lanes.select`
---@return integer|nil|lanes.CancelError
---@return any ...
function Async.select(...) end

---Calls a function in a lane of a pool. Raises its error.
--- - its results: `any...`
--- - the task is cancelled, or after a soft request: `CancelError`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param f function
---@param ... any its arguments
---@overload fun(pool: lanes.Pool, f: function, ...: any): ...
---@return any ...
function Async.call(f, ...) end

---A descriptor that an event loop can wait for: readable while something may be there.
---@class lanes.Notifier
local Notifier = {}

---Returns what is there, without a wait.
--- - of a linda: a key and its value, which is removed: `Key, any`
--- - of a lane or a future: itself and its status: `Lane|Future, Status`
--- - nothing is there: `nothing`
--- - a linda is cancelled, or after a soft request: `CancelError`
--- [Manual](docs/manual/loops.md#notifiers)
---@return lanes.Key|lanes.Lane|lanes.Future|nil|lanes.CancelError
---@return any|lanes.Status|nil
function Notifier:receive() end

---The number of the descriptor; on Windows that of a socket.
--- - the number: `integer`
--- [Manual](docs/manual/loops.md#notifiers)
---@return integer
function Notifier:fd() end

---As `fd`, for LuaSocket's `select`.
--- - the number: `integer`
--- [Manual](docs/manual/loops.md#notifiers)
---@return integer
function Notifier:getfd() end

---As `fd`, for cqueues.
--- - the number: `integer`
--- [Manual](docs/manual/loops.md#notifiers)
---@return integer
function Notifier:pollfd() end

---For LuaSocket's `select`: nothing is read ahead.
--- - always: `false`
--- [Manual](docs/manual/loops.md#notifiers)
---@return false
function Notifier:dirty() end

---For cqueues: the descriptor is only read.
--- - always: `"r"`
--- [Manual](docs/manual/loops.md#notifiers)
---@return "r"
function Notifier:events() end

---For cqueues: there is no time limit.
--- - always: `nothing`
--- [Manual](docs/manual/loops.md#notifiers)
function Notifier:timeout() end

---Gives the descriptor back to the system; later calls do nothing.
--- [Manual](docs/manual/loops.md#notifiers)
function Notifier:close() end

return lanes
