//! Configuration: flags win over the environment, that over the file, that over the defaults.
//!
//! Every key is a row of [`keys::KEYS`]: a key without effect cannot be written down.

mod flags;
mod keys;

use std::{env, path::PathBuf};

use anyhow::{Context, Result};
use config::{Environment, File, FileFormat, Map, Source, Value};

pub(crate) use flags::SettingFlags;
use keys::Key;
pub(crate) use keys::{LogFormat, Settings};

use crate::{args::Globals, exit::Usage, out, out::Output};

const DEFAULT_FILE: &str = "sidecart.toml";
const PREFIX: &str = "SIDECART";

/// The effective configuration.
pub(crate) struct Loaded {
    /// What holds.
    pub(crate) settings: Settings,
    /// Each key, its value, and where that comes from; in the order of the keys.
    pub(crate) origins: Vec<Origin>,
}

/// Where the value of one key comes from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Origin {
    key: &'static str,
    value: String,
    source: String,
}

impl Loaded {
    /// Whether nobody set the key.
    pub(crate) fn is_default(&self, key: &str) -> bool {
        self.origins.iter().any(|origin| origin.key == key && origin.source == DEFAULT)
    }
}

const DEFAULT: &str = "default";

/// Merges the flags, the environment, the file and the defaults.
///
/// # Errors
/// The file cannot be read or has a key that does not exist, or a value does not fit its key.
pub(crate) fn load(globals: &Globals, flags: &[(&'static str, String)]) -> Result<Loaded> {
    let variables = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let variables: Map<_, _> = variables.collect();
    let file = match globals.config.clone().or_else(|| variables.get("SIDECART_CONFIG").map(PathBuf::from)) {
        Some(path) => Some(path),
        None => Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.is_file()),
    };
    let own = [("addr", &globals.addr), ("merchant", &globals.merchant)];
    let own = own.into_iter().filter_map(|(key, value)| Some((key, value.clone()?)));
    let flags: Vec<_> = own.chain(flags.iter().cloned()).collect();
    merge(&flags, variables, file)
}

fn merge(
    flags: &[(&'static str, String)],
    variables: Map<String, String>,
    file: Option<PathBuf>,
) -> Result<Loaded> {
    let environment =
        Environment::with_prefix(PREFIX).ignore_empty(true).source(Some(variables)).collect()?;
    let (file_name, file) = match file {
        None => (String::new(), Map::new()),
        Some(path) => (format!("file {}", path.display()), file_values(path)?),
    };
    let mut settings = Settings::default();
    let mut origins = Vec::with_capacity(keys::KEYS.len());
    for key in keys::KEYS {
        let flag = flags.iter().find(|(name, _)| *name == key.name).map(|(_, value)| value.clone());
        let found = match (flag, environment.get(key.name), file.get(key.name)) {
            (Some(value), ..) => Some((value, format!("flag --{}", key.flag()))),
            (None, Some(value), _) => Some((text(key, value)?, format!("environment {}", key.variable()))),
            (None, None, Some(value)) => Some((text(key, value)?, file_name.clone())),
            (None, None, None) => None,
        };
        if let Some((value, source)) = &found {
            key.set(&mut settings, value)
                .map_err(|reason| Usage(format!("{source}: {}: {reason}", key.name)))?;
        }
        let source = found.map_or(DEFAULT.to_owned(), |(_, source)| source);
        origins.push(Origin { key: key.name, value: key.shown(&mut settings), source });
    }
    Ok(Loaded { settings, origins })
}

fn text(key: &Key, value: &Value) -> Result<String, Usage> {
    value.clone().into_string().map_err(|error| Usage(format!("{}: {error}", key.name)))
}

/// The values of a TOML file. A key that does not exist is an error, lest a typing mistake go unnoticed.
fn file_values(path: PathBuf) -> Result<Map<String, Value>> {
    let name = path.display().to_string();
    let source = File::from(path).format(FileFormat::Toml);
    let values = source
        .collect()
        .map_err(|error| Usage(error.to_string()))
        .context("cannot read the configuration")?;
    let mut unknown: Vec<_> =
        values.keys().filter(|key| keys::KEYS.iter().all(|it| it.name != *key)).collect();
    unknown.sort();
    if let Some(key) = unknown.first() {
        return Err(Usage(format!("{name}: `{key}` is not a key; see `sidecart config show`")).into());
    }
    Ok(values)
}

/// Prints the effective configuration.
pub(crate) fn show(globals: &Globals, flags: &SettingFlags) -> Result<()> {
    let origins = load(globals, &flags.0)?.origins;
    if globals.output == Output::Json {
        return Ok(out::json(&origins)?);
    }
    let rows = origins.into_iter().map(|Origin { key, value, source }| vec![key.to_owned(), value, source]);
    Ok(out::table(&["KEY", "VALUE", "SOURCE"], rows)?)
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    fn merged(flags: &[(&'static str, &str)], variables: &[(&str, &str)], toml: &str) -> Result<Loaded> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("sidecart.toml");
        fs::write(&file, toml)?;
        let flags: Vec<_> = flags.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        let variables =
            variables.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        merge(&flags, variables, Some(file))
    }

    fn source_of(loaded: &Loaded, key: &str) -> String {
        let origin = loaded.origins.iter().find(|origin| origin.key == key).unwrap();
        origin.source.split(' ').next().unwrap().to_owned()
    }

    #[test]
    fn flags_win_over_environment_over_file_over_defaults() {
        let toml = "listen = \"127.0.0.1:1\"\nreads_max = 1\nwrites_max = 1\ndrain_deadline = \"2s\"";
        let variables =
            [("SIDECART_LISTEN", "127.0.0.1:2"), ("SIDECART_READS_MAX", "2"), ("SIDECART_SERVICE_HOST", "x")];
        let loaded = merged(&[("listen", "127.0.0.1:3")], &variables, toml).unwrap();
        let keys = ["listen", "reads_max", "writes_max", "bulks_max"];
        assert_eq!(keys.map(|key| source_of(&loaded, key)), ["flag", "environment", "file", "default"]);
        let server = &loaded.settings.server;
        assert_eq!(server.listen.port(), 3);
        assert_eq!((server.edge.reads_max, server.edge.writes_max), (2, 1));
        assert_eq!(server.edge.drain_deadline, Duration::from_secs(2));
        assert!(loaded.is_default("data") && !loaded.is_default("listen"));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let cases = [
            ("lisen = 1", "`lisen` is not a key"),
            ("[server]\nlisten = 1", "`server` is not a key"),
            ("listen = \"somewhere\"", "listen: "),
            ("reads_max = -1", "reads_max: "),
            ("reads_max = 0", "reads_max: "),
            ("drain_deadline = 5", "drain_deadline: "),
            ("log_format = \"xml\"", "log_format: "),
            ("listen = [1]", "listen"),
            ("listen", "sidecart.toml"),
        ];
        for (toml, expected) in cases {
            let error = merged(&[], &[], toml).err().map(|error| format!("{error:#}")).unwrap_or_default();
            assert!(error.contains(expected), "{toml}: {error}");
        }
    }

    #[test]
    fn what_is_shown_can_be_written_back() {
        let shown = merged(&[], &[], "").unwrap();
        let toml: String = shown.origins.iter().map(|it| format!("{} = {:?}\n", it.key, it.value)).collect();
        let again = merged(&[], &[], &toml).unwrap();
        let values =
            |loaded: Loaded| loaded.origins.into_iter().map(|it| (it.key, it.value)).collect::<Vec<_>>();
        assert_eq!(values(again), values(shown));
    }
}
