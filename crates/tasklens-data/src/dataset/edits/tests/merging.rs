//! Saving: the user's file, other programs that change it, and what is never lost.

use super::*;

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2], mark: [u8; 2]) -> Vec<u8> {
    mark.into_iter().chain(text.encode_utf16().flat_map(to_bytes)).collect()
}

fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

#[test]
fn every_byte_but_the_edited_cells_stays() {
    let csv = "id;\"image\"; print ;note;sleeves\r\n1;\"ä;1.jpg\";\"solid\";\"zwei\r\nZeilen \"\"x\"\"\";short\r\n\r\n2; b.jpg ;floral;groß; long \r\n3;c.jpg\r\n4;d.jpg;striped;;short";
    let expected = "id;\"image\"; print ;note;sleeves\r\n1;\"ä;1.jpg\";\"floral\";\"zwei\r\nZeilen \"\"x\"\"\";short\r\n\r\n2; b.jpg ;floral;groß;\r\n3;c.jpg;;;long\r\n4;d.jpg;striped;;short";
    type Encode = fn(&str) -> Vec<u8>;
    let encodings: [Encode; 4] = [
        |text| text.as_bytes().to_vec(),
        latin,
        |text| utf16(text, u16::to_le_bytes, [0xff, 0xfe]),
        |text| utf16(text, u16::to_be_bytes, [0xfe, 0xff]),
    ];
    for encode in encodings {
        let shop = Shop::new(encode(csv));
        let mut window = shop.open();
        window.label(0, PRINT, "floral");
        window.label(1, SLEEVES, "");
        window.label(2, SLEEVES, "long");
        let outcome = window.save(OnConflict::Ask);
        assert_eq!(shop.read(), encode(expected));
        assert_eq!((outcome.rows_changed, outcome.written.len(), outcome.file_changed), (3, 3, false));
        let backup = outcome.backup.unwrap();
        assert_eq!(std::fs::read(&backup).unwrap(), encode(csv));
        assert_eq!(shop.backups(), [backup]);
        // And back again, by undo.
        assert!(window.undo() && window.undo() && window.undo());
        window.save(OnConflict::Ask);
        let spaces_go = csv.replace("; long \r", ";long\r").replace("3;c.jpg\r", "3;c.jpg;;;\r");
        assert_eq!(shop.read(), encode(&spaces_go));
    }
}

#[test]
fn after_a_save_nothing_is_pending_and_undo_is_a_new_edit() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    window.save(OnConflict::Ask);
    assert_eq!(window.state.pending_count(), 0);
    // The rows in memory have the old label still.
    assert_eq!(window.text(0, PRINT), "floral");
    assert_eq!(window.dataset.with_edits(&window.state.overlay()).rows[0].labels[PRINT].class(), Some(1));
    drop(window);

    let mut window = shop.open();
    assert!(window.state.is_empty());
    assert!(window.undo());
    assert_eq!((window.text(0, PRINT).as_str(), window.state.pending_count()), ("solid", 1));
    drop(window);
    let mut window = shop.open();
    let outcome = window.save(OnConflict::Ask);
    assert_eq!((outcome.rows_changed, outcome.conflicts), (1, vec![]));
    assert_eq!(shop.text(), CSV);
    assert!(window.redo());
    assert_eq!(window.state.pending_count(), 1);
}

#[test]
fn what_is_edited_while_a_save_runs_is_not_lost() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    window.label(1, PRINT, "solid");
    window.label(2, PRINT, "solid");
    let mut outcome = window.write(&window.state.pending(), OnConflict::Ask).unwrap();
    // Meanwhile: one is undone, one is edited again, one is new.
    window.undo();
    window.label(1, PRINT, "striped");
    window.label(0, SLEEVES, "long");
    window.journal.append(&window.state.note_saved(&mut outcome)).unwrap();
    let check = |window: &Window| {
        assert_eq!(window.prints(), ["floral", "striped", ""]);
        let pending: Vec<_> =
            window.state.pending().into_iter().map(|e| (e.image, e.before, e.after)).collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            pending,
            [
                ("a.jpg".to_owned(), text("short"), text("long")),
                ("b.jpg".to_owned(), text("solid"), text("striped")),
                ("c.jpg".to_owned(), text("solid"), None),
            ]
        );
    };
    check(&window);
    drop(window);
    let mut window = shop.open();
    check(&window);
    window.save(OnConflict::Ask);
    assert_eq!(shop.text(), "image,print,sleeves\na.jpg,floral,long\nb.jpg,striped,long\nc.jpg,,\n");
}

#[test]
fn a_save_that_was_killed_before_it_was_noted_is_found() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    window.write(&window.state.pending(), OnConflict::Ask).unwrap();
    drop(window);
    let mut window = shop.open();
    assert_eq!(window.state.pending_count(), 0);
    // Else this undo would look like nothing to do, and the CSV would keep `floral`.
    assert!(window.undo());
    drop(window);
    let mut window = shop.open();
    assert_eq!((window.state.pending_count(), window.text(0, PRINT).as_str()), (1, "solid"));
    window.save(OnConflict::Ask);
    assert_eq!(shop.text(), CSV);
}

#[test]
fn what_was_edited_after_a_killed_save_took_it_is_written_again_without_a_question() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    window.label(1, PRINT, "solid");
    let taken = window.state.pending();
    assert!(window.undo());
    window.label(0, PRINT, "striped");
    // The save ends after these edits were kept, and nobody lives to note it.
    window.write(&taken, OnConflict::Ask).unwrap();
    drop(window);
    assert_eq!(shop.text(), "image,print,sleeves\na.jpg,floral,short\nb.jpg,solid,long\nc.jpg,,\n");

    for _ in 0..2 {
        let window = shop.open();
        assert_eq!(window.prints(), ["striped", "floral", ""], "as the journal has it, each time");
        assert_eq!(window.state.pending_count(), 2);
    }
    let outcome = shop.open().save(OnConflict::Ask);
    assert_eq!(outcome.conflicts, []);
    assert_eq!(shop.text(), "image,print,sleeves\na.jpg,striped,short\nb.jpg,floral,long\nc.jpg,,\n");
    assert_eq!(shop.open().state.pending_count(), 0);
}

#[test]
fn other_changes_of_the_file_are_kept() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    window.label(2, SLEEVES, "short");
    // Rows in another order, a new one, a new column, another label, and c.jpg as we want it.
    let changed = "sleeves,image,price,print\nshort,c.jpg,3,\nlong,new.jpg,,solid\nshort,b.jpg,9,striped\nlong,a.jpg,7,solid\n";
    std::fs::write(shop.csv(), changed).unwrap();
    let outcome = window.save(OnConflict::Ask);
    assert_eq!(shop.text(), changed.replace("a.jpg,7,solid", "a.jpg,7,floral"));
    assert_eq!((outcome.written.len(), outcome.rows_changed, outcome.file_changed), (2, 1, true));
    assert_eq!(window.state.pending_count(), 0);
}

#[test]
fn a_conflict_is_asked_and_either_side_can_win() {
    let theirs = CSV.replace("a.jpg,solid", "a.jpg,striped");
    let start = || {
        let shop = Shop::new(CSV);
        let mut window = shop.open();
        window.label(0, PRINT, "floral");
        window.label(1, SLEEVES, "short");
        std::fs::write(shop.csv(), &theirs).unwrap();
        let outcome = window.save(OnConflict::Ask);
        assert_eq!((outcome.conflicts.len(), outcome.rows_changed), (1, 1));
        let conflict = &outcome.conflicts[0];
        assert_eq!((conflict.line, conflict.cell.as_deref()), (2, Some("striped")));
        assert_eq!(conflict.edit, window.state.pending()[0]);
        assert_eq!(shop.text(), theirs.replace("floral,long", "floral,short"));
        (shop, window)
    };
    // Asked again after closing.
    let (shop, window) = start();
    drop(window);
    let mut window = shop.open();
    assert_eq!(window.text(0, PRINT), "floral");
    assert_eq!(window.save(OnConflict::Ask).conflicts.len(), 1);
    let outcome = window.save(OnConflict::Overwrite);
    assert_eq!((outcome.rows_changed, outcome.conflicts.len()), (1, 0));
    assert!(shop.text().contains("a.jpg,floral"));

    let (shop, mut window) = start();
    let outcome = window.save(OnConflict::GiveUp);
    assert_eq!((outcome.rows_changed, outcome.given_up.len(), outcome.backup), (0, 1, None));
    assert_eq!((window.text(0, PRINT).as_str(), window.state.pending_count()), ("striped", 0));
    drop(window);
    let mut window = shop.open();
    assert_eq!((window.text(0, PRINT).as_str(), window.state.pending_count()), ("striped", 0));
    // Even that can be undone.
    assert!(window.undo());
    assert_eq!(window.text(0, PRINT), "floral");
    assert_eq!(window.save(OnConflict::Ask).conflicts, vec![]);
    assert!(shop.text().contains("a.jpg,floral"));
}

#[test]
fn edits_without_a_row_or_column_are_told_and_wait() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    window.label(1, SLEEVES, "short");
    window.label(1, PRINT, "solid");
    std::fs::write(shop.csv(), "image,print\nb.jpg,floral\n").unwrap();
    let outcome = window.save(OnConflict::Overwrite);
    let why: Vec<&str> = outcome.missing.iter().map(|missing| missing.why.as_str()).collect();
    assert_eq!(why, ["no row has the image `a.jpg`", "there is no column `sleeves`"]);
    assert_eq!(shop.text(), "image,print\nb.jpg,solid\n");
    drop(window);
    // They come back, and so do the edits.
    std::fs::write(shop.csv(), CSV.replace("b.jpg,floral", "b.jpg,solid")).unwrap();
    let mut window = shop.open();
    assert_eq!(window.state.pending_count(), 2);
    assert_eq!(window.save(OnConflict::Ask).missing, vec![]);
    assert_eq!(shop.text(), "image,print,sleeves\na.jpg,floral,short\nb.jpg,solid,short\nc.jpg,,\n");

    std::fs::write(shop.csv(), CSV.replace("image", "file")).unwrap();
    window.label(0, PRINT, "");
    let error = window.write(&window.state.pending(), OnConflict::Ask).unwrap_err().to_string();
    assert!(error.contains("no longer has a column `image`"), "{error}");
}

#[test]
fn of_rows_with_one_path_the_one_in_use_is_edited() {
    let csv = "image,print,sleeves\na.jpg,wool,\na.jpg,solid,\na.jpg,floral,\nb.jpg,,\nb.jpg,,\n";
    let shop = Shop::new(csv);
    let mut window = shop.open();
    assert!(window.dataset.rows[1].usable);
    window.label(1, PRINT, "striped");
    window.label(3, PRINT, "striped");
    let overlaid = window.dataset.with_edits(&window.state.overlay());
    let expected = [None, Some(2), Some(1), Some(2), None];
    assert_eq!(overlaid.rows.iter().map(|row| row.labels[PRINT].class()).collect::<Vec<_>>(), expected);
    assert_eq!(window.save(OnConflict::Ask).conflicts, vec![]);
    assert_eq!(
        shop.text(),
        "image,print,sleeves\na.jpg,wool,\na.jpg,striped,\na.jpg,floral,\nb.jpg,striped,\nb.jpg,,\n"
    );
}

#[test]
fn a_character_that_the_encoding_lacks_is_named_and_nothing_is_written() {
    let csv = latin("image,print,note\na.jpg,solid,groß\n");
    let shop = Shop::new(&csv);
    std::fs::write(shop.csv(), latin("image,print,sleeves,note\na.jpg,solid,,groß\n")).unwrap();
    let before = shop.read();
    let mut window = shop.open();
    window.label(0, PRINT, "東");
    let error = window.write(&window.state.pending(), OnConflict::Ask).unwrap_err().to_string();
    assert!(
        error.contains("Windows-1252, which cannot represent `東`; convert it to UTF-8 first"),
        "{error}"
    );
    assert_eq!((shop.read(), shop.backups()), (before, vec![]));
    // Nor does it crash what is shown or trained.
    assert_eq!((window.text(0, PRINT).as_str(), window.state.class(&window.dataset, 0, PRINT)), ("東", None));
}

#[test]
fn only_so_many_backups_are_kept_and_nothing_else_is_removed() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    let folder = folder_of(&shop.csv()).join("backups");
    std::fs::create_dir_all(&folder).unwrap();
    let mine = folder.join("garments mine.csv");
    std::fs::write(&mine, "keep").unwrap();
    for save in 0..backup::MOST + 3 {
        window.label(1, SLEEVES, ["short", "long"][save % 2]);
        let before = shop.read();
        let kept = window.save(OnConflict::Ask).backup.unwrap();
        assert_eq!(std::fs::read(kept).unwrap(), before);
    }
    let backups = shop.backups();
    assert_eq!(backups.len(), backup::MOST + 1);
    assert!(backups.contains(&mine));
    assert!(backups.iter().all(|backup| std::fs::read_to_string(backup).unwrap() != CSV), "the oldest goes");
    let name = backups[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with("garments 20") && name.ends_with(".csv"), "{name}");
}

#[test]
fn an_exported_copy_has_the_edits_and_the_csv_stays() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    let target = shop.dir.path().join("corrected.csv");
    let export = |window: &Window, target| {
        merge::export(&window.dataset, &window.state.pending(), OnConflict::Ask, target)
    };
    let outcome = export(&window, &target).unwrap();
    assert_eq!((outcome.rows_changed, outcome.backup), (1, None));
    assert_eq!(std::fs::read_to_string(&target).unwrap(), CSV.replace("a.jpg,solid", "a.jpg,floral"));
    assert_eq!((shop.text(), window.state.pending_count()), (CSV.to_owned(), 1));
    let error = export(&window, &shop.csv()).unwrap_err().to_string();
    assert!(error.ends_with("is the CSV itself; choose another name, or save the edits into it"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_csv_behind_a_link_is_saved_where_it_is() {
    let shop = Shop::new(CSV);
    let real = tempfile::tempdir().unwrap();
    let file = real.path().join("real.csv");
    std::fs::rename(shop.csv(), &file).unwrap();
    std::os::unix::fs::symlink(&file, shop.csv()).unwrap();
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    window.save(OnConflict::Ask);
    assert!(shop.csv().is_symlink());
    assert!(std::fs::read_to_string(&file).unwrap().contains("a.jpg,floral"));
    assert!(real.path().join("real.csv.edits").join("journal.jsonl").is_file());
}
