//! Vectors of f32 in registers: AVX-512, AVX2 with FMA, NEON or plain Rust, chosen when the program runs.
//!
//! A kernel is written once, generic over [`Lanes`], and called through `dispatch!`, which instantiates it under each
//! set of target features and picks the widest that this processor has. Memory is read and written unaligned; slices
//! whose length is no multiple of the width are padded by their owner ([`padded`]).
//!
//! This is the one file that names instruction sets, but for `nn::int8`'s products of bytes.

/// f32 values to a cache line; rows of matrices are padded to a multiple of it, so that no kernel has a tail.
pub const LINE: usize = 16;

/// `dim` rounded up to whole cache lines.
pub const fn padded(dim: usize) -> usize {
    dim.div_ceil(LINE) * LINE
}

/// A register of `N` values.
///
/// # Safety
/// `load` and `store` touch `N` values from the pointer on. The methods of the x86 registers may only run where the
/// processor has their features, which `dispatch!` sees to.
#[allow(clippy::missing_safety_doc, reason = "said once, above")]
pub unsafe trait Lanes: Copy {
    const N: usize;
    /// How many registers there are.
    const REGISTERS: usize;
    unsafe fn zero() -> Self;
    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    /// self · a + b
    unsafe fn mul_add(self, a: Self, b: Self) -> Self;
    /// The sum of all lanes.
    unsafe fn sum(self) -> f32;
    /// 1/√x, lane by lane, to two units in the last place; x is neither 0 nor denormal.
    unsafe fn inverse_sqrt(self) -> Self;
}

/// Plain Rust, eight lanes: what the compiler makes of it runs everywhere.
#[derive(Clone, Copy)]
pub struct Plain([f32; 8]);

// SAFETY: only pointers given by the caller are touched, N values each.
unsafe impl Lanes for Plain {
    const N: usize = 8;
    const REGISTERS: usize = 8;
    #[inline(always)]
    unsafe fn zero() -> Self {
        Plain([0.0; 8])
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Plain([value; 8])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller gives eight values.
        Plain(unsafe { from.cast::<[f32; 8]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as above.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Plain(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Plain(std::array::from_fn(|i| self.0[i] * other.0[i]))
    }
    #[inline(always)]
    unsafe fn mul_add(self, a: Self, b: Self) -> Self {
        // Not f32::mul_add: without the instruction that is a call into the C library.
        Plain(std::array::from_fn(|i| self.0[i] * a.0[i] + b.0[i]))
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }
    #[inline(always)]
    unsafe fn inverse_sqrt(self) -> Self {
        Plain(self.0.map(|x| 1.0 / x.sqrt()))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Lanes;
    use std::arch::x86_64::*;

    // SAFETY: the intrinsics touch nothing but the pointers given, N values each.
    unsafe impl Lanes for __m512 {
        const N: usize = 16;
        const REGISTERS: usize = 32;
        #[inline(always)]
        unsafe fn zero() -> Self {
            unsafe { _mm512_setzero_ps() }
        }
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            unsafe { _mm512_set1_ps(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm512_storeu_ps(to, self) }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { _mm512_add_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            unsafe { _mm512_mul_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, a: Self, b: Self) -> Self {
            unsafe { _mm512_fmadd_ps(self, a, b) }
        }
        #[inline(always)]
        unsafe fn sum(self) -> f32 {
            unsafe { _mm512_reduce_add_ps(self) }
        }
        #[inline(always)]
        unsafe fn inverse_sqrt(self) -> Self {
            // A division and a root take three times as long as 14 bits and a step of Newton's.
            unsafe {
                let guess = _mm512_rsqrt14_ps(self);
                let half = _mm512_mul_ps(_mm512_mul_ps(self, _mm512_set1_ps(-0.5)), guess);
                let step = _mm512_fmadd_ps(half, guess, _mm512_set1_ps(1.5));
                _mm512_mul_ps(guess, step)
            }
        }
    }

    // SAFETY: as above.
    unsafe impl Lanes for __m256 {
        const N: usize = 8;
        const REGISTERS: usize = 16;
        #[inline(always)]
        unsafe fn zero() -> Self {
            unsafe { _mm256_setzero_ps() }
        }
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            unsafe { _mm256_set1_ps(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { _mm256_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm256_storeu_ps(to, self) }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { _mm256_add_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            unsafe { _mm256_mul_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, a: Self, b: Self) -> Self {
            unsafe { _mm256_fmadd_ps(self, a, b) }
        }
        #[inline(always)]
        unsafe fn sum(self) -> f32 {
            unsafe {
                let half = _mm_add_ps(
                    _mm256_castps256_ps128(self),
                    _mm256_extractf128_ps::<1>(self),
                );
                let pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
                _mm_cvtss_f32(_mm_add_ss(pair, _mm_shuffle_ps::<1>(pair, pair)))
            }
        }
        #[inline(always)]
        unsafe fn inverse_sqrt(self) -> Self {
            unsafe { _mm256_div_ps(_mm256_set1_ps(1.0), _mm256_sqrt_ps(self)) }
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::Lanes;
    use std::arch::aarch64::*;

    // SAFETY: every aarch64 processor of Rust's targets has NEON; only the pointers given are touched.
    unsafe impl Lanes for float32x4_t {
        const N: usize = 4;
        const REGISTERS: usize = 32;
        #[inline(always)]
        unsafe fn zero() -> Self {
            unsafe { vdupq_n_f32(0.0) }
        }
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            unsafe { vdupq_n_f32(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { vld1q_f32(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { vst1q_f32(to, self) }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { vaddq_f32(self, other) }
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            unsafe { vmulq_f32(self, other) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, a: Self, b: Self) -> Self {
            unsafe { vfmaq_f32(b, self, a) }
        }
        #[inline(always)]
        unsafe fn sum(self) -> f32 {
            unsafe { vaddvq_f32(self) }
        }
        #[inline(always)]
        unsafe fn inverse_sqrt(self) -> Self {
            unsafe { vdivq_f32(vdupq_n_f32(1.0), vsqrtq_f32(self)) }
        }
    }
}

/// The instruction sets that a kernel can be compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Avx512,
    Avx2,
    Neon,
    Plain,
}

impl Level {
    /// The widest that this processor has.
    pub fn best() -> Level {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                return Level::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Level::Avx2;
            }
        }
        match cfg!(target_arch = "aarch64") {
            true => Level::Neon,
            false => Level::Plain,
        }
    }

    /// All that this processor has, for tests that compare them.
    #[cfg(test)]
    pub fn all() -> Vec<Level> {
        let mut found = vec![Level::Plain];
        if cfg!(target_arch = "aarch64") {
            found.push(Level::Neon);
        }
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                found.push(Level::Avx2);
            }
            if Level::best() == Level::Avx512 {
                found.push(Level::Avx512);
            }
        }
        found
    }
}

/// Makes a function that runs `kernel::<L>` with the widest lanes `level` names:
///
/// ```text
/// dispatch!(pub unsafe fn dot(a: &[f32], b: &[f32]) -> f32 = dot_in);
/// let value = unsafe { dot(level, a, b) };
/// ```
///
/// `kernel` must be `#[inline(always)] unsafe fn kernel<L: Lanes>(…)`. The made function is unsafe because `level` must
/// be one that [`Level::best`] or [`Level::all`] has given.
macro_rules! dispatch {
    ($vis:vis unsafe fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? = $kernel:ident) => {
        $vis unsafe fn $name(level: $crate::simd::Level, $($arg: $type),*) $(-> $out)? {
            use $crate::simd::Level;
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
            unsafe fn avx512($($arg: $type),*) $(-> $out)? {
                unsafe { $kernel::<std::arch::x86_64::__m512>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn avx2($($arg: $type),*) $(-> $out)? {
                unsafe { $kernel::<std::arch::x86_64::__m256>($($arg),*) }
            }
            match level {
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => unsafe { avx2($($arg),*) },
                #[cfg(target_arch = "aarch64")]
                Level::Neon => unsafe { $kernel::<std::arch::aarch64::float32x4_t>($($arg),*) },
                _ => unsafe { $kernel::<$crate::simd::Plain>($($arg),*) },
            }
        }
    };
}
pub(crate) use dispatch;

/// Asks for a row before it is read and written.
///
/// The lines are asked for as ours alone: a row that another core has changed would otherwise be fetched twice, once to
/// read and once more to write.
#[inline(always)]
pub fn prefetch(row: *mut f32, values: usize) {
    #[cfg(target_arch = "x86_64")]
    for i in (0..values).step_by(LINE) {
        let line = row.wrapping_add(i);
        // SAFETY: a prefetch of any address is no access. Processors without the instruction take it for none.
        unsafe {
            std::arch::asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags))
        };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (row, values);
}

#[inline(always)]
unsafe fn dot_in<L: Lanes>(a: &[f32], b: &[f32]) -> f32 {
    debug_assert!(a.len() == b.len() && a.len().is_multiple_of(LINE));
    let (a, b, n) = (a.as_ptr(), b.as_ptr(), a.len());
    // SAFETY: both slices have n values, and n is a multiple of every width.
    unsafe {
        let (mut even, mut odd) = (L::zero(), L::zero());
        let mut i = 0;
        while i + 2 * L::N <= n {
            even = L::load(a.add(i)).mul_add(L::load(b.add(i)), even);
            odd = L::load(a.add(i + L::N)).mul_add(L::load(b.add(i + L::N)), odd);
            i += 2 * L::N;
        }
        if i < n {
            even = L::load(a.add(i)).mul_add(L::load(b.add(i)), even);
        }
        even.add(odd).sum()
    }
}

dispatch!(unsafe fn dot_at(a: &[f32], b: &[f32]) -> f32 = dot_in);

/// a · b, of padded rows.
#[inline]
pub fn dot(level: Level, a: &[f32], b: &[f32]) -> f32 {
    assert!(a.len() == b.len() && a.len().is_multiple_of(LINE));
    // SAFETY: the lengths were checked; levels come from `Level::best`.
    unsafe { dot_at(level, a, b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_gives_the_dot_product() {
        for lines in 1..5 {
            let n = lines * LINE;
            let a: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin()).collect();
            let b: Vec<f32> = (0..n).map(|i| (i as f32 * 0.11).cos()).collect();
            let exact: f64 = (a.iter().zip(&b))
                .map(|(x, y)| f64::from(*x) * f64::from(*y))
                .sum();
            for level in Level::all() {
                let found = f64::from(dot(level, &a, &b));
                assert!(
                    (found - exact).abs() < 1e-5,
                    "{level:?} {n}: {found} {exact}"
                );
            }
        }
    }
}
