//! How activations are kept on a device, and which devices have units for it.

use super::Kind;

/// How activations are kept and multiplied on a device; sums are in f32 in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    F32,
    /// f32, of which products take the first 11 digits of 24 (TensorFloat-32)
    Tf32,
    /// IEEE 754's binary16: 11 digits, from 6 · 10⁻⁸ to 65504; gradients are multiplied by a scale on their way
    F16,
    /// bfloat16: 8 digits, as large and as small as f32
    Bf16,
}

impl Numbers {
    /// What a device of that compute capability computes in where nobody says: the fastest that it has units for.
    pub fn of(capability: (u32, u32)) -> Numbers {
        let mut fastest = [Numbers::Bf16, Numbers::F16].into_iter();
        let found = fastest.find(|numbers| numbers.least() <= capability);
        found.unwrap_or(Numbers::F32)
    }

    /// The first compute capability with units for it.
    pub fn least(self) -> (u32, u32) {
        match self {
            Numbers::F32 => (0, 0),
            Numbers::F16 => (7, 0),
            Numbers::Tf32 | Numbers::Bf16 => (8, 0),
        }
    }

    /// Whether our kernels multiply them on tensor cores, when they are made for that compute capability; products of cuBLAS are
    /// its own matter.
    pub fn has_tensor_products(self, made_for: (u32, u32)) -> bool {
        match self {
            Numbers::F32 | Numbers::Tf32 => false,
            Numbers::F16 => made_for >= (7, 5),
            Numbers::Bf16 => made_for >= (8, 0),
        }
    }

    /// The kind of activations in memory.
    pub fn kind(self) -> Kind {
        match self {
            Numbers::F32 | Numbers::Tf32 => Kind::F32,
            Numbers::F16 => Kind::F16,
            Numbers::Bf16 => Kind::Bf16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_computes_in_the_fastest_numbers_that_it_has_units_for() {
        // A100, H100; V100, T4; P100.
        assert_eq!([(8, 0), (9, 0)].map(Numbers::of), [Numbers::Bf16; 2]);
        assert_eq!([(7, 0), (7, 5)].map(Numbers::of), [Numbers::F16; 2]);
        assert_eq!(Numbers::of((6, 0)), Numbers::F32);
    }

    #[test]
    fn kernels_made_for_a_capability_multiply_on_the_tensor_cores_that_it_has() {
        let of = |made_for| {
            let all = [Numbers::F32, Numbers::F16, Numbers::Bf16];
            all.map(|numbers| numbers.has_tensor_products(made_for))
        };
        assert_eq!(of((7, 0)), [false; 3]);
        assert_eq!(of((7, 5)), [false, true, false]);
        assert_eq!(of((8, 0)), [false, true, true]);
    }
}
