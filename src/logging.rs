//! What happened, for whoever looks for the cause of a fault: in a file of the user's data folder, in memory for
//! the report of a crash, and, where it is a warning or more was asked for, on standard error.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use flexi_logger::writers::LogWriter;
use flexi_logger::{
    Cleanup, Criterion, DeferredNow, ErrorChannel, FileSpec, LogSpecification, Logger, LoggerHandle, Naming,
};
use log::{Level, LevelFilter, Record};
use tasklens_data::user_folders;

/// What is logged where `RUST_LOG` does not say it.
const USUAL: &str = "warn, tasklens=info";
const VERBOSE: &str = "info, tasklens=debug";
/// Bytes after which a new file is begun; one older file is kept.
const FILE_SIZE: u64 = 1 << 20;
const OLDER_FILES: usize = 1;
/// So many lines are kept in memory.
const KEPT: usize = 200;

/// The last lines, the oldest first.
static LAST: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Logging, until it is dropped.
#[must_use]
pub struct Logging(
    #[expect(dead_code, reason = "it ends the logging when it is dropped")] Option<LoggerHandle>,
);

/// Where the log files are, as long as the user has a home.
pub fn folder() -> PathBuf {
    user_folders::data().join("logs")
}

/// Begins to log into `folder`. Where that cannot be written, there is no file and the rest goes on.
/// `RUST_LOG` (`debug`, or `warn, tasklens::training=trace`) decides what is logged, and is shown on standard error,
/// too; otherwise that shows warnings, and with `is_verbose` all that is logged.
pub fn start(folder: &Path, is_verbose: bool) -> Logging {
    let asked = std::env::var("RUST_LOG").ok().filter(|asked| !asked.trim().is_empty());
    let usual = if is_verbose { VERBOSE } else { USUAL };
    let parsed = LogSpecification::parse(asked.as_deref().unwrap_or(usual));
    let refused = parsed.as_ref().err().map(ToString::to_string);
    let specification = parsed.unwrap_or_else(|_| {
        let mut usual = LogSpecification::builder();
        usual.default(LevelFilter::Warn).module("tasklens", LevelFilter::Info);
        usual.build()
    });
    let is_asked = is_verbose || (asked.is_some() && refused.is_none());
    let shown = if is_asked { Shown::All } else { Shown::Warnings };
    let to_file = FileSpec::default().directory(folder).basename("tasklens").suppress_timestamp();
    let logger = |specification| Logger::with(specification).error_channel(ErrorChannel::DevNull).use_utc();
    let started = logger(specification.clone())
        .log_to_file_and_writer(to_file, Box::new(Console(shown)))
        .format_for_files(write_line)
        .rotate(Criterion::Size(FILE_SIZE), Naming::Numbers, Cleanup::KeepLogFiles(OLDER_FILES))
        .append()
        .start();
    let handle = started.or_else(|error| {
        let handle = logger(specification).log_to_writer(Box::new(Console(shown))).start();
        log::info!("there is no log file in {}: {error}", folder.display());
        handle
    });
    log::info!(
        "Tasklens {} starts: {:?}",
        env!("CARGO_PKG_VERSION"),
        std::env::args_os().collect::<Vec<_>>()
    );
    if let Some(refused) = refused {
        log::warn!(
            "RUST_LOG is invalid ({refused}), so the default is used. An example: RUST_LOG=tasklens=debug"
        );
    }
    // It fails where another logger is installed already, as in a test.
    Logging(handle.ok())
}

/// The last lines that were logged, the oldest first. Never waits.
pub fn last_lines() -> Vec<String> {
    LAST.try_lock().map(|lines| lines.iter().cloned().collect()).unwrap_or_default()
}

/// Which of what is logged goes to standard error.
#[derive(Clone, Copy, Debug)]
enum Shown {
    /// Our warnings and what is worse, and errors of libraries.
    Warnings,
    All,
}

/// Standard error and the last lines.
struct Console(Shown);

impl LogWriter for Console {
    fn write(&self, now: &mut DeferredNow, record: &Record<'_>) -> io::Result<()> {
        let mut line = Vec::new();
        write_line(&mut line, now, record)?;
        if let Ok(mut lines) = LAST.lock() {
            lines.push_back(String::from_utf8_lossy(&line).into_owned());
            if lines.len() > KEPT {
                lines.pop_front();
            }
        }
        if self.0.has(record) {
            let word = match record.level() {
                Level::Error => "error",
                Level::Warn => "warning",
                Level::Info => "note",
                Level::Debug => "debug",
                Level::Trace => "trace",
            };
            // Nobody may be listening, as behind a window.
            let _ = writeln!(io::stderr(), "{word}: {}", record.args());
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Shown {
    fn has(self, record: &Record<'_>) -> bool {
        let most = match record.target().starts_with("tasklens") {
            true => Level::Warn,
            false => Level::Error,
        };
        matches!(self, Self::All) || record.level() <= most
    }
}

/// `2026-11-28T10:51:38.123+00:00 4711 WARN tasklens::files: ..`
fn write_line(to: &mut dyn io::Write, now: &mut DeferredNow, record: &Record<'_>) -> io::Result<()> {
    let (time, process) = (now.format_rfc3339(), std::process::id());
    write!(to, "{time} {process} {} {}: {}", record.level(), record.target(), record.args())
}
