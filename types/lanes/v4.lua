---@meta lanes.v4
-- Types of the module "lanes.v4". Made by ci/types/generate from lua/lanes/reference.lua; do not edit.
-- In .luarc.json: "workspace.library": ["<directory of this file>"].

---Native threads for Lua, with the interface of Lanes 4.x.
---@class lanes.v4
---@field timer_lane lanes.v4.Lane|nil Stands for the timer service, in the main state if timers are on.
---@field cancel_error lanes.v4.CancelError The error of a request to end, and the result of calls that notice one. The same value in all lanes.
---@field null lightuserdata Stands for nil in `linda:dump`. Sent as a value, it arrives as nil.
---@field ABOUT lanes.v4.About Facts about the library.
---@field async lanes.v4.AsyncLoops The waiting calls for coroutines of event loops.
local lanes = {}

---Configures Lanes and returns the module's table. Later calls only return it.
--- - configured: `lanes`
--- [Manual](docs/manual/v4.md#settings)
---@param options? lanes.v4.ConfigureOptions|false nil and false mean the defaults
---@return lanes.v4
function lanes.configure(options) end

---Makes a generator: a function, each call of which launches a lane with its arguments.
--- - the generator: `Generator`
--- [Manual](docs/manual/v4.md#generators)
---@param ... string|lanes.v4.GenOptions|function|nil libraries ("*" opens all) and options, in any order; then the body, a function or Lua source
---@overload fun(body: function|string): lanes.v4.Generator
---@overload fun(libraries: string, body: function|string): lanes.v4.Generator
---@overload fun(options: lanes.v4.GenOptions, body: function|string): lanes.v4.Generator
---@overload fun(libraries: string, options: lanes.v4.GenOptions, body: function|string): lanes.v4.Generator
---@return lanes.v4.Generator
function lanes.gen(...) end

---Makes a generator of lanes whose body is a coroutine: `yield` suspends the lane.
--- - the generator: `Generator`
--- [Manual](docs/manual/v4.md#coroutine-lanes)
---@param ... string|lanes.v4.GenOptions|function|nil libraries ("*" opens all) and options, in any order; then the body, a function or Lua source
---@overload fun(body: function|string): lanes.v4.Generator
---@overload fun(libraries: string, body: function|string): lanes.v4.Generator
---@overload fun(options: lanes.v4.GenOptions, body: function|string): lanes.v4.Generator
---@overload fun(libraries: string, options: lanes.v4.GenOptions, body: function|string): lanes.v4.Generator
---@return lanes.v4.Generator
function lanes.coro(...) end

---Makes a linda: a set of slots, each of which has a key and is a queue of values.
--- - the linda: `Linda`
--- [Manual](docs/manual/v4.md#lindas)
---@param options? lanes.v4.LindaOptions
---@return lanes.v4.Linda
function lanes.linda(options) end

---Waits for a time. Without one, until the lane is asked to stop.
--- - the time is over: `nil, "timeout"`
--- - after a request: `nil, CancelError`
--- [Manual](docs/manual/v4.md#other-functions)
---@param seconds? number
---@return nil
---@return "timeout"|lanes.v4.CancelError
function lanes.sleep(seconds) end

---Sets the function that is called when the main state has been closed; nil takes it away.
--- [Manual](docs/manual/v4.md#shutdown)
---@param f? fun(ended: boolean): any `ended`: all lanes have ended
function lanes.finally(f) end

---Has nothing to do: elements are memory of no Lua state.
--- [Manual](docs/manual/v4.md#other-functions)
function lanes.collectgarbage() end

---The lowest and the highest priority of a thread.
--- - both: `integer, integer`
--- [Manual](docs/manual/v4.md#other-functions)
---@param kind? "native" those of the system
---@return integer
---@return integer
function lanes.thread_priority_range(kind) end

---Sets the priority of the calling thread.
--- [Manual](docs/manual/v4.md#other-functions)
---@param priority integer
---@param kind? "native" in the range of the system
function lanes.set_thread_priority(priority, kind) end

---The type of a value and the name by which it can be reached.
--- - type and name: `string, any`
--- [Manual](docs/manual/v4.md#other-functions)
---@param value any
---@return string
---@return any
function lanes.nameof(value) end

---Waits until one of several sends, receives and ends of lanes can happen, lets it happen, and tells which.
--- - received: number of the case, key, value: `integer, Key, any`
--- - sent: `integer, Key`
--- - the lane has ended: `integer, Lane`
--- - not in time: `nil, "timeout"`
--- - the linda is cancelled, or after a request: `nil, CancelError`
--- [Manual](docs/manual/select.md#lanesselecttimeout-case)
---@param case lanes.v4.Case { linda, "receive", key... }, { linda, "send", key, value... } or { lane }
---@param ... lanes.v4.Case
---@overload fun(timeout: number|nil, case: lanes.v4.Case, ...: lanes.v4.Case): integer, lanes.v4.Key|lanes.v4.Lane, any|nil
---@return integer
---@return lanes.v4.Key|lanes.v4.Lane
---@return any|nil
function lanes.select(case, ...) end

---Sets, replaces or removes the timer of a slot. When it fires, the slot is set to the current time.
--- [Manual](docs/manual/timers.md#lanestimerlinda-key-first--period)
---@param linda lanes.v4.Linda
---@param key lanes.v4.Key
---@param first number|table|false|nil seconds from now, or a date table; nil or false removes the timer
---@param period? number|false seconds between later times
function lanes.timer(linda, key, first, period) end

---Lists all timers.
--- - the list: `Timer[]`
--- [Manual](docs/manual/timers.md#lanestimers)
---@return lanes.v4.Timer[]
function lanes.timers() end

---The seconds since 1970, with fractions.
--- - the time: `number`
--- [Manual](docs/manual/timers.md#lanesnow_secs)
---@return number
function lanes.now_secs() end

---Makes a slot of a linda a lock with a number of units, and returns the function that takes and gives them.
--- - the lock: `Lock`
--- - the linda is cancelled: `CancelError`
--- [Manual](docs/manual/locks.md#lanesgenlocklinda-key--n)
---@param linda lanes.v4.Linda
---@param key lanes.v4.Key
---@param n? integer the number of units, from 1; default 1
---@return lanes.v4.Lock
function lanes.genlock(linda, key, n) end

---Makes a slot of a linda a counter, and returns the function that adds to it.
--- - the counter: `Counter`
--- - the linda is cancelled: `CancelError`
--- [Manual](docs/manual/locks.md#lanesgenatomiclinda-key--initial)
---@param linda lanes.v4.Linda
---@param key lanes.v4.Key
---@param initial? number default 0.0
---@return lanes.v4.Counter
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

---Lists all lanes, the newest first. Needs `configure { track_lanes = true }`.
--- - there are lanes: `ThreadInfo[]`
--- - there are none: `nothing`
--- [Manual](docs/manual/threads.md#which-lanes-there-are)
---@return lanes.v4.ThreadInfo[]
function lanes.threads() end

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

---Returns what sleeps in calls of Lanes, and for what it waits.
--- - a list: `Waiting[]`
--- - with "dot": `string`
--- [Manual](docs/manual/deadlocks.md#laneswaitingdot)
---@overload fun(form: "dot"): string
---@return lanes.v4.Waiting[]
function lanes.waiting() end

---Prints what a function, field, option or object is.
--- [Manual](docs/manual/reference.md#laneshelpname)
---@param name? any a name such as "linda:send" or "gen"; or a value of Lanes
function lanes.help(name) end

---Calls a function for each item, in lanes; an iterator that yields index and results.
--- - the iterator: `fun(...: any): integer?, any, any, any`
--- [Manual](docs/manual/pools.md#lanesimapsource-f--options)
---@param source any[]|function a list, or an iterator that may be endless
---@param f function
---@param options? lanes.v4.ImapOptions
---@return fun(...: any): integer|nil, any, any, any
function lanes.imap(source, f, options) end

---Calls a function for each item of a list, in lanes, and waits for the results.
--- - the results: `MapResults`
--- - not in time: `nil, "timeout"`
--- - after a soft request: `nil, CancelError`
--- [Manual](docs/manual/pools.md#lanesmaplist-f--options)
---@param list any[]
---@param f fun(item: any): any
---@param options? lanes.v4.MapOptions
---@return lanes.v4.MapResults
function lanes.map(list, f, options) end

---Makes a pool: lanes that run functions for many calls.
--- - the pool: `Pool`
--- - after a soft request: `nil, CancelError`
--- [Manual](docs/manual/pools.md#lanespooloptions)
---@param options? lanes.v4.PoolOptions
---@return lanes.v4.Pool
function lanes.pool(options) end

---Draws a bar on standard error if that is a terminal.
--- [Manual](docs/manual/pools.md#lanesprogressdone--total)
---@param done integer
---@param total? integer
function lanes.progress(done, total) end

---Calls a function, and waits until all lanes of its scope have ended.
--- - the results of the function: `any...`
--- - `lanes.cancel_error` after a soft request, or if the linda is cancelled: `nil, CancelError`
--- [Manual](docs/manual/scopes.md#lanesscopebody--options)
---@param body fun(s: lanes.v4.Scope): ...
---@param options? lanes.v4.ScopeOptions
---@return any ...
function lanes.scope(body, options) end

---Starts lanes, and starts them again when they have ended.
--- - the supervisor: `Supervisor`
--- - after a soft request: `nil, CancelError`
--- [Manual](docs/manual/failures.md#supervisors)
---@param children lanes.v4.SuperviseOptions a list of children, with the options
---@return lanes.v4.Supervisor
function lanes.supervise(children) end

---Waits until some of a list of lanes and futures have ended.
--- - those that have ended, in that order: `(Lane|Future)[]`
--- - not in time: `nil, "timeout"`
--- - `lanes.cancel_error` after a soft request, or if the linda is cancelled: `nil, CancelError`
--- [Manual](docs/manual/select.md#laneswaitlist--options)
---@param list (lanes.v4.Lane|lanes.v4.Future)[]
---@param options? lanes.v4.WaitOptions
---@return (lanes.v4.Lane|lanes.v4.Future)[]
function lanes.wait(list, options) end

---The options of `lanes.configure`.
---@class (exact) lanes.v4.ConfigureOptions
---@field convert_fallback? lightuserdata|"decay" what becomes of tables and userdata without metatable: `lanes.null` or `"decay"`
---@field convert_max_attempts? number how often an object may be converted in a row; default 1
---@field linda_wake_period? number|"never" seconds after which a call that waits on a linda looks for requests; default "never"
---@field nb_user_keepers? integer the highest `group` of lindas, from 0 to 100; default 0
---@field strip_functions? boolean whether functions travel without names and lines; default true
---@field with_timers? boolean whether timers work; default false
---@field allocator? "protected"|function where lanes allocate memory
---@field api? integer the interface: 3, that of Lanes 3.x, or 4; default 3, or the environment variable LANES_API
---@field internal_allocator? "allocator"|"libc" accepted, without effect
---@field keepers_gc_threshold? number accepted, without effect
---@field on_deadlock? false|"report"|"error"|(fun(text: string, graph: lanes.v4.Waiting[])) what is done about a deadlock; default false
---@field on_error? "stderr"|(fun(name: string, err: any, trace: any)) who is told of failures of lanes that nobody reads
---@field on_state_create? function a function without upvalues that is called in each new lane
---@field shutdown_timeout? number seconds that the end of the program waits for lanes; default 0.25
---@field stack_size? integer bytes of the stacks of lanes
---@field track_lanes? boolean whether `lanes.threads` works; default false
---@field verbose_errors? boolean accepted, without effect

---The options of `lanes.gen` and `lanes.coro`.
---@class (exact) lanes.v4.GenOptions
---@field name? string name of the lane; "auto": where its body was defined
---@field native_priority? integer priority in the range of the system, in place of `priority`
---@field error_trace_level? lanes.v4.TraceLevel what the traces of errors contain; default "minimal": there are none
---@field globals? table globals of the lane
---@field required? string[] modules that the lane requires before its body runs
---@field package? table `path`, `cpath` and `preload` in place of those of the launching state
---@field priority? number priority of the thread, from -3 to 3
---@field gc_cb? fun(name: string, how: "selfdestruct"|"closed") called when the handle is collected
---@field memory_limit? number maximum memory of the lane's Lua state in bytes
---@field stack_size? integer bytes of the stack of the lane's thread

---The options of `lanes.linda`.
---@class (exact) lanes.v4.LindaOptions
---@field name? string what `tostring` shows; "auto": where `lanes.linda` was called
---@field group? integer from 0 to `nb_user_keepers`
---@field wake_period? number|"never" in place of the setting `linda_wake_period`
---@field close_handler? fun(linda: lanes.v4.Linda, err: any) called when a variable that closes the linda goes out of scope

---The handle of a lane.
---@class lanes.v4.Lane
---@field [integer] any lane[n] waits for the end: result n; their number at 0; the error below 0
---@field status lanes.v4.Status What the lane does now. Reading it never waits.
---@field error_trace_level lanes.v4.TraceLevel What the traces of its errors contain.
local Lane = {}

---Waits until the lane has ended, and returns its results.
--- - it returned: true, and its results: `true, any...`
--- - it failed: nil, error, trace: `nil, any, any`
--- - it was cancelled: `nil, CancelError`
--- - it has not ended in time: `nil, "timeout"`
--- [Manual](docs/manual/v4.md#lanes)
---@param timeout? number in seconds, from 0
---@return true|nil
---@return any ...
function Lane:join(timeout) end

---Asks a lane to end, and waits until it has ended.
--- - it has ended: `true, Status`
--- - it has not ended in time: `false, "timeout"`
--- [Manual](docs/manual/v4.md#cancellation)
---@param mode? lanes.v4.CancelMode default "hard"
---@param timeout? number in seconds; default: for ever
---@param wake_lane? boolean whether a wait of the lane ends; default: not after a soft request
---@overload fun(self: lanes.v4.Lane, mode: lanes.v4.HookMode, count: number, timeout?: number, wake_lane?: boolean): true|false, lanes.v4.Status|"timeout"
---@overload fun(self: lanes.v4.Lane, timeout: number, wake_lane?: boolean): true|false, lanes.v4.Status|"timeout"
---@return true|false
---@return lanes.v4.Status|"timeout"
function Lane:cancel(mode, timeout, wake_lane) end

---Resumes a coroutine lane, once it is suspended; the lane gets the arguments.
--- - what it has yielded: `any...`
--- [Manual](docs/manual/v4.md#coroutine-lanes)
---@param ... any
---@return any ...
function Lane:resume(...) end

---The name of the lane, `"<unnamed>"` if it has none.
--- - the name: `string`
--- [Manual](docs/manual/v4.md#lanes)
---@return string
function Lane:get_threadname() end

---Sends a message to a slot of a linda at the end of the lane.
--- - it has been or will be sent; false: the slot is full: `boolean`
--- - the linda is cancelled: `CancelError`
--- [Manual](docs/manual/failures.md#monitors)
---@param linda lanes.v4.Linda
---@param key lanes.v4.Key
---@return boolean|lanes.v4.CancelError
function Lane:monitor(linda, key) end

---Makes a notifier of the end of the lane.
--- - the notifier: `Notifier`
--- [Manual](docs/manual/loops.md#notifiers)
---@return lanes.v4.Notifier
function Lane:notifier() end

---A set of slots, each of which has a key and is a queue of values.
---@class lanes.v4.Linda
---@field status "active"|"cancelled" Whether the linda is cancelled.
---@field null lightuserdata As `lanes.null`.
local Linda = {}

---Appends values to a slot, all or none. Waits while they do not fit.
--- - sent: `true`
--- - not in time: `nil, "timeout"`
--- - the linda is cancelled, or after a request: `nil, CancelError`
--- [Manual](docs/manual/v4.md#lindas)
---@param key lanes.v4.Key
---@param ... any the values, one at least
---@overload fun(self: lanes.v4.Linda, timeout: number|nil, key: lanes.v4.Key, ...: any): true|nil, nil|"timeout"|lanes.v4.CancelError
---@return true|nil
---@return nil|"timeout"|lanes.v4.CancelError
function Linda:send(key, ...) end

---Removes and returns a value of the first of the slots that has one.
--- - the key, and the value: `Key, any`
--- - not in time: `nil, "timeout"`
--- - the linda is cancelled, or after a request: `nil, CancelError`
--- [Manual](docs/manual/v4.md#lindas)
---@param key lanes.v4.Key
---@param ... lanes.v4.Key
---@overload fun(self: lanes.v4.Linda, timeout: number|nil, key: lanes.v4.Key, ...: lanes.v4.Key): lanes.v4.Key|nil, any|"timeout"|lanes.v4.CancelError
---@return lanes.v4.Key|nil
---@return any|"timeout"|lanes.v4.CancelError
function Linda:receive(key, ...) end

---Removes and returns several values of a slot.
--- - the key, and the values: `Key, any...`
--- - not in time: `nil, "timeout"`
--- - the linda is cancelled, or after a request: `nil, CancelError`
--- [Manual](docs/manual/v4.md#lindas)
---@param key lanes.v4.Key
---@param min integer
---@param max? integer default: min
---@overload fun(self: lanes.v4.Linda, timeout: number|nil, key: lanes.v4.Key, min: integer, max?: integer): lanes.v4.Key|nil, ...
---@return lanes.v4.Key|nil
---@return any ...
function Linda:receive_batched(key, min, max) end

---Replaces the contents of a slot.
--- - whether there is room in a slot that was full; how full it is: `boolean, Fill`
--- - the linda is cancelled: `nil, CancelError`
--- [Manual](docs/manual/v4.md#lindas)
---@param key lanes.v4.Key
---@param ... any the values; none empties the slot
---@return boolean|nil
---@return lanes.v4.Fill|lanes.v4.CancelError
function Linda:set(key, ...) end

---Returns the first values of a slot, which stay there.
--- - their number, and the values: `integer, any...`
--- - the linda is cancelled: `nil, CancelError`
--- [Manual](docs/manual/v4.md#lindas)
---@param key lanes.v4.Key
---@param count? integer how many at most; default 1
---@return integer|nil
---@return any ...
function Linda:get(key, count) end

---Sets or returns the maximum number of values in a slot.
--- - without `n`: the limit, and how full the slot is: `number|"unlimited", Fill`
--- - whether there is room in a slot that was full; how full it is: `boolean, Fill`
--- - the linda is cancelled: `nil, CancelError`
--- [Manual](docs/manual/v4.md#lindas)
---@param key lanes.v4.Key
---@param n? number|"unlimited"
---@return number|"unlimited"|boolean|nil
---@return lanes.v4.Fill|lanes.v4.CancelError
function Linda:limit(key, n) end

---Restricts a slot to some of the calls, or returns to which.
--- - the restriction before: `Restriction`
--- - the linda is cancelled: `nil, CancelError`
--- [Manual](docs/manual/v4.md#lindas)
---@param key lanes.v4.Key
---@param mode? lanes.v4.Restriction
---@return lanes.v4.Restriction
function Linda:restrict(key, mode) end

---Returns the number of values in slots.
--- - one key: `integer?`
--- - none or several keys: a table from key to number: `table<Key, integer>`
--- [Manual](docs/manual/v4.md#lindas)
---@param key lanes.v4.Key
---@overload fun(self: lanes.v4.Linda): table<lanes.v4.Key, integer>
---@overload fun(self: lanes.v4.Linda, key: lanes.v4.Key, ...: lanes.v4.Key): table<lanes.v4.Key, integer>
---@return integer|nil
function Linda:count(key) end

---Returns a snapshot of all slots, for debugging.
--- - from key to contents: `table<Key, SlotDump>`
--- - never used: `nothing`
--- [Manual](docs/manual/v4.md#lindas)
---@return table<lanes.v4.Key, lanes.v4.SlotDump>
function Linda:dump() end

---Cancels the linda: all calls on it return `lanes.cancel_error` from now on.
--- [Manual](docs/manual/v4.md#cancellation)
---@param who? lanes.v4.WakeHint which waiting calls are woken; "none" ends the cancelled state
function Linda:cancel(who) end

---Lets those who wait look again at what they are asked to do.
--- [Manual](docs/manual/v4.md#cancellation)
---@param who? "read"|"write"|"both" default "both"
function Linda:wake(who) end

---Returns a light userdata that identifies this linda in all lanes.
--- - its identity: `lightuserdata`
--- [Manual](docs/manual/v4.md#lindas)
---@return lightuserdata
function Linda:deep() end

---Makes a notifier of elements in these slots.
--- - the notifier: `Notifier`
--- [Manual](docs/manual/loops.md#notifiers)
---@param key lanes.v4.Key
---@param ... lanes.v4.Key
---@return lanes.v4.Notifier
function Linda:notifier(key, ...) end

---Has nothing to do: elements are memory of no Lua state.
--- [Manual](docs/manual/v4.md#lindas)
function Linda:collectgarbage() end


---Whether the lane has been asked to end. A hard request raises `lanes.cancel_error`.
--- - there is no request: `false`
--- - a soft request: `"soft"`
--- - a hard one, with `no_error`: `"hard"`
--- [Manual](docs/manual/v4.md#inside-a-lane)
---@param no_error? boolean a hard request raises nothing
---@return false|"soft"|"hard"
function cancel_test(no_error) end

---Registers a function that is called when the lane ends.
--- [Manual](docs/manual/v4.md#inside-a-lane)
---@param f fun(err: any, trace: any)
function set_finalizer(f) end

---Names the lane, or returns its name.
--- - without an argument: the name: `string?`
--- [Manual](docs/manual/v4.md#inside-a-lane)
---@param name? string
---@return string|nil
function lane_threadname(name) end

---What a lane does.
---@alias lanes.v4.Status "pending"|"running"|"waiting"|"suspended"|"resuming"|"closing"|"done"|"error"|"cancelled"

---The kind of a request that interrupts running code.
---@alias lanes.v4.HookMode "count"|"line"|"call"|"ret"|"all"

---What the traces of errors contain.
---@alias lanes.v4.TraceLevel "minimal"|"basic"|"extended"

---To which calls a slot is restricted.
---@alias lanes.v4.Restriction "none"|"set/get"|"send/receive"

---The key of a slot. Userdata are lindas and objects of C modules.
---@alias lanes.v4.Key boolean|number|string|lightuserdata|userdata|lanes.v4.Linda

---How full a slot is, measured by its limit.
---@alias lanes.v4.Fill "under"|"exact"|"over"

---The contents of a slot.
---@class lanes.v4.SlotDump
---@field first integer
---@field count integer
---@field limit number|"unlimited"
---@field restrict lanes.v4.Restriction
---@field fifo table<integer, any> the values at `first` to `first + count - 1`

---Launches a lane with these arguments and returns its handle.
---@alias lanes.v4.Generator fun(...: any): lanes.v4.Lane

---Takes units of a lock (above 0, waits until they are free) or gives them back (below 0).
---@alias lanes.v4.Lock fun(units: number, mode?: "try"): boolean

---Adds to a counter.
---@alias lanes.v4.Counter fun(difference?: number): number

---The type of `lanes.cancel_error`.
---@class lanes.v4.CancelError: lightuserdata

---What `lanes.ABOUT` holds.
---@class lanes.v4.About
---@field author string
---@field copyright string
---@field description string
---@field implementation string the name and version of this library
---@field license string
---@field version string the version of the interface

---An entry of `lanes.timers()`: { linda, key, { when, period } }.
---@class lanes.v4.Timer
---@field [integer] any

---An entry of `lanes.waiting()`: a state that sleeps.
---@class lanes.v4.Waiting
---@field name string `main`, or the lane
---@field op string the operation
---@field linda string|nil the name of the linda
---@field keys lanes.v4.Key[]|nil
---@field lanes string[]|nil the lanes, or the module, that it waits for
---@field holders string[]|nil those who hold units of the lock
---@field since number when it began to sleep
---@field timeout number|nil the seconds that it may still sleep
---@field where string|nil file and line

---An entry of `lanes.threads()`.
---@class lanes.v4.ThreadInfo
---@field name string
---@field status lanes.v4.Status

---What `lane:monitor` sends.
---@class lanes.v4.Event
---@field name string
---@field status lanes.v4.Status
---@field err any
---@field trace any

---A case of `lanes.select`.
---@alias lanes.v4.Case any[]

---The kind of a request.
---@alias lanes.v4.CancelMode "hard"|"soft"

---Which waiting calls are woken.
---@alias lanes.v4.WakeHint "none"|"read"|"write"|"both"

---Lanes that run functions for many calls.
---@class lanes.v4.Pool
local Pool = {}

---Submits a task: a worker calls the function with these arguments.
--- - its result: `Future`
--- - after a soft request: `nil, CancelError`
--- [Manual](docs/manual/pools.md#methods-of-a-pool)
---@param f function
---@param ... any
---@return lanes.v4.Future
function Pool:submit(f, ...) end

---Calls a function for each item of a list, and waits for the results.
--- - the results: `MapResults`
--- - not in time: `nil, "timeout"`
--- - after a soft request: `nil, CancelError`
--- [Manual](docs/manual/pools.md#methods-of-a-pool)
---@param f fun(item: any): any
---@param list any[]
---@param options? lanes.v4.MapOptions
---@return lanes.v4.MapResults
function Pool:map(f, list, options) end

---Calls a function for each item; an iterator that yields index and results.
--- - the iterator: `fun(...: any): integer?, any, any, any`
--- [Manual](docs/manual/pools.md#methods-of-a-pool)
---@param f function
---@param source any[]|function
---@param options? lanes.v4.ImapOptions
---@return fun(...: any): integer|nil, any, any, any
function Pool:imap(f, source, options) end

---Counts of the pool's activity.
--- - the counts: `PoolStats`
--- [Manual](docs/manual/pools.md#methods-of-a-pool)
---@return lanes.v4.PoolStats
function Pool:stats() end

---Ends the pool after all waiting tasks have been run.
--- - ended: `true`
--- - not in time: `false, "timeout"`
--- - after a soft request: `nil, CancelError`
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
---@class lanes.v4.Future
---@field [integer] any future[n] waits for the end: result n; their number at 0; the error below 0
---@field status lanes.v4.Status What the task does now. Reading it never waits.
local Future = {}

---Waits until the task has ended, and returns its results.
--- - it returned: true, and its results: `true, any...`
--- - it failed: nil, error, trace: `nil, any, any`
--- - it was cancelled, or after a soft request: `nil, CancelError`
--- - it has not ended in time: `nil, "timeout"`
--- [Manual](docs/manual/pools.md#futures)
---@param timeout? number in seconds, from 0
---@return true|nil
---@return any ...
function Future:join(timeout) end

---Makes a notifier of the end of the task.
--- - the notifier: `Notifier`
--- [Manual](docs/manual/loops.md#notifiers)
---@return lanes.v4.Notifier
function Future:notifier() end

---Drops a waiting task; cancels a running one as by `lane:cancel`.
--- - it has ended: `true, Status`
--- - it has not ended in time: `false, "timeout"`
--- [Manual](docs/manual/pools.md#futures)
---@param mode? lanes.v4.CancelMode
---@param timeout? number in seconds; default: for ever
---@param wake_lane? boolean
---@overload fun(self: lanes.v4.Future, mode: lanes.v4.HookMode, count: number, timeout?: number, wake_lane?: boolean): true|false, lanes.v4.Status|"timeout"
---@return true|false
---@return lanes.v4.Status|"timeout"
function Future:cancel(mode, timeout, wake_lane) end

---The options of `lanes.pool`.
---@class (exact) lanes.v4.PoolOptions
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
---@class (exact) lanes.v4.MapOptions
---@field chunk? "auto"|integer how many items a worker gets at a time; default "auto"
---@field on_error? "raise"|"return"|(fun(index: integer, err: any, trace: any): any) what an error of a call does; default "raise"
---@field timeout? number seconds for the whole call
---@field progress? boolean|(fun(done: integer, total: integer|nil)) true shows a bar on a terminal; a function is called now and then

---The options of `lanes.imap`.
---@class (exact) lanes.v4.ImapOptions
---@field chunk? "auto"|integer how many items a worker gets at a time; default "auto"
---@field on_error? "raise"|"return"|(fun(index: integer, err: any, trace: any): any) what an error of a call does; default "raise"
---@field timeout? number seconds for the whole call
---@field progress? boolean|(fun(done: integer, total: integer|nil)) true shows a bar on a terminal; a function is called now and then
---@field ordered? boolean `imap` only: false yields results in the order in which calls end
---@field buffer? integer `imap` only: how many items may be taken and not yet yielded

---The results of a map, by index.
---@class lanes.v4.MapResults
---@field [integer] any
---@field n integer the number of items
---@field errors table<integer, any>|nil errors by index, with `on_error = "return"`

---What `pool:stats` returns.
---@class lanes.v4.PoolStats
---@field workers integer
---@field busy integer
---@field queued integer
---@field done integer
---@field failed integer

---The options of `lanes.wait`.
---@class (exact) lanes.v4.WaitOptions
---@field count? integer|"all" how many are to end; default 1
---@field timeout? number in seconds; 0 does not wait

---What the function of `lanes.scope` gets: its lanes end with the function.
---@class lanes.v4.Scope
local Scope = {}

---Launches a lane of the scope.
--- - launched: `Lane`
--- [Manual](docs/manual/scopes.md#lanesscopebody--options)
---@param generator fun(...: any): lanes.v4.Lane
---@param ... any its arguments
---@return lanes.v4.Lane
function Scope:run(generator, ...) end

---Options of `lanes.scope`.
---@class (exact) lanes.v4.ScopeOptions
---@field on_error? "cancel"|"wait" whether an error ends the other lanes; default "cancel"
---@field timeout? number seconds after which all lanes are asked to stop

---A lane that starts lanes again when they have ended.
---@class lanes.v4.Supervisor
---@field status lanes.v4.Status The status of its lane.
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
---@return lanes.v4.ChildState[]
function Supervisor:which() end

---A list of children, with the options of `lanes.supervise`.
---@class (exact) lanes.v4.SuperviseOptions
---@field [integer] lanes.v4.Child
---@field strategy? "one_for_one"|"one_for_all"|"rest_for_one" which children are started again; default "one_for_one"
---@field intensity? integer how many restarts there may be in the period; default 3
---@field period? number in seconds; default 5

---A child of a supervisor.
---@class (exact) lanes.v4.Child
---@field name string its name
---@field start fun(...: any): lanes.v4.Lane a generator, or another function that launches a lane
---@field args? table arguments of `start`
---@field restart? "permanent"|"transient"|"temporary" when it is started again: always, after an error, never; default "permanent"

---An entry of `supervisor:which()`.
---@class lanes.v4.ChildState
---@field name string
---@field status lanes.v4.Status
---@field restarts integer
---@field err any

---What `lanes.async` holds: a function for each event loop.
---@class lanes.v4.AsyncLoops
local AsyncLoops = {}

---The waiting calls for coroutines of luv.
--- - the calls: `Async`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param uv? table the module, if it is not `require "luv"`
---@return lanes.v4.Async
function AsyncLoops.luv(uv) end

---The waiting calls for coroutines of copas.
--- - the calls: `Async`
--- [Manual](docs/manual/loops.md#lanesasync)
---@return lanes.v4.Async
function AsyncLoops.copas() end

---The waiting calls for coroutines of cqueues.
--- - the calls: `Async`
--- [Manual](docs/manual/loops.md#lanesasync)
---@return lanes.v4.Async
function AsyncLoops.cqueues() end

---The waiting calls for coroutines of GLib's main loop, by lgi.
--- - the calls: `Async`
--- [Manual](docs/manual/loops.md#lanesasync)
---@return lanes.v4.Async
function AsyncLoops.lgi() end

---The waiting calls for coroutines of an event loop: only the calling coroutine waits.
---@class lanes.v4.Async
local Async = {}

---As `linda:receive`.
--- - received: the key, the values: `Key, any...`
--- - no value in time: `nil, "timeout"`
--- - a linda is cancelled, or after a soft request: `nil, CancelError`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param linda lanes.v4.Linda
---@param ... any as for `linda:receive`
---@return lanes.v4.Key|nil
---@return any ...
function Async.receive(linda, ...) end

---As `linda:receive_batched`.
--- - received: the key, the values: `Key, any...`
--- - no value in time: `nil, "timeout"`
--- - a linda is cancelled, or after a soft request: `nil, CancelError`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param linda lanes.v4.Linda
---@param ... any as for `linda:receive_batched`
---@return lanes.v4.Key|nil
---@return any ...
function Async.receive_batched(linda, ...) end

---As `linda:send`.
--- - sent: `true`
--- - no room in time: `nil, "timeout"`
--- - the linda is cancelled, or after a soft request: `nil, CancelError`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param linda lanes.v4.Linda
---@param ... any as for `linda:send`
---@return true|nil
---@return nil|"timeout"|lanes.v4.CancelError
function Async.send(linda, ...) end

---As `lane:join` and `future:join`.
--- - it returned: true, and its results: `true, any...`
--- - it failed: nil, error, trace: `nil, any, any`
--- - it was cancelled, or after a soft request: `nil, CancelError`
--- - it has not ended in time: `nil, "timeout"`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param lane lanes.v4.Lane|lanes.v4.Future
---@param timeout? number in seconds; 0 does not wait
---@return true|nil
---@return any ...
function Async.join(lane, timeout) end

---As `lanes.sleep`.
--- - the time is over: `nil, "timeout"`
--- - after a soft request: `nil, CancelError`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param seconds? number default: until the lane is asked to stop
---@return nil
---@return "timeout"|lanes.v4.CancelError
function Async.sleep(seconds) end

---As `lanes.select`.
--- - the number of the case, and its results: `integer, any...`
--- - no case in time: `nil, "timeout"`
--- - a linda is cancelled, or after a soft request: `nil, CancelError`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param ... any as for `lanes.select`
---@return integer|nil
---@return any ...
function Async.select(...) end

---Calls a function in a lane of a pool. Raises its error.
--- - its results: `any...`
--- - the task is cancelled, or after a soft request: `nil, CancelError`
--- [Manual](docs/manual/loops.md#lanesasync)
---@param f function
---@param ... any its arguments
---@overload fun(pool: lanes.v4.Pool, f: function, ...: any): ...
---@return any ...
function Async.call(f, ...) end

---A descriptor that an event loop can wait for: readable while something may be there.
---@class lanes.v4.Notifier
local Notifier = {}

---Returns what is there, without a wait.
--- - of a linda: a key and its value, which is removed: `Key, any`
--- - of a lane or a future: itself and its status: `Lane|Future, Status`
--- - nothing is there: `nil, "timeout"`
--- - a linda is cancelled, or after a soft request: `nil, CancelError`
--- [Manual](docs/manual/loops.md#notifiers)
---@return lanes.v4.Key|lanes.v4.Lane|lanes.v4.Future|nil
---@return any|lanes.v4.Status|"timeout"|lanes.v4.CancelError
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
