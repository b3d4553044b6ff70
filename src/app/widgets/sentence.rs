//! Sentences with names in them, over as many lines as they need: a right-to-left name is read in its own direction in
//! each line, also where a line ends within it.

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{FontSelection, Galley, Label, Response, RichText, Role, Ui, WidgetInfo, WidgetText};

use crate::app::theme::{has_right_to_left, lines_in_visual_order};

/// A sentence that wraps. Its accessible name is the text as it was given.
pub fn sentence_ui(ui: &mut Ui, text: impl Into<RichText>) -> Response {
    shown_ui(ui, text.into(), false)
}

/// The same, to be selected and copied.
pub fn selectable_sentence_ui(ui: &mut Ui, text: impl Into<RichText>) -> Response {
    shown_ui(ui, text.into(), true)
}

fn shown_ui(ui: &mut Ui, text: RichText, is_selectable: bool) -> Response {
    let whole = text.text().to_owned();
    let job = WidgetText::from(text).into_layout_job(ui.style(), FontSelection::Default, ui.text_valign());
    let wrap = TextWrapping { max_width: ui.available_width(), ..TextWrapping::default() };
    let job = unbroken(LayoutJob { wrap, ..Arc::unwrap_or_clone(job) });
    let label = if has_right_to_left(&whole) { Label::new(galley(ui, job)) } else { Label::new(job).wrap() };
    let response = ui.add(label.selectable(is_selectable));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &whole));
    response
}

/// A number stays with its `%` where a line ends.
fn unbroken(mut job: LayoutJob) -> LayoutJob {
    if let [section] = job.sections.as_mut_slice() {
        job.text = job.text.replace(" %", "\u{a0}%");
        section.byte_range.end = egui::text::ByteIndex(job.text.len());
    }
    job
}

/// Lays out a text of one format, such as a sentence, as it is read.
pub fn galley(ui: &Ui, job: LayoutJob) -> Arc<Galley> {
    if !has_right_to_left(&job.text) {
        return ui.painter().layout_job(job);
    }
    let format = job.sections.first().map(|section| section.format.clone()).unwrap_or_default();
    let laid_out = |text: String, width: f32| {
        let mut job = LayoutJob::single_section(text, format.clone());
        job.wrap.max_width = width;
        ui.painter().layout_job(job)
    };
    // Lines are broken here: how many letters a line has cannot be asked of one with right-to-left words.
    let as_read = |line: &str| lines_in_visual_order(line, &[line.len()]);
    let fits = |line: &str| laid_out(as_read(line.trim_end()), f32::INFINITY).size().x <= job.wrap.max_width;
    let mut text = job.text.clone();
    let mut ends = line_ends(&text, fits);
    let is_cut = ends.len() > job.wrap.max_rows;
    if is_cut {
        ends.truncate(job.wrap.max_rows.max(1));
        let start = ends.len().checked_sub(2).and_then(|before| ends.get(before)).copied().unwrap_or(0);
        let mut last = text.get(start..ends[ends.len() - 1]).unwrap_or_default().trim_end().to_owned();
        while !last.is_empty() && !fits(&format!("{last}\u{2026}")) {
            last.pop();
        }
        text.truncate(start);
        text += &format!("{last}\u{2026}");
        let end = ends.len() - 1;
        ends[end] = text.len();
    }
    // A single word may be wider than there is room.
    let mut galley = laid_out(lines_in_visual_order(&text, &ends), job.wrap.max_width + 1.0);
    if is_cut {
        Arc::make_mut(&mut galley).elided = true;
    }
    galley
}

/// The byte positions in a text where its lines end: before the first word with which a line does not fit.
fn line_ends(text: &str, fits: impl Fn(&str) -> bool) -> Vec<usize> {
    let mut ends = Vec::new();
    let (mut start, mut fitting) = (0, 0);
    let stops = text.char_indices().filter(|(_, c)| matches!(c, ' ' | '\n')).map(|(at, _)| at + 1);
    for stop in stops.chain([text.len()]) {
        if fitting > start && !fits(&text[start..stop]) {
            ends.push(fitting);
            start = fitting;
        }
        if text[..stop].ends_with('\n') {
            ends.push(stop);
            start = stop;
        }
        fitting = stop;
    }
    if ends.last() != Some(&text.len()) {
        ends.push(text.len());
    }
    ends
}

#[cfg(test)]
mod tests {
    use egui::{Color32, FontId};

    use super::*;
    use crate::app::theme::{self, TEXT_BODY};

    /// The lines of a text in so much room, and whether that is all of it.
    fn lines(text: &str, width: f32, most: usize) -> (Vec<String>, bool) {
        let ctx = egui::Context::default();
        theme::install(&ctx);
        let mut shown = None;
        ctx.run_ui(egui::RawInput::default(), |ui| {
            let font = FontId::proportional(TEXT_BODY);
            let mut job = LayoutJob::simple(text.to_owned(), font, Color32::PLACEHOLDER, width);
            job.wrap.max_rows = most;
            let galley = galley(ui, job);
            assert!(galley.size().x <= width + 1.0, "{} points of {width}", galley.size().x);
            let lines: Vec<String> = galley.text().lines().map(str::to_owned).collect();
            assert!(lines.len() == galley.rows.len() || galley.text() == text, "no line is broken again");
            shown = Some((lines, galley.elided));
        })
        .drop_without_applying_deltas();
        shown.unwrap()
    }

    #[test]
    fn a_right_to_left_name_in_a_sentence_goes_on_in_the_next_line() {
        let text = "The labels שרוול ארוך מאוד ויפה cannot be saved: the disk is full";
        let (one, is_cut) = lines(text, 900.0, usize::MAX);
        assert_eq!(one, ["The labels ויפה מאוד ארוך שרוול cannot be saved: the disk is full"]);
        assert!(!is_cut);
        let (several, _) = lines(text, 190.0, usize::MAX);
        assert!(several.len() >= 3, "{several:?}");
        // The first word of the name is in the first line that has some of it.
        let of_name = several.iter().find(|line| line.contains("שרוול")).unwrap();
        let at = |word: &str| several.iter().position(|line| line.contains(word)).unwrap();
        assert!(
            at("שרוול") <= at("ארוך") && at("ארוך") <= at("מאוד") && at("מאוד") <= at("ויפה"),
            "{several:?}"
        );
        if let (Some(first), Some(second)) = (of_name.find("שרוול"), of_name.find("ארוך")) {
            assert!(second < first, "{of_name}");
        }
    }

    #[test]
    fn no_line_is_wider_than_its_room() {
        let text = "Done: the label שרוול ארוך מאוד עם צווארון עגול of print is now long. 12 rows of the CSV changed.";
        // The room is looked at where lines are made.
        for width in (110..420).step_by(6) {
            lines(text, width as f32, 3);
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_at_the_end() {
        let text = "The labels שרוול ארוך מאוד ויפה cannot be saved: the disk is full";
        let (two, is_cut) = lines(text, 150.0, 2);
        assert!(is_cut && two.len() == 2 && two[1].ends_with('\u{2026}'), "{two:?}");
        assert_eq!(lines("Saved", 150.0, 2), (vec!["Saved".to_owned()], false));
    }
}
