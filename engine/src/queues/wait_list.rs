//! A wait list: the operations that are parked on a slot to receive, or to send; first come, first
//! served, among those that can be served. And the watchers of the same.

use super::slab::{NONE, Slab};
use crate::memory::grow::{OutOfMemory, try_room};
use crate::park::SharedWatcher;

/// A parked operation in one wait list. An operation on several keys has a link for each.
pub struct Link {
    pub operation: u32,
    pub slot: u32,
    /// The position of the key among those of the operation.
    pub position: usize,
    /// Elements (for a receiver) or room (for a sender) that the operation needs.
    pub need: usize,
    /// The number of the operation: lower is older.
    pub order: u64,
    /// The operation's next link, or NONE.
    pub sibling: u32,
    previous: u32,
    next: u32,
}

impl Link {
    pub fn new(
        operation: u32,
        slot: u32,
        position: usize,
        need: usize,
        order: u64,
        sibling: u32,
    ) -> Link {
        Link {
            operation,
            slot,
            position,
            need,
            order,
            sibling,
            previous: NONE,
            next: NONE,
        }
    }
}

/// Links that need the same amount, oldest first.
struct Line {
    need: usize,
    /// NONE when the line is empty.
    head: u32,
    tail: u32,
}

/// One line for each amount that an operation needs, so that a search does not look at operations
/// that cannot be served.
pub struct WaitList {
    /// The operations that need 1: nearly always there is nothing else.
    single: Line,
    /// None if nothing is in it.
    others: Option<Box<Others>>,
}

#[derive(Default)]
struct Others {
    /// The other lines, none of them empty.
    larger: Vec<Line>,
    watchers: Vec<SharedWatcher>,
}

impl Line {
    const fn new(need: usize) -> Line {
        Line {
            need,
            head: NONE,
            tail: NONE,
        }
    }

    fn append(&mut self, links: &mut Slab<Link>, number: u32) {
        links[number].previous = self.tail;
        match self.tail {
            NONE => self.head = number,
            tail => links[tail].next = number,
        }
        self.tail = number;
    }

    fn remove(&mut self, links: &mut Slab<Link>, number: u32) {
        let Link { previous, next, .. } = links[number];
        match previous {
            NONE => self.head = next,
            _ => links[previous].next = next,
        }
        match next {
            NONE => self.tail = previous,
            _ => links[next].previous = previous,
        }
    }
}

impl WaitList {
    pub const fn new() -> WaitList {
        WaitList {
            single: Line::new(1),
            others: None,
        }
    }

    /// Whether no operation and no watcher is in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.single.head == NONE && self.others.is_none()
    }

    /// Adds a link, which must be the newest.
    pub fn append(&mut self, links: &mut Slab<Link>, number: u32) {
        let need = links[number].need;
        if need == 1 {
            self.single.append(links, number);
            return;
        }
        let larger = &mut self.others.get_or_insert_default().larger;
        let index = larger
            .iter()
            .position(|line| line.need == need)
            .unwrap_or_else(|| {
                larger.push(Line::new(need));
                larger.len() - 1
            });
        larger[index].append(links, number);
    }

    pub fn remove(&mut self, links: &mut Slab<Link>, number: u32) {
        let need = links[number].need;
        if need == 1 {
            self.single.remove(links, number);
            return;
        }
        let larger = &mut self.others.as_mut().expect("the lines").larger;
        let index = larger
            .iter()
            .position(|line| line.need == need)
            .expect("the line of the link");
        larger[index].remove(links, number);
        if larger[index].head == NONE {
            larger.swap_remove(index);
        }
        self.tidy();
    }

    /// The oldest link that needs no more than `available`.
    #[inline]
    pub fn oldest(&self, links: &Slab<Link>, available: usize) -> Option<u32> {
        let single = (self.single.head != NONE && available >= 1).then_some(self.single.head);
        let Some(others) = &self.others else {
            return single;
        };
        let larger = others
            .larger
            .iter()
            .filter(|line| line.need <= available)
            .map(|line| line.head);
        larger.chain(single).min_by_key(|head| links[*head].order)
    }

    /// Adds a watcher.
    ///
    /// Errors: out of memory, and nothing has changed.
    pub fn watch(&mut self, watcher: &SharedWatcher) -> Result<(), OutOfMemory> {
        let others = self.others.get_or_insert_default();
        let made = try_room(&mut others.watchers, 1);
        if made.is_ok() {
            others.watchers.push(SharedWatcher::clone(watcher));
        }
        self.tidy();
        made
    }

    /// Removes a watcher and returns it, if it is there.
    pub fn unwatch(&mut self, watcher: &SharedWatcher) -> Option<SharedWatcher> {
        let watchers = &mut self.others.as_mut()?.watchers;
        let is_it = |other: &SharedWatcher| SharedWatcher::ptr_eq(other, watcher);
        let removed = watchers.swap_remove(watchers.iter().position(is_it)?);
        self.tidy();
        Some(removed)
    }

    /// Tells all watchers.
    #[inline]
    pub fn tell(&self) {
        if let Some(others) = &self.others {
            others.watchers.iter().for_each(|watcher| watcher.tell());
        }
    }

    fn tidy(&mut self) {
        let is_empty = |others: &Others| others.larger.is_empty() && others.watchers.is_empty();
        if self.others.as_deref().is_some_and(is_empty) {
            self.others = None;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn list(needs: &[usize]) -> (WaitList, Slab<Link>, Vec<u32>) {
        let (mut list, mut links) = (WaitList::new(), Slab::new());
        let numbers = (0..).zip(needs).map(|(order, need)| {
            let number = links.insert(Link::new(0, 0, 0, *need, order, NONE));
            list.append(&mut links, number);
            number
        });
        let numbers = numbers.collect();
        (list, links, numbers)
    }

    #[test]
    fn serves_the_oldest_that_can_be_served() {
        let (mut list, mut links, numbers) = list(&[5, 1, 2, 1, 5]);
        let mut serve = |available| {
            let number = list.oldest(&links, available)?;
            list.remove(&mut links, number);
            numbers.iter().position(|other| *other == number)
        };
        assert_eq!(serve(0), None);
        assert_eq!(serve(2), Some(1));
        assert_eq!(serve(2), Some(2));
        assert_eq!(serve(9), Some(0));
        assert_eq!(serve(9), Some(3));
        assert_eq!(serve(4), None);
        assert_eq!(serve(5), Some(4));
        assert_eq!(serve(9), None);
        assert!(list.is_empty());
    }

    #[test]
    fn removes_from_the_middle_and_both_ends() {
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let (mut list, mut links, numbers) = list(&[1, 1, 1]);
            let mut left = vec![0, 1, 2];
            for index in order {
                assert_eq!(list.oldest(&links, 1), Some(numbers[left[0]]));
                list.remove(&mut links, numbers[index]);
                left.retain(|other| *other != index);
            }
            assert!(list.is_empty());
        }
    }
}
