//! The `tasklens` program: the command line, and without arguments the window.

use std::process::ExitCode;

fn main() -> ExitCode {
    tasklens::cli::main()
}
