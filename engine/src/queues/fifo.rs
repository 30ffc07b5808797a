//! A FIFO that gives its memory back as it empties. Detached bytes of all elements are in one
//! buffer, in the order of the elements, so that a stream of messages takes no allocation for each.

use super::element::{Element, Received, attached};
use crate::memory::grow::{OutOfMemory, demand, is_there, try_list, try_room};
use std::collections::VecDeque;

/// Capacity, in elements, up to which memory is kept.
const KEPT_ELEMENTS: usize = 256;

/// Capacity, in bytes, up to which the memory of detached bytes is kept.
const KEPT_BYTES: usize = 64 << 10;

pub struct Fifo<M> {
    /// The first elements. These are all, unless elements were put back and there was no memory to
    /// join them with those behind.
    values: VecDeque<M>,
    /// The lists that come after `values`: the last list comes first. None of them is empty, and
    /// there are none if `values` is empty.
    behind: Vec<VecDeque<M>>,
    /// The detached bytes of all elements, in order.
    bytes: VecDeque<u8>,
}

impl<M: Element> Fifo<M> {
    pub const fn new() -> Fifo<M> {
        Fifo {
            values: VecDeque::new(),
            behind: Vec::new(),
            bytes: VecDeque::new(),
        }
    }

    /// A FIFO of whole elements.
    pub fn of(values: Vec<M>) -> Fifo<M> {
        Fifo {
            values: values.into(),
            ..Fifo::new()
        }
    }

    /// How many elements there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.values.len() + self.behind.iter().map(VecDeque::len).sum::<usize>()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Makes room for `elements` more elements with `bytes` detached bytes in all. To be called
    /// before anything is added.
    ///
    /// Errors: out of memory.
    #[inline]
    pub fn make_room(&mut self, elements: usize, bytes: usize) -> Result<(), OutOfMemory> {
        self.join()?;
        try_room(&mut self.values, elements)?;
        try_room(&mut self.bytes, bytes)
    }

    /// Brings all elements into one list.
    ///
    /// Errors: out of memory.
    #[inline]
    fn join(&mut self) -> Result<(), OutOfMemory> {
        if self.behind.is_empty() {
            return Ok(());
        }
        self.join_lists()
    }

    #[cold]
    fn join_lists(&mut self) -> Result<(), OutOfMemory> {
        let count = self.len() - self.values.len();
        try_room(&mut self.values, count)?;
        while let Some(mut next) = self.behind.pop() {
            self.values.append(&mut next);
        }
        Ok(())
    }

    /// Appends an element. `bytes` are its detached bytes.
    #[inline]
    pub fn push(&mut self, value: M, bytes: &[u8]) {
        debug_assert!(self.behind.is_empty());
        debug_assert_eq!(value.detached(), bytes.len());
        if !bytes.is_empty() {
            self.bytes.extend(bytes);
        }
        self.values.push_back(value);
    }

    /// Appends whole elements.
    pub fn extend(&mut self, values: Vec<M>) {
        debug_assert!(self.behind.is_empty());
        debug_assert!(values.iter().all(|value| value.detached() == 0));
        self.values.extend(values);
    }

    /// Moves the first element to `into`. Returns false if there is none.
    #[inline]
    pub fn pop(&mut self, into: &mut Received<M>) -> bool {
        into.element = self.values.pop_front();
        let Some(value) = &into.element else {
            return false;
        };
        if value.detached() > 0 {
            self.pop_bytes(value.detached(), into.bytes);
        }
        if !self.behind.is_empty() {
            self.go_on();
        }
        if self.values.capacity() > KEPT_ELEMENTS {
            self.shrink(0);
        }
        true
    }

    /// Makes the next list the first if the first is empty.
    #[cold]
    fn go_on(&mut self) {
        if self.values.is_empty()
            && let Some(next) = self.behind.pop()
        {
            self.values = next;
        }
    }

    fn pop_bytes(&mut self, count: usize, out: &mut Vec<u8>) {
        out.clear();
        copy(&self.bytes, 0, count, out);
        self.bytes.drain(..count);
        if self.bytes.capacity() > KEPT_BYTES && self.bytes.len() <= self.bytes.capacity() / 4 {
            self.bytes.shrink_to(self.bytes.capacity() / 2);
        }
    }

    #[cfg(test)]
    fn pop_whole(&mut self) -> Option<M> {
        let mut bytes = Vec::new();
        let mut received = Received::new(&mut bytes);
        self.pop(&mut received);
        received.whole()
    }

    /// Removes and returns the first elements, at most `count`, whole. The capacity for them is
    /// kept, for they may be put back.
    ///
    /// Errors: out of memory, and nothing has been removed.
    pub fn pop_many(&mut self, count: usize) -> Result<Vec<M>, OutOfMemory> {
        self.join()?;
        let count = count.min(self.values.len());
        let first = self.values.iter().take(count);
        let detached: usize = first.map(Element::detached).sum();
        let mut popped = try_list(count)?;
        // Each whole element is a block of its own, to which the allocator adds some bytes.
        if detached > 0 && !is_there(detached.saturating_mul(2)) {
            return Err(OutOfMemory);
        }
        if self.bytes.is_empty() {
            popped.extend(self.values.drain(..count));
        } else {
            let mut bytes = Vec::new();
            for value in self.values.drain(..count) {
                if value.detached() > 0 {
                    bytes.clear();
                    copy(&self.bytes, 0, value.detached(), &mut bytes);
                    self.bytes.drain(..value.detached());
                }
                popped.push(attached(value, &bytes));
            }
        }
        self.shrink(count);
        Ok(popped)
    }

    /// Puts a whole element before the first.
    pub fn put_first(&mut self, value: M) {
        debug_assert_eq!(value.detached(), 0);
        if try_room(&mut self.values, 1).is_ok() {
            self.values.push_front(value);
        } else {
            self.put_before(VecDeque::from([value]));
        }
    }

    /// Puts whole elements before the first.
    pub fn put_back(&mut self, values: Vec<M>) {
        debug_assert!(values.iter().all(|value| value.detached() == 0));
        if !self.values.is_empty() && try_room(&mut self.values, values.len()).is_ok() {
            for value in values.into_iter().rev() {
                self.values.push_front(value);
            }
        } else {
            self.put_before(values.into());
        }
    }

    /// Puts a list of whole elements before the first, as it is: this takes no memory that grows
    /// with the number of elements.
    fn put_before(&mut self, values: VecDeque<M>) {
        if values.is_empty() {
            return;
        }
        let next = std::mem::replace(&mut self.values, values);
        if !next.is_empty() {
            self.behind.push(next);
        }
    }

    /// Appends all elements of another FIFO, which is empty then.
    ///
    /// Errors: out of memory, and no element has been moved.
    pub fn append(&mut self, other: &mut Fifo<M>) -> Result<(), OutOfMemory> {
        self.make_room(other.len(), other.bytes.len())?;
        other.join()?;
        self.values.append(&mut other.values);
        self.bytes.append(&mut other.bytes);
        Ok(())
    }

    /// Calls `see` with whole copies of the first elements, at most `count`. Unwinds if out of
    /// memory.
    pub fn see_copies(&self, count: usize, mut see: impl FnMut(M))
    where
        M: Clone,
    {
        let (mut at, mut bytes) = (0, Vec::new());
        let behind = self.behind.iter().rev().flatten();
        for value in self.values.iter().chain(behind).take(count) {
            let detached = value.detached();
            if detached > 0 {
                demand(2 * detached);
            }
            bytes.clear();
            copy(&self.bytes, at, detached, &mut bytes);
            at += detached;
            see(attached(value.clone(), &bytes));
        }
    }

    /// Gives memory back, but keeps room for `room` more elements.
    fn shrink(&mut self, room: usize) {
        // Halving when three quarters are unused keeps the cost per element constant.
        let capacity = self.values.capacity();
        if capacity > KEPT_ELEMENTS && self.values.len() <= capacity / 4 {
            self.values
                .shrink_to((self.values.len() + room).max(capacity / 2));
        }
    }
}

/// Appends `count` bytes from position `at` on to `out`.
fn copy(bytes: &VecDeque<u8>, at: usize, count: usize, out: &mut Vec<u8>) {
    let (front, back) = bytes.as_slices();
    let end = at + count;
    out.extend_from_slice(&front[at.min(front.len())..end.min(front.len())]);
    out.extend_from_slice(&back[at.saturating_sub(front.len())..end.saturating_sub(front.len())]);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Text that is whole, or the number of its detached bytes.
    #[derive(Clone, Debug, PartialEq)]
    enum Text {
        Whole(Vec<u8>),
        Detached(usize),
    }

    impl Element for Text {
        fn detached(&self) -> usize {
            match self {
                Text::Whole(_) => 0,
                Text::Detached(len) => *len,
            }
        }

        fn attach(self, bytes: &[u8]) -> Text {
            Text::Whole(bytes.to_vec())
        }
    }

    fn fifo(texts: &[&str]) -> Fifo<Text> {
        let mut fifo = Fifo::new();
        for text in texts {
            if text.len() > 2 {
                fifo.push(Text::Detached(text.len()), text.as_bytes());
            } else {
                fifo.push(Text::Whole(text.as_bytes().to_vec()), &[]);
            }
        }
        fifo
    }

    fn all(fifo: &Fifo<Text>, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        fifo.see_copies(count, |value| texts.push(text(value)));
        texts
    }

    fn text(value: Text) -> String {
        match value {
            Text::Whole(bytes) => String::from_utf8(bytes).unwrap(),
            Text::Detached(_) => panic!("not whole"),
        }
    }

    #[test]
    fn memory_is_given_back_as_it_empties() {
        let mut fifo = Fifo::new();
        for value in 0..200_000 {
            fifo.push(value, &[]);
        }
        for value in 0..200_000 {
            assert_eq!(fifo.pop_whole(), Some(value));
            let capacity = fifo.values.capacity();
            assert!(capacity <= KEPT_ELEMENTS.max(4 * fifo.len() + 8), "{value}");
        }
        assert_eq!(fifo.pop_whole(), None);
        let mut fifo = Fifo::new();
        let long = [7; 1000];
        for _ in 0..1000 {
            fifo.push(Text::Detached(1000), &long);
        }
        while fifo.pop_whole().is_some() {
            let capacity = fifo.bytes.capacity();
            assert!(capacity <= KEPT_BYTES.max(4 * 1000 * fifo.len() + 8));
        }
    }

    #[test]
    fn bytes_stay_with_their_elements() {
        let words = ["abc", "d", "", "efghij", "klm", "no", "pqr"];
        let mut fifo = fifo(&words);
        assert_eq!(all(&fifo, 4), words[..4]);
        // Round and round, so that the bytes wrap.
        for word in words.iter().cycle().take(1000) {
            let mut bytes = vec![1];
            let mut received = Received::new(&mut bytes);
            assert!(fifo.pop(&mut received));
            assert_eq!(text(received.whole().unwrap()), *word);
            if word.len() > 2 {
                fifo.push(Text::Detached(word.len()), word.as_bytes());
            } else {
                fifo.push(Text::Whole(word.as_bytes().to_vec()), &[]);
            }
        }
        assert_eq!(all(&fifo, 9).len(), 7);
        let some = fifo.pop_many(5).unwrap();
        assert_eq!(some.len(), 5);
        let rest: Vec<String> = std::iter::from_fn(|| fifo.pop_whole().map(text)).collect();
        assert_eq!(some.into_iter().map(text).chain(rest).count(), 7);
    }

    #[test]
    fn what_is_appended_or_put_back_keeps_its_bytes() {
        let (mut first, mut second) = (fifo(&["abc", "x"]), fifo(&["defg"]));
        first.append(&mut second).unwrap();
        assert!(second.is_empty() && second.bytes.is_empty());
        let front = first.pop_whole().unwrap();
        first.put_first(front);
        assert_eq!(all(&first, 9), ["abc", "x", "defg"]);
        assert_eq!(first.len(), 3);
    }

    #[test]
    fn lists_that_are_put_before_come_in_their_order() {
        let lists = || {
            let mut fifo = fifo(&["e", "fgh", "i"]);
            fifo.put_before(VecDeque::new());
            fifo.put_before(VecDeque::from([Text::Whole(b"d".to_vec())]));
            fifo.put_before(["a", "b", "c"].map(|c| Text::Whole(c.into())).into());
            assert_eq!((fifo.behind.len(), fifo.len()), (2, 7));
            fifo
        };
        let order = ["a", "b", "c", "d", "e", "fgh", "i"];
        assert_eq!(all(&lists(), 4), order[..4]);
        assert_eq!(all(&lists(), 9), order);
        let mut popped = lists();
        assert_eq!(order.map(|_| text(popped.pop_whole().unwrap())), order);
        assert!(popped.is_empty() && popped.behind.is_empty());
        let mut asked = lists();
        assert!(asked.make_room(1, 0).is_ok() && asked.behind.is_empty());
        assert_eq!(all(&asked, 9), order);
        let mut many = lists();
        let taken = many.pop_many(5).unwrap();
        assert_eq!(
            (taken.len(), all(&many, 9)),
            (5, vec!["fgh".into(), "i".into()])
        );
        let (mut front, mut other) = (lists(), lists());
        front.append(&mut other).unwrap();
        assert_eq!(all(&front, 99), [order, order].concat());
        assert!(other.is_empty() && other.bytes.is_empty());
    }
}
