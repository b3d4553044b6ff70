//! The `tasklens` program: the command line, and without arguments the window.

fn main() {}
