use super::*;
use png::{BitDepth, ColorType};

/// The bytes of a PNG file of 1 × 2 pixels.
fn file(colour: ColorType, depth: BitDepth, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if colour == ColorType::Indexed {
        encoder.set_palette(&[255, 0, 0, 0, 0, 255][..]);
        encoder.set_trns(&[255, 102][..]);
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    bytes
}

fn pixels(bytes: &[u8]) -> (usize, Vec<u8>) {
    let picture = decode(bytes).unwrap();
    assert_eq!(picture.pixels.len(), picture.shape.values());
    (picture.shape.channels, picture.pixels)
}

fn error_of(bytes: &[u8]) -> String {
    decode(bytes).unwrap_err().to_string()
}

fn of_hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

// Pillow 13.0.0: Image.new('L', (2, 3), 100).save(f, 'JPEG', optimize=True), and accordingly
// ('RGB', (2, 1), (200, 40, 90)) with progressive=True and ('CMYK', (1, 1), (0, 255, 128, 0)).
const GREY: &str = concat!(
    "ffd8ffe000104a46494600010100000100010000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d1a1f1e1d1a",
    "1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffc0000b080003000201011100ffc400140001000000000000",
    "00000000000000000005ffc40014100100000000000000000000000000000000ffda0008010100003f000dffd9"
);
const PROGRESSIVE: &str = concat!(
    "ffd8ffe000104a46494600010100000100010000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d1a1f1e1d1a",
    "1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffdb0043010909090c0b0c180d0d1832211c21323232323232",
    "3232323232323232323232323232323232323232323232323232323232323232323232323232323232323232323232ffc20011080001000203",
    "012200021101031101ffc4001500010100000000000000000000000000000005ffc4001501010100000000000000000000000000000106ffda",
    "000c030100021003100000019c0a2fffc40014100100000000000000000000000000000000ffda00080101000105027fffc400141101000000",
    "00000000000000000000000000ffda0008010301013f017fffc40014110100000000000000000000000000000000ffda0008010201013f017f",
    "ffc40014100100000000000000000000000000000000ffda0008010100063f027fffc40014100100000000000000000000000000000000ffda",
    "0008010100013f217fffda000c0301000200030000001003ffc40014110100000000000000000000000000000000ffda0008010301013f107f",
    "ffc40014110100000000000000000000000000000000ffda0008010201013f107fffc40014100100000000000000000000000000000000ffda",
    "0008010100013f107fffd9"
);
const CMYK: &str = concat!(
    "ffd8ffee000e41646f626500640000000000ffdb004300080606070605080707070909080a0c140d0c0b0b0c1912130f141d1a1f1e1d1a1c1c",
    "20242e2720222c231c1c2837292c30313434341f27393d38323c2e333432ffc000140800010001044311004d11005911004b1100ffc4001600",
    "01010100000000000000000000000000070108ffc40014100100000000000000000000000000000000ffda000e0443004d0059004b00003f00",
    "7f67f43fbfffd9"
);

#[test]
fn grey_of_any_depth_is_spread_over_a_byte() {
    let grey = |depth, data: &[u8]| pixels(&file(ColorType::Grayscale, depth, data));
    assert_eq!(grey(BitDepth::One, &[0b0100_0000]), (1, vec![0, 255]));
    assert_eq!(grey(BitDepth::Two, &[0b0110_0000]), (1, vec![85, 170]));
    assert_eq!(grey(BitDepth::Four, &[0x1f]), (1, vec![17, 255]));
    assert_eq!(grey(BitDepth::Eight, &[7, 9]), (1, vec![7, 9]));
    assert_eq!(grey(BitDepth::Sixteen, &[7, 255, 9, 0]), (1, vec![7, 9]));
}

#[test]
fn colours_of_any_depth_are_bytes() {
    let data = [1, 2, 3, 4, 5, 6];
    assert_eq!(
        pixels(&file(ColorType::Rgb, BitDepth::Eight, &data)),
        (3, data.to_vec())
    );
    let data = [1, 0, 2, 0, 3, 0, 4, 255, 5, 255, 6, 255];
    let (channels, pixels) = pixels(&file(ColorType::Rgb, BitDepth::Sixteen, &data));
    assert_eq!((channels, pixels), (3, vec![1, 2, 3, 4, 5, 6]));
}

#[test]
fn transparent_parts_are_drawn_over_black() {
    // 200 · 128 / 255 = 100.4, 100 · 128 / 255 = 50.2
    let data = [200, 100, 1, 128, 9, 8, 7, 255];
    let (channels, colours) = pixels(&file(ColorType::Rgba, BitDepth::Eight, &data));
    assert_eq!((channels, colours), (3, vec![100, 50, 1, 9, 8, 7]));
    let data = [200, 128, 77, 0];
    let grey = pixels(&file(ColorType::GrayscaleAlpha, BitDepth::Eight, &data));
    assert_eq!(grey, (1, vec![100, 0]));
}

#[test]
fn palettes_are_looked_up_with_their_transparency() {
    // 255 · 102 / 255
    let (channels, pixels) = pixels(&file(ColorType::Indexed, BitDepth::One, &[0b0100_0000]));
    assert_eq!((channels, pixels), (3, vec![255, 0, 0, 0, 0, 102]));
}

#[test]
fn three_equal_channels_are_grey() {
    let data = [5, 5, 5, 9, 9, 9];
    assert_eq!(
        pixels(&file(ColorType::Rgb, BitDepth::Eight, &data)),
        (1, vec![5, 9])
    );
}

#[test]
fn jpeg_is_grey_or_in_colours() {
    let grey = decode(&of_hex(GREY)).unwrap();
    assert_eq!((grey.shape.height, grey.shape.width), (3, 2));
    assert_eq!((grey.shape.channels, grey.pixels), (1, vec![100; 6]));
    // What Pillow reads is (202, 40, 90).
    let (channels, colours) = pixels(&of_hex(PROGRESSIVE));
    let near = |(a, b): (&u8, u8)| a.abs_diff(b) <= 1;
    assert_eq!(channels, 3);
    assert!(
        colours.iter().zip([202, 40, 90, 202, 40, 90]).all(near),
        "{colours:?}"
    );
}

#[test]
fn inks_become_colours() {
    // No cyan, all magenta, half yellow, no black; Pillow has (255, 0, 127).
    let (channels, colours) = pixels(&of_hex(CMYK));
    let near = |(a, b): (&u8, u8)| a.abs_diff(b) <= 1;
    assert!(
        channels == 3 && colours.iter().zip([255, 0, 127]).all(near),
        "{colours:?}"
    );
}

#[test]
fn a_cut_file_is_broken() {
    // The last 16 bytes of a PNG file, a checksum and IEND, are not needed for its pixels.
    for (whole, rest) in [
        (
            file(ColorType::Rgb, BitDepth::Eight, &[1, 2, 3, 4, 5, 6]),
            16,
        ),
        (of_hex(GREY), 0),
        (of_hex(PROGRESSIVE), 0),
        (of_hex(CMYK), 0),
    ] {
        for end in 0..whole.len() - rest {
            assert!(decode(&whole[..end]).is_err(), "{end} of {}", whole.len());
        }
    }
}

#[test]
fn a_cut_file_says_so() {
    let jpeg = of_hex(GREY);
    assert_eq!(error_of(&jpeg[..jpeg.len() - 2]), "JPEG that is cut short");
    let png = file(ColorType::Grayscale, BitDepth::Eight, &[1, 2]);
    let error = error_of(&png[..png.len() - 20]);
    assert_eq!(error, "broken PNG: unexpected end of file");
}

#[test]
fn what_follows_the_end_of_a_picture_does_not_matter() {
    let whole = of_hex(GREY);
    let second = [&whole[..], &whole[..60], &[0xff, 0xda, 0, 2]].concat();
    assert_eq!(pixels(&second), pixels(&whole));
}

#[test]
fn a_changed_byte_is_noticed_by_its_checksum() {
    let whole = file(ColorType::Rgb, BitDepth::Eight, &[1, 2, 3, 4, 5, 6]);
    let at = whole.windows(4).position(|kind| kind == b"IDAT").unwrap() + 8;
    let mut bytes = whole.clone();
    bytes[at] ^= 1;
    let error = error_of(&bytes);
    assert!(error.starts_with("broken PNG: "), "{error}");
}

#[test]
fn damage_never_ends_the_program() {
    let mut random = crate::random::Random::new(1, 0);
    for whole in [
        file(ColorType::Indexed, BitDepth::One, &[0b0100_0000]),
        of_hex(GREY),
        of_hex(PROGRESSIVE),
        of_hex(CMYK),
    ] {
        for _ in 0..2000 {
            let mut bytes = whole.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len() as u32) as usize;
                bytes[at] = random.bits() as u8;
            }
            // A size of many megabytes that all are grey takes long and is not what is looked for.
            let is_small = |side: &[u8]| side.iter().all(|&byte| byte < 8);
            let sizes = bytes
                .windows(9)
                .filter(|w| w[0] == 0xff && matches!(w[1], 0xc0..=0xc2));
            if sizes.clone().all(|w| is_small(&[w[5], w[7]])) {
                let _ = decode(&bytes);
            }
        }
    }
}

#[test]
fn other_kinds_are_named() {
    assert_eq!(error_of(b""), "empty file");
    assert_eq!(error_of(b"GIF89a"), "neither PNG nor JPEG, but GIF");
    assert_eq!(
        error_of(b"RIFF\x10\0\0\0WEBPVP8 "),
        "neither PNG nor JPEG, but WebP"
    );
    assert_eq!(
        error_of(b"<!DOCTYPE html>"),
        "neither PNG nor JPEG, but text"
    );
    assert_eq!(error_of(b"abc"), "neither PNG nor JPEG");
}

#[test]
fn no_memory_is_taken_for_a_size_that_nobody_has() {
    let mut bytes = file(ColorType::Grayscale, BitDepth::Eight, &[1, 2]);
    // Width and height follow "IHDR", and are checked with it.
    bytes[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let crc = crc32fast::hash(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(error_of(&bytes), "65536 × 65536 pixels are too many");
}
