//! Bytes as they come: in memory, or in a mapped temporary file when they get too many.

use memmap2::Mmap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Bytes in memory or in a mapped temporary file.
pub enum Bytes {
    Memory(Vec<u8>),
    Mapped(Mmap),
}

impl Bytes {
    /// All of them.
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Memory(bytes) => bytes,
            Bytes::Mapped(map) => map,
        }
    }
}

/// Bytes on their way to memory or a file.
pub struct Spill {
    memory: Vec<u8>,
    limit: u64,
    folder: Option<PathBuf>,
    file: Option<BufWriter<File>>,
}

impl Spill {
    /// Keeps up to `limit` bytes in memory; the file lies where the system keeps its temporary files.
    pub fn new(limit: u64) -> Spill {
        Spill {
            memory: Vec::new(),
            limit,
            folder: None,
            file: None,
        }
    }

    /// The same with a file in `folder`: the system's may be a disk in memory.
    pub fn in_folder(limit: u64, folder: &Path) -> Spill {
        Spill {
            folder: Some(folder.to_owned()),
            ..Spill::new(limit)
        }
    }

    /// All bytes.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn finish(self) -> std::io::Result<Bytes> {
        let Some(file) = self.file else {
            return Ok(Bytes::Memory(self.memory));
        };
        let file = file
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        // SAFETY: the file has no name and no other handle: nobody else can change it.
        Ok(Bytes::Mapped(unsafe { Mmap::map(&file)? }))
    }
}

impl Write for Spill {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        } else if (self.memory.len() + bytes.len()) as u64 <= self.limit {
            self.memory.extend_from_slice(bytes);
        } else {
            let file = match &self.folder {
                Some(folder) => tempfile::tempfile_in(folder)?,
                None => tempfile::tempfile()?,
            };
            let file = self.file.insert(BufWriter::with_capacity(1 << 18, file));
            file.write_all(&std::mem::take(&mut self.memory))?;
            file.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_memory_and_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        for limit in [0, 5, 6, 100] {
            let mut spill = Spill::in_folder(limit, folder.path());
            spill.write_all(b"abc").unwrap();
            spill.write_all(b"def").unwrap();
            let bytes = spill.finish().unwrap();
            assert_eq!(bytes.as_slice(), b"abcdef");
            assert_eq!(matches!(bytes, Bytes::Mapped(_)), limit < 6);
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let mut spill = Spill::in_folder(0, Path::new("/no/such/folder"));
        assert!(spill.write_all(b"a").is_err());
    }
}
