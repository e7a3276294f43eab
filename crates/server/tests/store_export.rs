//! Export files are read back as written, or refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests may, as tests may")]

mod store_support;

use std::fs;

use bytes::Bytes;
use sidecart_server::store::export::{ExportError, Header, Reader, Writer};
use sidecart_server::store::exports::{EXPORTS_DIR, list, newest_readable, read_file, write_file};
use sidecart_server::store::{ID_BYTES_MAX, RECORD_BYTES_MAX, Row, RowKind};
use store_support::scratch;

fn header(merchant: &str, generation: u64) -> Header {
    Header { merchant: merchant.into(), generation, created_ms: 1_700_000_000_123 }
}

fn row(kind: RowKind, id: &[u8], value: Vec<u8>) -> Row {
    Row { kind, id: id.into(), value: Bytes::from(value) }
}

fn small_rows() -> Vec<Row> {
    vec![
        row(RowKind::Product, b"p1", b"a camera".to_vec()),
        row(RowKind::Product, b"p2", Vec::new()),
        row(RowKind::Rule, b"r", vec![9; 300]),
        row(RowKind::Policy, b"default", b"at most three".to_vec()),
    ]
}

fn written(rows: &[Row]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &header("m", 7)).unwrap();
    for row in rows {
        writer.write(row.kind, &row.id, &row.value).unwrap();
    }
    writer.finish().unwrap()
}

fn read(bytes: &[u8]) -> Result<(Header, Vec<Row>), ExportError> {
    let mut reader = Reader::new(bytes)?;
    let rows = reader.by_ref().collect::<Result<_, _>>()?;
    assert!(reader.next().is_none());
    Ok((reader.header().clone(), rows))
}

#[test]
fn an_export_is_read_back_as_written() {
    let large = vec![
        row(RowKind::Rule, &[b'r'; ID_BYTES_MAX], vec![1; RECORD_BYTES_MAX]),
        row(RowKind::Request, b"\0\xff", vec![0]),
    ];
    for rows in [Vec::new(), small_rows(), large] {
        assert_eq!(read(&written(&rows)).unwrap(), (header("m", 7), rows));
    }
}

#[test]
fn every_flipped_byte_is_refused() {
    let bytes = written(&small_rows());
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            assert!(read(&flipped).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn every_truncation_and_anything_after_the_end_is_refused() {
    let mut bytes = written(&small_rows());
    for len in 0..bytes.len() {
        assert!(read(&bytes[..len]).is_err(), "{len} bytes");
    }
    bytes.push(0);
    assert!(matches!(read(&bytes), Err(ExportError::Trailer { records: 4, .. })));
}

#[test]
fn records_swapped_doubled_or_missing_are_refused() {
    let rows = small_rows();
    let head = written(&[]).len() - 41;
    let ends: Vec<usize> = (0..=rows.len()).map(|count| written(&rows[..count]).len() - 41).collect();
    let bytes = written(&rows);
    let record = |number: usize| &bytes[ends[number]..ends[number + 1]];
    let trailer = &bytes[ends[rows.len()]..];
    let orders: [&[usize]; 4] = [&[1, 0, 2, 3], &[0, 0, 1, 2, 3], &[0, 1, 2], &[]];
    for order in orders {
        let mut tampered = bytes[..head].to_vec();
        order.iter().for_each(|number| tampered.extend_from_slice(record(*number)));
        tampered.extend_from_slice(trailer);
        assert!(matches!(read(&tampered), Err(ExportError::Trailer { .. })), "{order:?}");
    }
}

#[test]
fn faults_name_the_record() {
    let rows = small_rows();
    let third = written(&rows[..2]).len() - 41;
    let mut bytes = written(&rows);
    bytes[third + 20] ^= 1;
    assert_eq!(
        read(&bytes).unwrap_err().to_string(),
        "record 3 of the export file is damaged: its checksum does not match"
    );
    let mut oversize = written(&rows);
    oversize[third + 4..third + 8].copy_from_slice(&(RECORD_BYTES_MAX as u32 + 1).to_le_bytes());
    assert!(matches!(read(&oversize), Err(ExportError::Record { number: 3, .. })));
    assert!(matches!(read(b"{\"not\": \"an export\"}"), Err(ExportError::NotAnExport)));
    let mut newer = written(&rows);
    newer[8] = 2;
    assert!(matches!(read(&newer), Err(ExportError::Newer { found: 2, known: 1 })));
}

#[test]
fn records_over_a_bound_are_not_written() {
    let mut writer = Writer::new(Vec::new(), &header("m", 1)).unwrap();
    assert!(writer.write(RowKind::Rule, b"r", &vec![0; RECORD_BYTES_MAX + 1]).is_err());
    assert!(writer.write(RowKind::Rule, &[0; ID_BYTES_MAX + 1], b"").is_err());
    assert!(writer.write(RowKind::Rule, b"", b"").is_err());
    assert!(Writer::new(Vec::new(), &header(&"m".repeat(200), 1)).is_err());
    assert!(Writer::new(Vec::new(), &header("", 1)).is_err());
}

#[test]
fn the_newest_two_files_are_kept_and_the_newest_readable_is_found() {
    let dir = scratch();
    let data = dir.path();
    assert_eq!(list(data).unwrap(), []);
    assert_eq!(newest_readable(data, "m").unwrap().whole, None);
    let rows = small_rows();
    let paths: Vec<_> = [9, 10, 11]
        .map(|generation| write_file(data, &header("m", generation), rows.clone()).unwrap())
        .into();
    write_file(data, &header("n", 1), Vec::new()).unwrap();
    let found: Vec<_> = list(data)
        .unwrap()
        .into_iter()
        .map(|file| (file.header.merchant.to_string(), file.header.generation))
        .collect();
    assert_eq!(found, [("m".to_owned(), 11), ("m".to_owned(), 10), ("n".to_owned(), 1)]);
    assert!(!paths[0].exists());
    let newest = newest_readable(data, "m").unwrap().whole.unwrap();
    assert_eq!((&newest.path, newest.header.generation), (&paths[2], 11));
    assert_eq!(read_file(&newest.path).unwrap().collect::<Result<Vec<_>, _>>().unwrap(), rows);
    let mut bytes = fs::read(&paths[2]).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&paths[2], bytes).unwrap();
    assert_eq!(newest_readable(data, "m").unwrap().whole.unwrap().path, paths[1]);
    fs::write(&paths[1], b"gone").unwrap();
    assert_eq!(newest_readable(data, "m").unwrap().whole, None);
}

#[test]
fn no_merchant_id_leads_out_of_the_directory() {
    let dir = scratch();
    let data = dir.path().join("data");
    let ids =
        ["..", "../x", "/etc", "a/b", "A", "a", "%41", "caffè", ".", &"長".repeat(42), &"長".repeat(41)];
    for id in ids {
        let path = write_file(&data, &header(id, 1), small_rows()).unwrap();
        assert_eq!(path.parent().unwrap().parent().unwrap(), data.join(EXPORTS_DIR), "{id}");
        assert_eq!(&*newest_readable(&data, id).unwrap().whole.unwrap().header.merchant, id);
    }
    assert_eq!(list(&data).unwrap().len(), ids.len());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_failed_write_leaves_the_files_that_were_there() {
    let dir = scratch();
    let path = write_file(dir.path(), &header("m", 1), small_rows()).unwrap();
    let too_large = vec![row(RowKind::Rule, b"r", vec![0; RECORD_BYTES_MAX + 1])];
    assert!(write_file(dir.path(), &header("m", 1), too_large).is_err());
    assert_eq!(read_file(&path).unwrap().count(), 4);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}
