//! Files of a run's folder, from rank 0 to the others: they need not have a disk in common.
//!
//! ```text
//! {"config.json": 412, "tokenizer.json": 90211}       names and lengths, then the bytes one behind the other
//! ```

use super::{Folder, FolderError};
use crate::ranks::{Ranks, share_bytes};
use serde_json::{Map, Value};

impl Folder {
    /// Gives every rank's folder the files of these names that rank 0 has in its own.
    ///
    /// # Errors
    /// When one cannot be read or written.
    pub fn share(&self, ranks: &dyn Ranks, names: &[&str]) -> Result<(), FolderError> {
        let (mut lengths, mut bytes) = (Map::new(), Vec::new());
        if ranks.rank() == 0 {
            for name in names.iter().filter(|name| self.path(name).exists()) {
                let file = self.read(name)?;
                lengths.insert((*name).to_owned(), file.len().into());
                bytes.extend(file);
            }
        }
        let header = share_bytes(ranks, Value::Object(lengths).to_string().into_bytes());
        let shared = share_bytes(ranks, bytes);
        if ranks.rank() == 0 {
            return Ok(());
        }
        let mut rest = &shared[..];
        // What rank 0 has written is an object of lengths.
        let lengths: Map<String, Value> = serde_json::from_slice(&header).unwrap_or_default();
        for (name, length) in lengths {
            let length = length.as_u64().unwrap_or_default() as usize;
            let (file, others) = rest.split_at(length.min(rest.len()));
            self.write(&name, file)?;
            rest = others;
        }
        Ok(())
    }

    /// Gives every rank's folder the checkpoint of a step that rank 0 has in its own; nothing where it has none.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn share_checkpoint(
        &self,
        ranks: &dyn Ranks,
        step: Option<u64>,
    ) -> Result<(), FolderError> {
        let parts = ["model.safetensors", "optimizer.safetensors", "state.json"];
        let names = step.map(|step| parts.map(|part| format!("checkpoints/{step}/{part}")));
        let names = names.iter().flatten().map(String::as_str);
        self.share(ranks, &names.collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranks::threads;

    #[test]
    fn every_rank_has_the_files_of_the_first() {
        let found = threads::run(3, |ranks| {
            let place = tempfile::tempdir().expect("a folder");
            let folder = Folder::new(place.path());
            if ranks.rank() == 0 {
                folder.write("a.json", b"[1]").expect("written");
                std::fs::create_dir_all(folder.path("checkpoints/7")).expect("a folder");
                for part in ["model.safetensors", "optimizer.safetensors", "state.json"] {
                    folder
                        .write(&format!("checkpoints/7/{part}"), part.as_bytes())
                        .expect("written");
                }
            }
            folder.share(ranks, &["a.json", "b.json"]).expect("shared");
            let step = (ranks.rank() == 0).then_some(7);
            folder.share_checkpoint(ranks, step).expect("shared");
            let read = |name: &str| std::fs::read(folder.path(name)).ok();
            (
                read("a.json"),
                read("b.json"),
                read("checkpoints/7/state.json"),
                folder.steps(),
            )
        });
        let expected = (
            Some(b"[1]".to_vec()),
            None,
            Some(b"state.json".to_vec()),
            vec![7],
        );
        assert_eq!(found, vec![expected; 3]);
    }
}
