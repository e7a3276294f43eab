//! Keeps the house style that a machine can see: size, opening lines, dependencies, homes.
//!
//! Reads text, not syntax trees, so it needs nothing but the standard library.
//! What it deliberately leaves to clippy and rustfmt: everything inside a line.

mod scan;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use scan::{blank, function_sizes, words};

/// What a Rust file holds.
struct Source {
    /// From the root of the repository, with forward slashes.
    path: String,
    /// As written.
    text: String,
    /// As written, with comments and the insides of literals blanked out.
    code: String,
}

impl Source {
    /// The code that ships: none of a test file, and of any other what stands before its test module.
    fn shipped(&self) -> &str {
        let in_dir = |dir: &str| self.path.starts_with(dir) || self.path.contains(&format!("/{dir}"));
        if in_dir("tests/") || in_dir("benches/") || in_dir("examples/") || self.path.ends_with("/tests.rs") {
            return "";
        }
        let end = self.code.find("#[cfg(test)]\nmod tests").unwrap_or(self.code.len());
        &self.code[..end]
    }
}

/// Limits on a list of sizes in lines, all inclusive.
struct Limits {
    median: usize,
    nine_in_ten: usize,
    all: usize,
}

const FILE_LINES: Limits = Limits { median: 150, nine_in_ten: 350, all: 500 };
const FUNCTION_LINES: Limits = Limits { median: 10, nine_in_ten: 35, all: 70 };
const ADR_LINES_MAX: usize = 60;

/// Which dependencies a package may ship with.
enum Allowed {
    /// These and no others: the package is kept small or pure.
    Only(&'static [&'static str]),
    /// Anything but these.
    AllBut(&'static [&'static str]),
}

/// A package, the rooms it may look into, and its other dependencies.
struct Room {
    dir: &'static str,
    below: &'static [&'static str],
    allowed: Allowed,
}

const ROOMS: [Room; 6] = [
    Room { dir: ".", below: &[], allowed: Allowed::Only(&["prost", "prost-types", "tonic", "tonic-prost"]) },
    Room {
        dir: "crates/catalog",
        below: &[],
        allowed: Allowed::Only(&[
            "imbl",
            "iso_currency",
            "rapidhash",
            "roaring",
            "thiserror",
            "unicode-normalization",
            "unicode-segmentation",
        ]),
    },
    Room {
        dir: "crates/rules",
        below: &["sidecart-catalog"],
        allowed: Allowed::Only(&["imbl", "minijinja", "rapidhash", "thiserror"]),
    },
    Room {
        dir: "crates/scoring",
        below: &["sidecart-catalog", "sidecart-rules"],
        allowed: Allowed::Only(&[
            "aho-corasick",
            "blake3",
            "imbl",
            "rapidhash",
            "serde",
            "strsim",
            "thiserror",
            "toml",
            "whichlang",
        ]),
    },
    Room {
        dir: "crates/server",
        below: &["sidecart", "sidecart-catalog", "sidecart-rules", "sidecart-scoring"],
        allowed: Allowed::AllBut(&["clap", "serde_json"]),
    },
    Room {
        dir: "crates/cli",
        below: &["sidecart", "sidecart-catalog", "sidecart-rules", "sidecart-scoring", "sidecart-server"],
        allowed: Allowed::AllBut(&["arc-swap", "dashmap", "sled"]),
    },
];

/// Words of code and the files or folders that may use them.
const HOMES: [(&[&str], &[&str]); 4] = [
    (&["arc_swap", "ArcSwap"], &["crates/server/src/registry.rs"]),
    (&["dashmap", "DashMap"], &["crates/server/src/writer/quota.rs", "crates/server/src/sessions.rs"]),
    (&["sled"], &["crates/server/src/store/"]),
    (&["Code::"], &["crates/server/src/status.rs"]),
];

/// Constructors of `tonic::Status` that name a gRPC code.
const STATUS_OF_CODE: [&str; 16] = [
    "aborted",
    "already_exists",
    "cancelled",
    "data_loss",
    "deadline_exceeded",
    "failed_precondition",
    "internal",
    "invalid_argument",
    "not_found",
    "out_of_range",
    "permission_denied",
    "resource_exhausted",
    "unauthenticated",
    "unavailable",
    "unimplemented",
    "unknown",
];

#[test]
fn every_file_opens_with_its_purpose() {
    fail_on(
        sources()
            .iter()
            .filter(|s| !s.text.starts_with("//!"))
            .map(|s| format!("{}: opens without `//!`", s.path)),
    );
}

#[test]
fn files_are_short() {
    check(&FILE_LINES, sources().iter().map(|s| (s.text.lines().count(), s.path.clone())).collect());
}

#[test]
fn functions_are_short() {
    let named = |s: &Source| {
        let path = s.path.clone();
        function_sizes(&s.code).into_iter().map(move |(name, lines)| (lines, format!("{path}: fn {name}")))
    };
    check(&FUNCTION_LINES, sources().iter().flat_map(named).collect());
}

#[test]
fn packages_depend_on_what_they_may() {
    fail_on(ROOMS.iter().flat_map(|room| {
        let manifest = read(&root().join(room.dir).join("Cargo.toml"));
        let strangers = dependencies(&manifest).into_iter().filter(|name| !room.admits(name));
        strangers.map(|name| format!("{}: may not depend on {name}", room.dir)).collect::<Vec<_>>()
    }));
}

#[test]
fn every_package_is_a_room() {
    let found: BTreeSet<_> = walk(&root(), "Cargo.toml").into_iter().map(|path| relative(&path)).collect();
    let known: BTreeSet<_> =
        ROOMS.iter().map(|room| format!("{}/Cargo.toml", room.dir).replace("./", "")).collect();
    assert_eq!(found, known);
}

#[test]
fn each_tool_has_one_home() {
    let sources = sources();
    fail_on(HOMES.iter().flat_map(|(names, homes)| {
        let is_home = |s: &&Source| homes.iter().any(|home| s.path.starts_with(home));
        let strays = sources.iter().filter(move |s| !is_home(s));
        let strays = strays.filter(|s| names.iter().any(|name| words(s.shipped(), name).next().is_some()));
        strays
            .map(move |s| format!("{}: only {} may name {}", s.path, homes.join(" and "), names.join(", ")))
            .collect::<Vec<_>>()
    }));
}

#[test]
fn grpc_codes_are_made_in_one_place() {
    fail_on(sources().iter().filter(|s| s.path != "crates/server/src/status.rs").flat_map(|s| {
        let codes = words(s.shipped(), "Status::").filter(|rest| {
            STATUS_OF_CODE
                .iter()
                .any(|name| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('(')))
        });
        codes.map(|_| format!("{}: only status.rs may make a status of a code", s.path)).collect::<Vec<_>>()
    }));
}

#[test]
fn no_test_is_left_out() {
    fail_on(
        sources().iter().filter(|s| s.code.contains("#[ignore")).map(|s| format!("{}: ignored test", s.path)),
    );
}

#[test]
fn unfinished_work_names_an_issue() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    fail_on(sources().iter().flat_map(|s| {
        let loose = s.text.lines().enumerate().filter(|(_, line)| {
            marks.iter().any(|mark| words(line, mark).any(|rest| !rest.starts_with("(#")))
        });
        loose
            .map(|(at, _)| format!("{}:{}: unfinished work without an issue", s.path, at + 1))
            .collect::<Vec<_>>()
    }));
}

#[test]
fn decisions_fit_on_a_page() {
    let long =
        walk(&root().join("docs/adr"), ".md").into_iter().filter(|p| read(p).lines().count() > ADR_LINES_MAX);
    fail_on(long.map(|path| format!("{}: over {ADR_LINES_MAX} lines", relative(&path))));
}

#[test]
fn every_dependency_has_its_reason() {
    let reasons = read(&root().join("docs/adr/0004-dependencies.md"));
    let manifest = read(&root().join("Cargo.toml"));
    let names = entries(&manifest, |section| section == "workspace.dependencies");
    let bare = names
        .into_iter()
        .filter(|name| !name.starts_with("sidecart") && !reasons.contains(&format!("`{name}`")));
    fail_on(bare.map(|name| format!("{name}: no reason in docs/adr/0004-dependencies.md")));
}

impl Room {
    fn admits(&self, name: &str) -> bool {
        if name.starts_with("sidecart") {
            return self.below.contains(&name);
        }
        match self.allowed {
            Allowed::Only(names) => names.contains(&name),
            Allowed::AllBut(names) => !names.contains(&name),
        }
    }
}

/// Fails with one line for each fault.
fn fail_on(faults: impl IntoIterator<Item = String>) {
    let faults: Vec<_> = faults.into_iter().collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Fails when the sizes break the limits, naming the largest.
fn check(limits: &Limits, mut sizes: Vec<(usize, String)>) {
    sizes.sort();
    let at = |tenths: usize| sizes[(sizes.len() - 1) * tenths / 10].0;
    fail_on(
        sizes
            .iter()
            .filter(|(lines, _)| *lines > limits.all)
            .map(|(lines, what)| format!("{what}: {lines} lines")),
    );
    assert!(at(5) <= limits.median, "the median is {} lines, at most {}", at(5), limits.median);
    assert!(
        at(9) <= limits.nine_in_ten,
        "nine in ten have up to {} lines, at most {}",
        at(9),
        limits.nine_in_ten
    );
}

/// Names that a manifest ships with: `dependencies`, for any target.
fn dependencies(manifest: &str) -> Vec<&str> {
    entries(manifest, |section| {
        section == "dependencies" || section.starts_with("target.") && section.ends_with(".dependencies")
    })
}

/// The keys in the chosen sections of a manifest, where each entry starts a line.
fn entries(manifest: &str, chosen: impl Fn(&str) -> bool) -> Vec<&str> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = chosen(section);
            continue;
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        if inside && !name.is_empty() && !name.starts_with('#') {
            names.push(name);
        }
    }
    names
}

/// The Rust files of the repository.
fn sources() -> Vec<Source> {
    let load = |path: PathBuf| {
        let text = read(&path);
        Source { path: relative(&path), code: blank(&text), text }
    };
    walk(&root(), ".rs").into_iter().map(load).collect()
}

/// Files below `dir` whose name ends so, by path, leaving out what is built or hidden.
fn walk(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("the folder can be read").path()) {
        let name = path.file_name().expect("an entry of a folder has a name").to_string_lossy();
        if name.starts_with('.') || name.starts_with("target") {
            continue;
        }
        if path.is_dir() {
            found.extend(walk(&path, ending));
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("walks start at the root").to_string_lossy().replace('\\', "/")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The root of the repository: where the manifest is, or the current directory outside cargo.
fn root() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env::current_dir().expect("there is a current folder"), PathBuf::from)
}
