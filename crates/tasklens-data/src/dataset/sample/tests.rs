use std::collections::{BTreeSet, HashMap};

use image::RgbImage;

use super::*;

/// Every file under `folder` with its bytes, by relative path.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = ["", PICTURES]
        .iter()
        .flat_map(|part| fs::read_dir(folder.join(part)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            (path.strip_prefix(folder).unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let write = |seed, threads| {
        let folder = tempfile::tempdir().unwrap();
        write_with_threads(folder.path(), 24, seed, threads, &mut |_, _| true).unwrap();
        contents(folder.path())
    };
    let one = write(7, 1);
    assert_eq!(one.len(), 24 + 2);
    assert!(one == write(7, 5), "threads change the bytes");
    assert!(one != write(8, 1), "the seed changes nothing");
}

#[test]
fn what_was_deleted_of_a_sample_is_made_anew_and_labels_stay() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("sample");
    let restore = || restore(&root, 24, 7, &mut |_, _| true).unwrap();
    assert_eq!(restore(), root.join("config.yml"));
    let whole = contents(&root);
    assert_eq!(whole.len(), 24 + 2);
    for gone in ["", "garments", "garments/00003.jpg", "config.yml", "garments.csv"] {
        let path = root.join(gone);
        if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.unwrap();
        restore();
        assert!(contents(&root) == whole, "without {gone:?} it is another one");
    }
    // Labels that were changed, and a config of one's own, also where the window draws fewer.
    let table = fs::read_to_string(root.join("garments.csv")).unwrap();
    let changed = table.replacen(",no_neckline", ",v_neckline", 1) + "own.jpg,solid,sleeveless,no_neckline\n";
    assert_ne!(changed, table);
    fs::write(root.join("garments.csv"), &changed).unwrap();
    fs::write(root.join("config.yml"), "# mine\n").unwrap();
    fs::remove_dir_all(root.join("garments")).unwrap();
    super::restore(&root, 10, 7, &mut |_, _| true).unwrap();
    let now = contents(&root);
    let of = |name: &str| now.iter().find(|(file, _)| file == name).unwrap().1.clone();
    assert_eq!((of("garments.csv"), of("config.yml")), (changed.into_bytes(), b"# mine\n".to_vec()));
    let pictures = |files: &[(String, Vec<u8>)]| {
        files
            .iter()
            .filter(|(name, _)| name.starts_with(PICTURES) && name.ends_with(".jpg"))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert!(pictures(&now) == pictures(&whole), "other pictures");
}

#[test]
fn the_table_names_pictures_that_open_and_labels_that_the_config_knows() {
    let folder = tempfile::tempdir().unwrap();
    let mut calls = Vec::new();
    let config = write_sample(folder.path(), 40, 3, &mut |done, of| {
        calls.push((done, of));
        true
    })
    .unwrap();
    assert_eq!(calls, (1..=40).map(|done| (done, 40)).collect::<Vec<_>>());

    let config: serde_yaml::Value = serde_yaml::from_str(&fs::read_to_string(config).unwrap()).unwrap();
    assert_eq!(config["paths"]["model_dataframe"], "garments.csv");
    let encoder = config["model"]["target_encoder"].as_mapping().unwrap();

    let mut table = csv::Reader::from_path(folder.path().join("garments.csv")).unwrap();
    let headers = table.headers().unwrap().clone();
    assert_eq!(headers, vec!["image_path", "print", "sleeves", "neckline"]);
    let mut seen = vec![BTreeSet::new(); 3];
    let mut pictures = BTreeSet::new();
    for row in table.records().map(Result::unwrap) {
        let picture = image::open(folder.path().join(&row[0])).unwrap();
        assert_eq!((picture.width(), picture.height()), (scene::SIDE, scene::SIDE));
        assert!(pictures.insert(picture.into_bytes()), "{} repeats a picture", &row[0]);
        for task in 0..3 {
            seen[task].insert(row[task + 1].to_owned());
        }
    }
    assert_eq!(pictures.len(), 40);
    for ((task, labels), seen) in encoder.iter().zip(seen) {
        let labels: Vec<&str> =
            labels.as_sequence().unwrap().iter().map(|label| label.as_str().unwrap()).collect();
        assert_eq!(seen, labels.iter().map(|label| (*label).to_owned()).collect(), "{task:?}");
    }
}

/// What a new user starts from is the sample, trained as the sample's own config says.
#[test]
fn the_config_at_the_root_is_that_of_the_sample() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config.yml");
    let root = Config::open(&root).unwrap();
    let own = Config::parse(&config_text(SEED), Path::new("/sample/config.yml")).unwrap();
    assert_eq!(root.model, own.model);
    assert!(root.paths.model_dataframe.ends_with("sample/garments.csv"));
    assert_eq!(own.model.tasks, tasks());
}

#[test]
fn a_sample_is_drawn_once_and_only_for_a_config_that_is_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yml");
    let config = Config::parse(&config_text(SEED), &file).unwrap();
    assert!(is_missing(&config));
    fs::write(folder.path().join(TABLE), "a table of the user's").unwrap();
    assert!(!is_missing(&config));
    let other = config_text(SEED).replace("garments.csv", "mine.csv");
    assert!(!is_missing(&Config::parse(&other, &file).unwrap()));
}

#[test]
fn the_tasks_are_even_and_tell_nothing_about_each_other() {
    let labels = draw_labels(2100, 5);
    let mut pairs: HashMap<(&str, &str), usize> = HashMap::new();
    let mut single: HashMap<&str, usize> = HashMap::new();
    for row in &labels {
        let names = [row.print.name(), row.sleeves.name(), row.neckline.name()];
        for (i, &one) in names.iter().enumerate() {
            *single.entry(one).or_default() += 1;
            for &other in &names[i + 1..] {
                *pairs.entry((one, other)).or_default() += 1;
            }
        }
    }
    assert_eq!(single.len(), 7 + 3 + 4);
    assert!(single.values().all(|count| [300, 700, 525].contains(count)), "{single:?}");
    assert_eq!(pairs.len(), 7 * 3 + 7 * 4 + 3 * 4);
    for ((one, other), found) in pairs {
        let expected = (single[one] * single[other]) as f64 / labels.len() as f64;
        // Four standard deviations of a count that is left to chance.
        assert!(
            (found as f64 - expected).abs() < 4.0 * expected.sqrt(),
            "{one} with {other}: {found}, not {expected}"
        );
    }
}

#[test]
fn a_cancelled_sample_leaves_no_table_behind() {
    let folder = tempfile::tempdir().unwrap();
    let error = write_sample(folder.path(), 200, 1, &mut |done, _| done < 3).unwrap_err();
    assert!(error.to_string().contains("cancelled"), "{error}");
    assert!(!folder.path().join("garments.csv").exists() && !folder.path().join("config.yml").exists());
    assert!(fs::read_dir(folder.path().join(PICTURES)).unwrap().count() < 200);
}

#[test]
fn a_project_of_the_users_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.yml");
    fs::write(&config, "paths:\n  model_dataframe: mine.csv\n").unwrap();
    let error = write_sample(folder.path(), 2, 1, &mut |_, _| true).unwrap_err();
    assert!(error.to_string().contains("config.yml is not the config of a sample"), "{error}");
    assert_eq!(fs::read_to_string(&config).unwrap(), "paths:\n  model_dataframe: mine.csv\n");
    // A sample's own folder may be written again.
    fs::remove_file(&config).unwrap();
    write_sample(folder.path(), 2, 1, &mut |_, _| true).unwrap();
    write_sample(folder.path(), 3, 2, &mut |_, _| true).unwrap();
}

#[test]
fn no_picture_or_table_of_the_users_is_drawn_over() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at(PICTURES)).unwrap();
    fs::write(at("garments/00002.jpg"), "a photograph").unwrap();
    let error = write_sample(folder.path(), 2, 1, &mut |_, _| true).unwrap_err().to_string();
    assert!(error.contains("00002.jpg is not a picture of a sample: choose another folder"), "{error}");
    assert_eq!(fs::read_to_string(at("garments/00002.jpg")).unwrap(), "a photograph");

    fs::remove_file(at("garments/00002.jpg")).unwrap();
    fs::write(at(TABLE), "mine").unwrap();
    let error = write_sample(folder.path(), 2, 1, &mut |_, _| true).unwrap_err().to_string();
    assert!(error.contains("garments.csv does not belong to a sample: choose another folder"), "{error}");
    assert_eq!(fs::read_to_string(at(TABLE)).unwrap(), "mine");

    // What a cancelled sample left is drawn over, of whatever seed.
    fs::remove_file(at(TABLE)).unwrap();
    write_sample(folder.path(), 2, 2, &mut |_, _| true).unwrap();
}

#[cfg(unix)]
#[test]
fn pictures_are_not_drawn_through_links() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at(".bashrc"), "").unwrap();
    fs::create_dir_all(at("sample/garments")).unwrap();
    symlink(at(".bashrc"), at("sample/garments/00001.jpg")).unwrap();
    assert!(write_sample(&at("sample"), 1, 1, &mut |_, _| true).is_err());
    assert_eq!(fs::read(at(".bashrc")).unwrap(), b"");

    fs::create_dir(at("photographs")).unwrap();
    fs::create_dir(at("other")).unwrap();
    symlink(at("photographs"), at("other/garments")).unwrap();
    let error = write_sample(&at("other"), 1, 1, &mut |_, _| true).unwrap_err().to_string();
    assert!(error.contains("garments is a symbolic link"), "{error}");
    assert_eq!(fs::read_dir(at("photographs")).unwrap().count(), 0);
}

/// Share of pixels that differ clearly between two pictures.
fn differing(one: &RgbImage, other: &RgbImage) -> f64 {
    let clear =
        |(a, b): (&image::Rgb<u8>, &image::Rgb<u8>)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 40);
    one.pixels().zip(other.pixels()).filter(|pair| clear(*pair)).count() as f64
        / (scene::SIDE * scene::SIDE) as f64
}

#[test]
fn each_label_shows_in_the_picture() {
    // The same dice with one label changed: what differs is that label's doing.
    let solid = Labels { print: Print::Solid, sleeves: Sleeves::Long, neckline: Neckline::Crew };
    for number in 0..8 {
        let draw = |labels| scene::draw(labels, Dice::new(1, number)).unwrap();
        let plain = draw(solid);
        for (print, name) in Print::ALL.into_iter().filter(|(print, _)| *print != Print::Solid) {
            let share = differing(&plain, &draw(Labels { print, ..solid }));
            assert!(share > 0.02, "{name} changes {:.1} % of picture {number}", share * 100.0);
        }
        let bare = differing(&plain, &draw(Labels { sleeves: Sleeves::Sleeveless, ..solid }));
        assert!(bare > 0.05, "sleeves change {:.1} % of picture {number}", bare * 100.0);
    }
}
