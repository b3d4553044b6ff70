use std::path::PathBuf;

use crossbeam_channel::unbounded;
use tasklens_data::config::Config;

use super::*;
use crate::training::Unsaved;

/// Twelve pictures of one colour each, in batches of two.
fn write_project(folder: &Path) -> Config {
    let mut csv = "image_path,shade\n".to_owned();
    for i in 0..16_u8 {
        let (name, is_dark) = (format!("{i}.png"), i % 2 == 0);
        let level = if is_dark { 40 } else { 200 } + i;
        image::RgbImage::from_pixel(40, 40, image::Rgb([level; 3])).save(folder.join(&name)).unwrap();
        csv += &format!("{name},{}\n", if is_dark { "dark" } else { "light" });
    }
    std::fs::write(folder.join("data.csv"), csv).unwrap();
    let text = "{paths: {model_dataframe: data.csv}, model: {input_shape: [32, 32], paths: image_path, \
                target_encoder: {shade: [dark, light]}, backbone: xception_small, pretrained: none, precision: fp32, \
                device: cpu, workers: 1, threads: 1, batch_size: 2, epochs: 2, validation_split: 0.25}}";
    Config::parse(text, &folder.join("config.yml")).unwrap()
}

fn request(config: &Config, run: PathBuf, resume: bool) -> Request {
    Request {
        config: config.clone(),
        run: Some(run),
        resume,
        allow_outside: false,
        edits: Unsaved::default(),
    }
}

/// Trains with a state kept after each batch, and calls `on_kept` whenever one was written, with its number.
fn train(request: &Request, on_kept: impl Fn(usize) + Send + 'static) -> Stopped {
    let ((events_in, events), (_commands, commands_out)) = (unbounded(), unbounded());
    let count = std::sync::atomic::AtomicUsize::new(0);
    let wake = move || {
        for event in events.try_iter() {
            if matches!(&event, Event::Checkpoint { path, .. } if path.ends_with(WITHIN)) {
                on_kept(count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1);
            }
        }
    };
    let mut reporter = Reporter::new(events_in, commands_out, Box::new(wake));
    let (folder, _) = setup::open_folder(request).unwrap();
    let mut run = Run::prepare(request, None, None, folder, &mut reporter).unwrap();
    run.passes.keep_every = std::time::Duration::ZERO;
    run.train(&mut reporter, Instant::now()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The network and what it goes on with, without the times in the description.
fn is_same(a: &Path, b: &Path) -> bool {
    let read = |file: &Path| {
        let mut tensors = tch::Tensor::read_safetensors(file).unwrap();
        tensors.sort_by(|a, b| a.0.cmp(&b.0));
        tensors
    };
    let (a, b) = (read(a), read(b));
    a.len() == b.len() && a.iter().zip(&b).all(|((x, a), (y, b))| x == y && a.equal(b))
}

#[test]
fn a_run_that_is_killed_within_an_epoch_goes_on_from_what_was_kept_last() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_project(folder.path());
    let path = |name: &str| folder.path().join(name);
    let (whole, early, late) = (path("whole"), path("early"), path("late"));
    {
        let (whole, early, late) = (whole.clone(), early.clone(), late.clone());
        // The folder as a process leaves it that is killed after the third batch, and one in the second epoch.
        train(&request(&config, path("whole"), false), move |number| match number {
            3 => copy(&whole, &early),
            8 => copy(&whole, &late),
            _ => {}
        });
    }
    for killed in [early, late] {
        assert!(killed.join(WITHIN).is_file());
        let stopped = train(&request(&config, killed.clone(), true), |_| {});
        assert_eq!(stopped.why, StopReason::Finished);
        assert!(is_same(&whole.join(LAST), &killed.join(LAST)), "{}", killed.display());
        assert!(is_same(&whole.join(BEST), &killed.join(BEST)), "{}", killed.display());
        assert!(!killed.join(WITHIN).exists());
    }
    // Keeping a state changes nothing.
    let events: Vec<Event> =
        crate::training::start(request(&config, path("plain"), false), || {}).events.iter().collect();
    assert!(matches!(events.last(), Some(Event::Stopped(_))), "{:?}", events.last());
    assert!(is_same(&whole.join(LAST), &path("plain").join(LAST)));
}
