//! The GPU that a benchmark computes on, if one is asked for.

use wordmill::nn::device::{Gpu, Numbers};

/// The first GPU, as WORDMILL_DEVICE names it: cuda (in bf16), cuda-f32, cuda-tf32 or cuda-f16.
pub fn gpu() -> Option<Gpu> {
    let numbers = match std::env::var("WORDMILL_DEVICE").ok()?.as_str() {
        "cuda" => None,
        "cuda-f32" => Some(Numbers::F32),
        "cuda-tf32" => Some(Numbers::Tf32),
        "cuda-f16" => Some(Numbers::F16),
        other => panic!("no device: {other}"),
    };
    Some(Gpu::open(0, numbers).expect("a GPU"))
}
