//! Tables as Parquet, for tools that read many of them together.

use std::fs::{self, File};
use std::io::{Read as _, Write};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, FloatType};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

/// How every Parquet file begins.
const MAGIC: &[u8] = b"PAR1";
/// Rows whose cells are in memory at once.
const ROWS_OF_GROUP: usize = 32_768;

/// A column: the cell of each row, `None` where it is missing.
pub enum Column<'a> {
    /// Strings (UTF-8).
    Text(Box<dyn Fn(usize) -> Option<String> + 'a>),
    /// Numbers (float32).
    Number(Box<dyn Fn(usize) -> Option<f32> + 'a>),
}

/// Writes a table of `rows` rows. `notes` are kept in the file beside it, by name.
///
/// # Errors
/// It cannot be written.
pub fn write(
    sink: impl Write + Send,
    columns: &[(String, Column<'_>)],
    rows: usize,
    notes: &[(&str, String)],
) -> std::io::Result<()> {
    write_to(sink, columns, rows, notes).map_err(std::io::Error::other)
}

/// The notes that [`write()`] left in a file; `None` if it is no whole Parquet file.
pub fn notes(file: File) -> Option<Vec<(String, String)>> {
    let reader = SerializedFileReader::new(file).ok()?;
    let all = reader.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    Some(all.into_iter().map(|KeyValue { key, value }| (key, value.unwrap_or_default())).collect())
}

/// Whether a Parquet file may be written to a path: nothing is there, or another one.
pub fn may_replace(path: &Path) -> bool {
    let Ok(found) = fs::symlink_metadata(path) else { return true };
    let mut beginning = Vec::new();
    found.is_file()
        && File::open(path).and_then(|file| file.take(4).read_to_end(&mut beginning)).is_ok()
        && beginning == MAGIC
}

fn write_to(
    sink: impl Write + Send,
    columns: &[(String, Column<'_>)],
    rows: usize,
    notes: &[(&str, String)],
) -> Result<(), ParquetError> {
    let fields = columns.iter().map(|(name, column)| field(name, column)).collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder("schema").with_fields(fields).build()?;
    let notes = notes.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone())).collect();
    let properties = WriterProperties::builder().set_key_value_metadata(Some(notes)).build();
    let mut writer = SerializedFileWriter::new(sink, Arc::new(schema), Arc::new(properties))?;
    for start in (0..rows).step_by(ROWS_OF_GROUP) {
        let some = start..rows.min(start + ROWS_OF_GROUP);
        let mut group = writer.next_row_group()?;
        for (_, column) in columns {
            let Some(mut writer) = group.next_column()? else {
                return Err(ParquetError::General("there are fewer columns in the file".to_owned()));
            };
            write_column(&mut writer, column, some.clone())?;
            writer.close()?;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

fn field(name: &str, column: &Column<'_>) -> Result<Arc<Type>, ParquetError> {
    let builder = match column {
        Column::Text(_) => Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
            .with_logical_type(Some(LogicalType::String)),
        Column::Number(_) => Type::primitive_type_builder(name, Physical::FLOAT),
    };
    Ok(Arc::new(builder.with_repetition(Repetition::OPTIONAL).build()?))
}

fn write_column(
    writer: &mut SerializedColumnWriter<'_>,
    column: &Column<'_>,
    rows: std::ops::Range<usize>,
) -> Result<(), ParquetError> {
    match column {
        Column::Text(cell) => {
            let cells: Vec<Option<String>> = rows.map(cell).collect();
            let values: Vec<ByteArray> = cells.iter().flatten().map(|cell| cell.as_str().into()).collect();
            writer.typed::<ByteArrayType>().write_batch(&values, Some(&levels(&cells)), None)?;
        }
        Column::Number(cell) => {
            let cells: Vec<Option<f32>> = rows.map(cell).collect();
            let values: Vec<f32> = cells.iter().flatten().copied().collect();
            writer.typed::<FloatType>().write_batch(&values, Some(&levels(&cells)), None)?;
        }
    }
    Ok(())
}

/// Which cells are there.
fn levels<T>(cells: &[Option<T>]) -> Vec<i16> {
    cells.iter().map(|cell| i16::from(cell.is_some())).collect()
}

#[cfg(test)]
mod tests {
    use parquet::record::RowAccessor as _;

    use super::*;

    #[test]
    fn cells_are_there_again_and_missing_ones_are_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let rows = ROWS_OF_GROUP + 3;
        let columns = [
            (
                "a, \"b\": \u{e9}".to_owned(),
                Column::Text(Box::new(|row| (row % 3 > 0).then(|| format!("row {row}")))),
            ),
            ("p".to_owned(), Column::Number(Box::new(|row| (row % 2 > 0).then_some(row as f32)))),
        ];
        write(File::create(&path).unwrap(), &columns, rows, &[("x", "1".to_owned())]).unwrap();

        assert_eq!(notes(File::open(&path).unwrap()).unwrap()[0], ("x".to_owned(), "1".to_owned()));
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        let read: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(read.len(), rows);
        let last = &read[rows - 1];
        assert_eq!((last.get_string(0).unwrap().as_str(), last.get_float(1).is_ok()), ("row 32770", false));
        assert_eq!((read[3].get_string(0).is_ok(), read[3].get_float(1).unwrap()), (false, 3.0));
        let name = reader.metadata().file_metadata().schema_descr().column(0).name().to_owned();
        assert_eq!(name, "a, \"b\": \u{e9}");

        fs::write(&path, "PAR1 and no more").unwrap();
        assert_eq!(notes(File::open(&path).unwrap()), None);
    }
}
