//! Bells that are known, and what is found of them.

use super::*;

/// A bell of 17 values `step` apart, its counts those of 16 tosses of a coin.
fn bell(middle: f64, step: f64, weight: f64) -> Counted {
    let mut binomial = 1.0;
    let values = (0..17).map(|k| {
        let k = f64::from(k);
        let count = (weight * binomial / 16.0).floor();
        binomial *= (16.0 - k) / (k + 1.0);
        (middle + (k - 8.0) * step, count)
    });
    values.filter(|&(_, count)| count > 0.0).collect()
}

/// scikit-learn 1.9, on the same values minus their mean, divided by their standard deviation:
/// `BayesianGaussianMixture(2, weight_concentration_prior=0.001, max_iter=1000, tol=1e-6)`.
#[test]
fn two_bells_are_two_modes_as_scikit_learn_finds_them() {
    let mut values = bell(-3.0, 0.1, 1.0);
    values.extend(bell(5.0, 0.25, 3.0));
    let modes = gaussians(values, 2, 1.0, 0.0);
    let expected = [
        [0.750_152_6, 4.999_837_3, 0.501_003_3],
        [0.249_847_4, -2.998_533_8, 0.227_247_3],
    ];
    for (mode, [weight, mean, sd]) in modes.iter().zip(expected) {
        assert!((mode.weight - weight).abs() < 1e-4, "{mode:?}");
        assert!((mode.mean - mean).abs() < 1e-4, "{mode:?}");
        assert!((mode.sd - sd).abs() < 1e-4, "{mode:?}");
    }
    assert_eq!(modes.len(), 2);
}

/// Two groups of 500 normal numbers and 1,000 zeros: half, and a quarter each.
#[test]
fn a_value_of_many_rows_is_a_mode_without_width() {
    let mut random = Random::new(5, 0);
    let mut values = vec![0.0; 1000];
    values.extend((0..500).map(|_| -50.0 + f64::from(random.normal())));
    values.extend((0..500).map(|_| 100.0 + 5.0 * f64::from(random.normal())));
    let mixture = Mixture::fit(&values, 0.0, &mut random);
    let zeros: Vec<&Mode> = mixture.modes.iter().filter(|mode| mode.sd == 0.0).collect();
    let expected = Mode {
        mean: 0.0,
        sd: 0.0,
        weight: 0.5,
    };
    assert_eq!(zeros, [&expected]);
    let low: f64 = (mixture.modes.iter())
        .filter(|mode| mode.mean < -40.0)
        .map(|mode| mode.weight)
        .sum();
    assert!((low - 0.25).abs() < 0.005, "{low}");
    assert!((0..9).all(|_| mixture.modes[mixture.draw(0.0, &mut random)].sd == 0.0));
}

#[test]
fn few_values_are_modes_themselves() {
    let values = [3.0, 1.0, 2.0, 1.0];
    let mixture = Mixture::fit(&values, 1.0, &mut Random::new(0, 0));
    let modes = mixture
        .modes
        .iter()
        .map(|mode| (mode.mean, mode.sd, mode.weight));
    let expected = [(1.0, 0.0, 0.5), (2.0, 0.0, 0.25), (3.0, 0.0, 0.25)];
    assert_eq!(modes.collect::<Vec<_>>(), expected);
}

#[test]
fn modes_are_drawn_by_their_responsibilities() {
    let mode = |mean, weight| Mode {
        mean,
        sd: 1.0,
        weight,
    };
    let mixture = Mixture {
        modes: vec![mode(-1.0, 0.25), mode(1.0, 0.75), mode(9.0, 1.0)],
    };
    let mut random = Random::new(1, 0);
    // The bells of the first two are equally high at 0; the third does not reach it.
    let drawn: Vec<usize> = (0..10_000)
        .map(|_| mixture.draw(0.0, &mut random))
        .collect();
    let second = drawn.iter().filter(|&&k| k == 1).count();
    // 7,500 ± 4 standard deviations of 43.
    assert!((7_330..=7_670).contains(&second), "{second}");
    assert!(!drawn.contains(&2));
}

#[test]
fn a_value_beyond_all_modes_gets_the_closest() {
    let mode = |mean, sd| Mode {
        mean,
        sd,
        weight: 0.5,
    };
    let mut random = Random::new(1, 0);
    let mixture = Mixture {
        modes: vec![mode(0.0, 1.0), mode(10.0, 20.0)],
    };
    assert_eq!(mixture.draw(-1000.0, &mut random), 1);
    let mixture = Mixture {
        modes: vec![mode(0.0, 0.0), mode(10.0, 0.0)],
    };
    assert_eq!(mixture.draw(7.0, &mut random), 1);
}

#[test]
fn weights_add_up_and_the_order_of_rows_does_not_matter() {
    let mut random = Random::new(2, 0);
    let mut values: Vec<f64> = (0..3000)
        .map(|_| f64::from(random.normal()).exp().round())
        .collect();
    let fitted = Mixture::fit(&values, 1.0, &mut random);
    let total: f64 = fitted.modes.iter().map(|mode| mode.weight).sum();
    assert!((total - 1.0).abs() < 1e-9, "{total}");
    random.shuffle(&mut values);
    assert_eq!(Mixture::fit(&values, 1.0, &mut random), fitted);
}

#[test]
fn gaussians_are_no_narrower_than_rounding() {
    let values: Vec<f64> = (0..4000).map(|i| f64::from(i % 40)).collect();
    let mixture = Mixture::fit(&values, 1.0, &mut Random::new(0, 0));
    let narrowest = 1.0 / 12f64.sqrt();
    assert!(mixture.modes.iter().all(|mode| mode.sd >= narrowest));
}

/// ψ(1) = −γ, ψ(1/2) = −γ − 2 ln 2, and `scipy.special.digamma(1e4)`.
#[test]
fn digamma_has_its_known_values() {
    const GAMMA: f64 = 0.577_215_664_901_532_9;
    let known = [
        (1.0, -GAMMA),
        (0.5, -GAMMA - 2.0 * std::f64::consts::LN_2),
        (1e4, 9.210_290_371_142_849),
    ];
    for (x, value) in known {
        assert!((digamma(x) - value).abs() < 1e-8, "{x}: {}", digamma(x));
    }
}
