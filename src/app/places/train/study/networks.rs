//! The networks of a study in a list: how far each is, how good it is, and Inspect.

use egui::{Grid, Ui, vec2};
use tasklens_data::text::counted;

use super::live::{LiveStudy, Network};
use crate::app::command::AppCommand;
use crate::app::context::ViewContext;
use crate::app::services::runs::Runs;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::glyph_button;

/// How far a network is.
#[derive(Clone, Debug, PartialEq)]
struct NetworkState {
    text: String,
    /// Per task, with the best weights.
    accuracies: String,
    /// Whether there is something to inspect.
    has_model: bool,
}

/// How many of them are trained to the end.
pub fn trained(networks: &[Network], runs: &Runs) -> usize {
    networks.iter().filter(|network| runs.find(&network.folder).is_some_and(|run| run.is_over())).count()
}

/// Shows the list. `live` is the study itself, while it goes on.
pub fn networks_ui(ui: &mut Ui, context: &ViewContext<'_>, networks: &[Network], live: Option<&LiveStudy>) {
    let tokens = context.tokens;
    let grid = Grid::new("networks of the study").num_columns(5).spacing(vec2(5.0 * GRID, 0.5 * GRID));
    egui::ScrollArea::horizontal().id_salt("networks").show(ui, |ui| {
        grid.show(ui, |ui| {
            for heading in ["Network", "Seed", "State", "Accuracy of the best epoch", ""] {
                ui.label(theme::caption(tokens, heading));
            }
            ui.end_row();
            for (index, network) in networks.iter().enumerate() {
                let current = live.filter(|live| live.current == Some(index));
                let state = state_of(network, current, context.runs);
                let is_current = current.is_some();
                let title = if is_current { theme::strong(&network.title) } else { (&network.title).into() };
                ui.label(title);
                ui.label(network.seed.to_string());
                let color = if is_current { tokens.accent_text } else { tokens.text_weak };
                ui.colored_label(color, state.text);
                ui.label(state.accuracies);
                let name = format!("Inspect the network of {}, seed {}", network.title, network.seed);
                if state.has_model && glyph_button(ui, icons::MICROSCOPE, &name, true).clicked() {
                    context.commands.send(AppCommand::InspectRun(network.folder.clone()));
                }
                ui.end_row();
            }
        });
    });
}

fn state_of(network: &Network, current: Option<&LiveStudy>, runs: &Runs) -> NetworkState {
    if let Some(live) = current {
        let record = &live.run.record;
        let epochs = counted(record.epochs.len(), "epoch");
        let accuracies = record.kept_epoch().map(|kept| kept.validation.task_accuracy.as_slice());
        let known = network.tasks.iter().zip(accuracies.unwrap_or_default());
        return NetworkState {
            text: if record.epochs.is_empty() {
                "training".to_owned()
            } else {
                format!("training, {epochs}")
            },
            accuracies: listed(known.map(|(task, accuracy)| (task.as_str(), Some(*accuracy)))),
            has_model: false,
        };
    }
    match runs.find(&network.folder) {
        None => NetworkState { text: "waiting".to_owned(), accuracies: String::new(), has_model: false },
        Some(run) => NetworkState {
            text: run.state(),
            accuracies: listed(run.accuracies()),
            has_model: run.record.best.is_some(),
        },
    }
}

/// `print 92.0 %, neckline 81.5 %`.
fn listed<'a>(accuracies: impl Iterator<Item = (&'a str, Option<f64>)>) -> String {
    let texts = accuracies.filter_map(|(task, accuracy)| {
        let accuracy = accuracy.filter(|accuracy| accuracy.is_finite())?;
        Some(format!("{task} {:.1} %", 100.0 * accuracy))
    });
    texts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use tasklens_net::study::StudyEvent;
    use tasklens_net::training::events::{EpochMetrics, Event, SplitMetrics};

    use super::*;

    #[test]
    fn a_network_waits_or_trains_and_tells_what_it_has_come_to() {
        let network =
            Network { title: "print alone".into(), seed: 5, folder: "r".into(), tasks: vec!["print".into()] };
        let waiting = state_of(&network, None, &Runs::default());
        assert_eq!((waiting.text.as_str(), waiting.has_model), ("waiting", false));
        let mut live = LiveStudy::default();
        live.networks = vec![network.clone()];
        live.apply(&StudyEvent::Run { index: 0, is_over: false });
        assert_eq!(state_of(&network, Some(&live), &Runs::default()).text, "training");
        let split = SplitMetrics { loss: 1.0, task_loss: vec![1.0], task_accuracy: vec![0.815] };
        let epoch = EpochMetrics {
            epoch: 1,
            learning_rate: 0.1,
            secs: 1.0,
            images_per_sec: 1.0,
            train: split.clone(),
            validation: split,
            best: true,
            gradient_shares: Vec::new(),
        };
        live.apply(&StudyEvent::Training(Event::Epoch(epoch)));
        let state = state_of(&network, Some(&live), &Runs::default());
        assert_eq!((state.text.as_str(), state.accuracies.as_str()), ("training, 1 epoch", "print 81.5 %"));
    }
}
