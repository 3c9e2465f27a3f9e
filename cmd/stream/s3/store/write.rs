//! An object written in parts: it appears when all are there, and nothing stays of one that was given up.

use super::{Object, answered, io_error};
use object_store::multipart::{MultipartStore, PartId};
use object_store::{Error, MultipartId, ObjectStoreExt, PutPayload};
use std::io::Write;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes of the first parts. There may be 10 000 parts, so they get larger and larger.
const PART: usize = 8 << 20;
const PARTS_OF_A_SIZE: usize = 1000;

/// Uploads that have begun, to be aborted when a signal ends the process.
static BEGUN: Mutex<Vec<Begun>> = Mutex::new(Vec::new());

#[derive(Clone)]
struct Begun {
    object: Object,
    id: MultipartId,
}

/// An object that is being written; one that is dropped before it is finished is given up.
pub struct Upload {
    object: Object,
    /// Nothing before the first part is full: what is smaller is sent at once.
    begun: Option<Begun>,
    /// The part that is being filled.
    part: Vec<u8>,
    /// The part before, while it is sent.
    sending: Option<Receiver<Result<PartId, Error>>>,
    sent: Vec<PartId>,
}

impl Upload {
    pub fn new(object: Object) -> Upload {
        Upload {
            object,
            begun: None,
            part: Vec::new(),
            sending: None,
            sent: Vec::new(),
        }
    }

    /// Begins to write in parts, which shows whether that is allowed.
    ///
    /// # Errors
    /// When there is no such bucket, or it may not be written to.
    pub fn begin(&mut self) -> std::io::Result<()> {
        if self.begun.is_none() {
            let (store, key) = (Arc::clone(&self.object.store), self.object.key.clone());
            let id = (self.object).wait(async move { store.create_multipart(&key).await });
            let begun = Begun {
                object: self.object.clone(),
                id: id.map_err(|error| io_error(&error))?,
            };
            all_begun().push(begun.clone());
            self.begun = Some(begun);
        }
        Ok(())
    }

    /// Sends what is left, and lets the object appear.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&mut self) -> std::io::Result<()> {
        let (store, key) = (Arc::clone(&self.object.store), self.object.key.clone());
        if self.begun.is_none() {
            let whole = PutPayload::from(std::mem::take(&mut self.part));
            let put = (self.object).wait(async move { store.put(&key, whole).await });
            return put.map(drop).map_err(|error| io_error(&error));
        }
        if !self.part.is_empty() || self.sent.is_empty() && self.sending.is_none() {
            self.send()?;
        }
        self.wait()?;
        if let Some(Begun { object, id }) = self.begun.clone() {
            let parts = std::mem::take(&mut self.sent);
            let done = object.wait(async move { store.complete_multipart(&key, &id, parts).await });
            done.map_err(|error| io_error(&error))?;
            self.forget();
        }
        Ok(())
    }

    /// Sends the part, when the one before has been sent.
    fn send(&mut self) -> std::io::Result<()> {
        self.begin()?;
        self.wait()?;
        if let Some(Begun { object, id }) = self.begun.clone() {
            let (store, key) = (Arc::clone(&object.store), object.key.clone());
            let (number, part) = (self.sent.len(), std::mem::take(&mut self.part).into());
            self.sending =
                Some(object.start(async move { store.put_part(&key, &id, number, part).await }));
        }
        Ok(())
    }

    fn wait(&mut self) -> std::io::Result<()> {
        if let Some(answer) = self.sending.take() {
            let sent = answered(&answer).map_err(|error| io_error(&error))?;
            self.sent.push(sent);
        }
        Ok(())
    }

    fn forget(&mut self) {
        if let Some(begun) = self.begun.take() {
            all_begun().retain(|other| other.id != begun.id);
        }
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let full = PART << (self.sent.len() / PARTS_OF_A_SIZE);
        let taken = bytes.len().min(full.saturating_sub(self.part.len()));
        self.part.extend_from_slice(&bytes[..taken]);
        if self.part.len() >= full {
            self.send()?;
        }
        Ok(taken)
    }

    /// Nothing is to be seen of an object before it is whole.
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // A part that arrives later would stay.
        let _ = self.wait();
        if let Some(begun) = &self.begun {
            let _ = answered(&begun.abort());
        }
        self.forget();
    }
}

impl Begun {
    /// Asks the server to forget the parts. One that does not answer keeps them, and nothing can be done about it.
    fn abort(&self) -> Receiver<Result<(), Error>> {
        let (store, key) = (Arc::clone(&self.object.store), self.object.key.clone());
        let id = self.id.clone();
        (self.object).start(async move { store.abort_multipart(&key, &id).await })
    }
}

fn all_begun() -> MutexGuard<'static, Vec<Begun>> {
    BEGUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives up all that has begun and is not whole, for a process that is to end soon.
pub fn abort_all() {
    let answers: Vec<_> = all_begun().iter().map(Begun::abort).collect();
    for answer in answers {
        let _ = answer.recv_timeout(Duration::from_secs(5));
    }
}
