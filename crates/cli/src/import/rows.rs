//! Rows of a file in any of the formats, each as the fields of a line.

use std::{
    io::Read,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result};
use csv::{Position, ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::{kind::Kind, parquet};
use crate::{exit::Usage, lines, wire};

/// One row: its line number, and its fields or why it has none.
pub(crate) struct Row {
    pub(super) line: u64,
    pub(super) fields: Result<Map<String, Value>, wire::Fault>,
}

/// Rows one after another. An error ends the import.
pub(crate) type RowIter = Box<dyn Iterator<Item = Result<Row>> + Send>;

/// The rows of one file, and how far they are read.
pub(crate) struct Rows {
    /// The rows.
    pub(super) rows: RowIter,
    /// How much there is in all, if that is known; the unit is that of `done`.
    pub(super) total: Option<u64>,
    /// How much is read.
    pub(super) done: Arc<AtomicU64>,
}

impl Rows {
    /// Opens a file. Its extension says the format.
    ///
    /// # Errors
    /// It cannot be opened, its format is unknown, or it has a column that is.
    pub(super) fn open<K: Kind>(path: &Path) -> Result<Self> {
        let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default().to_ascii_lowercase();
        match extension.as_str() {
            _ if lines::is_standard(path) => Self::of_lines(lines::open(path)?),
            "jsonl" | "ndjson" | "json" => Self::of_lines(lines::open(path)?),
            "csv" => Self::of_csv::<K>(lines::open(path)?).with_context(|| path.display().to_string()),
            "parquet" => parquet::open::<K>(path).with_context(|| path.display().to_string()),
            _ => {
                Err(Usage(format!("{}: the extension is none of .jsonl, .csv, .parquet", path.display()))
                    .into())
            }
        }
    }

    fn of_lines(input: lines::Input) -> Result<Self> {
        let rows = lines::lines(input.bytes).map(|line| {
            let (line, text) = line?;
            let fields =
                text.map_err(|reason| wire::Fault::new("", reason)).and_then(|text| wire::object(&text));
            Ok(Row { line, fields })
        });
        Ok(Self { rows: Box::new(rows), total: input.len, done: input.read })
    }

    fn of_csv<K: Kind>(input: lines::Input) -> Result<Self> {
        let mut reader = ReaderBuilder::new().from_reader(input.bytes);
        let headers = reader.headers()?.clone();
        let names: Vec<_> =
            headers.iter().map(|it| it.trim_start_matches('\u{feff}').trim().to_owned()).collect();
        check_columns::<K>(&names)?;
        let rows = CsvRows { reader, names, record: StringRecord::new() };
        let rows = rows.map(|row| {
            let Row { line, fields } = row?;
            Ok(Row { line, fields: fields.and_then(K::line_of_cells) })
        });
        Ok(Self { rows: K::gathered(rows), total: input.len, done: input.read })
    }
}

/// Rows of JSON Lines that are part of the program.
pub(crate) fn rows_of_text(text: &'static str) -> Result<Rows> {
    let len = Some(text.len() as u64);
    Rows::of_lines(lines::Input { bytes: Box::new(text.as_bytes()), len, read: Arc::default() })
}

/// Refuses a file with a column that the kind does not have, or has twice.
pub(super) fn check_columns<K: Kind>(names: &[String]) -> Result<(), Usage> {
    for (at, name) in names.iter().enumerate() {
        if !K::has_column(name) {
            return Err(Usage(format!(
                "column `{name}` is not one of {}; see `sidecart import --help`",
                K::NOUN
            )));
        }
        if names[..at].contains(name) {
            return Err(Usage(format!("column `{name}` is there twice")));
        }
    }
    Ok(())
}

struct CsvRows<R> {
    reader: csv::Reader<R>,
    names: Vec<String>,
    record: StringRecord,
}

impl<R: Read> Iterator for CsvRows<R> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.reader.read_record(&mut self.record);
        let line = |position: Option<&Position>| position.map_or(0, Position::line);
        match read {
            Ok(false) => None,
            Ok(true) => {
                let cells = self.names.iter().zip(&self.record).filter(|(_, cell)| !cell.trim().is_empty());
                let fields = cells.map(|(name, cell)| (name.clone(), Value::from(cell.trim()))).collect();
                Some(Ok(Row { line: line(self.record.position()), fields: Ok(fields) }))
            }
            Err(error) if error.is_io_error() => Some(Err(error.into())),
            Err(error) => {
                let fault = wire::Fault::new("", reason(&error, self.names.len()));
                Some(Ok(Row { line: line(error.position()), fields: Err(fault) }))
            }
        }
    }
}

fn reason(error: &csv::Error, columns: usize) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { len, .. } => format!("has {len} cells under {columns} columns"),
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

/// Counts rows for formats that know how many they have.
pub(super) fn count(done: &AtomicU64) {
    done.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{super::products::Products, *};

    fn rows(name: &str, bytes: &[u8]) -> Result<Vec<(u64, Result<Value, String>)>> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join(name);
        fs::write(&file, bytes)?;
        let rows = Rows::open::<Products>(&file)?.rows;
        let flat = |row: Row| (row.line, row.fields.map(Value::Object).map_err(|fault| fault.to_string()));
        rows.map(|row| row.map(flat)).collect()
    }

    #[test]
    fn a_bad_row_does_not_stop_the_others() {
        let jsonl = rows("a.jsonl", b"{\"title\":\"a\"}\n\nnonsense\n[1]\n{\"title\":\"b\"}").unwrap();
        let found: Vec<_> = jsonl.iter().map(|(line, fields)| (*line, fields.is_ok())).collect();
        assert_eq!(found, [(1, true), (3, false), (4, false), (5, true)]);

        let csv = rows("a.csv", b"product_id,title\na,\"A\nB\"\nb\n\xff,x\nc,C\n").unwrap();
        let found: Vec<_> = csv.iter().map(|(line, fields)| (*line, fields.is_ok())).collect();
        assert_eq!(found, [(2, true), (4, false), (5, false), (6, true)]);
        assert_eq!(csv[0].1.as_ref().unwrap()["title"], "A\nB");
        assert_eq!(csv[1].1.as_ref().unwrap_err(), "has 1 cells under 2 columns");
    }

    #[test]
    fn files_of_the_wrong_form_are_refused_as_a_whole() {
        let cases = [
            ("a.csv", "product_id,colour\n", "column `colour` is not one of products"),
            ("a.csv", "title,title\n", "column `title` is there twice"),
            ("a.txt", "", "the extension is none of"),
            ("a.parquet", "nonsense", "Parquet"),
        ];
        for (name, text, expected) in cases {
            let error =
                rows(name, text.as_bytes()).err().map(|error| format!("{error:#}")).unwrap_or_default();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}
