//! A bare CSV: what its columns seem to be for, to be corrected and saved as a config.

use std::path::{Path, PathBuf};

use egui::{ComboBox, RichText, Role as Accessible, ScrollArea, Ui, Vec2, WidgetInfo};
use tasklens_data::config::presets::Proposed;
use tasklens_data::dataset::propose::{ColumnGuess, Proposal, Role};
use tasklens_data::text::counted;

use crate::app::command::{AppCommand, CommandSender};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::accent_button;
use crate::app::widgets::name::{self, Name};
use crate::app::widgets::weights::without_weights;

/// So many labels are shown as chips; the rest are counted.
const CHIPS: usize = 40;

/// The form: a proposal for the CSV, and what the user changed in it.
pub struct ProposalForm {
    proposal: Proposal,
    /// Per column the labels that the user left out, with the place of each.
    left_out: Vec<Vec<(usize, String)>>,
    file: PathBuf,
    training: Proposed,
}

impl ProposalForm {
    /// A form for a guess, to be trained as `training` says; the config goes beside the CSV.
    pub fn new(proposal: Proposal, training: Proposed) -> Self {
        let file = free_name(&proposal.table_path);
        let left_out = vec![Vec::new(); proposal.columns.len()];
        Self { proposal, left_out, file, training }
    }
}

/// `config.yml` beside the table, or a name after the table where that is taken.
fn free_name(table: &Path) -> PathBuf {
    let plain = table.with_file_name("config.yml");
    if plain.exists() { table.with_extension("yml") } else { plain }
}

/// What the user wants of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposalAnswer {
    None,
    /// Close the form.
    Leave,
}

/// Shows the form.
pub fn ui(ui: &mut Ui, form: &mut ProposalForm, commands: &CommandSender) -> ProposalAnswer {
    let tokens = Tokens::of(ui.ctx());
    let mut answer = ProposalAnswer::None;
    let name = form.proposal.table_path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ui.label(theme::heading(format!("What is in {name}?")));
    let text = format!(
        "{} rows. The uses below are guesses: check which column holds the image path and which are tasks \
         (questions) that the network is to answer.",
        form.proposal.rows
    );
    ui.label(RichText::new(text).color(tokens.text_weak));
    ui.add_space(2.0 * GRID);
    let footer = if form.training.lacks.is_some() { 32.0 } else { 22.0 } * GRID;
    let height = (ui.available_height() - footer).max(20.0 * GRID);
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        for (index, left_out) in form.left_out.iter_mut().enumerate() {
            column_ui(ui, tokens, &mut form.proposal, index, left_out);
            ui.add_space(GRID);
        }
    });
    ui.add_space(2.0 * GRID);
    let obstacle = form.proposal.obstacle();
    match &obstacle {
        Some(obstacle) => {
            ui.label(RichText::new(format!("{}  {obstacle}", icons::WARNING)).color(tokens.warning));
        }
        None => {
            let file = form.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let recipe = form.training.recipe;
            let hint = format!("{}\n{}", form.file.display(), recipe.about());
            let text = format!("Saves {file} beside the CSV, with the training preset {}.", recipe.title());
            ui.label(theme::caption(tokens, text)).on_hover_text(hint);
            if let Some(lacks) = &form.training.lacks {
                let text = format!("{}  {lacks} {}", icons::WARNING, without_weights());
                let text = RichText::new(text).size(theme::TEXT_SMALL).color(tokens.warning);
                ui.add(egui::Label::new(text).wrap());
            }
        }
    }
    ui.horizontal(|ui| {
        if accent_button(ui, icons::FLOPPY_DISK, "Save and open", obstacle.is_none()).clicked() {
            let text = form.proposal.to_yaml(&form.file, &form.training);
            commands.send(AppCommand::SaveConfig { file: form.file.clone(), text });
        }
        if ui.button("Cancel").clicked() {
            answer = ProposalAnswer::Leave;
        }
    });
    answer
}

fn column_ui(
    ui: &mut Ui,
    tokens: &Tokens,
    proposal: &mut Proposal,
    index: usize,
    left_out: &mut Vec<(usize, String)>,
) {
    let Some(column) = proposal.columns.get(index) else { return };
    let (name, mut role, about) = (column.name.clone(), column.role, about(column));
    tokens.card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            let width = 50.0 * GRID;
            ui.allocate_ui(Vec2::new(width, 7.0 * GRID), |ui| {
                ui.set_min_width(width);
                Name::strong(&name).ui(ui);
            });
            let menu =
                ComboBox::from_id_salt(("role", index)).selected_text(role_name(role)).width(36.0 * GRID);
            let menu = menu.show_ui(ui, |ui| {
                for other in [Role::Path, Role::Task, Role::Split, Role::Ignore] {
                    ui.selectable_value(&mut role, other, role_name(other));
                }
            });
            menu.response
                .widget_info(|| WidgetInfo::labeled(Accessible::ComboBox, true, format!("Use of {name}")));
            ui.add(egui::Label::new(theme::caption(tokens, about)).truncate());
        });
        if role == Role::Task {
            labels_ui(ui, tokens, &mut proposal.columns[index], left_out);
        }
    });
    if proposal.columns[index].role != role {
        proposal.set_role(index, role);
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Path => "Image path",
        Role::Task => "Task",
        Role::Split => "Train or validation",
        Role::Ignore => "Not used",
    }
}

fn about(column: &ColumnGuess) -> String {
    let mut text = counted(column.distinct, "value");
    if column.empty > 0 {
        text.push_str(&format!(", {} empty", column.empty));
    }
    if column.role != Role::Task && !column.examples.is_empty() {
        text.push_str(&format!(", such as {}", column.examples.join(", ")));
    }
    text
}

/// The labels as chips; a press leaves one out, and another takes it in again.
fn labels_ui(ui: &mut Ui, tokens: &Tokens, column: &mut ColumnGuess, left_out: &mut Vec<(usize, String)>) {
    let (mut out, mut back) = (None, None);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(GRID);
        for (index, label) in column.labels.iter().take(CHIPS).enumerate() {
            let chip = name::button_ui(ui, label, &format!("  {}", icons::X));
            chip.widget_info(|| WidgetInfo::labeled(Accessible::Button, true, format!("Leave out {label}")));
            if chip.on_hover_text("Leave this label out; its rows then have no label").clicked() {
                out = Some(index);
            }
        }
        if column.labels.len() > CHIPS {
            ui.label(theme::caption(tokens, format!("and {} more", column.labels.len() - CHIPS)));
        }
    });
    if !left_out.is_empty() {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(GRID);
            ui.label(theme::caption(tokens, "Left out:"));
            ui.visuals_mut().widgets.inactive.weak_bg_fill = egui::Color32::TRANSPARENT;
            for (index, (_, label)) in left_out.iter().enumerate() {
                let chip = name::button_ui(ui, label, &format!("  {}", icons::PLUS));
                chip.widget_info(|| {
                    WidgetInfo::labeled(Accessible::Button, true, format!("Take in {label}"))
                });
                if chip.on_hover_text("Take this label in again").clicked() {
                    back = Some(index);
                }
            }
        });
    }
    if let Some(index) = out {
        left_out.push((index, column.labels.remove(index)));
    }
    if let Some(index) = back {
        let (place, label) = left_out.remove(index);
        column.labels.insert(place.min(column.labels.len()), label);
    }
}

#[cfg(test)]
mod tests {
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;
    use tasklens_data::config::Backbone;
    use tasklens_data::config::Recipe;
    use tasklens_data::config::presets::PresetFacts;

    use super::*;

    /// The form for a bare CSV on a computer with these weights.
    fn form(weights: Vec<Backbone>) -> Harness<'static> {
        let folder = tempfile::tempdir().unwrap();
        let csv = folder.path().join("garments.csv");
        std::fs::write(&csv, "path,print\na.jpg,solid\nb.jpg,striped\nc.jpg,solid\nd.jpg,striped\n").unwrap();
        let proposal = tasklens_data::dataset::propose::propose_config(&csv).unwrap();
        let facts = PresetFacts { images: 4, labelled: 4, weights, ..PresetFacts::default() };
        let mut form = ProposalForm::new(proposal, Recipe::proposed(&facts));
        let mut harness = Harness::builder()
            .with_size([900.0, 700.0])
            .with_context_setup(theme::install)
            .build_ui(move |root| {
                let commands = CommandSender::new(root.ctx()).0;
                ui(root, &mut form, &commands);
            });
        harness.run_steps(3);
        harness
    }

    #[test]
    fn a_label_that_is_left_out_can_be_taken_in_again_at_its_place() {
        let mut form = form(Vec::new());
        form.get_by_label("Leave out solid").click();
        form.run_steps(3);
        assert!(form.query_by_label("Leave out solid").is_none());
        form.get_by_label("Take in solid").click();
        form.run_steps(3);
        assert!(form.query_by_label("Take in solid").is_none());
        let left = |label: &str| form.get_by_label(&format!("Leave out {label}")).rect().left();
        assert!(left("solid") < left("striped"));
    }

    #[test]
    fn it_says_where_weights_are_missing_and_what_trains_without_them() {
        let with = form(Backbone::ALL.to_vec());
        assert!(with.query_by_label_contains("with the training preset Quick").is_some());
        assert!(with.query_by_label_contains("are not on this computer").is_none());
        let without = form(Vec::new());
        assert!(without.query_by_label_contains("with the training preset From scratch").is_some());
        let lacks = without.query_by_label_contains("The ImageNet weights of EfficientNet-Lite2 (23 MB)");
        assert!(lacks.is_some());
        assert!(without.query_by_label_contains("or Xception as the network").is_some());
        let window = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(900.0, 700.0));
        assert!(window.contains_rect(without.get_by_label("Save and open").rect()));
    }
}
