//! A server in a process of its own, and commands that end.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// A running server with its own folder. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    addr: String,
    dir: TempDir,
}

/// What a command ended with.
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it said beside that.
    pub(crate) stderr: String,
}

impl Server {
    /// Starts a server on a free port and waits until it says where it listens.
    pub(crate) fn start(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (child, addr) = spawn(args, dir.path());
        Self { child, addr, dir }
    }

    /// Starts it again on the data it left.
    pub(crate) fn start_again(&mut self, args: &[&str]) {
        (self.child, self.addr) = spawn(args, self.dir.path());
    }

    /// Asks it to stop, as an init system does, and waits for its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap().code()
    }

    /// A folder for files.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs a command against it, as merchant `demo` unless the command names another.
    pub(crate) fn run(&self, line: &str) -> Ended {
        self.run_with_input(line, "")
    }

    /// The same with something on standard input.
    pub(crate) fn run_with_input(&self, line: &str, input: &str) -> Ended {
        run(line, &[("SIDECART_ADDR", &self.addr), ("SIDECART_MERCHANT", "demo")], input)
    }

    /// Runs a command that succeeds with a JSON document.
    pub(crate) fn json(&self, line: &str) -> Value {
        let ended = self.run(&format!("{line} --output json")).expect(0);
        serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("{line}: {error}: {}", ended.stdout))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Insists on an exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        self
    }
}

/// Runs a command to its end, in a folder without a configuration file.
pub(crate) fn run(line: &str, variables: &[(&str, &str)], input: &str) -> Ended {
    let dir = tempfile::tempdir().unwrap();
    let mut command = sidecart(dir.path());
    command.args(line.split(' ')).envs(variables.iter().copied());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that takes no input may be gone before it is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn spawn(args: &[&str], dir: &Path) -> (Child, String) {
    let mut command = sidecart(dir);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--log", "warn", "--data"])
        .arg(dir.join("data"))
        .args(args);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let addr =
        line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("the server said `{line}`"));
    let addr = addr.to_owned();
    (child, addr)
}

/// The binary, without what the environment of the tests may say.
fn sidecart(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidecart"));
    command.current_dir(dir);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SIDECART_")) {
        command.env_remove(name);
    }
    command
}
