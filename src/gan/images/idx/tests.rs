use super::*;
use std::io::Write;

/// Two images of 1 × 3 pixels.
const IMAGES: &[u8] = &[
    0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60,
];
const LABELS: &[u8] = &[0, 0, 8, 1, 0, 0, 0, 2, 7, 4];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The images of a folder with these files, of which the first is opened.
fn opened(files: &[(&str, &[u8])], labels: &Labels, memory: u64) -> Result<Images, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    open(&folder.path().join(files[0].0), labels, memory).map_err(|error| {
        let error = error.to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    })
}

fn alone(bytes: &[u8]) -> Result<Images, String> {
    opened(&[("x", bytes)], &Labels::Beside, 100)
}

fn error_of(bytes: &[u8]) -> String {
    alone(bytes).err().unwrap()
}

#[test]
fn images_are_the_same_plain_and_compressed_in_memory_and_on_disk() {
    let packed = [gzip(IMAGES), zstd::encode_all(IMAGES, 3).unwrap()];
    for bytes in [IMAGES, &packed[0], &packed[1]] {
        for memory in [0, 100] {
            let images = opened(&[("x", bytes)], &Labels::Beside, memory).unwrap();
            let shape = Shape {
                height: 1,
                width: 3,
                channels: 1,
            };
            assert_eq!((images.len(), images.shape()), (2, shape));
            assert_eq!(images.image(1), [40, 50, 60]);
            assert_eq!(images.labels(), None);
        }
    }
}

#[test]
fn a_gzip_file_of_two_parts_is_one_file() {
    let parts = [gzip(&IMAGES[..9]), gzip(&IMAGES[9..])].concat();
    assert_eq!(alone(&parts).unwrap().image(0), [10, 20, 30]);
}

#[test]
fn four_dimensions_have_channels() {
    let head = [0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    let images = alone(&[&head[..], &[1, 2, 3, 4, 5, 6]].concat()).unwrap();
    assert_eq!((images.len(), images.shape().channels), (1, 3));
    assert_eq!(images.image(0), [1, 2, 3, 4, 5, 6]);
    let head = [0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2];
    let error = error_of(&[&head[..], &[1, 2, 3, 4, 5, 6]].concat());
    assert!(error.starts_with("x: images have 2 channels"), "{error}");
}

#[test]
fn labels_are_found_beside_the_images() {
    let packed = gzip(LABELS);
    for (images, labels, bytes) in [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", LABELS),
        ("a.images.idx3-ubyte", "a.labels.idx1-ubyte", LABELS),
        ("images-idx3.gz", "labels-idx1.gz", &packed[..]),
        ("images-idx3", "labels-idx1.gz", &packed[..]),
        ("images-idx3.gz", "labels-idx1", LABELS),
    ] {
        let files = [(images, IMAGES), (labels, bytes)];
        let images = opened(&files, &Labels::Beside, 100).unwrap();
        assert_eq!(images.labels(), Some(&[7, 4][..]), "{labels}");
        assert_eq!(images.classes().len(), 8);
        assert_eq!(images.classes()[7], "7");
        let images = opened(&files, &Labels::None, 100).unwrap();
        assert_eq!(images.labels(), None);
    }
}

#[test]
fn labels_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let labels = folder.path().join("y");
    std::fs::write(&labels, LABELS).unwrap();
    let images = opened(&[("x", IMAGES)], &Labels::File(labels), 100).unwrap();
    assert_eq!(images.labels(), Some(&[7, 4][..]));
}

#[test]
fn another_number_of_labels_is_refused() {
    let labels = [0, 0, 8, 1, 0, 0, 0, 1, 7];
    let files = [("images", IMAGES), ("labels", &labels[..])];
    assert_eq!(
        opened(&files, &Labels::Beside, 100).err().unwrap(),
        "labels: 1 labels, but images has 2 images"
    );
}

#[test]
fn a_wrong_count_names_both_numbers() {
    let short = "x: cut short: the header promises 6 bytes of values, there are 5";
    assert_eq!(error_of(&IMAGES[..21]), short);
    assert_eq!(error_of(&gzip(&IMAGES[..21])), short);
    let long = [IMAGES, &[1, 2]].concat();
    let left = "x: 2 bytes are left over: the header promises 6 bytes of values, there are 8";
    assert_eq!(error_of(&long), left);
    assert_eq!(error_of(&gzip(&long)), left);
}

#[test]
fn a_count_beyond_all_memory_is_only_a_wrong_count() {
    let head = [[0, 0, 8, 4], [255; 4], [255; 4], [255; 4], [0, 0, 0, 3]].concat();
    let expected = format!("the header promises {} bytes", u64::MAX);
    assert!(error_of(&head).contains(&expected));
    assert!(error_of(&gzip(&head)).contains(&expected));
}

#[test]
fn every_cut_of_a_file_is_noticed() {
    for end in 0..IMAGES.len() {
        assert!(alone(&IMAGES[..end]).is_err(), "{end}");
    }
    for packed in [gzip(IMAGES), zstd::encode_all(IMAGES, 3).unwrap()] {
        for end in 0..packed.len() {
            assert!(alone(&packed[..end]).is_err(), "{end}");
        }
    }
    let packed = gzip(IMAGES);
    assert_eq!(
        error_of(&packed[..packed.len() - 9]),
        "x: the compressed data end too early: the file is cut short"
    );
}

#[test]
fn other_files_are_named_for_what_they_are() {
    assert_eq!(
        error_of(b"PK\x03\x04"),
        "x: no IDX file: it begins with [50, 4b, 03, 04]"
    );
    assert_eq!(error_of(b""), "x: no IDX file: it begins with []");
    assert_eq!(
        error_of(&[0, 0, 0x0d, 3, 0, 0, 0, 1]),
        "x: holds numbers of type f32, images and labels are u8"
    );
    assert_eq!(
        error_of(LABELS),
        "x: has 1 dimension, images have 3 (count, height, width), or 4 (and channels)"
    );
    let swapped = opened(
        &[("images", IMAGES), ("labels", IMAGES)],
        &Labels::Beside,
        9,
    );
    assert_eq!(
        swapped.err().unwrap(),
        "labels: has 3 dimensions, labels have 1 (count)"
    );
}

#[test]
fn no_images_are_an_error() {
    let none = [0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3];
    assert_eq!(
        error_of(&none),
        "x: holds no images, or images of no size: its dimensions are [0, 1, 3]"
    );
}
