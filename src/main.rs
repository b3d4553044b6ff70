//! The `tasklens` program: the command line, and without arguments the window. See [`tasklens::cli`].

mod restart;

use std::process::ExitCode;

fn main() -> ExitCode {
    restart::with_short_spins();
    tasklens::cli::main()
}
