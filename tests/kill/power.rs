//! Cuts the power: copies the block device under a server that was just stopped, and opens the copy.
//!
//! What was not synced is in the page cache of the file system above, not on the device, so not in the copy.
//! The devices, mounts and settings are made by `tests/power/run`, which needs root.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::AtomicBool,
};

use futures_util::future::join_all;
use tokio::runtime::Runtime;

use super::{
    author::{Author, Stop},
    random::Random,
    server::Server,
    world::{authors, check, connect, holdings, tally},
};

/// Where what lies, as the script tells.
struct Place {
    /// The data directory, on the file system over the device.
    data: PathBuf,
    /// The file that holds the device.
    image: PathBuf,
    /// Where to copy it.
    copy: PathBuf,
    /// Where to mount the copy.
    mount: PathBuf,
    /// A library that takes the fsync out of the server.
    preload: Option<String>,
}

const CUTS: u64 = 50;
const CUTS_VARIABLE: &str = "SIDECART_POWER_CUTS";
/// Writes of one author between two cuts.
const WRITES_MAX: u64 = 8;
/// How often a copy is tried that the kernel wrote into meanwhile.
const COPIES_MAX: u32 = 20;
/// Characters said of what one cut lost.
const LINE_MAX: usize = 300;

/// Cuts the power again and again, at a time when all writes were acknowledged.
pub(crate) fn run(seed: u64) -> Result<String, String> {
    let place = Place::from_environment()?;
    let cuts = super::number(CUTS_VARIABLE)?.unwrap_or(CUTS);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| fault.to_string())?;
    let mut authors = authors(seed);
    let mut random = Random::new(seed);
    let preload = place.preload.as_deref().map(|library| ("LD_PRELOAD", library));
    let server = Server::start(&place.data, preload.as_slice())?;
    let (addr, _) = server.ready()?;
    let mut lost = 0;
    for cut in 1..=cuts {
        runtime.block_on(write(&addr, &mut authors, &mut random))?;
        signal(&server, "STOP")?;
        place.cut()?;
        signal(&server, "CONT")?;
        if let Err(what) = place.compare(&runtime, &mut authors) {
            super::say(&format!("cut {cut}: {}", what.chars().take(LINE_MAX).collect::<String>()));
            lost += 1;
        }
    }
    let acknowledged = tally(&authors).acknowledged;
    let said = format!("{cuts} power cuts after {acknowledged} acknowledged writes, {lost} lost some");
    match (&place.preload, lost == 0) {
        (None, true) => Ok(said),
        (None, false) => Err(said),
        (Some(_), false) => Ok(format!("without fsync: {said}, as they should")),
        (Some(_), true) => Err(format!("without fsync: {said}: this check cannot fail")),
    }
}

/// Some writes of each author, to their end.
async fn write(addr: &str, authors: &mut [Author], random: &mut Random) -> Result<(), String> {
    let client = connect(addr).await?;
    let alive = AtomicBool::new(false);
    let writes = 1 + random.below(WRITES_MAX);
    let writing = authors.iter_mut().map(async |author| {
        for _ in 0..writes {
            author.write(&client, &alive).await?;
        }
        Ok(())
    });
    match join_all(writing).await.into_iter().collect() {
        Err(Stop::Broken(what)) => Err(what),
        Err(Stop::Cut) | Ok(()) => Ok(()),
    }
}

impl Place {
    fn from_environment() -> Result<Self, String> {
        let path = |variable: &str| {
            env::var_os(variable)
                .map(PathBuf::from)
                .ok_or_else(|| format!("{variable} is not set: see tests/power/run"))
        };
        Ok(Self {
            data: path("SIDECART_POWER_DATA")?,
            image: path("SIDECART_POWER_IMAGE")?,
            copy: path("SIDECART_POWER_COPY")?,
            mount: path("SIDECART_POWER_MOUNT")?,
            preload: env::var("SIDECART_POWER_PRELOAD").ok().filter(|library| !library.is_empty()),
        })
    }

    /// Copies the device as it is at one moment: a copy that equals what is read after it was made.
    fn cut(&self) -> Result<(), String> {
        for _ in 0..COPIES_MAX {
            run_tool("cp", &[Path::new("--sparse=always"), &self.image, &self.copy])?;
            if run_tool("cmp", &[Path::new("--silent"), &self.image, &self.copy]).is_ok() {
                return Ok(());
            }
        }
        Err("the device never stood still".to_owned())
    }

    /// Starts a server on the copy, and compares what it holds with what was acknowledged.
    fn compare(&self, runtime: &Runtime, authors: &mut [Author]) -> Result<(), String> {
        run_tool("mount", &[Path::new("-o"), Path::new("loop"), &self.copy, &self.mount])?;
        let name = self.data.file_name().unwrap_or_default();
        let compared = hold_and_check(runtime, &self.mount.join(name), authors);
        run_tool("umount", &[&self.mount])?;
        compared
    }
}

fn hold_and_check(runtime: &Runtime, data: &Path, authors: &mut [Author]) -> Result<(), String> {
    let server = Server::start(data, &[])?;
    let (addr, _) = server.ready()?;
    runtime.block_on(async {
        let held = holdings(&connect(&addr).await?, authors).await?;
        check(authors, &held)
    })
}

fn signal(server: &Server, signal: &str) -> Result<(), String> {
    run_tool("kill", &[Path::new(&format!("-{signal}")), Path::new(&server.id().to_string())])
}

fn run_tool(tool: &str, arguments: &[&Path]) -> Result<(), String> {
    let done = Command::new(tool).args(arguments).output().map_err(|fault| format!("{tool}: {fault}"))?;
    match done.status.success() {
        true => Ok(()),
        false => Err(format!("{tool}: {}", String::from_utf8_lossy(&done.stderr))),
    }
}
