//! What can be done in the window where ImageNet weights are missing.

use tasklens_data::config::networks::Origin;
use tasklens_data::config::{Backbone, Recipe};

/// What trains all the same, in a sentence: whoever has a package of the program cannot run the set-up.
pub fn without_weights() -> String {
    let scratch = Recipe::Scratch.title();
    let downloaded = Backbone::ALL.iter().map(|network| network.facts()).find_map(|facts| {
        let weights = facts.weights?;
        matches!(weights.origin, Origin::HuggingFace { .. }).then_some((facts.title, weights.megabytes))
    });
    match downloaded {
        Some((title, megabytes)) => format!(
            "Without them, choose {scratch}, or {title} as the network under Advanced in Train: the run downloads its \
             weights ({megabytes} MB)."
        ),
        None => format!("Without them, choose {scratch}."),
    }
}
