//! The OpenVINO that the set-up fetches and the program looks for.

/// Its version, as its wheel has it.
pub const VERSION: &str = "2026.4.1";

/// The name of its folder in the per-user cache.
pub fn folder_name() -> String {
    format!("openvino-{VERSION}-linux-x86_64")
}
