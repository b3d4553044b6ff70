//! Standard output: what was printed arrives, or the program says that it did not.
//!
//! Lines are gathered, and written when a moment has passed; on a terminal at once. Nothing that prints has to
//! look at errors: the first one is kept for the end.

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A reader of a pipe waits no longer for lines than this, while more are printed.
const PATIENCE: Duration = Duration::from_millis(200);
/// Bytes that are gathered at most.
const MOST: usize = 64 << 10;

static PRINTED: Mutex<Printed> = Mutex::new(Printed::new());

struct Printed {
    waiting: Vec<u8>,
    written: Option<Instant>,
    error: Option<io::Error>,
    /// A result has standard output for itself.
    is_taken: bool,
}

impl Printed {
    const fn new() -> Self {
        Self { waiting: Vec::new(), written: None, error: None, is_taken: false }
    }

    fn add(&mut self, line: fmt::Arguments<'_>, to: &mut dyn Write, is_terminal: bool) {
        if self.error.is_some() {
            return;
        }
        // Memory takes everything.
        let _ = writeln!(self.waiting, "{line}");
        let is_due = self.written.is_none_or(|written| written.elapsed() >= PATIENCE);
        if is_terminal || is_due || self.waiting.len() >= MOST {
            self.flush(to);
        }
    }

    fn flush(&mut self, to: &mut dyn Write) {
        let waiting = std::mem::take(&mut self.waiting);
        if self.error.is_none() {
            self.error = to.write_all(&waiting).and_then(|()| to.flush()).err();
        }
        self.written = Some(Instant::now());
    }

    fn outcome(&mut self) -> io::Result<()> {
        match self.error.take() {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
            // Who read has seen enough.
            _ => Ok(()),
        }
    }
}

fn printed() -> MutexGuard<'static, Printed> {
    PRINTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints a line; on standard error, once a result has standard output for itself.
pub fn line(line: fmt::Arguments<'_>) {
    let mut printed = printed();
    if printed.is_taken {
        say!("{line}");
        return;
    }
    let mut stdout = io::stdout();
    let is_terminal = stdout.is_terminal();
    printed.add(line, &mut stdout, is_terminal);
}

/// Keeps the outcome of what was printed by others.
pub fn keep(outcome: io::Result<()>) {
    if let Err(error) = outcome {
        printed().error.get_or_insert(error);
    }
}

/// Writes what waits: before a silence.
pub fn flush() {
    printed().flush(&mut io::stdout());
}

/// Leaves standard output to a result: further lines go to standard error.
pub fn leave_to_result() {
    printed().is_taken = true;
}

/// Whether nothing more arrives: the disk is full, or the reader of the pipe has gone.
pub fn has_failed() -> bool {
    printed().error.is_some()
}

/// Writes what waits, and tells the first error there was.
///
/// # Errors
/// Not everything was written, and not because the reader of a pipe has gone.
pub fn finish() -> io::Result<()> {
    let mut printed = printed();
    printed.flush(&mut io::stdout());
    printed.outcome()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many writes, and then fails.
    struct Failing {
        writes: usize,
        kind: ErrorKind,
    }

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.writes = self.writes.checked_sub(1).ok_or(self.kind)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_first_error_is_kept_and_a_reader_that_has_gone_is_none() {
        for (kind, is_told) in [(ErrorKind::StorageFull, true), (ErrorKind::BrokenPipe, false)] {
            let mut printed = Printed::new();
            let mut to = Failing { writes: 1, kind };
            printed.add(format_args!("one"), &mut to, true);
            assert!(printed.error.is_none());
            printed.add(format_args!("two"), &mut to, true);
            to.writes = 9;
            printed.add(format_args!("three"), &mut to, true);
            assert_eq!(to.writes, 9, "what follows a lost line is not written");
            let outcome = printed.outcome().map_err(|error| error.kind());
            assert_eq!(outcome, if is_told { Err(kind) } else { Ok(()) });
        }
    }

    #[test]
    fn lines_are_gathered_but_on_a_terminal() {
        let mut printed = Printed::new();
        let mut to = Vec::new();
        for number in 0..3 {
            printed.add(format_args!("{number}"), &mut to, false);
        }
        assert_eq!(to, b"0\n", "the first at once, the next when a moment has passed");
        printed.add(format_args!("3"), &mut to, true);
        assert_eq!(to, b"0\n1\n2\n3\n");
    }
}
