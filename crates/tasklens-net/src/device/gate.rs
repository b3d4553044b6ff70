//! Keeps the libraries that compute and the end of the process apart.
//!
//! As a process ends, the C library destroys the static data of OpenVINO, its plugins, TBB and libtorch, in the thread that
//! ends it, whatever other threads do with them meanwhile. A thread that compiled or predicted then crashed, in tests
//! whose results were all good. So that work is done inside this gate. The end of the process closes it: it waits for
//! what is inside, which takes tenths of a second, and holds up whoever comes later, for the little that is left.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{RwLock, RwLockReadGuard};

static IS_CLOSED: AtomicBool = AtomicBool::new(false);
/// Read by all who are inside.
static INSIDE: RwLock<()> = RwLock::new(());
/// What takes longer hangs: a process that never ends is no better than one that crashes as it ends.
const PATIENCE: Duration = Duration::from_secs(20);

thread_local! {
    /// How often this thread has entered.
    static ENTERED: Cell<usize> = const { Cell::new(0) };
}

/// As long as it lives, the process does not end.
pub(crate) struct Inside {
    /// Only of the first time: to lock again would be to wait for oneself while somebody closes the gate.
    _reading: Option<RwLockReadGuard<'static, ()>>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        ENTERED.set(ENTERED.get() - 1);
    }
}

/// Enters for work of a second at most. Once the process ends, this never returns.
pub(crate) fn enter() -> Inside {
    let reading = (ENTERED.get() == 0).then(|| {
        let reading = INSIDE.read();
        // After the lock: whoever closes the gate then waits for it.
        if IS_CLOSED.load(Ordering::SeqCst) {
            drop(reading);
            loop {
                std::thread::park();
            }
        }
        reading
    });
    ENTERED.set(ENTERED.get() + 1);
    Inside { _reading: reading }
}

/// Waits until nobody is inside, and lets nobody in from now on. The main thread does this by itself as it ends the
/// process; any other thread has to before it calls [`std::process::exit`].
pub fn close() {
    IS_CLOSED.store(true, Ordering::SeqCst);
    if INSIDE.try_write_for(PATIENCE).is_none() {
        log::warn!("the network has computed for {} s as the program ends", PATIENCE.as_secs());
    }
}

/// Closes the gate as the main thread ends the process, by returning from `main`, `exit` or a panic, and be it the `main`
/// of a test program. Of all that the C library runs then, the main thread's own data come first. A handler of `atexit`
/// would be too late: they run from the newest to the oldest, and data that a compilation has made are newer.
#[cfg(target_os = "linux")]
mod main_thread {
    struct AtEnd;

    impl Drop for AtEnd {
        fn drop(&mut self) {
            super::close();
        }
    }

    thread_local! {
        static AT_END: AtEnd = const { AtEnd };
    }

    extern "C" fn watch() {
        // What has a destructor is noted when it is first used.
        AT_END.with(|_| ());
    }

    /// The C library calls it in the main thread, before `main`.
    #[expect(
        unsafe_code,
        reason = "the linker's name for a list, to which a function of the right type is added"
    )]
    #[used]
    // SAFETY: the list holds pointers to C functions, as this is one; it only touches data of its thread.
    #[unsafe(link_section = ".init_array")]
    static WATCH: extern "C" fn() = watch;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_inside_may_enter_again() {
        let first = enter();
        let second = enter();
        assert_eq!(ENTERED.get(), 2);
        drop(first);
        drop(second);
        assert_eq!(ENTERED.get(), 0);
        assert!(INSIDE.try_write_for(PATIENCE).is_some());
    }
}
