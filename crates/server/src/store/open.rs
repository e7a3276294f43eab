//! Opening a store: what must hold before anything is read from it.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::engine::Engine;
use super::error::{Damage, OpenError, StoreError};
use super::files::{self, ENGINE_DIR, engine_dir};
use super::head::{Head, Meta, Tally};
use super::row::{self, Key, RowKind};
use super::stage::Garbage;
use super::tip::{Acknowledged, TipFile};
use super::{State, Store, StoreOptions, compact, seal};

const LOCK_FILE: &str = "lock";

impl Store {
    /// Opens the store under a data directory, or makes a new one.
    ///
    /// Checks the seal of a clean close, or else that no acknowledged commit is missing, and the heads of all
    /// merchants; deletes what an interrupted replacement left. The rows themselves are checked by [`Store::load`].
    ///
    /// # Errors
    /// See [`OpenError`]. A sealed store that does not open is left as it is; of one that was not closed, the engine
    /// may have cut off what it cannot read.
    pub fn open(data: &Path, options: &StoreOptions) -> Result<Self, OpenError> {
        let lock = lock(data)?;
        seal::verify(data)?;
        let (tip, acknowledged) = TipFile::open(data)?;
        seal::remove(data)?;
        let acknowledged = match acknowledged {
            Acknowledged::Nothing => {
                // A crash while the store was being made may have left half of it.
                let dir = data.join(ENGINE_DIR);
                files::remove_tree(&dir).map_err(OpenError::io(&dir))?;
                Meta::default()
            }
            Acknowledged::Commit(meta) => {
                let file = engine_dir(data, meta.engine).join("db");
                if !file.exists() {
                    let name = file.strip_prefix(data).unwrap_or(&file).to_string_lossy().into_owned();
                    return Err(OpenError::damaged(name, "it is missing"));
                }
                compact::clean(data, meta.engine).map_err(OpenError::io(data))?;
                meta
            }
        };
        let engine = Engine::open(&engine_dir(data, acknowledged.engine), options.cache_bytes)?;
        let mut state = recover(engine, tip, acknowledged)?;
        while state.sweep().map_err(into_open)? > 0 {}
        let (path, cache_bytes) = (data.to_path_buf(), options.cache_bytes);
        Ok(Self { path, cache_bytes, state: Mutex::new(state), _lock: lock })
    }
}

/// Takes the data directory for this process.
pub(super) fn lock(data: &Path) -> Result<File, OpenError> {
    files::create_dirs(data).map_err(OpenError::io(data))?;
    let path = data.join(LOCK_FILE);
    let options = File::options().write(true).create(true).truncate(false).open(&path);
    let file = options.map_err(OpenError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path: data.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(OpenError::Io { path, source }),
    }
}

fn into_open(fault: StoreError) -> OpenError {
    match fault {
        StoreError::Io { path, source } => OpenError::Io { path, source },
        StoreError::Damaged(damage) => damage.into(),
        other => OpenError::Lost { what: other.to_string().into() },
    }
}

/// Reads what is committed, and finds what is not but lies about.
fn recover(engine: Engine, tip: TipFile, acknowledged: Meta) -> Result<State, OpenError> {
    let meta = read_meta(&engine)?;
    check_tail(&meta, &acknowledged)?;
    let mut heads = BTreeMap::new();
    let mut garbage = VecDeque::new();
    let mut found = Tally::default();
    let mut cursor = Some(row::after_key(Key::head("").encode()));
    while let Some(key) = next_key(&engine, cursor)? {
        let merchant = parse_key(&key)?.merchant;
        let head = read_head(&engine, merchant)?;
        garbage.extend(stray_epochs(&engine, merchant, head.as_ref())?);
        if let Some(head) = head {
            let (key, value) = head.row(merchant);
            found.add(&key, &value);
            heads.insert(merchant.into(), head);
        }
        cursor = row::after_prefix(row::merchant_prefix(merchant));
    }
    if found != meta.heads {
        let what = format!("{} heads, which are not the {} committed", found.rows, meta.heads.rows);
        return Err(Damage { merchant: "".into(), kind: None, id: Box::default(), what: what.into() }.into());
    }
    if meta != acknowledged {
        // It was written but not acknowledged; from now on it is served, so it must not vanish either.
        tip.advance(&meta).map_err(OpenError::io(super::tip::FILE))?;
    }
    let epochs = heads.values().flat_map(|head: &Head| RowKind::ALL.map(|kind| head.column(kind).epoch));
    let strays = garbage.iter().map(|stray: &Garbage| stray.epoch);
    let next_epoch = epochs.chain(strays).max().unwrap_or(0) + 1;
    Ok(State {
        engine,
        copy: None,
        meta,
        heads,
        tip,
        next_epoch,
        staging: Arc::default(),
        garbage,
        rewrites_asked: 0,
        rewrites_done: 0,
        lost: None,
    })
}

/// One commit may have been written and never acknowledged; anything else is loss.
fn check_tail(meta: &Meta, acknowledged: &Meta) -> Result<(), OpenError> {
    let is_next = meta.sequence == acknowledged.sequence + 1 && meta.engine == acknowledged.engine;
    if meta == acknowledged || is_next {
        return Ok(());
    }
    let what = format!(
        "commit {} was acknowledged, and the newest readable is {}",
        acknowledged.sequence, meta.sequence
    );
    Err(OpenError::damaged(format!("store/{}/db", acknowledged.engine), what))
}

fn read_meta(engine: &Engine) -> Result<Meta, OpenError> {
    let Some(payload) = read_head_row(engine, "")? else { return Ok(Meta::default()) };
    Meta::parse(&payload).ok_or_else(|| head_damage("", "unreadable").into())
}

fn read_head(engine: &Engine, merchant: &str) -> Result<Option<Head>, OpenError> {
    let Some(payload) = read_head_row(engine, merchant)? else { return Ok(None) };
    Ok(Some(Head::parse(&payload).map_err(|what| head_damage(merchant, what))?))
}

fn read_head_row(engine: &Engine, merchant: &str) -> Result<Option<Vec<u8>>, OpenError> {
    let key = Key::head(merchant);
    let encoded = key.encode();
    let Some(value) = engine.get(&encoded)? else { return Ok(None) };
    let row = row::open_row(&key, &encoded, &value).map_err(|what| head_damage(merchant, what))?;
    Ok(Some(row.payload.to_vec()))
}

fn head_damage(merchant: &str, what: &str) -> Damage {
    Damage { merchant: merchant.into(), kind: None, id: Box::default(), what: what.into() }
}

/// Epochs of a merchant's rows that its head does not know: staged and never flipped, or flipped away.
fn stray_epochs(engine: &Engine, merchant: &str, head: Option<&Head>) -> Result<Vec<Garbage>, OpenError> {
    let mut strays = Vec::new();
    for kind in RowKind::ALL {
        let current = head.map_or(0, |head| head.column(kind).epoch);
        let mut cursor = Some(row::epoch_prefix(merchant, kind.code(), 0));
        while let Some(key) = next_key(engine, cursor)? {
            let Key { merchant: other, code, epoch, .. } = parse_key(&key)?;
            if other != merchant || code != kind.code() {
                break;
            }
            if epoch != current {
                strays.push(Garbage { merchant: merchant.into(), kind, epoch });
            } else if head.is_none() {
                return Err(head_damage(merchant, "missing, and there are rows").into());
            }
            cursor = row::after_prefix(row::epoch_prefix(merchant, code, epoch));
        }
    }
    Ok(strays)
}

fn next_key(engine: &Engine, cursor: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, OpenError> {
    match cursor {
        Some(from) => Ok(engine.first_key_from(&from)?),
        None => Ok(None),
    }
}

fn parse_key(key: &[u8]) -> Result<Key<'_>, Damage> {
    Key::parse(key).filter(|key| !key.merchant.is_empty()).ok_or_else(|| {
        let what = format!("unreadable key `{}`", key.escape_ascii());
        Damage { merchant: "".into(), kind: None, id: Box::default(), what: what.into() }
    })
}
