//! What came of a study: two charts, the numbers behind them, and what the features of each network know.

use egui::{Grid, Label, RichText, Ui, vec2};
use tasklens_data::text::counted;
use tasklens_net::study::page::{points, with_interval};
use tasklens_net::study::report::{StudyReport, TaskResult, over_seeds};

use super::bars::{Pair, PairedBar, pairs_ui};
use crate::app::context::ViewContext;
use crate::app::places::train::task_index;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};

/// Below this width, the charts stand one below the other.
const TWO_COLUMNS: f32 = 640.0;

/// Shows it; returns whether it is to be saved as a page.
pub fn result_ui(ui: &mut Ui, context: &ViewContext<'_>, report: &StudyReport, name: &str) -> bool {
    let tokens = context.tokens;
    let is_saved = title_ui(ui, tokens, report, name);
    for notice in &report.notices {
        let text = format!("{}  {notice}", icons::WARNING);
        ui.add(Label::new(RichText::new(text).color(tokens.warning)).wrap().selectable(true));
    }
    ui.add_space(GRID);
    if ui.available_width() >= TWO_COLUMNS {
        ui.columns_const(|[left, right]| {
            card(left, tokens, |ui| accuracy_ui(ui, context, report));
            card(right, tokens, |ui| time_ui(ui, tokens, report));
        });
    } else {
        card(ui, tokens, |ui| accuracy_ui(ui, context, report));
        card(ui, tokens, |ui| time_ui(ui, tokens, report));
    }
    card(ui, tokens, |ui| accuracy_table_ui(ui, tokens, report));
    card(ui, tokens, |ui| neighbours_ui(ui, tokens, report));
    is_saved
}

fn card(ui: &mut Ui, tokens: &Tokens, content: impl FnOnce(&mut Ui)) {
    tokens.card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.vertical(content);
    });
}

fn title_ui(ui: &mut Ui, tokens: &Tokens, report: &StudyReport, name: &str) -> bool {
    let mut is_saved = false;
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::heading("What came of it"));
        let text = format!(
            "{name}: {}, {} each, {}",
            counted(report.runs.len(), "network"),
            counted(report.epochs, "epoch"),
            counted(report.seeds.len(), "seed")
        );
        ui.label(theme::caption(tokens, text));
        let button = ui.button(format!("{}  Save as page\u{2026}", icons::EXPORT));
        button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Save as page"));
        is_saved = button.on_hover_text("Both charts and all numbers as one HTML file").clicked();
    });
    is_saved
}

fn accuracy_ui(ui: &mut Ui, context: &ViewContext<'_>, report: &StudyReport) {
    ui.label(theme::strong("Accuracy of each task"));
    let text = match report.seeds.len() {
        1 => "Share of the images that validate that is right",
        _ => "Share of the images that validate that is right; 95 % intervals over the seeds",
    };
    ui.add(Label::new(theme::caption(context.tokens, text)).wrap());
    ui.add_space(GRID);
    let pairs: Vec<Pair> = report.tasks.iter().map(|task| accuracy_pair(context, task)).collect();
    pairs_ui(ui, context.tokens, &pairs);
}

fn accuracy_pair(context: &ViewContext<'_>, task: &TaskResult) -> Pair {
    let bar = |name: &str, values: &[f64]| {
        let found = over_seeds(values);
        PairedBar {
            name: name.to_owned(),
            share: found.map_or(0.0, |(value, _)| value),
            interval: found.and_then(|(_, interval)| interval).map(|found| (found.low, found.high)),
            text: with_interval(values),
        }
    };
    Pair {
        title: task.task.clone(),
        color: context.tokens.task(task_index(context, &task.task)),
        filled: bar("all tasks", &task.all),
        hollow: bar("alone", &task.single),
    }
}

fn time_ui(ui: &mut Ui, tokens: &Tokens, report: &StudyReport) {
    let times = report.times;
    let networks = counted(report.tasks.len(), "network");
    ui.label(theme::strong("Time of a prediction"));
    let text = "Milliseconds an image, decoding left out";
    ui.add(Label::new(theme::caption(tokens, text)).wrap());
    ui.add_space(GRID);
    let longest = [times.all, times.single, times.all_one_by_one, times.single_one_by_one]
        .into_iter()
        .fold(0.0, f64::max);
    let bar = |name: &str, seconds: f64| PairedBar {
        name: name.to_owned(),
        share: if longest > 0.0 { seconds / longest } else { 0.0 },
        interval: None,
        text: format!("{:.1} ms", 1e3 * seconds),
    };
    let pair = |title: String, all, single| Pair {
        title,
        color: tokens.accent_text,
        filled: bar("1 network", all),
        hollow: bar(&networks, single),
    };
    let pairs = [
        pair(format!("in batches of {}", times.batch), times.all, times.single),
        pair("one image at a time".to_owned(), times.all_one_by_one, times.single_one_by_one),
    ];
    pairs_ui(ui, tokens, &pairs);
    let text = format!(
        "One network is {:.2} times as fast as {} in batches, and {:.2} times one image at a time.",
        times.ratio(),
        report.tasks.len(),
        times.ratio_one_by_one()
    );
    ui.add(Label::new(text).wrap());
}

fn accuracy_table_ui(ui: &mut Ui, tokens: &Tokens, report: &StudyReport) {
    ui.add(Label::new(report.verdict()).wrap().selectable(true));
    ui.add_space(GRID);
    let rows = report.tasks.iter().map(|task| {
        let cells = vec![with_interval(&task.all), with_interval(&task.single), points(&task.differences())];
        (task.task.clone(), cells)
    });
    let headings = ["All tasks in one", "Alone", "Difference, points"].map(str::to_owned);
    table_ui(ui, tokens, "accuracies", "Task", &headings, rows);
}

fn neighbours_ui(ui: &mut Ui, tokens: &Tokens, report: &StudyReport) {
    ui.label(theme::strong("What the features know"));
    let text = "How often the training image that is nearest by the features of a network has the same label as an \
                image that validates; networks of the first seed";
    ui.add(Label::new(theme::caption(tokens, text)).wrap());
    ui.add_space(GRID);
    let share = |(right, of): &(usize, usize)| match of {
        0 => "\u{2013}".to_owned(),
        _ => format!("{:.1} %", 100.0 * *right as f64 / *of as f64),
    };
    let rows = report
        .neighbours
        .iter()
        .map(|row| (row.network.clone(), row.accuracies.iter().map(share).collect::<Vec<_>>()));
    let headings: Vec<String> = report.tasks.iter().map(|task| task.task.clone()).collect();
    table_ui(ui, tokens, "features", "Features of", &headings, rows);
}

/// A table with a name in the first column, and figures flush right in the others.
fn table_ui(
    ui: &mut Ui,
    tokens: &Tokens,
    id: &str,
    first: &str,
    headings: &[String],
    rows: impl Iterator<Item = (String, Vec<String>)>,
) {
    let right = |ui: &mut Ui, text: RichText| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| ui.label(text));
    };
    egui::ScrollArea::horizontal().id_salt(id).show(ui, |ui| {
        let grid = Grid::new(id).num_columns(headings.len() + 2).min_col_width(18.0 * GRID);
        grid.spacing(vec2(6.0 * GRID, GRID)).show(ui, |ui| {
            ui.label(theme::caption(tokens, first));
            headings.iter().for_each(|heading| right(ui, theme::caption(tokens, heading)));
            // The last column takes what is left.
            ui.label("");
            ui.end_row();
            for (name, cells) in rows {
                ui.label(name);
                cells.into_iter().for_each(|cell| right(ui, cell.into()));
                ui.end_row();
            }
        });
    });
}
