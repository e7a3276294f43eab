//! Lines of text from a file or standard input, numbered, each bounded.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, stdin},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result};

/// Bytes of one line: more than any request may have.
pub(crate) const LINE_MAX_BYTES: usize = 8 * 1024 * 1024;

const BUFFER_BYTES: usize = 256 * 1024;

/// A file or standard input that is being read.
pub(crate) struct Input {
    /// The bytes.
    pub(crate) bytes: Box<dyn Read + Send>,
    /// How many there are, if that is known.
    pub(crate) len: Option<u64>,
    /// How many are read.
    pub(crate) read: Arc<AtomicU64>,
}

/// Opens a file, or standard input for `-`.
///
/// # Errors
/// It cannot be opened.
pub(crate) fn open(path: &Path) -> Result<Input> {
    let read = Arc::new(AtomicU64::new(0));
    if is_standard(path) {
        return Ok(Input { bytes: Box::new(Counted(stdin(), read.clone())), len: None, read });
    }
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let len = file.metadata().ok().filter(|it| it.is_file()).map(|it| it.len());
    Ok(Input { bytes: Box::new(Counted(file, read.clone())), len, read })
}

/// Whether a path stands for standard input or output.
pub(crate) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// One line, or why it cannot be read. Its number counts from 1.
pub(crate) type Line = (u64, Result<String, String>);

/// The lines that are not blank.
pub(crate) fn lines(bytes: impl Read) -> impl Iterator<Item = io::Result<Line>> {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, bytes);
    let numbered = (1..).map_while(move |number| match next_line(&mut reader) {
        Ok(None) => None,
        Ok(Some(text)) => Some(Ok((number, text))),
        Err(error) => Some(Err(error)),
    });
    numbered.filter(|line| !matches!(line, Ok((_, Ok(text))) if text.trim().is_empty()))
}

/// The next line without its end, or none at the end of the input.
fn next_line(reader: &mut impl BufRead) -> io::Result<Option<Result<String, String>>> {
    let mut line = Vec::new();
    let limit = LINE_MAX_BYTES as u64 + 1;
    if reader.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() > LINE_MAX_BYTES {
        if line.last() != Some(&b'\n') {
            reader.skip_until(b'\n')?;
        }
        return Ok(Some(Err(format!("is longer than {LINE_MAX_BYTES} bytes"))));
    }
    let text = String::from_utf8(line).map_err(|_| "is not UTF-8".to_owned());
    Ok(Some(text.map(|text| text.trim_start_matches('\u{feff}').trim_end().to_owned())))
}

struct Counted<R>(R, Arc<AtomicU64>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<(u64, Result<String, String>)> {
        lines(bytes).collect::<io::Result<_>>().unwrap()
    }

    #[test]
    fn lines_are_numbered_and_blank_ones_left_out() {
        let ok = |number, text: &str| (number, Ok(text.to_owned()));
        assert_eq!(read(b"\xef\xbb\xbfa\r\n\n  \nb"), [ok(1, "a"), ok(4, "b")]);
        assert_eq!(read(b""), []);
    }

    #[test]
    fn a_bad_line_does_not_stop_the_others() {
        let mut bytes = vec![b'x'; LINE_MAX_BYTES + 9];
        bytes.extend(b"\n\xff\nb\n");
        let lines = read(&bytes);
        let faults: Vec<_> = lines.iter().map(|(number, line)| (*number, line.is_ok())).collect();
        assert_eq!(faults, [(1, false), (2, false), (3, true)]);
    }
}
