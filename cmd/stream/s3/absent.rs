//! No S3: this build knows none. There is no value of these types, so that nothing here is ever run but the refusal.

use crate::stream::Failure;
use crate::stream::input::Stream;
use std::io::Write;
use std::path::Path;

#[derive(Clone)]
pub enum Object {}

pub enum Upload {}

impl Object {
    pub fn at(path: &Path) -> Result<Object, Failure> {
        let name = path.display().to_string();
        Err(Failure::of_file(&name, "this build knows no S3")
            .hint("take a wordmill built with --features s3, or copy with the AWS command line"))
    }

    pub fn name(&self) -> &str {
        match *self {}
    }

    pub fn exists(&self) -> Result<bool, Failure> {
        match *self {}
    }

    pub fn check(&self) -> Result<(), Failure> {
        match *self {}
    }

    pub fn read(&self) -> Result<Stream, Failure> {
        match *self {}
    }

    pub fn write(&self) -> Result<Upload, Failure> {
        match *self {}
    }

    pub fn below(&self, _name: &str) -> Result<Object, Failure> {
        match *self {}
    }

    pub fn list(&self) -> Result<Vec<String>, Failure> {
        match *self {}
    }

    pub fn remove(&self) -> Result<(), Failure> {
        match *self {}
    }
}

impl Upload {
    pub fn begin(&mut self) -> std::io::Result<()> {
        match *self {}
    }

    pub fn finish(&mut self) -> std::io::Result<()> {
        match *self {}
    }
}

impl Write for Upload {
    fn write(&mut self, _bytes: &[u8]) -> std::io::Result<usize> {
        match *self {}
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match *self {}
    }
}

pub fn abort_all() {}
