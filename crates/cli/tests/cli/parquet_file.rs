//! A Parquet file of products, with the types that such files have.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use parquet::{
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    file::writer::{SerializedFileWriter, SerializedRowGroupWriter},
    schema::parser::parse_message_type,
};

const SCHEMA: &str = "message products {
    required binary product_id (UTF8);
    required binary title (UTF8);
    optional binary category_path (UTF8);
    required binary currency (UTF8);
    required double price;
    required boolean in_stock;
    optional binary kind (UTF8);
    optional int64 days_of_supply;
    optional group tags (LIST) { repeated group list { required binary element (UTF8); } }
    optional int64 stock_quantity;
    optional binary attr:mount (UTF8);
    optional double attr:mm;
}";

/// Writes the two products that the test of formats knows.
pub(crate) fn products(dir: &Path) -> PathBuf {
    let path = dir.join("products.parquet");
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut writer = SerializedFileWriter::new(File::create(&path).unwrap(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let texts = |texts: &[&str]| texts.iter().map(|text| ByteArray::from(*text)).collect::<Vec<_>>();
    column::<ByteArrayType>(&mut group, &texts(&["a", "b"]), None, None);
    column::<ByteArrayType>(&mut group, &texts(&["A", "B"]), None, None);
    column::<ByteArrayType>(&mut group, &texts(&["X > Y"]), Some(&[1, 0]), None);
    column::<ByteArrayType>(&mut group, &texts(&["USD", "JPY"]), None, None);
    column::<DoubleType>(&mut group, &[12.99, 1200.0], None, None);
    column::<BoolType>(&mut group, &[true, false], None, None);
    column::<ByteArrayType>(&mut group, &texts(&["CONSUMABLE"]), Some(&[1, 0]), None);
    column::<Int64Type>(&mut group, &[30], Some(&[1, 0]), None);
    column::<ByteArrayType>(&mut group, &texts(&["s", "t"]), Some(&[2, 2, 0]), Some(&[0, 1, 0]));
    column::<Int64Type>(&mut group, &[0], Some(&[0, 1]), None);
    column::<ByteArrayType>(&mut group, &texts(&["E"]), Some(&[1, 0]), None);
    column::<DoubleType>(&mut group, &[67.5], Some(&[1, 0]), None);
    group.close().unwrap();
    writer.close().unwrap();
    path
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    definitions: Option<&[i16]>,
    repetitions: Option<&[i16]>,
) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, definitions, repetitions).unwrap();
    column.close().unwrap();
}
