//! What training computes with besides products: dropout, softmax.

use crate::random::Random;

/// What values are multiplied by: 0 for some, and for the others what makes up for it.
pub fn masks(masks: &mut Vec<f32>, size: usize, dropout: f32, random: &mut Random) {
    let kept = 1.0 / (1.0 - dropout);
    masks.clear();
    masks.extend((0..size).map(|_| if random.unit() < dropout { 0.0 } else { kept }));
}

/// Puts probabilities in place of scores.
pub fn softmax(scores: &mut [f32]) -> &mut [f32] {
    let most = scores.iter().fold(f32::MIN, |most, s| most.max(*s));
    scores.iter_mut().for_each(|s| *s = (*s - most).exp());
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|s| *s /= sum);
    scores
}
