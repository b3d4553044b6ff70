use super::*;
use crate::app::command::UiCommand;

fn undo() -> AppCommand {
    AppCommand::Ui(UiCommand::Undo)
}

fn said(notices: impl IntoIterator<Item = Notice>) -> Record {
    let mut record = Record::default();
    notices.into_iter().for_each(|notice| record.push(notice, false));
    record
}

/// The messages in the order in which they are shown, each after the one before was dismissed.
fn order(mut record: Record) -> Vec<String> {
    std::iter::from_fn(|| {
        let (number, message) = record.shown().map(|line| (line.number, line.message.clone()))?;
        record.dismiss(number);
        Some(message)
    })
    .collect()
}

#[test]
fn one_is_shown_and_the_others_wait_by_importance_the_newest_first() {
    let record = said([
        Notice::new(Level::Error, "Error"),
        Notice::new(Level::Warning, "Warning with an action").offering("Undo", undo()),
        Notice::new(Level::Warning, "Older warning"),
        Notice::new(Level::Warning, "Warning"),
        Notice::new(Level::Info, "Info with an action").offering("Undo", undo()),
        Notice::new(Level::Info, "Info"),
        Notice::new(Level::Success, "Success"),
    ]);
    assert_eq!(record.waiting(), 6);
    let expected = [
        "Error",
        "Warning with an action",
        "Warning",
        "Older warning",
        "Info with an action",
        "Success",
        "Info",
    ];
    assert_eq!(order(record), expected);
}

#[test]
fn what_is_said_again_is_one_line_with_its_count() {
    let mut record = said(["One", "Two", "One"].map(|text| Notice::new(Level::Info, text)));
    let lines: Vec<_> = record.lines().map(|line| (line.message.clone(), line.times)).collect();
    assert_eq!(lines, [("Two".to_owned(), 1), ("One".to_owned(), 2)]);
    record.note(Level::Info, "Epoch 1 is done".to_owned());
    record.see_all();
    record.push(Notice::new(Level::Info, "One"), false);
    assert_eq!(record.lines().len(), 4, "it was said long before");
    assert!(record.text().contains("info: One (2 times)\n"), "{}", record.text());
}

#[test]
fn a_newer_one_about_the_same_takes_the_place_of_an_older_one_but_not_of_an_error() {
    let about = |level, text: &str| Notice::new(level, text).about(Subject::Training);
    let mut record = said([about(Level::Warning, "12 rows are not used"), about(Level::Success, "Done")]);
    assert_eq!((record.shown().unwrap().message.as_str(), record.waiting()), ("Done", 0));
    record.push(about(Level::Error, "The disk is full"), false);
    record.push(about(Level::Success, "Done again"), false);
    assert_eq!(order(record), ["The disk is full", "Done again"]);
}

#[test]
fn a_notice_goes_after_its_time_which_stands_still_while_it_is_held() {
    let mut record = said([Notice::new(Level::Warning, "Look")]);
    for _ in 0..60 {
        record.pass(0.5, true);
    }
    assert!(record.shown().is_some());
    let mut secs = 0.0;
    while record.shown().is_some() {
        record.pass(0.5, false);
        secs += 0.5;
    }
    assert_eq!(secs, 8.0);
    assert_eq!(record.unseen(), Some((1, Level::Warning)), "it may have gone by unread");
}

#[test]
fn what_waits_keeps_its_time_unless_it_is_old_news() {
    let mut record = said([
        Notice::new(Level::Warning, "Look"),
        Notice::new(Level::Info, "Deleted").offering("Undo", undo()),
        Notice::new(Level::Success, "Saved"),
        Notice::new(Level::Error, "The disk is full"),
    ]);
    for _ in 0..100 {
        record.pass(0.5, false);
    }
    assert_eq!(order(record), ["The disk is full", "Look", "Deleted"]);
}

#[test]
fn an_error_stays_until_it_is_dismissed_or_the_log_is_seen() {
    let error = || said([Notice::new(Level::Error, "The disk is full")]);
    let mut record = error();
    for _ in 0..1000 {
        record.pass(0.5, false);
    }
    assert_eq!((record.shown().is_some(), record.unseen()), (true, Some((1, Level::Error))));
    record.see_all();
    assert_eq!((record.shown().is_some(), record.unseen()), (false, None));
    let mut record = error();
    let number = record.shown().unwrap().number;
    record.dismiss(number);
    assert_eq!((record.shown().is_some(), record.unseen()), (false, None));
    assert_eq!(record.lines().len(), 1, "the log keeps it");
}

#[test]
fn a_notice_is_settled_by_its_subject_and_by_what_it_offers() {
    let notices = || {
        let image = Notice::new(Level::Warning, "3 images cannot be used").about(Subject::Rows);
        [
            image.offering("Show rows", AppCommand::ShowProblems),
            Notice::new(Level::Error, "The run failed").about(Subject::Training),
        ]
    };
    let mut record = said(notices());
    record.settle(Subject::Training);
    record.settle_by(&undo());
    assert_eq!(order(record), ["3 images cannot be used"]);
    let mut record = said(notices());
    record.settle_by(&AppCommand::ShowProblems);
    assert_eq!(record.unseen(), Some((1, Level::Error)));
    assert_eq!(order(record), ["The run failed"]);
}

#[test]
fn what_the_place_shows_already_goes_into_the_log_alone() {
    let mut record = Record::default();
    record.push(Notice::new(Level::Error, "The run failed"), true);
    record.note(Level::Info, "Opened".to_owned());
    assert_eq!((record.shown().is_some(), record.unseen(), record.lines().len()), (false, None, 2));
}

#[test]
fn a_remedy_is_done_once() {
    let mut record = said([Notice::new(Level::Info, "Deleted").offering("Undo", undo())]);
    let number = record.shown().unwrap().number;
    assert!(record.take_remedy(number).is_some_and(|does| does.does_same(&undo())));
    assert!(record.take_remedy(number).is_none() && record.shown().is_none());
}

#[test]
fn causes_are_told_without_the_numbers_of_the_system() {
    let record = said([Notice::new(Level::Error, "a.csv: No such file or directory (os error 2)")]);
    assert_eq!(record.shown().unwrap().message, "a.csv: No such file or directory");
}
