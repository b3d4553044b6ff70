//! CSVs as programs and people really write them.

use super::*;

fn read(bytes: &[u8]) -> Table {
    Table::from_bytes(bytes.to_vec(), Path::new("shop.csv")).unwrap()
}

fn rows(table: &Table) -> Vec<Vec<String>> {
    let cells = |row| (0..table.headers.len()).map(|column| table.cell(row, column).into_owned()).collect();
    (0..table.row_count()).map(cells).collect()
}

fn written(table: &Table) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.csv");
    table.write_to(&path).unwrap();
    std::fs::read(&path).unwrap()
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2], mark: &[u8]) -> Vec<u8> {
    mark.iter().copied().chain(text.encode_utf16().flat_map(to_bytes)).collect()
}

#[test]
fn the_delimiter_is_told_by_the_rows_that_agree_with_the_header() {
    for (text, delimiter) in [
        ("path,print\na.jpg,solid\n", ','),
        ("path;print\na.jpg;solid\n", ';'),
        ("path\tprint\na.jpg\tsolid\n", '\t'),
        // Commas in the cells of a table with semicolons, and the other way round.
        ("path;price, net;print\na.jpg;1,5;solid\nb.jpg;2,5;solid\n", ';'),
        ("path,note\na.jpg,x;y;z\nb.jpg,x\n", ','),
        ("\"a;b\",c\nd,e\n", ','),
        ("path\na.jpg\n", ','),
    ] {
        assert_eq!(read(text.as_bytes()).delimiter, delimiter, "{text:?}");
    }
}

#[test]
fn every_encoding_reads_the_same_and_is_written_back_byte_for_byte() {
    let text = "path,größe\r\nä.jpg,\"groß\"\r\n";
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for (bytes, encoding) in [
        (text.as_bytes().to_vec(), Encoding::Utf8),
        ([UTF8_MARK, text.as_bytes()].concat(), Encoding::Utf8WithMark),
        (utf16(text, u16::to_le_bytes, &[0xff, 0xfe]), Encoding::Utf16Le),
        (utf16(text, u16::to_be_bytes, &[0xfe, 0xff]), Encoding::Utf16Be),
        (latin, Encoding::Windows1252),
    ] {
        let table = read(&bytes);
        assert_eq!(table.encoding, encoding);
        assert_eq!(table.headers, ["path", "größe"]);
        assert_eq!(rows(&table), [["ä.jpg", "groß"]]);
        assert_eq!(written(&table), bytes, "{encoding:?}");
        let mut edited = table;
        edited.set_cell(0, 1, "süß").unwrap();
        let again = read(&written(&edited));
        assert_eq!((again.encoding, again.cell(0, 1).as_ref()), (encoding, "süß"));
    }
}

const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

#[test]
fn quotes_hold_delimiters_line_breaks_and_quotes() {
    let table = read(
        b"path,note\n\"a, b.jpg\",\"two\r\nlines and \"\"quotes\"\"\"\nc.jpg,5\" screen\n\"d\".jpg,\"\"\n",
    );
    assert_eq!(
        rows(&table),
        [["a, b.jpg", "two\r\nlines and \"quotes\""], ["c.jpg", "5\" screen"], ["d.jpg", ""],]
    );
    assert_eq!((0..3).map(|row| table.line_of_row(row)).collect::<Vec<_>>(), [2, 4, 5]);
    assert!(table.defects().is_empty());
}

#[test]
fn blank_lines_and_every_kind_of_line_end_are_read() {
    for text in ["a,b\n\n1,2\n\n\n3,4", "a,b\r\n\r\n1,2\r\n\r\n\r\n3,4\r\n", "a,b\r\r1,2\r\r\r3,4\r"] {
        let table = read(text.as_bytes());
        assert_eq!(rows(&table), [["1", "2"], ["3", "4"]], "{text:?}");
        assert_eq!((table.line_of_row(0), table.line_of_row(1)), (3, 6), "{text:?}");
        assert_eq!(written(&table), text.as_bytes());
    }
}

#[test]
fn ragged_rows_are_kept_and_told() {
    let table = read(b"a,b,c\n1\n1,2,3,4\n1,2,\n,,\n");
    assert_eq!(rows(&table), [["1", "", ""], ["1", "2", "3"], ["1", "2", ""], ["", "", ""]]);
    let ragged = |found| DefectKind::Ragged { found, expected: 3, lines: 1 };
    assert_eq!(
        table.defects(),
        [
            Defect { row: Some(0), line: 2, kind: ragged(1) },
            Defect { row: Some(1), line: 3, kind: ragged(4) },
        ]
    );
}

#[test]
fn a_quote_that_does_not_close_swallows_no_row() {
    let table = read(b"path,size\na.jpg,\"12 inch\nb.jpg,3\nc.jpg,\"14 inch\n\"d.jpg\"\"\",4\ne.jpg,\"5");
    let expected =
        [["a.jpg", "\"12 inch"], ["b.jpg", "3"], ["c.jpg", "\"14 inch"], ["d.jpg\"", "4"], ["e.jpg", "\"5"]];
    assert_eq!(rows(&table), expected);
    let open = |row| Defect { row: Some(row), line: row as u64 + 2, kind: DefectKind::OpenQuote };
    assert_eq!(table.defects(), [open(0), open(2), open(4)]);
}

#[test]
fn only_edited_cells_change_in_the_file() {
    let text = "path , print,note\r\n\"a.jpg\",solid,\"x, y\"\r\n\r\nb.jpg,,\r\nc.jpg\r\n";
    let mut table = read(text.as_bytes());
    assert_eq!(table.headers, ["path", "print", "note"]);
    table.set_cell(0, 1, "floral").unwrap();
    table.set_cell(1, 1, "a \"b\"").unwrap();
    table.set_cell(2, 2, "new").unwrap();
    assert_eq!(table.cell(2, 2), "new");
    let expected =
        "path , print,note\r\n\"a.jpg\",floral,\"x, y\"\r\n\r\nb.jpg,\"a \"\"b\"\"\",\r\nc.jpg,,new\r\n";
    assert_eq!(String::from_utf8(written(&table)).unwrap(), expected);

    table.set_cell(2, 1, "one, two").unwrap();
    let last = String::from_utf8(written(&table)).unwrap();
    assert!(last.ends_with("c.jpg,\"one, two\",new\r\n"), "{last}");
    // Undone edits leave the file as it was.
    for (row, column, cell) in [(0, 1, "solid"), (1, 1, ""), (2, 1, ""), (2, 2, "")] {
        table.set_cell(row, column, cell).unwrap();
    }
    assert!(!table.is_edited());
    assert_eq!(written(&table), text.as_bytes());
    assert!(table.set_cell(3, 0, "x").is_err());
    assert!(table.set_cell(0, 3, "x").is_err());
}

#[test]
fn a_row_whose_only_cell_is_cleared_stays_a_row() {
    let mut table = read(b"path\na.jpg\nb.jpg\n");
    table.set_cell(0, 0, "").unwrap();
    assert_eq!(rows(&read(&written(&table))), [[""], ["b.jpg"]]);
}

#[test]
fn what_windows_1252_lacks_is_refused_and_leaves_the_file() {
    let mut table = read(b"path,name\na.jpg,caf\xe9\n");
    table.set_cell(0, 1, "東京").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.csv");
    let error = table.write_to(&path).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "{} cannot be written: the file is in Windows-1252, which cannot represent `東`; convert it to UTF-8 first",
            path.display()
        )
    );
    assert!(!path.exists());
}

#[test]
fn what_is_no_table_is_refused_with_what_to_do() {
    let refusal =
        |bytes: &[u8]| Table::from_bytes(bytes.to_vec(), Path::new("x.csv")).unwrap_err().to_string();
    let empty = "x.csv is empty; it needs a line with the column names and one row for each image";
    assert_eq!(refusal(b""), empty);
    assert_eq!(refusal(b"\n\r\n"), empty);
    assert_eq!(refusal(UTF8_MARK), empty);
    assert_eq!(
        refusal(b"PK\x03\x04..."),
        "x.csv: this is a workbook or a zip file; save the table as CSV and open that"
    );
    assert_eq!(
        refusal(b"a,b\n\0\0"),
        "x.csv: this is not text (it has zero bytes); save the table as CSV in UTF-8"
    );
    assert_eq!(refusal(b"\xff\xfe\x00\xd8"), "x.csv: this is not valid UTF-16; save it as UTF-8");
    assert_eq!(
        refusal(b"\xef\xbb\xbfa,b\n\xff,c\n"),
        "x.csv: line 2 is not valid UTF-8, which its byte order mark says it is; save it as UTF-8"
    );
    let missing = Table::open(Path::new("no-such.csv")).unwrap_err().to_string();
    assert_eq!(missing, "no-such.csv cannot be read");
    let folder = format!("{:#}", Table::open(&std::env::temp_dir()).unwrap_err());
    assert!(folder.ends_with("cannot be read: it is a folder, not a file"), "{folder}");
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_for_a_table_is_a_message_and_no_wait() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("labels.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for path in [pipe.as_path(), Path::new("/dev/zero")] {
            said.send(format!("{:#}", Table::open(path).unwrap_err())).unwrap();
        }
    });
    for _ in 0..2 {
        let message = heard.recv_timeout(std::time::Duration::from_secs(10)).expect("no wait");
        assert!(message.ends_with("it is a pipe or a device, not a file"), "{message}");
    }
}

#[test]
fn it_reads_what_the_csv_crate_reads() {
    // Cells drawn from awkward pieces, written by the crate in all its styles.
    let pieces = ["", "a", "\"", ",", "\n", "\r\n", " ", "é", "\"\"", "x,y", "a\"b"];
    for style in [csv::QuoteStyle::Necessary, csv::QuoteStyle::Always] {
        let mut writer = csv::WriterBuilder::new().quote_style(style).from_writer(Vec::new());
        writer.write_record(["p", "q", "r"]).unwrap();
        let mut expected = Vec::new();
        for a in pieces {
            for b in pieces {
                let record = [format!("{a}{b}"), b.to_owned(), format!("{b}{a}")];
                writer.write_record(&record).unwrap();
                expected.push(record.to_vec());
            }
        }
        let table = read(&writer.into_inner().unwrap());
        assert_eq!(rows(&table), expected);
    }
}

#[test]
fn a_first_line_that_tells_the_delimiter_is_no_row_and_stays() {
    for (first, delimiter) in
        [("sep=;", ';'), ("SEP=,", ','), ("\"sep=\t\"", '\t'), ("sep=|  ", '|'), ("sep=;\r", ';')]
    {
        let d = delimiter;
        let text = format!("{first}\nimage{d}note\na.jpg{d}x\nb.jpg{d}y\n");
        let mut table = Table::from_bytes(text.clone().into_bytes(), Path::new("x.csv")).unwrap();
        assert_eq!(
            (&*table.headers, table.delimiter),
            (&["image".to_owned(), "note".to_owned()][..], d),
            "{text:?}"
        );
        assert_eq!((table.row_count(), table.line_of_row(0)), (2, 3), "{text:?}");
        table.set_cell(1, 1, "z").unwrap();
        assert_eq!(String::from_utf8(table.to_bytes().unwrap()).unwrap(), text.replace('y', "z"));
    }
    // It counts for more than what the cells suggest.
    let table = Table::from_bytes(b"sep=;\na,b,c\nd,e,f\n".to_vec(), Path::new("x.csv")).unwrap();
    assert_eq!((table.delimiter, table.headers.len()), (';', 1));
    // Elsewhere, or as the name of a column, it is text like any other.
    let table = Table::from_bytes(b"sep=,image\nsep=;,b.jpg\n".to_vec(), Path::new("x.csv")).unwrap();
    assert_eq!((table.headers.join(" "), table.row_count()), ("sep= image".to_owned(), 1));
}
