//! A FIFO that gives its memory back as it empties. Elements may keep their bytes apart: in one buffer for all of them, in their order, so
//! that a stream of messages takes no allocation for each.

use super::Element;
use crate::memory::grow::{demand, has_room, is_there, out_of_memory};
use std::collections::VecDeque;

/// Elements up to which memory is kept.
const KEPT: usize = 256;

/// Bytes up to which memory is kept.
const KEPT_BYTES: usize = 64 << 10;

pub struct Fifo<M> {
    /// The first elements; all of them, but where there was no memory to have what was put back and what is behind it in one list.
    values: VecDeque<M>,
    /// The lists behind it: the last one comes next. None of them is empty, and there are none while `values` is.
    behind: Vec<VecDeque<M>>,
    /// The bytes of those elements that are apart from them, in order.
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

    #[inline]
    pub fn len(&self) -> usize {
        self.values.len() + self.behind.iter().map(VecDeque::len).sum::<usize>()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether there is room for so many more elements and so many bytes that are apart from them. The FIFO grows if it must. Nothing is
    /// added without asking.
    #[inline]
    pub fn has_room(&mut self, elements: usize, bytes: usize) -> bool {
        self.is_one() && has_room(&mut self.values, elements) && has_room(&mut self.bytes, bytes)
    }

    /// Whether the elements are in one list, to which they are brought if there is memory for it.
    #[inline]
    fn is_one(&mut self) -> bool {
        self.behind.is_empty() || self.join()
    }

    #[cold]
    fn join(&mut self) -> bool {
        let count = self.len() - self.values.len();
        if !has_room(&mut self.values, count) {
            return false;
        }
        while let Some(mut next) = self.behind.pop() {
            self.values.append(&mut next);
        }
        true
    }

    #[inline]
    pub fn push(&mut self, value: M) {
        debug_assert!(self.behind.is_empty());
        self.values.push_back(value);
    }

    /// Appends an element and the bytes that are apart from it.
    #[inline]
    pub fn push_apart(&mut self, value: M, bytes: &[u8]) {
        debug_assert!(self.behind.is_empty());
        debug_assert_eq!(value.apart(), bytes.len());
        self.bytes.extend(bytes);
        self.values.push_back(value);
    }

    pub fn extend(&mut self, values: Vec<M>) {
        debug_assert!(self.behind.is_empty());
        self.values.extend(values);
    }

    /// Removes the first element. Bytes that are apart from it replace the contents of `out`.
    #[inline]
    pub fn pop(&mut self, out: &mut Vec<u8>) -> Option<M> {
        let value = self.values.pop_front()?;
        if value.apart() > 0 {
            self.pop_bytes(value.apart(), out);
        }
        if !self.behind.is_empty() {
            self.go_on();
        }
        if self.values.capacity() > KEPT {
            self.shrink(0);
        }
        Some(value)
    }

    /// Makes the next list the first if that is empty.
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
        let value = self.pop(&mut bytes)?;
        Some(whole(value, &bytes))
    }

    /// Moves the first elements, at most `count`, to the end of `to`, whole; false where there is no memory for that. Room for them stays,
    /// in case that they are put back.
    pub fn pop_many(&mut self, count: usize, to: &mut Vec<M>) -> bool {
        if !self.is_one() {
            return false;
        }
        let count = count.min(self.values.len());
        let apart: usize = self.values.iter().take(count).map(Element::apart).sum();
        // Those that are whole are in blocks of their own, each with what an allocator adds.
        if !has_room(to, count) || apart > 0 && !is_there(apart.saturating_mul(2)) {
            return false;
        }
        if self.bytes.is_empty() {
            to.extend(self.values.drain(..count));
        } else {
            let mut bytes = Vec::new();
            for value in self.values.drain(..count) {
                if value.apart() > 0 {
                    bytes.clear();
                    copy(&self.bytes, 0, value.apart(), &mut bytes);
                    self.bytes.drain(..value.apart());
                }
                to.push(whole(value, &bytes));
            }
        }
        self.shrink(count);
        true
    }

    /// Puts a whole element before the first.
    pub fn put_first(&mut self, value: M) {
        if has_room(&mut self.values, 1) {
            debug_assert_eq!(value.apart(), 0);
            self.values.push_front(value);
        } else {
            self.put_before(VecDeque::from([value]));
        }
    }

    /// Puts whole elements before the first.
    pub fn put_back(&mut self, values: Vec<M>) {
        debug_assert!(values.iter().all(|value| value.apart() == 0));
        if !self.values.is_empty() && has_room(&mut self.values, values.len()) {
            for value in values.into_iter().rev() {
                self.values.push_front(value);
            }
        } else {
            self.put_before(values.into());
        }
    }

    /// Puts a list of whole elements before the first, as it is: this takes no memory that depends on how many there are.
    fn put_before(&mut self, values: VecDeque<M>) {
        debug_assert!(values.iter().all(|value| value.apart() == 0));
        if values.is_empty() {
            return;
        }
        let next = std::mem::replace(&mut self.values, values);
        if !next.is_empty() {
            self.behind.push(next);
        }
    }

    /// Appends all elements of another FIFO, which is empty then. Unwinds where there is no memory for that.
    pub fn append(&mut self, other: &mut Fifo<M>) {
        if !(self.has_room(other.len(), other.bytes.len()) && other.is_one()) {
            out_of_memory();
        }
        self.values.append(&mut other.values);
        self.bytes.append(&mut other.bytes);
    }

    /// Whole copies of the first elements, at most `count`, are given to `see`. Unwinds where there is no memory for one.
    pub fn look(&self, count: usize, mut see: impl FnMut(M))
    where
        M: Clone,
    {
        let (mut at, mut bytes) = (0, Vec::new());
        let behind = self.behind.iter().rev().flatten();
        for value in self.values.iter().chain(behind).take(count) {
            if value.apart() > 0 {
                demand(2 * value.apart());
            }
            bytes.clear();
            copy(&self.bytes, at, value.apart(), &mut bytes);
            at += value.apart();
            see(whole(value.clone(), &bytes));
        }
    }

    /// Exchanges the elements for whole ones. Answers those that were there.
    pub fn replace(&mut self, values: Vec<M>) -> Fifo<M> {
        let mut new = Fifo::new();
        new.values = values.into();
        std::mem::replace(self, new)
    }

    /// Gives memory back, but keeps room for so many elements.
    fn shrink(&mut self, room: usize) {
        // Halving when three quarters are unused keeps the cost per element constant.
        let capacity = self.values.capacity();
        if capacity > KEPT && self.values.len() <= capacity / 4 {
            self.values
                .shrink_to((self.values.len() + room).max(capacity / 2));
        }
    }
}

/// An element, whole, with the bytes that were apart from it, if any.
pub fn whole<M: Element>(value: M, bytes: &[u8]) -> M {
    if value.apart() > 0 {
        value.whole(bytes)
    } else {
        value
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

    /// Text that is whole, or so many bytes of text elsewhere.
    #[derive(Clone, Debug, PartialEq)]
    enum Text {
        Whole(Vec<u8>),
        Apart(usize),
    }

    impl Element for Text {
        fn apart(&self) -> usize {
            match self {
                Text::Whole(_) => 0,
                Text::Apart(len) => *len,
            }
        }

        fn whole(self, bytes: &[u8]) -> Text {
            Text::Whole(bytes.to_vec())
        }
    }

    fn fifo(texts: &[&str]) -> Fifo<Text> {
        let mut fifo = Fifo::new();
        for text in texts {
            if text.len() > 2 {
                fifo.push_apart(Text::Apart(text.len()), text.as_bytes());
            } else {
                fifo.push(Text::Whole(text.as_bytes().to_vec()));
            }
        }
        fifo
    }

    fn all(fifo: &Fifo<Text>, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        fifo.look(count, |value| texts.push(text(value)));
        texts
    }

    fn text(value: Text) -> String {
        match value {
            Text::Whole(bytes) => String::from_utf8(bytes).unwrap(),
            Text::Apart(_) => panic!("not whole"),
        }
    }

    #[test]
    fn memory_is_given_back_as_it_empties() {
        let mut fifo = Fifo::new();
        for value in 0..200_000 {
            fifo.push(value);
        }
        for value in 0..200_000 {
            assert_eq!(fifo.pop_whole(), Some(value));
            let capacity = fifo.values.capacity();
            assert!(capacity <= KEPT.max(4 * fifo.len() + 8), "{value}");
        }
        assert_eq!(fifo.pop_whole(), None);
        let mut fifo = Fifo::new();
        let long = [7; 1000];
        for _ in 0..1000 {
            fifo.push_apart(Text::Apart(1000), &long);
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
            let mut out = vec![1];
            let value = fifo.pop(&mut out).unwrap();
            assert_eq!(text(whole(value, &out)), *word);
            if word.len() > 2 {
                fifo.push_apart(Text::Apart(word.len()), word.as_bytes());
            } else {
                fifo.push(Text::Whole(word.as_bytes().to_vec()));
            }
        }
        assert_eq!(all(&fifo, 9).len(), 7);
        let mut some = Vec::new();
        assert!(fifo.pop_many(5, &mut some));
        assert_eq!(some.len(), 5);
        let rest: Vec<String> = std::iter::from_fn(|| fifo.pop_whole().map(text)).collect();
        assert_eq!(some.into_iter().map(text).chain(rest).count(), 7);
    }

    #[test]
    fn what_is_appended_or_put_back_keeps_its_bytes() {
        let (mut first, mut second) = (fifo(&["abc", "x"]), fifo(&["defg"]));
        first.append(&mut second);
        assert!(second.is_empty() && second.bytes.is_empty());
        let front = first.pop_whole().unwrap();
        first.put_first(front);
        assert_eq!(all(&first, 9), ["abc", "x", "defg"]);
        assert_eq!(first.replace(vec![]).len(), 3);
        assert!(first.is_empty() && first.bytes.is_empty());
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
        assert!(asked.has_room(1, 0) && asked.behind.is_empty());
        assert_eq!(all(&asked, 9), order);
        let (mut many, mut taken) = (lists(), Vec::new());
        assert!(many.pop_many(5, &mut taken));
        assert_eq!(
            (taken.len(), all(&many, 9)),
            (5, vec!["fgh".into(), "i".into()])
        );
        let (mut front, mut other) = (lists(), lists());
        front.append(&mut other);
        assert_eq!(all(&front, 99), [order, order].concat());
        assert!(other.is_empty() && other.bytes.is_empty());
        assert_eq!(all(&lists().replace(vec![]), 9), order);
    }
}
