//! What an import made and left out, in words.

use std::collections::BTreeMap;

use super::Imported;
use crate::dataset::problems::{self, OfKind};
use crate::text::{counted_grouped, grouped, plural};

impl Imported {
    /// Whether every row of the groups to model is in the CSV.
    pub fn is_complete(&self) -> bool {
        self.rows[1] == self.rows[2]
    }

    /// How many images the CSV has.
    pub fn images(&self) -> String {
        counted_grouped(self.rows[2], "image")
    }

    /// Of how many rows they are, and how many crops were there.
    pub fn origin(&self) -> String {
        let [all, chosen, _] = self.rows;
        let number = |count: usize| grouped(count as u64);
        let were = plural(self.kept, "crop was", "crops were");
        format!(
            "of {} in the annotation, {} of them in the groups to model; {} {were} there already",
            number(all),
            number(chosen),
            number(self.kept)
        )
    }

    /// How it trains: preset, network, and what the preset does.
    pub fn training_line(&self) -> String {
        let training = &self.training;
        let network = training.keys.backbone.facts().title;
        format!("It trains {} ({network}): {}", training.recipe.title(), training.recipe.about())
    }

    /// The problems by kind, in words, with the places of at most `most` of each.
    pub fn problems_by_kind(&self, most: usize) -> BTreeMap<&'static str, OfKind> {
        problems::by_kind(self.problems.iter().map(|problem| problem.what.kind()), most)
    }
}
