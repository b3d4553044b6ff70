//! Starts the real program on a virtual screen and looks at what it shows.

#![expect(clippy::unwrap_used, reason = "a test helper that fails is a failed test")]
#![cfg(target_os = "linux")]

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::skip;

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_program_opens_a_window_with_the_images_of_a_config() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_screen, display)) = start_screen(folder.path()) else { return };
    let config = write_project(folder.path());
    let mut program = Running(
        Command::new(env!("CARGO_BIN_EXE_tasklens"))
            .arg("open")
            .arg(&config)
            .env("DISPLAY", display)
            .env_remove("WAYLAND_DISPLAY")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("XDG_CONFIG_HOME", folder.path().join("config"))
            .env("XDG_DATA_HOME", folder.path().join("data"))
            .spawn()
            .unwrap(),
    );
    let begin = Instant::now();
    loop {
        let colors = read_screen(&folder.path().join("Xvfb_screen0"));
        // Smoothed text alone has many greys; the photograph's own colour proves that rows are shown.
        if colors.len() > 50 && colors.iter().any(|color| is_close(*color, CLOTH)) {
            break;
        }
        if let Some(status) = program.0.try_wait().unwrap() {
            panic!("the program ended with {status}");
        }
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "after a minute {} colours are shown",
            colors.len()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

const CLOTH: [u8; 3] = [200, 60, 40];

fn write_project(folder: &Path) -> std::path::PathBuf {
    let image = image::RgbImage::from_pixel(64, 80, image::Rgb(CLOTH));
    let mut csv = String::from("image_path,print\n");
    for row in 0..8 {
        image.save(folder.join(format!("{row}.png"))).unwrap();
        csv.push_str(&format!("{row}.png,{}\n", if row % 2 == 0 { "solid" } else { "striped" }));
    }
    std::fs::write(folder.join("rows.csv"), csv).unwrap();
    let config = folder.join("config.yml");
    let text = "paths:\n  model_dataframe: rows.csv\nmodel:\n  input_shape: [64, 64]\n  paths: image_path\n  \
                batch_size: 4\n  random_seed: 1\n  learning_rate: 0.001\n  early_stopping_patience: 10\n  \
                lr_reducer_factor: 0.5\n  lr_reducer_patience: 5\n  min_lr: 0.000001\n  target_encoder:\n    \
                print: [solid, striped]\n";
    std::fs::write(&config, text).unwrap();
    config
}

/// Xvfb with its framebuffer in a file of `folder`, and its display. `None` (said so) where there is
/// no Xvfb; `CI` must have it.
fn start_screen(folder: &Path) -> Option<(Running, String)> {
    let screen = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-fbdir"])
        .arg(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut screen = match screen {
        Ok(screen) => Running(screen),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "Xvfb does not start ({error}): install xvfb");
            skip::skipped(&format!("Xvfb does not start ({error}): install xvfb"));
            return None;
        }
    };
    let mut number = String::new();
    BufReader::new(screen.0.stdout.take().unwrap()).read_line(&mut number).unwrap();
    Some((screen, format!(":{}", number.trim())))
}

fn is_close(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 3)
}

/// The different colours on the screen, from Xvfb's framebuffer: an XWD file of 32 bits a pixel.
fn read_screen(file: &Path) -> HashSet<[u8; 3]> {
    let bytes = std::fs::read(file).unwrap_or_default();
    let word = |index: usize| -> usize {
        bytes.get(index * 4..index * 4 + 4).map_or(0, |b| u32::from_be_bytes(b.try_into().unwrap()) as usize)
    };
    // Header size, bits per pixel, and 12 bytes for each colour of the colour map.
    let (header, bits_per_pixel, colors) = (word(0), word(11), word(19));
    if bits_per_pixel != 32 {
        return HashSet::new();
    }
    let pixels = bytes.get(header + 12 * colors..).unwrap_or_default();
    // Little-endian: blue, green, red, unused.
    pixels.as_chunks::<4>().0.iter().map(|[blue, green, red, _]| [*red, *green, *blue]).collect()
}
