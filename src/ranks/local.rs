//! Ranks that are processes of one machine, of which the first starts the others.
//!
//! ```text
//! memory    what they bring to a meeting: every rank sums a part of it, and all read the sums
//! sockets   that they have come: each of the others says so to rank 0, which tells all when the last is there
//! ```
//!
//! A socket ends with the process behind it, whatever ends that: so nobody waits for one that is gone. A thread looks after
//! that, too, for a process may wait for another one's GPU, and not come here any more. What is read from a socket was sent
//! before, and the system orders what is in memory by that.

use super::Ranks;
use super::memory::{self, Memory, Number, PLACE};
use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Tells a process that was started which one it is: its rank, how many there are, and the file of their memory. Its
/// standard input is the socket.
const VARIABLE: &str = "WORDMILL_RANK";

/// What is said on a socket: that one has come to a meeting, and that one ends as it should.
const HERE: u8 = 1;
const DONE: u8 = 2;

/// How long a process may take to see that the first one has given up, before it is ended: longer than most steps.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks after the others.
const WATCH: Duration = Duration::from_secs(1);

/// A process that ended before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    pub rank: usize,
    /// How it ended, which rank 0 knows of the others.
    pub status: Option<ExitStatus>,
}

/// What is to be done where another process has ended before its time: no call that waits for it can go on.
pub type OnLost = Box<dyn Fn(Lost) -> Infallible + Send + Sync>;

/// One of the processes.
pub struct Process {
    rank: usize,
    size: usize,
    memory: Memory,
    /// How often they have met for a chunk.
    met: AtomicUsize,
    line: Arc<Line>,
}

/// How a process knows of the others.
struct Line {
    rank: usize,
    /// Rank 0 has one to each of the others, which have one to rank 0.
    sockets: Vec<UnixStream>,
    /// What rank 0 has started.
    children: Mutex<Vec<Child>>,
    lost: OnLost,
    /// Whether nobody needs to look after the others any more.
    is_finishing: AtomicBool,
    /// Whether somebody sees to the end of this process already.
    is_over: AtomicBool,
}

/// Which one a process is that another has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    rank: usize,
    size: usize,
    file: RawFd,
}

impl Place {
    /// Nothing where nobody has started this process as one of several.
    pub fn of_this() -> Option<Place> {
        std::env::var(VARIABLE).ok()?.parse().ok()
    }
}

impl FromStr for Place {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Place, Self::Err> {
        let mut numbers = text.split('/');
        let mut next = || numbers.next().unwrap_or_default();
        Ok(Place {
            rank: next().parse()?,
            size: next().parse()?,
            file: next().parse()?,
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.rank, self.size, self.file)
    }
}

/// Becomes rank 0 of so many processes, and starts the others by a command.
///
/// # Errors
/// When one cannot be started; none is left then.
pub fn start(size: usize, command: impl Fn() -> Command, lost: OnLost) -> io::Result<Process> {
    let file = memory::file(size)?;
    let own = Place {
        rank: 0,
        size,
        file: file.as_raw_fd(),
    };
    let (mut sockets, mut children) = (Vec::new(), Vec::new());
    for rank in 1..size {
        let (socket, other) = UnixStream::pair()?;
        let mut command = command();
        command
            .env(VARIABLE, Place { rank, ..own }.to_string())
            .stdin(OwnedFd::from(other))
            .stdout(Stdio::null())
            // A terminal's signals reach the first process, and the others by what it tells them.
            .process_group(0);
        children.push(command.spawn()?);
        sockets.push(socket);
    }
    let process = Process::new(own, (sockets, children), lost)?;
    watch(Arc::downgrade(&process.line));
    Ok(process)
}

/// Becomes one of the others, by what the environment and standard input have given to this process.
///
/// # Errors
/// When there is no memory to share.
pub fn join(place: Place, socket: UnixStream, lost: OnLost) -> io::Result<Process> {
    let process = Process::new(place, (vec![socket], Vec::new()), lost)?;
    watch(Arc::downgrade(&process.line));
    Ok(process)
}

impl Process {
    fn new(
        place: Place,
        (sockets, children): (Vec<UnixStream>, Vec<Child>),
        lost: OnLost,
    ) -> io::Result<Process> {
        Ok(Process {
            rank: place.rank,
            size: place.size,
            memory: Memory::of(place.file, place.size)?,
            met: AtomicUsize::new(0),
            line: Arc::new(Line {
                rank: place.rank,
                sockets,
                children: Mutex::new(children),
                lost,
                is_finishing: AtomicBool::new(false),
                is_over: AtomicBool::new(false),
            }),
        })
    }

    fn sum_of<T: Number>(&self, values: &mut [T]) {
        for chunk in values.chunks_mut(PLACE / size_of::<T>()) {
            let set = self.next_set();
            self.memory.write((set, self.rank), chunk);
            self.meet();
            let begin = |rank| rank * chunk.len() / self.size;
            (self.memory).add::<T>(set, begin(self.rank)..begin(self.rank + 1));
            self.meet();
            self.memory.read((set, 0), chunk);
        }
    }

    /// The set for a chunk. Who writes to it has met the others since they wrote to the other one, and thus since they read
    /// from this one.
    fn next_set(&self) -> usize {
        self.met.fetch_add(1, Ordering::Relaxed) % 2
    }

    /// Waits until all have come here.
    fn meet(&self) {
        let line = &self.line;
        if self.rank > 0 {
            line.say(0, HERE);
            return line.hear(0, HERE);
        }
        (0..line.sockets.len()).for_each(|socket| line.hear(socket, HERE));
        (0..line.sockets.len()).for_each(|socket| line.say(socket, HERE));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.line.is_finishing.store(true, Ordering::Release);
        self.line.end_others();
    }
}

impl Line {
    fn say(&self, socket: usize, what: u8) {
        if (&self.sockets[socket]).write_all(&[what]).is_err() {
            self.lose(socket);
        }
    }

    fn hear(&self, socket: usize, what: u8) {
        let mut heard = [0];
        let is_there = (&self.sockets[socket]).read_exact(&mut heard).is_ok();
        if !is_there || heard != [what] {
            self.lose(socket);
        }
    }

    /// The process behind a socket is gone.
    fn lose(&self, socket: usize) -> ! {
        // The watch may have seen it before whoever calls, or after.
        while self.is_over.swap(true, Ordering::AcqRel) {
            std::thread::park();
        }
        let ended = self.end_others();
        let lost = Lost {
            rank: if self.rank > 0 { 0 } else { socket + 1 },
            status: ended.get(socket).copied().flatten(),
        };
        match (self.lost)(lost) {}
    }

    /// Lets the others see that this one has left them, and waits for what it has started.
    fn end_others(&self) -> Vec<Option<ExitStatus>> {
        for socket in &self.sockets {
            // One that is closed already needs no closing.
            let _ = socket.shutdown(Shutdown::Both);
        }
        let until = Instant::now() + PATIENCE;
        let ended = |mut child: Child| loop {
            match child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                _ => {
                    // It may have ended by itself at last.
                    let _ = child.kill();
                    return child.wait().ok();
                }
            }
        };
        let children = std::mem::take(&mut *self.children());
        children.into_iter().map(ended).collect()
    }

    fn children(&self) -> MutexGuard<'_, Vec<Child>> {
        (self.children)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the process behind a socket has ended, and all that it has said is heard.
    fn is_gone(&self, socket: usize) -> bool {
        let (mut said, flags) = (0u8, libc::MSG_PEEK | libc::MSG_DONTWAIT);
        let place = (&raw mut said).cast();
        // SAFETY: one byte goes to a place for one.
        unsafe { libc::recv(self.sockets[socket].as_raw_fd(), place, 1, flags) == 0 }
    }
}

/// Looks after the others from time to time, until this process knows itself how it ends.
fn watch(line: Weak<Line>) {
    std::thread::spawn(move || {
        // Seen twice: whoever waits at a socket knows at once, and sees to it.
        let mut seen = None;
        loop {
            std::thread::sleep(WATCH);
            let Some(line) = line.upgrade() else { return };
            if line.is_finishing.load(Ordering::Acquire) {
                return;
            }
            let gone = (0..line.sockets.len()).find(|socket| line.is_gone(*socket));
            match gone {
                Some(socket) if seen == gone => line.lose(socket),
                _ => seen = gone,
            }
        }
    });
}

impl Ranks for Process {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn local(&self) -> usize {
        self.rank
    }

    fn sum(&self, values: &mut [f32]) {
        self.sum_of(values);
    }

    fn sum_f64(&self, values: &mut [f64]) {
        self.sum_of(values);
    }

    fn share(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(PLACE) {
            let set = self.next_set();
            if self.rank == 0 {
                self.memory.write((set, 0), chunk);
            }
            self.meet();
            if self.rank > 0 {
                self.memory.read((set, 0), chunk);
            }
        }
    }

    fn finish(self: Box<Self>) {
        let line = &self.line;
        // Who has finished is gone.
        line.is_finishing.store(true, Ordering::Release);
        match self.rank {
            0 => (0..line.sockets.len()).for_each(|socket| line.hear(socket, DONE)),
            _ => line.say(0, DONE),
        }
    }
}

/// All of so many ranks in one process, whose calls panic with what they have lost.
#[cfg(test)]
pub fn together(size: usize) -> Vec<Process> {
    let file = memory::file(size).expect("memory");
    let pairs = (1..size).map(|_| UnixStream::pair().expect("two sockets"));
    let (first, others): (Vec<_>, Vec<_>) = pairs.unzip();
    let sockets = std::iter::once(first).chain(others.into_iter().map(|socket| vec![socket]));
    let process = |(rank, sockets)| {
        let file = file.as_raw_fd();
        let place = Place { rank, size, file };
        let lost = Box::new(|lost| std::panic::panic_any(lost));
        Process::new(place, (sockets, Vec::new()), lost).expect("a place in memory")
    };
    sockets.enumerate().map(process).collect()
}

#[cfg(test)]
mod tests;
