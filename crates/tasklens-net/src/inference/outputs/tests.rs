use image::Rgb as Pixel;
use tasklens_data::config::{Backbone, DeviceChoice};
use tasklens_data::dataset::{Row, RowLabel};
use tasklens_data::images::Rgb;
use tch::Device;

use super::*;
use crate::inference::Predictor;
use crate::inference::loader::Batching;
use crate::model::checkpoint::Description;
use crate::model::network::{Network, is_backbone};

fn run_of(folder: &Path, seed: u64) {
    let task = |name: &str, labels: &[&str]| Task {
        name: name.to_owned(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    };
    let description = Description {
        epoch: 1,
        ..Description::new(
            Backbone::XceptionSmall,
            vec![task("print", &["plain", "dotted"]), task("neck", &["v", "round", "boat"])],
            (32, 32),
            "fp32",
        )
    };
    let network = Network::new(Backbone::XceptionSmall, &description.tasks, seed, Device::Cpu).unwrap();
    std::fs::create_dir_all(folder).unwrap();
    checkpoint::write(&folder.join("best.safetensors"), &network, &description, &[]).unwrap();
}

fn rows_in(folder: &Path, images: u8) -> Rows {
    (0..images)
        .map(|i| {
            let image = folder.join(format!("{i}.png"));
            Rgb::from_fn(40, 30, |x, y| Pixel([i * 20, (x * 5) as u8, (y * 7) as u8])).save(&image).unwrap();
            Row {
                image: image.into(),
                labels: vec![RowLabel::Class(0), RowLabel::Missing].into(),
                usable: true,
            }
        })
        .collect()
}

fn compute(run: &Path, rows: &Rows, stop_after: usize) -> OutputsPass {
    let predictor = Predictor::open(run, DeviceChoice::Cpu).unwrap();
    let which: Vec<usize> = (0..rows.len()).collect();
    let store = OutputStore::of(run).unwrap();
    store
        .compute(|| Ok(&predictor), rows, &which, Batching { size: 2, workers: 1 }, &mut |done, _| {
            done < stop_after
        })
        .unwrap()
}

#[test]
fn a_cancelled_pass_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    run_of(&run, 1);
    let rows = rows_in(dir.path(), 6);
    let first = compute(&run, &rows, 3);
    assert_eq!((first.predicted, first.known, first.complete), (4, 0, false));
    let second = compute(&run, &rows, usize::MAX);
    assert_eq!((second.predicted, second.known, second.complete), (2, 4, true));
    let third = compute(&run, &rows, usize::MAX);
    assert_eq!((third.predicted, third.known, third.complete), (0, 6, true));

    let outputs = OutputStore::of(&run).unwrap().load().unwrap();
    let again = OutputStore::of(&run).unwrap().load().unwrap();
    assert!(outputs.features.is_same(&again.features));
    assert!(!outputs.features.is_same(&again.features.pick(&[1, 0, 2, 3, 4, 5])));
    assert_eq!(outputs.images, rows.iter().map(|row| row.image.to_path_buf()).collect::<Vec<_>>());
    assert_eq!((outputs.features.len(), outputs.features.dimensions()), (6, 512));
    let predictor = Predictor::open(&run, DeviceChoice::Cpu).unwrap();
    let image = tasklens_data::images::decode::decode_file(&rows[5].image).unwrap().into_rgb();
    let expected = &predictor.predict(&[image]).unwrap()[0];
    for (task, labels) in [(0, 2), (1, 3)] {
        let stored = &outputs.probabilities[task][5 * labels..6 * labels];
        let worst = stored.iter().zip(&expected.probabilities[task]).map(|(a, b)| (a - b).abs());
        assert!(worst.fold(0.0, f32::max) < 1e-5, "{stored:?} {expected:?}");
    }
    let mut features = vec![0.0; 512];
    outputs.features.write(5, &mut features);
    assert!(features.iter().any(|value| *value > 0.0));
    let picked = outputs.features.pick(&[5, 0]);
    assert_eq!(picked.gather(&[0]), features);
    // Blue grows downwards in every image, red is the same all over.
    let miniature = picked.miniature(0);
    assert_eq!(miniature.len(), MINIATURE_BYTES);
    assert_eq!((miniature[0], miniature[MINIATURE_BYTES - 3]), (100, 100));
    assert!(miniature[MINIATURE_BYTES - 1] > miniature[2] + 100);
}

#[test]
fn a_changed_image_is_predicted_again_and_a_lost_one_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    run_of(&run, 1);
    let rows = rows_in(dir.path(), 3);
    assert_eq!(compute(&run, &rows, usize::MAX).predicted, 3);
    let before = OutputStore::of(&run).unwrap().load().unwrap();
    Rgb::from_fn(70, 50, |x, _| Pixel([0, 255 * (x % 2) as u8, 0])).save(&rows[1].image).unwrap();
    std::fs::remove_file(&rows[2].image).unwrap();
    let pass = compute(&run, &rows, usize::MAX);
    assert_eq!((pass.predicted, pass.known), (1, 1));
    assert!(
        pass.failures[0].0 == 2 && pass.failures[0].1.contains("2.png is missing"),
        "{:?}",
        pass.failures
    );
    let after = OutputStore::of(&run).unwrap().load().unwrap();
    assert_eq!(after.images.len(), 3);
    let of = |outputs: &Outputs, image: &Path| {
        let at = outputs.images.iter().position(|other| other == image).unwrap();
        outputs.features.gather(&[at])
    };
    assert_eq!(of(&before, &rows[0].image), of(&after, &rows[0].image));
    assert_ne!(of(&before, &rows[1].image), of(&after, &rows[1].image));
}

#[test]
fn other_weights_have_a_store_of_their_own_and_the_old_one_goes() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    run_of(&run, 1);
    let rows = rows_in(dir.path(), 2);
    compute(&run, &rows, usize::MAX);
    let old = OutputStore::of(&run).unwrap();
    run_of(&run, 2);
    let new = OutputStore::of(&run).unwrap();
    assert_eq!(new.load().unwrap().images.len(), 0);
    compute(&run, &rows, usize::MAX);
    assert_eq!(new.load().unwrap().images.len(), 2);
    assert!(!old.folder().exists());
}

/// A run in `runs` with the backbone of `seed`, and heads of its own.
fn run_with_heads(runs: &Path, name: &str, seed: u64, factor: f64) -> PathBuf {
    let run = runs.join(name);
    run_of(&run, seed);
    let file = run.join("best.safetensors");
    let checkpoint::Loaded { network, description, .. } = checkpoint::load(&file, Device::Cpu).unwrap();
    for parameter in network.parameters().iter().filter(|p| !is_backbone(&p.name)) {
        let _ = tch::no_grad(|| parameter.tensor.shallow_clone().g_mul_scalar_(factor));
    }
    checkpoint::write(&file, &network, &description, &[]).unwrap();
    run
}

/// Makes the backbone of a run one whose features are shared.
fn share(run: &Path) -> features::FeatureStore {
    let file = run.join("best.safetensors");
    let description = checkpoint::read_description(&file).unwrap();
    features::FeatureStore::share(run.parent().unwrap(), &file, &description).unwrap()
}

/// Puts something in the place of images that looks the same from outside.
fn spoil(rows: &Rows) {
    for row in rows {
        let metadata = std::fs::metadata(&row.image).unwrap();
        std::fs::write(&row.image, vec![0; metadata.len() as usize]).unwrap();
        let file = std::fs::File::options().append(true).open(&row.image).unwrap();
        file.set_modified(metadata.modified().unwrap()).unwrap();
    }
}

#[test]
fn heads_that_are_new_on_a_shared_backbone_look_at_no_image() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (run_with_heads(dir.path(), "a", 1, 1.0), run_with_heads(dir.path(), "b", 1, -3.0));
    let other = run_with_heads(dir.path(), "c", 2, 1.0);
    let shared = share(&first);
    let rows = rows_in(dir.path(), 5);
    let some = rows.iter().take(4).cloned().collect();
    assert_eq!(compute(&first, &some, usize::MAX).predicted, 4);
    spoil(&some);
    let pass = compute(&second, &rows, usize::MAX);
    assert_eq!((pass.predicted, pass.known, pass.complete), (5, 0, true), "{pass:?}");
    assert_eq!(compute(&other, &rows, usize::MAX).failures.len(), 4, "another backbone");

    let load = |run: &Path| OutputStore::of(run).unwrap().load().unwrap();
    let (a, b) = (load(&first), load(&second));
    assert_eq!((a.images.len(), b.images.len()), (4, 5));
    assert_eq!(a.features.gather(&[0, 3]), b.features.gather(&[0, 3]));
    assert_eq!(
        (a.features.miniature(2), a.images[2].as_path()),
        (b.features.miniature(2), b.images[2].as_path())
    );
    let halves: Vec<_> = (0..5).flat_map(|item| b.features.half(item).to_vec()).collect();
    let predictor = Predictor::open(&second, DeviceChoice::Cpu).unwrap();
    for (task, said) in predictor.classify(bytemuck::cast_slice(&halves)).unwrap().iter().enumerate() {
        let worst = said.iter().zip(&b.probabilities[task]).map(|(a, b)| (a - b).abs());
        assert!(worst.fold(0.0, f32::max) < 1e-6);
        assert_ne!(a.probabilities[task], b.probabilities[task][..a.probabilities[task].len()]);
    }
    assert!(predictor.classify(&[0; 3]).unwrap_err().to_string().contains("not a multiple of 1024"));

    // Features that are gone are computed again with what the network says.
    std::fs::remove_dir_all(shared.folder()).unwrap();
    std::fs::create_dir(shared.folder()).unwrap();
    assert_eq!(load(&second).images.len(), 0);
    let pass = compute(&second, &rows, usize::MAX);
    assert_eq!((pass.predicted, pass.failures.len()), (1, 4));
    assert_eq!(load(&second).images, [rows[4].image.to_path_buf()]);
}

#[test]
fn outputs_from_before_a_backbone_was_shared_stay() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_with_heads(dir.path(), "a", 1, 1.0);
    let rows = rows_in(dir.path(), 4);
    compute(&run, &rows.iter().take(2).cloned().collect(), usize::MAX);
    let before = OutputStore::of(&run).unwrap().load().unwrap();
    share(&run);
    let pass = compute(&run, &rows, usize::MAX);
    assert_eq!((pass.predicted, pass.known), (2, 2));
    let after = OutputStore::of(&run).unwrap().load().unwrap();
    assert_eq!(after.images, rows.iter().map(|row| row.image.to_path_buf()).collect::<Vec<_>>());
    assert_eq!(after.features.gather(&[0, 1]), before.features.gather(&[0, 1]));
    assert_ne!(after.features.gather(&[2]), after.features.gather(&[3]));
}

/// Everything under a folder, links not followed.
fn all_in(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            all.extend(all_in(&entry.path()));
        }
        all.push(entry.path());
    }
    all.sort();
    all
}

#[test]
fn new_outputs_remove_nothing_that_is_not_an_old_store() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    run_of(&run, 1);
    let rows = rows_in(dir.path(), 2);
    let outputs = run.join("outputs");
    let old = outputs.join("0123456789abcdef");
    let make = |name: &str, files: &[(&str, &[u8])]| {
        std::fs::create_dir_all(outputs.join(name)).unwrap();
        for (file, bytes) in files {
            std::fs::write(outputs.join(name).join(file), bytes).unwrap();
        }
    };
    let shard = one_image("a.png", 4).to_bytes(OutputStore::of(&run).unwrap().tasks()).unwrap();
    let model = std::fs::read(run.join("best.safetensors")).unwrap();
    make("fedcba9876543210", &[]);
    make("models", &[("net.safetensors", &model)]);
    make("0000000000000001", &[("000000.safetensors", &model)]);
    make("0000000000000002", &[("000000.safetensors", &shard), ("notes.txt", b"mine")]);
    make("0000000000000003", &[("garments.safetensors", &shard)]);
    make("000000000000000X", &[("000000.safetensors", &shard)]);
    let theirs = all_in(&outputs);
    make("0123456789abcdef", &[("000000.safetensors", &shard)]);
    derived::write(&old, derived::MAP, "digest", &[vec![1.0]]);
    compute(&run, &rows, usize::MAX);
    assert!(!old.exists(), "what is ours goes");
    let own = OutputStore::of(&run).unwrap();
    let left: Vec<_> = all_in(&outputs).into_iter().filter(|path| !path.starts_with(own.folder())).collect();
    assert_eq!(left, theirs);
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_the_outputs_is_neither_written_through_nor_cleared() {
    use std::os::unix::fs::symlink;

    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    run_of(&run, 1);
    let rows = rows_in(dir.path(), 2);
    // Elsewhere lies what looks like an old store.
    let elsewhere = dir.path().join("elsewhere");
    let (store, _) = small_store(dir.path().join("other").as_path());
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::rename(store.folder(), elsewhere.join("0123456789abcdef")).unwrap();
    let before = all_in(&elsewhere);
    symlink(&elsewhere, run.join("outputs")).unwrap();
    let error = OutputStore::of(&run).unwrap_err().to_string();
    assert!(error.contains("outputs is a symbolic link"), "{error}");

    std::fs::remove_file(run.join("outputs")).unwrap();
    let own = OutputStore::of(&run).unwrap();
    std::fs::create_dir(run.join("outputs")).unwrap();
    symlink(elsewhere.join("0123456789abcdef"), run.join("outputs/0123456789abcdef")).unwrap();
    compute(&run, &rows, usize::MAX);
    assert!(own.folder().is_dir());
    std::fs::remove_dir_all(own.folder()).unwrap();
    symlink(&elsewhere, own.folder()).unwrap();
    assert!(OutputStore::of(&run).unwrap_err().to_string().contains("is a symbolic link"));
    assert_eq!(all_in(&elsewhere), before);
}

#[test]
fn a_damaged_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    run_of(&run, 1);
    compute(&run, &rows_in(dir.path(), 2), usize::MAX);
    let store = OutputStore::of(&run).unwrap();
    let file = store.folder().join("000000.safetensors");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let error = format!("{:#}", store.load().unwrap_err());
    assert!(error.contains("000000.safetensors is damaged"), "{error}");
}

#[test]
fn two_jobs_that_predict_at_once_lose_nothing_of_each_other() {
    const EACH: usize = 12;
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    run_of(&run, 1);
    let store = OutputStore::of(&run).unwrap();
    let start = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        for job in ["inspect", "label"] {
            let (store, start) = (&store, &start);
            scope.spawn(move || {
                for number in 0..EACH {
                    let mut buffer = OutputBuffer::new(2);
                    buffer.images.push(PathBuf::from(format!("{job}_{number}.png")));
                    buffer.stamps.push([1, 1]);
                    buffer.probabilities = vec![vec![0.5; 2], vec![0.25; 3]];
                    buffer.features = vec![0; 4];
                    buffer.miniatures = vec![0; MINIATURE_BYTES];
                    start.wait();
                    store.append(&buffer).unwrap();
                }
            });
        }
    });
    assert_eq!(store.load().unwrap().images.len(), 2 * EACH);
}

/// A store with one image of its own making, for what a stranger changes in it.
fn small_store(folder: &Path) -> (OutputStore, PathBuf) {
    let run = folder.join("run");
    run_of(&run, 1);
    let store = OutputStore::of(&run).unwrap();
    store.append(&one_image("a.png", 4)).unwrap();
    let file = store.folder().join("000000.safetensors");
    (store, file)
}

fn one_image(name: &str, dimensions: usize) -> OutputBuffer {
    let mut buffer = OutputBuffer::new(2);
    buffer.images.push(PathBuf::from(name));
    buffer.stamps.push([1, 1]);
    buffer.probabilities = vec![vec![0.5; 2], vec![0.25; 3]];
    buffer.features = vec![0; 2 * dimensions];
    buffer.miniatures = vec![0; MINIATURE_BYTES];
    buffer
}

#[test]
fn a_file_whose_numbers_are_of_another_kind_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let (store, file) = small_store(dir.path());
    let whole = std::fs::read(&file).unwrap();
    for (from, to) in [
        (r#""dtype":"F32","shape":[1,2]"#, r#""dtype":"U8","shape":[1,2]"#),
        (r#""dtype":"I64","shape":[1,2]"#, r#""dtype":"U8","shape":[1,2]"#),
        (r#""dtype":"F16","shape":[1,4]"#, r#""dtype":"U8","shape":[1,4]"#),
        (r#""dtype":"U8","shape":[1,432]"#, r#""dtype":"BOOL","shape":[1,432]"#),
    ] {
        std::fs::write(&file, recast(&whole, from, to)).unwrap();
        let error = format!("{:#}", store.load().unwrap_err());
        assert!(error.contains("000000.safetensors is damaged: delete it"), "{from}: {error}");
    }
}

/// The same file with a tensor of another kind: its numbers are cut to what that takes, the rest moves up.
fn recast(whole: &[u8], from: &str, to: &str) -> Vec<u8> {
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&whole[8..8 + length]).unwrap();
    let data = &whole[8 + length..];
    let field = |text: &str, name: &str| {
        serde_json::from_str::<serde_json::Value>(&format!("{{{text}}}")).unwrap()[name].clone()
    };
    let mut tensors: Vec<_> = header.iter().map(|(name, info)| (name.clone(), info.clone())).collect();
    tensors.sort_by_key(|(_, info)| info["data_offsets"][0].as_u64());
    let mut bytes = Vec::new();
    for (name, mut info) in tensors {
        let at = |end: usize| info["data_offsets"][end].as_u64().unwrap() as usize;
        let mut own = data[at(0)..at(1)].to_vec();
        if info["dtype"] == field(from, "dtype") && info["shape"] == field(from, "shape") {
            info["dtype"] = field(to, "dtype");
            let numbers: usize =
                info["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).product();
            own.truncate(numbers);
        }
        info["data_offsets"] = serde_json::json!([bytes.len(), bytes.len() + own.len()]);
        bytes.extend(own);
        header.insert(name, info);
    }
    let header = serde_json::to_vec(&header).unwrap();
    [&(header.len() as u64).to_le_bytes()[..], &header, &bytes].concat()
}

#[test]
fn files_of_networks_with_other_features_do_not_mix() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = small_store(dir.path());
    store.append(&one_image("b.png", 6)).unwrap();
    let error = format!("{:#}", store.load().unwrap_err());
    assert!(error.contains("000001.safetensors is damaged"), "{error}");
    let (store, _) = small_store(&dir.path().join("empty"));
    store.append(&one_image("b.png", 0)).unwrap();
    assert!(store.load().is_err());
}
