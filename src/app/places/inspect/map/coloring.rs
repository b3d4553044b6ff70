//! What the colours of the points mean: the entries of the legend, and which of them each item belongs to.

use egui::Color32;
use tasklens_net::evaluation::inspection::TaskItems;

use crate::app::theme::{CATEGORIES, Tokens};
use crate::app::widgets::choice::Choice;
use crate::app::widgets::scatter::Dot;

/// What colours stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coloring {
    /// The label that an item has.
    #[default]
    Label,
    /// The most probable label.
    Prediction,
    /// Whether both are the same.
    Correctness,
    /// The probability of the most probable label.
    Confidence,
}

impl Coloring {
    /// All, from left to right.
    pub const ALL: [Choice<'static, Self>; 4] = [
        Choice::new(Self::Label, "Label", "Coloured by the label of each image"),
        Choice::new(Self::Prediction, "Prediction", "Coloured by the predicted label"),
        Choice::new(
            Self::Correctness,
            "Correctness",
            "Coloured by whether the network is right; mistakes are on top",
        ),
        Choice::new(Self::Confidence, "Confidence", "Coloured by the probability of the predicted label"),
    ];

    /// What the colours are of, in words.
    pub fn of(self, task: &str) -> String {
        match self {
            Self::Label => task.to_owned(),
            Self::Prediction => format!("predicted {task}"),
            Self::Correctness => format!("correctness of {task}"),
            Self::Confidence => format!("confidence in {task}"),
        }
    }
}

/// One line of the legend.
#[derive(Clone, Debug, PartialEq)]
pub struct LegendEntry {
    /// Such as a label.
    pub name: String,
    pub color: Color32,
    /// Items that are drawn in it.
    pub count: usize,
}

/// The points of some items, the last on top, and what their colours mean.
#[derive(Debug, Default)]
pub struct Scene {
    /// The points, the lowest first.
    pub dots: Vec<Dot>,
    /// The legend; an entry without items is left out, except for labels.
    pub entries: Vec<LegendEntry>,
}

/// An entry before its items are counted.
struct DotKind {
    name: String,
    color: Color32,
    /// What is drawn later is on top.
    layer: u8,
    is_label: bool,
}

/// An item in the order in which the dots are drawn: by layer, and shuffled within it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Stacked {
    /// 0 is at the bottom, and dim.
    layer: u8,
    shuffled: u32,
    item: u32,
}

impl Scene {
    /// `items` in the colours of a task; with `lit`, an entry's name, all others are dim.
    pub fn new(
        task: &TaskItems,
        items: &[usize],
        coloring: Coloring,
        lit: Option<&str>,
        tokens: &Tokens,
    ) -> Self {
        let (kinds, of_item) = kinds(task, coloring, tokens);
        let lit = lit.and_then(|name| kinds.iter().position(|kind| kind.name == name));
        let mut counts = vec![0; kinds.len()];
        let mut order: Vec<Stacked> = Vec::with_capacity(items.len());
        for item in items {
            let kind = of_item(*item);
            counts[kind] += 1;
            let layer = if lit.is_none_or(|lit| lit == kind) { 1 + kinds[kind].layer } else { 0 };
            // Mixed, so that no label covers another only because its rows come later.
            let shuffled = (*item as u32).wrapping_mul(0x9e37_79b1);
            order.push(Stacked { layer, shuffled, item: *item as u32 });
        }
        order.sort_unstable();
        let least = 1.0 / task.task.labels.len().max(1) as f32;
        let dots = order.into_iter().map(|Stacked { layer, item, .. }| {
            let color = match coloring {
                Coloring::Confidence => scaled(task.confidence(item as usize), least, tokens),
                _ => kinds[of_item(item as usize)].color,
            };
            let is_dim = layer == 0;
            Dot { item, color: if is_dim { color.gamma_multiply(0.14) } else { color }, is_dim }
        });
        let dots = dots.collect();
        let entries = kinds.into_iter().zip(counts).filter(|(kind, count)| kind.is_label || *count > 0);
        let entries = entries.map(|(kind, count)| LegendEntry { name: kind.name, color: kind.color, count });
        Self { dots, entries: entries.collect() }
    }
}

/// The colour of a probability; `least` is that of a guess.
fn scaled(probability: f32, least: f32, tokens: &Tokens) -> Color32 {
    tokens.scale((probability - least) / (1.0 - least).max(f32::EPSILON))
}

type DotKindOf<'a> = Box<dyn Fn(usize) -> usize + 'a>;

/// All kinds, and which one an item is.
fn kinds<'a>(task: &'a TaskItems, coloring: Coloring, tokens: &Tokens) -> (Vec<DotKind>, DotKindOf<'a>) {
    match coloring {
        Coloring::Label | Coloring::Prediction => labels(task, coloring == Coloring::Label, tokens),
        Coloring::Correctness => {
            let kind =
                |name: &str, color, layer| DotKind { name: name.into(), color, layer, is_label: false };
            let kinds = vec![
                kind("Wrong", tokens.error, 2),
                kind("Right", tokens.accent_text.gamma_multiply(0.6), 1),
                no_label(tokens),
            ];
            let of = |item| match task.is_right(item) {
                Some(false) => 0,
                Some(true) => 1,
                None => 2,
            };
            (kinds, Box::new(of))
        }
        Coloring::Confidence => {
            let least = 1.0 / task.task.labels.len().max(1) as f32;
            let tenths = |from: usize| DotKind {
                name: if from == 0 { "below 50 %".to_owned() } else { format!("{from} to {} %", from + 10) },
                color: scaled((from as f32 + if from == 0 { 45.0 } else { 5.0 }) / 100.0, least, tokens),
                // The doubtful ones are what one looks for.
                layer: (100 - from as u8) / 10,
                is_label: false,
            };
            let kinds = [90, 80, 70, 60, 50, 0].map(tenths).into();
            let of = |item| match (task.confidence(item) * 10.0) as usize {
                tenth @ 5.. => 9 - tenth.min(9),
                _ => 5,
            };
            (kinds, Box::new(of))
        }
    }
}

fn no_label(tokens: &Tokens) -> DotKind {
    let color = tokens.text_weak.gamma_multiply(0.5);
    DotKind { name: "No label".into(), color, layer: 0, is_label: false }
}

/// The labels: where there are more than colours, the most frequent ones and all others together. A label has
/// the same colour whichever items are drawn, and as a prediction.
fn labels<'a>(task: &'a TaskItems, is_given: bool, tokens: &Tokens) -> (Vec<DotKind>, DotKindOf<'a>) {
    let names = &task.task.labels;
    let mut shown: Vec<usize> = (0..names.len()).collect();
    if names.len() > CATEGORIES {
        let mut counts = vec![0_usize; names.len()];
        for label in task.labels.iter().flatten() {
            counts[*label as usize] += 1;
        }
        shown.sort_by_key(|label| std::cmp::Reverse(counts[*label]));
        shown.truncate(CATEGORIES - 1);
    }
    let others = shown.len();
    let mut kind_of = vec![others; names.len()];
    let mut kinds = Vec::with_capacity(others + 2);
    for (kind, label) in shown.into_iter().enumerate() {
        kind_of[label] = kind;
        let color = tokens.category(kind);
        kinds.push(DotKind { name: names[label].clone(), color, layer: 1, is_label: true });
    }
    let name = format!("{} other labels", names.len() - others);
    kinds.push(DotKind { name, color: tokens.text_weak, layer: 1, is_label: false });
    kinds.push(no_label(tokens));
    let of = move |item: usize| {
        let label = if is_given { task.labels[item] } else { Some(task.predicted[item]) };
        label.map_or(others + 1, |label| kind_of[label as usize])
    };
    (kinds, Box::new(of))
}

#[cfg(test)]
mod tests {
    use tasklens_data::config::Task;

    use super::*;
    use crate::app::theme::DARK;

    /// Item by item: the label, the prediction and how probable it is, of so many labels.
    fn task(count: usize, said: &[(Option<u32>, u32, f32)]) -> TaskItems {
        let labels = (0..count).map(|label| format!("label {label}")).collect();
        let mut probabilities = Vec::new();
        for (_, predicted, probability) in said {
            let rest = (1.0 - probability) / (count - 1) as f32;
            probabilities
                .extend((0..count as u32).map(|l| if l == *predicted { *probability } else { rest }));
        }
        TaskItems {
            task: Task { name: "print".into(), labels },
            in_dataset: Some(0),
            labels: said.iter().map(|said| said.0).collect(),
            predicted: said.iter().map(|said| said.1).collect(),
            probabilities,
            unknown_labels: 0,
        }
    }

    fn legend(scene: &Scene) -> Vec<(&str, usize)> {
        scene.entries.iter().map(|entry| (entry.name.as_str(), entry.count)).collect()
    }

    #[test]
    fn mistakes_are_on_top_in_their_own_colour() {
        let task = task(
            3,
            &[(Some(0), 1, 0.9), (Some(0), 0, 0.9), (None, 2, 0.5), (Some(2), 2, 0.7), (Some(1), 0, 0.4)],
        );
        let scene = Scene::new(&task, &[0, 1, 2, 3, 4], Coloring::Correctness, None, &DARK);
        assert_eq!(legend(&scene), [("Wrong", 2), ("Right", 2), ("No label", 1)]);
        let wrong: Vec<bool> = scene.dots.iter().map(|dot| dot.color == DARK.error).collect();
        assert_eq!(wrong, [false, false, false, true, true]);
        let mut last = [scene.dots[3].item, scene.dots[4].item];
        last.sort_unstable();
        assert_eq!(last, [0, 4]);
        // Only what is asked for.
        let some = Scene::new(&task, &[1, 3], Coloring::Correctness, None, &DARK);
        assert_eq!(legend(&some), [("Right", 2)]);
    }

    #[test]
    fn a_label_has_one_colour_as_label_and_as_prediction() {
        let task = task(3, &[(Some(0), 1, 0.9), (Some(1), 1, 0.9), (None, 2, 0.9)]);
        let by_label = Scene::new(&task, &[0, 1, 2], Coloring::Label, None, &DARK);
        assert_eq!(legend(&by_label), [("label 0", 1), ("label 1", 1), ("label 2", 0), ("No label", 1)]);
        let predicted = Scene::new(&task, &[1, 2], Coloring::Prediction, None, &DARK);
        assert_eq!(legend(&predicted), [("label 0", 0), ("label 1", 1), ("label 2", 1)]);
        let color = |scene: &Scene, item| scene.dots.iter().find(|dot| dot.item == item).unwrap().color;
        assert_eq!(color(&by_label, 1), color(&predicted, 1));
        assert_ne!(color(&by_label, 0), color(&by_label, 1));
    }

    #[test]
    fn of_many_labels_the_frequent_ones_keep_a_colour() {
        // Label 19 is that of 20 items, label 18 of 19, and so on.
        let said: Vec<(Option<u32>, u32, f32)> =
            (0..20).flat_map(|label| vec![(Some(label), 0, 0.9); label as usize + 1]).collect();
        let task = task(20, &said);
        let all: Vec<usize> = (0..said.len()).collect();
        let scene = Scene::new(&task, &all, Coloring::Label, None, &DARK);
        let legend = legend(&scene);
        assert_eq!(legend.len(), CATEGORIES);
        assert_eq!((legend[0], legend[10]), (("label 19", 20), ("label 9", 10)));
        assert_eq!(legend[11], ("9 other labels", 45));
        assert_eq!(legend.iter().map(|entry| entry.1).sum::<usize>(), said.len());
    }

    #[test]
    fn doubt_is_on_top_and_the_legend_counts_by_tenths() {
        let task = task(2, &[(None, 0, 0.55), (None, 0, 0.999), (None, 0, 1.0), (None, 1, 0.91)]);
        let scene = Scene::new(&task, &[0, 1, 2, 3], Coloring::Confidence, None, &DARK);
        assert_eq!(legend(&scene), [("90 to 100 %", 3), ("50 to 60 %", 1)]);
        assert_eq!(scene.dots[3].item, 0);
        assert_eq!(scene.dots[3].color, DARK.scale(0.1));
    }

    #[test]
    fn one_entry_can_be_looked_at_alone() {
        let task = task(3, &[(Some(0), 0, 0.9), (Some(1), 1, 0.9), (Some(1), 2, 0.9)]);
        let scene = Scene::new(&task, &[0, 1, 2], Coloring::Label, Some("label 0"), &DARK);
        let dim: Vec<(u32, bool)> = scene.dots.iter().map(|dot| (dot.item, dot.is_dim)).collect();
        assert_eq!(dim[2], (0, false));
        assert!(dim[0].1 && dim[1].1);
        assert_eq!(legend(&scene)[1], ("label 1", 2));
    }
}
