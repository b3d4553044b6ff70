//! Appends columns to a table.

use super::Table;
use super::encoding::{self, Encoding};

impl Table {
    /// The bytes of the table as it was read, with further columns at the end; everything else stays as it is. Short
    /// rows are padded, including the header. If the encoding lacks characters of the new text, the result is UTF-8,
    /// and the second value says so.
    pub fn with_columns(
        &self,
        headers: &[String],
        cells: impl Fn(usize) -> Vec<String>,
    ) -> (Vec<u8>, Option<String>) {
        let records = &self.records;
        let count = |record: usize| records.cells(record).len();
        let width = (0..records.len()).map(count).max().unwrap_or_default();
        let mut text = String::with_capacity(2 * self.text.len());
        let mut done = 0;
        for record in 0..records.len() {
            text.push_str(&self.text[done..records.start(record)]);
            done = records.end(record);
            if (0..count(record)).any(|column| records.is_literal(record, column)) {
                // A quote of ours could close its open quote.
                let whole = (0..count(record)).map(|column| self.raw_cell(record, column));
                let whole: Vec<_> = whole.map(|cell| self.quoted(&cell, false).into_owned()).collect();
                text.push_str(&whole.join(&self.delimiter.to_string()));
            } else {
                text.push_str(&self.text[records.start(record)..done]);
            }
            text.extend(std::iter::repeat_n(self.delimiter, width - count(record)));
            let of_row = record.checked_sub(1).map(&cells);
            for cell in of_row.as_deref().unwrap_or(headers) {
                text.push(self.delimiter);
                text.push_str(&self.quoted(cell, false));
            }
        }
        text.push_str(&self.text[done..]);
        match encoding::encode(&text, self.encoding) {
            Ok(bytes) => (bytes, None),
            // Only Windows-1252 lacks characters.
            Err(_) => {
                let bytes = encoding::encode(&text, Encoding::Utf8WithMark);
                let note = "the CSV is in Windows-1252, which lacks a character of the new cells; the result is UTF-8";
                (bytes.unwrap_or_else(|_| text.into_bytes()), Some(note.to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn with(bytes: &[u8], header: &str, cell: &str) -> (Vec<u8>, Option<String>) {
        let table = Table::from_bytes(bytes.to_vec(), Path::new("list.csv")).unwrap();
        table.with_columns(&[header.to_owned()], |_| vec![cell.to_owned()])
    }

    #[test]
    fn rows_of_any_length_get_their_cells_in_the_new_columns() {
        let (bytes, note) = with(b"\xef\xbb\xbfa,b\n1\n\n1,2,3\n1,\"2\"", "new", "x, y");
        let expected = "\u{feff}a,b,,new\n1,,,\"x, y\"\n\n1,2,3,\"x, y\"\n1,\"2\",,\"x, y\"";
        assert_eq!((String::from_utf8(bytes).unwrap().as_str(), note), (expected, None));
    }

    #[test]
    fn an_open_quote_swallows_nothing() {
        let (bytes, _) = with(b"a,b\n5\",\"x\n6,y\n", "new", "a \"b\"");
        let table = Table::from_bytes(bytes, Path::new("new.csv")).unwrap();
        let cells = |row| [0, 1, 2].map(|column| table.cell(row, column).into_owned());
        assert_eq!(cells(0), ["5\"", "\"x", "a \"b\""]);
        assert_eq!(cells(1), ["6", "y", "a \"b\""]);
    }

    #[test]
    fn the_encoding_stays_unless_it_lacks_a_character() {
        let latin = b"a,b\ncaf\xe9,1\n";
        let (bytes, note) = with(latin, "new", "gr\u{fc}n");
        assert_eq!((bytes.as_slice(), note), (&b"a,b,new\ncaf\xe9,1,gr\xfcn\n"[..], None));
        let (bytes, note) = with(latin, "new", "\u{65e5}");
        let expected = "\u{feff}a,b,new\ncaf\u{e9},1,\u{65e5}\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        assert!(note.unwrap().contains("the result is UTF-8"));
    }
}
