//! The random numbers of numpy's `default_rng(seed)`, so that samples are those that sacreBLEU draws.
//!
//! PCG64 is a linear congruential generator of 128 bits, of which each state gives 64 bits; the increment c is odd:
//!
//! ```text
//! state ← M · state + c                          (mod 2¹²⁸)
//! output = (high half ⊕ low half of the state) rotated right by its top six bits
//! ```
//!
//! State and increment are hashed from the seed, all of whose bits act on all of theirs. O'Neill 2014, "PCG: a family of
//! simple fast space-efficient statistically good algorithms for random number generation", XSL-RR of 128 bits; O'Neill
//! 2015, "Developing a seed_seq alternative". Numbers below a bound: Lemire 2019, "Fast random integer generation in an
//! interval"; far ahead in the stream: Brown 1994, "Random number generation with arbitrary strides".

/// M.
const FACTOR: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// A place in the stream of a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pcg64 {
    state: u128,
    /// c.
    increment: u128,
    /// High half of an output of which [`Pcg64::half`] gave the low one.
    left: Option<u32>,
}

impl Pcg64 {
    /// The beginning of the stream of a seed.
    pub fn new(seed: u64) -> Pcg64 {
        let [state, stream] = seeded(seed);
        let mut generator = Pcg64 {
            state: 0,
            increment: stream << 1 | 1,
            left: None,
        };
        generator.step();
        generator.state = generator.state.wrapping_add(state);
        generator.step();
        generator
    }

    #[inline]
    fn step(&mut self) {
        self.state = (self.state.wrapping_mul(FACTOR)).wrapping_add(self.increment);
    }

    /// 64 random bits; a half that is left stays.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    /// 32 random bits: the low half of an output, then its high half.
    #[inline]
    pub fn half(&mut self) -> u32 {
        self.left.take().unwrap_or_else(|| {
            let bits = self.bits();
            self.left = Some((bits >> 32) as u32);
            bits as u32
        })
    }

    /// A number below `bound`, each exactly as likely as the others; takes halves if they are wide enough, and nothing
    /// for a bound of 1, or of 0, for which it is 0.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        // The product's high word is the number. Of its low words, the smallest few are left out, of which some numbers
        // would have one more than others.
        if bound <= 1 {
            0
        } else if bound <= 1 << 32 {
            let mut product = u64::from(self.half()) * bound;
            if (product as u32 as u64) < bound {
                while (product as u32 as u64) < (1 << 32) % bound {
                    product = u64::from(self.half()) * bound;
                }
            }
            product >> 32
        } else {
            let mut product = u128::from(self.bits()) * u128::from(bound);
            if (product as u64) < bound {
                while (product as u64) < bound.wrapping_neg() % bound {
                    product = u128::from(self.bits()) * u128::from(bound);
                }
            }
            (product >> 64) as u64
        }
    }

    /// Goes past `count` outputs of 64 bits, in as many steps as `count` has binary digits.
    pub fn skip(&mut self, mut count: u128) {
        // 2ⁱ steps are a step of another factor and increment.
        let (mut factor, mut increment) = (FACTOR, self.increment);
        while count > 0 {
            if count & 1 == 1 {
                self.state = self.state.wrapping_mul(factor).wrapping_add(increment);
            }
            increment = factor.wrapping_add(1).wrapping_mul(increment);
            factor = factor.wrapping_mul(factor);
            count >>= 1;
        }
    }
}

/// Changes words so that no two calls do the same to them.
struct Scrambler {
    constant: u32,
    factor: u32,
}

impl Scrambler {
    fn scramble(&mut self, word: u32) -> u32 {
        let word = word ^ self.constant;
        self.constant = self.constant.wrapping_mul(self.factor);
        folded(word.wrapping_mul(self.constant))
    }
}

fn folded(word: u32) -> u32 {
    word ^ word >> 16
}

/// What state and increment are made of: a pool of four words into which the seed is mixed, and which is read twice.
fn seeded(seed: u64) -> [u128; 2] {
    let mut enter = Scrambler {
        constant: 0x43b0_d7e5,
        factor: 0x931e_8875,
    };
    let mut pool = [seed as u32, (seed >> 32) as u32, 0, 0].map(|word| enter.scramble(word));
    for from in 0..4 {
        for to in (0..4).filter(|&to| to != from) {
            let word = enter.scramble(pool[from]).wrapping_mul(0x4973_f715);
            pool[to] = folded(pool[to].wrapping_mul(0xca01_f9dd).wrapping_sub(word));
        }
    }
    let mut leave = Scrambler {
        constant: 0x8b51_f9dd,
        factor: 0x58f3_8ded,
    };
    // The high 64 bits come first, but of these the low 32.
    [(); 2].map(|()| {
        let [a, b, c, d] = pool.map(|word| u128::from(leave.scramble(word)));
        b << 96 | a << 64 | d << 32 | c
    })
}

/// Values are those of numpy 2.4.6, printed by the lines quoted.
#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 12345;

    fn first<const N: usize>(bound: u64) -> [u64; N] {
        let mut generator = Pcg64::new(SEED);
        [(); N].map(|()| generator.below(bound))
    }

    /// `[hex(x) for x in np.random.default_rng(seed).bit_generator.random_raw(3)]`
    #[test]
    fn seeds_have_the_streams_of_numpy() {
        let streams = [
            (
                0,
                [
                    0xa30f_ebcf_d9c2_825f,
                    0x4510_bdf8_82d9_d721,
                    0x0a7d_3da9_4ecd_e8b8,
                ],
            ),
            (
                SEED,
                [
                    0x3a32_b18d_b2ff_c19d,
                    0x5117_1315_c9e4_c4de,
                    0xcc20_2482_3444_efd9,
                ],
            ),
            (
                u64::MAX,
                [
                    0xae16_3a7a_8c47_568f,
                    0xd866_59f5_f338_2359,
                    0x01e5_2b19_5bc2_d24a,
                ],
            ),
        ];
        for (seed, bits) in streams {
            let mut generator = Pcg64::new(seed);
            assert_eq!([(); 3].map(|()| generator.bits()), bits, "seed {seed}");
        }
    }

    /// `np.random.default_rng(12345).choice(7, size=(3, 5), replace=True)`
    #[test]
    fn choices_are_those_of_numpy() {
        assert_eq!(first(7), [4, 1, 5, 2, 1, 5, 4, 4, 6, 2, 5, 2, 3, 4, 1]);
    }

    /// `np.random.default_rng(12345).integers(bound, size=5, dtype=np.uint64)`
    #[test]
    fn numbers_below_a_bound_are_those_of_numpy() {
        assert_eq!(first(1000), [699, 227, 788, 316, 204]);
        assert_eq!(first(1 << 32), [3003105693, 976400781, 3387213022]);
        let wide = [249958600115, 348279477706, 876712591925];
        assert_eq!(first((1 << 40) + 1), wide);
        // Of these bounds about every second number is left out.
        assert_eq!(
            first((1 << 31) + 1),
            [488200390, 1693606511, 680233354, 438466540, 1712329281]
        );
        assert_eq!(
            first((1 << 63) + 1),
            [
                2096804712593481934,
                6237348419996972168,
                3607348892368485766
            ]
        );
    }

    #[test]
    fn nothing_is_drawn_of_one() {
        let mut generator = Pcg64::new(SEED);
        assert_eq!((generator.below(1), generator.below(0)), (0, 0));
        assert_eq!(generator, Pcg64::new(SEED));
    }

    /// `g = np.random.default_rng(12345); g.integers(1000), g.bit_generator.random_raw(), g.integers(1000)`
    #[test]
    fn a_half_that_is_left_stays_when_64_bits_are_drawn() {
        let mut generator = Pcg64::new(SEED);
        let drawn = (
            generator.below(1000),
            generator.bits(),
            generator.below(1000),
        );
        assert_eq!(drawn, (699, 5843160025838961886, 227));
    }

    /// `g = np.random.default_rng(12345).bit_generator; g.advance(10**12); hex(g.random_raw())`
    #[test]
    fn a_million_million_numbers_are_skipped_at_once() {
        let mut generator = Pcg64::new(SEED);
        generator.skip(1_000_000_000_000);
        assert_eq!(generator.bits(), 0xc7e8_23f3_825e_e53a);
    }

    #[test]
    fn skipping_is_drawing() {
        let (mut skipped, mut drawn) = (Pcg64::new(1), Pcg64::new(1));
        skipped.skip(13);
        (0..13).for_each(|_| _ = drawn.bits());
        assert_eq!(skipped, drawn);
    }
}
