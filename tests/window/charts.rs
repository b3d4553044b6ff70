//! Charts that leave the window.

use egui::Color32;
use tasklens::app::command::AppCommand;
use tasklens::app::services::figure::{
    Exhibit, Figure, FigureAction, FigureForm, FigureLine, Horizontal, LineLook, Scale,
};

use crate::desk::Desk;

fn exhibit() -> Exhibit {
    Exhibit::Figure(Figure {
        title: "Loss".to_owned(),
        subject: "a run".to_owned(),
        horizontal: Horizontal::Epoch,
        ends: (0.0, 2.0),
        scale: Scale::Number,
        lines: vec![FigureLine {
            name: "train".to_owned(),
            color: Color32::from_rgb(200, 30, 30),
            look: LineLook::Solid,
            points: vec![[1.0, 2.0], [2.0, 1.5]],
        }],
        marks: Vec::new(),
    })
}

#[test]
fn a_chart_is_written_in_each_form_and_the_notice_shows_where() {
    let mut desk = Desk::empty();
    for form in [FigureForm::Csv, FigureForm::Svg, FigureForm::Png] {
        let file = desk.folder.path().join(exhibit().file_name(form));
        let saving = AppCommand::SaveFigure { file: file.clone(), form, exhibit: Box::new(exhibit()) };
        desk.window.state().commands().send(saving);
        desk.wait_for(&format!("Loss is in {}", file.display()));
        assert!(desk.shows("Show in folder"));
        let bytes = std::fs::read(&file).unwrap();
        match form {
            FigureForm::Csv => assert_eq!(bytes, b"epoch,train\n1,2\n2,1.5\n"),
            FigureForm::Svg => assert!(bytes.starts_with(b"<svg ")),
            FigureForm::Png => assert_eq!(image::load_from_memory(&bytes).unwrap().width(), 1600),
        }
    }
}

#[test]
fn a_chart_that_cannot_be_written_is_told_with_its_file() {
    let mut desk = Desk::empty();
    std::fs::write(desk.folder.path().join("taken"), "").unwrap();
    let file = desk.folder.path().join("taken/loss.csv");
    let saving = AppCommand::SaveFigure { file, form: FigureForm::Csv, exhibit: Box::new(exhibit()) };
    desk.window.state().commands().send(saving);
    desk.wait_for("taken/loss.csv cannot be written");
}

#[test]
fn copied_values_and_pictures_are_on_the_clipboard() {
    let mut desk = Desk::empty();
    for (action, told) in [
        (FigureAction::CopyValues, "Loss: the values are on the clipboard"),
        (FigureAction::CopyPicture, "Loss: the picture is on the clipboard"),
    ] {
        desk.window.state().commands().send(AppCommand::OfFigure { action, exhibit: Box::new(exhibit()) });
        desk.wait_for(told);
    }
}
