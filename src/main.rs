//! The `tasklens` program: the command line, and without arguments the window. See [`tasklens::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    tasklens::cli::main()
}

/// The threads of libtorch's OpenMP spin while they wait for work, which takes the cores from the threads that
/// decode images, from the window and from all else that the computer does. On two cores beside two busy
/// programs an epoch took four times as long; on idle ones, sleeping costs the small network a quarter and the
/// large one less than a tenth.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)] // Running before any library is not something that Rust has.
mod patience {
    use std::ffi::{c_char, c_int};

    unsafe extern "C" {
        fn setenv(name: *const c_char, value: *const c_char, overwrite: c_int) -> c_int;
    }

    /// OpenMP reads its variables when it is loaded, long before `main`; what this section names runs earlier.
    #[used]
    #[unsafe(link_section = ".preinit_array")]
    static BEFORE_LIBRARIES: extern "C" fn() = wait_without_spinning;

    extern "C" fn wait_without_spinning() {
        // SAFETY: both texts end in zero, and no other thread exists yet that could read the environment.
        // What the user has set stays.
        unsafe { setenv(c"OMP_WAIT_POLICY".as_ptr(), c"passive".as_ptr(), 0) };
    }
}
