//! An object read in ranges: one is on its way while the last one is used.
//!
//! Its length is known before, so a connection that breaks is no end; its tag too, so that parts of two objects of one name
//! are never put together.

use super::{Object, answered, io_error};
use object_store::{Error, GetOptions, GetRange, ObjectMeta, ObjectStore};
use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

/// Bytes of a range: enough that what a request costs by itself does not count.
const RANGE: u64 = 8 << 20;

/// An object that is being read.
pub struct Reader {
    object: Object,
    meta: ObjectMeta,
    /// Where the range after the one on its way begins.
    next: u64,
    on_its_way: Option<Receiver<Result<Vec<u8>, Error>>>,
    here: Cursor<Vec<u8>>,
}

impl Reader {
    pub fn new(object: Object, meta: ObjectMeta) -> Reader {
        let mut reader = Reader {
            object,
            meta,
            next: 0,
            on_its_way: None,
            here: Cursor::default(),
        };
        reader.request();
        reader
    }

    /// Asks for the next range, unless the last was asked for.
    fn request(&mut self) {
        let range = self.next..(self.next + RANGE).min(self.meta.size);
        if range.is_empty() {
            return;
        }
        self.next = range.end;
        let (store, key) = (Arc::clone(&self.object.store), self.object.key.clone());
        let expected = (range.end - range.start) as usize;
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: self.meta.e_tag.clone(),
            ..GetOptions::default()
        };
        self.on_its_way = Some(self.object.start(async move {
            let bytes = store.get_opts(&key, options).await?.bytes().await?;
            match bytes.len() == expected {
                true => Ok(bytes.to_vec()),
                false => Err(Error::Generic {
                    store: "S3",
                    source: format!("{} of {expected} bytes came", bytes.len()).into(),
                }),
            }
        }));
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let read = self.here.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(answer) = self.on_its_way.take() else {
                return Ok(0);
            };
            self.here = Cursor::new(answered(&answer).map_err(|error| io_error(&error))?);
            self.request();
        }
    }
}
