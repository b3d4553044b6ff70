//! Writes the journal on a separate thread, so that no key press waits for the disk.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::{Entry, Journal, Refusal};

/// Time between two attempts after a disk error.
const PAUSE: Duration = Duration::from_secs(2);

/// The status of a [`Writer`] after each attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterReport {
    /// Entries on disk since the writer started, without those of [`Keeper`]s.
    pub kept: usize,
    /// Why entries wait in memory. The writer retries [temporary](Refusal::ForNow) failures by itself; after a
    /// [permanent](Refusal::ForGood) one it gives up these entries and all later ones. `None` if all went well.
    pub refused: Option<Refusal>,
}

/// Appends entries in the order in which they are sent. Entries that arrive while the disk is busy are appended
/// together. After a disk error entries wait and are retried every two seconds.
#[derive(Debug)]
pub struct Writer {
    sender: Option<Sender<Errand>>,
    thread: Option<JoinHandle<usize>>,
}

#[derive(Debug)]
enum Errand {
    Entry(Entry),
    /// To be answered when it is on disk, or with the reason why not.
    Answered(Entry, Sender<Result<(), Refusal>>),
}

/// Appends single entries from another thread, and waits for the disk.
#[derive(Clone, Debug)]
pub struct Keeper(Sender<Errand>);

impl Keeper {
    /// Returns when the entry is on disk, after everything sent before it. Not for the UI thread.
    ///
    /// # Errors
    /// It could not be written and was given up; or the writer has finished.
    pub fn keep(&self, entry: Entry) -> anyhow::Result<()> {
        let (sender, answer) = bounded(1);
        let is_gone = "the label edits were closed meanwhile";
        self.0.send(Errand::Answered(entry, sender)).ok().context(is_gone)?;
        answer.recv().context(is_gone)??;
        Ok(())
    }
}

impl Writer {
    /// Starts the thread; `report` is called on it.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn start(journal: Journal, report: impl FnMut(WriterReport) + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = unbounded();
        let work = move || write(journal, &receiver, report);
        let thread = thread::Builder::new().name("label edits".to_owned()).spawn(work)?;
        Ok(Self { sender: Some(sender), thread: Some(thread) })
    }

    /// Queues an entry; a report tells when it is on disk.
    pub fn send(&self, entry: Entry) {
        if let Some(sender) = &self.sender {
            // It fails only if the thread panicked, which `finish` reports.
            let _ = sender.send(Errand::Entry(entry));
        }
    }

    /// For a job that must know that its entry is on disk. Drop it with the job: the writer finishes only when the
    /// last one is dropped.
    pub fn keeper(&self) -> Option<Keeper> {
        self.sender.clone().map(Keeper)
    }

    /// Waits until everything sent is on disk, or was tried a last time, and releases the lock. Returns the number of
    /// lost entries. Dropping a writer does the same.
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

/// Returns the number of entries that could not be kept.
fn write(mut journal: Journal, receiver: &Receiver<Errand>, mut report: impl FnMut(WriterReport)) -> usize {
    let (mut waiting, mut kept) = (Vec::new(), 0);
    loop {
        // With failed entries, do not block on new ones; without, there is nothing else to do.
        let next = match waiting.is_empty() {
            true => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => receiver.recv_timeout(PAUSE),
        };
        let is_last = matches!(next, Err(RecvTimeoutError::Disconnected));
        let mut questions = Vec::new();
        for errand in next.into_iter().chain(receiver.try_iter()) {
            match errand {
                Errand::Entry(entry) => waiting.push(entry),
                Errand::Answered(entry, answer) => questions.push((entry, answer)),
            }
        }
        let mut refused = None;
        if !waiting.is_empty() {
            refused = journal.append(&waiting).err();
            if refused.is_none() {
                kept += waiting.len();
                waiting.clear();
            }
            report(WriterReport { kept, refused: refused.clone() });
        }
        for (entry, answer) in questions {
            let told = refused.clone().map_or_else(|| journal.append(&[entry]), Err);
            // The caller may be gone.
            let _ = answer.send(told);
        }
        if is_last {
            return waiting.len();
        }
    }
}
