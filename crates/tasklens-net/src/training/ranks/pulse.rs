//! The sign of life of each process: one that is gone, or whose computer is, ends the others within a minute and with a
//! message, whatever they are waiting for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use tasklens_torch::group::Store;

use super::{Place, first_line};

/// Between two signs.
const EVERY: Duration = Duration::from_secs(1);
/// Until all have heard what one says.
pub const HEARD: Duration = Duration::from_secs(3);
/// Without a sign for so long, a process is gone: far longer than a busy computer keeps a thread waiting.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same, once a connection to one of them has broken.
const SUSPICION: Duration = Duration::from_secs(4);
/// The key at which a process that fails says why.
const FAILED: &str = "failed";

impl Shared {
    /// Why the group cannot go on, if it cannot.
    fn failure(&self) -> Option<String> {
        self.failure.clone().or_else(|| {
            let silent = self.asks_since?.elapsed();
            let patience = if self.suspects.is_some() { SUSPICION } else { PATIENCE };
            (silent >= patience).then(|| {
                format!(
                    "{} does not answer for {} seconds: it has died, or its computer cannot be reached",
                    self.holder,
                    silent.as_secs()
                )
            })
        })
    }
}

/// A thread that gives this process' sign and listens for the others'.
pub struct Pulse {
    shared: Arc<Mutex<Shared>>,
    /// Dropped to end the thread.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    /// Who has opened the table of keys.
    holder: &'static str,
    /// Since when the thread asks the table, while it does. Nothing ends that where a network takes what is sent and brings
    /// nothing back.
    asks_since: Option<Instant>,
    /// Why the group has ended, once it has.
    failure: Option<String>,
    /// What this process has to tell the others.
    own_failure: Option<String>,
    /// Since when a connection is broken.
    suspects: Option<Instant>,
}

impl Pulse {
    /// Begins, with a connection of its own.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn begin(store: Store, place: &Place) -> std::io::Result<Self> {
        let (rank, size) = (place.rank, place.size);
        let holder = if place.opens_table { "process 0" } else { "what has started the processes" };
        let shared = Shared { holder, asks_since: None, failure: None, own_failure: None, suspects: None };
        let shared = Arc::new(Mutex::new(shared));
        let (end, ended) = bounded::<()>(0);
        let mut watch = Watch { store, rank, size, holder, heard: HashMap::new(), lost: None };
        let thread = std::thread::Builder::new().name("pulse".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || {
                loop {
                    let is_over = ended.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout);
                    watch.look(&shared);
                    if is_over {
                        return;
                    }
                }
            }
        })?;
        Ok(Self { shared, end: Some(end), thread: Some(thread) })
    }

    /// Why the group cannot go on, if it cannot.
    pub fn failure(&self) -> Option<String> {
        lock(&self.shared).failure()
    }

    /// A connection has broken: what is silent now is soon given up. Waits for the reason a few seconds.
    pub fn reason(&self) -> Option<String> {
        let began = Instant::now();
        lock(&self.shared).suspects = Some(began);
        while began.elapsed() < SUSPICION + 3 * EVERY {
            if let Some(failure) = self.failure() {
                return Some(failure);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }

    /// Tells the others that this process fails, and why.
    pub fn fail(&mut self, why: &str) {
        lock(&self.shared).own_failure = Some(why.to_owned());
        self.end();
    }

    fn end(&mut self) {
        self.end = None;
        let Some(thread) = self.thread.take() else { return };
        let began = Instant::now();
        while !thread.is_finished() {
            if began.elapsed() > SUSPICION {
                log::debug!("the thread that gives signs of life gets no answer, and is left behind");
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if thread.join().is_err() {
            log::warn!("the thread that gives signs of life crashed");
        }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.end();
    }
}

fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    // Each change is complete in itself.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Watch {
    store: Store,
    rank: usize,
    size: usize,
    /// Who has opened the table of keys.
    holder: &'static str,
    /// By rank the last sign and when it was seen first.
    heard: HashMap<usize, (i64, Instant)>,
    /// Since when the table of keys does not answer.
    lost: Option<Instant>,
}

impl Watch {
    /// Gives a sign, and looks for those of others.
    fn look(&mut self, shared: &Mutex<Shared>) {
        let (own, suspects) = {
            let mut shared = lock(shared);
            shared.asks_since = Some(Instant::now());
            (shared.own_failure.clone(), shared.suspects)
        };
        let asked = self.asked(own.as_deref(), suspects);
        lock(shared).asks_since = None;
        let failure = match asked {
            Ok(failure) => {
                self.lost = None;
                failure
            }
            Err(error) => {
                let since = *self.lost.get_or_insert_with(Instant::now);
                let patience = if suspects.is_some() { SUSPICION } else { PATIENCE };
                (since.elapsed() >= patience)
                    .then(|| format!("{} cannot be reached any more ({})", self.holder, first_line(error)))
            }
        };
        if failure.is_some() {
            let mut shared = lock(shared);
            shared.failure = shared.failure.take().or(failure);
        }
    }

    fn asked(
        &mut self,
        own: Option<&str>,
        suspects: Option<Instant>,
    ) -> Result<Option<String>, tch::TchError> {
        self.store.add(&sign_of(self.rank), 1)?;
        if let Some(why) = self.store.get(FAILED)? {
            return Ok(own.is_none().then_some(why));
        }
        if let Some(own) = own {
            self.store.set(FAILED, &format!("process {}: {own}", self.rank))?;
            return Ok(None);
        }
        // Process 0 listens for all, and all for it; where one is missed, each for all.
        let listens =
            |rank: &usize| *rank != self.rank && (self.rank == 0 || *rank == 0 || suspects.is_some());
        let now = Instant::now();
        for rank in (0..self.size).filter(listens).collect::<Vec<_>>() {
            let sign = self.store.add(&sign_of(rank), 0)?;
            let (last, since) = self.heard.entry(rank).or_insert((sign, now));
            if *last != sign {
                (*last, *since) = (sign, now);
            }
            let patience = if suspects.is_some() { SUSPICION } else { PATIENCE };
            if since.elapsed() >= patience {
                let why = format!(
                    "process {rank} gives no sign of life for {} seconds: it has died, or its computer cannot be reached",
                    since.elapsed().as_secs()
                );
                // The others need not find out by themselves.
                self.store.set(FAILED, &why)?;
                return Ok(Some(why));
            }
        }
        Ok(None)
    }
}

fn sign_of(rank: usize) -> String {
    format!("sign/{rank}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_does_not_answer_is_told_and_sooner_once_a_connection_has_broken() {
        let ago = |time: Duration| Instant::now().checked_sub(time);
        let shared = |asks_since, suspects| Shared {
            holder: "process 0",
            asks_since,
            failure: None,
            own_failure: None,
            suspects,
        };
        let told = |asks_since, suspects| shared(asks_since, suspects).failure();
        assert_eq!(told(None, None), None);
        assert_eq!(told(ago(PATIENCE / 2), None), None);
        assert!(told(ago(PATIENCE), None).unwrap().starts_with("process 0 does not answer for 30 seconds"));
        assert!(told(ago(PATIENCE / 2), ago(EVERY)).is_some());
        let known = Shared { failure: Some("why".to_owned()), ..shared(ago(PATIENCE), None) };
        assert_eq!(known.failure().as_deref(), Some("why"));
    }
}
