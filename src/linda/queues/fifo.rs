//! A FIFO that gives its memory back as it empties.

use std::collections::VecDeque;

/// Elements up to which memory is kept.
const KEPT: usize = 256;

pub struct Fifo<M>(VecDeque<M>);

impl<M> Fifo<M> {
    pub const fn new() -> Fifo<M> {
        Fifo(VecDeque::new())
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub fn push(&mut self, value: M) {
        self.0.push_back(value);
    }

    pub fn extend(&mut self, values: Vec<M>) {
        self.0.extend(values);
    }

    /// Removes the first element.
    #[inline]
    pub fn pop(&mut self) -> Option<M> {
        let value = self.0.pop_front()?;
        self.shrink();
        Some(value)
    }

    /// Moves the first elements, at most `count`, to the end of `to`.
    pub fn pop_many(&mut self, count: usize, to: &mut Vec<M>) {
        to.extend(self.0.drain(..count.min(self.0.len())));
        self.shrink();
    }

    /// Puts an element before the first.
    pub fn put_back(&mut self, value: M) {
        self.0.push_front(value);
    }

    /// Appends all elements of another FIFO, which is empty then.
    pub fn append(&mut self, other: &mut Fifo<M>) {
        self.0.append(&mut other.0);
    }

    pub fn iter(&self) -> impl Iterator<Item = &M> {
        self.0.iter()
    }

    /// Takes all elements out.
    pub fn take_all(&mut self) -> VecDeque<M> {
        std::mem::take(&mut self.0)
    }

    #[inline]
    fn shrink(&mut self) {
        // Halving when three quarters are unused keeps the cost per element constant.
        if self.0.capacity() > KEPT && self.0.len() <= self.0.capacity() / 4 {
            self.0.shrink_to(self.0.capacity() / 2);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_as_it_empties() {
        let mut fifo = Fifo::new();
        fifo.extend((0..1_000_000).collect());
        for value in 0..1_000_000 {
            assert_eq!(fifo.pop(), Some(value));
            let capacity = fifo.0.capacity();
            assert!(capacity <= KEPT.max(4 * fifo.len() + 8), "{value}");
        }
        assert_eq!(fifo.pop(), None);
    }
}
