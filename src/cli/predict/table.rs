//! Predictions as a CSV that can be joined with what was asked: a row for each input, in its order.
//!
//! Where the one input is a CSV it is that CSV, with further columns. Of several inputs the columns are put beside
//! each other by name.

use std::io::{self, Write};
use std::ops::Range;

use tasklens_data::config::Task;
use tasklens_data::parquet_file::{self, Column};
use tasklens_net::inference::Prediction;
use tasklens_net::inference::table::{self, TableLayout};

use super::inputs::{Inputs, Item, Source};

/// The column of what is predicted of, where the inputs are not one CSV.
const IMAGE: &str = "image_path";
const LAYOUT: TableLayout = TableLayout::Joined;

/// The bytes of the CSV, and what a user should know of it. `answers` has one per item.
///
/// # Errors
/// A text is too long.
pub fn csv(
    tasks: &[Task],
    inputs: &Inputs,
    answers: &[Option<Result<Prediction, String>>],
) -> anyhow::Result<(Vec<u8>, Vec<String>)> {
    let cells = |item: usize| cells(tasks, &inputs.items[item], answers[item].as_ref());
    if let Some(table) = inputs.only_table() {
        let (ours, note) = free_names(&LAYOUT.names(tasks), &table.headers);
        let (bytes, recoded) = table.with_columns(&ours, cells);
        return Ok((bytes, note.into_iter().chain(recoded).collect()));
    }
    let joined = Joined::of(inputs);
    let (ours, note) = free_names(&LAYOUT.names(tasks), &joined.headers);
    let header = [joined.headers.as_slice(), &ours].concat();
    let items = (0..inputs.items.len()).filter(|item| !inputs.items[*item].is_blank());
    let records = items.map(|item| [joined.cells(inputs, item), cells(item)].concat());
    let bytes = table::csv(std::iter::once(header).chain(records))?;
    Ok((bytes, note.into_iter().collect()))
}

impl Item {
    fn is_blank(&self) -> bool {
        matches!(self.source, Source::BlankRow)
    }
}

fn cells(tasks: &[Task], item: &Item, answer: Option<&Result<Prediction, String>>) -> Vec<String> {
    let why = match answer {
        Some(Ok(prediction)) => return LAYOUT.cells(tasks, |task| &prediction.probabilities[task], &[]),
        Some(Err(message)) => message,
        None if item.is_blank() => "",
        None => "not predicted: stopped before",
    };
    LAYOUT.cells_without(tasks, why)
}

/// The columns of answers to images in a folder, and the cells of one.
pub fn header_of_images(tasks: &[Task]) -> Vec<String> {
    std::iter::once(IMAGE.to_owned()).chain(LAYOUT.names(tasks)).collect()
}

/// See [`header_of_images`].
pub fn cells_of_image(tasks: &[Task], name: &str, answer: &Result<Prediction, String>) -> Vec<String> {
    let cells = match answer {
        Ok(prediction) => LAYOUT.cells(tasks, |task| &prediction.probabilities[task], &[]),
        Err(message) => LAYOUT.cells_without(tasks, message),
    };
    std::iter::once(name.to_owned()).chain(cells).collect()
}

/// Which columns of [`parquet`] have other names than usual, as the inputs have these.
pub fn renamed(tasks: &[Task], inputs: &Inputs) -> Option<String> {
    free_names(&LAYOUT.names(tasks), &Joined::of(inputs).headers).1
}

/// The items of a range as Parquet: `image_path`, the columns of CSVs by name, then those of the answers.
///
/// # Errors
/// It cannot be written.
pub fn parquet(
    sink: impl Write + Send,
    tasks: &[Task],
    inputs: &Inputs,
    answers: &[Option<Result<Prediction, String>>],
    items: Range<usize>,
    (name, origin): &(&'static str, String),
) -> io::Result<()> {
    let joined = Joined::of(inputs);
    let (ours, _) = free_names(&LAYOUT.names(tasks), &joined.headers);
    let items: Vec<usize> = items.filter(|item| !inputs.items[*item].is_blank()).collect();
    let given: Vec<Vec<String>> = items.iter().map(|item| joined.cells(inputs, *item)).collect();
    let answer = |row: usize| answers[items[row]].as_ref();
    let mut columns: Vec<(String, Column<'_>)> = Vec::new();
    for (place, header) in joined.headers.iter().enumerate() {
        let given = &given;
        columns.push((header.clone(), Column::Text(Box::new(move |row| Some(given[row][place].clone())))));
    }
    let answer = &answer;
    for (task, of) in tasks.iter().enumerate() {
        let label = move |row| answer(row)?.as_ref().ok().map(|made| of.labels[made.top(task).0].clone());
        columns.push((String::new(), Column::Text(Box::new(label))));
        for label in 0..of.labels.len() {
            let share = move |row| answer(row)?.as_ref().ok().map(|made| made.probabilities[task][label]);
            columns.push((String::new(), Column::Number(Box::new(share))));
        }
    }
    let why = move |row| answer(row)?.as_ref().err().cloned();
    columns.push((String::new(), Column::Text(Box::new(why))));
    for ((name, _), own) in columns.iter_mut().skip(joined.headers.len()).zip(ours) {
        *name = own;
    }
    parquet_file::write(sink, &columns, items.len(), &[(name, origin.clone())])
}

/// Names that no other column has, and which of those that were wanted are taken.
fn free_names(wanted: &[String], taken: &[String]) -> (Vec<String>, Option<String>) {
    let mut names: Vec<String> = Vec::with_capacity(wanted.len());
    let mut renamed = Vec::new();
    for name in wanted {
        let others = (2..).map(|number| format!("{name}_predicted_{number}"));
        let mut candidates = [name.clone(), format!("{name}_predicted")].into_iter().chain(others);
        let free = candidates.find(|name| !taken.contains(name) && !names.contains(name));
        let free = free.unwrap_or_else(|| name.clone());
        if free != *name {
            renamed.push(format!("`{name}` as `{free}`"));
        }
        names.push(free);
    }
    let note = || {
        format!("columns with these names exist already, so the new ones are renamed: {}", renamed.join(", "))
    };
    let note = (!renamed.is_empty()).then(note);
    (names, note)
}

/// The columns of several tables beside each other: of one name, in one.
struct Joined {
    headers: Vec<String>,
    /// Per table and column the column here.
    places: Vec<Vec<usize>>,
}

impl Joined {
    fn of(inputs: &Inputs) -> Self {
        let mut headers = vec![IMAGE.to_owned()];
        let mut places = Vec::new();
        for (table, images) in &inputs.tables {
            // No table has two of its columns in one.
            let mut own: Vec<usize> = Vec::new();
            for (column, name) in table.headers.iter().enumerate() {
                let known = (1..headers.len()).find(|place| headers[*place] == *name && !own.contains(place));
                own.push(match known {
                    _ if column == images.column => 0,
                    Some(place) => place,
                    None => {
                        headers.push(name.clone());
                        headers.len() - 1
                    }
                });
            }
            places.push(own);
        }
        Self { headers, places }
    }

    fn cells(&self, inputs: &Inputs, item: usize) -> Vec<String> {
        let mut cells = vec![String::new(); self.headers.len()];
        let item = &inputs.items[item];
        match item.row {
            None => cells[0].clone_from(&item.name),
            Some((table, row)) => {
                for (column, place) in self.places[table].iter().enumerate() {
                    cells[*place] = inputs.tables[table].0.cell(row, column).into_owned();
                }
            }
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tasklens_data::dataset::TableImages;
    use tasklens_data::dataset::table::Table;

    use super::*;

    fn tasks() -> Vec<Task> {
        vec![Task { name: "print".into(), labels: vec!["solid".into(), "striped".into()] }]
    }

    fn striped() -> Option<Result<Prediction, String>> {
        Some(Ok(Prediction { probabilities: vec![vec![0.25, 0.75]] }))
    }

    fn add_table(inputs: &mut Inputs, bytes: &[u8]) {
        let table = Table::from_bytes(bytes.to_vec(), Path::new("sub/list.csv")).unwrap();
        let images = TableImages::of(&table, 0, None);
        inputs.add(Path::new("sub/list.csv"), |inputs| {
            inputs.add_table(table, images);
            Ok(())
        });
    }

    #[test]
    fn a_csv_keeps_its_rows_columns_and_form_and_ours_join_them() {
        let mut inputs = Inputs::default();
        let csv_in = "photo;print;id\r\nx.png;solid;A1\r\nnope.png;;\"A;2\"\r\n;;A3\r\n;;\r\nlater.png\r\n";
        add_table(&mut inputs, csv_in.as_bytes());
        let no_image = match &inputs.items[2].source {
            Source::Nothing(why) => Some(Err(why.clone())),
            _ => None,
        };
        let answers = [striped(), Some(Err("nope.png is missing".into())), no_image, None, None];
        let (bytes, notes) = csv(&tasks(), &inputs, &answers).unwrap();
        let expected = "photo;print;id;print_predicted;print:solid;print:striped;error\r\n\
                        x.png;solid;A1;striped;0.250000;0.750000;\r\n\
                        nope.png;;\"A;2\";;;;nope.png is missing\r\n\
                        ;;A3;;;;sub/list.csv, line 4: the cell `photo` is empty, so there is no image\r\n\
                        ;;;;;;\r\n\
                        later.png;;;;;;not predicted: stopped before\r\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        assert!(notes[0].contains("`print` as `print_predicted`"), "{notes:?}");
    }

    #[test]
    fn several_inputs_are_put_beside_each_other_by_the_names_of_their_columns() {
        let mut inputs = Inputs::default();
        add_table(&mut inputs, b"photo,id\nx.png,A1\n");
        add_table(&mut inputs, b"image_path,error,id\ny.png,none,B1\n");
        inputs.add(Path::new("gone.png"), |_| anyhow::bail!("gone.png does not exist"));
        let answers = [striped(), striped(), Some(Err("gone.png does not exist".into()))];
        let (bytes, notes) = csv(&tasks(), &inputs, &answers).unwrap();
        let expected = "image_path,id,error,print,print:solid,print:striped,error_predicted\n\
                        x.png,A1,,striped,0.250000,0.750000,\n\
                        y.png,B1,none,striped,0.250000,0.750000,\n\
                        gone.png,,,,,,gone.png does not exist\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        assert_eq!(notes.len(), 1);
    }
}
