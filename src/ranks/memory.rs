//! Memory that the processes of one machine share: what each brings to a meeting lies in a place of its own.
//!
//! ```text
//! set 0    place of rank 0, of rank 1, …      PLACE bytes each
//! set 1    the same for the next meeting, while some may still read from set 0
//! ```
//!
//! Nothing here waits for anybody: that those who meet take turns is `local.rs`'s to see to.

use memmap2::MmapRaw;
use std::fs::File;
use std::io;
use std::ops::{AddAssign, Range};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

/// Bytes of a place: enough that a meeting takes little beside the copies, and little enough for the caches of servers.
pub const PLACE: usize = 4 << 20;

/// A kind of values, of which any bytes are one.
pub trait Number: Copy + AddAssign {}

impl Number for u8 {}
impl Number for f32 {}
impl Number for f64 {}

/// The memory, as one process has mapped it.
pub struct Memory {
    map: MmapRaw,
    /// How many ranks have a place in each set.
    size: usize,
}

/// A file in memory for so many ranks, which processes that this one starts inherit under its number.
pub fn file(size: usize) -> io::Result<File> {
    // SAFETY: the name is a string of C, and is copied.
    let number = unsafe { libc::memfd_create(c"wordmill".as_ptr(), 0) };
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the file was opened just now, and nobody else has it.
    let file = unsafe { File::from_raw_fd(number) };
    file.set_len(length(size) as u64)?;
    Ok(file)
}

fn length(size: usize) -> usize {
    2 * size * PLACE
}

impl Memory {
    /// # Errors
    /// When the number is not that of a file for so many ranks.
    pub fn of(file: RawFd, size: usize) -> io::Result<Memory> {
        let map = MmapRaw::map_raw(file.as_raw_fd())?;
        match map.len() == length(size) {
            true => Ok(Memory { map, size }),
            false => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Lays values into a place.
    pub fn write<T: Number>(&self, place: (usize, usize), values: &[T]) {
        let to = self.place::<T>(place, values.len());
        // SAFETY: the place has room for them, and only the rank whose it is writes to it before the meeting.
        unsafe { to.copy_from_nonoverlapping(values.as_ptr(), values.len()) }
    }

    /// Takes as many values out of a place as there is room for.
    pub fn read<T: Number>(&self, place: (usize, usize), values: &mut [T]) {
        let from = self.place::<T>(place, values.len());
        // SAFETY: the place has as many, and nobody writes to it before the meeting behind the next.
        unsafe { from.copy_to_nonoverlapping(values.as_mut_ptr(), values.len()) }
    }

    /// Adds a part of what all have brought up, in the order of ranks, into the place of rank 0.
    pub fn add<T: Number>(&self, set: usize, part: Range<usize>) {
        let values = |rank| {
            // Within the place, for `place` has seen to its end.
            self.place::<T>((set, rank), part.end)
                .wrapping_add(part.start)
        };
        // SAFETY: the part lies in the place, whose begin is that of a page; it is nobody else's until the next meeting.
        let sums = unsafe { std::slice::from_raw_parts_mut(values(0), part.len()) };
        for rank in 1..self.size {
            // SAFETY: the same, and it is another place than that of the sums.
            let more = unsafe { std::slice::from_raw_parts(values(rank), part.len()) };
            for (sum, value) in sums.iter_mut().zip(more) {
                *sum += *value;
            }
        }
    }

    /// Where a place begins that has room for so many values.
    fn place<T>(&self, (set, rank): (usize, usize), values: usize) -> *mut T {
        assert!(set < 2 && rank < self.size && values <= PLACE / size_of::<T>());
        let begin = (set * self.size + rank) * PLACE;
        self.map.as_mut_ptr().wrapping_add(begin).cast()
    }
}
