//! How often the window is drawn where the processor draws it.

use std::time::{Duration, Instant};

use eframe::glow::{self, HasContext as _};

/// Time between two frames while something trains on the cores that draw them: 20 a second, as many as a hand on the
/// mouse needs.
const INTERVAL: Duration = Duration::from_millis(50);

/// Holds frames back where they would take the cores from a training.
///
/// A software renderer draws as often as the pointer moves, up to all the time of all cores: beside a window of
/// 1200 x 700 over which the pointer moved, a training on two cores had 0.4 of its images per second, and has 0.8 with
/// this pace and fewer fills.
#[derive(Debug, Default)]
pub struct FramePace {
    is_software: bool,
    /// Begin of the latest frame.
    latest: Option<Instant>,
}

impl FramePace {
    /// The pace of a window that `gl` draws.
    #[expect(unsafe_code, reason = "OpenGL's functions are unsafe, and no crate offers this one otherwise")]
    pub fn of(gl: &glow::Context) -> Self {
        // SAFETY: the context is current while the app is created, and the name of the renderer may always be asked for.
        let renderer = unsafe { gl.get_parameter_string(glow::RENDERER) };
        log::debug!("the window is drawn by {renderer}");
        Self { is_software: is_software(&renderer), latest: None }
    }

    /// Waits before a frame until its time has come, where `is_busy` tells that the cores have other work.
    pub fn hold(&mut self, is_busy: bool) {
        std::thread::sleep(self.wait(is_busy, Instant::now()));
        self.latest = Some(Instant::now());
    }

    fn wait(&self, is_busy: bool, now: Instant) -> Duration {
        match self.latest {
            Some(latest) if self.is_software && is_busy => (latest + INTERVAL).saturating_duration_since(now),
            _ => Duration::ZERO,
        }
    }
}

/// Whether OpenGL's name of a renderer is that of one that runs on the processor: Mesa's, Google's, and Microsoft's.
fn is_software(renderer: &str) -> bool {
    let renderer = renderer.to_lowercase();
    ["llvmpipe", "softpipe", "swrast", "software", "swiftshader", "gdi generic", "basic render"]
        .iter()
        .any(|name| renderer.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_wait_only_where_the_processor_draws_and_trains() {
        let now = Instant::now();
        let pace = |is_software| FramePace { is_software, latest: Some(now) };
        let soon = now + Duration::from_millis(10);
        assert_eq!(pace(true).wait(true, soon), Duration::from_millis(40));
        assert_eq!(pace(true).wait(true, now + Duration::from_secs(1)), Duration::ZERO, "its time has come");
        assert_eq!(pace(true).wait(false, soon), Duration::ZERO, "nothing trains");
        assert_eq!(pace(false).wait(true, soon), Duration::ZERO, "a GPU draws");
        assert_eq!(
            FramePace { is_software: true, latest: None }.wait(true, now),
            Duration::ZERO,
            "the first"
        );
    }

    #[test]
    fn renderers_are_told_apart() {
        for name in ["llvmpipe (LLVM 15.0.6, 256 bits)", "softpipe", "Google SwiftShader", "GDI Generic"] {
            assert!(is_software(name), "{name}");
        }
        for name in
            ["NVIDIA GeForce RTX 4090/PCIe/SSE2", "Mesa Intel(R) Iris(R) Xe Graphics (TGL GT2)", "Apple M2"]
        {
            assert!(!is_software(name), "{name}");
        }
    }
}
