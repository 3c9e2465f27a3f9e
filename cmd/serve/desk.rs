//! Where requests are worked on, by threads of their own: computing holds up no connection. So many are under way or wait,
//! and no more: each has a slot before its body is read, which bounds the memory that bodies take.

use crate::engine::{Answer, Body, Engine, Kind};
use anyhow::{Result, anyhow};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Hands requests to threads.
pub struct Desk {
    slots: Arc<Semaphore>,
    tasks: Sender<Task>,
    /// The kinds of answers that there are.
    pub kinds: Vec<Kind>,
}

/// The right to hand in a request.
pub type Slot = OwnedSemaphorePermit;

/// A request under way.
pub struct Task {
    body: Body,
    reply: oneshot::Sender<Result<Answer>>,
    slot: Slot,
}

impl Desk {
    pub fn new(slots: usize, tasks: Sender<Task>, kinds: Vec<Kind>) -> Desk {
        Desk {
            slots: Arc::new(Semaphore::new(slots)),
            tasks,
            kinds,
        }
    }

    /// A slot, if one is free.
    pub fn slot(&self) -> Option<Slot> {
        Arc::clone(&self.slots).try_acquire_owned().ok()
    }

    /// Waits until a thread has answered.
    ///
    /// # Errors
    /// What is wrong with the body; that the threads are gone.
    pub async fn answer(&self, slot: Slot, body: Body) -> Result<Answer> {
        let (reply, answer) = oneshot::channel();
        let gone = || anyhow!("nobody is there to answer");
        let task = Task { body, reply, slot };
        self.tasks.send(task).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Works on tasks until no more can come.
pub fn work(engine: &dyn Engine, tasks: &Mutex<Receiver<Task>>) {
    let next = || {
        let tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.recv()
    };
    while let Ok(task) = next() {
        // Who has left needs no answer.
        if !task.reply.is_closed() {
            let answer = engine.answer(task.body);
            // Who has an answer may ask again at once.
            drop(task.slot);
            let _ = task.reply.send(answer);
        }
    }
}
