use super::*;

const SHAPE: Shape = Shape {
    height: 1,
    width: 2,
    channels: 1,
};

fn images() -> Images {
    Images::of_pixels(SHAPE, vec![0, 255, 51, 204, 1, 2]).unwrap()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn images_lie_one_after_the_other() {
    assert_eq!(images().len(), 3);
    assert_eq!(images().image(1), [51, 204]);
}

#[test]
fn bytes_are_spread_from_minus_one_to_one() {
    let mut out = [9.0; 2];
    images().write_into(0, false, &mut out);
    assert_eq!(out, [-1.0, 1.0]);
    images().write_into(0, true, &mut out);
    assert_eq!(out, [1.0, -1.0]);
}

#[test]
fn every_byte_comes_back_from_its_number() {
    let all: Vec<u8> = (0..=255).collect();
    let units: Vec<f32> = all.iter().map(|&byte| unit_of(byte)).collect();
    assert_eq!(bytes_of(&units), all);
}

#[test]
fn numbers_outside_are_clamped() {
    // (0 + 1) · 127.5 = 127.5, rounded away from zero
    let units = [-7.0, -1.0, 0.0, 0.5, 1.0, 7.0, f32::NAN, f32::INFINITY];
    assert_eq!(bytes_of(&units), [0, 0, 128, 191, 255, 255, 0, 255]);
}

#[test]
fn the_fingerprint_is_of_shape_pixels_and_labels() {
    // import struct, zlib
    // p = struct.pack('<4Q', 3, 1, 2, 1) + bytes([0, 255, 51, 204, 1, 2])
    // zlib.crc32(p), zlib.crc32(p + struct.pack('<3I', 0, 1, 0))
    let plain = images().fingerprint();
    let labelled = images()
        .labelled(vec![0, 1, 0], names(&["a", "b"]))
        .unwrap();
    assert_eq!(
        [plain, labelled.fingerprint()],
        [494_206_880, 2_006_933_895]
    );
    let turned = Shape {
        height: 2,
        width: 1,
        ..SHAPE
    };
    let turned = Images::of_pixels(turned, images().pixels().to_vec()).unwrap();
    assert_ne!(turned.fingerprint(), plain);
}

#[test]
fn what_does_not_add_up_is_refused() {
    let of = |pixels| Images::of_pixels(SHAPE, pixels).err().unwrap().to_string();
    assert_eq!(
        of(vec![0; 5]),
        "5 bytes are not a whole number of images of 2 bytes"
    );
    assert_eq!(of(vec![]), "no images, or images of no size");
    let label = |labels| {
        let labelled = images().labelled(labels, names(&["a"]));
        labelled.err().unwrap().to_string()
    };
    assert_eq!(label(vec![0]), "1 labels for 3 images");
    assert_eq!(label(vec![0, 1, 0]), "label 1, but there are 1 classes");
}
