//! The program starts itself again with what libtorch's OpenMP must find in the environment when it is loaded,
//! which is before anything of ours runs.
//!
//! Idle OpenMP threads spin, by default for so long that beside another busy program they take the cores from
//! the threads they wait for, from those that decode images and from the window.

/// Starts the program again in this process, if OpenMP was not yet told how long to spin. Returns where that is
/// done, where the user has said it (`OMP_WAIT_POLICY`, `GOMP_SPINCOUNT`), and where it cannot be done: training
/// is then slower beside other programs, and otherwise the same.
///
/// Only where the OpenMP is GNU's: on macOS and Windows libtorch brings another, which gives up a core after a
/// while by itself.
pub fn with_short_spins() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    gnu::restart();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod gnu {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::process::CommandExt as _;
    use std::path::Path;
    use std::process::Command;

    /// How long OpenMP spins, in turns of its loop, where its default is 300,000. On two idle cores a small project
    /// trained as fast as with the default, where sleeping at once took 1.1 to 1.8 times as long. Beside one busy program
    /// it took 0.5 to 0.75 of the default's time for images of 128 pixels and as long for those of 64, beside two 0.4 to 0.8.
    const SPINS: &str = "10000";
    /// It is also what tells the second start from the first.
    const OURS: &str = "GOMP_SPINCOUNT";
    const USERS: [&str; 2] = ["OMP_WAIT_POLICY", OURS];

    pub fn restart() {
        if USERS.iter().any(|name| std::env::var_os(name).is_some()) {
            return;
        }
        // A program that was removed or replaced since its start cannot be found again.
        let Ok(program) = std::env::current_exe() else { return };
        if is_loader(&program) {
            return;
        }
        let mut arguments = std::env::args_os();
        let name = arguments.next().unwrap_or_else(|| OsString::from("tasklens"));
        // Comes back only when it failed, and then all is as it was: the environment is the new program's alone.
        let _ = Command::new(program).arg0(name).args(arguments).env(OURS, SPINS).exec();
    }

    /// Whether the program was started as an argument of the dynamic loader, which would take ours for its own.
    fn is_loader(program: &Path) -> bool {
        let name = program.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
        name.starts_with("ld-") || name.starts_with("ld.so")
    }
}
