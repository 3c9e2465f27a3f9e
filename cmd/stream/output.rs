//! Where output goes: stdout, or a file or an object of S3 that appears when it is whole.
//!
//! A file is written under a temporary name in its folder, synced and renamed; an object is uploaded in parts. The
//! temporary file or the parts are removed when the command fails, and when SIGINT or SIGTERM ends it.

use super::failure::Failure;
use super::{input, s3};
use anyhow::{Context, Result};
use std::fs::File;
use std::io::{BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::Duration;
use tempfile::NamedTempFile;

/// An output that is being written.
pub struct Output {
    sink: Encoder,
    /// The temporary file and the name it will get.
    pending: Option<(tempfile::TempPath, PathBuf)>,
    name: String,
    is_stdout: bool,
    flushes: bool,
}

enum Encoder {
    Plain(BufWriter<Place>),
    Gzip(flate2::write::GzEncoder<BufWriter<Place>>),
    Zstd(zstd::stream::write::Encoder<'static, BufWriter<Place>>),
}

/// Where bytes go in the end.
enum Place {
    File(File),
    Object(Box<s3::Upload>),
}

impl Output {
    /// Opens `path`, or stdout for none and `-`. With `flushes`, every unit is passed on at once, as it is on a
    /// terminal.
    ///
    /// # Errors
    /// When the folder of `path` does not exist or cannot be written to.
    pub fn create(path: Option<&Path>, flushes: bool) -> Result<Output> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
            return Output::stdout(flushes);
        };
        let name = path.display().to_string();
        if s3::is_address(path) {
            return Output::object(path, flushes);
        }
        // A link stays a link to the new file; pipes and devices are written to as they are.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let is_special = target.metadata().is_ok_and(|found| !found.is_file());
        let (file, pending) = if is_special {
            let file = File::options().write(true).open(&target);
            (file.with_context(|| name.clone())?, None)
        } else {
            let (file, temporary) = pending(&target, &name)?.into_parts();
            (file, Some((temporary, target)))
        };
        Ok(Output {
            sink: Encoder::by_name(path, Place::File(file))?,
            pending,
            name,
            is_stdout: false,
            flushes,
        })
    }

    /// Whether `path` could be created now; nothing stays behind.
    ///
    /// # Errors
    /// As [`Output::create`].
    pub fn check(path: &Path) -> Result<()> {
        if s3::is_address(path) {
            return begun(path).map(drop);
        }
        let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if path.as_os_str() != "-" && !target.metadata().is_ok_and(|found| !found.is_file()) {
            let name = path.display().to_string();
            temporary_beside(&target)
                .map_err(|error| Failure::of_file(&name, cannot_create(&error)))?;
        }
        Ok(())
    }

    fn object(path: &Path, flushes: bool) -> Result<Output> {
        let upload = begun(path)?;
        watch_signals()?;
        Ok(Output {
            sink: Encoder::by_name(path, Place::Object(Box::new(upload)))?,
            pending: None,
            name: path.display().to_string(),
            is_stdout: false,
            flushes,
        })
    }

    fn stdout(flushes: bool) -> Result<Output> {
        let stdout = std::io::stdout();
        // Rust's own stdout flushes at every newline; the file behind it does not.
        let file = File::from(std::os::fd::AsFd::as_fd(&stdout).try_clone_to_owned()?);
        Ok(Output {
            flushes: flushes || file.is_terminal(),
            sink: Encoder::Plain(buffered(Place::File(file))),
            pending: None,
            name: "standard output".to_string(),
            is_stdout: true,
        })
    }

    /// Appends `text`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, text: &str) -> Result<()> {
        self.write_bytes(text.as_bytes())
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.sink.writer().write_all(bytes);
        self.checked(written)
    }

    /// Passes on what was written so far, if that was asked for.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end_of_unit(&mut self) -> Result<()> {
        match self.flushes {
            true => {
                let flushed = self.sink.writer().flush();
                self.checked(flushed)
            }
            false => Ok(()),
        }
    }

    /// Writes what is left, and gives a file its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<()> {
        let flushed = self.sink.finish();
        self.checked(flushed)?;
        if let Some((temporary, target)) = self.pending.take() {
            temporary
                .persist(&target)
                .map_err(|error| Failure::of_file(&self.name, error.error.to_string()))?;
        }
        Ok(())
    }

    /// Gives up: what was written to stdout still goes out, a file is dropped.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn abandon(mut self) -> Result<()> {
        if self.pending.is_some() || matches!(self.sink.place(), Place::Object(_)) {
            return Ok(());
        }
        let flushed = self.sink.finish();
        self.checked(flushed)
    }

    /// Ends the tool when the reader of stdout has left: that is no failure, and the reading thread may be waiting for
    /// input that will never matter.
    fn checked(&self, result: std::io::Result<()>) -> Result<()> {
        match result {
            Err(error) if self.is_stdout && error.kind() == ErrorKind::BrokenPipe => {
                std::process::exit(0)
            }
            Err(error) => match Failure::inside(&error) {
                Some(failure) => Err(failure.in_file(&self.name).into()),
                None => Err(error).with_context(|| self.name.clone()),
            },
            Ok(()) => Ok(()),
        }
    }
}

/// For others to write to; errors name the output.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.sink.writer().write_all(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) if self.is_stdout && error.kind() == ErrorKind::BrokenPipe => {
                std::process::exit(0)
            }
            Err(error) => {
                let named = format!("{}: {error}", self.name);
                Err(std::io::Error::new(error.kind(), named))
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Encoder {
    fn by_name(path: &Path, place: Place) -> Result<Encoder> {
        let file = buffered(place);
        let extension = path.extension().unwrap_or_default();
        Ok(match extension.to_str() {
            Some("gz") => Encoder::Gzip(flate2::write::GzEncoder::new(file, Default::default())),
            Some("zst") => Encoder::Zstd(zstd::stream::write::Encoder::new(file, 0)?),
            _ => Encoder::Plain(file),
        })
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Encoder::Plain(file) => file,
            Encoder::Gzip(file) => file,
            Encoder::Zstd(file) => file,
        }
    }

    fn place(&self) -> &Place {
        match self {
            Encoder::Plain(file) => file.get_ref(),
            Encoder::Gzip(encoder) => encoder.get_ref().get_ref(),
            Encoder::Zstd(encoder) => encoder.get_ref().get_ref(),
        }
    }

    /// Ends the compression, and syncs a file to its disk or lets an object appear.
    fn finish(&mut self) -> std::io::Result<()> {
        let file = match self {
            Encoder::Plain(file) => file,
            Encoder::Gzip(encoder) => {
                encoder.try_finish()?;
                encoder.get_mut()
            }
            Encoder::Zstd(encoder) => {
                encoder.do_finish()?;
                encoder.get_mut()
            }
        };
        file.flush()?;
        let file = match file.get_mut() {
            Place::File(file) => file,
            Place::Object(upload) => return upload.finish(),
        };
        match file.sync_all() {
            // Pipes and terminals have nothing to sync.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOTSUP)) => {
                Ok(())
            }
            other => other,
        }
    }
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Place::File(file) => file.write(bytes),
            Place::Object(upload) => upload.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Place::File(file) => file.flush(),
            Place::Object(upload) => upload.flush(),
        }
    }
}

fn buffered(place: Place) -> BufWriter<Place> {
    BufWriter::with_capacity(1 << 16, place)
}

/// An upload that may go on.
fn begun(path: &Path) -> Result<s3::Upload> {
    let mut upload = s3::Object::at(path)?.write()?;
    match upload.begin() {
        Ok(()) => Ok(upload),
        Err(error) => Err(input::read_failure(&input::name_of(path), 0, &error).into()),
    }
}

fn temporary_beside(target: &Path) -> std::io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // What the umask leaves of 0666, like any other new file; a replaced file hands on its own mode.
    let mode = target
        .metadata()
        .map_or(0o666, |old| old.permissions().mode());
    tempfile::Builder::new()
        .prefix(".wordmill-")
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(folder)
}

fn cannot_create(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such folder".to_string(),
        ErrorKind::PermissionDenied => "permission denied".to_string(),
        // tempfile adds the temporary path, which says nothing to the user.
        kind => kind.to_string(),
    }
}

/// A file beside `target` that a signal removes, from its first moment on.
fn pending(target: &Path, name: &str) -> Result<NamedTempFile> {
    watch_signals()?;
    let mut all = TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner);
    let temporary =
        temporary_beside(target).map_err(|error| Failure::of_file(name, cannot_create(&error)))?;
    all.push(temporary.path().to_path_buf());
    Ok(temporary)
}

// What has got its name stays here by its old one, which removes nothing.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes all temporary files. One that is just being made is waited for, but not for long: on a network's disk that may take
/// for ever.
fn remove_all() {
    let held = (0..100).find_map(|_| match TEMPORARY.try_lock() {
        Ok(all) => Some(all),
        Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
        Err(TryLockError::WouldBlock) => {
            std::thread::sleep(Duration::from_millis(10));
            None
        }
    });
    for path in held.iter().flat_map(|all| all.iter()) {
        let _ = std::fs::remove_file(path);
    }
    // Nobody makes another one before the process has died.
    std::mem::forget(held);
}

/// Removes all temporary files, and dies of the signal, when one comes; from the first call on.
fn watch_signals() -> Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if WATCHED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    // Not SIGHUP: nohup has it ignored, and a handler would undo that.
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            remove_all();
            s3::abort_all();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
    Ok(())
}
