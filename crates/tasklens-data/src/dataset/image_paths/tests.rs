use std::fs;

use super::*;

/// A folder with empty files of these names.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    files.iter().for_each(|file| put(dir.path(), file));
    dir
}

fn put(folder: &Path, file: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "").unwrap();
}

fn finder(dir: &tempfile::TempDir) -> ImageFinder {
    ImageFinder::new(&dir.path().join("x.csv"), None)
}

/// Where the image of a cell is, relative to the folder, and what is said of it.
fn located(dir: &tempfile::TempDir, cell: &str) -> (String, Vec<String>) {
    let Located { paths, guesses } = finder(dir).locate(&[cell.to_owned()]);
    let path = paths[0].strip_prefix(dir.path()).unwrap_or(&paths[0]).display().to_string();
    (path, guesses.notes(&|row| row as u64 + 2))
}

#[test]
fn what_a_cell_plainly_says_is_read_without_a_word() {
    let dir = folder(&["img/a.png", "img/b c.png", "50%25.png"]);
    let root = dir.path().display();
    let cases = [
        ("img/a.png", "img/a.png"),
        ("./img/a.png", "./img/a.png"),
        ("50%25.png", "50%25.png"),
        (&format!("file://{root}/img/b%20c.png"), "img/b c.png"),
        (&format!("FILE://localhost{root}/img/a.png"), "img/a.png"),
        (&format!("file:{root}/img/a.png"), "img/a.png"),
        (&format!("{root}/img/a.png"), "img/a.png"),
        ("file:img/a.png", "img/a.png"),
        #[cfg(not(windows))]
        (r".\img\a.png", "./img/a.png"),
    ];
    for (cell, expected) in cases {
        let found = located(&dir, cell);
        assert_eq!((found.0.replace("./", ""), found.1), (expected.replace("./", ""), vec![]), "{cell}");
    }
}

/// On disks that tell such names apart.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_nearly_named_is_read_and_told() {
    let dir = folder(&[
        "Images/a.jpg",
        "cafe\u{301}/x.png",
        "my pics/\u{c4}b.PNG",
        "7.jpeg",
        "scan.tiff",
        "50%.png",
    ]);
    let cases = [
        ("images/A.JPG", "Images/a.jpg", "different upper and lower case"),
        (r"IMAGES\a.jpg", "Images/a.jpg", "different upper and lower case"),
        ("caf\u{e9}/x.png", "cafe\u{301}/x.png", "another Unicode form"),
        ("my%20pics/%C3%84b.PNG", "my pics/\u{c4}b.PNG", "without percent signs"),
        ("my%20pics/A\u{308}B.png", "my pics/\u{c4}b.PNG", "different upper and lower case"),
        ("7", "7.jpeg", "another file extension"),
        ("7.jpg", "7.jpeg", "another file extension"),
        ("SCAN.TIF", "scan.tiff", "another file extension"),
        ("50%25.png", "50%.png", "without percent signs"),
    ];
    for (cell, expected, what) in cases {
        let (path, notes) = located(&dir, cell);
        assert_eq!(path, expected, "{cell}");
        let [note] = &notes[..] else { panic!("{cell}: {notes:?}") };
        assert!(note.starts_with("1 image is read from a file that has"), "{note}");
        assert!(note.contains(what) && note.ends_with(&format!("for `{cell}` on line 2")), "{note}");
    }
    for cell in ["images/b.jpg", "cafe/x.png", "7.png", "8", "50%zz.png", "a.jpg"] {
        assert_eq!(located(&dir, cell), (cell.to_owned(), vec![]), "{cell}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn guesses_are_told_once_a_kind() {
    let dir = folder(&["a.jpg", "b.jpg", "c.jpg"]);
    let cells = ["a.jpg", "B.JPG", "C.jpg", "a", "none"].map(str::to_owned);
    let notes = finder(&dir).locate(&cells).guesses.notes(&|row| row as u64 + 2);
    let [case, ending] = &notes[..] else { panic!("{notes:?}") };
    assert!(case.starts_with("2 images are read") && case.ends_with("for `B.JPG` on line 3"), "{case}");
    assert!(ending.starts_with("1 image is read") && ending.ends_with("for `a` on line 5"), "{ending}");
}

#[cfg(target_os = "linux")]
#[test]
fn of_several_files_that_could_be_meant_none_is_taken() {
    let dir = folder(&["a.JPG", "A.jpg", "b.png", "b.jpg", "Img/c.png", "IMG/c.png", "IMG/d.png"]);
    for (cell, others) in
        [("a.jpg", ["a.JPG", "A.jpg"]), ("b", ["b.png", "b.jpg"]), ("img/c.png", ["Img/", "IMG/"])]
    {
        assert_eq!(located(&dir, cell), (cell.to_owned(), vec![]), "{cell}");
        let why = finder(&dir).why_missing(cell);
        assert!(
            why.contains("it could be any of") && others.iter().all(|other| why.contains(other)),
            "{why}"
        );
    }
    // The other folder of that name has none.
    assert_eq!(located(&dir, "img/d.png").0, "IMG/d.png");
    // One file by two names is no question.
    std::os::unix::fs::symlink(dir.path().join("b.png"), dir.path().join("e.png")).unwrap();
    fs::hard_link(dir.path().join("b.png"), dir.path().join("e.jpg")).unwrap();
    assert_ne!(located(&dir, "e").0, "e");
}

#[cfg(unix)]
#[test]
fn the_likely_cause_of_a_missing_image_is_named() {
    let dir = folder(&["img/0.png", "img/1.jpg"]);
    let root = dir.path().display();
    let why = |cell: &str| finder(&dir).why_missing(cell);
    let cases = [
        (r"C:\Users\me\img\0.png", "is a Windows path of another computer", "here `img/0.png`, which exists"),
        (
            "D:/x/img/9.png",
            "is a Windows path of another computer",
            "such as `img/9.png`, and put the file there",
        ),
        ("file:///C:/Users/me/img/0.png", "is a Windows path of another computer", "here `img/0.png`"),
        (r"\\server\share\1.png", "is a Windows path of another computer", "such as `share/1.png`"),
        ("https://example.org/img/0.png", "is a URL: download it first", ""),
        ("s3://bucket/img/0.png", "is a URL: download it first", ""),
        (
            "/home/nobody_here/img/0.png",
            "is missing: there is no folder /home/nobody_here on this",
            "here `img/0.png`",
        ),
        ("file:///home/nobody_here/img/0.png", "is missing: there is no folder", "here `img/0.png`"),
        ("file://server/img/0.png", "is a URL", ""),
        ("img/1.png", "is missing, but", "write it so in the CSV"),
        ("pics/old/0.png", &format!("is missing: there is no folder {root}/pics; check"), ""),
        ("img/2.png", "is missing: check the path in the CSV, or put the file there", ""),
    ];
    for (cell, cause, advice) in cases {
        let why = why(cell);
        assert!(why.contains(cause) && why.contains(advice), "{cell}: {why}");
    }
    let two = ImageFinder::new(&dir.path().join("x.csv"), Some(Path::new("/pool"))).why_missing("img/2.png");
    assert!(two.contains("2.png is missing, nor is it in /pool: check"), "{two}");
}

#[test]
fn an_image_that_is_in_both_folders_is_told() {
    let dir = folder(&["csv/a.png", "csv/b.png", "pool/a.png", "pool/c.png"]);
    let at = |name: &str| dir.path().join(name);
    let finder = ImageFinder::new(&at("csv/x.csv"), Some(&at("pool")));
    let Located { paths, guesses } = finder.locate(&["a.png", "b.png", "c.png"].map(str::to_owned));
    assert_eq!(paths, [at("csv/a.png"), at("csv/b.png"), at("pool/c.png")]);
    let notes = guesses.notes(&|row| row as u64 + 2);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].starts_with("1 image is there twice") && notes[0].contains("`a.png` on line 2"),
        "{notes:?}"
    );
}

#[test]
fn in_a_large_table_a_sample_under_one_root_decides_for_all() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let roots = [first.path().to_path_buf(), second.path().to_path_buf()];
    let locate = |cells: &[String]| ImageFinder::of_folders(roots.to_vec()).locate(cells);
    put(&roots[1], "b.jpg");
    let mut cells = vec!["b.jpg".to_owned(); LOOKED_UP + 1];
    // Not in the sample: missing, and taken to be where the others are.
    cells[1] = "lost.jpg".to_owned();
    let paths = locate(&cells).paths;
    assert_eq!((&paths[0], &paths[1]), (&roots[1].join("b.jpg"), &roots[1].join("lost.jpg")));

    // Two roots: every path is looked up.
    put(&roots[0], "a.jpg");
    cells.iter_mut().step_by(2).for_each(|cell| *cell = "a.jpg".to_owned());
    let paths = locate(&cells).paths;
    assert_eq!(paths.len(), cells.len());
    assert_eq!(
        (&paths[0], &paths[1], &paths[3]),
        (&roots[0].join("a.jpg"), &roots[0].join("lost.jpg"), &roots[1].join("b.jpg"))
    );
}

#[cfg(target_os = "linux")]
#[test]
fn in_a_large_table_a_guess_in_the_sample_has_every_row_looked_up() {
    let dir = folder(&["a.jpg"]);
    let mut cells = vec!["A.JPG".to_owned(); LOOKED_UP + 1];
    cells[1] = "a".to_owned();
    let Located { paths, guesses } = finder(&dir).locate(&cells);
    assert!(paths.iter().all(|path| *path == dir.path().join("a.jpg")));
    let notes = guesses.notes(&|row| row as u64 + 2);
    assert!(
        notes[0].starts_with("10000 images are read") && notes[1].starts_with("1 image is read"),
        "{notes:?}"
    );
}
