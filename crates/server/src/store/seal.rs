//! The seal of a clean close: the BLAKE3 digest of every file of the store.
//!
//! Text, a line per file: digest, length, path under the data directory; the last line is the digest of those above.
//! It is there only while nobody has the store open, and then any byte that changed is noticed, named by file.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::error::{OpenError, StoreError};
use super::files;

/// Its name under the data directory.
pub(super) const FILE: &str = "seal";
const TITLE: &str = "sidecart seal 1\n";
const END: &str = "end ";

/// Seals the closed store.
pub(super) fn write(data: &Path) -> Result<(), StoreError> {
    let path = data.join(FILE);
    let text = listing(data).map_err(StoreError::io(data))?;
    files::replace(&path, |file| writeln!(file, "{text}{END}{}", blake3::hash(text.as_bytes())))
        .map_err(StoreError::io(&path))
}

/// Compares the store with its seal, if it has one.
pub(super) fn verify(data: &Path) -> Result<(), OpenError> {
    let path = data.join(FILE);
    let sealed = match fs::read(&path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(()),
        sealed => sealed.map_err(OpenError::io(&path))?,
    };
    let sealed =
        checked_listing(&sealed).ok_or_else(|| OpenError::damaged(FILE, "its own digest does not match"))?;
    let found = listing(data).map_err(OpenError::io(data))?;
    if sealed != found {
        return Err(first_difference(sealed, &found));
    }
    Ok(())
}

/// Removes the seal durably: from here on the store may change.
pub(super) fn remove(data: &Path) -> Result<(), OpenError> {
    let path = data.join(FILE);
    files::remove(&path).map_err(OpenError::io(&path))
}

fn checked_listing(sealed: &[u8]) -> Option<&str> {
    let sealed = std::str::from_utf8(sealed).ok()?;
    let (text, end) = sealed.split_at_checked(sealed.rfind(END)?)?;
    let expected = format!("{END}{}\n", blake3::hash(text.as_bytes()));
    (end == expected && text.starts_with(TITLE)).then_some(text)
}

fn listing(data: &Path) -> io::Result<String> {
    let mut text = TITLE.to_owned();
    let mut paths = vec![data.join("tip")];
    paths.extend(files::tree_files(&data.join(files::ENGINE_DIR))?);
    for path in paths {
        let name = path.strip_prefix(data).unwrap_or(&path).display();
        match digest(&path) {
            // A file that is gone is a difference to name, not a fault of the file system.
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
            Err(fault) => return Err(fault),
            Ok((hash, len)) => writeln!(text, "{hash} {len} {name}").map_err(io::Error::other)?,
        }
    }
    Ok(text)
}

fn digest(path: &Path) -> io::Result<(blake3::Hash, u64)> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok((hasher.finalize(), hasher.count()))
}

fn first_difference(sealed: &str, found: &str) -> OpenError {
    let missing = sealed.lines().find(|line| !found.lines().any(|other| other == *line));
    let surplus = found.lines().find(|line| !sealed.lines().any(|other| other == *line));
    let line = missing.or(surplus).unwrap_or(TITLE);
    let file = line.splitn(3, ' ').nth(2).unwrap_or(FILE);
    let what = match missing {
        Some(_) => "it is not as it was when the store was closed",
        None => "it was not there when the store was closed",
    };
    OpenError::damaged(file, what)
}
