//! What can be done with a chart: copied and saved, by its menu or a right click.

use egui::{Response, Ui};

use super::{Chart, Curve, MarkKind};
use crate::app::command::AppCommand;
use crate::app::services::figure::{Exhibit, Figure, FigureLine, FigureMark, Horizontal, LineLook, Point};
use crate::app::theme;
use crate::app::widgets::exhibit_menu;

impl Chart<'_> {
    /// The button of the menu, where there is something to copy.
    pub(super) fn menu_ui(&self, ui: &mut Ui) {
        let Some(commands) = self.commands else { return };
        if let Some(action) = exhibit_menu::button_ui(ui, self.title, true) {
            commands.send(AppCommand::OfFigure { action, exhibit: Box::new(self.exhibit()) });
        }
    }

    /// The same under a right click.
    pub(super) fn context_menu(&self, response: &Response) {
        let Some(commands) = self.commands else { return };
        if let Some(action) = exhibit_menu::context_menu(response, true) {
            commands.send(AppCommand::OfFigure { action, exhibit: Box::new(self.exhibit()) });
        }
    }

    /// The chart as it is shown, hidden curves left out.
    fn exhibit(&self) -> Exhibit {
        let marks = self.marks.iter().map(|mark| FigureMark {
            epoch: mark.epoch,
            name: match mark.kind {
                MarkKind::Best => "best",
                MarkKind::RateReduced => "rate reduced",
                MarkKind::AllLayers => "all layers",
            },
            color: match mark.kind {
                MarkKind::Best => theme::on_paper().accent_text,
                MarkKind::RateReduced | MarkKind::AllLayers => theme::on_paper().text_weak,
            },
        });
        Exhibit::Figure(Figure {
            title: self.title.to_owned(),
            subject: self.subject.to_owned(),
            horizontal: Horizontal::Epoch,
            ends: (0.0, self.last_epoch()),
            scale: self.scale,
            lines: self.curves.iter().flat_map(lines).collect(),
            marks: marks.collect(),
        })
    }
}

/// The lines of a curve that have points.
fn lines(curve: &Curve<'_>) -> impl Iterator<Item = FigureLine> {
    let (solid, dashed) = match curve.is_muted {
        true => (LineLook::Muted, LineLook::MutedDashed),
        false => (LineLook::Solid, LineLook::Dashed),
    };
    // A quantity of training alone, such as the learning rate, has no other to be told from.
    let is_alone = curve.validation.is_empty() && curve.batches.is_empty();
    let all: [(&str, LineLook, &[Point]); 4] = [
        (if is_alone { "" } else { "train" }, solid, curve.train),
        ("validation", dashed, curve.validation),
        ("batches, smoothed", LineLook::Thin, curve.batches),
        ("batches", LineLook::Faint, curve.each_batch),
    ];
    let (name, color) = (curve.name.clone().into_owned(), theme::color_on_paper(curve.color));
    all.into_iter().filter(|(_, _, points)| !points.is_empty()).map(move |(of, look, points)| FigureLine {
        name: format!("{name} {of}").trim_end().to_owned(),
        color,
        look,
        points: points.to_vec(),
    })
}
