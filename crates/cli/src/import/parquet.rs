//! Rows of a Parquet file. Its columns are those of CSV; lists, numbers and booleans may be such.

use std::{fs::File, path::Path, sync::Arc};

use anyhow::{Result, anyhow};
use jiff::Timestamp;
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, Row as Record},
};
use serde_json::{Map, Number, Value};

use super::{
    kind::Kind,
    rows::{self, Row, Rows},
};
use crate::{exit::Usage, wire::Fault};

/// Opens a file. A row's line number is its place in the file, from 1.
pub(super) fn open<K: Kind>(path: &Path) -> Result<Rows> {
    let reader = SerializedFileReader::new(File::open(path)?).map_err(|fault| Usage(fault.to_string()))?;
    let metadata = reader.metadata().file_metadata();
    let names: Vec<_> = metadata.schema().get_fields().iter().map(|it| it.name().to_owned()).collect();
    rows::check_columns::<K>(&names)?;
    let total = u64::try_from(metadata.num_rows()).ok();
    let done = Arc::default();
    let counted = Arc::clone(&done);
    let records = reader.into_iter().zip(1..).map(move |(record, line)| {
        rows::count(&counted);
        let record = record.map_err(|error| anyhow!("row {line}: {error}"))?;
        Ok(Row { line, fields: cells(record).and_then(K::line_of_cells) })
    });
    Ok(Rows { rows: K::gathered(records), total, done })
}

fn cells(record: Record) -> Result<Map<String, Value>, Fault> {
    let mut cells = Map::new();
    for (name, field) in record.into_columns() {
        let value = value(&field).map_err(|reason| Fault::new(&name, reason))?;
        let is_empty = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        if !is_empty {
            cells.insert(name, value);
        }
    }
    Ok(cells)
}

/// A field in JSON; moments as RFC 3339 text. Days and decimals are left out: no column holds one as such.
fn value(field: &Field) -> Result<Value, String> {
    let double =
        |number: f64| Number::from_f64(number).map(Value::Number).ok_or_else(|| "is not finite".to_owned());
    match field {
        Field::Null => Ok(Value::Null),
        Field::Bool(it) => Ok((*it).into()),
        Field::Byte(it) => Ok((*it).into()),
        Field::Short(it) => Ok((*it).into()),
        Field::Int(it) => Ok((*it).into()),
        Field::Long(it) => Ok((*it).into()),
        Field::UByte(it) => Ok((*it).into()),
        Field::UShort(it) => Ok((*it).into()),
        Field::UInt(it) => Ok((*it).into()),
        Field::ULong(it) => Ok((*it).into()),
        // Through its shortest text, so that 12.99 does not become 12.989999771118164.
        Field::Float(it) => it.to_string().parse().map_err(|_| "is not a number".to_owned()).and_then(double),
        Field::Double(it) => double(*it),
        Field::Str(it) => Ok(it.as_str().into()),
        Field::TimestampMillis(it) => moment(Timestamp::from_millisecond(*it)),
        Field::TimestampMicros(it) => moment(Timestamp::from_microsecond(*it)),
        Field::Bytes(it) => it.as_utf8().map(Value::from).map_err(|_| "is not UTF-8".to_owned()),
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        Field::Group(record) => {
            record.get_column_iter().map(|(name, field)| Ok((name.clone(), value(field)?))).collect()
        }
        Field::MapInternal(map) => map
            .entries()
            .iter()
            .map(|(key, field)| match value(key)? {
                Value::String(key) => Ok((key, value(field)?)),
                other => Err(format!("has the key {other}, which is not text")),
            })
            .collect(),
        other => Err(format!("is `{other}`, a type that is not taken")),
    }
}

fn moment(moment: Result<Timestamp, jiff::Error>) -> Result<Value, String> {
    moment
        .map(|moment| moment.to_string().into())
        .map_err(|_| "is no moment of the years 1 to 9999".to_owned())
}
