//! The keys under which the registry of a Lua state keeps our values.

/// The keys: negative integers, which `luaL_ref` never returns.
pub struct Keys {
    /// light userdata (object) -> proxy, values weak
    pub proxies: i64,
    /// C function or metatable of clones -> its stored name (`message/names.rs`), keys weak
    pub names: i64,
    /// table of a module, or a table within one -> its stored name, keys weak
    pub table_names: i64,
    /// name -> module, as given to `lanes.register`
    pub registered: i64,
    /// metatable -> identity (number), keys weak
    pub metatable_ids: i64,
    /// table of this library -> true, for those that `convert_fallback` does not convert, keys
    /// weak; nil until there is one
    pub unconverted: i64,
    /// identity (number) -> metatable, values weak
    pub metatables: i64,
    /// this state's `require`, which lets one thread at a time load a module
    pub require: i64,
    /// the table of loaded modules
    pub loaded: i64,
    /// the table of the library `package`
    pub package: i64,
    /// this state's context (a userdata)
    pub context: i64,
    /// this state's `on_state_create`
    pub on_state_create: i64,
    /// the function that is told of failures, in the main state only
    pub on_error: i64,
    /// the function of `lanes.finally`, in the main state only
    pub finally: i64,
    /// the function that is told of a deadlock, in the main state only
    pub on_deadlock: i64,
    /// functions registered with `set_finalizer`
    pub finalizers: i64,
    /// the trace of the error that is being handled
    pub trace: i64,
    /// the original `pcall`
    pub pcall: i64,
    /// the original `xpcall`
    pub xpcall: i64,
    /// the message handler of a lane's body
    pub handler: i64,
    /// name -> function: the globals of every lane
    pub lane_globals: i64,
    /// the table of `require "lanes_core"`
    pub core: i64,
    /// coroutine -> the events of its hook that `debug.sethook` has set
    pub hooks: i64,
    /// the handle that stands for the service of timers, in the main state only
    pub timer_lane: i64,
    /// true if shared objects are keys of slots: in the 4.x interface
    pub object_keys: i64,
}

/// All keys.
pub const KEYS: Keys = Keys {
    proxies: -0x4c61_0001,
    names: -0x4c61_0002,
    table_names: -0x4c61_0003,
    registered: -0x4c61_0004,
    metatable_ids: -0x4c61_0005,
    metatables: -0x4c61_0006,
    require: -0x4c61_0007,
    loaded: -0x4c61_000f,
    context: -0x4c61_0008,
    on_state_create: -0x4c61_0009,
    on_error: -0x4c61_0014,
    finally: -0x4c61_0016,
    on_deadlock: -0x4c61_0015,
    finalizers: -0x4c61_000a,
    trace: -0x4c61_000b,
    handler: -0x4c61_000c,
    lane_globals: -0x4c61_000d,
    core: -0x4c61_000e,
    hooks: -0x4c61_0010,
    package: -0x4c61_0011,
    pcall: -0x4c61_0012,
    xpcall: -0x4c61_0013,
    timer_lane: -0x4c61_0020,
    unconverted: -0x4c61_0021,
    object_keys: -0x4c61_0022,
};
