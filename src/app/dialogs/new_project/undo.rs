//! What was removed from the form, to bring it back. No drawing.

use tasklens_data::dataset::create::DraftTask;

use super::card::Card;

/// A task or a label that was removed.
pub(super) enum Removed {
    /// A card, and its place.
    Task { at: usize, card: Card },
    /// A label of the card with this number, and its place.
    Label { card: u64, at: usize, label: String },
}

impl Removed {
    /// What comes back, in words.
    pub fn name(&self) -> String {
        match self {
            Self::Task { card, .. } if card.task.name.trim().is_empty() => "the task".to_owned(),
            Self::Task { card, .. } => card.task.name.trim().to_owned(),
            Self::Label { label, .. } => label.clone(),
        }
    }

    /// Puts it back where it was. Nothing comes of a label whose card is gone, or has it again.
    pub fn put_back(self, cards: &mut Vec<Card>) {
        match self {
            Self::Task { at, card } => cards.insert(at.min(cards.len()), card),
            Self::Label { card, at, label } => {
                let task = cards.iter_mut().find(|other| other.number == card).map(|card| &mut card.task);
                if let Some(DraftTask { labels, .. }) = task.filter(|task| !task.labels.contains(&label)) {
                    labels.insert(at.min(labels.len()), label);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(number: u64, labels: &[&str]) -> Card {
        let mut task = DraftTask { name: format!("task {number}"), ..DraftTask::default() };
        for label in labels {
            task.add_labels(label);
        }
        Card::new(number, task)
    }

    #[test]
    fn what_was_removed_comes_back_where_it_was() {
        let mut cards = vec![card(0, &["a", "c"]), card(2, &[])];
        Removed::Task { at: 1, card: card(1, &[]) }.put_back(&mut cards);
        assert_eq!(cards.iter().map(|card| card.number).collect::<Vec<_>>(), [0, 1, 2]);
        Removed::Label { card: 0, at: 1, label: "b".to_owned() }.put_back(&mut cards);
        assert_eq!(cards[0].task.labels, ["a", "b", "c"]);
        Removed::Label { card: 0, at: 9, label: "b".to_owned() }.put_back(&mut cards);
        Removed::Label { card: 7, at: 0, label: "d".to_owned() }.put_back(&mut cards);
        assert_eq!(cards[0].task.labels, ["a", "b", "c"], "neither twice nor elsewhere");
        Removed::Task { at: 9, card: card(3, &[]) }.put_back(&mut cards);
        assert_eq!(cards.len(), 4);
    }
}
