//! A new store in the place of one that is damaged: made beside it, whole, before the damaged one is moved away.
//!
//! The new one is under `rebuilt/`, and sealed last. Once the damaged one has begun to move, a crash is finished by the
//! next boot; before, it has changed nothing, and what was made is dropped.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::OpenError;
use super::files::{self, ENGINE_DIR};
use super::open::lock;
use super::{Store, StoreError, StoreOptions, seal, tip};

const DAMAGED_DIR: &str = "damaged";
const REBUILT_DIR: &str = "rebuilt";
/// What a store consists of, in the order in which it is moved: should that be cut short, what is found is refused or
/// finished, never taken for an empty store.
const PIECES: [&str; 3] = [ENGINE_DIR, tip::FILE, seal::FILE];

/// Why a store could not be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// A store cannot be opened, or the file system refuses.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new store cannot be written.
    #[error(transparent)]
    Write(#[from] StoreError),
}

/// Makes a store that holds what `fill` writes, puts it in the place of the damaged one, and returns where that went:
/// a new directory under `damaged/`. Export files stay.
///
/// # Errors
/// See [`RebuildError`]. Until the new store is whole, the damaged one is left as it is.
pub fn rebuild(
    data: &Path,
    options: &StoreOptions,
    fill: impl FnOnce(&Store) -> Result<(), StoreError>,
) -> Result<PathBuf, RebuildError> {
    let draft = data.join(REBUILT_DIR);
    files::remove_tree(&draft).map_err(OpenError::io(&draft))?;
    let fresh = Store::open(&draft, options)?;
    fill(&fresh)?;
    fresh.close()?;
    let _lock = lock(data)?;
    let aside = set_aside(data).map_err(OpenError::io(data))?;
    install(data).map_err(OpenError::io(data))?;
    Ok(aside)
}

/// Whether there is no store at all, not even a damaged one.
pub fn is_absent(data: &Path) -> bool {
    !PIECES.iter().any(|piece| data.join(piece).exists())
}

/// Finishes or drops what a crash has left of a rebuilding.
///
/// # Errors
/// When another process has the store open, or the file system refuses.
pub fn finish_rebuild(data: &Path) -> Result<(), OpenError> {
    let draft = data.join(REBUILT_DIR);
    if !draft.exists() {
        return Ok(());
    }
    let _lock = lock(data)?;
    let has_moved = !data.join(ENGINE_DIR).exists() || !draft.join(ENGINE_DIR).exists();
    let finished = if has_moved && draft.join(seal::FILE).exists() {
        let is_aside = !draft.join(ENGINE_DIR).exists() || is_absent(data);
        let aside = if is_aside { Ok(()) } else { set_aside(data).map(drop) };
        aside.and_then(|()| install(data))
    } else {
        files::remove_tree(&draft)
    };
    finished.map_err(OpenError::io(&draft))
}

/// Moves a damaged store out of the way.
fn set_aside(data: &Path) -> io::Result<PathBuf> {
    let damaged = data.join(DAMAGED_DIR);
    files::create_dirs(&damaged)?;
    let mut number = 1;
    while damaged.join(format!("{number}")).exists() {
        number += 1;
    }
    let aside = damaged.join(format!("{number}"));
    files::create_dirs(&aside)?;
    move_pieces(data, &aside)?;
    Ok(aside)
}

fn install(data: &Path) -> io::Result<()> {
    let draft = data.join(REBUILT_DIR);
    move_pieces(&draft, data)?;
    files::remove_tree(&draft)?;
    files::sync_dir(data)
}

fn move_pieces(from: &Path, to: &Path) -> io::Result<()> {
    for piece in PIECES {
        if from.join(piece).exists() {
            fs::rename(from.join(piece), to.join(piece))?;
            files::sync_dir(to)?;
            files::sync_dir(from)?;
        }
    }
    Ok(())
}
