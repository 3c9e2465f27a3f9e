//! Points of the plane whose distribution is known: what a network that makes points should make.
//!
//! | name | points |
//! |---|---|
//! | ring8 | 8 normal distributions, sd 0.01, around the corners of an octagon of radius 1 |
//! | grid25 | 25 normal distributions, sd 0.05, around −4, −2, 0, 2, 4 in both directions |
//! | swissroll | (t cos t, t sin t) / 7.5 + noise, sd 1 / 30, t uniform between 1.5 π and 4.5 π |
//! | moons | the halves of two circles of radius 1, (cos t, sin t) − (½, ¼) and (½, ¼) − (cos t, sin t), noise sd 0.05 |
//!
//! ring8 and grid25 as in Srivastava et al. 2017 and Lin et al. 2018; a mode counts as covered, and a point as good,
//! within three standard deviations. The roll as in Gulrajani et al. 2017, the moons as in scikit-learn, centred.

use crate::random::Random;
use serde::{Deserialize, Serialize};
use std::f32::consts::{FRAC_1_SQRT_2, PI};

/// A distribution in the plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Toy {
    /// Eight tight heaps in a ring
    #[value(name = "ring8")]
    Ring8,
    /// Twenty-five heaps in a square
    #[value(name = "grid25")]
    Grid25,
    /// A band that is rolled up
    #[value(name = "swissroll")]
    SwissRoll,
    /// Two half circles, one in the other
    #[value(name = "moons")]
    Moons,
}

/// Points that all lie around some centres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Modes {
    pub centres: &'static [[f32; 2]],
    /// The standard deviation around them, the same in both directions.
    pub deviation: f32,
}

#[rustfmt::skip]
static RING: [[f32; 2]; 8] = {
    const D: f32 = FRAC_1_SQRT_2;
    [[1.0, 0.0], [D, D], [0.0, 1.0], [-D, D], [-1.0, 0.0], [-D, -D], [0.0, -1.0], [D, -D]]
};

static GRID: [[f32; 2]; 25] = {
    let mut centres = [[0.0; 2]; 25];
    let mut i = 0;
    while i < 25 {
        centres[i] = [2.0 * (i / 5) as f32 - 4.0, 2.0 * (i % 5) as f32 - 4.0];
        i += 1;
    }
    centres
};

impl Toy {
    /// So many points; the same seed gives the same ones, and more of them begin with the same ones.
    pub fn sample(self, count: usize, seed: u64) -> Vec<[f32; 2]> {
        let mut random = Random::new(seed, self as u64);
        (0..count).map(|_| self.point(&mut random)).collect()
    }

    /// The modes, where there are any.
    pub fn modes(self) -> Option<Modes> {
        match self {
            Toy::Ring8 => Some(Modes {
                centres: &RING,
                deviation: 0.01,
            }),
            Toy::Grid25 => Some(Modes {
                centres: &GRID,
                deviation: 0.05,
            }),
            Toy::SwissRoll | Toy::Moons => None,
        }
    }

    fn point(self, random: &mut Random) -> [f32; 2] {
        let (centre, deviation) = match self.modes() {
            Some(modes) => {
                let mode = random.below(modes.centres.len() as u32) as usize;
                (modes.centres[mode], modes.deviation)
            }
            None if self == Toy::SwissRoll => {
                let t = 1.5 * PI * (1.0 + 2.0 * random.unit());
                ([t * t.cos() / 7.5, t * t.sin() / 7.5], 0.25 / 7.5)
            }
            None => {
                let (side, t) = ([1.0, -1.0][random.below(2) as usize], PI * random.unit());
                ([side * (t.cos() - 0.5), side * (t.sin() - 0.25)], 0.05)
            }
        };
        centre.map(|place| place + deviation * random.normal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    fn length([x, y]: [f32; 2]) -> f32 {
        x.hypot(y)
    }

    fn between([a, b]: [f32; 2], [x, y]: [f32; 2]) -> f32 {
        length([x - a, y - b])
    }

    /// How many points are nearest to each centre; the deviation from it.
    fn heaps(toy: Toy) -> (Vec<usize>, f64) {
        let modes = toy.modes().unwrap();
        let mut counts = vec![0; modes.centres.len()];
        let points = toy.sample(20_000, 3);
        let mut squares = 0.0;
        for &point in &points {
            let distances = modes.centres.iter().map(|&centre| between(centre, point));
            let nearest = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
            let (mode, distance) = nearest.unwrap();
            counts[mode] += 1;
            squares += f64::from(distance).powi(2);
        }
        (counts, (squares / 2.0 / points.len() as f64).sqrt())
    }

    #[test]
    fn centres_of_the_ring_are_an_octagon() {
        for (k, &[x, y]) in RING.iter().enumerate() {
            let angle = PI * k as f32 / 4.0;
            assert!(between([x, y], [angle.cos(), angle.sin()]) < 1e-6, "{k}");
        }
    }

    #[test]
    fn centres_of_the_grid_are_two_apart() {
        assert_eq!(
            [GRID[0], GRID[1], GRID[24]],
            [[-4.0, -4.0], [-4.0, -2.0], [4.0, 4.0]]
        );
    }

    #[test]
    fn heaps_are_equally_high_and_as_wide_as_said() {
        for (toy, deviation) in [(Toy::Ring8, 0.01), (Toy::Grid25, 0.05)] {
            let (counts, found) = heaps(toy);
            let expected = 20_000.0 / counts.len() as f64;
            let chi: f64 = counts
                .iter()
                .map(|&n| (n as f64 - expected).powi(2) / expected)
                .sum();
            // 99.9 % of such sums with 24 degrees of freedom lie below 51.2, with 7 below 24.3.
            assert!(chi < if toy == Toy::Ring8 { 24.3 } else { 51.2 }, "{chi}");
            // One standard error of the deviation from 40,000 numbers is 0.35 %.
            assert!((found / deviation - 1.0).abs() < 0.012, "{found}");
        }
    }

    #[test]
    fn the_roll_is_a_spiral() {
        let mut radii: Vec<f32> = Vec::new();
        for point in Toy::SwissRoll.sample(5000, 1) {
            // The radius is t, but for the noise: five deviations.
            let [x, y] = point.map(|place| place * 7.5);
            let turns = (x.hypot(y) - y.atan2(x)) / (2.0 * PI);
            assert!(
                (turns - turns.round()).abs() * 2.0 * PI < 5.0 * 0.25 * 1.1,
                "{point:?}"
            );
            radii.push(x.hypot(y));
        }
        let range = radii
            .iter()
            .fold((9.0_f32, 9.0_f32), |(a, b), &r| (a.min(r), b.max(r)));
        assert!(range.0 < 1.55 * PI && range.1 > 4.45 * PI && range.1 < 4.5 * PI + 1.25);
    }

    #[test]
    fn moons_are_two_halves_of_circles() {
        let points = Toy::Moons.sample(5000, 1);
        let upper = points.iter().filter(|&&point| {
            let (up, down) = (between([-0.5, -0.25], point), between([0.5, 0.25], point));
            assert!((up - 1.0).abs().min((down - 1.0).abs()) < 0.25, "{point:?}");
            (up - 1.0).abs() < (down - 1.0).abs()
        });
        // Half of them, but for four deviations of √(5000 / 4).
        assert!(upper.count().abs_diff(2500) < 142);
    }

    #[test]
    fn the_same_seed_gives_the_same_points() {
        for &toy in Toy::value_variants() {
            let points = toy.sample(10, 5);
            assert_eq!(points[..4], toy.sample(4, 5));
            assert_ne!(points, toy.sample(10, 6));
        }
    }

    #[test]
    fn names_are_the_same_on_the_command_line_and_in_files() {
        for (&toy, name) in
            Toy::value_variants()
                .iter()
                .zip(["ring8", "grid25", "swissroll", "moons"])
        {
            assert_eq!(Toy::from_str(name, false), Ok(toy));
            assert_eq!(serde_json::to_value(toy).unwrap(), name);
        }
    }
}
