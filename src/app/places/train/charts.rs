//! The charts of a run with their legend: loss, accuracy, learning rate, side by side where there is
//! room; earlier runs thin behind them.

use std::borrow::Cow;
use std::collections::HashSet;

use egui::{Color32, Label, RichText, Role, Stroke, Ui, WidgetInfo, vec2};
use egui_plot::LineStyle;
use tasklens_data::config::Task;

use super::curves::{Curves, SplitPoints};
use super::earlier::Overlay;
use super::live::LiveRun;
use crate::app::theme::icons;
use crate::app::theme::in_visual_order;
use crate::app::theme::{GRID, Tokens};
use crate::app::widgets::chart::{Chart, Curve, MarkKind, Scale, line_sample};

const HEIGHT: f32 = 248.0;
const TOTAL: &str = "total";
const ABOUT_SHARES: &str = "Which part of the gradient on the shared features comes from each task: a task with a small share has little say in \
     what the network learns. That is no fault by itself, as a task that is nearly solved has little left to learn. If a \
     task has a small share and stays inaccurate, raise its weight (task_weights), or let the weights be learnt \
     (task_balancing: uncertainty).";
const ADVICE: &str = "Raise its weight, or set Task balancing to Learnt, both under Advanced.";
/// Below this width the charts stand one below the other.
const TWO_COLUMNS: f32 = 640.0;

/// What stands in one cell of the two columns.
type ChartCell<'a> = Box<dyn FnMut(&mut Ui) + 'a>;

/// Which curves are hidden.
#[derive(Default)]
pub struct Legend {
    is_total_hidden: bool,
    hidden_tasks: HashSet<String>,
}

/// What the charts show.
pub struct Charts<'a> {
    /// The run that is watched.
    pub run: Option<&'a LiveRun>,
    /// Earlier runs to lay over it.
    pub overlays: Vec<&'a Overlay>,
    /// The project's tasks, whose order gives the colours; without a project the run's own.
    pub tasks: Option<&'a [Task]>,
    /// The epoch under the pointer in the last frame.
    pub hovered_epoch: Option<usize>,
}

impl Charts<'_> {
    /// Shows them, with `runs` beside the last one; returns the epoch under the pointer.
    pub fn ui(
        &self,
        ui: &mut Ui,
        tokens: &Tokens,
        legend: &mut Legend,
        runs: Option<&mut dyn FnMut(&mut Ui)>,
    ) -> Option<usize> {
        self.legend_ui(ui, tokens, legend);
        ui.add_space(GRID);
        let mut hovered = [None; 4];
        let [loss, accuracy, rate, shares] = &mut hovered;
        let mut cells: Vec<ChartCell<'_>> = vec![
            Box::new(|ui| *loss = self.loss_ui(ui, tokens, legend)),
            Box::new(|ui| *accuracy = self.accuracy_ui(ui, tokens, legend)),
            Box::new(|ui| *rate = self.rate_ui(ui, tokens)),
        ];
        if self.all().any(|(_, curves)| curves.has_shares()) {
            cells.push(Box::new(|ui| *shares = self.shares_ui(ui, tokens, legend)));
        }
        if let Some(runs) = runs {
            cells.push(Box::new(runs));
        }
        let columns = if ui.available_width() >= TWO_COLUMNS { 2 } else { 1 };
        for row in cells.chunks_mut(columns) {
            let gap = ui.spacing().item_spacing.x;
            let width = (ui.available_width() + gap) / row.len() as f32 - gap;
            ui.horizontal_top(|ui| {
                for cell in row {
                    ui.vertical(|ui| {
                        ui.set_width(width);
                        tokens.card_frame().inner_margin(8).show(ui, |ui| ui.vertical(|ui| cell(ui)));
                    });
                }
            });
        }
        drop(cells);
        hovered.into_iter().flatten().next()
    }

    fn current(&self) -> Option<&Curves> {
        self.run.map(|run| &run.curves)
    }

    /// Every task that has curves, with its colour.
    fn task_colors(&self, tokens: &Tokens) -> Vec<(String, Color32)> {
        let mut names: Vec<&str> =
            self.tasks.unwrap_or_default().iter().map(|task| task.name.as_str()).collect();
        let all = self.current().into_iter().chain(self.overlays.iter().map(|run| &run.curves));
        for task in all.flat_map(|curves| &curves.tasks) {
            if !names.contains(&task.as_str()) {
                names.push(task);
            }
        }
        names.iter().enumerate().map(|(index, name)| ((*name).to_owned(), tokens.task(index))).collect()
    }

    fn legend_ui(&self, ui: &mut Ui, tokens: &Tokens, legend: &mut Legend) {
        ui.horizontal_wrapped(|ui| {
            if chip_ui(ui, tokens, TOTAL, tokens.text, !legend.is_total_hidden) {
                legend.is_total_hidden = !legend.is_total_hidden;
            }
            for (task, color) in self.task_colors(tokens) {
                let is_shown = !legend.hidden_tasks.contains(&task);
                if chip_ui(ui, tokens, &task, color, is_shown) {
                    if is_shown {
                        legend.hidden_tasks.insert(task);
                    } else {
                        legend.hidden_tasks.remove(&task);
                    }
                }
            }
            ui.add_space(2.0 * GRID);
            let stroke = Stroke::new(2.0, tokens.text_weak);
            line_sample(ui, stroke, LineStyle::Solid, "train");
            line_sample(ui, stroke, LineStyle::Dashed { length: 6.0 }, "validation");
            let marks = self.current().map_or(&[][..], |curves| &curves.marks);
            for (kind, text) in [
                (MarkKind::Best, "best epoch"),
                (MarkKind::RateReduced, "rate reduced"),
                (MarkKind::AllLayers, "all layers"),
            ] {
                if marks.iter().any(|mark| mark.kind == kind) {
                    let (stroke, style) = kind.stroke(tokens);
                    line_sample(ui, stroke, style, text);
                }
            }
        });
    }

    fn loss_ui(&self, ui: &mut Ui, tokens: &Tokens, legend: &Legend) -> Option<usize> {
        let mut chart = self.chart("Loss");
        if !legend.is_total_hidden {
            for (run, curves) in self.all() {
                chart = chart.curve(curve(run, TOTAL, tokens.text, &curves.total));
            }
        }
        self.per_task(chart, tokens, legend, |curves| &curves.task_loss).ui(ui)
    }

    fn accuracy_ui(&self, ui: &mut Ui, tokens: &Tokens, legend: &Legend) -> Option<usize> {
        let chart = self.chart("Accuracy").scale(Scale::Share);
        self.per_task(chart, tokens, legend, |curves| &curves.task_accuracy).ui(ui)
    }

    fn rate_ui(&self, ui: &mut Ui, tokens: &Tokens) -> Option<usize> {
        let mut chart = self.chart("Learning rate").scale(Scale::Log);
        for (run, curves) in self.all() {
            chart = chart.curve(Curve {
                name: run.map_or(Cow::Borrowed("rate"), |run| Cow::Owned(run.name.clone())),
                color: tokens.text,
                train: &curves.rate,
                validation: &[],
                is_muted: run.is_some(),
            });
        }
        chart.ui(ui)
    }

    /// How the gradient divides among the tasks, and which of them may be starved.
    fn shares_ui(&self, ui: &mut Ui, tokens: &Tokens, legend: &Legend) -> Option<usize> {
        let chart = self.chart("Share of the gradient").scale(Scale::Share).about(ABOUT_SHARES);
        let hovered = self.per_task(chart, tokens, legend, |curves| &curves.shares).ui(ui);
        for starved in self.run.map(LiveRun::starved).unwrap_or_default() {
            ui.horizontal_top(|ui| {
                ui.label(RichText::new(icons::WARNING).size(16.0).color(tokens.warning));
                let text = format!("{} {ADVICE}", starved.sentence());
                ui.add(Label::new(text).wrap().selectable(true));
            });
        }
        hovered
    }

    fn chart<'a>(&'a self, title: &'a str) -> Chart<'a> {
        let marks = self.current().map_or(&[][..], |curves| &curves.marks);
        Chart::new(title).marks(marks).height(HEIGHT).cursor(self.hovered_epoch)
    }

    /// The watched run first (in front), then the earlier ones.
    fn all(&self) -> impl Iterator<Item = (Option<&Overlay>, &Curves)> {
        let earlier = self.overlays.iter().map(|run| (Some(*run), &run.curves));
        self.current().into_iter().map(|curves| (None, curves)).chain(earlier)
    }

    fn per_task<'a>(
        &'a self,
        mut chart: Chart<'a>,
        tokens: &Tokens,
        legend: &Legend,
        pairs: impl Fn(&'a Curves) -> &'a Vec<SplitPoints>,
    ) -> Chart<'a> {
        let colors = self.task_colors(tokens);
        for (run, curves) in self.all() {
            for (task, pair) in curves.tasks.iter().zip(pairs(curves)) {
                let color =
                    colors.iter().find(|(name, _)| name == task).map_or(tokens.text, |(_, color)| *color);
                if !legend.hidden_tasks.contains(task) {
                    chart = chart.curve(curve(run, task, color, pair));
                }
            }
        }
        chart
    }
}

fn curve<'a>(run: Option<&Overlay>, name: &'a str, color: Color32, pair: &'a SplitPoints) -> Curve<'a> {
    Curve {
        name: run.map_or(Cow::Borrowed(name), |run| Cow::Owned(format!("{name}, {}", run.name))),
        color,
        train: &pair.train,
        validation: &pair.validation,
        is_muted: run.is_some(),
    }
}

/// The name of a curve is no longer than this in its chip.
const WIDEST_CHIP: f32 = 60.0 * GRID;

/// A toggle in a curve's colour; returns whether it was pressed.
fn chip_ui(ui: &mut Ui, tokens: &Tokens, name: &str, color: Color32, is_shown: bool) -> bool {
    let (dot, text) = match is_shown {
        true => (color, tokens.text),
        false => (tokens.track, tokens.text_weak),
    };
    let mut job = egui::text::LayoutJob::default();
    let font = egui::FontId::proportional(crate::app::theme::TEXT_SMALL);
    job.append("\u{25cf}  ", 0.0, egui::TextFormat::simple(font.clone(), dot));
    job.append(&in_visual_order(name), 0.0, egui::TextFormat::simple(font, text));
    job.wrap = egui::text::TextWrapping::truncate_at_width(WIDEST_CHIP);
    let response = ui.add(egui::Button::new(job).corner_radius(12).min_size(vec2(0.0, 6.0 * GRID)));
    response.widget_info(|| {
        WidgetInfo::selected(Role::CheckBox, true, is_shown, format!("Show {name} in the charts"))
    });
    response.on_hover_text(format!("{}: show or hide in all charts", in_visual_order(name))).clicked()
}
