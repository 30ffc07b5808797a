//! A wait list: the operations that are parked on a slot to receive, or to send; first come, first
//! served, among those that can be served.

use super::slab::{NONE, Slab};

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
    /// The operations that need 1: nearly always there are no others.
    single: Line,
    /// The other lines, none of them empty.
    larger: Vec<Line>,
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
            larger: Vec::new(),
        }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.single.head == NONE && self.larger.is_empty()
    }

    /// Adds a link, which must be the newest.
    pub fn append(&mut self, links: &mut Slab<Link>, number: u32) {
        let need = links[number].need;
        if need == 1 {
            self.single.append(links, number);
            return;
        }
        let index = self
            .larger
            .iter()
            .position(|line| line.need == need)
            .unwrap_or_else(|| {
                self.larger.push(Line::new(need));
                self.larger.len() - 1
            });
        self.larger[index].append(links, number);
    }

    pub fn remove(&mut self, links: &mut Slab<Link>, number: u32) {
        let need = links[number].need;
        if need == 1 {
            self.single.remove(links, number);
            return;
        }
        let index = self
            .larger
            .iter()
            .position(|line| line.need == need)
            .expect("the line of the link");
        self.larger[index].remove(links, number);
        if self.larger[index].head == NONE {
            self.larger.swap_remove(index);
        }
    }

    /// The oldest link that needs no more than `available`.
    #[inline]
    pub fn oldest(&self, links: &Slab<Link>, available: usize) -> Option<u32> {
        let single = (self.single.head != NONE && available >= 1).then_some(self.single.head);
        if self.larger.is_empty() {
            return single;
        }
        let larger = self
            .larger
            .iter()
            .filter(|line| line.need <= available)
            .map(|line| line.head);
        larger.chain(single).min_by_key(|head| links[*head].order)
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
