//! Journals that were put together into a snapshot.

use super::*;
use crate::files::fault::{self, Call, DiskFault, inject};

/// Changes of many images in one step, more than a line of a snapshot holds.
const MANY: usize = 10_000;

fn lines(shop: &Shop) -> Vec<String> {
    std::fs::read_to_string(shop.journal()).unwrap().lines().map(str::to_owned).collect()
}

fn many(label: &str) -> Vec<AnnotationChange> {
    let change = |at: usize| AnnotationChange {
        image: format!("image {at} of the \"many\".jpg").into(),
        field: Field::Label("print".into()),
        before: None,
        after: Some(label.into()),
    };
    (0..MANY).map(change).collect()
}

/// A window whose journal has done and undone steps, a flag, a kept label, and is a snapshot.
fn snapshot(shop: &Shop) -> Window {
    let mut window = shop.open();
    window.edit(many("floral"));
    let of_a = |field, after: &str| AnnotationChange {
        image: "a.jpg".into(),
        field,
        before: None,
        after: Some(after.into()),
    };
    window.edit(vec![of_a(Field::Flag, "blurred,\nor \"art\""), of_a(Field::Kept("print".into()), "solid")]);
    window.label(1, PRINT, "striped");
    window.label(2, SLEEVES, "long");
    window.undo();
    assert!(window.journal.take_snapshot(&window.state).unwrap());
    window
}

#[test]
fn everything_can_be_undone_and_made_again_after_a_snapshot() {
    let shop = Shop::new(CSV);
    let before = snapshot(&shop);
    let state = before.state.clone();
    drop(before);
    let mut window = shop.open();
    assert!(window.state.is_same_as(&state) && window.warnings.is_empty());
    assert_eq!(window.state.flag("a.jpg"), Some("blurred,\nor \"art\""));
    assert_eq!((window.text(1, PRINT).as_str(), window.text(2, SLEEVES).as_str()), ("striped", ""));
    assert!(window.redo() && !window.redo());
    assert_eq!(window.text(2, SLEEVES), "long");
    for _ in 0..4 {
        assert!(window.undo());
    }
    assert!(!window.undo() && window.state.is_empty(), "undo reaches back to the first edit");
    drop(window);
    let mut window = shop.open();
    for _ in 0..4 {
        assert!(window.redo());
    }
    assert_eq!(window.state.pending_count(), MANY + 2);
    // And a snapshot of what has a snapshot and entries.
    assert!(window.journal.take_snapshot(&window.state).unwrap());
    let state = window.state.clone();
    drop(window);
    assert!(shop.open().state.is_same_as(&state));
}

#[test]
fn a_damaged_line_of_a_snapshot_gives_no_label_to_another_image() {
    let shop = Shop::new(CSV);
    let whole = snapshot(&shop);
    let state = whole.state.clone();
    drop(whole);
    let lines = lines(&shop);
    assert_eq!(lines[0], "{\"tasklens_edits\":2}");
    let mut damaged_images = 0;
    for at in 1..lines.len() {
        let mut damaged = lines.clone();
        // As when a sector is lost.
        damaged[at] = format!("{}\0\0\0", &lines[at][..lines[at].len() / 2]);
        std::fs::write(shop.journal(), damaged.join("\n") + "\n").unwrap();
        let window = shop.open();
        let place = format!("{}, line {}: ", shop.journal().display(), at + 1);
        assert!(window.warnings[0].starts_with(&place), "{at}: {:?}", window.warnings);
        damaged_images += usize::from(window.warnings.len() == 2);
        for edit in window.state.pending() {
            let label = state.label(&edit.image, &edit.task);
            assert_eq!(label, Some(edit.after.as_deref()), "line {}: {}", at + 1, edit.image);
        }
        // Somebody may still mend it.
        let mut window = window;
        assert!(!window.journal.wants_snapshot() && !window.journal.take_snapshot(&window.state).unwrap());
        let bytes = std::fs::metadata(shop.journal()).unwrap().len();
        window.label(0, PRINT, "floral");
        assert!(std::fs::metadata(shop.journal()).unwrap().len() > bytes);
        drop(window);
        assert_eq!(shop.open().text(0, PRINT), "floral", "line {}", at + 1);
    }
    assert!(damaged_images >= 3, "what names images is told apart from what becomes of them");
}

#[test]
fn columns_that_do_not_fit_together_are_damage() {
    let shop = Shop::new(CSV);
    drop(snapshot(&shop));
    for (from, to) in
        [("\"count\":[", "\"count\":[1,"), ("\"base\":[", "\"base\":[0,"), ("\"first\":", "\"first\":9")]
    {
        let mut damaged = lines(&shop);
        let kept = damaged.clone();
        let at = damaged.iter().position(|line| line.contains(from)).unwrap();
        damaged[at] = damaged[at].replacen(from, to, 1);
        std::fs::write(shop.journal(), damaged.join("\n") + "\n").unwrap();
        let window = shop.open();
        assert!(!window.warnings.is_empty(), "{to}");
        drop(window);
        std::fs::write(shop.journal(), kept.join("\n") + "\n").unwrap();
    }
}

#[test]
fn opening_takes_a_snapshot_once_there_is_enough_and_not_again() {
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    let labels = ["floral", "striped", "solid"];
    (0..6).for_each(|at| window.edit(many(labels[at % 3])));
    window.save(OnConflict::Ask);
    window.label(0, PRINT, "floral");
    drop(window);
    let length = || std::fs::metadata(shop.journal()).unwrap().len();
    let before = length();
    assert!(before > 4 << 20, "{before}");
    std::fs::set_permissions(shop.journal(), mode(0o640)).unwrap();
    let state = shop.open().state;
    let after = length();
    assert!(after < before / 3, "{after} of {before} bytes");
    assert_eq!(std::fs::metadata(shop.journal()).unwrap().permissions(), mode(0o100_640));
    let stamp = Stamp::of(&shop.journal()).unwrap();
    let mut window = shop.open();
    assert!(window.state.is_same_as(&state));
    assert_eq!(Stamp::of(&shop.journal()).unwrap(), stamp, "there is nothing to put together");
    let mut undone = 0;
    while window.undo() {
        undone += 1;
    }
    assert_eq!(undone, 7);
    // Who only looks puts nothing together.
    window.edit(many("solid"));
    drop(window);
    let bytes = std::fs::read(shop.journal()).unwrap();
    look(&shop.config()).unwrap();
    assert_eq!(std::fs::read(shop.journal()).unwrap(), bytes);
}

#[cfg(unix)]
fn mode(mode: u32) -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(mode)
}

#[test]
fn a_label_counts_only_once_the_disk_has_the_name_of_the_snapshot() {
    const EIO: i32 = 5;
    let shop = Shop::new(CSV);
    let mut window = shop.open();
    window.label(0, PRINT, "floral");
    let (taken, calls) = inject(u64::MAX, DiskFault::Killed, || window.journal.take_snapshot(&window.state));
    assert!(taken.unwrap() && calls.last() == Some(&Call::SyncFolder));
    let last = calls.len() as u64 - 1;
    let (taken, _) = inject(last, DiskFault::Once(EIO), || window.journal.take_snapshot(&window.state));
    assert!(taken.unwrap(), "it has its name");
    // With the power, the journal before could come back, and this label would not be in it.
    let change = window.state.label_change(&window.dataset, 1, PRINT, Some("solid"));
    let entry = [window.state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap()];
    let (refused, calls) = inject(0, DiskFault::Once(EIO), || window.journal.append(&entry));
    assert_eq!(calls.first(), Some(&Call::SyncFolder));
    assert!(matches!(refused, Err(Refusal::ForNow(_))), "{refused:?}");
    let (kept, calls) = inject(u64::MAX, DiskFault::Killed, || window.journal.append(&entry));
    assert!(kept.is_ok() && calls.first() == Some(&Call::SyncFolder));
    window.label(2, PRINT, "solid");
    drop(window);
    assert_eq!(shop.open().prints(), ["floral", "solid", "solid"]);
}

#[test]
fn a_snapshot_that_fails_at_any_call_leaves_the_journal_as_it_was_or_is_whole() {
    fault::skip_syncs();
    for fault in [
        DiskFault::Once(5),
        DiskFault::FromHere(28),
        DiskFault::Short(28),
        DiskFault::Killed,
        DiskFault::KilledHalfway,
    ] {
        for at in 0.. {
            let shop = Shop::new(CSV);
            let mut window = shop.open();
            window.label(0, PRINT, "floral");
            let (_, calls) = inject(at, fault, || window.journal.take_snapshot(&window.state));
            let state = window.state.clone();
            if matches!(fault, DiskFault::Killed | DiskFault::KilledHalfway) {
                drop(window);
                window = shop.open();
                assert!(window.state.is_same_as(&state), "{fault:?} at {at}");
            }
            window.label(1, PRINT, "solid");
            drop(window);
            let window = shop.open();
            assert_eq!(
                (window.prints(), window.warnings.len()),
                (["floral", "solid", ""].map(str::to_owned).to_vec(), 0)
            );
            if calls.len() as u64 <= at {
                break;
            }
        }
    }
}
