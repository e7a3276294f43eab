//! Files that are there whole or not at all, and what lies under a directory.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where the engine keeps its files, under the data directory: in a directory for each time they were written anew.
pub(super) const ENGINE_DIR: &str = "store";

/// Costs and prices lie here: for the owner only.
const DIR_MODE: u32 = 0o700;

/// The engine's directory of a number.
pub(super) fn engine_dir(data: &Path, number: u64) -> PathBuf {
    data.join(ENGINE_DIR).join(number.to_string())
}

/// Makes `path` hold what `fill` writes, durably: a crash leaves the old file or the new one.
pub(super) fn replace(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut staged = path.as_os_str().to_owned();
    staged.push(".tmp");
    let staged = PathBuf::from(staged);
    let mut file = File::create(&staged)?;
    let written = fill(&mut file).and_then(|()| file.flush()).and_then(|()| file.sync_all());
    if let Err(fault) = written.and_then(|()| fs::rename(&staged, path)) {
        // What is left over is overwritten by the next attempt; the fault matters more.
        let _ = fs::remove_file(&staged);
        return Err(fault);
    }
    sync_parent(path)
}

/// Makes `path` absent, durably.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(fault) => Err(fault),
        Ok(()) => sync_parent(path),
    }
}

/// Makes a directory and its ancestors, durably.
pub(super) fn create_dirs(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_dirs(parent)?;
    }
    match DirBuilder::new().mode(DIR_MODE).create(path) {
        Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => Err(fault),
        _ => sync_parent(path),
    }
}

/// Makes the entries of a directory durable.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes all that lies under a directory durable, and the directory itself.
pub(super) fn sync_tree(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => sync_tree(&entry.path())?,
            false => File::open(entry.path())?.sync_all()?,
        }
    }
    sync_dir(dir)
}

/// Makes a directory and all under it absent.
pub(super) fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
        _ => Ok(()),
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent),
        _ => sync_dir(Path::new(".")),
    }
}

/// How many entries a directory has; 0 when it is not there.
pub(super) fn entry_count(dir: &Path) -> io::Result<u64> {
    match fs::read_dir(dir) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(0),
        entries => Ok(entries?.count() as u64),
    }
}

/// All files under a directory, in order of path; none when it is not there.
pub(super) fn tree_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        let entries = match fs::read_dir(dir) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let found = if entry.file_type()?.is_dir() { &mut dirs } else { &mut files };
            found.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Bytes in all files under a directory.
pub(super) fn tree_bytes(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for file in tree_files(dir)? {
        match fs::metadata(file) {
            // The engine removes its old snapshots while it runs.
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
            found => bytes += found?.len(),
        }
    }
    Ok(bytes)
}
