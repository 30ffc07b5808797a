//! A model of requests that do not wake.

use crate::{A, End, Numbers, model};
use lanes_engine::park::{Refusal, Request};
use lanes_engine::queues::Who;
use lanes_engine::sync::Arc;
use loom::thread;

#[test]
fn a_request_without_wake_is_not_overlooked_by_whoever_looks_for_it() {
    model(4, || {
        let queues = Arc::new(Numbers::new());
        let end = End::new(&queues);
        let waiter = Arc::clone(&end.waiter);
        let receiver = thread::spawn(move || end.receive(&[A]));
        waiter.cancel(Request::Soft, false);
        queues.refuse_asked(Who::Read);
        assert_eq!(
            receiver.join().unwrap(),
            Err(Refusal::Request(Request::Soft))
        );
    });
}
