//! The keys: what each is called, means and changes. Nothing else knows the list.

use std::{fmt::Display, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use jiff::SignedDuration;

/// Everything that can be configured.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where commands find the server.
    pub(crate) addr: String,
    /// The merchant that commands are about. Empty: none.
    pub(crate) merchant: String,
    /// What is logged, as a filter of `tracing-subscriber`.
    pub(crate) log: String,
    /// In what form.
    pub(crate) log_format: LogFormat,
    /// The server.
    pub(crate) server: sidecart_server::Config,
}

/// In what form the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            addr: "http://127.0.0.1:50051".into(),
            merchant: String::new(),
            log: "info".into(),
            log_format: LogFormat::Text,
            server: sidecart_server::Config::new("sidecart-data"),
        }
    }
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("is `{text}`, which is neither text nor json")),
        }
    }
}

impl Display for LogFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// One key.
pub(crate) struct Key {
    /// As in the file; flags write `-` for `_`.
    pub(crate) name: &'static str,
    /// What it means, as `--help` shows it.
    pub(crate) help: &'static str,
    place: Place,
}

/// Where a key's value lives, and so what it may be.
enum Place {
    Text(fn(&mut Settings) -> &mut String),
    Format(fn(&mut Settings) -> &mut LogFormat),
    Socket(fn(&mut Settings) -> &mut SocketAddr),
    /// A socket, or `off`.
    Optional(fn(&mut Settings) -> &mut Option<SocketAddr>),
    Path(fn(&mut Settings) -> &mut PathBuf),
    /// A whole number of 1 or more.
    Count(fn(&mut Settings) -> &mut usize),
    Number32(fn(&mut Settings) -> &mut u32),
    Number64(fn(&mut Settings) -> &mut u64),
    Time(fn(&mut Settings) -> &mut Duration),
}

use Place::{Count, Format, Number32, Number64, Optional, Path, Socket, Text, Time};

const OFF: &str = "off";
const SOCKET: &str = "an address and port such as 127.0.0.1:50051";

const fn key(name: &'static str, help: &'static str, place: Place) -> Key {
    Key { name, help, place }
}

/// Every key, in the order in which they are shown.
pub(crate) const KEYS: &[Key] = &[
    key("addr", "Address of the server, for commands", Text(|s| &mut s.addr)),
    key("merchant", "Merchant that commands are about", Text(|s| &mut s.merchant)),
    key("listen", "Where the server listens; port 0 takes a free one", Socket(|s| &mut s.server.listen)),
    key("data", "Folder of the server's data", Path(|s| &mut s.server.data)),
    key(
        "metrics",
        "Where metrics are read, as http://ADDRESS:PORT/metrics; or `off`",
        Optional(|s| &mut s.server.metrics),
    ),
    key("log", "What the server logs, such as `info` or `warn,sidecart=debug`", Text(|s| &mut s.log)),
    key("log_format", "Form of the log: text or json", Format(|s| &mut s.log_format)),
    key("cache_bytes", "Memory for the storage engine", Number64(|s| &mut s.server.cache_bytes)),
    key("writer_threads", "Threads that write, up to 64", Count(|s| &mut s.server.writer_threads)),
    key(
        "export_every",
        "How often what changed is exported; 0s: at shutdown only",
        Time(|s| &mut s.server.export_every),
    ),
    key(
        "learn_every",
        "How often each merchant's model is learned anew, if its orders have changed; 0s: on demand only",
        Time(|s| &mut s.server.learn_every),
    ),
    key(
        "connections_max",
        "Open connections; more are refused",
        Count(|s| &mut s.server.edge.connections_max),
    ),
    key(
        "preface_timeout",
        "How long a connection may take to begin",
        Time(|s| &mut s.server.edge.preface_timeout),
    ),
    key("streams_max", "Concurrent calls on one connection", Number32(|s| &mut s.server.edge.streams_max)),
    key(
        "header_list_max_bytes",
        "Headers of one call",
        Number32(|s| &mut s.server.edge.header_list_max_bytes),
    ),
    key("window_bytes", "Flow-control window", Number32(|s| &mut s.server.edge.window_bytes)),
    key(
        "keep_alive_interval",
        "Silence after which a connection is pinged",
        Time(|s| &mut s.server.edge.keep_alive_interval),
    ),
    key(
        "keep_alive_timeout",
        "How long the answer to that may take",
        Time(|s| &mut s.server.edge.keep_alive_timeout),
    ),
    key(
        "connection_age",
        "Age at which a connection is asked to go",
        Time(|s| &mut s.server.edge.connection_age),
    ),
    key(
        "connection_grace",
        "How long it may then stay without calls",
        Time(|s| &mut s.server.edge.connection_grace),
    ),
    key(
        "drain_deadline",
        "How long shutdown waits for calls under way",
        Time(|s| &mut s.server.edge.drain_deadline),
    ),
    key(
        "unary_deadline_default",
        "Deadline of a call that names none",
        Time(|s| &mut s.server.edge.unary_deadline_default),
    ),
    key("unary_deadline_max", "Longest deadline of a call", Time(|s| &mut s.server.edge.unary_deadline_max)),
    key(
        "transfer_deadline_max",
        "Longest deadline of an upload or download",
        Time(|s| &mut s.server.edge.transfer_deadline_max),
    ),
    key("reads_max", "Concurrent reads; more are refused", Count(|s| &mut s.server.edge.reads_max)),
    key("writes_max", "Concurrent writes; more are refused", Count(|s| &mut s.server.edge.writes_max)),
    key("bulks_max", "Concurrent heavy calls; more are refused", Count(|s| &mut s.server.edge.bulks_max)),
    key(
        "admins_max",
        "Concurrent administrative calls; more are refused",
        Count(|s| &mut s.server.edge.admins_max),
    ),
    key(
        "watches_max",
        "Concurrent subscriptions; more are refused",
        Count(|s| &mut s.server.edge.watches_max),
    ),
];

impl Key {
    /// Its flag, without the dashes.
    pub(crate) fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Its environment variable.
    pub(crate) fn variable(&self) -> String {
        format!("SIDECART_{}", self.name.to_uppercase())
    }

    /// Reads and sets a value.
    ///
    /// # Errors
    /// It does not fit the key.
    pub(crate) fn set(&self, settings: &mut Settings, value: &str) -> Result<(), String> {
        match self.place {
            Text(place) => value.clone_into(place(settings)),
            Path(place) => *place(settings) = value.into(),
            Format(place) => *place(settings) = value.parse()?,
            Socket(place) => *place(settings) = parsed(value, SOCKET)?,
            Optional(place) => {
                let given = (value != OFF).then(|| parsed(value, &format!("`{OFF}` or {SOCKET}")));
                *place(settings) = given.transpose()?;
            }
            Count(place) => *place(settings) = positive(value)?,
            Number32(place) => *place(settings) = positive(value)?,
            Number64(place) => *place(settings) = positive(value)?,
            Time(place) => *place(settings) = duration(value)?,
        }
        Ok(())
    }

    /// Its value, in the form that [`Key::set`] takes.
    pub(crate) fn shown(&self, settings: &mut Settings) -> String {
        match self.place {
            Text(place) => place(settings).clone(),
            Path(place) => place(settings).display().to_string(),
            Format(place) => place(settings).to_string(),
            Socket(place) => place(settings).to_string(),
            Optional(place) => place(settings).map_or(OFF.to_owned(), |at| at.to_string()),
            Count(place) => place(settings).to_string(),
            Number32(place) => place(settings).to_string(),
            Number64(place) => place(settings).to_string(),
            Time(place) => {
                format!("{:#}", SignedDuration::try_from(*place(settings)).unwrap_or(SignedDuration::MAX))
            }
        }
    }
}

fn parsed<T: FromStr>(value: &str, wanted: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("is `{value}`, which is not {wanted}"))
}

fn positive<T: FromStr + Default + PartialEq>(value: &str) -> Result<T, String> {
    let wanted = "a whole number of 1 or more that fits";
    let number = parsed(value, wanted)?;
    if number == T::default() {
        return Err(format!("is `{value}`, which is not {wanted}"));
    }
    Ok(number)
}

fn duration(value: &str) -> Result<Duration, String> {
    let time: SignedDuration = parsed(value, "a time such as `10s` or `1h 30m`")?;
    Duration::try_from(time).map_err(|_| format!("is `{value}`, which is before 0"))
}
