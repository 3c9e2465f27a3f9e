//! No driver: this build knows no GPU. There is no value of this type, so that nothing here is ever run.

use super::{Argument, DeviceError, Facts, Numbers, Problem, Product};

#[derive(Debug)]
pub enum Driver {}

impl Driver {
    pub fn count() -> Result<usize, DeviceError> {
        Err(DeviceError::Built)
    }

    pub fn open(_number: usize) -> Result<Driver, DeviceError> {
        Err(DeviceError::Built)
    }

    pub fn facts(&self) -> &Facts {
        match *self {}
    }

    pub fn made_for(&self) -> (u32, u32) {
        match *self {}
    }

    pub fn allocate(&self, _bytes: usize) -> Result<u64, Problem> {
        match *self {}
    }

    pub fn free(&self, _pointer: u64) {
        match *self {}
    }

    pub fn copy_in(&self, _to: u64, _bytes: &[u8]) -> Result<(), Problem> {
        match *self {}
    }

    pub fn copy_out(&self, _bytes: &mut [u8], _from: u64) -> Result<(), Problem> {
        match *self {}
    }

    pub fn copy(&self, _to: u64, _from: u64, _bytes: usize) -> Result<(), Problem> {
        match *self {}
    }

    pub fn fill(&self, _to: u64, _byte: u8, _bytes: usize) -> Result<(), Problem> {
        match *self {}
    }

    pub fn wait(&self) -> Result<(), Problem> {
        match *self {}
    }

    pub fn launch(
        &self,
        _kernel: &'static str,
        _grid: (u32, u32),
        _threads: u32,
        _arguments: &[Argument],
    ) -> Result<(), Problem> {
        match *self {}
    }

    pub fn multiply(&self, _product: &Product, _numbers: Numbers) -> Result<(), Problem> {
        match *self {}
    }
}
