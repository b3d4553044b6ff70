//! All that was said, and what of it stands as a notice: one is shown at a time, the others wait by importance.

use std::collections::VecDeque;

use tasklens_data::text::{capitalised, plain};

use super::words;
use crate::app::command::{AppCommand, Level, Notice, Remedy, Subject};

/// So many lines are kept.
const KEEP: usize = 1000;
/// A notice is shown for so long; an error until it is seen.
const SHOWN_SECS: f32 = 8.0;
/// What is no warning and offers nothing is old news after waiting for so long.
const PATIENCE_SECS: f32 = 24.0;

/// A line of the log, which may stand as a notice.
pub struct Line {
    /// Names the line; later lines have higher ones.
    pub number: u64,
    pub level: Level,
    pub message: String,
    /// Time of day.
    pub time: String,
    /// How often it was said.
    pub times: usize,
    /// What can still be done about it.
    pub remedy: Option<Remedy>,
    subject: Option<Subject>,
    standing: Option<Standing>,
    is_unseen: bool,
}

/// A notice that is shown, or waits for it.
struct Standing {
    left_secs: f32,
    waited_secs: f32,
}

impl Line {
    fn new(notice: Notice, is_told: bool) -> Self {
        let Notice { level, message, subject, remedy } = notice;
        let message = capitalised(plain(&message));
        debug_assert!(!words::names_command_line(&message), "the window speaks of a command line: {message}");
        let standing = (!is_told).then_some(Standing { left_secs: SHOWN_SECS, waited_secs: 0.0 });
        let is_unseen = !is_told && level >= Level::Warning;
        Self { number: 0, level, message, time: now(), times: 1, remedy, subject, standing, is_unseen }
    }

    /// Errors come first, then warnings that something can be done about.
    fn importance(&self) -> (Level, bool, u64) {
        // That something was done matters as much as that something happened.
        (self.level.max(Level::Info), self.remedy.is_some(), self.number)
    }

    /// Nobody needs to be told any more.
    fn settle(&mut self) {
        (self.standing, self.remedy, self.is_unseen) = (None, None, false);
    }

    fn is_fleeting(&self) -> bool {
        self.level < Level::Warning && self.remedy.is_none()
    }
}

/// See the module's documentation.
#[derive(Default)]
pub struct Record {
    lines: VecDeque<Line>,
    number: u64,
}

impl Record {
    /// Adds a notice, which stands unless something on the screen says the same.
    pub fn push(&mut self, notice: Notice, is_told: bool) {
        let line = Line::new(notice, is_told);
        if let Some(subject) = line.subject {
            // A newer one takes its place, but an error is seen first.
            let is_overtaken = |old: &Line| old.level < Level::Error || line.level == Level::Error;
            for old in self.lines.iter_mut().filter(|old| old.subject == Some(subject)) {
                if old.message != line.message && is_overtaken(old) {
                    (old.standing, old.remedy) = (None, None);
                }
            }
        }
        self.add(line);
    }

    /// Adds a line that is nothing to be told at once.
    pub fn note(&mut self, level: Level, message: String) {
        self.add(Line::new(Notice::new(level, message), true));
    }

    /// Adds a line; what is said again while it stands, or twice in a row, is one line.
    fn add(&mut self, mut line: Line) {
        let last = self.number;
        let is_said = |old: &Line| {
            old.level == line.level
                && old.message == line.message
                && (old.standing.is_some() || old.number == last)
        };
        if let Some(old) = self.lines.iter().position(is_said).and_then(|at| self.lines.remove(at)) {
            line.times = old.times + 1;
        }
        self.number += 1;
        line.number = self.number;
        self.lines.push_back(line);
        if self.lines.len() > KEEP {
            let oldest = self.lines.iter().position(|line| line.standing.is_none()).unwrap_or(0);
            self.lines.remove(oldest);
        }
    }

    /// The lines, the oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &Line> + ExactSizeIterator {
        self.lines.iter()
    }

    /// The notice that is shown.
    pub fn shown(&self) -> Option<&Line> {
        self.lines.iter().filter(|line| line.standing.is_some()).max_by_key(|line| line.importance())
    }

    /// How many notices wait behind it.
    pub fn waiting(&self) -> usize {
        self.lines.iter().filter(|line| line.standing.is_some()).count().saturating_sub(1)
    }

    /// How many errors and warnings nobody has seen, and the worst of them.
    pub fn unseen(&self) -> Option<(usize, Level)> {
        let unseen = || self.lines.iter().filter(|line| line.is_unseen);
        Some((unseen().count(), unseen().map(|line| line.level).max()?))
    }

    /// Seconds until the notice that is shown goes by itself.
    pub fn left_secs(&self) -> Option<f32> {
        let shown = self.shown().filter(|line| line.level < Level::Error)?;
        shown.standing.as_ref().map(|standing| standing.left_secs)
    }

    /// Time passes; `is_held`: the user is about to read or answer the notice that is shown.
    pub fn pass(&mut self, secs: f32, is_held: bool) {
        let shown = self.shown().map(|line| line.number);
        for line in &mut self.lines {
            let Some(standing) = &mut line.standing else { continue };
            let is_shown = Some(line.number) == shown;
            if is_shown && !is_held && line.level < Level::Error {
                standing.left_secs -= secs;
            } else if !is_shown {
                standing.waited_secs += secs;
            }
            let is_over = standing.left_secs <= 0.0;
            if is_over || standing.waited_secs > PATIENCE_SECS && line.is_fleeting() {
                line.standing = None;
            }
        }
    }

    /// The user has seen the notice, and wants it away.
    pub fn dismiss(&mut self, number: u64) {
        for line in self.lines.iter_mut().filter(|line| line.number == number) {
            (line.standing, line.is_unseen) = (None, false);
        }
    }

    /// The user has seen the log, which also has what can be done about each.
    pub fn see_all(&mut self) {
        for line in &mut self.lines {
            (line.standing, line.is_unseen) = (None, false);
        }
    }

    /// What a line offers, which is done now.
    pub fn take_remedy(&mut self, number: u64) -> Option<AppCommand> {
        let line = self.lines.iter_mut().find(|line| line.number == number)?;
        let remedy = line.remedy.take();
        line.settle();
        remedy.map(|remedy| remedy.does)
    }

    /// What was said about this is settled.
    pub fn settle(&mut self, subject: Subject) {
        self.lines.iter_mut().filter(|line| line.subject == Some(subject)).for_each(Line::settle);
    }

    /// What was offered has been done by another way.
    pub fn settle_by(&mut self, done: &AppCommand) {
        let offers =
            |line: &&mut Line| line.remedy.as_ref().is_some_and(|remedy| remedy.does.does_same(done));
        self.lines.iter_mut().filter(offers).for_each(Line::settle);
    }

    /// All lines as text, one each.
    pub fn text(&self) -> String {
        let line = |line: &Line| {
            let times = if line.times > 1 { format!(" ({} times)", line.times) } else { String::new() };
            format!("{} {}: {}{times}\n", line.time, name(line.level), line.message)
        };
        self.lines.iter().map(line).collect()
    }
}

/// A level as a word.
pub fn name(level: Level) -> &'static str {
    match level {
        Level::Success => "done",
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

fn now() -> String {
    let time = time::OffsetDateTime::now_local().unwrap_or_else(|_| time::OffsetDateTime::now_utc());
    format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

#[cfg(test)]
mod tests;
