//! Training and the views with edits that the CSV does not have.

use super::*;
use crate::dataset::problems::Severity;
use crate::dataset::split::Split;

/// A dataset equals the one that opens after the same edits were saved.
fn same(a: &Dataset, b: &Dataset) {
    assert_eq!(a.rows, b.rows);
    assert_eq!(a.split, b.split);
    assert_eq!(a.problems, b.problems);
    for row in 0..a.rows.len() {
        for column in 0..a.table.headers.len() {
            assert_eq!(a.table.cell(row, column), b.table.cell(row, column));
        }
    }
}

#[test]
fn a_dataset_with_edits_is_the_one_that_opens_after_a_save() {
    let rows: String = (0..20)
        .map(|n| format!("{n}.jpg,{},{}\n", ["solid", "floral"][n % 2], ["short", "long"][n / 2 % 2]))
        .collect();
    // An unknown label, one without labels, a duplicate, a short row, one without a path.
    let csv =
        format!("image,print,sleeves\nu.jpg,zebra,\nn.jpg,,\n0.jpg,striped,\ns.jpg,solid\n,solid,\n{rows}");
    let shop = Shop::new(csv);
    let mut window = shop.open();
    window.label(0, PRINT, "striped");
    window.label(1, SLEEVES, "long");
    window.label(3, PRINT, "striped");
    window.label(6, PRINT, "woool");
    window.label(7, PRINT, "");
    window.label(7, SLEEVES, "");
    let overlaid = window.dataset.with_edits(&window.state.overlay());
    assert_ne!(overlaid.rows, window.dataset.rows);
    window.save(OnConflict::Ask);
    same(&overlaid, &shop.dataset());
    same(&window.dataset.with_edits(&window.state.overlay()), &shop.dataset());
    for (row, read) in shop.dataset().rows.iter().enumerate() {
        for task in [PRINT, SLEEVES] {
            // The row that is not used for another of its image shows what that has.
            if row != 2 {
                assert_eq!(
                    window.state.class(&window.dataset, row, task),
                    read.labels[task].class(),
                    "{row}"
                );
            }
        }
    }
}

#[test]
fn what_was_found_about_images_stays() {
    let rows: String = (0..8).map(|n| format!("{n}.jpg,{},\n", ["solid", "floral"][n % 2])).collect();
    let shop = Shop::new(format!("image,print,sleeves\n{rows}"));
    let mut window = shop.open();
    let mut missing = crate::dataset::problems::check_images(
        &window.dataset,
        crate::dataset::problems::Look::Header,
        &|_, _| true,
    );
    missing.problems.retain(|problem| problem.row < Some(3));
    window.dataset.apply(missing);
    window.label(0, PRINT, "striped");
    let overlaid = window.dataset.with_edits(&window.state.overlay());
    assert_eq!(overlaid.rows.iter().filter(|row| row.usable).count(), 5);
    assert!(overlaid.rows.iter().take(3).all(|row| !row.usable));
    assert_eq!(
        overlaid.problems.iter().filter(|p| p.severity == Severity::Warning && p.row.is_some()).count(),
        3
    );
    assert_eq!(overlaid.usable_count(), 5);
    assert_ne!(*overlaid.split, Split::default());
    assert_eq!(overlaid.rows[0].labels[PRINT].class(), Some(2));
}
