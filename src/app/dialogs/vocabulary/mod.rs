//! Tasks and labels of the open project: what there is, and changes of it, each shown before it is made.
//!
//! [`list`] is the first page, [`question`] the second: what would change, and Apply. Both only ask; the app
//! makes the change.

mod list;
mod question;

use egui::{Context, Id, InputState, Key, Modal, Modifiers, Ui};
use tasklens_data::dataset::edits::State;
use tasklens_data::dataset::label_stats::LabelStats;
use tasklens_data::dataset::vocabulary::VocabularyChange;

use crate::app::command::{AppCommand, LabelName};
use crate::app::context::ViewContext;
use crate::app::services::derived::Derived;
use crate::app::theme::{self, GRID, Tokens};
use list::List;
use question::ChangeQuestion;

/// The dialog: the list of tasks and labels, or the question about one change.
#[derive(Default)]
pub struct VocabularyView {
    is_open: bool,
    list: List,
    question: Option<ChangeQuestion>,
    /// Of a generation of the project.
    stats: Derived<u64, LabelStats>,
}

/// What a page asks for.
enum VocabularyAnswer {
    None,
    /// Another page: this change.
    Ask(VocabularyChange),
    /// Go back to the list.
    Back,
    Apply(VocabularyChange),
    /// Close the dialog.
    Close,
}

impl VocabularyView {
    /// Shows or hides it.
    pub fn toggle(&mut self) {
        *self = Self { is_open: !self.is_open, ..Self::default() };
    }

    /// Opens it with another name for this label to be typed.
    pub fn rename(&mut self, name: &LabelName) {
        *self = Self { is_open: true, list: List::renaming(name), ..Self::default() };
    }

    /// The project is another or was changed: what was typed and asked is of the old one.
    pub fn on_project(&mut self, is_same_file: bool) {
        let is_open = self.is_open && is_same_file;
        let stats = if is_same_file { std::mem::take(&mut self.stats) } else { Derived::default() };
        *self = Self { is_open, stats, ..Self::default() };
    }

    /// Shows it while it is open; `is_changing`: a change is being made.
    pub fn ui(&mut self, ctx: &Context, context: &mut ViewContext<'_>, is_changing: bool) {
        if !self.is_open || context.project.is_none() {
            return;
        }
        self.count(context);
        let tokens = Tokens::of(ctx);
        let frame = tokens.card_frame().inner_margin(20).corner_radius(theme::RADIUS + 4);
        let space = ctx.content_rect().size();
        let modal = Modal::new(Id::unique("tasks and labels")).frame(frame).show(ctx, |ui| {
            ui.set_width((150.0 * GRID).min(space.x - 16.0 * GRID));
            self.page_ui(ui, context, is_changing)
        });
        let answer = match modal.inner {
            VocabularyAnswer::None if modal.should_close() && !is_changing => VocabularyAnswer::Close,
            answer => answer,
        };
        match answer {
            VocabularyAnswer::None => {}
            VocabularyAnswer::Ask(change) => self.question = Some(ChangeQuestion::new(change)),
            VocabularyAnswer::Back => self.question = None,
            VocabularyAnswer::Apply(change) => context.commands.send(AppCommand::ChangeVocabulary(change)),
            VocabularyAnswer::Close => self.is_open = false,
        }
    }

    fn page_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>, is_changing: bool) -> VocabularyAnswer {
        // Escape leaves a page before it leaves the dialog.
        let is_within = self.question.is_some() || self.list.is_editing();
        let is_left = |input: &mut InputState| input.consume_key(Modifiers::NONE, Key::Escape);
        if is_within && !is_changing && ui.input_mut(is_left) {
            self.list.stop_editing();
            self.question = None;
        }
        if is_changing {
            ui.disable();
        }
        match &mut self.question {
            Some(question) => question.ui(ui, context, is_changing),
            None => self.list.ui(ui, context, self.stats.get(), self.stats.failure()),
        }
    }

    /// Counts what each label has, in the background; the counts before stay until then.
    fn count(&mut self, context: &ViewContext<'_>) {
        let Some(project) = context.project else { return };
        self.stats.want(&project.generation, || {
            let rows = std::sync::Arc::clone(&project.dataset);
            // The project's rows have the edits in them.
            context
                .jobs
                .start_quietly("Counting labels", move |_| Ok(LabelStats::of(&rows, &State::default())))
        });
    }
}
