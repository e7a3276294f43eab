//! Where export files lie: `exports/<merchant>/<generation>.sidecart` under the data directory, the newest two each.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use super::Row;
use super::export::{ExportError, Header, Reader, Writer};
use super::files;

/// The directory under the data directory.
pub const EXPORTS_DIR: &str = "exports";
/// How many files are kept per merchant.
pub const EXPORTS_KEPT: usize = 2;

const EXTENSION: &str = "sidecart";
/// Directory names longer than this are replaced by a digest: file systems refuse over 255 bytes.
const NAME_BYTES_MAX: usize = 200;

/// An export file whose header is readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Where it is.
    pub path: PathBuf,
    /// What it is of.
    pub header: Header,
}

/// Writes an export file durably, then removes all but the newest [`EXPORTS_KEPT`] of the merchant.
///
/// # Errors
/// When the file system fails; the files that were there are then still there.
pub fn write_file(
    data: &Path,
    header: &Header,
    records: impl IntoIterator<Item = Row>,
) -> io::Result<PathBuf> {
    let dir = merchant_dir(data, &header.merchant);
    files::create_dirs(&dir)?;
    for unfinished in paths_newest_first(&dir, "tmp")? {
        files::remove(&unfinished)?;
    }
    let path = dir.join(format!("{:020}.{EXTENSION}", header.generation));
    files::replace(&path, |file| {
        let mut writer = Writer::new(BufWriter::new(file), header)?;
        for record in records {
            writer.write(record.kind, &record.id, &record.value)?;
        }
        writer.finish().map(drop)
    })?;
    for surplus in paths_newest_first(&dir, EXTENSION)?.into_iter().skip(EXPORTS_KEPT) {
        files::remove(&surplus)?;
    }
    Ok(path)
}

/// Removes the export files of a merchant that are older than a generation.
///
/// # Errors
/// When the file system fails.
pub fn remove_older(data: &Path, merchant: &str, generation: u64) -> io::Result<()> {
    let dir = merchant_dir(data, merchant);
    let newest = format!("{generation:020}");
    let is_older = |path: &PathBuf| path.file_stem().is_some_and(|name| name < newest.as_str());
    paths_newest_first(&dir, EXTENSION)?
        .iter()
        .filter(|path| is_older(path))
        .try_for_each(|path| files::remove(path))
}

/// All export files with a readable header: by merchant, newest first.
///
/// # Errors
/// When a directory cannot be read.
pub fn list(data: &Path) -> io::Result<Vec<Exported>> {
    let dirs = merchant_dirs(data)?;
    let mut found: Vec<_> =
        dirs.iter().flat_map(|(_, paths)| paths).filter_map(|path| with_header(path)).collect();
    found.sort_by(|a, b| {
        let (a, b) = (&a.header, &b.header);
        a.merchant.cmp(&b.merchant).then(b.generation.cmp(&a.generation))
    });
    Ok(found)
}

/// Directories whose export files all have an unreadable header, with the newest generation that a file name tells.
/// The name of a directory is a merchant's id, unless it has `%`.
///
/// # Errors
/// When a directory cannot be read.
pub fn unreadable(data: &Path) -> io::Result<Vec<(String, u64)>> {
    let mut found = merchant_dirs(data)?;
    found.retain(|(_, paths)| !paths.is_empty() && !paths.iter().any(|path| with_header(path).is_some()));
    let generation = |path: &PathBuf| path.file_stem()?.to_str()?.parse::<u64>().ok();
    let newest = |paths: Vec<PathBuf>| paths.iter().filter_map(generation).max().unwrap_or(0);
    let mut found: Vec<_> = found.into_iter().map(|(name, paths)| (name, newest(paths))).collect();
    found.sort();
    Ok(found)
}

/// What is found when the newest whole export file of a merchant is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newest {
    /// The file.
    pub whole: Option<Exported>,
    /// Newer ones that are damaged.
    pub damaged: Vec<PathBuf>,
}

/// The newest export file of a merchant that is whole, read from end to end to know it.
///
/// # Errors
/// When the directory cannot be read.
pub fn newest_readable(data: &Path, merchant: &str) -> io::Result<Newest> {
    let (dir, mut newest) = (merchant_dir(data, merchant), Newest::default());
    if !dir.is_dir() {
        return Ok(newest);
    }
    for path in paths_newest_first(&dir, EXTENSION)? {
        let exported = with_header(&path).filter(|exported| &*exported.header.merchant == merchant);
        newest.whole = exported.filter(|exported| is_whole(&exported.path));
        if newest.whole.is_some() {
            break;
        }
        newest.damaged.push(path);
    }
    Ok(newest)
}

/// Opens an export file.
///
/// # Errors
/// See [`ExportError`].
pub fn read_file(path: &Path) -> Result<Reader<BufReader<File>>, ExportError> {
    Reader::new(BufReader::new(File::open(path)?))
}

/// The name of each directory of exports, and the files there, newest first.
fn merchant_dirs(data: &Path) -> io::Result<Vec<(String, Vec<PathBuf>)>> {
    let exports = data.join(EXPORTS_DIR);
    if !exports.is_dir() {
        return Ok(Vec::new());
    }
    let mut dirs = Vec::new();
    for entry in fs::read_dir(exports)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let name = entry.file_name().to_string_lossy().into_owned();
            dirs.push((name, paths_newest_first(&entry.path(), EXTENSION)?));
        }
    }
    Ok(dirs)
}

fn with_header(path: &Path) -> Option<Exported> {
    let header = read_file(path).ok()?.header().clone();
    Some(Exported { path: path.to_path_buf(), header })
}

fn is_whole(path: &Path) -> bool {
    read_file(path).is_ok_and(|mut records| records.all(|record| record.is_ok()))
}

/// By name, in which the generation has all its digits.
fn paths_newest_first(dir: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            paths.push(path);
        }
    }
    paths.sort_by(|a, b| b.cmp(a));
    Ok(paths)
}

fn merchant_dir(data: &Path, merchant: &str) -> PathBuf {
    data.join(EXPORTS_DIR).join(&*dir_name(merchant))
}

/// A merchant id as the name of a directory: what is not plain is escaped, so that no id leads elsewhere.
fn dir_name(merchant: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    if merchant.len() <= NAME_BYTES_MAX && merchant.bytes().all(plain) {
        return merchant.into();
    }
    let mut name = String::with_capacity(3 * merchant.len());
    for byte in merchant.bytes() {
        match plain(byte) {
            true => name.push(char::from(byte)),
            false => name.push_str(&format!("%{byte:02X}")),
        }
    }
    if name.len() > NAME_BYTES_MAX {
        name = format!("%{}", blake3::hash(merchant.as_bytes()));
    }
    name.into()
}
