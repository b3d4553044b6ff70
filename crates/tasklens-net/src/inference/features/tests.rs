use std::time::{Duration, SystemTime};

use half::f16;
use tasklens_data::config::Augmentation;

use super::clean::{Freed, SETTINGS, UNUSED, clean};
use super::*;

const KEY: &str = "0123456789abcdef";
const DIMENSIONS: usize = 4;

/// Image files in a folder, each with its number in it.
fn images_in(folder: &Path, count: usize) -> Vec<PathBuf> {
    let make = |number: usize| {
        let file = folder.join(format!("{number}.png"));
        std::fs::write(&file, vec![0; number + 1]).unwrap();
        file
    };
    (0..count).map(make).collect()
}

/// Features of images as they are now, each made of one number.
fn buffer(images: &[PathBuf], view: &View, number: f32) -> FeatureBuffer {
    FeatureBuffer {
        images: images.to_vec(),
        stamps: images.iter().map(|image| stamp(image)).collect(),
        features: f16::from_f32(number).to_le_bytes().repeat(DIMENSIONS * images.len()),
        miniatures: if *view == View::Plain { vec![7; MINIATURE_BYTES * images.len()] } else { Vec::new() },
    }
}

fn now(images: &[PathBuf]) -> Vec<Identity> {
    images.iter().map(|image| Identity::new(image, stamp(image))).collect()
}

/// Per image the first number of its features, if it has any.
fn found(store: &FeatureStore, view: &View, images: &[PathBuf]) -> Vec<Option<f32>> {
    let shelf = store.read();
    let number = |place: Option<Place>| Some(shelf.features(vec![place?]).half(0)[0].to_f32());
    shelf.find(view, &now(images)).into_iter().map(number).collect()
}

fn augmented(rotation: f32) -> View {
    let how = Augmentation { rotation, ..Augmentation::default() };
    View::augmented(&how, 2).unwrap().pop().unwrap()
}

fn age(file: &Path, age: Duration) {
    let file = std::fs::File::options().append(true).open(file).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

/// Names of what is in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn each_image_and_view_is_found_by_itself_in_any_order() {
    let dir = tempfile::tempdir().unwrap();
    let images = images_in(dir.path(), 4);
    let mut store = FeatureStore::of(dir.path(), KEY, DIMENSIONS);
    let (one, other) = (augmented(10.0), augmented(20.0));
    store.append(&View::Plain, &buffer(&images[..2], &View::Plain, 1.0)).unwrap();
    store.append(&View::Plain, &buffer(&images[2..3], &View::Plain, 2.0)).unwrap();
    store.append(&one, &buffer(&images[..1], &one, 3.0)).unwrap();
    let turned: Vec<PathBuf> = images.iter().rev().cloned().collect();
    assert_eq!(found(&store, &View::Plain, &turned), [None, Some(2.0), Some(1.0), Some(1.0)]);
    assert_eq!(found(&store, &one, &images), [Some(3.0), None, None, None]);
    assert_eq!(found(&store, &other, &images), [None; 4], "another augmentation");
    let another = FeatureStore::of(dir.path(), "fedcba9876543210", DIMENSIONS);
    assert_eq!(found(&another, &View::Plain, &images), [None; 4], "another network");

    // A file that was written since, and one of the same size with another time.
    std::fs::write(&images[0], "longer than before").unwrap();
    age(&images[1], Duration::from_secs(9));
    assert_eq!(found(&store, &View::Plain, &images), [None, None, Some(2.0), None]);
    store.append(&View::Plain, &buffer(&images[..1], &View::Plain, 4.0)).unwrap();
    store.append(&View::Plain, &buffer(&images[..1], &View::Plain, 5.0)).unwrap();
    assert_eq!(found(&store, &View::Plain, &images), [Some(5.0), None, Some(2.0), None], "the later");
}

#[test]
fn a_damaged_file_costs_its_images_alone_and_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let images = images_in(dir.path(), 2);
    let mut store = FeatureStore::of(dir.path(), KEY, DIMENSIONS);
    for (image, number) in images.iter().zip([1.0, 2.0]) {
        let image = std::slice::from_ref(image);
        store.append(&View::Plain, &buffer(image, &View::Plain, number)).unwrap();
    }
    let first = store.folder().join("000000.safetensors");
    let whole = std::fs::read(&first).unwrap();
    for damaged in [whole[..whole.len() / 2].to_vec(), b"mine".to_vec(), Vec::new()] {
        std::fs::write(&first, damaged).unwrap();
        let problems = store.read().problems;
        assert!(problems.len() == 1 && problems[0].contains("000000.safetensors is damaged"), "{problems:?}");
        assert!(problems[0].contains("000000.safetensors.damaged now"), "{problems:?}");
        assert!(store.read().problems.is_empty(), "it is told once");
        assert_eq!(found(&store, &View::Plain, &images), [None, Some(2.0)]);
    }
    // Nor is one of another network taken for its own.
    std::fs::write(&first, &whole).unwrap();
    assert_eq!(FeatureStore::of(dir.path(), KEY, DIMENSIONS + 1).read().problems.len(), 2);
}

#[test]
fn what_cannot_be_kept_lasts_as_long_as_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let images = images_in(dir.path(), 2);
    std::fs::write(dir.path().join(FOLDER), "a file where the folder would be").unwrap();
    let mut store = FeatureStore::of(dir.path(), KEY, DIMENSIONS);
    let told = store.append(&View::Plain, &buffer(&images[..1], &View::Plain, 1.0)).unwrap();
    assert!(told.unwrap().contains("cannot be stored for the next time"));
    assert!(store.append(&View::Plain, &buffer(&images[1..], &View::Plain, 2.0)).unwrap().is_none());
    assert_eq!(found(&store, &View::Plain, &images), [Some(1.0), Some(2.0)]);
}

#[test]
fn what_nobody_uses_goes_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let images = images_in(dir.path(), 3);
    let mut store = FeatureStore::of(dir.path(), KEY, DIMENSIONS);
    let mut other = FeatureStore::of(dir.path(), "fedcba9876543210", DIMENSIONS);
    for store in [&mut store, &mut other] {
        store.append(&View::Plain, &buffer(&images[..1], &View::Plain, 1.0)).unwrap();
        store.append(&View::Plain, &buffer(&images[1..], &View::Plain, 2.0)).unwrap();
    }
    let root = dir.path().join(FOLDER);
    let old = UNUSED + Duration::from_secs(60);
    let shard = std::fs::read(other.folder().join("000000.safetensors")).unwrap();
    // The layout before this one, and what only looks like it or like a shard.
    let tensor = tch::Tensor::zeros([1, 2, 3], (tch::Kind::Half, tch::Device::Cpu));
    let former = |name: &str, tensor_name: &str| {
        let file = root.join(format!("{name}.safetensors"));
        crate::model::tensor_file::write(&file, &[(tensor_name.to_owned(), &tensor)], None).unwrap();
    };
    former("0123456789abcdef0123456789abcdef", "features");
    former("1123456789abcdef0123456789abcdef", "weights");
    former("garments", "features");
    for name in ["000005.safetensors", "notes.txt"] {
        std::fs::write(other.folder().join(name), "mine").unwrap();
        age(&other.folder().join(name), old);
    }
    std::fs::write(store.folder().join("000007.safetensors.damaged"), &shard[..shard.len() - 9]).unwrap();
    std::fs::write(store.folder().join("000008.safetensors.damaged"), "mine").unwrap();
    std::fs::create_dir(root.join("models")).unwrap();
    std::fs::write(root.join("models/000000.safetensors"), &shard).unwrap();
    age(&root.join("models/000000.safetensors"), old);
    let before = (names(other.folder()), names(store.folder()));
    assert_eq!(clean(&store).files, 1, "the former layout");
    assert_eq!((names(other.folder()), names(store.folder())), before);
    let left = ["0123456789abcdef", "1123456789abcdef0123456789abcdef.safetensors", "fedcba9876543210"];
    assert_eq!(names(&root), [&left[..], &["garments.safetensors", "models"]].concat());

    for file in names(other.folder()).into_iter().filter(|name| name.starts_with("00000")) {
        age(&other.folder().join(file), old);
    }
    age(&store.folder().join("000000.safetensors"), old);
    age(&store.folder().join("000007.safetensors.damaged"), old);
    age(&store.folder().join("000008.safetensors.damaged"), old);
    // To read is to use.
    assert_eq!(found(&store, &View::Plain, &images[..1]), [Some(1.0)]);
    let freed = clean(&store);
    assert_eq!((freed.files, freed.bytes > 2 * shard.len() as u64), (3, true), "{freed:?}");
    assert!(store.folder().join("000008.safetensors.damaged").exists());
    assert_eq!(names(other.folder()), ["000005.safetensors", "notes.txt"]);
    assert_eq!(found(&store, &View::Plain, &images), [Some(1.0), Some(2.0), Some(2.0)]);
    assert_eq!(std::fs::read(root.join("models/000000.safetensors")).unwrap(), shard);
}

#[test]
fn a_store_that_is_not_used_for_long_goes_with_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    let images = images_in(dir.path(), 1);
    let mut store = FeatureStore::of(dir.path(), KEY, DIMENSIONS);
    store.append(&View::Plain, &buffer(&images, &View::Plain, 1.0)).unwrap();
    let at_hand = FeatureStore::of(dir.path(), "fedcba9876543210", DIMENSIONS);
    age(&store.folder().join("000000.safetensors"), UNUSED / 2);
    assert_eq!(clean(&at_hand), Freed::default());
    age(&store.folder().join("000000.safetensors"), UNUSED * 2);
    assert_eq!(clean(&at_hand).files, 1);
    assert!(!store.folder().exists());
}

#[test]
fn views_of_the_settings_used_last_stay() {
    let dir = tempfile::tempdir().unwrap();
    let images = images_in(dir.path(), 1);
    let mut store = FeatureStore::of(dir.path(), KEY, DIMENSIONS);
    let views = [augmented(1.0), augmented(2.0), augmented(3.0)];
    for (index, view) in views.iter().enumerate() {
        store.append(view, &buffer(&images, view, 1.0)).unwrap();
        age(&store.folder().join(format!("{index:06}.safetensors")), Duration::from_secs(600 - index as u64));
    }
    store.append(&View::Plain, &buffer(&images, &View::Plain, 1.0)).unwrap();
    assert_eq!(found(&store, &views[0], &images), [Some(1.0)]);
    assert_eq!((SETTINGS, clean(&store).files), (2, 1));
    let left: Vec<bool> = views.iter().map(|view| found(&store, view, &images)[0].is_some()).collect();
    assert_eq!(left, [true, false, true]);
    assert_eq!(found(&store, &View::Plain, &images), [Some(1.0)]);
}

#[test]
fn a_file_of_images_that_have_changed_is_written_anew_without_them() {
    let dir = tempfile::tempdir().unwrap();
    let images = images_in(dir.path(), 5);
    let mut store = FeatureStore::of(dir.path(), KEY, DIMENSIONS);
    let view = augmented(1.0);
    store.append(&View::Plain, &buffer(&images, &View::Plain, 1.0)).unwrap();
    store.append(&view, &buffer(&images, &view, 2.0)).unwrap();
    for image in &images[..2] {
        std::fs::write(image, "changed since, and longer").unwrap();
    }
    assert_eq!(clean(&store), Freed::default(), "most are as they were");
    // The disk of an image may be away.
    std::fs::remove_file(&images[3]).unwrap();
    assert_eq!(clean(&store), Freed::default());
    std::fs::write(&images[2], "changed since, and longer").unwrap();
    // One process reads while another tidies.
    let (shelf, known) = (store.read(), now(&images[4..]));
    assert_eq!(clean(&store).files, 2);
    let place = shelf.find(&View::Plain, &known)[0].unwrap();
    assert_eq!(shelf.features(vec![place]).half(0)[0].to_f32(), 1.0);
    assert_eq!(store.read().shards.iter().map(|shard| shard.count).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(found(&store, &View::Plain, &images), [None, None, None, None, Some(1.0)]);
    assert_eq!(found(&store, &view, &images), [None, None, None, None, Some(2.0)]);
    assert_eq!(store.read().shards.len(), names(store.folder()).len());
}

#[test]
fn many_small_files_become_one() {
    let dir = tempfile::tempdir().unwrap();
    let images = images_in(dir.path(), 16);
    let mut store = FeatureStore::of(dir.path(), KEY, DIMENSIONS);
    let (plain, view) = (View::Plain, augmented(1.0));
    for (number, image) in images.iter().enumerate() {
        assert_eq!(clean(&store), Freed::default());
        store.append(&plain, &buffer(std::slice::from_ref(image), &plain, number as f32)).unwrap();
    }
    store.append(&view, &buffer(&images, &view, 99.0)).unwrap();
    assert_eq!((clean(&store).files, names(store.folder()).len()), (16, 2));
    let expected: Vec<_> = (0..16).map(|number| Some(number as f32)).collect();
    assert_eq!(found(&store, &plain, &images), expected);
    assert_eq!(found(&store, &view, &images), [Some(99.0); 16]);
}

#[cfg(unix)]
#[test]
fn nothing_is_removed_behind_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = dir.path().join("elsewhere");
    let images = images_in(dir.path(), 1);
    let mut theirs = FeatureStore::of(&elsewhere, KEY, DIMENSIONS);
    theirs.append(&View::Plain, &buffer(&images, &View::Plain, 1.0)).unwrap();
    age(&theirs.folder().join("000000.safetensors"), UNUSED * 2);
    let own = dir.path().join("own");
    std::fs::create_dir_all(own.join(FOLDER)).unwrap();
    std::os::unix::fs::symlink(theirs.folder(), own.join(FOLDER).join(KEY)).unwrap();
    assert_eq!(clean(&FeatureStore::of(&own, "fedcba9876543210", DIMENSIONS)), Freed::default());
    std::fs::remove_dir_all(own.join(FOLDER)).unwrap();
    std::os::unix::fs::symlink(elsewhere.join(FOLDER), own.join(FOLDER)).unwrap();
    assert_eq!(clean(&FeatureStore::of(&own, "fedcba9876543210", DIMENSIONS)), Freed::default());
}

#[test]
fn two_that_write_at_once_lose_nothing_of_each_other() {
    const EACH: usize = 12;
    let dir = tempfile::tempdir().unwrap();
    let images = images_in(dir.path(), 2 * EACH);
    let start = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        for images in images.chunks(EACH) {
            let (start, runs) = (&start, dir.path());
            scope.spawn(move || {
                let mut store = FeatureStore::of(runs, KEY, DIMENSIONS);
                for image in images {
                    start.wait();
                    let image = std::slice::from_ref(image);
                    store.append(&View::Plain, &buffer(image, &View::Plain, 1.0)).unwrap();
                }
            });
        }
    });
    let store = FeatureStore::of(dir.path(), KEY, DIMENSIONS);
    assert_eq!(found(&store, &View::Plain, &images), [Some(1.0); 2 * EACH]);
}
