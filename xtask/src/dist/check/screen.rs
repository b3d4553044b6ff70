//! A screen without a monitor, and a user who looks at it and presses keys.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::bare::Bare;
use crate::dist::tools::{output_of, succeed};

/// The welcome page has some 1,000 colours, the rows of the sample with their images more than 10,000.
const COLOURS_OF_SAMPLE: u32 = 5000;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// Keys that came too early are pressed again after this.
const AGAIN: Duration = Duration::from_secs(20);

/// An X server that draws into memory.
pub struct Screen {
    server: Child,
    display: String,
}

impl Screen {
    /// Starts it on a free number.
    pub fn start() -> Result<Self> {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-ac"]);
        let mut server =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("cannot start Xvfb")?;
        let mut number = String::new();
        let said = server.stdout.take().context("no pipe from Xvfb")?;
        let read = BufReader::new(said).read_line(&mut number);
        let screen = Self { server, display: format!(":{}", number.trim()) };
        if read.is_err() || number.trim().is_empty() {
            bail!("Xvfb did not start");
        }
        Ok(screen)
    }

    /// Starts the program and opens the sample as a user does, with the command palette; takes a picture, and
    /// returns the seconds until the sample was on screen.
    pub fn open_sample(&self, bare: &Bare, program: &str, picture: &Path) -> Result<f64> {
        let began = Instant::now();
        let log = picture.with_extension("log");
        let mut started = bare.user(Some(&self.display), &[program]);
        started.stdout(Stdio::null()).stderr(File::create(&log)?);
        let mut window = Window(started.spawn().context("cannot start the window")?);
        let seen = self.look_for_sample(&mut window, picture, began);
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        seen.with_context(|| format!("the window said:\n{said}"))
    }

    fn look_for_sample(&self, window: &mut Window, picture: &Path, began: Instant) -> Result<f64> {
        let id = loop {
            window.ensure_open()?;
            let found =
                self.command("xdotool").args(["search", "--onlyvisible", "--name", "^Tasklens$"]).output()?;
            if let Some(id) = String::from_utf8_lossy(&found.stdout).lines().last() {
                break id.to_owned();
            }
            wait(began, "no window")?;
        };
        loop {
            // There is no window manager who gives the window the keyboard.
            self.xdotool(&["windowfocus", "--sync", &id])?;
            self.xdotool(&["key", "ctrl+p"])?;
            sleep(Duration::from_millis(500));
            self.xdotool(&["type", "--delay", "30", "open the sample"])?;
            sleep(Duration::from_millis(500));
            self.xdotool(&["key", "Return"])?;
            let pressed = Instant::now();
            while pressed.elapsed() < AGAIN {
                window.ensure_open()?;
                if self.colours(picture)? > COLOURS_OF_SAMPLE {
                    return Ok(began.elapsed().as_secs_f64());
                }
                wait(began, "the sample is not on screen")?;
            }
            self.xdotool(&["key", "Escape"])?;
        }
    }

    fn xdotool(&self, arguments: &[&str]) -> Result<()> {
        succeed(self.command("xdotool").args(arguments))
    }

    /// Takes a picture and counts its colours.
    fn colours(&self, picture: &Path) -> Result<u32> {
        succeed(self.command("import").args(["-silent", "-window", "root"]).arg(picture))?;
        let count = output_of(self.command("identify").args(["-format", "%k"]).arg(picture))?;
        count.trim().parse().with_context(|| format!("identify said {count}"))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DISPLAY", &self.display);
        command
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        end(&mut self.server);
    }
}

/// The program with its window; ends with this value.
struct Window(Child);

impl Window {
    fn ensure_open(&mut self) -> Result<()> {
        match self.0.try_wait()? {
            Some(status) => bail!("the window closed by itself ({status})"),
            None => Ok(()),
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

fn end(child: &mut Child) {
    // It may have ended already.
    let _ = child.kill();
    let _ = child.wait();
}

/// Waits for a moment; an error when that is too long since `began`.
fn wait(began: Instant, what: &str) -> Result<()> {
    if began.elapsed() > PATIENCE {
        bail!("{what} after {} s", PATIENCE.as_secs());
    }
    sleep(Duration::from_millis(200));
    Ok(())
}
