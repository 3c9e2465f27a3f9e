//! Ranks each of which has a GPU: what lies there, the GPUs sum among themselves.

use super::{Ranks, share_bytes};
use crate::nn::device::{Gpu, Group, Memory, NAME};
use std::ops::Range;

/// Ranks, and the device of this one among theirs.
struct OfGpus {
    ranks: Box<dyn Ranks>,
    group: Group,
}

/// The same ranks, whose GPUs sum among themselves if all of them know how; or why one of them does not, as far as this one
/// knows.
pub type OnGpus = (Box<dyn Ranks>, Result<(), String>);

/// # Errors
/// When the GPUs cannot reach each other.
pub fn on_gpus(ranks: Box<dyn Ranks>, gpu: &Gpu) -> Result<OnGpus, String> {
    // The first makes the name; all must be able to come.
    let name = match ranks.rank() {
        0 => Group::name().map(Vec::from),
        _ => Group::find().map(|()| Vec::new()),
    };
    let mut able = [f64::from(u8::from(name.is_ok()))];
    ranks.sum_f64(&mut able);
    let name = match name {
        Ok(name) if able[0] == ranks.size() as f64 => name,
        Ok(_) => return Ok((ranks, Err("another process has no NCCL".to_owned()))),
        Err(problem) => return Ok((ranks, Err(problem))),
    };
    let name = share_bytes(&*ranks, name);
    let name = <[u8; NAME]>::try_from(name).map_err(|_| "a name of another length".to_owned())?;
    let group = Group::join(gpu, name, (ranks.rank(), ranks.size()))?;
    Ok((Box::new(OfGpus { ranks, group }), Ok(())))
}

impl Ranks for OfGpus {
    fn rank(&self) -> usize {
        self.ranks.rank()
    }

    fn size(&self) -> usize {
        self.ranks.size()
    }

    fn local(&self) -> usize {
        self.ranks.local()
    }

    fn sum(&self, values: &mut [f32]) {
        self.ranks.sum(values);
    }

    fn sum_f64(&self, values: &mut [f64]) {
        self.ranks.sum_f64(values);
    }

    fn sum_there(&self, values: &Memory, part: Range<usize>) -> bool {
        self.group.sum(values, part);
        true
    }

    fn share(&self, bytes: &mut [u8]) {
        self.ranks.share(bytes);
    }

    fn finish(self: Box<Self>) {
        let ranks = {
            // The GPU leaves the group before its process ends.
            let OfGpus {
                ranks,
                group: _group,
            } = *self;
            ranks
        };
        ranks.finish();
    }
}
