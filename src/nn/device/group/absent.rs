//! No devices: there is no value of this type, so that its methods are never run.

use super::{Gpu, Memory};
use std::ops::Range;

pub const NAME: usize = 128;

pub enum Group {}

impl Group {
    pub fn name() -> Result<[u8; NAME], String> {
        Group::find().map(|()| [0; NAME])
    }

    pub fn find() -> Result<(), String> {
        Err("this build knows no GPU".to_owned())
    }

    pub fn join(_gpu: &Gpu, _name: [u8; NAME], _place: (usize, usize)) -> Result<Group, String> {
        Err("this build knows no GPU".to_owned())
    }

    pub fn sum(&self, _values: &Memory, _part: Range<usize>) {
        match *self {}
    }
}
