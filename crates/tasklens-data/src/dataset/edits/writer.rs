//! The journal on a thread of its own, so that no key press waits for the disk.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::{Entry, Journal, Refusal};

/// Between two attempts while the disk refuses.
const PAUSE: Duration = Duration::from_secs(2);

/// What a [`Writer`] has to say after each attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Entries on the disk since the writer began, those of [`Keeper`]s not counted.
    pub kept: usize,
    /// Why entries wait in memory. The writer tries again by itself what was refused [for now](Refusal::ForNow);
    /// what was refused [for good](Refusal::ForGood) is given up, with all that comes after. `None` where all went
    /// well.
    pub refused: Option<Refusal>,
}

/// Appends entries in the order in which they are sent. What came while the disk was busy is appended
/// together. Entries that the disk refuses wait, and are tried again every two seconds.
#[derive(Debug)]
pub struct Writer {
    sender: Option<Sender<Errand>>,
    thread: Option<JoinHandle<usize>>,
}

#[derive(Debug)]
enum Errand {
    Entry(Entry),
    /// To be answered when it is on the disk, or why it is not.
    Answered(Entry, Sender<Result<(), Refusal>>),
}

/// Appends single entries from another thread, and waits for the disk.
#[derive(Clone, Debug)]
pub struct Keeper(Sender<Errand>);

impl Keeper {
    /// Returns when the entry is on the disk, after all that was sent before it. Not for the UI thread.
    ///
    /// # Errors
    /// The disk refuses it, and it is given up; or the writer has finished.
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
            let _ = sender.send(Errand::Entry(entry));
        }
    }

    /// For a job that must know that its entry is on the disk. It must not outlive the job: the writer
    /// finishes when the last one is gone.
    pub fn keeper(&self) -> Option<Keeper> {
        self.sender.clone().map(Keeper)
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
fn write(mut journal: Journal, receiver: &Receiver<Errand>, mut report: impl FnMut(Report)) -> usize {
    let (mut waiting, mut kept) = (Vec::new(), 0);
    loop {
        // With entries that were refused, a new one is no reason to wait; without, there is nothing to do.
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
            report(Report { kept, refused: refused.clone() });
        }
        for (entry, answer) in questions {
            let told = refused.clone().map_or_else(|| journal.append(&[entry]), Err);
            // Who asked may have gone.
            let _ = answer.send(told);
        }
        if is_last {
            return waiting.len();
        }
    }
}
