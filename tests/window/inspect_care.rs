//! Inspect and Data, where another program changes the CSV meanwhile: what was found stays with its images.

use egui::accesskit::{Role, Toggled};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::command::AppCommand;
use tasklens::app::place::Place;
use tasklens_data::dataset::ImageRow;

use crate::desk::Desk;
use crate::inspect::desk;
use crate::label_care::rewrite;

/// The last line of the journal, once there are so many edits.
fn last_edit(desk: &mut Desk, edits: usize) -> String {
    let journal = desk.folder.path().join("shop/garments.csv.edits/journal.jsonl");
    let lines = || std::fs::read_to_string(&journal).unwrap_or_default().lines().count();
    desk.wait_until("the journal", |_| lines() > edits);
    std::fs::read_to_string(&journal).unwrap().lines().last().unwrap().to_owned()
}

/// The window with the list of label errors, and the image of the one that is selected.
fn label_errors() -> (Desk, String) {
    let mut desk = desk();
    desk.press("Label errors");
    desk.wait_for(" suspects among ");
    let image = selected(&desk);
    (desk, image)
}

fn selected(desk: &Desk) -> String {
    let mut items = desk.window.query_all_by_role(Role::ListItem);
    let item = items.find(|item| item.accesskit_node().toggled() == Some(Toggled::True)).unwrap();
    item.accesskit_node().label().unwrap().split(':').next().unwrap().to_owned()
}

/// Reads the project again, until all of it and its label edits are there.
fn reload(desk: &mut Desk) {
    desk.keys(Modifiers::NONE, Key::F5);
    desk.settle();
    desk.settle();
}

#[test]
fn a_label_error_is_accepted_for_its_image_after_the_csv_was_sorted_anew() {
    let (mut desk, image) = label_errors();
    rewrite(&desk, "garments.csv", |lines| lines.reverse());
    reload(&mut desk);
    desk.wait_for("The rows of the CSV have changed since");
    assert_eq!(selected(&desk), image);
    desk.keys(Modifiers::NONE, Key::A);
    desk.wait_for("1 label edit");
    let edit = last_edit(&mut desk, 1);
    assert!(edit.contains(&format!("\"{image}\"")), "{image} was selected: {edit}");
}

#[test]
fn a_label_error_is_kept_for_its_image_after_the_csv_gained_a_row_by_itself_and_was_saved() {
    let (mut desk, image) = label_errors();
    desk.keys(Modifiers::NONE, Key::A);
    desk.wait_for("1 accepted");
    let next = selected(&desk);
    assert_ne!(next, image);
    // The save finds the new row, and the project is read again by itself.
    let picture = desk.folder.path().join("shop");
    std::fs::copy(picture.join("01.png"), picture.join("new.png")).unwrap();
    rewrite(&desk, "garments.csv", |lines| lines.insert(0, "new.png,dotted,long,train,shop 1".to_owned()));
    desk.keys(Modifiers::COMMAND, Key::S);
    desk.wait_for("The rows of the CSV have changed since");
    assert_eq!(selected(&desk), next);
    let before = std::fs::read_to_string(desk.folder.path().join("shop/garments.csv.edits/journal.jsonl"));
    let before = before.unwrap().lines().count();
    desk.keys(Modifiers::NONE, Key::K);
    desk.wait_for("1 kept");
    let edit = last_edit(&mut desk, before);
    assert!(edit.contains(&format!("\"{next}\"")), "{next} was selected: {edit}");
}

#[test]
fn a_label_error_whose_image_left_the_csv_leaves_the_list() {
    let (mut desk, image) = label_errors();
    // The list itself has only the rows in sight.
    let listed = |desk: &Desk| {
        let found = desk.window.query_all_by_label_contains(" suspects among ").next().unwrap();
        let text = found.accesskit_node().label().or_else(|| found.accesskit_node().value()).unwrap();
        let before = text.split(" suspects").next().unwrap();
        before.split(' ').next_back().unwrap().parse::<usize>().unwrap()
    };
    let before = listed(&desk);
    rewrite(&desk, "garments.csv", |lines| lines.retain(|line| !line.starts_with(&image)));
    reload(&mut desk);
    desk.wait_for("The rows of the CSV have changed since");
    assert_eq!(listed(&desk), before - 1);
    assert!(!desk.shows(&image));
    assert!(desk.shows("Search again"));
    let next = selected(&desk);
    desk.keys(Modifiers::NONE, Key::A);
    let edit = last_edit(&mut desk, 1);
    assert!(edit.contains(&format!("\"{next}\"")), "{next} was selected: {edit}");
}

#[test]
fn a_proposed_label_that_the_config_lists_no_more_is_not_given() {
    let (mut desk, _) = label_errors();
    let proposed = desk.window.query_all_by_label_contains("Accept ").next().unwrap();
    let proposed = proposed.accesskit_node().label().unwrap().replace("Accept ", "");
    let config = desk.folder.path().join("shop/config.yml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace(&proposed, "something else")).unwrap();
    reload(&mut desk);
    desk.keys(Modifiers::NONE, Key::A);
    desk.wait_for("nothing was changed");
    assert!(!desk.shows("label edit"));
}

#[test]
fn several_labels_are_shown_before_they_are_changed_and_those_taken_out_stay() {
    let (mut desk, _) = label_errors();
    desk.press("Change several labels");
    let proposals = |desk: &Desk| -> Vec<(String, bool)> {
        let cells = desk.window.query_all_by_role(Role::ListBoxOption).map(|cell| {
            let node = cell.accesskit_node();
            (node.label().unwrap(), node.is_selected() == Some(true))
        });
        cells.collect()
    };
    assert!(
        proposals(&desk).iter().all(|(_, is_ticked)| !is_ticked),
        "none has earned it: 60 images are few"
    );
    assert!(desk.node("Change 0 labels").accesskit_node().is_disabled());
    crate::pictures::pictures(&mut desk, "inspect_several_labels");

    // Escape changes nothing.
    desk.press("Tick all");
    desk.keys(Modifiers::NONE, Key::Escape);
    assert!(!desk.shows("label edit") && desk.shows(" suspects among "));

    desk.press("Change several labels");
    desk.keys(Modifiers::COMMAND, Key::A);
    desk.keys(Modifiers::NONE, Key::Home);
    desk.keys(Modifiers::NONE, Key::Space);
    let shown = proposals(&desk);
    let taken_out: Vec<_> = shown.iter().filter(|(_, is_ticked)| !is_ticked).collect();
    assert_eq!((taken_out.len(), &taken_out[0].0), (1, &shown[0].0), "{shown:?}");
    assert!(desk.shows(&format!("Change {} labels", shown.len() - 1)));
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.wait_for(&format!("{} accepted", shown.len() - 1));
    desk.wait_for(&format!("{} label edits", shown.len() - 1));

    // The one that was taken out has its label, the others the proposed ones.
    desk.keys(Modifiers::COMMAND, Key::S);
    desk.wait_for("of the CSV changed.");
    let csv = std::fs::read_to_string(desk.folder.path().join("shop/garments.csv")).unwrap();
    for (at, (name, _)) in shown.iter().enumerate() {
        let (image, labels) = name.split_once(": ").unwrap();
        let (given, proposed) = labels.split_once(" becomes ").unwrap();
        let proposed = proposed.split(',').next().unwrap();
        let line = csv.lines().find(|line| line.starts_with(image)).unwrap();
        let now = if at == 0 { given } else { proposed };
        assert!(line.split(',').any(|cell| cell == now), "{name}, {line}");
    }
    desk.keys(Modifiers::COMMAND, Key::Z);
    desk.wait_for("0 accepted");
}

/// The files of the cells in sight.
fn cells(desk: &Desk) -> Vec<String> {
    let cells = desk.window.query_all_by_role(Role::ListBoxOption);
    let files =
        cells.map(|cell| cell.accesskit_node().label().unwrap().split(':').next().unwrap().to_owned());
    let mut files: Vec<String> = files.collect();
    files.sort();
    files
}

fn images(desk: &mut Desk) {
    desk.window.get_by_role_and_label(Role::Tab, "Images").click();
    desk.window.run_steps(3);
    desk.wait_for(", predicted ");
}

#[test]
fn what_was_handed_over_to_be_labelled_stays_those_images_after_the_csv_was_sorted_anew() {
    let mut desk = desk();
    images(&mut desk);
    let found = cells(&desk);
    desk.press("Label these");
    desk.wait_for(": solid");
    assert_eq!(cells(&desk), found);
    rewrite(&desk, "garments.csv", |lines| lines.reverse());
    reload(&mut desk);
    desk.wait_for(": solid");
    assert_eq!(cells(&desk), found);
}

#[test]
fn the_image_shown_large_stays_that_image_after_the_csv_was_sorted_anew() {
    let mut desk = desk();
    images(&mut desk);
    let image = cells(&desk).remove(0);
    desk.press_containing(&format!("{image}:"));
    desk.wait_for(&format!("Picture of {image}"));
    rewrite(&desk, "garments.csv", |lines| {
        lines.reverse();
        lines.insert(0, lines[7].replace(".png", "_new.png"));
    });
    reload(&mut desk);
    desk.wait_for(&format!("Picture of {image}"));
    // Nor does it lead to another row.
    desk.press_containing("Show in Data");
    desk.wait_for("line ");
    let csv = std::fs::read_to_string(desk.folder.path().join("shop/garments.csv")).unwrap();
    let line = csv.lines().position(|line| line.starts_with(&image)).unwrap() + 1;
    desk.wait_for(&format!("line {line} of the CSV"));
}

#[test]
fn images_found_by_another_tab_stay_those_images_while_rows_come_and_go() {
    let mut desk = desk();
    desk.press("Duplicates");
    desk.wait_for("look like a training image");
    desk.press_containing("Browse ");
    desk.wait_for(", predicted ");
    let mut found = cells(&desk);
    assert!(found.len() > 1, "{found:?}");
    let lost = found.remove(0);
    rewrite(&desk, "garments.csv", |lines| {
        lines.reverse();
        lines.retain(|line| !line.starts_with(&lost));
    });
    desk.keys(Modifiers::NONE, Key::F5);
    desk.wait_for("1 of the selected images can no longer be shown");
    desk.wait_until("the others", |window| {
        window.query_all_by_role(Role::ListBoxOption).count() == found.len()
    });
    assert_eq!(cells(&desk), found);
}

#[test]
fn the_row_chosen_in_data_stays_chosen_wherever_it_goes() {
    let mut desk = desk();
    desk.go_to(Place::Data);
    let row = ImageRow { image: "17.png".to_owned(), row: 17 };
    desk.window.state().commands().send(AppCommand::SelectRow(row));
    desk.wait_for("line 19 of the CSV");
    rewrite(&desk, "garments.csv", |lines| lines.reverse());
    reload(&mut desk);
    desk.wait_for("line 44 of the CSV");
    // What was noted before the change is found, too, and what is gone is said to be.
    for (image, said) in [("00.png", "line 61 of the CSV"), ("lost.png", "lost.png is no longer in")] {
        let row = ImageRow { image: image.to_owned(), row: 0 };
        desk.window.state().commands().send(AppCommand::SelectRow(row));
        desk.wait_for(said);
    }
}
