//! Opens inputs: files or stdin, decompressed by their magic bytes, as UTF-8, with their format found out, in units.

use super::Job;
use super::args::{From, Invalid, Newline, StreamArgs};
use super::driver::Work;
use super::failure::{Failure, NothingToRead};
use super::s3;
use crate::progress::Counted;
use anyhow::Result;
use std::fs::File;
use std::io::{Cursor, ErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use wordmill::text::detect::{LOOK, detect};
use wordmill::text::format::{InputFormat, OutputFormat};
use wordmill::text::shard::Sharder;
use wordmill::text::transcode::{EncodingError, read_head, to_utf8};
use wordmill::text::units::{Cut, UnitError, Units};

/// Standard input, as it is named among files.
pub const STDIN: &str = "-";

/// A byte stream that can be handed to a thread.
pub type Stream = Box<dyn Read + Send>;

/// A file that is being read, and how it is printed.
#[derive(Debug)]
pub struct Source {
    /// The file as it was named, or `-`.
    pub name: String,
    pub format: InputFormat,
    pub to: OutputFormat,
}

/// The formats a job falls back to.
#[derive(Clone, Copy)]
pub struct Defaults {
    pub from: InputFormat,
    pub to: OutputFormat,
    /// Text goes through a filter, which wants whole lines.
    pub is_filter: bool,
}

impl Defaults {
    pub fn of(job: &Job) -> Defaults {
        Defaults {
            from: job.default_from,
            to: job.default_to,
            is_filter: job.from_text.is_some(),
        }
    }
}

/// Opens a file, or stdin for `-`, and decompresses it if it is gz or zst: for commands that read whole files, as
/// training and evaluation do.
///
/// # Errors
/// When it cannot be opened; errors of reading name no file.
pub fn open(path: &Path) -> Result<Stream> {
    decompressed(raw(path)?).map_err(|error| read_failure(&name_of(path), 0, &error).into())
}

/// The files a command is to read: those that were named, or stdin.
///
/// # Errors
/// When one does not exist or is a folder, so that nothing is printed before; when stdin is a terminal and was not
/// asked for.
pub fn inputs(files: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if files.is_empty() {
        if std::io::stdin().is_terminal() {
            return Err(NothingToRead.into());
        }
        return Ok(vec![PathBuf::from(STDIN)]);
    }
    for path in files.iter().filter(|path| !is_stdin(path)) {
        if s3::is_address(path) {
            s3::Object::at(path)?.check()?;
            continue;
        }
        let name = name_of(path);
        match path.metadata() {
            Err(error) => return Err(open_failure(&name, &error).into()),
            Ok(metadata) if metadata.is_dir() => {
                return Err(Failure::of_file(&name, "is a folder")
                    .hint("name its files, as in FOLDER/*.txt")
                    .into());
            }
            // A pipe must not be opened twice.
            Ok(metadata) if metadata.is_file() => {
                File::open(path).map_err(|error| open_failure(&name, &error))?;
            }
            Ok(_) => {}
        }
    }
    Ok(files.to_vec())
}

/// Reads `files` one after the other and calls `give` for each unit until it returns false.
///
/// # Errors
/// When a file cannot be read or is not in its encoding.
pub fn read_all(
    args: &StreamArgs,
    files: &[PathBuf],
    defaults: Defaults,
    count: &Arc<AtomicU64>,
    mut give: impl FnMut(Work) -> bool,
) -> Result<()> {
    let mut sharder = args.shard.map(Sharder::new);
    for path in files {
        let name = name_of(path);
        let eager = args.line_buffered || is_stdin(path) && std::io::stdin().is_terminal();
        let mut opened = open_text(path, (args.encoding, args.invalid), count)
            .and_then(|stream| Opened::new(args, (&name, stream), eager, defaults))
            .map_err(|error| locate_failure(&name, error))?;
        while let Some(work) = opened.next()? {
            let parts = match &mut sharder {
                None => vec![work.unit],
                Some(sharder) => sharder.select(work.unit, &opened.cut),
            };
            for unit in parts {
                let source = Arc::clone(&work.source);
                if !give(Work { unit, source }) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// An input whose format is known, cut into units.
pub struct Opened {
    pub source: Arc<Source>,
    cut: Cut,
    units: Units<Stream>,
}

impl Opened {
    /// A stream of UTF-8, as far as it is.
    ///
    /// # Errors
    /// When its first bytes cannot be read; the error names no file.
    fn new(
        args: &StreamArgs,
        (name, stream): (&str, Stream),
        eager: bool,
        defaults: Defaults,
    ) -> Result<Opened> {
        let (stream, format) = match args.from {
            From::Given(format) => (stream, format),
            From::Auto => match detected(stream, &args.field)? {
                (stream, InputFormat::Text) => (stream, defaults.from),
                found => found,
            },
        };
        let to = args.to.unwrap_or(match format {
            InputFormat::Conllu => OutputFormat::Conllu,
            InputFormat::Jsonl => OutputFormat::Jsonl,
            InputFormat::Columns => OutputFormat::Columns,
            InputFormat::Text | InputFormat::Lines | InputFormat::Tokens => defaults.to,
        });
        let cut = Cut {
            format,
            newline_breaks: args.newline == Newline::Break,
            whole_lines: defaults.is_filter
                && matches!(to, OutputFormat::Text | OutputFormat::Words),
            whole_documents: to == OutputFormat::Jsonl,
            replace_invalid: args.invalid == Invalid::Replace,
            eager,
        };
        let name = name.to_string();
        Ok(Opened {
            source: Arc::new(Source { name, format, to }),
            cut,
            units: Units::new(stream, cut),
        })
    }

    /// What would be standard input, as it is: nothing is decompressed, so that it is no larger than it looks.
    ///
    /// # Errors
    /// When it is not in its encoding.
    pub fn of_body(args: &StreamArgs, body: Vec<u8>, defaults: Defaults) -> Result<Opened> {
        body_text(body, (args.encoding, args.invalid))
            .and_then(|stream| Opened::new(args, (STDIN, stream), false, defaults))
            .map_err(|error| locate_failure(STDIN, error))
    }

    /// The next unit, none behind the last.
    ///
    /// # Errors
    /// When it cannot be read, or is not in its encoding.
    pub fn next(&mut self) -> Result<Option<Work>> {
        let unit = self.units.next_unit();
        let unit = unit.map_err(|error| unit_failure(&self.source.name, error))?;
        Ok(unit.map(|unit| Work {
            unit,
            source: Arc::clone(&self.source),
        }))
    }
}

/// Bytes as UTF-8, as far as they are.
///
/// # Errors
/// When their first cannot be read.
pub fn body_text(
    body: Vec<u8>,
    (encoding, invalid): (Option<&'static encoding_rs::Encoding>, Invalid),
) -> Result<Stream> {
    let replace = invalid == Invalid::Replace;
    Ok(to_utf8(Box::new(Cursor::new(body)), encoding, replace)?)
}

/// Opens a file, or stdin for `-`, decompressed and in UTF-8, as far as it is; its bytes are counted as they are read.
///
/// # Errors
/// When it cannot be opened, or its first bytes cannot be read.
pub fn open_text(
    path: &Path,
    (encoding, invalid): (Option<&'static encoding_rs::Encoding>, Invalid),
    count: &Arc<AtomicU64>,
) -> Result<Stream> {
    let counted = Counted::new(raw(path)?, Arc::clone(count));
    let replace = invalid == Invalid::Replace;
    let opened =
        decompressed(Box::new(counted)).and_then(|stream| to_utf8(stream, encoding, replace));
    Ok(opened?)
}

/// The format of a stream, and the stream from its first byte on.
///
/// # Errors
/// When it cannot be read.
pub fn detected(mut stream: Stream, field: &str) -> std::io::Result<(Stream, InputFormat)> {
    let (head, format) = detected_head(&mut stream, field)?;
    Ok((Box::new(Cursor::new(head).chain(stream)), format))
}

fn detected_head(stream: &mut Stream, field: &str) -> std::io::Result<(Vec<u8>, InputFormat)> {
    let mut head = Vec::new();
    let mut ended = false;
    loop {
        if (!head.is_empty() || ended)
            && let Some(format) = detect(&head, ended, field)
        {
            return Ok((head, format));
        }
        let known = head.len();
        head.resize(known + LOOK, 0);
        let read = match stream.read(&mut head[known..]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                head.truncate(known);
                continue;
            }
            other => other?,
        };
        head.truncate(known + read);
        ended = read == 0;
    }
}

fn raw(path: &Path) -> Result<Stream> {
    if is_stdin(path) {
        return Ok(Box::new(std::io::stdin()));
    }
    if s3::is_address(path) {
        return Ok(s3::Object::at(path)?.read()?);
    }
    let file = File::open(path).map_err(|error| open_failure(&name_of(path), &error))?;
    Ok(Box::new(file))
}

fn decompressed(mut stream: Stream) -> std::io::Result<Stream> {
    const GZIP: &[u8] = b"\x1F\x8B";
    const ZSTD: &[u8] = b"\x28\xB5\x2F\xFD";
    let head = read_head(&mut stream, &[GZIP, ZSTD])?;
    let is_gzip = head.starts_with(GZIP);
    let is_zstd = head.starts_with(ZSTD);
    let stream = Cursor::new(head).chain(stream);
    Ok(if is_gzip {
        Box::new(flate2::read::MultiGzDecoder::new(stream))
    } else if is_zstd {
        Box::new(zstd::stream::read::Decoder::new(stream)?)
    } else {
        Box::new(stream)
    })
}

pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

pub fn name_of(path: &Path) -> String {
    path.display().to_string()
}

pub fn open_failure(name: &str, error: &std::io::Error) -> Failure {
    match error.kind() {
        // Most likely somebody's first try: a sentence in place of a file.
        ErrorKind::NotFound if name.contains(' ') => Failure::of_file(name, "no such file")
            .hint("text itself is piped in, as in echo 'Dogs bark.' | wordmill annotate"),
        ErrorKind::NotFound => Failure::of_file(name, "no such file"),
        ErrorKind::PermissionDenied => Failure::of_file(name, "permission denied"),
        _ if is_too_many(error) => Failure::of_file(name, "too many open files")
            .hint("`ulimit -n` sets how many there may be; what is merged in parts takes fewer"),
        _ => Failure::of_file(name, error.to_string()),
    }
}

/// Whether the process may open no more files.
pub fn is_too_many(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(libc::EMFILE)
}

pub fn locate_failure(name: &str, error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<std::io::Error>() {
        Ok(error) => read_failure(name, 0, &error).into(),
        Err(other) => other,
    }
}

pub fn unit_failure(name: &str, error: UnitError) -> Failure {
    match error {
        UnitError::Io(error) => read_failure(name, 0, &error),
        UnitError::InvalidUtf8 { line, .. } => Failure::at_line(name, line, error.to_string())
            .hint("--encoding NAME reads other encodings, --invalid replace goes on with U+FFFD"),
        UnitError::TooLong { line } => Failure::at_line(name, line, error.to_string()),
    }
}

pub fn read_failure(name: &str, line: u64, error: &std::io::Error) -> Failure {
    let encoding = error
        .get_ref()
        .and_then(|source| source.downcast_ref::<EncodingError>());
    if let Some(encoding) = encoding {
        return Failure::at_line(name, encoding.line.max(line), encoding.to_string())
            .hint("--invalid replace goes on with U+FFFD");
    }
    if let Some(failure) = Failure::inside(error) {
        return failure.in_file(name);
    }
    match error.kind() {
        ErrorKind::UnexpectedEof => Failure::of_file(name, "compressed data ends too early")
            .hint("the file was cut short: fetch or compress it again"),
        _ => Failure::of_file(name, error.to_string()),
    }
}
