//! The connection between a run and its listeners: sends events, writes `events.jsonl`, receives commands.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use tasklens_data::files::Locked;

use super::events::{Command, Concern, Event};
use super::run_folder::{EVENTS, STOP};

/// How often other processes are listened to.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// At most 20 progress events a second.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

/// The run's ends of the channels.
pub struct Reporter {
    // First field, so that the run's folder is unlocked before the listener sees the end of the events.
    log: Option<Locked>,
    events: Sender<Event>,
    commands: Receiver<Command>,
    wake: Box<dyn Fn() + Send>,
    last_progress: Option<Instant>,
    stop_asked: bool,
    /// The file by which other processes ask to stop, and when it was looked for last.
    stop_file: Option<(PathBuf, Instant)>,
    began: Instant,
    paused: Duration,
    /// The batch size, where the config left it to the run.
    pub found_batch_size: Option<usize>,
}

impl Reporter {
    /// `wake` is called after every event.
    pub fn new(events: Sender<Event>, commands: Receiver<Command>, wake: Box<dyn Fn() + Send>) -> Self {
        Self {
            events,
            commands,
            wake,
            log: None,
            last_progress: None,
            stop_asked: false,
            stop_file: None,
            began: Instant::now(),
            paused: Duration::ZERO,
            found_batch_size: None,
        }
    }

    /// From now on, every event except progress is also written to the run's `events.jsonl`.
    ///
    /// # Errors
    /// The file cannot be opened, or another process is training in this folder.
    pub fn log_to(&mut self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join(EVENTS);
        // A run may come from anywhere, and this is the only file that is appended to.
        if path.is_symlink() {
            bail!("{} is a symbolic link: remove it, then resume the run", path.display());
        }
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path);
        let mut file = file.with_context(|| format!("cannot write {}", path.display()))?;
        // If the file system does not support locks, a second process is not detected.
        if is_locked(&file) {
            bail!("another process is training in {}: wait until it ends", folder.display());
        }
        let stop = folder.join(STOP);
        // Whom it asked is gone.
        let _ = std::fs::remove_file(&stop);
        self.stop_file = Some((stop, Instant::now()));
        end_last_line(&mut file).with_context(|| format!("cannot write {}", path.display()))?;
        self.log = Some(Locked::new(file));
        Ok(())
    }

    /// Closes `events.jsonl`: further events are only sent.
    pub fn end_log(&mut self) {
        self.log = None;
    }

    /// Sends an event to whoever listens and, unless it is progress, to `events.jsonl`.
    pub fn send(&mut self, event: Event) {
        let is_progress = matches!(event, Event::Batch(_) | Event::Preparing { .. });
        if let (false, Some(log)) = (is_progress, &mut self.log)
            && let Ok(mut line) = serde_json::to_string(&event)
        {
            line.push('\n');
            // A full disk is reported at the checkpoint, which matters more than the log.
            if let Err(error) = log.write_all(line.as_bytes()) {
                log::warn!("cannot write {EVENTS}: {error}");
            }
        }
        // Without a listener (the window is gone) the run continues all the same.
        let _ = self.events.send(event);
        (self.wake)();
    }

    /// Whether a progress event is due; check before preparing one.
    pub fn progress_due(&mut self) -> bool {
        let due = self.last_progress.is_none_or(|last| last.elapsed() >= PROGRESS_INTERVAL);
        if due {
            self.last_progress = Some(Instant::now());
        }
        due
    }

    /// Reports the progress of a preparation, when due or at its end.
    pub fn preparing(&mut self, what: &str, done: u64, of: u64) {
        if self.progress_due() || done == of {
            self.send(Event::Preparing { what: what.to_owned(), done, of });
        }
    }

    /// Sends a warning for the user.
    pub fn warn(&mut self, message: impl Into<String>) {
        self.send(Event::warning(message));
    }

    /// Sends a warning about the data, whose problems the user can look at.
    pub fn warn_of_data(&mut self, message: String) {
        self.send(Event::Warning { message, about: Concern::Data });
    }

    /// Working time of the run, without pauses.
    pub fn worked(&self) -> Duration {
        self.began.elapsed().saturating_sub(self.paused)
    }

    /// Whether another process has asked to stop; looked for once a second.
    fn is_asked_by_file(&mut self) -> bool {
        let Some((file, looked)) = &mut self.stop_file else { return false };
        if looked.elapsed() < LOOK_INTERVAL {
            return false;
        }
        *looked = Instant::now();
        let is_asked = file.is_file();
        if is_asked && let Err(error) = std::fs::remove_file(&*file) {
            log::warn!("{} stays: {error}", file.display());
        }
        is_asked
    }

    /// Another process of the training was asked to stop: this one stops, too.
    pub fn ask_to_stop(&mut self) {
        self.stop_asked = true;
    }

    /// Handles commands: waits during a pause, and returns whether the run should stop.
    pub fn should_stop(&mut self) -> bool {
        let mut paused = false;
        while !self.stop_asked {
            let command = if paused {
                let since = Instant::now();
                let command = self.commands.recv_timeout(LOOK_INTERVAL);
                self.paused += since.elapsed();
                command.map_err(|error| match error {
                    RecvTimeoutError::Timeout => TryRecvError::Empty,
                    RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
                })
            } else {
                self.commands.try_recv()
            };
            match command {
                Ok(Command::Stop) => self.stop_asked = true,
                Ok(Command::Pause) if !paused => {
                    paused = true;
                    self.send(Event::Paused);
                }
                Ok(Command::Resume) if paused => {
                    paused = false;
                    self.send(Event::Resumed);
                }
                Ok(Command::Pause | Command::Resume) => {}
                // Without a listener a paused run would wait for ever.
                Err(TryRecvError::Disconnected) => self.stop_asked = paused || self.is_asked_by_file(),
                Err(TryRecvError::Empty) if paused => self.stop_asked = self.is_asked_by_file(),
                Err(TryRecvError::Empty) => {
                    self.stop_asked = self.is_asked_by_file();
                    return self.stop_asked;
                }
            }
            if !paused && self.commands.is_empty() {
                break;
            }
        }
        self.stop_asked
    }
}

/// Whether another holds the lock of a file that this process wants, for longer than a look at it takes.
fn is_locked(file: &File) -> bool {
    let looks = std::iter::repeat_with(|| matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
    looks.take(10).all(|is_locked| {
        if is_locked {
            std::thread::sleep(Duration::from_millis(20));
        }
        is_locked
    })
}

/// A killed run may have left an incomplete line: start a new one.
fn end_last_line(file: &mut File) -> std::io::Result<()> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(());
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0_u8; 1];
    file.read_exact(&mut last)?;
    if last != *b"\n" {
        file.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::unbounded;

    fn reporter() -> (Reporter, Receiver<Event>, Sender<Command>) {
        let (events_in, events) = unbounded();
        let (commands, commands_out) = unbounded();
        (Reporter::new(events_in, commands_out, Box::new(|| {})), events, commands)
    }

    #[test]
    fn a_pause_waits_until_resumed() {
        let (mut reporter, events, commands) = reporter();
        assert!(!reporter.should_stop());
        commands.send(Command::Pause).unwrap();
        let waiting = std::thread::spawn(move || reporter.should_stop());
        assert_eq!(events.recv().unwrap(), Event::Paused);
        assert!(!waiting.is_finished());
        commands.send(Command::Resume).unwrap();
        assert_eq!(events.recv().unwrap(), Event::Resumed);
        assert!(!waiting.join().unwrap());
    }

    #[test]
    fn a_pause_is_no_work() {
        let (mut reporter, _events, commands) = reporter();
        commands.send(Command::Pause).unwrap();
        let resume = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            commands.send(Command::Resume).unwrap();
        });
        let began = Instant::now();
        reporter.should_stop();
        resume.join().unwrap();
        assert!(reporter.worked() + Duration::from_millis(100) < began.elapsed());
    }

    #[test]
    fn stop_ends_a_pause_and_is_remembered() {
        let (mut reporter, _events, commands) = reporter();
        commands.send(Command::Pause).unwrap();
        commands.send(Command::Stop).unwrap();
        assert!(reporter.should_stop());
        assert!(reporter.should_stop());
    }

    #[test]
    fn a_paused_run_whose_window_is_gone_stops() {
        let (mut reporter, _events, commands) = reporter();
        commands.send(Command::Pause).unwrap();
        drop(commands);
        assert!(reporter.should_stop());
    }

    #[test]
    fn two_runs_do_not_share_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (mut first, _events, _commands) = reporter();
        first.log_to(dir.path()).unwrap();
        let (mut second, _events, _commands) = reporter();
        let error = second.log_to(dir.path()).unwrap_err().to_string();
        assert!(error.starts_with("another process is training in"), "{error}");
        drop(first);
        second.log_to(dir.path()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_run_does_not_write_its_log_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let theirs = dir.path().join(".profile");
        std::fs::write(&theirs, "export A=1\n").unwrap();
        std::os::unix::fs::symlink(&theirs, dir.path().join(EVENTS)).unwrap();
        let (mut reporter, _events, _commands) = reporter();
        let error = reporter.log_to(dir.path()).unwrap_err().to_string();
        assert!(error.contains("events.jsonl is a symbolic link: remove it"), "{error}");
        reporter.send(Event::Paused);
        assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "export A=1\n");
    }

    #[test]
    fn progress_is_not_logged_and_half_a_line_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(EVENTS), "{\"event\":\"pau").unwrap();
        let (mut reporter, _events, _commands) = reporter();
        reporter.log_to(dir.path()).unwrap();
        reporter.preparing("reading", 1, 1);
        reporter.send(Event::Paused);
        let text = std::fs::read_to_string(dir.path().join(EVENTS)).unwrap();
        assert_eq!(text, "{\"event\":\"pau\n{\"event\":\"paused\"}\n");
    }
}
