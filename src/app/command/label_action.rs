//! What can be done with a label, wherever it is shown.

use tasklens_data::config::Task;
use tasklens_data::dataset::filter::{Filter, TaskFilter};

use super::{AppCommand, CommandSender};
use crate::app::theme::icons;

/// A label of the project, by names: when something is done with it, tasks and labels may have other numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelName {
    /// The task.
    pub task: String,
    /// The label.
    pub label: String,
}

impl LabelName {
    /// The label with this name of the task with this one.
    pub fn new(task: &str, label: &str) -> Self {
        Self { task: task.to_owned(), label: label.to_owned() }
    }

    /// Task and label as numbers; `None` where these tasks do not have it.
    pub fn find<'a>(&self, tasks: impl IntoIterator<Item = &'a Task>) -> Option<(usize, u32)> {
        let (at, task) = tasks.into_iter().enumerate().find(|(_, task)| task.name == self.task)?;
        let label = task.labels.iter().position(|label| *label == self.label)?;
        Some((at, u32::try_from(label).ok()?))
    }

    /// The filter that lets through what has this label; `None` where these tasks do not have it.
    pub fn filter(&self, tasks: &[Task]) -> Option<Filter> {
        let (task, label) = self.find(tasks)?;
        let mut of_tasks = vec![TaskFilter::Any; tasks.len()];
        of_tasks[task] = TaskFilter::Label(label);
        Some(Filter { tasks: of_tasks, ..Filter::default() })
    }
}

/// What is done with a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelAction {
    /// Show its images, as whoever shows it does that.
    ShowImages,
    /// Label the images that have it.
    ShowInLabel,
    /// Show the rows that have it.
    ShowInData,
    /// Show how the network does on the images that have it.
    Inspect,
    /// Give it another name, in the CSV, the config and all edits.
    Rename,
    /// Give it another key, as whoever shows it does that.
    ChooseKey,
    /// Put its name into the clipboard.
    CopyName,
}

impl LabelAction {
    /// A glyph of the icon font.
    pub fn icon(self) -> &'static str {
        match self {
            Self::ShowImages => icons::FUNNEL,
            Self::ShowInLabel => icons::TAG,
            Self::ShowInData => icons::TABLE,
            Self::Inspect => icons::MICROSCOPE,
            Self::Rename => icons::PENCIL_SIMPLE,
            Self::ChooseKey => icons::KEYBOARD,
            Self::CopyName => icons::CLIPBOARD,
        }
    }

    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Self::ShowImages => "Show only images with this label",
            Self::ShowInLabel => "Show in Label",
            Self::ShowInData => "Show in Data",
            Self::Inspect => "Inspect this label",
            Self::Rename => "Rename\u{2026}",
            Self::ChooseKey => "Choose a key (press it next)",
            Self::CopyName => "Copy name",
        }
    }

    /// Does it with a label of the project, all but [`Self::ShowImages`] and [`Self::ChooseKey`].
    pub fn send(self, name: LabelName, commands: &CommandSender) {
        commands.send(AppCommand::OnLabel { action: self, name });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_found_by_name_and_only_where_it_is() {
        let task = |name: &str, labels: [&str; 2]| Task {
            name: name.to_owned(),
            labels: labels.map(str::to_owned).to_vec(),
        };
        let tasks = [task("print", ["plain", "dotted"]), task("collar", ["plain", "round"])];
        let filter = LabelName::new("collar", "plain").filter(&tasks).unwrap();
        assert_eq!(
            filter.tasks,
            [TaskFilter::Any, TaskFilter::Label(0)],
            "that of the other task is another"
        );
        assert_eq!(LabelName::new("collar", "dotted").filter(&tasks), None);
        assert_eq!(LabelName::new("neck", "plain").find(&tasks), None);
    }
}
