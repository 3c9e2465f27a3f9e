//! Attention of one query to keys that are picked by number: what a decoder does with each new token.
//!
//! ```text
//! s[j] = q · K[pick j] / √(size of a head)     p = softmax(s)     o = Σ_j p[j] · V[pick j]         for each head
//! ```
//!
//! Keys and values stay where they were written; a hypothesis is the list of its rows, so that a beam is reordered by
//! copying lists of numbers.

use super::exp::{dot, exp, largest};
use crate::simd::{Lanes, Level, dispatch};

/// Rows that hold a key and a value each.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    pub values: &'a [f32],
    /// From a row to the next.
    pub stride: usize,
    /// Where the key begins in its row, and where the value.
    pub key: usize,
    pub value: usize,
}

/// o, (d), of a query (d); `p` is left with the weights of each pick, (heads, picks).
///
/// # Panics
/// When a pick is not among the rows.
pub fn attend(q: &[f32], keys: Keys, picks: &[u32], p: &mut [f32], o: &mut [f32]) {
    let heads = p.len() / picks.len().max(1);
    assert!(p.len() == heads * picks.len() && q.len().is_multiple_of(heads) && o.len() == q.len());
    // SAFETY: the level is that of this processor.
    unsafe { attend_at(Level::best(), q, keys, picks, p, o) }
}

dispatch!(unsafe fn attend_at(
    q: &[f32], keys: Keys, picks: &[u32], p: &mut [f32], o: &mut [f32]
) = attend_in);

#[inline(always)]
unsafe fn attend_in<L: Lanes>(q: &[f32], keys: Keys, picks: &[u32], p: &mut [f32], o: &mut [f32]) {
    let (n, d) = (picks.len(), q.len());
    let size = d * n / p.len();
    let scale = 1.0 / (size as f32).sqrt();
    let part = |pick: u32, first: usize| {
        let start = pick as usize * keys.stride + first;
        &keys.values[start..start + d]
    };
    let is_whole = size.is_multiple_of(L::N);
    for (j, pick) in picks.iter().enumerate() {
        let key = part(*pick, keys.key);
        for (h, (q, k)) in q.chunks_exact(size).zip(key.chunks_exact(size)).enumerate() {
            let product = match is_whole {
                // SAFETY: both have `size` values, whole registers.
                true => unsafe { whole_dot::<L>(q, k) },
                false => dot(q, k),
            };
            p[h * n + j] = scale * product;
        }
    }
    for p in p.chunks_exact_mut(n) {
        let most = largest(p);
        p.iter_mut().for_each(|p| *p -= most);
    }
    exp_all(p);
    for p in p.chunks_exact_mut(n) {
        let inverse = 1.0 / p.iter().sum::<f32>();
        p.iter_mut().for_each(|p| *p *= inverse);
    }
    if is_whole {
        // A register of sums at a time goes over all picks; what is read is in the first cache by now.
        for at in (0..d).step_by(2 * L::N) {
            let two = at + 2 * L::N <= d;
            let (first, second) = (at / size, if two { (at + L::N) / size } else { at / size });
            // SAFETY: `at` and the register behind it, where there is one, lie within the d values of a part.
            unsafe {
                let (mut left, mut right) = (L::zero(), L::zero());
                for (j, pick) in picks.iter().enumerate() {
                    let value = part(*pick, keys.value).as_ptr().add(at);
                    left = L::splat(p[first * n + j]).mul_add(L::load(value), left);
                    if two {
                        right =
                            L::splat(p[second * n + j]).mul_add(L::load(value.add(L::N)), right);
                    }
                }
                left.store(o.as_mut_ptr().add(at));
                if two {
                    right.store(o.as_mut_ptr().add(at + L::N));
                }
            }
        }
        return;
    }
    o.fill(0.0);
    for (j, pick) in picks.iter().enumerate() {
        let value = part(*pick, keys.value);
        for (h, (o, v)) in o
            .chunks_exact_mut(size)
            .zip(value.chunks_exact(size))
            .enumerate()
        {
            let p = p[h * n + j];
            o.iter_mut().zip(v).for_each(|(o, v)| *o += p * v);
        }
    }
}

/// eˣ of all values. A head has few picks, fewer than a register often, so that the heads go together.
#[inline(always)]
fn exp_all(values: &mut [f32]) {
    let (chunks, rest) = values.as_chunks_mut::<16>();
    for chunk in chunks {
        chunk.iter_mut().for_each(|value| *value = exp(*value));
    }
    let mut last = [0.0; 16];
    last[..rest.len()].copy_from_slice(rest);
    last.iter_mut().for_each(|value| *value = exp(*value));
    rest.copy_from_slice(&last[..rest.len()]);
}

/// # Safety
/// Both have as many values, whole registers of them.
#[inline(always)]
unsafe fn whole_dot<L: Lanes>(a: &[f32], b: &[f32]) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sum = L::zero();
        for i in (0..a.len()).step_by(L::N) {
            sum = L::load(a.as_ptr().add(i)).mul_add(L::load(b.as_ptr().add(i)), sum);
        }
        sum.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::matmul::tests::numbers;

    #[test]
    fn picked_rows_are_attended_to_as_the_formula_says() {
        for size in [5, 16, 48] {
            check(3, size);
        }
    }

    fn check(heads: usize, size: usize) {
        let (d, picks) = (heads * size, [4u32, 0, 2, 2]);
        let (key, second) = (3, d + 5);
        let stride = second + d;
        let (q, values) = (numbers(d, 0.2), numbers(5 * stride, 0.6));
        let keys = Keys {
            values: &values,
            stride,
            key,
            value: second,
        };
        let (mut p, mut o) = (vec![0.0; heads * 4], vec![9.0; d]);
        attend(&q, keys, &picks, &mut p, &mut o);
        for i in 0..d {
            let head = i / size * size;
            let scores = picks.map(|pick| {
                let key = &values[pick as usize * stride + key + head..];
                let dot: f32 = (0..size).map(|c| q[head + c] * key[c]).sum();
                (f64::from(dot) / (size as f64).sqrt()).exp()
            });
            let sum: f64 = scores.iter().sum();
            let of = |j: usize| f64::from(values[picks[j] as usize * stride + second + i]);
            let exact: f64 = (0..4).map(|j| scores[j] / sum * of(j)).sum();
            assert!((f64::from(o[i]) - exact).abs() < 1e-5);
        }
    }
}
