//! The glossary: its words explain themselves where they stand.

use std::collections::HashSet;

use egui::{Key, Modifiers};
use egui_kittest::SnapshotResults;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::Start;
use tasklens::app::place::Place;
use tasklens::app::widgets::glossary::Word;

use crate::desk::{Desk, write_garments};
use crate::models::{write_network, write_run};

/// The words that something on the screen explains.
fn explained(desk: &Desk) -> HashSet<&'static str> {
    let said = desk.window.root().children_recursive();
    let said: HashSet<String> = said.filter_map(|node| node.accesskit_node().description()).collect();
    Word::ALL.iter().filter(|word| said.contains(word.meaning())).map(|word| word.name()).collect()
}

#[test]
fn every_word_is_explained_where_it_stands_or_is_in_the_list_alone_on_purpose() {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), |folder| {
        let config = write_garments(folder, 20);
        // Weight decay is a setting of this optimizer alone.
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, text + "  optimizer: adamw\n").unwrap();
        Start { open: Some(config) }
    });
    desk.wait_for("garment_0.png");
    desk.settle();
    let run = write_run(&desk, "2026-03-01_10-00-00", Some([0.9, 0.8]), 3);
    write_network(&run);
    write_run(&desk, "2026-03-02_10-00-00", Some([0.5, 0.5]), 9);
    let mut found = explained(&desk);
    desk.go_to(Place::Train);
    desk.settle();
    desk.press("Advanced");
    found.extend(explained(&desk));
    desk.go_to(Place::Predict);
    found.extend(explained(&desk));
    desk.go_to(Place::Inspect);
    for (tab, has) in [
        ("Overview", "Calibration"),
        ("Confusion", "Most frequent confusions"),
        ("Map", "What the map means"),
        ("Duplicates", "Similarity from"),
    ] {
        desk.wait_for(tab);
        desk.press(tab);
        desk.wait_for(has);
        desk.settle();
        found.extend(explained(&desk));
    }
    let list_only: HashSet<&str> = Word::LIST_ONLY.iter().map(|word| word.name()).collect();
    let missing = |word: &&Word| !found.contains(word.name()) && !list_only.contains(word.name());
    let missing: Vec<_> = Word::ALL.iter().filter(missing).collect();
    assert!(missing.is_empty(), "nothing in the window explains {missing:?}");
    let both: Vec<_> = found.intersection(&list_only).collect();
    assert!(both.is_empty(), "not in the list alone: {both:?}");
}

#[test]
fn a_press_on_a_word_leads_to_it_in_the_list_and_so_does_the_keyboard() {
    let mut desk = Desk::with_garments(12);
    desk.press("Split: what it means");
    assert!(desk.shows("Words and what they mean"));
    let place = |desk: &Desk| {
        let texts = desk.window.query_all_by_label(Word::Split.meaning());
        texts.map(|text| text.rect()).next().unwrap()
    };
    let window = desk.window.ctx.content_rect();
    let list = place(&desk);
    assert!(window.shrink(60.0).contains_rect(list), "{list:?} is scrolled into sight");
    let mut pictures = SnapshotResults::new();
    desk.window.remove_cursor();
    desk.window.run_steps(3);
    desk.window.snapshot("glossary_at_a_word");
    pictures.extend_harness(&mut desk.window);
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(!desk.shows("Words and what they mean"));
    desk.node("Split: what it means").focus();
    desk.window.run_steps(2);
    desk.keys(Modifiers::NONE, Key::Enter);
    assert!(desk.shows("Words and what they mean"));
    // Nothing is sorted by that.
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(!desk.node("Sort by Split").accesskit_node().is_selected().unwrap_or(false));
}
