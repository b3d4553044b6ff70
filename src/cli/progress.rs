//! Long work on a terminal: a bar with rate and time left; elsewhere nothing, so that logs stay short.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error. Hidden where that is no terminal.
pub struct Bar {
    bar: ProgressBar,
    what: String,
}

impl Bar {
    /// With what is being done.
    pub fn new(what: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        bar.set_style(style("{msg}"));
        bar.set_message(what.to_owned());
        Self { bar, what: what.to_owned() }
    }

    /// Shows how much is done. `of` 0 is unknown.
    pub fn set(&mut self, done: u64, of: u64) {
        if of > 0 && self.bar.length() != Some(of) {
            self.bar.set_length(of);
            self.bar.set_style(style("{msg} [{wide_bar}] {pos}/{len}  {per_sec}  {eta} left"));
        }
        self.bar.set_position(done);
    }

    /// As [`Bar::set`], with other words; a new task starts a new estimate.
    pub fn set_with(&mut self, what: &str, done: u64, of: u64) {
        if what != self.what {
            what.clone_into(&mut self.what);
            self.bar.reset();
        }
        self.bar.set_message(what.to_owned());
        self.set(done, of);
    }

    /// Shows `text` after the bar instead of indicatif's own rate and estimate.
    pub fn set_text(&mut self, what: &str, done: u64, of: u64, text: &str) {
        self.bar.set_style(style("{prefix} [{wide_bar}] {pos}/{len}  {msg}"));
        self.bar.set_prefix(what.to_owned());
        self.bar.set_length(of);
        self.bar.set_position(done);
        self.bar.set_message(text.to_owned());
        // The next task has words of its own.
        self.what.clear();
    }

    /// Prints a line above the bar (to standard error), or just prints it where there is no bar.
    pub fn line(&self, text: &str) {
        self.bar.suspend(|| say!("{text}"));
    }

    /// Prints a line of results (to standard output) without tearing the bar.
    pub fn result(&self, text: &str) {
        self.bar.suspend(|| out!("{text}"));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// The templates above are constants: a fault in one would show as indicatif's default bar.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("##-")
}
