//! Other programs, other windows and files that are not what their names say.

use super::*;
use crate::files::fault::{Call, DiskFault, inject, meanwhile};

#[test]
fn what_another_program_corrects_is_not_turned_back_as_a_killed_save() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "striped");
    assert!(window.undo());
    drop(window);
    // Nothing was ever saved here: this is a person's correction.
    let corrected = CSV.replace("a.jpg,solid", "a.jpg,striped");
    std::fs::write(shop.csv(), &corrected).unwrap();
    let mut window = shop.open();
    assert_eq!((window.text(0, PRINT).as_str(), window.state.pending_count()), ("striped", 0));
    window.save(OnConflict::Ask);
    assert_eq!(shop.text(), corrected);
}

#[test]
fn nor_after_a_save_that_failed_or_was_never_begun() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "striped");
    window.label(1, PRINT, "solid");
    window.undo();
    // A save is cut short before the file is replaced; then the edit is undone.
    let taken = window.state.pending();
    let save =
        Save { dataset: &window.dataset, edits: &taken, on_conflict: OnConflict::Ask, last_written: None };
    let mut entries = Vec::new();
    let killed = save.run(&mut |entry| {
        entries.push(entry);
        anyhow::bail!("killed")
    });
    assert!(killed.is_err());
    window.journal.append(&entries[..1]).unwrap();
    assert!(window.undo());
    drop(window);
    std::fs::write(shop.csv(), CSV.replace("a.jpg,solid", "a.jpg,striped").replace("c.jpg,,", "c.jpg,,long"))
        .unwrap();
    let window = shop.open();
    assert_eq!((window.text(0, PRINT).as_str(), window.state.pending_count()), ("striped", 0));
    assert!(
        window.warnings[0].contains("has `striped` for a.jpg, print: it was being saved"),
        "{:?}",
        window.warnings
    );
    drop(window);
    assert_eq!(shop.open().warnings, Vec::<String>::new(), "said once");
}

#[test]
fn rows_that_were_read_before_another_window_saved_are_read_anew() {
    let shop = Shop::new(CSV);
    let early = shop.dataset();
    let mut other = shop.open();
    other.label(0, PRINT, "floral");
    other.save(OnConflict::Ask);
    drop(other);
    let window = shop.open_rows(early.clone());
    assert_eq!(window.text(0, PRINT), "floral", "the journal says that it is in the CSV");
    assert_eq!(window.dataset.rows[0].labels[PRINT].class(), Some(1));
    drop(window);
    let (dataset, state) = look_from(&shop.config(), early).unwrap();
    assert_eq!(state.label_text(&dataset, 0, PRINT).as_deref(), Some("floral"));
}

#[test]
fn only_what_another_program_wrote_is_read_anew_after_a_save() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    let mut last_written: Option<String> = None;
    let mut save = |window: &mut Window| {
        let edits = window.state.pending();
        let last = last_written.clone();
        let save = Save {
            dataset: &window.dataset,
            edits: &edits,
            on_conflict: OnConflict::Ask,
            last_written: last.as_deref(),
        };
        let outcome = save.run(&mut |entry| Ok(window.journal.append(&[entry])?)).unwrap();
        window.journal.append(&window.state.note_saved(&mut outcome.clone())).unwrap();
        last_written.clone_from(&outcome.written_digest);
        outcome.file_changed
    };
    window.label(0, PRINT, "floral");
    assert!(!save(&mut window));
    window.label(0, PRINT, "striped");
    assert!(!save(&mut window), "the file is as our own save left it");
    window.label(0, PRINT, "solid");
    std::fs::write(shop.csv(), shop.text() + "d.jpg,,\n").unwrap();
    assert!(save(&mut window));
    assert_eq!(shop.text(), CSV.to_owned() + "d.jpg,,\n");
}

#[test]
fn what_another_program_writes_while_a_save_waits_for_the_disk_is_kept() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    // The journal and the backup are synced first; the CSV's own sync is the last before its rename.
    let csv = shop.csv();
    let theirs = CSV.replace("c.jpg,,", "c.jpg,striped,");
    let outcome = meanwhile(
        Call::Sync,
        {
            let theirs = theirs.clone();
            move || std::fs::write(csv, theirs).unwrap()
        },
        || window.save(OnConflict::Ask),
    );
    assert_eq!(shop.text(), theirs.replace("a.jpg,solid", "a.jpg,floral"));
    assert_eq!((outcome.file_changed, shop.backups().len()), (true, 1));
}

#[test]
fn a_save_that_finds_only_conflicts_after_another_program_wrote_is_noted_as_ended() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    let (csv, theirs) = (shop.csv(), CSV.replace("a.jpg,solid", "a.jpg,striped"));
    let act = move || std::fs::write(csv, theirs).unwrap();
    let outcome = meanwhile(Call::Sync, act, || window.save(OnConflict::Ask));
    assert_eq!((outcome.conflicts.len(), outcome.backup), (1, None));
    assert_eq!(Journal::look(&shop.csv()).unwrap().saving, None, "else it would be taken for cut short");
}

#[test]
fn a_csv_that_is_gone_is_waited_for() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    let away = shop.dir.path().join("away.csv");
    std::fs::rename(shop.csv(), &away).unwrap();
    let error = window.write(&window.state.pending(), OnConflict::Ask).unwrap_err().to_string();
    assert!(error.contains("garments.csv no longer exists: put it back, and save again"), "{error}");
    std::fs::rename(&away, shop.csv()).unwrap();
    window.save(OnConflict::Ask);
    assert_eq!(shop.text(), CSV.replace("a.jpg,solid", "a.jpg,floral"));
}

#[cfg(unix)]
#[test]
fn a_read_only_csv_is_not_replaced() {
    use std::os::unix::fs::PermissionsExt as _;
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    std::fs::set_permissions(shop.csv(), std::fs::Permissions::from_mode(0o444)).unwrap();
    let error = format!("{:#}", window.write(&window.state.pending(), OnConflict::Ask).unwrap_err());
    assert!(error.contains("garments.csv cannot be saved: it is read-only; make it writable"), "{error}");
    assert_eq!((shop.text().as_str(), window.state.pending_count(), shop.backups().len()), (CSV, 1, 0));
}

#[test]
fn a_journal_restored_to_the_same_bytes_is_gone_on_with() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    // As `git stash` and `git stash pop` do with the whole folder.
    let folder = folder_of(&shop.csv());
    let bytes = std::fs::read(shop.journal()).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(shop.journal(), &bytes).unwrap();
    window.label(1, PRINT, "striped");
    let denied = shop.open().journal.denied().map(str::to_owned);
    assert!(denied.is_some_and(|why| why.contains("another window")), "the lock was taken along");
    drop(window);
    assert_eq!(shop.open().prints(), ["floral", "striped", ""]);
}

#[test]
fn a_journal_restored_to_an_earlier_state_is_not_written() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    let early = std::fs::read(shop.journal()).unwrap();
    window.label(1, PRINT, "striped");
    let restored = shop.dir.path().join("restored");
    for bytes in [early, std::fs::read(shop.journal()).unwrap().iter().map(u8::to_ascii_uppercase).collect()]
    {
        std::fs::write(&restored, &bytes).unwrap();
        std::fs::rename(&restored, shop.journal()).unwrap();
        let change = window.state.label_change(&window.dataset, 2, PRINT, Some("solid"));
        let entry = [window.state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap()];
        let error = window.journal.append(&entry).unwrap_err().to_string();
        assert!(error.contains("was moved, deleted or changed by another program"), "{error}");
        assert_eq!(std::fs::read(shop.journal()).unwrap(), bytes);
        window.state.undo();
    }
}

#[test]
fn what_is_written_while_the_journal_is_swapped_is_not_said_to_be_kept() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    let change = window.state.label_change(&window.dataset, 1, PRINT, Some("striped"));
    let entry = [window.state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap()];
    let journal = shop.journal();
    let before = std::fs::read(&journal).unwrap();
    let swapped = before.clone();
    let told = meanwhile(
        Call::Sync,
        move || {
            let other = journal.with_extension("new");
            std::fs::write(&other, &swapped).unwrap();
            std::fs::rename(&other, &journal).unwrap();
        },
        || window.journal.append(&entry),
    );
    assert!(told.is_err(), "it went into a file that has no name any more");
    assert_eq!(std::fs::read(shop.journal()).unwrap(), before);
    // It is tried again, as the window does, and arrives.
    window.journal.append(&entry).unwrap();
    drop(window);
    assert_eq!(shop.open().prints(), ["floral", "striped", ""]);
}

#[test]
fn a_lock_that_is_deleted_keeps_nobody_in_doubt() {
    let shop = Shop::new(CSV);
    let mut first = shop.open();
    first.label(0, PRINT, "floral");
    std::fs::remove_file(folder_of(&shop.csv()).join("lock")).unwrap();
    // Another window finds no lock, and takes it.
    let mut second = shop.open();
    assert_eq!(second.journal.denied(), None);
    second.label(1, PRINT, "striped");
    let change = first.state.label_change(&first.dataset, 2, PRINT, Some("solid"));
    let entry = [first.state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap()];
    assert!(first.journal.append(&entry).is_err());
    drop((first, second));
    assert_eq!(shop.open().prints(), ["floral", "striped", ""]);
}

#[cfg(unix)]
#[test]
fn a_foreign_file_behind_a_link_is_neither_followed_nor_changed() {
    let foreign_text = "not ours\nand without an end";
    for name in ["journal.jsonl", "lock"] {
        let shop = Shop::new(CSV);
        let foreign = shop.dir.path().join("thesis.txt");
        std::fs::write(&foreign, foreign_text).unwrap();
        std::fs::create_dir(folder_of(&shop.csv())).unwrap();
        std::os::unix::fs::symlink(&foreign, folder_of(&shop.csv()).join(name)).unwrap();
        match open(&shop.config(), &shop.dataset()) {
            Ok(opened) => {
                assert!(opened.journal.denied().is_some_and(|why| why.contains("is a link")), "{name}");
            }
            Err(error) => assert!(error.to_string().contains("is not a regular file"), "{name}: {error}"),
        }
        assert_eq!(std::fs::read_to_string(&foreign).unwrap(), foreign_text, "{name}");
    }
    // A link in place of the whole folder.
    let (shop, other) = (Shop::new(CSV), Shop::new(CSV));
    other.open().label(0, PRINT, "floral");
    let before = std::fs::read(other.journal()).unwrap();
    std::os::unix::fs::symlink(folder_of(&other.csv()), folder_of(&shop.csv())).unwrap();
    let mut window = shop.open();
    assert_eq!(window.text(0, PRINT), "solid");
    let change = window.state.label_change(&window.dataset, 2, PRINT, Some("solid"));
    let entry = [window.state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap()];
    let error = window.journal.append(&entry).unwrap_err().to_string();
    assert!(error.contains("there is a file or a link of that name"), "{error}");
    assert_eq!(std::fs::read(other.journal()).unwrap(), before);
}

#[test]
fn a_file_of_that_name_that_is_no_journal_is_not_written() {
    for text in ["half a line", "id,name\n1,Anna\n", "{\"tasklens_editor\":1}\n"] {
        let shop = Shop::new(CSV);
        std::fs::create_dir(folder_of(&shop.csv())).unwrap();
        std::fs::write(shop.journal(), text).unwrap();
        let window = shop.open();
        let denied = window.journal.denied().unwrap_or_default().to_owned();
        assert!(denied.contains("is not a journal of label edits; move it elsewhere"), "{denied}");
        drop(window);
        assert_eq!(std::fs::read_to_string(shop.journal()).unwrap(), text);
    }
}

#[test]
fn looking_locks_makes_and_mends_nothing() {
    let shop = Shop::new(CSV);
    look(&shop.config()).unwrap();
    assert!(!folder_of(&shop.csv()).exists());
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    window.write(&window.state.pending(), OnConflict::Ask).unwrap();
    drop(window);
    let mut torn = std::fs::read(shop.journal()).unwrap();
    torn.extend(b"{\"step\":{\"num");
    std::fs::write(shop.journal(), &torn).unwrap();
    std::fs::remove_file(folder_of(&shop.csv()).join("lock")).unwrap();
    let (dataset, state) = look(&shop.config()).unwrap();
    assert_eq!((state.label_text(&dataset, 0, PRINT).as_deref(), state.pending_count()), (Some("floral"), 0));
    assert_eq!(std::fs::read(shop.journal()).unwrap(), torn);
    assert!(!folder_of(&shop.csv()).join("lock").exists());
}

#[test]
fn what_a_killed_save_left_half_written_goes_when_the_project_is_opened() {
    let left = |shop: &Shop| {
        let names = std::fs::read_dir(shop.dir.path()).unwrap().map(|entry| entry.unwrap().path());
        names.filter(|path| path.to_string_lossy().contains(".tasklens-")).collect::<Vec<_>>()
    };
    // Killed at one call after the other, until it had begun to write the CSV anew.
    let mut shops = (0..).map(|at| {
        let shop = Shop::new(CSV);
        let mut window = shop.open();
        window.label(0, PRINT, "floral");
        let edits = window.state.pending();
        assert!(inject(at, DiskFault::Killed, || window.write(&edits, OnConflict::Ask)).0.is_err());
        shop
    });
    let shop = shops.find(|shop| left(shop).len() == 1).unwrap();
    remove_leftovers(&shop.csv());
    assert_eq!(left(&shop).len(), 1, "it might be another program's, at work");
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    std::fs::File::options().write(true).open(&left(&shop)[0]).unwrap().set_modified(hour_ago).unwrap();
    look(&shop.config()).unwrap();
    assert_eq!(left(&shop).len(), 1, "looking changes nothing");
    remove_leftovers(&shop.csv());
    assert_eq!(left(&shop), Vec::<PathBuf>::new());
}
