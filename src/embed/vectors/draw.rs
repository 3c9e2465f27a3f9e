//! A picture of labelled points, as SVG or as PNG.
//!
//! Letters are DejaVu Sans: its measures decide where labels fit, and PNG is drawn from its outlines, so no font of the
//! system is needed. SVG names the font and states each label's length, which makes other fonts keep to it.

use super::label::{Placed, place};
use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use std::fmt::Write;

/// Pixels of a side.
const WIDTH: f32 = 1200.0;
const HEIGHT: f32 = 900.0;
const MARGIN: f32 = 60.0;
const RADIUS: f32 = 3.0;
const LETTER: f32 = 15.0;

/// A line, a point, a letter.
const GREY: [u8; 3] = [0xa0, 0xa0, 0xa0];
const BLUE: [u8; 3] = [0x1f, 0x6f, 0xb4];
const BLACK: [u8; 3] = [0x20, 0x20, 0x20];

/// Points with their labels in place.
pub struct Picture<'a> {
    points: Vec<[f32; 2]>,
    labels: &'a [&'a str],
    places: Vec<Option<Placed>>,
    font: FontRef<'static>,
}

impl<'a> Picture<'a> {
    /// Scales points into the picture and finds places for their labels.
    pub fn new(points: &[[f32; 2]], labels: &'a [&'a str]) -> Option<Picture<'a>> {
        let font = FontRef::try_from_slice(dejavu::sans::regular()).ok()?;
        let points = fitted(points);
        let widths: Vec<f32> = labels.iter().map(|label| width(&font, label)).collect();
        let height = font.as_scaled(PxScale::from(LETTER)).height();
        let places = place(&points, &widths, height, RADIUS, [WIDTH, HEIGHT]);
        Some(Picture {
            points,
            labels,
            places,
            font,
        })
    }

    /// Labels that found no place.
    pub fn left_out(&self) -> usize {
        self.places.iter().filter(|place| place.is_none()).count()
    }

    /// Labels in place, with their points.
    fn placed(&self) -> impl Iterator<Item = (&'a str, [f32; 2], Placed)> {
        let places = self.labels.iter().zip(&self.points).zip(&self.places);
        places.filter_map(|((label, point), place)| Some((*label, *point, (*place)?)))
    }

    /// The text of an SVG file.
    pub fn svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"{}\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
            self.size()
        );
        // Writing to a string never fails.
        for (_, [x, y], place) in self.placed().filter(|(_, _, place)| place.is_far) {
            let [to_x, to_y] = place.area.nearest([x, y]);
            let _ = writeln!(
                svg,
                "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{to_x:.1}\" y2=\"{to_y:.1}\" stroke=\"{}\"/>",
                colour(GREY)
            );
        }
        for [x, y] in &self.points {
            let fill = colour(BLUE);
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{RADIUS}\" fill=\"{fill}\"/>"
            );
        }
        let ascent = self.font.as_scaled(PxScale::from(LETTER)).ascent();
        for (label, _, place) in self.placed() {
            let (x, y) = (place.area.left, place.area.top + ascent);
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{:.1}\" fill=\"{}\">{}</text>",
                place.area.right - place.area.left,
                colour(BLACK),
                escaped(label)
            );
        }
        svg + "</svg>\n"
    }

    /// The em square that goes with [`LETTER`], which is the height from the lowest to the highest letter.
    fn size(&self) -> f32 {
        let units = self.font.units_per_em().unwrap_or(1.0) / self.font.height_unscaled();
        (LETTER * units * 100.0).round() / 100.0
    }

    /// The bytes of a PNG file.
    ///
    /// # Errors
    /// Never for pictures of this size.
    pub fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut canvas = Canvas {
            pixels: vec![255; WIDTH as usize * HEIGHT as usize * 3],
        };
        for (_, from, place) in self.placed().filter(|(_, _, place)| place.is_far) {
            canvas.line(from, place.area.nearest(from));
        }
        self.points.iter().for_each(|at| canvas.dot(*at));
        for (label, _, place) in self.placed() {
            self.letters(label, place, &mut canvas);
        }
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, WIDTH as u32, HEIGHT as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header()?.write_image_data(&canvas.pixels)?;
        Ok(bytes)
    }

    fn letters(&self, label: &str, place: Placed, canvas: &mut Canvas) {
        let font = self.font.as_scaled(PxScale::from(LETTER));
        let mut at = point(place.area.left, place.area.top + font.ascent());
        for letter in label.chars() {
            let glyph = font.scaled_glyph(letter);
            let advance = font.h_advance(glyph.id);
            let glyph = glyph.id.with_scale_and_position(LETTER, at);
            if let Some(outline) = self.font.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                outline.draw(|x, y, cover| {
                    canvas.blend(
                        corner.x as i32 + x as i32,
                        corner.y as i32 + y as i32,
                        BLACK,
                        cover,
                    );
                });
            }
            at.x += advance;
        }
    }
}

/// Points in the picture, the ordinate upwards.
fn fitted(points: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let range = |axis: usize| {
        let values = points.iter().map(|point| point[axis]);
        let (low, high) = values.fold((f32::MAX, f32::MIN), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        match high - low > f32::EPSILON * high.abs() {
            true => (low, high - low),
            false => (low - 0.5, 1.0),
        }
    };
    let ((left, wide), (low, tall)) = (range(0), range(1));
    let fit = |[x, y]: &[f32; 2]| {
        [
            MARGIN + (x - left) / wide * (WIDTH - 2.0 * MARGIN),
            HEIGHT - MARGIN - (y - low) / tall * (HEIGHT - 2.0 * MARGIN),
        ]
    };
    points.iter().map(fit).collect()
}

fn width(font: &FontRef, label: &str) -> f32 {
    let scaled = font.as_scaled(PxScale::from(LETTER));
    label
        .chars()
        .map(|letter| scaled.h_advance(font.glyph_id(letter)))
        .sum()
}

fn colour([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text as XML wants it; control characters have no place in it.
fn escaped(label: &str) -> String {
    let mut text = String::new();
    for letter in label.chars() {
        match letter {
            '&' => text += "&amp;",
            '<' => text += "&lt;",
            '>' => text += "&gt;",
            c if c.is_control() => text.push('\u{fffd}'),
            c => text.push(c),
        }
    }
    text
}

/// Pixels, three bytes each.
struct Canvas {
    pixels: Vec<u8>,
}

impl Canvas {
    /// Covers a pixel to a degree from 0 to 1.
    fn blend(&mut self, x: i32, y: i32, colour: [u8; 3], cover: f32) {
        if !(0..WIDTH as i32).contains(&x) || !(0..HEIGHT as i32).contains(&y) {
            return;
        }
        let start = (y as usize * WIDTH as usize + x as usize) * 3;
        for (pixel, colour) in self.pixels[start..start + 3].iter_mut().zip(colour) {
            let (old, new) = (f32::from(*pixel), f32::from(colour));
            *pixel = (old + (new - old) * cover.clamp(0.0, 1.0)).round() as u8;
        }
    }

    fn dot(&mut self, [x, y]: [f32; 2]) {
        let reach = RADIUS as i32 + 1;
        for row in -reach..=reach {
            for column in -reach..=reach {
                let (px, py) = (x.floor() as i32 + column, y.floor() as i32 + row);
                let distance = (px as f32 + 0.5 - x).hypot(py as f32 + 0.5 - y);
                self.blend(px, py, BLUE, RADIUS + 0.5 - distance);
            }
        }
    }

    /// A line one pixel wide, shared between the two pixels nearest to it (Wu 1991).
    fn line(&mut self, from: [f32; 2], to: [f32; 2]) {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let steps = dx.abs().max(dy.abs()).ceil().max(1.0);
        for step in 0..=steps as i32 {
            let part = step as f32 / steps;
            let (x, y) = (from[0] + dx * part - 0.5, from[1] + dy * part - 0.5);
            let (along, across) = if dx.abs() > dy.abs() { (x, y) } else { (y, x) };
            let (pixel, base) = (along.round() as i32, across.floor());
            for (at, cover) in [(base, 1.0 - (across - base)), (base + 1.0, across - base)] {
                let (x, y) = match dx.abs() > dy.abs() {
                    true => (pixel, at as i32),
                    false => (at as i32, pixel),
                };
                self.blend(x, y, GREY, cover);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_names_every_point_in_both_formats() {
        let points = [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]];
        let labels = ["R&B", "<unk>", "Zürich"];
        let picture = Picture::new(&points, &labels).unwrap();
        assert_eq!(picture.left_out(), 0);
        let svg = picture.svg();
        for label in ["R&amp;B", "&lt;unk&gt;", "Zürich"] {
            assert!(svg.contains(&format!(">{label}</text>")), "{svg}");
        }
        let png = picture.png().unwrap();
        assert!(png.starts_with(b"\x89PNG"));
    }
}
