//! Processes that work together, on one computer or several: c10d, PyTorch's own engine for distributed training, which
//! libtorch contains, over TCP by gloo.
//!
//! A [`Store`] is a table of keys that one process, or whoever started them, opens for all. Through it the processes of a
//! [`Group`] find each other; then each of them calls the same functions of the group in the same order.

use std::ffi::{CString, c_int, c_void};
use std::ptr::{null, null_mut};
use std::time::Duration;

use tch::{TchError, Tensor};

use crate::foreign;

/// A connection to the table of keys. It does one thing at a time: a thread that must not wait for another has its own.
#[derive(Debug)]
pub struct Store(*mut c_void);

// SAFETY: c10d's stores may be used by any thread, and a store is not shared.
unsafe impl Send for Store {}

/// Where the table of keys is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Name or address of the computer.
    pub host: String,
    /// The port there.
    pub port: u16,
    /// What each of our keys begins with, so that others may use the table, too.
    pub prefix: String,
}

impl Store {
    /// Connects, waiting until the table is there; `opens_for` opens it here, for so many processes.
    ///
    /// # Errors
    /// There is none in time, or the port is in use.
    pub fn open(table: &Table, opens_for: Option<usize>, patience: Duration) -> Result<Self, TchError> {
        foreign::compiled()?;
        let (host, prefix) = (text(&table.host)?, text(&table.prefix)?);
        let size = opens_for.map_or(-1, |size| size as i64);
        let mut store = null_mut();
        // SAFETY: texts that end with 0 and are only read during the call, which makes a store for us.
        foreign::check(unsafe {
            foreign::tasklens_store_open(
                host.as_ptr(),
                table.port,
                opens_for.is_some(),
                size,
                prefix.as_ptr(),
                millis(patience),
                &raw mut store,
            )
        })?;
        Ok(Self(store))
    }

    /// Adds to the number at `key`, which begins as 0, and returns the sum; adding 0 reads it.
    ///
    /// # Errors
    /// The table is gone.
    pub fn add(&self, key: &str, more: i64) -> Result<i64, TchError> {
        let key = text(key)?;
        let mut now = 0;
        // SAFETY: a store that is there until it is dropped, and a text that ends with 0.
        foreign::check(unsafe { foreign::tasklens_store_add(self.0, key.as_ptr(), more, &raw mut now) })?;
        Ok(now)
    }

    /// Sets the text at `key`.
    ///
    /// # Errors
    /// The table is gone.
    pub fn set(&self, key: &str, value: &str) -> Result<(), TchError> {
        let (key, value) = (text(key)?, text(value)?);
        // SAFETY: as in `add`.
        foreign::check(unsafe { foreign::tasklens_store_set(self.0, key.as_ptr(), value.as_ptr()) })?;
        // The table does not answer it: with the answer to what follows, others see it.
        self.add("asked", 0).map(drop)
    }

    /// The text at `key`, if it was set.
    ///
    /// # Errors
    /// The table is gone.
    pub fn get(&self, key: &str) -> Result<Option<String>, TchError> {
        let key = text(key)?;
        let mut value = null_mut();
        // SAFETY: as in `add`.
        foreign::check(unsafe { foreign::tasklens_store_get(self.0, key.as_ptr(), &raw mut value) })?;
        // SAFETY: a text that the call has given away.
        Ok((!value.is_null()).then(|| unsafe { foreign::text_of(value) }))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: it came from `open` and is not used after this.
        unsafe { foreign::tasklens_store_free(self.0) }
    }
}

/// By which of its addresses a process can be reached by the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// That of this network interface, such as `eth0`.
    Interface(String),
    /// That of this name.
    Host(String),
    /// That of the computer's own name.
    Own,
}

/// The processes, each with a rank from 0 to their number.
#[derive(Debug)]
pub struct Group {
    group: *mut c_void,
    /// Work has begun whose end was not seen. A group that still works cannot be taken apart.
    has_begun: bool,
}

// SAFETY: c10d's groups may be used by any thread, and a group is not shared.
unsafe impl Send for Group {}

impl Group {
    /// Connects to all others, who call this as well.
    ///
    /// # Errors
    /// One of them does not come in time, or cannot be reached.
    pub fn join(
        store: &Store,
        (rank, size): (usize, usize),
        address: &Address,
        patience: Duration,
    ) -> Result<Self, TchError> {
        let (interface, host) = match address {
            Address::Interface(name) => (Some(text(name)?), None),
            Address::Host(name) => (None, Some(text(name)?)),
            Address::Own => (None, None),
        };
        let pointer = |name: &Option<CString>| name.as_ref().map_or(null(), |name| name.as_ptr());
        let mut group = null_mut();
        // SAFETY: a store that outlives the call, and texts that end with 0 or null.
        foreign::check(unsafe {
            foreign::tasklens_group_join(
                store.0,
                rank as c_int,
                size as c_int,
                pointer(&interface),
                pointer(&host),
                millis(patience),
                &raw mut group,
            )
        })?;
        Ok(Self { group, has_begun: false })
    }

    /// Begins to replace `tensor` (on the processor, contiguous) by its sum over all processes; [`Self::is_done`] says
    /// when it is.
    ///
    /// # Errors
    /// It is no such tensor, or a process is gone.
    pub fn begin_sum(&mut self, tensor: &Tensor) -> Result<(), TchError> {
        self.has_begun = true;
        // SAFETY: the group is there until it is dropped; it keeps the tensor until the work is done.
        foreign::check(unsafe { foreign::tasklens_group_sum(self.group, foreign::pointer(tensor)) })
    }

    /// Begins to replace `tensor` (on the processor, contiguous) by that of rank 0.
    ///
    /// # Errors
    /// As [`Self::begin_sum`].
    pub fn begin_broadcast(&mut self, tensor: &Tensor) -> Result<(), TchError> {
        self.has_begun = true;
        // SAFETY: as in `begin_sum`.
        foreign::check(unsafe { foreign::tasklens_group_broadcast(self.group, foreign::pointer(tensor)) })
    }

    /// Whether what was begun is done; waits for it as long as `patience`.
    ///
    /// # Errors
    /// A process is gone.
    pub fn is_done(&mut self, patience: Duration) -> Result<bool, TchError> {
        let mut is_done = false;
        // SAFETY: as in `begin_sum`.
        foreign::check(unsafe {
            foreign::tasklens_group_wait(self.group, millis(patience), &raw mut is_done)
        })?;
        self.has_begun = !is_done;
        Ok(is_done)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // It would wait for ever for a process that is gone: better to keep its memory, the process is about to end.
        if !self.has_begun {
            // SAFETY: it came from `join` and is not used after this.
            unsafe { foreign::tasklens_group_free(self.group) }
        }
    }
}

fn text(text: &str) -> Result<CString, TchError> {
    CString::new(text).map_err(|_| TchError::Torch(format!("`{text}` contains the character 0")))
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(all(test, compiled))]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// A port that nobody uses.
    fn table() -> Table {
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        Table { host: "127.0.0.1".to_owned(), port: free.port(), prefix: "test".to_owned() }
    }

    /// What each of `size` ranks returns.
    fn together<T: Send>(size: usize, work: impl Fn(usize, Store, Group) -> T + Sync) -> Vec<T> {
        let table = table();
        let work = &work;
        let join = |rank: usize| {
            let store = Store::open(&table, (rank == 0).then_some(size), PATIENCE).unwrap();
            let address = Address::Host("127.0.0.1".to_owned());
            let group = Group::join(&store, (rank, size), &address, PATIENCE).unwrap();
            work(rank, store, group)
        };
        std::thread::scope(|scope| {
            let ranks: Vec<_> = (0..size).map(|rank| scope.spawn(move || join(rank))).collect();
            ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
        })
    }

    #[test]
    fn all_get_the_sum_and_what_rank_0_has() {
        let values = together(3, |rank, _store, mut group| {
            let x = Tensor::from_slice(&[rank as f32, 1.0]);
            group.begin_sum(&x).unwrap();
            assert!(group.is_done(PATIENCE).unwrap());
            let y = Tensor::from_slice(&[rank as i64 + 7]);
            group.begin_broadcast(&y).unwrap();
            assert!(group.is_done(PATIENCE).unwrap());
            (Vec::<f32>::try_from(x).unwrap(), y.int64_value(&[0]))
        });
        assert_eq!(values, [(vec![3.0, 3.0], 7), (vec![3.0, 3.0], 7), (vec![3.0, 3.0], 7)]);
    }

    #[test]
    fn a_group_waits_no_longer_than_it_is_told_and_tells_that_one_is_gone() {
        let told = together(2, |rank, _store, mut group| {
            if rank == 1 {
                std::thread::sleep(Duration::from_millis(600));
                return None;
            }
            let x = Tensor::from_slice(&[1.0_f32]);
            group.begin_sum(&x).unwrap();
            assert!(!group.is_done(Duration::from_millis(50)).unwrap());
            Some(group.is_done(PATIENCE).unwrap_err().to_string())
        });
        assert!(told[0].as_ref().unwrap().contains("onnection"), "{told:?}");
    }

    #[test]
    fn a_store_counts_and_keeps_texts() {
        let table = table();
        let here = Store::open(&table, Some(1), PATIENCE).unwrap();
        let there = Store::open(&table, None, PATIENCE).unwrap();
        assert_eq!(there.get("why").unwrap(), None);
        here.set("why", "because").unwrap();
        assert_eq!(there.get("why").unwrap().as_deref(), Some("because"));
        assert_eq!((here.add("n", 2).unwrap(), there.add("n", 0).unwrap()), (2, 2));
        let other = Table { prefix: "other".to_owned(), ..table };
        assert_eq!(Store::open(&other, None, PATIENCE).unwrap().get("why").unwrap(), None);
    }
}
