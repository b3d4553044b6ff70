//! The bar at the bottom: project, device, model, label edits, what goes on, log. Where it is narrow, its parts give way
//! to each other ([`ORDER`]): first by fewer words, whose rest is in the tooltip, at last by being left out.

mod doing;
mod room;

use egui::{
    Align, FontId, Label, Layout, Margin, Panel, Rect, Response, RichText, Role, Ui, UiBuilder, WidgetInfo,
};
use tasklens_data::text::{counted_grouped, grouped};

use super::model_chip::ModelChip;
use super::notices::color;
use crate::app::App;
use crate::app::command::{AppCommand, UiCommand};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};
use crate::app::widgets::name::Name;
use crate::app::widgets::{icon_button, width_of};
use doing::{Doing, End};
use room::{Fit, fitting};

/// The number in the mark on the log's button.
const MARK_TEXT: f32 = 9.0;
/// Between parts.
const GAP: f32 = 4.0 * GRID;
const BAR: f32 = 32.0 * GRID;
const SHORT_BAR: f32 = 12.0 * GRID;
const SPINNER: f32 = 3.0 * GRID;
/// Of less than a word nobody learns anything.
const WORD: f32 = 12.0 * GRID;
/// Of words that are cut, so much is left.
const WORDS: f32 = 24.0 * GRID;
/// The size of the glyphs to press.
const GLYPH: f32 = 16.0;

/// The parts from left to right.
#[derive(Clone, Copy)]
enum Part {
    Project,
    Device,
    Model,
    Labels,
    Title,
    Bar,
    Text,
    End,
    Log,
}

/// Who gives way first: each time that it is named, a part goes to its next form.
const ORDER: [usize; 17] = [
    Part::Title as usize,
    Part::Device as usize,
    Part::Bar as usize,
    Part::Model as usize,
    Part::Project as usize,
    Part::Title as usize,
    Part::Device as usize,
    Part::Model as usize,
    Part::Labels as usize,
    Part::Text as usize,
    Part::Bar as usize,
    Part::Project as usize,
    Part::Model as usize,
    Part::Labels as usize,
    Part::Project as usize,
    Part::Labels as usize,
    Part::Text as usize,
];

/// What is said of the label edits.
struct Labels {
    /// With fewer words or buttons each time.
    forms: Vec<(String, &'static [UiCommand])>,
    hint: String,
    /// Whether something is wrong.
    is_error: bool,
}

impl App {
    /// Keeps the space at the bottom free, which [`Self::status_bar_ui`] fills at the end: the keyboard comes to it last.
    pub(super) fn status_bar_space(ui: &mut Ui, tokens: &Tokens) -> Rect {
        let frame = egui::Frame::new().fill(tokens.panel).inner_margin(Margin::symmetric(12, 4));
        let panel = Panel::bottom("status bar").exact_size(9.0 * GRID).resizable(false).frame(frame);
        panel.show(ui, |ui| ui.max_rect()).inner
    }

    /// Shows it in the space that was kept.
    pub(super) fn status_bar_ui(&mut self, ui: &mut Ui, tokens: &Tokens, space: Rect) {
        let place = UiBuilder::new().id_salt("status bar").max_rect(space);
        ui.scope_builder(place, |ui| {
            ui.horizontal_centered(|ui| {
                ui.spacing_mut().item_spacing.x = GAP;
                let (chip, labels, doing) = (self.model_chip(), self.labels(), self.doing());
                let widths = self.widths(ui, chip.as_ref(), labels.as_ref(), doing.as_ref());
                let Fit { forms, spare } = fitting(ui.available_width(), GAP, &widths, &ORDER);
                let form = |part: Part| forms[part as usize];
                // What can only be cut takes what is left: first what goes on, then the project's name.
                let mut spare = spare.max(0.0);
                let mut room = |part: Part| {
                    let (widths, form) = (&widths[part as usize], form(part));
                    let is = widths.get(form).copied().unwrap_or(0.0);
                    let more = widths.first().map_or(0.0, |full| full - is).clamp(0.0, spare);
                    let more = if is > 0.0 && form == 1 { more } else { 0.0 };
                    spare -= more;
                    is + more
                };
                let text_room = match &doing {
                    Some(doing) if doing.short == doing.text => room(Part::Text),
                    _ => widths[Part::Text as usize].get(form(Part::Text)).copied().unwrap_or(0.0),
                };
                self.project_ui(ui, tokens, form(Part::Project), room(Part::Project));
                self.device_ui(ui, tokens, form(Part::Device));
                if let Some(chip) = &chip {
                    self.model_chip_ui(ui, tokens, chip, form(Part::Model));
                }
                self.labels_ui(ui, tokens, labels.as_ref(), form(Part::Labels));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    self.log_button_ui(ui, tokens);
                    let Some(doing) = doing else { return };
                    self.end_ui(ui, &doing);
                    let is_short = form(Part::Text) > 0 && doing.short != doing.text;
                    let text = if is_short { &doing.short } else { &doing.text };
                    let text_ui = |ui: &mut Ui| {
                        if text_room > 0.0 && !text.is_empty() {
                            let hint = if is_short { doing.text.as_str() } else { "" };
                            Name::caption(tokens, text).hint(hint).at_most(text_room).ui(ui);
                        }
                    };
                    let bar = widths[Part::Bar as usize].get(form(Part::Bar)).copied().unwrap_or(0.0);
                    if doing.title.is_empty() {
                        bar_ui(ui, tokens, &doing.text, doing.bar, bar);
                        text_ui(ui);
                        return;
                    }
                    text_ui(ui);
                    bar_ui(ui, tokens, &doing.title, doing.bar, bar)
                        .map(|bar| bar.on_hover_text(&doing.title));
                    if form(Part::Title) < 2 {
                        ui.add(Label::new(theme::caption(tokens, &doing.title)).truncate());
                    }
                });
            });
        });
    }

    /// The widths of each part's forms, in the order of [`Part`].
    fn widths(
        &self,
        ui: &Ui,
        chip: Option<&ModelChip>,
        labels: Option<&Labels>,
        doing: Option<&Doing>,
    ) -> Vec<Vec<f32>> {
        let padding = 2.0 * ui.spacing().button_padding.x;
        let wide = |text: &str, size: f32| width_of(ui, text, FontId::proportional(size)).ceil();
        let glyph = |command: UiCommand| wide(command.icon(), GLYPH) + padding;
        let small = |text: &str| wide(text, TEXT_SMALL);
        let mut widths = vec![Vec::new(); Part::Log as usize + 1];
        let project = small(&self.project_text()).min(ui.available_width() * 0.4);
        widths[Part::Project as usize] = vec![project, project.min(WORDS), small(icons::FOLDER_OPEN), 0.0];
        if let Some(device) = self.device.found() {
            widths[Part::Device as usize] =
                vec![small(&format!("{} {}", icons::CPU, device.name)), small(icons::CPU), 0.0];
        }
        if let Some(chip) = chip {
            let mut model: Vec<f32> = chip.texts.iter().map(|text| small(text) + padding).collect();
            model.push(0.0);
            widths[Part::Model as usize] = model;
        }
        if let Some(labels) = labels {
            let wide = |(text, buttons): &(String, &[UiCommand])| {
                small(text) + buttons.iter().map(|command| GRID + glyph(*command)).sum::<f32>()
            };
            widths[Part::Labels as usize] = labels.forms.iter().map(wide).collect();
        }
        if let Some(doing) = doing {
            let title = small(&doing.title);
            widths[Part::Title as usize] = vec![title, title.min(WORD), 0.0];
            widths[Part::Bar as usize] = match doing.bar {
                Some(Some(_)) => vec![BAR, SHORT_BAR, 0.0],
                Some(None) => vec![SPINNER, SPINNER, 0.0],
                None => Vec::new(),
            };
            let text = small(&doing.text);
            let short = if doing.short == doing.text { text.min(WORDS) } else { small(&doing.short) };
            widths[Part::Text as usize] = vec![text, short, short.min(WORD)];
            if let Some(end) = &doing.end {
                widths[Part::End as usize] = vec![small(end.text()) + padding];
            }
        }
        widths[Part::Log as usize] = vec![glyph(UiCommand::ToggleLog)];
        widths
    }

    /// The button of the log, with how many errors and warnings nobody has seen.
    fn log_button_ui(&self, ui: &mut Ui, tokens: &Tokens) {
        let button = icon_button(ui, &self.commands, UiCommand::ToggleLog);
        let Some((count, worst)) = self.messages.unseen() else { return };
        let name = format!("{}, {count} unseen", UiCommand::ToggleLog.text());
        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        let text = if count > 9 { "9+".to_owned() } else { count.to_string() };
        // Beside the icon, within the bar.
        let at = button.rect.center() + egui::vec2(2.25 * GRID, -1.25 * GRID);
        let fill = color(tokens, worst);
        ui.painter().circle_filled(at, 1.75 * GRID, fill);
        let font = FontId::new(MARK_TEXT, theme::semibold());
        ui.painter().text(at, egui::Align2::CENTER_CENTER, text, font, theme::text_on(fill));
    }

    /// The button that ends what goes on.
    fn end_ui(&self, ui: &mut Ui, doing: &Doing) {
        let Some(end) = &doing.end else { return };
        let button = ui.add(egui::Button::new(RichText::new(end.text()).size(TEXT_SMALL)).small());
        match end {
            End::Cancel(job) => {
                let name = format!("Cancel: {}", job.title());
                button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
                if button.on_hover_text(name).clicked() {
                    job.cancel();
                }
            }
            End::Stop(folder) => {
                button.widget_info(|| {
                    WidgetInfo::labeled(Role::Button, true, "Stop the run in the background")
                });
                if button.on_hover_text("It stops after its batch and can be resumed").clicked() {
                    self.commands.send(AppCommand::StopElsewhere(folder.clone()));
                }
            }
        }
    }

    fn project_text(&self) -> String {
        let name = self.project.as_ref().map_or_else(|| "No project".to_owned(), |project| project.name());
        format!("{} {name}", icons::FOLDER_OPEN)
    }

    fn project_ui(&self, ui: &mut Ui, tokens: &Tokens, form: usize, room: f32) {
        let text = self.project_text();
        let file = self.project.as_ref().map(|project| project.config.file.display().to_string());
        let file = file.unwrap_or_default();
        match form {
            0 | 1 => drop(Name::caption(tokens, &text).hint(file).at_most(room).ui(ui)),
            2 => {
                drop(icon_ui(ui, tokens, icons::FOLDER_OPEN, &text).on_hover_text(format!("{text}\n{file}")));
            }
            _ => {}
        }
    }

    fn labels(&self) -> Option<Labels> {
        const NONE: &[UiCommand] = &[];
        const SAVE: &[UiCommand] = &[UiCommand::SaveLabels];
        const BOTH: &[UiCommand] = &[UiCommand::Undo, UiCommand::SaveLabels];
        let edits = self.edits.as_ref()?;
        let waiting = edits.error().map(|error| ("labels not on disk yet", error));
        let lost = edits.denied().filter(|_| !edits.is_kept()).map(|why| ("the last labels were lost", why));
        if let Some((what, why)) = waiting.or(lost) {
            let forms = vec![(format!("{} {what}", icons::WARNING), NONE), (icons::WARNING.to_owned(), NONE)];
            return Some(Labels { forms, hint: format!("{what}: {why}"), is_error: true });
        }
        let pending = edits.state().pending_count();
        if pending == 0 {
            return None;
        }
        let (icon, hint) = if edits.is_kept() {
            (icons::CHECK, "Safe on disk, beside the CSV. Save labels writes them into the CSV.")
        } else {
            (icons::CLOCK, "Being written to disk")
        };
        let all = counted_grouped(pending, "label edit");
        let short = format!("{icon} {}", grouped(pending as u64));
        let forms = vec![
            (format!("{icon} {all}"), BOTH),
            (short.clone(), BOTH),
            (short.clone(), SAVE),
            (short, NONE),
        ];
        Some(Labels { forms, hint: format!("{all}. {hint}"), is_error: false })
    }

    /// Whether label edits are on the disk, and how many the CSV does not have.
    fn labels_ui(&self, ui: &mut Ui, tokens: &Tokens, labels: Option<&Labels>, form: usize) {
        let Some(Labels { forms, hint, is_error }) = labels else { return };
        let (Some((text, buttons)), Some((whole, _))) = (forms.get(form), forms.first()) else { return };
        let color = if *is_error { tokens.error } else { tokens.text_weak };
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = GRID;
            let label = ui.label(RichText::new(text).size(TEXT_SMALL).color(color));
            label.widget_info(|| WidgetInfo::labeled(Role::Label, true, whole));
            label.on_hover_text(hint);
            for command in *buttons {
                icon_button(ui, &self.commands, *command);
            }
        });
    }

    fn device_ui(&self, ui: &mut Ui, tokens: &Tokens, form: usize) {
        let Some(device) = self.device.found() else { return };
        let why = format!("{}\n{}", device.reason, self.device.predicts());
        let text = format!("{} {}", icons::CPU, device.name);
        match form {
            0 => drop(ui.label(theme::caption(tokens, text)).on_hover_text(why.trim_end())),
            1 => {
                let hint = format!("{}\n{}", device.name, why.trim_end());
                icon_ui(ui, tokens, icons::CPU, &text).on_hover_text(hint);
            }
            _ => {}
        }
    }
}

impl End {
    fn text(&self) -> &'static str {
        match self {
            Self::Cancel(_) => "Cancel",
            Self::Stop(_) => "Stop",
        }
    }
}

/// A glyph that stands for `whole`.
fn icon_ui(ui: &mut Ui, tokens: &Tokens, icon: &str, whole: &str) -> Response {
    let response = ui.label(theme::caption(tokens, icon));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, whole));
    response
}

/// A bar of this width, or what turns where nobody knows how much there is; nothing where there is no room.
fn bar_ui(
    ui: &mut Ui,
    tokens: &Tokens,
    name: &str,
    bar: Option<Option<f32>>,
    width: f32,
) -> Option<Response> {
    let fraction = bar.filter(|_| width > 0.0)?;
    let Some(fraction) = fraction else {
        return Some(ui.add(egui::Spinner::new().size(SPINNER).color(tokens.accent_text)));
    };
    let bar = egui::ProgressBar::new(fraction).desired_width(width).desired_height(GRID * 1.5);
    let response = ui.add(bar.fill(tokens.accent));
    response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, name));
    Some(response)
}
