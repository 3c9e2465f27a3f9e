//! Which tile may run when.
//!
//! Tiles stand in a random order. A tile may begin when every tile before it that has a block in common with it is
//! over: then each block sees its tiles in that very order, whoever runs them, and the result is the same for any
//! number of threads. A worker takes the blocks of its tile away and brings them back, so nothing is shared.

use std::sync::{Condvar, Mutex, PoisonError};

/// Blocks of parameters, and the tiles that wait for them.
pub struct Schedule<B> {
    state: Mutex<State<B>>,
    freed: Condvar,
}

struct State<B> {
    /// None while a worker has it.
    blocks: Vec<Option<B>>,
    /// Tiles that have not begun, the next one last.
    waiting: Vec<Tile>,
}

/// A tile with its two blocks; the same twice on the diagonal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    pub number: usize,
    pub row: usize,
    pub column: usize,
}

/// A tile that has begun, with its blocks; one on the diagonal.
pub struct Work<B> {
    pub tile: Tile,
    pub rows: B,
    pub columns: Option<B>,
}

impl<B> Schedule<B> {
    /// Tiles in the order in which they are to run.
    pub fn new(blocks: Vec<B>, mut tiles: Vec<Tile>) -> Schedule<B> {
        tiles.reverse();
        Schedule {
            state: Mutex::new(State {
                blocks: blocks.into_iter().map(Some).collect(),
                waiting: tiles,
            }),
            freed: Condvar::new(),
        }
    }

    /// The next tile that may begin, as soon as there is one; none when all have begun.
    pub fn begin(&self) -> Option<Work<B>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.waiting.is_empty() {
                return None;
            }
            if let Some(work) = state.take() {
                return Some(work);
            }
            let woken = self.freed.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Brings the blocks of a tile back.
    pub fn end(&self, work: Work<B>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.blocks[work.tile.row] = Some(work.rows);
        if let Some(columns) = work.columns {
            state.blocks[work.tile.column] = Some(columns);
        }
        self.freed.notify_all();
    }

    /// Lets no more tiles begin.
    pub fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.clear();
        self.freed.notify_all();
    }

    /// The blocks, when all work has been brought back.
    pub fn into_blocks(self) -> Vec<B> {
        let state = self.state.into_inner();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        state.blocks.into_iter().flatten().collect()
    }
}

impl<B> State<B> {
    fn take(&mut self) -> Option<Work<B>> {
        // Blocks that are away, or owed to a tile that stands before.
        let mut owed: Vec<bool> = self.blocks.iter().map(Option::is_none).collect();
        let mut free = owed.iter().filter(|owed| !**owed).count();
        let mut at = self.waiting.len();
        while at > 0 && free > 0 {
            at -= 1;
            let tile = self.waiting[at];
            if !owed[tile.row] && !owed[tile.column] {
                self.waiting.remove(at);
                let rows = self.blocks[tile.row].take()?;
                let columns = match tile.row == tile.column {
                    true => None,
                    false => Some(self.blocks[tile.column].take()?),
                };
                return Some(Work {
                    tile,
                    rows,
                    columns,
                });
            }
            for block in [tile.row, tile.column] {
                free -= usize::from(!std::mem::replace(&mut owed[block], true));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_sees_its_tiles_in_order_whatever_the_threads() {
        let mut tiles = Vec::new();
        for row in 0..8 {
            for column in 0..=row {
                let number = (tiles.len() * 23) % 36; // coprime: any order will do
                tiles.push(Tile {
                    number,
                    row,
                    column,
                });
            }
        }
        let seen = |threads: usize| {
            let schedule = Schedule::new(vec![Vec::new(); 8], tiles.clone());
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        while let Some(mut work) = schedule.begin() {
                            work.rows.push(work.tile.number);
                            if let Some(columns) = &mut work.columns {
                                columns.push(work.tile.number);
                            }
                            std::thread::yield_now();
                            schedule.end(work);
                        }
                    });
                }
            });
            schedule.into_blocks()
        };
        let alone = seen(1);
        assert_eq!(alone.iter().map(Vec::len).sum::<usize>(), 8 * 8);
        assert_eq!(alone, seen(2));
        assert_eq!(alone, seen(5));
    }

    #[test]
    fn a_stopped_schedule_lets_nothing_begin() {
        let tile = Tile {
            number: 0,
            row: 0,
            column: 0,
        };
        let schedule = Schedule::new(vec![()], vec![tile]);
        schedule.stop();
        assert!(schedule.begin().is_none());
        assert_eq!(schedule.into_blocks().len(), 1);
    }
}
