use super::*;

const IMAGES: &[u8] = &[
    0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40,
];
const TEST_IMAGES: &[u8] = &[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2];
const LABELS: &[u8] = &[0, 0, 8, 1, 0, 0, 0, 2, 1, 0];

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn picture() -> Vec<u8> {
    let shape = Shape {
        height: 1,
        width: 2,
        channels: 1,
    };
    let mut bytes = Vec::new();
    super::super::picture::write_png(shape, &[8, 9], &mut bytes).unwrap();
    bytes
}

fn images(path: &Path, options: &Options) -> Images {
    open(path, options).ok().unwrap().images
}

fn error_of(path: &Path, options: &Options) -> String {
    let error = open(path, options).err().unwrap().to_string();
    let folder = path.parent().unwrap().display().to_string();
    error.replace(&folder, "F")
}

#[test]
fn a_file_is_what_its_first_bytes_say() {
    let picture = picture();
    let folder = folder(&[("a", IMAGES), ("b", &picture)]);
    let pixels = |name| {
        images(&folder.path().join(name), &Options::default())
            .pixels()
            .to_vec()
    };
    assert_eq!(pixels("a"), [10, 20, 30, 40]);
    assert_eq!(pixels("b"), [8, 9]);
}

#[test]
fn a_folder_may_hold_a_family_of_idx_files() {
    let files = [
        ("t10k-images-idx3-ubyte", TEST_IMAGES),
        ("train-images-idx3-ubyte", IMAGES),
        ("train-labels-idx1-ubyte", LABELS),
    ];
    let images = |files| images(folder(files).path(), &Options::default());
    let (training, test) = (images(&files), images(&files[..1]));
    assert_eq!(training.labels(), Some(&[1, 0][..]));
    assert_eq!(test.pixels(), [1, 2]);
}

#[test]
fn idx_images_get_the_size_and_channels_that_are_asked_for() {
    let files = [("images", IMAGES), ("labels", LABELS)];
    let folder = folder(&files);
    let path = folder.path().join("images");
    let mut options = Options {
        size: Some((1, 1)),
        channels: Some(3),
        ..Options::default()
    };
    let images = images(&path, &options);
    // The left one of the two pixels in the middle.
    assert_eq!(images.pixels(), [10, 10, 10, 30, 30, 30]);
    assert_eq!(images.labels(), Some(&[1, 0][..]));
    options.size = Some((2, 2));
    assert_eq!(
        error_of(&path, &options),
        "F/images: images of 1 × 2 pixels are smaller than 2 × 2; to blow them up: --enlarge"
    );
}

#[test]
fn what_holds_no_images_is_refused() {
    let picture = picture();
    let folder = folder(&[
        ("a.txt", b"hello"),
        ("empty", b""),
        ("b.png", &picture[..40]),
    ]);
    let error = |name| error_of(&folder.path().join(name), &Options::default());
    assert_eq!(error("none"), "F/none: no such file or folder");
    let unknown = "neither an IDX file nor a PNG or JPEG picture";
    assert_eq!(error("a.txt"), format!("F/a.txt: {unknown}"));
    assert_eq!(error("empty"), format!("F/empty: {unknown}"));
    assert!(error("b.png").starts_with("F/b.png: broken PNG: "));
    let options = Options {
        labels: Labels::File("x".into()),
        ..Options::default()
    };
    let file = folder.path().join("b.png");
    assert!(error_of(&file, &options).starts_with("F/b.png: only IDX files take"));
}
