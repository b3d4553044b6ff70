//! What can happen to the journal: torn and damaged lines, other windows, disks that refuse.

use super::*;

/// A journal of two steps; the label of row 0 is `floral`, then `striped`.
fn two_steps(shop: &Shop) -> Vec<u8> {
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    window.label(0, PRINT, "striped");
    std::fs::read(shop.journal()).unwrap()
}

#[test]
fn a_line_torn_at_any_byte_costs_only_itself() {
    let shop = Shop::new(CSV);
    let whole = two_steps(&shop);
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for end in last..=whole.len() {
        std::fs::write(shop.journal(), &whole[..end]).unwrap();
        let mut window = shop.open();
        let expected = if end + 1 >= whole.len() { "striped" } else { "floral" };
        assert_eq!(window.text(0, PRINT), expected, "torn at {end}");
        assert_eq!(window.warnings, Vec::<String>::new(), "torn at {end}");
        window.label(1, PRINT, "solid");
        drop(window);

        let window = shop.open();
        assert_eq!(window.prints(), [expected, "solid", ""], "torn at {end}");
        assert_eq!(window.warnings, Vec::<String>::new(), "torn at {end}");
    }
    // Torn in its first lines.
    for end in (0..last).step_by(5) {
        std::fs::write(shop.journal(), &whole[..end]).unwrap();
        let mut window = shop.open();
        window.label(2, PRINT, "solid");
        drop(window);
        let window = shop.open();
        assert_eq!((window.text(2, PRINT).as_str(), window.warnings.len()), ("solid", 0), "torn at {end}");
        assert!(std::fs::read(shop.journal()).unwrap().starts_with(b"{\"tasklens_edits\":1}\n"));
    }
}

#[test]
fn a_damaged_line_is_named_and_the_rest_is_kept() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    window.label(1, PRINT, "striped");
    window.label(2, PRINT, "striped");
    window.undo();
    window.save(OnConflict::Ask);
    window.label(2, PRINT, "solid");
    drop(window);
    let text = std::fs::read_to_string(shop.journal()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 8);
    let with = |line: usize, damage: &str| {
        let mut lines = lines.clone();
        lines[line - 1] = damage;
        std::fs::write(shop.journal(), lines.join("\n") + "\n").unwrap();
        shop.open()
    };

    // The CSV has the label of the damaged step already; it must not be taken back.
    let window = with(2, "{\"step\":{\"number\":1,\0\0\0");
    assert_eq!(window.prints(), ["floral", "striped", "solid"]);
    assert_eq!((window.warnings.len(), window.state.pending_count()), (1, 1));
    let start = format!("{}, line 2: this label edit is skipped, it is damaged", shop.journal().display());
    assert!(window.warnings[0].starts_with(&start), "{}", window.warnings[0]);
    drop(window);

    let window = with(4, "");
    assert!(
        window.warnings[0]
            .ends_with("line 5: this label edit is skipped, it undoes step 3, which does not exist")
    );
    assert_eq!(window.prints(), ["floral", "striped", "solid"]);
    drop(window);

    // Without its undo, the step before it still tells that the label was taken back.
    let window = with(1, "nonsense");
    assert_eq!((window.prints()[2].as_str(), window.warnings.len()), ("solid", 1));
    drop(window);

    // The next append leaves the damaged line alone, and takes nothing with it.
    let mut window = with(3, "x");
    window.label(0, SLEEVES, "long");
    drop(window);
    let window = shop.open();
    assert_eq!((window.warnings.len(), window.text(0, SLEEVES).as_str()), (1, "long"));
}

#[test]
fn an_undo_tells_of_the_undo_before_it_that_is_damaged() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    for label in ["floral", "striped"] {
        window.label(0, PRINT, label);
    }
    assert!(window.undo() && window.undo());
    drop(window);
    let text = std::fs::read_to_string(shop.journal()).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[3] = "?";
    std::fs::write(shop.journal(), lines.join("\n") + "\n").unwrap();
    let mut window = shop.open();
    assert_eq!(window.text(0, PRINT), "solid");
    assert!(window.redo() && window.redo() && !window.redo());
    assert_eq!(window.text(0, PRINT), "striped");
}

#[test]
fn a_second_window_reads_and_is_told_what_to_do() {
    let shop = Shop::new(CSV);
    let mut first = shop.open();
    first.label(0, PRINT, "floral");
    let mut second = shop.open();
    assert_eq!(second.text(0, PRINT), "floral");
    let told = format!(
        "the labels of {} are being edited in another window of Tasklens; edit there, or close it and open the project here again",
        shop.csv().display()
    );
    assert_eq!(second.journal.denied(), Some(told.as_str()));
    let change = second.state.label_change(&second.dataset, 1, PRINT, None);
    let entry = second.state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap();
    assert_eq!(second.journal.append(std::slice::from_ref(&entry)).unwrap_err().to_string(), told);
    first.label(0, PRINT, "striped");
    drop(first);
    let window = shop.open();
    assert_eq!((window.prints()[..2].concat(), window.journal.denied()), ("stripedfloral".to_owned(), None));
}

#[test]
fn two_windows_on_a_project_without_edits_do_not_mix_theirs() {
    let shop = Shop::new(CSV);
    let (mut first, mut second) = (shop.open(), shop.open());
    first.label(0, PRINT, "floral");
    let change = second.state.label_change(&second.dataset, 1, PRINT, None);
    let entry = [second.state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap()];
    let refused = second.journal.append(&entry).unwrap_err().to_string();
    assert!(refused.contains("another window of Tasklens"), "{refused}");
    drop(first);
    let refused = second.journal.append(&entry).unwrap_err().to_string();
    assert!(refused.contains("were edited in another window meanwhile; open the project again"), "{refused}");
    assert_eq!(shop.open().prints(), ["floral", "floral", ""]);
}

/// Not a test by itself: the other process of the test below.
#[test]
fn holds_the_lock_as_another_process() {
    let Some(csv) = std::env::var_os("TASKLENS_TEST_LOCKED_CSV").map(PathBuf::from) else { return };
    let mut opened = Journal::open(&csv).unwrap();
    opened
        .journal
        .append(&[opened.state.edit(Step::now(AnnotationSource::Hand, vec![sleeveless()])).unwrap()])
        .unwrap();
    std::fs::write(csv.with_extension("locked"), "").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(600));
}

fn sleeveless() -> AnnotationChange {
    let field = Field::Label("sleeves".into());
    AnnotationChange { image: "a.jpg".into(), field, before: Some("short".into()), after: None }
}

#[test]
fn a_killed_window_keeps_what_it_reported_and_no_lock() {
    let shop = Shop::new(CSV);
    let mut other = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "dataset::edits::tests::journal::holds_the_lock_as_another_process"])
        .env("TASKLENS_TEST_LOCKED_CSV", shop.csv())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !shop.csv().with_extension("locked").exists() {
        assert!(other.try_wait().unwrap().is_none(), "the other process ended early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let denied = shop.open().journal.denied().map(str::to_owned);
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(denied.is_some_and(|why| why.contains("another window")));
    let window = shop.open();
    assert_eq!((window.journal.denied(), window.text(0, SLEEVES).as_str()), (None, ""));
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone() {
    let shop = Shop::new(CSV);
    std::fs::create_dir(folder_of(&shop.csv())).unwrap();
    let newer = "{\"tasklens_edits\":3}\n{\"better\":true}\n{\"unfini";
    std::fs::write(shop.journal(), newer).unwrap();
    let error = Journal::open(&shop.csv()).unwrap_err().to_string();
    let expected = "was written by a newer Tasklens (format 3, this one reads 2); install the newest version";
    assert!(error.contains(expected), "{error}");
    assert_eq!(std::fs::read_to_string(shop.journal()).unwrap(), newer);
}

#[test]
fn a_journal_that_is_deleted_while_open_is_not_written_into_nothing() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    std::fs::rename(shop.journal(), shop.dir.path().join("away")).unwrap();
    let entry = [window.state.undo().unwrap()];
    let error = window.journal.append(&entry).unwrap_err().to_string();
    assert!(error.contains("was moved, deleted or changed by another program; put it back"), "{error}");
    std::fs::rename(shop.dir.path().join("away"), shop.journal()).unwrap();
    window.journal.append(&entry).unwrap();
    drop(window);
    assert_eq!(shop.open().text(0, PRINT), "solid");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_says_what_to_do() {
    let shop = Shop::new(CSV);
    // A file where the folder should be: also the superuser cannot write into it.
    std::fs::write(folder_of(&shop.csv()), "").unwrap();
    let mut window = shop.open();
    let change = window.state.label_change(&window.dataset, 0, PRINT, None);
    let entry = [window.state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap()];
    let error = window.journal.append(&entry).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("label edits cannot be kept in {}", folder_of(&shop.csv()).display()))
    );
    assert!(
        error.ends_with("make that folder writable, or copy the CSV to a folder of yours and open it there")
    );
    // The disk is mended: the same entry goes in.
    std::fs::remove_file(folder_of(&shop.csv())).unwrap();
    window.journal.append(&entry).unwrap();
    drop(window);
    assert_eq!(shop.open().text(0, PRINT), "");
}

#[test]
fn edits_follow_a_project_that_is_moved() {
    let shop = Shop::new(CSV);
    shop.open().label(1, PRINT, "striped");
    let moved = Shop::new(CSV);
    std::fs::rename(folder_of(&shop.csv()), folder_of(&moved.csv())).unwrap();
    assert_eq!(moved.open().prints(), ["solid", "striped", ""]);
}
