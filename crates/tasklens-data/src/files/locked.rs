//! A file lock that is released when it is dropped, and not later.

use std::fs::File;
use std::ops::{Deref, DerefMut};

/// A locked file, unlocked explicitly on drop. Closing it would not be enough: a child process that is being started
/// at that moment has inherited it and would keep the lock.
#[derive(Debug)]
pub struct Locked(File);

impl Locked {
    /// For a file that was just locked, or whose file system does not support locks.
    pub fn new(file: File) -> Self {
        Self(file)
    }
}

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // Without support for locks there is nothing to release.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_let_go_is_free_though_another_process_inherited_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let file = File::create(&path).unwrap();
        file.try_lock().unwrap();
        // As a process has it between fork and exec.
        let _inherited = file.try_clone().unwrap();
        let locked = Locked::new(file);
        assert!(File::open(&path).unwrap().try_lock().is_err());
        drop(locked);
        File::open(&path).unwrap().try_lock().unwrap();
    }
}
