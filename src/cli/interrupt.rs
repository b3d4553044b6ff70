//! Ctrl-C: asks the work in hand to end in good order; a second one ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;

/// Set when the user has pressed Ctrl-C.
#[derive(Clone)]
pub struct Flag(Arc<AtomicBool>);

impl Flag {
    /// Whether Ctrl-C was pressed.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Listens for Ctrl-C from now on. Call once per process.
///
/// # Errors
/// The system gives no handler.
pub fn flag() -> anyhow::Result<Flag> {
    listen(|| {})
}

/// As [`flag`], and calls `first` at the first Ctrl-C.
///
/// # Errors
/// The system gives no handler.
pub fn listen(first: impl Fn() + Send + 'static) -> anyhow::Result<Flag> {
    let flag = Flag(Arc::new(AtomicBool::new(false)));
    let set = Arc::clone(&flag.0);
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::Relaxed) {
            end_at_once();
        }
        first();
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(flag)
}

/// As if nobody listened: nothing is put in order, which would meet work that is going on, and the shell sees 130.
fn end_at_once() {
    #[cfg(unix)]
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGINT);
    std::process::exit(130);
}
