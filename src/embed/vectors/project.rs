//! Vectors in two dimensions, for pictures.
//!
//! Principal components are found by power iteration on the centred rows; t-SNE (van der Maaten and Hinton 2008) starts
//! from them, so that a picture is the same every time and keeps the large distances in view.

/// How many dimensions become two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Method {
    /// The two directions in which the vectors differ most
    #[default]
    Pca,
    /// Neighbours stay neighbours; distances between groups mean little
    Tsne,
}

/// Rounds of power iteration; directions are settled after far fewer unless they are as good as each other.
const ROUNDS: usize = 300;

/// Rounds of t-SNE.
const EPOCHS: usize = 1000;

/// Words whose neighbourhood t-SNE keeps, where there are enough.
const PERPLEXITY: f32 = 30.0;

/// A point for each row; rows have the same length.
pub fn project(rows: &[Vec<f32>], method: Method) -> Vec<[f32; 2]> {
    let points = components(rows);
    match method {
        // t-SNE wants three neighbours for each unit of perplexity, which is at least one.
        Method::Tsne if rows.len() > 4 => tsne(rows, &points),
        _ => points,
    }
}

fn components(rows: &[Vec<f32>]) -> Vec<[f32; 2]> {
    let dim = rows.first().map_or(0, Vec::len);
    let mut mean = vec![0f64; dim];
    for row in rows {
        (mean.iter_mut().zip(row)).for_each(|(m, v)| *m += f64::from(*v) / rows.len() as f64);
    }
    let centred: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .zip(&mean)
                .map(|(v, m)| f64::from(*v) - m)
                .collect()
        })
        .collect();
    let mut points = vec![[0.0; 2]; rows.len()];
    let mut found: Vec<Vec<f64>> = Vec::new();
    for axis in 0..2 {
        let direction = strongest(&centred, dim, &found);
        let coordinates: Vec<f64> = centred.iter().map(|row| dot(row, &direction)).collect();
        // A direction is as good as its opposite: the farthest point is on the positive side.
        let farthest = coordinates.iter().fold(0f64, |most, c| {
            if c.abs() > most.abs() * (1.0 + 1e-9) {
                *c
            } else {
                most
            }
        });
        for (point, coordinate) in points.iter_mut().zip(coordinates) {
            point[axis] = (coordinate * farthest.signum()) as f32;
        }
        found.push(direction);
    }
    points
}

/// The direction of length one in which rows differ most, of those at right angles to `others`.
fn strongest(centred: &[Vec<f64>], dim: usize, others: &[Vec<f64>]) -> Vec<f64> {
    // Any start will do that is at a right angle to no likely answer.
    let mut direction: Vec<f64> = (0..dim).map(|i| (i as f64 + 1.0).sin()).collect();
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; dim];
        for row in centred {
            let weight = dot(row, &direction);
            next.iter_mut().zip(row).for_each(|(n, v)| *n += weight * v);
        }
        for other in others {
            let weight = dot(&next, other);
            next.iter_mut()
                .zip(other)
                .for_each(|(n, v)| *n -= weight * v);
        }
        let norm = dot(&next, &next).sqrt();
        if norm < 1e-12 {
            return vec![0.0; dim]; // the rows do not differ in any direction left
        }
        direction = next.into_iter().map(|v| v / norm).collect();
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn tsne(rows: &[Vec<f32>], start: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let widest = start
        .iter()
        .flatten()
        .fold(0f32, |most, v| most.max(v.abs()));
    let small = 1e-2 / widest.max(f32::MIN_POSITIVE);
    let start: Vec<f32> = start.iter().flatten().map(|v| v * small).collect();
    let distance =
        |a: &&[f32], b: &&[f32]| -> f32 { a.iter().zip(*b).map(|(x, y)| (x - y).powi(2)).sum() };
    let samples: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let run = || {
        let perplexity = PERPLEXITY.min((rows.len() - 1) as f32 / 3.0);
        let mut tsne: bhtsne::tSNE<f32, &[f32], 2> = bhtsne::tSNE::new(&samples);
        tsne.perplexity(perplexity).epochs(EPOCHS);
        tsne.initial_embedding(start.clone())
            .exact(distance)
            .embedding()
    };
    // Its sums depend on how many threads share them: one gives the same picture every time.
    let embedded = match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool.install(run),
        Err(_) => run(),
    };
    embedded.as_chunks::<2>().0.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_component_is_the_longest_side() {
        // Along (3, 4)/5 lie −10, 0, 10; across, ±1.
        let rows = [[-6.0, -8.0], [6.0, 8.0], [-0.8, 0.6], [0.8, -0.6]].map(|r| r.to_vec());
        let points = project(&rows, Method::Pca);
        for (point, expected) in points.iter().zip([10.0, 10.0, 0.0, 0.0]) {
            assert!((point[0].abs() - expected).abs() < 1e-4, "{points:?}");
        }
        assert!((points[2][1].abs() - 1.0).abs() < 1e-4, "{points:?}");
    }

    #[test]
    fn tsne_parts_two_groups_and_repeats_itself() {
        let row = |i: usize| {
            let side = if i < 10 { 5.0 } else { -5.0 };
            vec![side, (i as f32).sin(), (i as f32 * 3.0).cos()]
        };
        let rows: Vec<_> = (0..20).map(row).collect();
        let points = project(&rows, Method::Tsne);
        assert_eq!(points, project(&rows, Method::Tsne));
        let distance =
            |a: usize, b: usize| (points[a][0] - points[b][0]).hypot(points[a][1] - points[b][1]);
        assert!(distance(0, 5) < distance(0, 15), "{points:?}");
    }

    #[test]
    fn few_rows_and_equal_rows_are_no_trouble() {
        assert!(project(&[], Method::Tsne).is_empty());
        assert_eq!(project(&[vec![1.0, 2.0]], Method::Tsne), [[0.0, 0.0]]);
        assert_eq!(
            project(&[vec![1.0], vec![1.0]], Method::Pca),
            [[0.0, 0.0]; 2]
        );
    }
}
