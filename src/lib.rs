//! Tasklens trains one convolutional network that answers several questions about an image at
//! once, labels images, and shows where and why the network is wrong.
//!
//! This is the program with its two faces: the window ([`app`]) and the command line (`main.rs` and [`cli`]). What they
//! show is made by [`tasklens_net`] and [`tasklens_data`], which know neither.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make files and threads of their own"))]

/// `eprintln!` that never panics: where nobody hears, a run goes on.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

pub mod app;
pub mod cli;
pub mod logging;
