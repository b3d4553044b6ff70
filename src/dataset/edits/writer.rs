//! The journal on a thread of its own, so that no key press waits for the disk.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use super::{Entry, Journal};

/// Between two attempts while the disk refuses.
const PAUSE: Duration = Duration::from_secs(2);

/// What a [`Writer`] has to say after each attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Entries on the disk since the writer began.
    pub kept: usize,
    /// Why entries wait in memory; the writer tries again by itself. `None` where all went well.
    pub error: Option<String>,
}

/// Appends entries in the order in which they are sent. What came while the disk was busy is appended
/// together. Entries that the disk refuses wait, and are tried again every two seconds.
#[derive(Debug)]
pub struct Writer {
    sender: Option<Sender<Entry>>,
    thread: Option<JoinHandle<usize>>,
}

impl Writer {
    /// Starts the thread; `report` is called on it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(journal: Journal, report: impl FnMut(Report) + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = unbounded();
        let work = move || write(journal, &receiver, report);
        let thread = thread::Builder::new().name("label edits".to_owned()).spawn(work)?;
        Ok(Self { sender: Some(sender), thread: Some(thread) })
    }

    /// Hands an entry over; a report tells when it is on the disk.
    pub fn send(&self, entry: Entry) {
        if let Some(sender) = &self.sender {
            // It fails only if the thread panicked, which `finish` tells.
            let _ = sender.send(entry);
        }
    }

    /// Waits until everything sent is on the disk, or was tried a last time, and gives the lock back.
    /// Returns how many entries are lost. Dropping a writer does the same.
    pub fn finish(mut self) -> usize {
        self.join()
    }

    fn join(&mut self) -> usize {
        drop(self.sender.take());
        self.thread.take().map_or(0, |thread| thread.join().unwrap_or(1))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.join();
    }
}

/// Returns how many entries could not be kept.
fn write(mut journal: Journal, receiver: &Receiver<Entry>, mut report: impl FnMut(Report)) -> usize {
    let (mut waiting, mut kept) = (Vec::new(), 0);
    loop {
        // With entries that were refused, a new one is no reason to wait; without, there is nothing to do.
        let next = match waiting.is_empty() {
            true => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => receiver.recv_timeout(PAUSE),
        };
        let is_last = next == Err(RecvTimeoutError::Disconnected);
        waiting.extend(next);
        waiting.extend(receiver.try_iter());
        if !waiting.is_empty() {
            let error = journal.append(&waiting).err().map(|error| format!("{error:#}"));
            if error.is_none() {
                kept += waiting.len();
                waiting.clear();
            }
            report(Report { kept, error });
        }
        if is_last {
            return waiting.len();
        }
    }
}
