//! The two tables on the way to the CSV, as the Python project leaves them for others to read: Parquet, with the
//! columns of its data frames.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::annotation::GROUPS;
use crate::{files, parquet_file};

/// Rows that are in memory at once.
const ROWS_OF_GROUP: usize = 32_768;

/// A row of a table, as texts that are at hand elsewhere.
pub(super) struct ParquetRow<'a> {
    pub file: Option<String>,
    pub category: Option<&'a str>,
    pub bbox: Option<[i32; 4]>,
    pub labels: [Option<&'a str>; GROUPS.len()],
    /// The group of the category, in the second table.
    pub top_level: Option<&'a str>,
    pub split: &'static str,
}

/// Refuses to take the place of what is no Parquet file.
///
/// # Errors
/// There is something else; the message names it.
pub(super) fn check(path: &Path) -> anyhow::Result<()> {
    ensure!(
        parquet_file::may_replace(path),
        "{} is there already and is no Parquet file: it is not replaced; move it away, or name another in the dataset \
         config",
        path.display()
    );
    Ok(())
}

/// Writes a table of `count` rows.
///
/// # Errors
/// It cannot be written.
pub(super) fn write<'a>(
    path: &Path,
    has_top_level: bool,
    count: usize,
    row: &dyn Fn(usize) -> ParquetRow<'a>,
) -> anyhow::Result<()> {
    files::replace_with(path, |sink| write_to(sink, has_top_level, count, row).map_err(std::io::Error::other))
        .with_context(|| format!("{} cannot be written", path.display()))
}

fn write_to<'a>(
    sink: impl Write + Send,
    has_top_level: bool,
    count: usize,
    row: &dyn Fn(usize) -> ParquetRow<'a>,
) -> Result<(), ParquetError> {
    let schema = Arc::new(parse_message_type(&schema(has_top_level))?);
    let mut writer = SerializedFileWriter::new(sink, schema, Arc::new(WriterProperties::default()))?;
    for start in (0..count).step_by(ROWS_OF_GROUP) {
        let rows: Vec<ParquetRow<'a>> = (start..count.min(start + ROWS_OF_GROUP)).map(row).collect();
        let mut group = writer.next_row_group()?;
        texts(&mut group, rows.iter().map(|row| row.file.as_deref()))?;
        texts(&mut group, rows.iter().map(|row| row.category))?;
        boxes(&mut group, &rows)?;
        for task in 0..GROUPS.len() {
            texts(&mut group, rows.iter().map(|row| row.labels[task]))?;
        }
        if has_top_level {
            texts(&mut group, rows.iter().map(|row| row.top_level))?;
        }
        texts(&mut group, rows.iter().map(|row| Some(row.split)))?;
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

fn schema(has_top_level: bool) -> String {
    let text = |name: &str| format!("optional binary {name} (UTF8);");
    let mut columns = vec![text("file"), text("category")];
    columns.push("optional group bbox (LIST) { repeated group list { optional int64 element; } }".to_owned());
    columns.extend(GROUPS.map(text));
    columns.extend(has_top_level.then(|| text("top_level_category")));
    columns.push(text("split"));
    format!("message schema {{ {} }}", columns.join(" "))
}

fn texts<'t, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    cells: impl Iterator<Item = Option<&'t str>>,
) -> Result<(), ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        levels.push(i16::from(cell.is_some()));
        values.extend(cell.map(ByteArray::from));
    }
    let Some(mut column) = group.next_column()? else { return Err(no_column()) };
    column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
    column.close()
}

/// A list of four numbers: the levels say that an element is there (3), or no list (0), and where a list begins (0).
fn boxes<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    rows: &[ParquetRow<'_>],
) -> Result<(), ParquetError> {
    let (mut values, mut there, mut begins) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        match row.bbox {
            Some(bbox) => {
                values.extend(bbox.map(i64::from));
                there.extend([3_i16; 4]);
                begins.extend([0_i16, 1, 1, 1]);
            }
            None => {
                there.push(0);
                begins.push(0);
            }
        }
    }
    let Some(mut column) = group.next_column()? else { return Err(no_column()) };
    column.typed::<Int64Type>().write_batch(&values, Some(&there), Some(&begins))?;
    column.close()
}

fn no_column() -> ParquetError {
    ParquetError::General("the table has fewer columns than its rows".to_owned())
}
