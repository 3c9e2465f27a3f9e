//! Real points of the plane and made ones as a picture.
//!
//! A dot at distance d from its middle covers α · smooth(1 − d / r) of a pixel, smooth(u) = u² (3 − 2 u); what n dots
//! leave of the ground is the product of what each leaves, so that their order does not matter and heaps get darker.
//! Real points are wide and pale, made ones small and strong above them: where both agree, a dark core has a halo.

use super::Shape;
use super::picture::Picture;

/// Pixels.
const SIDE: usize = 480;
/// The share of the picture that is left free on each side of the real points.
const MARGIN: f32 = 0.1;

const GROUND: [f32; 3] = [255.0, 255.0, 255.0];
const FRAME: [f32; 3] = [200.0, 204.0, 210.0];

/// How the points of a kind are drawn.
struct Ink {
    colour: [f32; 3],
    radius: f32,
    opacity: f32,
}

const REAL: Ink = Ink {
    colour: [64.0, 140.0, 214.0],
    radius: 12.0,
    opacity: 0.09,
};
const MADE: Ink = Ink {
    colour: [214.0, 84.0, 20.0],
    radius: 2.2,
    opacity: 0.7,
};

/// Draws points, in colours; the view is that of the real ones, and what is made far away is not seen.
pub fn scatter(real: &[[f32; 2]], made: &[[f32; 2]]) -> Picture {
    let view = View::of(if real.is_empty() { made } else { real });
    let mut canvas = vec![GROUND; SIDE * SIDE];
    for (points, ink) in [(real, REAL), (made, MADE)] {
        let free = ink.left_free(points, &view);
        for (pixel, free) in canvas.iter_mut().zip(free) {
            for (value, ink) in pixel.iter_mut().zip(ink.colour) {
                *value = *value * free + ink * (1.0 - free);
            }
        }
    }
    for i in 0..SIDE {
        for at in [i, (SIDE - 1) * SIDE + i, i * SIDE, i * SIDE + SIDE - 1] {
            canvas[at] = FRAME;
        }
    }
    Picture {
        shape: Shape {
            height: SIDE,
            width: SIDE,
            channels: 3,
        },
        pixels: canvas
            .iter()
            .flatten()
            .map(|value| value.round() as u8)
            .collect(),
    }
}

impl Ink {
    /// The share of each pixel that no dot covers.
    fn left_free(&self, points: &[[f32; 2]], view: &View) -> Vec<f32> {
        let mut free = vec![1.0; SIDE * SIDE];
        for &point in points {
            let [x, y] = view.place(point);
            // Also sorts out what is not a number.
            let reach = -self.radius..SIDE as f32 + self.radius;
            if !(reach.contains(&x) && reach.contains(&y)) {
                continue;
            }
            for row in pixels(y, self.radius) {
                for column in pixels(x, self.radius) {
                    let distance = (column as f32 + 0.5 - x).hypot(row as f32 + 0.5 - y);
                    let u = (1.0 - distance / self.radius).max(0.0);
                    free[row * SIDE + column] *= 1.0 - self.opacity * u * u * (3.0 - 2.0 * u);
                }
            }
        }
        free
    }
}

/// The pixels that a dot can touch in one direction.
fn pixels(middle: f32, radius: f32) -> std::ops::Range<usize> {
    let clamped = |place: f32| place.clamp(0.0, SIDE as f32) as usize;
    clamped((middle - radius).floor())..clamped((middle + radius).ceil())
}

/// The square of the plane that is seen.
struct View {
    centre: [f32; 2],
    /// Pixels per unit.
    scale: f32,
}

impl View {
    fn of(points: &[[f32; 2]]) -> View {
        let range = |axis: usize| {
            let values = points
                .iter()
                .map(|point| point[axis])
                .filter(|value| value.is_finite());
            let (low, high) = values.fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(v), h.max(v)));
            if low <= high { (low, high) } else { (0.0, 0.0) }
        };
        let ranges = [range(0), range(1)];
        let extent = ranges.map(|(low, high)| high - low);
        let extent = extent[0].max(extent[1]);
        // All points on one spot: any width will do.
        let extent = if extent > 0.0 { extent } else { 1.0 };
        View {
            centre: ranges.map(|(low, high)| low / 2.0 + high / 2.0),
            scale: (1.0 - 2.0 * MARGIN) * SIDE as f32 / extent,
        }
    }

    /// Columns go right, rows go down.
    fn place(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let half = SIDE as f32 / 2.0;
        let [a, b] = self.centre;
        [half + (x - a) * self.scale, half - (y - b) * self.scale]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(picture: &Picture, row: usize, column: usize) -> [u8; 3] {
        let at = (row * SIDE + column) * 3;
        [0, 1, 2].map(|channel| picture.pixels[at + channel])
    }

    #[test]
    fn the_first_axis_goes_right_and_the_second_up() {
        // 0.8 · 480 pixels apart: columns and rows 48 and 432.
        let picture = scatter(&[[0.0, 0.0], [10.0, 10.0]], &[]);
        let is_white = |row, column| pixel(&picture, row, column) == [255; 3];
        assert!(!is_white(432, 48) && !is_white(48, 432));
        assert!(is_white(48, 48) && is_white(432, 432) && is_white(240, 240));
    }

    #[test]
    fn a_dot_is_as_strong_as_its_ink_in_the_middle() {
        let picture = scatter(&[], &[[3.0, 3.0]]);
        // Its middle is the corner of four pixels: d = √½, u = 1 − 0.7071 / 2.2 = 0.6786, u² (3 − 2 u) = 0.7565,
        // of which 0.7 is 0.5296: 255 − 0.5296 · (255 − 214) = 233.3
        let middle = pixel(&picture, 240, 240);
        assert_eq!(middle[0], 233);
        for (row, column) in [(239, 239), (239, 240), (240, 239)] {
            assert_eq!(pixel(&picture, row, column), middle);
        }
        assert_eq!(pixel(&picture, 240, 244), [255; 3]);
    }

    #[test]
    fn the_order_of_points_does_not_matter() {
        let points = [[0.0, 0.0], [0.01, 0.0], [1.0, 1.0], [0.5, 0.1]];
        let mut turned = points;
        turned.reverse();
        let difference = |(a, b): (&u8, &u8)| a.abs_diff(*b);
        let (a, b) = (scatter(&points, &points), scatter(&turned, &turned));
        assert!(a.pixels.iter().zip(&b.pixels).map(difference).max() <= Some(1));
    }

    #[test]
    fn strange_points_are_not_seen() {
        let real = [[0.0, 0.0], [1.0, 1.0]];
        let strange = [
            [f32::NAN, 0.0],
            [f32::INFINITY, 0.0],
            [1e30, 1e30],
            [-5.0, 0.5],
        ];
        assert_eq!(scatter(&real, &strange), scatter(&real, &[]));
        scatter(&strange[..2], &[]);
        scatter(&[[f32::MAX, f32::MIN]; 2], &[[f32::MIN, 0.0]]);
    }

    #[test]
    fn a_frame_is_all_there_is_without_points() {
        let picture = scatter(&[], &[]);
        assert_eq!(pixel(&picture, 0, 7), [200, 204, 210]);
        assert_eq!(pixel(&picture, 7, 479), [200, 204, 210]);
        assert_eq!(pixel(&picture, 7, 7), [255; 3]);
    }
}
