--- Event loops, as `lanes.async` needs them: how a coroutine of each waits for a descriptor.

local loops = {}

-- Raises an error outside of a coroutine.
local function check_coroutine(call, level)
    local current, is_main = coroutine.running()
    if not current or is_main then
        error(("async.%s: only a coroutine of the event loop can wait here: wrap the code in coroutine.wrap(function() "
            .. "... end)(), or in what the loop has for that"):format(call), level + 1)
    end
end

-- Resumes a coroutine. Its error is that of the callback that resumes it.
local function resume(waiting)
    local fine, failure = coroutine.resume(waiting)
    if not fine then
        error(type(failure) == "string" and debug and debug.traceback(waiting, failure) or failure, 0)
    end
end

--- luv: a poll handle, and a timer.
function loops.luv(uv)
    uv = uv or require "luv"
    if type(uv) ~= "table" or not uv.new_poll then
        error(("bad argument #1 to 'luv' (the module luv expected, got %s)"):format(type(uv)), 3)
    end
    local is_windows = package.config:sub(1, 1) == "\\"
    local new_poll = is_windows and uv.new_socket_poll or uv.new_poll
    local loop = { has_timers = true, check = check_coroutine }

    function loop.wait(notifier, seconds)
        local waiting = coroutine.running()
        local poll = assert(new_poll(notifier:fd()))
        local timer
        local function over()
            if poll then
                poll:stop()
                poll:close()
                poll = nil
                if timer then
                    timer:stop()
                    timer:close()
                end
                resume(waiting)
            end
        end
        assert(poll:start("r", over))
        if seconds then
            timer = assert(uv.new_timer())
            -- The loop's clock stands still while callbacks run.
            uv.update_time()
            timer:start(math.min(math.ceil(seconds * 1000), 2 ^ 52), 0, over)
        end
        coroutine.yield()
    end

    return loop
end

--- copas: a client whose `receive` succeeds once copas finds it readable. Its time limits are those
--- of Lanes, since not every copas has timers.
function loops.copas()
    local copas = require "copas"
    local loop = { has_timers = false }

    function loop.check(call, level)
        check_coroutine(call, level + 1)
        if copas.running == false then
            error(("async.%s: copas.loop is not running: add the function with copas.addthread"):format(call), level + 1)
        end
    end

    local Client = {}
    Client.__index = Client

    function Client:getfd()
        return self.notifier:fd()
    end

    function Client.dirty()
        return false
    end

    -- What copas calls when the coroutine that has waited last for it ends.
    function Client.close() end

    function Client.settimeout() end

    function Client:receive()
        if self.begun then
            return true
        end
        self.begun = true
        return nil, "timeout"
    end

    function loop.wait(notifier)
        copas.receive(setmetatable({ notifier = notifier, begun = false }, Client))
    end

    return loop
end

--- cqueues: its `poll`.
function loops.cqueues()
    local cqueues = require "cqueues"
    local loop = { has_timers = true }

    function loop.check(call, level)
        if not cqueues.running() then
            error(("async.%s: only a coroutine of a controller can wait here: add the function with queue:wrap(f)"):format(call),
                level + 1)
        end
    end

    function loop.wait(notifier, seconds)
        cqueues.poll(notifier, seconds)
    end

    function loop.forget(notifier)
        cqueues.cancel(notifier:fd())
    end

    return loop
end

--- GLib: a watch of an IO channel, and a timeout.
function loops.lgi()
    local GLib = require "lgi".GLib
    local loop = { has_timers = true, check = check_coroutine }

    function loop.wait(notifier, seconds)
        local waiting = coroutine.running()
        local channel = GLib.IOChannel.unix_new(notifier:fd())
        local watch, timer
        local is_over = false
        watch = GLib.io_add_watch(channel, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN, function()
            if not is_over then
                is_over = true
                if timer then
                    GLib.source_remove(timer)
                end
                resume(waiting)
            end
            return false
        end)
        if seconds then
            timer = GLib.timeout_add(GLib.PRIORITY_DEFAULT, math.min(math.ceil(seconds * 1000), 2 ^ 31), function()
                if not is_over then
                    is_over = true
                    GLib.source_remove(watch)
                    resume(waiting)
                end
                return false
            end)
        end
        coroutine.yield()
    end

    return loop
end

return loops
