//! Folders of images as people have them, and the projects that come of them.

use std::fs;

use super::*;
use crate::config::Recipe;
use crate::config::presets::PresetFacts;
use crate::dataset::Dataset;

/// What is proposed where no weights are.
fn training() -> Proposed {
    Recipe::proposed(&PresetFacts::default())
}

/// A folder with empty files of these names.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    dir
}

fn find(dir: &Path) -> FoundImages {
    find_images(dir, &mut |_| true).unwrap()
}

fn task(name: &str, labels: &str) -> DraftTask {
    let mut task = DraftTask { name: name.to_owned(), ..DraftTask::default() };
    task.add_labels(labels);
    task
}

fn draft(dir: &Path, tasks: Vec<DraftTask>) -> ProjectDraft {
    ProjectDraft { found: Arc::new(find(dir)), tasks }
}

#[test]
fn images_of_all_folders_are_found_in_the_order_of_their_numbers() {
    let dir = folder(&["img10.JPG", "img2.png", "deep/er/1.webp", "notes.txt", "labels.doc", "Deep2/x.tif"]);
    let found = find(dir.path());
    assert_eq!(found.images, ["deep/er/1.webp", "Deep2/x.tif", "img2.png", "img10.JPG"]);
    assert_eq!(found.sub_folders, ["deep", "Deep2"]);
    assert_eq!(found.notices, [""; 0]);
    assert_eq!(found.path(0), dir.path().join("deep/er/1.webp"));
}

#[test]
fn what_is_hidden_or_our_own_is_left_out_and_runs_are_told() {
    let dir = folder(&[
        "a.png",
        ".b.png",
        "._a.png",
        ".cache/c.png",
        "runs/2026/d.png",
        "labels.csv.edits/e.png",
        ".tasklens-x.png",
    ]);
    let found = find(dir.path());
    assert_eq!((found.images, found.sub_folders), (vec!["a.png".to_owned()], Vec::new()));
    let at = |name: &str| dir.path().join(name).display().to_string();
    assert_eq!(found.notices.len(), 2, "{:?}", found.notices);
    assert!(
        found.notices[0].starts_with("4 hidden files or folders are left out (such as "),
        "{:?}",
        found.notices
    );
    let runs = format!("1 folder `runs` is left out ({}): trained networks go there.", at("runs"));
    assert_eq!(found.notices[1], runs);
}

#[test]
fn formats_that_are_not_read_and_what_a_mac_adds_are_counted_and_told() {
    let dir = folder(&["a.png", "IMG_1.HEIC", "IMG_2.heic", "b.avif", "__MACOSX/._a.png", "notes.txt"]);
    let found = find(dir.path());
    assert_eq!(found.images, ["a.png"]);
    let [unread, mac] = &found.notices[..] else { panic!("{:?}", found.notices) };
    assert!(unread.starts_with("3 images are left out (such as "), "{unread}");
    assert!(unread.contains("HEIC, AVIF") && unread.contains("Save them as JPEG"), "{unread}");
    assert!(mac.starts_with("1 folder `__MACOSX` is left out"), "{mac}");
}

#[cfg(unix)]
#[test]
fn links_are_followed_once_and_loops_do_no_harm() {
    use std::os::unix::fs::symlink;
    let elsewhere = folder(&["far.png", "deep/further.png"]);
    let dir = folder(&["in/a.png"]);
    let at = |name: &str| dir.path().join(name);
    symlink(dir.path(), at("in/up")).unwrap();
    symlink(dir.path().parent().unwrap(), at("above")).unwrap();
    symlink(at("in"), at("again")).unwrap();
    symlink(elsewhere.path(), at("one")).unwrap();
    symlink(elsewhere.path(), at("two")).unwrap();
    symlink(elsewhere.path(), elsewhere.path().join("deep/loop")).unwrap();
    symlink(at("in/a.png"), at("b.png")).unwrap();
    symlink(at("gone.png"), at("lost.png")).unwrap();
    symlink(elsewhere.path().join("deep/further.png"), at("c.png")).unwrap();
    let other = folder(&["other.png"]);
    symlink(other.path().join("other.png"), at("d.png")).unwrap();
    symlink(other.path().join("other.png"), at("e.png")).unwrap();
    let found = find(dir.path());
    assert_eq!(found.images, ["d.png", "in/a.png", "one/deep/further.png", "one/far.png"]);
    assert!(found.notices[0].starts_with("8 links are left out (such as "), "{:?}", found.notices);
}

#[cfg(unix)]
#[test]
fn names_that_a_csv_cannot_hold_are_told_and_odd_ones_work() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = folder(&[" spaced.png", "a,b.png", "say \"hi\".png", "back\\slash.png", "semi;colon.png"]);
    fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"\xff.png")), "").unwrap();
    let draft = draft(dir.path(), vec![task("color", "red,blue")]);
    assert_eq!(draft.found.images.len(), 4);
    assert!(draft.found.notices[0].contains("a CSV cannot name"), "{:?}", draft.found.notices);
    assert!(draft.found.notices[0].starts_with("2 names are left out"), "{:?}", draft.found.notices);
    let created = draft.write(&training()).unwrap();
    let dataset = Dataset::open(&Config::open(&created.config).unwrap()).unwrap();
    for row in &dataset.rows {
        assert!(row.image.is_file(), "{}", row.image.display());
    }
}

#[test]
fn cancelling_and_a_missing_folder_are_errors() {
    let dir = folder(&["a.png"]);
    (0..2 * 256).for_each(|n| fs::write(dir.path().join(format!("{n}.txt")), "").unwrap());
    assert!(find_images(dir.path(), &mut |_| false).is_err());
    let error = find_images(&dir.path().join("gone"), &mut |_| true).unwrap_err().to_string();
    assert!(error.ends_with("gone cannot be read"), "{error}");
}

#[test]
fn typed_lists_become_labels_once_each() {
    let task = task("color", " red, green;blue\tred\r\n\nlight blue ,");
    assert_eq!(task.labels, ["red", "green", "blue", "light blue"]);
}

#[test]
fn what_stands_in_the_way_is_said() {
    let dir = folder(&["a.png"]);
    let obstacle = |tasks| draft(dir.path(), tasks).obstacle().unwrap_or_default();
    assert!(obstacle(vec![]).starts_with("Add a task"));
    assert_eq!(obstacle(vec![task(" ", "a,b")]), "Give the task a name, such as `sleeves`.");
    assert_eq!(obstacle(vec![task("x", "a,b"), task("", "a,b")]), "Give task 2 a name, such as `sleeves`.");
    assert_eq!(obstacle(vec![task("x", "a,a")]), "The task `x` needs at least two labels.");
    assert_eq!(
        obstacle(vec![task("x", "a,b"), task(" x", "a,b")]),
        "Two tasks have the name `x`: give one of them another."
    );
    assert_eq!(
        obstacle(vec![task("image_path", "a,b")]),
        "`image_path` is the column of the images: give the task another name."
    );
    assert_eq!(obstacle(vec![task("x", "a,b")]), "");
    let empty = folder(&["notes.txt"]);
    let nothing = draft(empty.path(), vec![task("x", "a,b")]);
    assert_eq!(nothing.obstacle().unwrap(), "There are no images in this folder.");
    assert!(nothing.write(&training()).is_err());
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_becomes_a_project_without_labels() {
    let dir = folder(&["b.png", "c/a.png"]);
    let tasks = vec![task(" sleeves ", "short, long"), task("size: \"EU\"", "1.0, no, a, 40,5")];
    let created = draft(dir.path(), tasks).write(&training()).unwrap();
    assert_eq!(created.config, dir.path().join("config.yml"));
    let csv = fs::read_to_string(&created.table).unwrap();
    assert_eq!(csv, "image_path,sleeves,\"size: \"\"EU\"\"\"\nb.png,,\nc/a.png,,\n");
    let config = Config::open(&created.config).unwrap();
    let text = fs::read_to_string(&created.config).unwrap();
    assert!(text.contains("# One task per column"), "{text}");
    let named: Vec<_> = config.model.tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(named, ["sleeves", "size: \"EU\""]);
    assert_eq!(config.model.tasks[1].labels, ["1.0", "no", "a", "40", "5"]);
    let dataset = Dataset::open(&config).unwrap();
    assert_eq!(*dataset.rows[1].image, *dir.path().join("c/a.png"));
    assert_eq!(dataset.missing_counts(), [2, 2]);
}

#[test]
fn sub_folders_become_labels_that_are_filled_in() {
    let dir = folder(&["shoes/1.png", "shoes/2.png", "bags, large/deep/1.png", "rest/1.png", "0.png"]);
    let found = find(dir.path());
    let mut kind = DraftTask::of_folders("kind", &found);
    assert_eq!(kind.labels, ["bags, large", "rest", "shoes"]);
    kind.labels.retain(|label| label != "rest");
    let created = draft(dir.path(), vec![task("new", "yes,no"), kind]).write(&training()).unwrap();
    let dataset = Dataset::open(&Config::open(&created.config).unwrap()).unwrap();
    let labels: Vec<_> = dataset.rows.iter().map(|row| row.labels[1].class()).collect();
    assert_eq!(labels, [None, Some(0), None, Some(1), Some(1)]);
    assert!(dataset.problems.iter().all(|problem| problem.row.is_none()), "{:?}", dataset.problems);
}

/// The cells of each column but the first, by row, of the CSV that a folder becomes.
fn csv_of(files: &[&str]) -> (Vec<String>, Vec<String>) {
    let dir = folder(files);
    let found = find(dir.path());
    let task = DraftTask::of_folders("animal", &found);
    let labels = task.labels.clone();
    let created = ProjectDraft { found: Arc::new(found), tasks: vec![task] }.write(&training()).unwrap();
    let config = Config::open(&created.config).unwrap();
    let csv = fs::read_to_string(&created.table).unwrap();
    let has_split = csv.starts_with("image_path,animal,split\n");
    assert_eq!(config.model.split_column.as_deref(), has_split.then_some("split"));
    assert!(Dataset::open(&config).unwrap().problems.iter().all(|problem| problem.row.is_none()));
    (labels, csv.lines().skip(1).map(str::to_owned).collect())
}

#[test]
fn folders_of_a_split_are_no_labels_but_a_column() {
    let files = [
        "Train/cat/1.png",
        "Train/dog/2.png",
        "valid/cat/3.png",
        "valid/dog/4.png",
        "TESTING/dog/5.png",
        "0.png",
    ];
    let (labels, rows) = csv_of(&files);
    assert_eq!(labels, ["dog", "cat"]);
    assert_eq!(
        rows,
        [
            "0.png,,",
            "TESTING/dog/5.png,dog,test",
            "Train/cat/1.png,cat,train",
            "Train/dog/2.png,dog,train",
            "valid/cat/3.png,cat,validation",
            "valid/dog/4.png,dog,validation",
        ]
    );
}

#[test]
fn without_a_folder_for_validation_some_of_train_validates() {
    let names: Vec<String> = (0..10).map(|n| format!("train/{}/{n}.png", ["cat", "dog"][n % 2])).collect();
    let mut files: Vec<&str> = names.iter().map(String::as_str).collect();
    files.push("test/cat/10.png");
    let (_, rows) = csv_of(&files);
    let of = |part: &str| rows.iter().filter(|row| row.ends_with(part)).count();
    assert_eq!((of(",train"), of(",validation"), of(",test")), (8, 2, 1), "{rows:?}");
}

#[test]
fn folders_are_no_split_beside_others_and_one_of_them_makes_no_column() {
    let (labels, rows) = csv_of(&["train/cat/1.png", "plane/2.png"]);
    assert_eq!((labels, &*rows[0]), (vec!["plane".to_owned(), "train".to_owned()], "plane/2.png,plane"));
    let (labels, rows) = csv_of(&["train/cat/1.png", "train/dog/2.png"]);
    assert_eq!((labels, &*rows[0]), (vec!["cat".to_owned(), "dog".to_owned()], "train/cat/1.png,cat"));
    let dir = folder(&["train/1.png", "test/2.png"]);
    assert_eq!(find(dir.path()).sub_folders, [""; 0], "no class");
    let dir = folder(&["train/a/1.png", "test/b/2.png"]);
    let found = find(dir.path());
    let draft = ProjectDraft { tasks: vec![DraftTask::of_folders("split", &found)], found: Arc::new(found) };
    assert!(draft.obstacle().unwrap().contains("column of the split"));
}

#[test]
fn a_folder_in_another_unicode_form_is_the_same_label() {
    let dir = folder(&["caf\u{e9}/1.png", "train/2.png"]);
    let found = find(dir.path());
    let mut task = DraftTask::of_folders("place", &found);
    task.add_label("cafe\u{301}");
    assert_eq!(task.labels.len(), 2);
}

#[test]
fn files_that_are_there_stay_and_the_new_ones_get_free_names() {
    let dir = folder(&["a.png", "labels.csv", "labels_2.csv.edits/journal", "config.yml"]);
    let draft = draft(dir.path(), vec![task("x", "a,b")]);
    let created = draft.write(&training()).unwrap();
    assert_eq!(created.table, dir.path().join("labels_3.csv"));
    assert_eq!(created.config, dir.path().join("labels_3.yml"));
    assert_eq!(fs::read_to_string(dir.path().join("config.yml")).unwrap(), "");
    assert!(Config::open(&created.config).unwrap().paths.model_dataframe.ends_with("labels_3.csv"));
    assert_eq!(draft.write(&training()).unwrap().table, dir.path().join("labels_4.csv"));
}
