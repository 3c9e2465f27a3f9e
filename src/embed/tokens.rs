//! A long list of numbers, in memory or in a mapped temporary file.

use memmap2::MmapMut;
use std::fs::File;
use std::io::Write;

/// Tokens kept in memory (4 bytes each); longer streams lie in a temporary file.
const IN_MEMORY: usize = 1 << 26;

/// Tokens as they come: in memory first, then in a temporary file.
pub struct Spool {
    /// Pages for `capacity` tokens, which take memory when they are written to.
    memory: Option<MmapMut>,
    capacity: usize,
    /// Tokens in `memory`, and in all.
    filled: usize,
    length: usize,
    file: Option<File>,
}

impl Default for Spool {
    fn default() -> Spool {
        Spool::of(IN_MEMORY)
    }
}

impl Spool {
    fn of(capacity: usize) -> Spool {
        Spool {
            memory: None,
            capacity,
            filled: 0,
            length: 0,
            file: None,
        }
    }

    #[inline]
    pub(super) fn push(&mut self, token: u32) -> std::io::Result<()> {
        let at = self.filled * 4;
        match &mut self.memory {
            Some(memory) if at < memory.len() => {
                memory[at..at + 4].copy_from_slice(&token.to_ne_bytes());
                self.filled += 1;
                self.length += 1;
                Ok(())
            }
            _ => self.push_first(token),
        }
    }

    /// When there is no memory yet, or no more.
    #[cold]
    fn push_first(&mut self, token: u32) -> std::io::Result<()> {
        match self.memory {
            Some(_) => self.spill()?,
            None => self.memory = Some(MmapMut::map_anon(self.capacity * 4)?),
        }
        self.push(token)
    }

    fn spill(&mut self) -> std::io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile()?,
        };
        let file = self.file.insert(file);
        if let Some(memory) = &self.memory {
            file.write_all(&memory[..self.filled * 4])?;
        }
        self.filled = 0;
        Ok(())
    }

    pub(super) fn finish(mut self) -> std::io::Result<Tokens> {
        if self.file.is_some() {
            self.spill()?;
        }
        let map = match (self.file, self.memory) {
            // SAFETY: the file has no name and no other handle: nobody else can change it.
            (Some(file), _) => Some(unsafe { MmapMut::map_mut(&file)? }),
            (None, memory) => memory,
        };
        let length = self.length;
        Ok(Tokens { map, length })
    }
}

/// Tokens in pages of memory or of a file; none for no tokens.
pub struct Tokens {
    map: Option<MmapMut>,
    length: usize,
}

impl Tokens {
    pub(super) fn as_slice(&self) -> &[u32] {
        match &self.map {
            // SAFETY: a map begins at a page and holds at least `length` numbers in this machine's order of bytes.
            Some(map) => unsafe { std::slice::from_raw_parts(map.as_ptr().cast(), self.length) },
            None => &[],
        }
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [u32] {
        match &mut self.map {
            // SAFETY: as above, and `self` is borrowed mutably.
            Some(map) => unsafe {
                std::slice::from_raw_parts_mut(map.as_mut_ptr().cast(), self.length)
            },
            None => &mut [],
        }
    }

    pub(super) fn truncate(&mut self, to: usize) {
        self.length = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spooled_stream_is_the_stream() {
        let mut spool = Spool::of(1000);
        let tokens: Vec<u32> = (0..2345).collect();
        tokens.iter().for_each(|&t| spool.push(t).unwrap());
        assert!(spool.file.is_some());
        assert!(spool.finish().unwrap().as_slice() == tokens);
        assert!(Spool::default().finish().unwrap().as_slice().is_empty());
    }
}
