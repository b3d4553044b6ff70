//! Folders of images as people have them, and the projects that come of them.

use std::fs;

use super::*;
use crate::dataset::Dataset;

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

fn find(dir: &Path) -> Found {
    find_images(dir, &mut |_| true).unwrap()
}

fn task(name: &str, labels: &str) -> DraftTask {
    let mut task = DraftTask { name: name.to_owned(), ..DraftTask::default() };
    task.add_labels(labels);
    task
}

fn draft(dir: &Path, tasks: Vec<DraftTask>) -> Draft {
    Draft { found: Arc::new(find(dir)), tasks }
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
    assert_eq!(found.notices, ["Folders named `runs` are left out: trained networks go there."]);
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
    assert_eq!(find(dir.path()).images, ["b.png", "in/a.png", "one/deep/further.png", "one/far.png"]);
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
    assert!(draft.found.notices[0].ends_with("and 1 more."), "{:?}", draft.found.notices);
    let created = draft.write().unwrap();
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
    assert!(nothing.write().is_err());
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_becomes_a_project_without_labels() {
    let dir = folder(&["b.png", "c/a.png"]);
    let tasks = vec![task(" sleeves ", "short, long"), task("size: \"EU\"", "1.0, no, a, 40,5")];
    let created = draft(dir.path(), tasks).write().unwrap();
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
    assert_eq!(dataset.rows[1].image, dir.path().join("c/a.png"));
    assert_eq!(dataset.missing_counts(), [2, 2]);
}

#[test]
fn sub_folders_become_labels_that_are_filled_in() {
    let dir = folder(&["shoes/1.png", "shoes/2.png", "bags, large/deep/1.png", "rest/1.png", "0.png"]);
    let found = find(dir.path());
    let mut kind = DraftTask::of_folders("kind", &found);
    assert_eq!(kind.labels, ["bags, large", "rest", "shoes"]);
    kind.labels.retain(|label| label != "rest");
    let created = draft(dir.path(), vec![task("new", "yes,no"), kind]).write().unwrap();
    let dataset = Dataset::open(&Config::open(&created.config).unwrap()).unwrap();
    let labels: Vec<_> = dataset.rows.iter().map(|row| row.labels[1]).collect();
    assert_eq!(labels, [None, Some(0), None, Some(1), Some(1)]);
    assert!(dataset.problems.iter().all(|problem| problem.row.is_none()), "{:?}", dataset.problems);
}

#[test]
fn files_that_are_there_stay_and_the_new_ones_get_free_names() {
    let dir = folder(&["a.png", "labels.csv", "labels_2.csv.edits/journal", "config.yml"]);
    let draft = draft(dir.path(), vec![task("x", "a,b")]);
    let created = draft.write().unwrap();
    assert_eq!(created.table, dir.path().join("labels_3.csv"));
    assert_eq!(created.config, dir.path().join("labels_3.yml"));
    assert_eq!(fs::read_to_string(dir.path().join("config.yml")).unwrap(), "");
    assert!(Config::open(&created.config).unwrap().paths.model_dataframe.ends_with("labels_3.csv"));
    assert_eq!(draft.write().unwrap().table, dir.path().join("labels_4.csv"));
}
