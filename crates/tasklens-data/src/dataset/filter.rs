//! Filters rows for the Data view: by text, label, or what is missing.

use super::split::Part;
use super::{Dataset, RowLabel};

/// The conditions for a row to be shown; the default shows every row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Must occur in a cell of the row, ignoring case.
    pub text: String,
    /// One per task, in order; further tasks are not filtered.
    pub tasks: Vec<TaskFilter>,
    /// Must lack a label for at least one task.
    pub lacks_a_label: bool,
    /// Must have a problem.
    pub has_problem: bool,
    /// Must be in this part of the split.
    pub part: Option<Part>,
}

/// The condition for one task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskFilter {
    #[default]
    Any,
    Missing,
    DoesNotApply,
    /// The label with this class index.
    Label(u32),
}

impl Filter {
    /// Whether every row is shown.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
            && self.tasks.iter().all(|task| *task == TaskFilter::Any)
            && !self.lacks_a_label
            && !self.has_problem
            && self.part.is_none()
    }

    /// The matching rows, ascending. 100,000 rows take a few milliseconds: text is searched last, in the remaining
    /// rows.
    pub fn matching(&self, dataset: &Dataset) -> Vec<usize> {
        if self.is_empty() {
            return (0..dataset.rows.len()).collect();
        }
        let parts = if self.part.is_some() { dataset.parts() } else { Vec::new() };
        let mut with_problem = Vec::new();
        if self.has_problem {
            with_problem.resize(dataset.rows.len(), false);
            for row in dataset.problems.iter().filter_map(|problem| problem.row) {
                if let Some(has_problem) = with_problem.get_mut(row) {
                    *has_problem = true;
                }
            }
        }
        let needle = Needle::new(self.text.trim());
        (0..dataset.rows.len())
            .filter(|row| {
                let labels = &dataset.rows[*row].labels;
                (!self.has_problem || with_problem[*row])
                    && (self.part.is_none() || parts[*row] == self.part)
                    && (!self.lacks_a_label || labels.iter().any(|label| label.is_missing()))
                    && labels.iter().zip(&self.tasks).all(|(label, wanted)| wanted.matches(*label))
                    && needle.is_in_row(dataset, *row)
            })
            .collect()
    }
}

impl TaskFilter {
    fn matches(self, label: RowLabel) -> bool {
        match self {
            Self::Any => true,
            Self::Missing => label.is_missing(),
            Self::DoesNotApply => label == RowLabel::DoesNotApply,
            Self::Label(class) => label == RowLabel::Class(class),
        }
    }
}

/// Lower-case text to look for.
struct Needle {
    text: String,
}

impl Needle {
    fn new(text: &str) -> Self {
        Self { text: text.to_lowercase() }
    }

    fn is_in_row(&self, dataset: &Dataset, row: usize) -> bool {
        self.text.is_empty()
            || (0..dataset.table.headers.len()).any(|column| self.is_in(&dataset.table.cell(row, column)))
    }

    fn is_in(&self, cell: &str) -> bool {
        if !self.text.is_ascii() || !cell.is_ascii() {
            return cell.to_lowercase().contains(&self.text);
        }
        // The common case, without an allocation for each cell.
        cell.as_bytes().windows(self.text.len()).any(|part| part.eq_ignore_ascii_case(self.text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::dataset::table::Table;

    const CONFIG: &str = "{paths: {model_dataframe: x.csv}, model: {target_encoder: {print: [solid, floral], sleeves: [short, long]}}}";

    fn dataset(csv: &str) -> Dataset {
        let config = Config::parse(CONFIG, Path::new("config.yml")).unwrap();
        Dataset::from_table(Table::from_bytes(csv.into(), Path::new("x.csv")).unwrap(), &config).unwrap()
    }

    fn shop() -> Dataset {
        dataset(
            "path,print,sleeves,note\nimg/Robe_Été.jpg,solid,short,silk\nimg/b.jpg,floral,,\nimg/c.jpg,,long,Solid seams\n,solid,long,\n",
        )
    }

    fn by_text(text: &str) -> Vec<usize> {
        Filter { text: text.to_owned(), ..Filter::default() }.matching(&shop())
    }

    #[test]
    fn text_is_found_in_any_cell_and_in_any_case() {
        assert_eq!(by_text(""), [0, 1, 2, 3]);
        assert_eq!(by_text(" SOLID "), [0, 2, 3]);
        assert_eq!(by_text("été"), [0]);
        assert_eq!(by_text("robe_"), [0]);
        assert_eq!(by_text("wool"), Vec::<usize>::new());
        assert_eq!(by_text("a needle that is longer than any cell of the table"), Vec::<usize>::new());
    }

    #[test]
    fn labels_missing_labels_problems_and_parts_narrow_the_list() {
        let shop = shop();
        let matching = |filter: Filter| filter.matching(&shop);
        let tasks = |print, sleeves| Filter { tasks: vec![print, sleeves], ..Filter::default() };
        use TaskFilter::{Any, Label, Missing};
        assert_eq!(matching(tasks(Label(0), Any)), [0, 3]);
        assert_eq!(matching(tasks(Label(0), Label(1))), [3]);
        assert_eq!(matching(tasks(Any, Missing)), [1]);
        assert_eq!(matching(Filter { lacks_a_label: true, ..Filter::default() }), [1, 2]);
        assert_eq!(matching(Filter { has_problem: true, ..Filter::default() }), [3]);
        let part = |part| matching(Filter { part: Some(part), ..Filter::default() });
        assert_eq!(
            (part(Part::Train), part(Part::Validation)),
            (shop.split.train.clone(), shop.split.validation.clone())
        );
        assert_eq!(matching(Filter { text: "b.jpg".into(), ..tasks(Label(0), Any) }), Vec::<usize>::new());
    }
}
