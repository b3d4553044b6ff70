//! The networks in memory: each is opened once, by the job that needs it first, and shared by all places for as long as
//! its file stays as it is.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tasklens_data::config::DeviceChoice;
use tasklens_data::files::Stamp;
use tasklens_net::inference::{Predictor, checkpoint_of};

/// So many that nobody uses are kept beside those in use: the last one is likely to be asked for again.
const KEEP_UNUSED: usize = 1;

/// All of them. Cheap to clone.
#[derive(Clone, Default)]
pub struct Predictors(PredictorShelf<Predictor>);

impl Predictors {
    /// The network of a checkpoint, or of the best one of a run folder. Whoever keeps it keeps it in memory. Blocks
    /// while it is loaded; for jobs only.
    ///
    /// # Errors
    /// As [`Predictor::open`].
    pub fn open(&self, model_or_run: &Path, device: DeviceChoice) -> anyhow::Result<Arc<Predictor>> {
        let file = checkpoint_of(model_or_run);
        let open = || Predictor::open(model_or_run, device);
        match Stamp::of(&file) {
            Ok(stamp) => self.0.get(PredictorKey { file, stamp, device }, open),
            // Opening says what is wrong with it.
            Err(_) => open().map(Arc::new),
        }
    }
}

/// Which network: another file under the same name is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PredictorKey {
    file: PathBuf,
    stamp: Stamp,
    device: DeviceChoice,
}

/// Locked while it is loaded; empty before, and where that failed.
type PredictorSlot<T> = Arc<Mutex<Option<Arc<T>>>>;

struct KeptPredictor<T> {
    key: PredictorKey,
    slot: PredictorSlot<T>,
}

/// Values by key, the one asked for last at the end.
struct PredictorShelf<T>(Arc<Mutex<Vec<KeptPredictor<T>>>>);

impl<T> Clone for PredictorShelf<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for PredictorShelf<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> PredictorShelf<T> {
    /// What is there, or what `open` makes of it; who asks meanwhile waits for the same.
    fn get(&self, key: PredictorKey, open: impl Fn() -> anyhow::Result<T>) -> anyhow::Result<Arc<T>> {
        let slot = self.slot(key);
        // Before it is loaded: the old one and the new one may not fit together.
        self.drop_unused(KEEP_UNUSED);
        let mut value = lock(&slot);
        if let Some(value) = &*value {
            return Ok(Arc::clone(value));
        }
        let opened = open().or_else(|error| if self.drop_unused(0) > 0 { open() } else { Err(error) })?;
        Ok(Arc::clone(value.insert(Arc::new(opened))))
    }

    /// The slot of a key, which goes to the end.
    fn slot(&self, key: PredictorKey) -> PredictorSlot<T> {
        let mut all = lock(&self.0);
        let found = all.iter().position(|kept| kept.key == key);
        let slot = found.map_or_else(PredictorSlot::default, |at| all.remove(at).slot);
        all.push(KeptPredictor { key, slot: Arc::clone(&slot) });
        slot
    }

    /// Drops what nobody uses, but the last `keep` of which the file has not been written anew; returns how many values
    /// went.
    fn drop_unused(&self, keep: usize) -> usize {
        let mut dropped: Vec<PredictorSlot<T>> = Vec::new();
        let mut all = lock(&self.0);
        let (mut kept, mut newer) = (0, Vec::new());
        for at in (0..all.len()).rev() {
            let KeptPredictor { key, slot } = &all[at];
            let is_outdated = newer.contains(&key.file);
            newer.push(key.file.clone());
            match use_of(slot) {
                Use::Used => {}
                Use::Unused if !is_outdated && kept < keep => kept += 1,
                Use::Unused => dropped.push(all.remove(at).slot),
                Use::Empty => drop(all.remove(at)),
            }
        }
        dropped.len()
    }
}

enum Use {
    Used,
    Unused,
    Empty,
}

fn use_of<T>(slot: &PredictorSlot<T>) -> Use {
    // Somebody loads it, waits for it, or is about to.
    if Arc::strong_count(slot) > 1 {
        return Use::Used;
    }
    match &*lock(slot) {
        Some(value) if Arc::strong_count(value) > 1 => Use::Used,
        Some(_) => Use::Unused,
        None => Use::Empty,
    }
}

/// A job that panicked leaves nothing half done in here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A shelf of texts that counts how often one was loaded.
    struct Counted {
        folder: tempfile::TempDir,
        shelf: PredictorShelf<String>,
        loads: AtomicUsize,
    }

    impl Counted {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            Self { folder, shelf: PredictorShelf::default(), loads: AtomicUsize::new(0) }
        }

        fn write(&self, name: &str, text: &str) {
            // As checkpoints are written: a new file takes the name.
            let new = self.folder.path().join("new");
            std::fs::write(&new, text).unwrap();
            std::fs::rename(new, self.folder.path().join(name)).unwrap();
        }

        fn get(&self, name: &str) -> anyhow::Result<Arc<String>> {
            let file = self.folder.path().join(name);
            let stamp = Stamp::of(&file)?;
            let key = PredictorKey { file: file.clone(), stamp, device: DeviceChoice::Auto };
            self.shelf.get(key, || {
                self.loads.fetch_add(1, Ordering::Relaxed);
                let text = std::fs::read_to_string(&file)?;
                anyhow::ensure!(text != "damaged", "{name} is damaged");
                Ok(text)
            })
        }

        fn loads(&self) -> usize {
            self.loads.swap(0, Ordering::Relaxed)
        }

        fn kept(&self) -> usize {
            lock(&self.shelf.0).len()
        }
    }

    #[test]
    fn a_network_is_loaded_once_however_many_ask_for_it_at_the_same_time() {
        let counted = Counted::new();
        counted.write("a", "a");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(*counted.get("a").unwrap(), "a"));
            }
        });
        assert_eq!(counted.loads(), 1);
    }

    #[test]
    fn another_file_under_the_same_name_is_loaded_and_the_old_one_goes_once_nobody_uses_it() {
        let counted = Counted::new();
        counted.write("a", "old");
        let old = counted.get("a").unwrap();
        counted.write("a", "new");
        assert_eq!(*counted.get("a").unwrap(), "new");
        assert_eq!((old.as_str(), counted.loads(), counted.kept()), ("old", 2, 2));
        drop(old);
        assert_eq!(*counted.get("a").unwrap(), "new");
        assert_eq!((counted.loads(), counted.kept()), (0, 1));
    }

    #[test]
    fn what_is_used_stays_and_of_the_others_the_last() {
        let counted = Counted::new();
        for name in ["a", "b", "c", "d"] {
            counted.write(name, name);
        }
        let used = counted.get("a").unwrap();
        for name in ["b", "c", "d"] {
            counted.get(name).unwrap();
        }
        assert_eq!(counted.loads(), 4);
        for name in ["d", "c"] {
            counted.get(name).unwrap();
        }
        assert_eq!(counted.loads(), 0, "c was the last before d");
        counted.get("b").unwrap();
        assert_eq!((counted.loads(), counted.kept()), (1, 3), "a is used, c was the last before b");
        drop(used);
    }

    #[test]
    fn what_cannot_be_loaded_is_tried_again_without_the_unused_and_is_not_kept() {
        let counted = Counted::new();
        counted.write("a", "a");
        counted.write("b", "damaged");
        counted.get("a").unwrap();
        counted.loads();
        assert!(counted.get("b").is_err());
        assert_eq!(counted.loads(), 2, "there may not have been room for two");
        assert!(counted.get("b").is_err());
        assert_eq!(counted.loads(), 1, "an error is not kept, and nothing was left to make room");
    }
}
