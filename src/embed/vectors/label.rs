//! Labels that do not overlap: each stands as near to its point as the others let it.
//!
//! Greedy: in order of importance, a label tries places on rings around its point and takes the first that is free of
//! labels, of points and of the edge. Further out, a line leads back to the point. What finds no place is left out.

/// A rectangle: left, top, right, bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rectangle {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

/// A label that has a place.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    pub area: Rectangle,
    /// Whether it is so far out that a line should lead to its point.
    pub is_far: bool,
}

/// Distances from the point to the nearest edge of its label.
const RINGS: [f32; 10] = [5.0, 8.0, 14.0, 22.0, 32.0, 44.0, 58.0, 76.0, 98.0, 124.0];

/// Space between one label and the next in their line, so that two words are not read as one.
const GAP: f32 = 4.0;

/// Rings from here on have lines.
const FAR: usize = 2;

/// Directions on a ring: right first, where text is read on from the point, then left, up, down and between.
const DIRECTIONS: [f32; 16] = [
    0.0, 180.0, 270.0, 90.0, 315.0, 45.0, 225.0, 135.0, 337.5, 22.5, 202.5, 157.5, 292.5, 67.5,
    247.5, 112.5,
];

impl Rectangle {
    fn overlaps(&self, other: &Rectangle) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn is_inside(&self, size: [f32; 2]) -> bool {
        self.left >= 0.0 && self.top >= 0.0 && self.right <= size[0] && self.bottom <= size[1]
    }

    /// The point of the rectangle that is nearest to another point.
    pub fn nearest(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [
            x.clamp(self.left, self.right),
            y.clamp(self.top, self.bottom),
        ]
    }
}

/// Places for labels of the given widths and one height, points of a radius, in a picture of a size.
pub fn place(
    points: &[[f32; 2]],
    widths: &[f32],
    height: f32,
    radius: f32,
    size: [f32; 2],
) -> Vec<Option<Placed>> {
    let mut taken: Vec<Rectangle> = points
        .iter()
        .map(|[x, y]| Rectangle {
            left: x - radius,
            top: y - radius,
            right: x + radius,
            bottom: y + radius,
        })
        .collect();
    let mut places = Vec::with_capacity(points.len());
    for (point, width) in points.iter().zip(widths) {
        let tries = RINGS.iter().enumerate().flat_map(|(ring, distance)| {
            DIRECTIONS
                .iter()
                .map(move |angle| (ring, *distance, angle.to_radians()))
        });
        let place = tries
            .map(|(ring, distance, angle)| Placed {
                area: beside(*point, [*width, height], distance, angle),
                is_far: ring >= FAR,
            })
            .find(|place| {
                place.area.is_inside(size) && !taken.iter().any(|other| other.overlaps(&place.area))
            });
        taken.extend(place.map(|place| Rectangle {
            left: place.area.left - GAP,
            right: place.area.right + GAP,
            ..place.area
        }));
        places.push(place);
    }
    places
}

/// A rectangle whose nearest edge is `distance` from a point in a direction.
fn beside([x, y]: [f32; 2], [width, height]: [f32; 2], distance: f32, angle: f32) -> Rectangle {
    let (sine, cosine) = angle.sin_cos();
    let centre = [
        x + cosine * (distance + width / 2.0),
        y + sine * (distance + height / 2.0),
    ];
    Rectangle {
        left: centre[0] - width / 2.0,
        top: centre[1] - height / 2.0,
        right: centre[0] + width / 2.0,
        bottom: centre[1] + height / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn labels_cover_neither_each_other_nor_points(
            points in proptest::collection::vec((0f32..400.0, 0f32..300.0), 1..60)
        ) {
            let points: Vec<[f32; 2]> = points.into_iter().map(|(x, y)| [x, y]).collect();
            let widths = vec![40.0; points.len()];
            let placed = place(&points, &widths, 12.0, 2.0, [400.0, 300.0]);
            let areas: Vec<_> = placed.iter().flatten().map(|place| place.area).collect();
            for (at, area) in areas.iter().enumerate() {
                prop_assert!(area.is_inside([400.0, 300.0]));
                prop_assert!(!areas[at + 1..].iter().any(|other| other.overlaps(area)));
                prop_assert!(!points.iter().any(|point| area.nearest(*point) == *point));
            }
        }
    }

    #[test]
    fn a_lonely_label_stands_to_the_right_of_its_point() {
        let placed = place(&[[50.0, 50.0]], &[30.0], 10.0, 2.0, [200.0, 100.0]);
        let area = placed[0].unwrap().area;
        assert_eq!((area.left, area.top), (55.0, 45.0));
    }
}
