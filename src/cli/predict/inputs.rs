//! What is to be predicted: each image with what it is called and the row of a CSV that it comes from. What cannot
//! be used is kept with the reason, so that the rest goes on and no row is lost.

use std::path::{Path, PathBuf};

use tasklens_data::dataset::TableImages;
use tasklens_data::dataset::table::Table;

/// Everything that the arguments mean, in their order.
#[derive(Default)]
pub struct Inputs {
    /// The CSVs, each with its images.
    pub tables: Vec<(Table, TableImages)>,
    /// What is to be predicted, in order.
    pub items: Vec<Item>,
    /// How many arguments there were.
    arguments: usize,
}

/// One image, or what is in the place of one.
pub struct Item {
    /// What it is called: the path from here, or the address.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// The table and its row.
    pub row: Option<(usize, usize)>,
}

/// Where an image comes from.
pub enum Source {
    /// A file on disk, at this path.
    File(PathBuf),
    /// An address, which is fetched when it is its turn.
    Address,
    /// There is none, for this reason.
    Nothing(String),
    /// It is an empty row of a table, as spreadsheets write them below the data.
    BlankRow,
}

impl Inputs {
    /// Takes in the images of an argument, and why there are not more, as `collect` gives them.
    pub fn add(&mut self, argument: &Path, collect: impl FnOnce(&mut Self) -> anyhow::Result<()>) {
        self.arguments += 1;
        if let Err(error) = collect(self) {
            self.push(argument, Source::Nothing(format!("{error:#}")));
        }
    }

    /// Takes in an address of the web.
    pub fn add_address(&mut self, address: &str) {
        self.arguments += 1;
        self.push(Path::new(address), Source::Address);
    }

    /// Takes in an image file.
    pub fn add_file(&mut self, file: PathBuf) {
        self.push(&file.clone(), Source::File(file));
    }

    /// Takes in every row of a table with the image that it names.
    pub fn add_table(&mut self, table: Table, images: TableImages) {
        let place = self.tables.len();
        for (row, image) in images.paths.iter().enumerate() {
            let name = image.to_string_lossy().into_owned();
            let source = if !name.is_empty() {
                Source::File(image.clone())
            } else if (0..table.headers.len()).all(|column| table.cell(row, column).trim().is_empty()) {
                Source::BlankRow
            } else {
                Source::Nothing(format!(
                    "{}, line {}: the cell `{}` is empty, so there is no image",
                    table.path.display(),
                    table.line_of_row(row),
                    table.headers[images.column]
                ))
            };
            let name = if name.is_empty() { table.path.to_string_lossy().into_owned() } else { name };
            self.items.push(Item { name, source, row: Some((place, row)) });
        }
        self.tables.push((table, images));
    }

    /// What to tell of an item whose image cannot be read.
    pub fn explain(&self, item: usize, message: String) -> String {
        match self.items[item].row {
            Some((table, row)) => self.tables[table].1.explain(row, &message),
            None => message,
        }
    }

    fn push(&mut self, name: &Path, source: Source) {
        self.items.push(Item { name: name.to_string_lossy().into_owned(), source, row: None });
    }

    /// The table that is all there is.
    pub fn only_table(&self) -> Option<&Table> {
        self.tables.first().map(|(table, _)| table).filter(|_| self.arguments == 1)
    }

    /// An image whose path is no text, so that no output can hold it.
    pub fn no_text(&self) -> Option<&Path> {
        let files = self.items.iter().filter_map(|item| match &item.source {
            Source::File(file) => Some(file.as_path()),
            _ => None,
        });
        files.into_iter().find(|file| file.to_str().is_none())
    }
}
