//! The end of a universe: its lanes are asked to stop, and waited for within limits
//! (docs/manual/shutdown.md).

use crate::lane::{ALL_HOOKS, Record};
use crate::universe::{Asked, Universe};
use lanes_engine::park::{Deadline, Request, Wait, Waiter};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time that lanes have in any case, so that those which are about to end can do so.
const GRACE_TIME: Duration = Duration::from_millis(20);

/// Ends a universe; called when its master state is being closed. Lanes are asked to stop by a hard
/// request, which wakes them; those that have not ended by half of the time get every hook; those
/// that still run when the time is up are left running. Returns whether all have ended.
pub fn shut_down(universe: &Arc<Universe>) -> bool {
    universe.close();
    let time = Duration::try_from_secs_f64(universe.settings.shutdown_timeout)
        .unwrap_or(Duration::MAX)
        .max(GRACE_TIME);
    let begin = Instant::now();
    let until = |share: Duration| {
        begin
            .checked_add(share)
            .map_or(Deadline::Never, Deadline::At)
    };
    let lanes = universe.running();
    for lane in &lanes {
        lane.waiter.cancel(Request::Hard, true);
    }
    let waiter = Waiter::new();
    let lanes = wait(lanes, &waiter, until(time / 2));
    for lane in &lanes {
        lane.set_hooks(ALL_HOOKS.0, ALL_HOOKS.1);
        // Once more, for those that began to wait after the first time.
        lane.waiter.cancel(Request::Hard, true);
    }
    let all_ended = wait(lanes, &waiter, until(time)).is_empty();
    universe.timers().shut_down();
    universe.clear_lindas();
    universe.spares().clear();
    all_ended
}

/// Asks the lanes of a universe to stop, before it is ended: by a soft request, then by a hard one,
/// then by every hook. Lanes that are launched meanwhile are asked, too. Each stage lasts until all
/// have ended, `shutdown_timeout` at most. Returns whether all have ended.
pub fn stop_in_stages(universe: &Arc<Universe>) -> bool {
    let time = Duration::try_from_secs_f64(universe.settings.shutdown_timeout)
        .unwrap_or(Duration::MAX)
        .max(GRACE_TIME);
    let waiter = Waiter::new();
    for (request, hooks) in [
        (Request::Soft, false),
        (Request::Hard, false),
        (Request::Hard, true),
    ] {
        let asked = Asked { request, hooks };
        universe.ask_new_lanes(Some(asked));
        unclosed(universe).iter().for_each(|lane| asked.ask(lane));
        let end = Instant::now().checked_add(time);
        let deadline = end.map_or(Deadline::Never, Deadline::At);
        // Those that are launched in the meantime are waited for as well.
        while wait(unclosed(universe), &waiter, deadline).is_empty()
            && !unclosed(universe).is_empty()
            && end.is_none_or(|end| Instant::now() < end)
        {}
        if unclosed(universe).is_empty() {
            break;
        }
    }
    // The function of `lanes.finally` may use lanes.
    universe.ask_new_lanes(None);
    unclosed(universe).is_empty()
}

/// The lanes that have not closed their states. Those that have stay in the list of the universe
/// for a moment.
pub fn unclosed(universe: &Universe) -> Vec<Arc<Record>> {
    let mut lanes = universe.running();
    lanes.retain(|lane| !lane.closed.is_open());
    lanes
}

/// Waits until lanes have ended and closed their states. Returns those that have not by the
/// deadline.
fn wait(lanes: Vec<Arc<Record>>, waiter: &Arc<Waiter>, deadline: Deadline) -> Vec<Arc<Record>> {
    let wait = Wait {
        waiter,
        deadline,
        interrupted: None,
        sleeps: None,
    };
    lanes
        .into_iter()
        .filter(|lane| lane.closed.wait(&wait).is_err())
        .collect()
}
