//! How a project was looked at: where one was, and which rows were shown. Tasks, labels and columns are remembered by
//! name, as their numbers may be others when the project is opened again.

use std::collections::BTreeMap;

use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::filter::{Filter, TaskFilter};
use tasklens_data::dataset::sort::{RowSort, SortColumn};
use tasklens_data::dataset::split::Part;

use crate::app::place::Place;

/// What is remembered of a project; nothing, where it is looked at as for the first time.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct RememberedView {
    /// The place that was shown last.
    pub place: Option<Place>,
    /// Which rows Data shows, and in which order.
    pub rows: RememberedRows,
    /// The tab of Inspect, by name.
    pub inspect_tab: Option<String>,
    /// Longest side of the images in Label's grid, in points.
    pub label_side: Option<f32>,
    /// Longest side of the images in Inspect, in points.
    pub inspect_side: Option<f32>,
    /// The user cancelled the look at the image files.
    pub skips_image_check: bool,
}

/// A filter and an order of rows, by names.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct RememberedRows {
    /// What a cell has to have in it.
    pub text: String,
    /// Train, validation or test.
    pub part: Option<String>,
    /// A task has to have this.
    pub tasks: BTreeMap<String, RememberedLabel>,
    pub lacks_a_label: bool,
    pub has_problem: bool,
    /// What the rows are sorted by, and whether the last comes first.
    pub sort: Option<(RememberedColumn, bool)>,
}

/// What a task has to have.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RememberedLabel {
    Missing,
    DoesNotApply,
    Label(String),
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RememberedColumn {
    Path,
    Part,
    Task(String),
}

const PARTS: [Part; 3] = [Part::Train, Part::Validation, Part::Test];

impl RememberedRows {
    /// Of rows of this dataset.
    pub fn of(filter: &Filter, sort: Option<RowSort>, dataset: &Dataset) -> Self {
        let task = |(task, filter): (&tasklens_data::config::Task, &TaskFilter)| {
            let wanted = match filter {
                TaskFilter::Any => return None,
                TaskFilter::Missing => RememberedLabel::Missing,
                TaskFilter::DoesNotApply => RememberedLabel::DoesNotApply,
                TaskFilter::Label(class) => RememberedLabel::Label(task.labels.get(*class as usize)?.clone()),
            };
            Some((task.name.clone(), wanted))
        };
        let column = |column| {
            Some(match column {
                SortColumn::Path => RememberedColumn::Path,
                SortColumn::Part => RememberedColumn::Part,
                SortColumn::Label(task) => RememberedColumn::Task(dataset.tasks.get(task)?.name.clone()),
            })
        };
        Self {
            text: filter.text.clone(),
            part: filter.part.map(|part| part.name().to_owned()),
            tasks: dataset.tasks.iter().zip(&filter.tasks).filter_map(task).collect(),
            lacks_a_label: filter.lacks_a_label,
            has_problem: filter.has_problem,
            sort: sort.and_then(|sort| Some((column(sort.column)?, sort.descending))),
        }
    }

    /// The filter and the order in a dataset; what it does not have any more is left out.
    pub fn in_dataset(&self, dataset: &Dataset) -> (Filter, Option<RowSort>) {
        let wanted = |task: &tasklens_data::config::Task| match self.tasks.get(&task.name) {
            None => TaskFilter::Any,
            Some(RememberedLabel::Missing) => TaskFilter::Missing,
            Some(RememberedLabel::DoesNotApply) => TaskFilter::DoesNotApply,
            Some(RememberedLabel::Label(label)) => {
                let class = task.labels.iter().position(|other| other == label);
                let class = class.and_then(|class| u32::try_from(class).ok());
                class.map_or(TaskFilter::Any, TaskFilter::Label)
            }
        };
        let column = |column: &RememberedColumn| {
            Some(match column {
                RememberedColumn::Path => SortColumn::Path,
                RememberedColumn::Part => SortColumn::Part,
                RememberedColumn::Task(name) => {
                    SortColumn::Label(dataset.tasks.iter().position(|task| task.name == *name)?)
                }
            })
        };
        let filter = Filter {
            text: self.text.clone(),
            tasks: if self.tasks.is_empty() {
                Vec::new()
            } else {
                dataset.tasks.iter().map(wanted).collect()
            },
            lacks_a_label: self.lacks_a_label,
            has_problem: self.has_problem,
            part: PARTS.into_iter().find(|part| Some(part.name()) == self.part.as_deref()),
        };
        let sort = self.sort.as_ref();
        let sort = sort
            .and_then(|(name, descending)| Some(RowSort { column: column(name)?, descending: *descending }));
        (filter, sort)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tasklens_data::config::Config;
    use tasklens_data::dataset::table::Table;

    use super::*;

    fn dataset(tasks: &str) -> Dataset {
        let config = format!("{{paths: {{model_dataframe: x.csv}}, model: {{target_encoder: {tasks}}}}}");
        let config = Config::parse(&config, Path::new("/config.yml")).unwrap();
        let csv = "path,print,sleeves\na.jpg,solid,long\n";
        Dataset::from_table(Table::from_bytes(csv.into(), Path::new("/x.csv")).unwrap(), &config).unwrap()
    }

    #[test]
    fn rows_are_found_again_by_the_names_of_tasks_and_labels() {
        let before = dataset("{print: [solid, striped], sleeves: [long, short]}");
        let filter = Filter {
            text: "a.jpg".to_owned(),
            tasks: vec![TaskFilter::Label(1), TaskFilter::Missing],
            part: Some(Part::Validation),
            has_problem: true,
            ..Filter::default()
        };
        let sort = Some(RowSort { column: SortColumn::Label(1), descending: true });
        let remembered = RememberedRows::of(&filter, sort, &before);
        let text = serde_json::to_string(&remembered).unwrap();
        assert_eq!(serde_json::from_str::<RememberedRows>(&text).unwrap(), remembered);
        assert_eq!(remembered.in_dataset(&before), (filter, sort));
        // In another order.
        let after = dataset("{sleeves: [long, short], print: [dotted, solid, striped]}");
        let (found, order) = remembered.in_dataset(&after);
        assert_eq!(found.tasks, [TaskFilter::Missing, TaskFilter::Label(2)]);
        assert_eq!(order, Some(RowSort { column: SortColumn::Label(0), descending: true }));
        // A label and a task that are gone filter nothing.
        let (found, order) = remembered.in_dataset(&dataset("{print: [solid, dotted]}"));
        assert_eq!((found.tasks, order), (vec![TaskFilter::Any], None));
        assert!(RememberedRows::default().in_dataset(&after).0.is_empty());
    }
}
