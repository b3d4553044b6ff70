//! The other side, which waits for requests.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A Python that runs `peer.py`; it ends when this is dropped.
pub struct Python {
    program: PathBuf,
    script: PathBuf,
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Python {
    pub fn start(program: &Path, script: &Path) -> Self {
        let mut command = Command::new(program);
        // As a user has it; ours is set as the program sets it for itself.
        command.arg(script).env_remove("OMP_WAIT_POLICY").env_remove("GOMP_SPINCOUNT");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python starts");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { program: program.to_path_buf(), script: script.to_path_buf(), child, answers }
    }

    /// One of its own, started anew.
    pub fn another(&self) -> Self {
        Self::start(&self.program, &self.script)
    }

    /// The number that it answers.
    pub fn ask(&mut self, request: &serde_json::Value) -> f64 {
        let requests = self.child.stdin.as_mut().expect("a pipe");
        writeln!(requests, "{request}").expect("Python listens");
        requests.flush().expect("Python listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        line.trim().parse().unwrap_or_else(|_| panic!("Python answered `{}` to {request}", line.trim()))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
