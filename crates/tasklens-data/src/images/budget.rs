//! Limits the memory of all decoding in the process, whatever the number of threads: each image takes a share of the
//! budget, and waits if there is not enough left.

use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

/// The fraction of memory that decoding may use: eight cores that decode 24-megapixel photographs do not wait for one
/// another with 8 GB, and with the images that training caches (at most another quarter of the free memory) half is
/// left for the network and other programs.
const PART_OF_MEMORY: u64 = 4;
/// The minimum, also used if the system does not report its memory.
const LEAST: u64 = 512 << 20;

/// Bytes for decoding, in shares. They are granted in the order of requests, so a large image cannot starve.
#[derive(Debug)]
pub struct Budget {
    bytes: u64,
    queue: Mutex<Queue>,
    turn: Condvar,
}

#[derive(Debug)]
struct Queue {
    free: u64,
    /// Ticket of the next request.
    next: u64,
    /// Ticket that is served next.
    serving: u64,
}

/// A share of a budget, returned when dropped, even by a panic.
#[derive(Debug)]
#[must_use]
pub struct Share {
    budget: &'static Budget,
    bytes: u64,
}

impl Budget {
    pub(super) const fn new(bytes: u64) -> Self {
        let queue = Queue { free: bytes, next: 0, serving: 0 };
        Self { bytes, queue: Mutex::new(queue), turn: Condvar::new() }
    }

    /// The budget of the process.
    pub(crate) fn of_process() -> &'static Self {
        static BUDGET: OnceLock<Budget> = OnceLock::new();
        BUDGET.get_or_init(|| Self::new((memory() / PART_OF_MEMORY).max(LEAST)))
    }

    /// Takes `bytes`, waiting until they are free. A request for more than the total gets all of it, exclusively.
    /// Never wait for a share while holding another one: that could deadlock.
    pub fn take(&'static self, bytes: u64) -> Share {
        let bytes = bytes.min(self.bytes);
        let mut queue = self.lock();
        let number = queue.next;
        queue.next += 1;
        while queue.serving != number || queue.free < bytes {
            queue = self.turn.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.serving += 1;
        queue.free -= bytes;
        self.call_next(&queue);
        Share { budget: self, bytes }
    }

    fn give_back(&self, bytes: u64) {
        let mut queue = self.lock();
        queue.free += bytes;
        self.call_next(&queue);
    }

    /// Wakes waiting threads, if there are any.
    fn call_next(&self, queue: &Queue) {
        if queue.serving != queue.next {
            self.turn.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn free(&self) -> u64 {
        self.lock().free
    }
}

impl Share {
    /// Returns all but `bytes` to the budget.
    pub(crate) fn shrink_to(&mut self, bytes: u64) {
        let rest = self.bytes.saturating_sub(bytes);
        self.bytes -= rest;
        self.budget.give_back(rest);
    }
}

#[cfg(test)]
impl Share {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

/// The memory of the machine, or the limit of its container.
fn memory() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let contained = system.cgroup_limits().map(|limits| limits.total_memory).filter(|bytes| *bytes > 0);
    contained.map_or(system.total_memory(), |bytes| bytes.min(system.total_memory()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::*;

    fn budget(bytes: u64) -> &'static Budget {
        Box::leak(Box::new(Budget::new(bytes)))
    }

    /// Asks in a thread of its own, and comes back once it stands in the queue.
    fn ask(budget: &'static Budget, bytes: u64) -> Receiver<Share> {
        let (sender, shares) = channel();
        let before = budget.lock().next;
        std::thread::spawn(move || drop(sender.send(budget.take(bytes))));
        while budget.lock().next == before {
            std::thread::yield_now();
        }
        shares
    }

    const SOON: Duration = Duration::from_secs(10);
    const A_WHILE: Duration = Duration::from_millis(50);

    #[test]
    fn threads_together_never_hold_more_than_there_is() {
        let budget = budget(100);
        let (held, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (held, most) = (&held, &most);
                scope.spawn(move || {
                    for round in 0..500 {
                        let bytes = 1 + (thread * 31 + round * 17) % 100;
                        let _share = budget.take(bytes);
                        most.fetch_max(held.fetch_add(bytes, Ordering::SeqCst) + bytes, Ordering::SeqCst);
                        std::thread::yield_now();
                        held.fetch_sub(bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 100);
        assert_eq!(budget.free(), 100);
    }

    #[test]
    fn a_large_image_is_not_passed_by_small_ones() {
        let budget = budget(100);
        let first = budget.take(50);
        let large = ask(budget, 80);
        let small = ask(budget, 10);
        assert!(large.recv_timeout(A_WHILE).is_err());
        assert!(small.recv_timeout(A_WHILE).is_err(), "there is room for it, but it came later");
        drop(first);
        let large = large.recv_timeout(SOON).unwrap();
        let small = small.recv_timeout(SOON).unwrap();
        drop((large, small));
        assert_eq!(budget.free(), 100);
    }

    #[test]
    fn one_that_is_larger_than_all_there_is_waits_until_it_is_alone() {
        let budget = budget(100);
        let first = budget.take(1);
        let giant = ask(budget, 1_000_000);
        assert!(giant.recv_timeout(A_WHILE).is_err());
        drop(first);
        let giant = giant.recv_timeout(SOON).unwrap();
        assert_eq!(budget.free(), 0);
        drop(giant);
        assert_eq!(budget.free(), 100);
    }

    #[test]
    fn what_is_no_longer_needed_lets_the_next_one_in() {
        let budget = budget(100);
        let mut first = budget.take(90);
        let second = ask(budget, 60);
        first.shrink_to(40);
        let second = second.recv_timeout(SOON).unwrap();
        drop((first, second));
        assert_eq!(budget.free(), 100);
    }

    #[test]
    fn a_decoder_that_panics_gives_its_share_back() {
        let budget = budget(100);
        std::thread::spawn(move || {
            let _share = budget.take(100);
            std::panic::resume_unwind(Box::new("a strange file"));
        })
        .join()
        .unwrap_err();
        assert_eq!(ask(budget, 100).recv_timeout(SOON).unwrap().bytes, 100);
    }

    #[test]
    fn the_process_has_a_budget_that_its_memory_can_bear() {
        let bytes = Budget::of_process().bytes;
        assert!(bytes >= LEAST && bytes <= (memory() / 2).max(LEAST), "{bytes} of {}", memory());
    }
}
