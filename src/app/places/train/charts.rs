//! The charts of a run with their legend: loss (of batches from the first second), accuracy, learning rate, in two
//! columns where there is room; earlier runs thin behind them.

use std::borrow::Cow;
use std::collections::HashSet;

use egui::{Color32, Label, RichText, Role, Stroke, Ui, WidgetInfo, vec2};
use egui_plot::LineStyle;
use tasklens_data::config::Task;

use super::curves::{Curves, SplitPoints};
use super::earlier::Overlay;
use super::live::LiveRun;
use crate::app::command::CommandSender;
use crate::app::theme::icons;
use crate::app::theme::in_visual_order;
use crate::app::theme::{GRID, Tokens};
use crate::app::widgets::chart::{Chart, Curve, MarkKind, Point, Scale, line_sample};

const HEIGHT: f32 = 288.0;
/// The learning rate has little to tell.
const LOW_HEIGHT: f32 = HEIGHT / 3.0;
/// Around what is in a card.
const MARGIN: f32 = 2.0 * GRID;
const TOTAL: &str = "total";
const ABOUT_SHARES: &str = "Which part of the gradient on the shared features comes from each task: a task with a small share has little say in \
     what the network learns. That is no fault by itself, as a task that is nearly solved has little left to learn. If a \
     task has a small share and stays inaccurate, raise its weight (task_weights), or let the weights be learnt \
     (task_balancing: uncertainty).";
const ABOUT_LOSS: &str = "Dots: the mean over an epoch, at its end. Thin lines: the loss of the training batches, an exponential \
     moving average over about the last 50 of them (or half an epoch, if that is shorter), without bias at its \
     beginning; the pale line has the batches as they were. Training images are augmented, and the network \
     changes from batch to batch.";
const ABOUT_BATCHES: &str =
    "The loss of the training batches, smoothed; the pale line behind it has them as they were.";
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
    /// Takes what is to be copied or saved.
    pub commands: &'a CommandSender,
}

/// What stands in charts without values.
struct Waiting {
    of_loss: String,
    of_others: String,
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
        let has_shares = self.all().any(|(_, curves)| curves.has_shares());
        // A chart with nothing below it is as high as the two beside it.
        let is_alone = !has_shares && runs.is_none() && ui.available_width() >= TWO_COLUMNS;
        let gap = ui.spacing().item_spacing;
        let accuracy_height = if is_alone { HEIGHT + LOW_HEIGHT + 2.0 * MARGIN + gap.y } else { HEIGHT };
        let (waiting, subject) = (self.waiting(), self.subject());
        let of = |title, waiting| self.chart(title, waiting, &subject);
        let legend: &Legend = legend;
        // Each with its column.
        let mut cells: Vec<(usize, ChartCell<'_>)> = vec![
            (0, Box::new(|ui| *loss = self.loss_ui(ui, tokens, legend, of("Loss", &waiting.of_loss)))),
            (
                1,
                Box::new(|ui| {
                    let chart = of("Accuracy", &waiting.of_others).height(accuracy_height);
                    *accuracy = self.accuracy_ui(ui, tokens, legend, chart);
                }),
            ),
            (0, Box::new(|ui| *rate = self.rate_ui(ui, tokens, of("Learning rate", &waiting.of_others)))),
        ];
        if has_shares {
            let chart = of("Share of the gradient", &waiting.of_others);
            let mut chart = Some(chart);
            cells.push((
                1,
                Box::new(move |ui| {
                    *shares = chart.take().and_then(|chart| self.shares_ui(ui, tokens, legend, chart));
                }),
            ));
        }
        if let Some(runs) = runs {
            cells.push((usize::from(!has_shares), Box::new(runs)));
        }
        if ui.available_width() < TWO_COLUMNS {
            cells.iter_mut().for_each(|(_, cell)| card_ui(ui, tokens, cell));
        } else {
            let width = (ui.available_width() - gap.x) / 2.0;
            ui.horizontal_top(|ui| {
                for column in 0..2 {
                    ui.vertical(|ui| {
                        ui.set_width(width);
                        let here = cells.iter_mut().filter(|(of, _)| *of == column);
                        here.for_each(|(_, cell)| card_ui(ui, tokens, cell));
                    });
                }
            });
        }
        drop(cells);
        hovered.into_iter().flatten().next()
    }

    /// The name of the run, for what is copied or saved of it.
    fn subject(&self) -> String {
        let name = self.run.and_then(LiveRun::folder).and_then(|folder| folder.file_name());
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn waiting(&self) -> Waiting {
        let Some(run) = self.run else {
            return Waiting { of_loss: String::new(), of_others: String::new() };
        };
        if let Some(waiting) = run.waiting() {
            return Waiting { of_loss: waiting.clone(), of_others: waiting };
        }
        let of_others = match run.is_over() {
            true => "The run ended before its first epoch was complete",
            false => "Comes with the end of the first epoch",
        };
        Waiting { of_loss: of_others.to_owned(), of_others: of_others.to_owned() }
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
            if self.run.is_some_and(|run| !run.batches.is_empty()) {
                let stroke = Stroke::new(1.0, tokens.text_weak);
                line_sample(ui, stroke, LineStyle::Solid, "batches").on_hover_text(ABOUT_BATCHES);
            }
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

    fn loss_ui<'a>(
        &'a self,
        ui: &mut Ui,
        tokens: &Tokens,
        legend: &Legend,
        chart: Chart<'a>,
    ) -> Option<usize> {
        let mut chart = chart.about(ABOUT_LOSS);
        let live = |run: Option<&Overlay>| self.run.filter(|_| run.is_none()).map(|run| &run.batches);
        if !legend.is_total_hidden {
            for (run, curves) in self.all() {
                let mut total = curve(run, TOTAL, tokens.text, &curves.total);
                if let Some(batches) = live(run) {
                    (total.batches, total.each_batch) = (&batches.total.smoothed, &batches.total.raw);
                }
                chart = chart.curve(total);
            }
        }
        let batches = |run: Option<&Overlay>, task: usize| {
            live(run).and_then(|batches| batches.tasks.get(task)).map_or(&[][..], |line| &line.smoothed)
        };
        self.per_task(chart, tokens, legend, |curves| &curves.task_loss, batches).ui(ui)
    }

    fn accuracy_ui<'a>(
        &'a self,
        ui: &mut Ui,
        tokens: &Tokens,
        legend: &Legend,
        chart: Chart<'a>,
    ) -> Option<usize> {
        let chart = chart.scale(Scale::Share);
        self.per_task(chart, tokens, legend, |curves| &curves.task_accuracy, no_batches).ui(ui)
    }

    fn rate_ui<'a>(&'a self, ui: &mut Ui, tokens: &Tokens, chart: Chart<'a>) -> Option<usize> {
        let mut chart = chart.scale(Scale::Log).height(LOW_HEIGHT);
        for (run, curves) in self.all() {
            let name = run.map_or(Cow::Borrowed("rate"), |run| Cow::Owned(run.name.clone()));
            let rate =
                Curve { train: &curves.rate, is_muted: run.is_some(), ..Curve::new(name, tokens.text) };
            chart = chart.curve(rate);
        }
        chart.ui(ui)
    }

    /// How the gradient divides among the tasks, and which of them may be starved.
    fn shares_ui<'a>(
        &'a self,
        ui: &mut Ui,
        tokens: &Tokens,
        legend: &Legend,
        chart: Chart<'a>,
    ) -> Option<usize> {
        let chart = chart.scale(Scale::Share).about(ABOUT_SHARES);
        let hovered = self.per_task(chart, tokens, legend, |curves| &curves.shares, no_batches).ui(ui);
        for starved in self.run.map(LiveRun::starved).unwrap_or_default() {
            ui.horizontal_top(|ui| {
                ui.label(RichText::new(icons::WARNING).size(16.0).color(tokens.warning));
                let text = format!("{} {ADVICE}", starved.sentence());
                ui.add(Label::new(text).wrap().selectable(true));
            });
        }
        hovered
    }

    fn chart<'a>(&'a self, title: &'a str, waiting: &'a str, subject: &'a str) -> Chart<'a> {
        let marks = self.current().map_or(&[][..], |curves| &curves.marks);
        let chart = Chart::new(title).marks(marks).height(HEIGHT).cursor(self.hovered_epoch);
        let chart = chart.waiting(waiting).actions(self.commands, subject);
        match self.run {
            Some(run) => chart.end(run.axis_end()),
            None => chart,
        }
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
        batches: impl Fn(Option<&Overlay>, usize) -> &'a [Point],
    ) -> Chart<'a> {
        let colors = self.task_colors(tokens);
        for (run, curves) in self.all() {
            for (index, (task, pair)) in curves.tasks.iter().zip(pairs(curves)).enumerate() {
                let color =
                    colors.iter().find(|(name, _)| name == task).map_or(tokens.text, |(_, color)| *color);
                if !legend.hidden_tasks.contains(task) {
                    let curve = curve(run, task, color, pair);
                    chart = chart.curve(Curve { batches: batches(run, index), ..curve });
                }
            }
        }
        chart
    }
}

fn no_batches<'a>(_: Option<&Overlay>, _: usize) -> &'a [Point] {
    &[]
}

fn card_ui(ui: &mut Ui, tokens: &Tokens, cell: &mut ChartCell<'_>) {
    let card = tokens.card_frame().inner_margin(MARGIN);
    card.show(ui, |ui| ui.vertical(|ui| cell(ui)));
}

fn curve<'a>(run: Option<&Overlay>, name: &'a str, color: Color32, pair: &'a SplitPoints) -> Curve<'a> {
    let name = run.map_or(Cow::Borrowed(name), |run| Cow::Owned(format!("{name}, {}", run.name)));
    let (train, validation) = (pair.train.as_slice(), pair.validation.as_slice());
    Curve { train, validation, is_muted: run.is_some(), ..Curve::new(name, color) }
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
