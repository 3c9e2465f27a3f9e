use super::super::picture::write_png;
use super::*;

/// A folder of pictures, each of one colour.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn write(&self, way: &str, bytes: &[u8]) -> &Folder {
        let file = self.0.path().join(way);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
        self
    }

    fn picture(&self, way: &str, (height, width): (usize, usize), colour: &[u8]) -> &Folder {
        let shape = Shape {
            height,
            width,
            channels: colour.len(),
        };
        let mut bytes = Vec::new();
        write_png(shape, &colour.repeat(height * width), &mut bytes).unwrap();
        self.write(way, &bytes)
    }

    fn open(&self, options: &Options) -> Result<Opened, String> {
        open(self.0.path(), options).map_err(|error| {
            let error = error.to_string();
            error.replace(&self.0.path().display().to_string(), "F")
        })
    }

    fn images(&self) -> Images {
        self.open(&Options::default()).ok().unwrap().images
    }

    fn error(&self, options: &Options) -> String {
        self.open(options).err().unwrap()
    }
}

#[test]
fn pictures_come_in_the_order_of_their_paths() {
    let folder = Folder::new();
    folder
        .picture("b.png", (1, 1), &[3])
        .picture("a.PNG", (1, 1), &[2]);
    folder.picture("a/z.jpeg", (1, 1), &[1]);
    assert_eq!(folder.images().pixels(), [1, 2, 3]);
}

#[test]
fn sub_folders_are_classes() {
    let folder = Folder::new();
    folder
        .picture("dog/b.png", (1, 1), &[3])
        .picture("cat/deep/er/a.png", (1, 1), &[1]);
    folder.picture("dog/a.png", (1, 1), &[2]);
    let images = folder.images();
    assert_eq!(images.labels(), Some(&[0, 1, 1][..]));
    assert_eq!(images.classes(), ["cat", "dog"]);
    let options = Options {
        labels: Labels::None,
        ..Options::default()
    };
    assert_eq!(folder.open(&options).ok().unwrap().images.labels(), None);
    folder.picture("here.png", (1, 1), &[4]);
    assert_eq!(folder.images().labels(), None);
}

#[test]
fn hidden_and_other_files_are_left_out_and_counted() {
    let folder = Folder::new();
    folder
        .picture("a.png", (1, 1), &[1])
        .picture(".b.png", (1, 1), &[2]);
    folder
        .picture(".thumbnails/c.png", (1, 1), &[3])
        .write("README.md", b"?");
    let opened = folder.open(&Options::default()).ok().unwrap();
    assert_eq!((opened.images.pixels(), opened.left_out), (&[1][..], 2));
}

#[test]
fn grey_pictures_become_coloured_beside_coloured_ones() {
    let folder = Folder::new();
    folder
        .picture("a.png", (1, 1), &[7])
        .picture("b.png", (1, 1), &[8]);
    assert_eq!(folder.images().shape().channels, 1);
    folder
        .picture("c.png", (1, 1), &[1, 2, 3])
        .picture("d.png", (1, 1), &[9]);
    let all = [7, 7, 7, 8, 8, 8, 1, 2, 3, 9, 9, 9];
    for memory in [0, 2, 3, 100] {
        let options = Options {
            memory,
            ..Options::default()
        };
        let images = folder.open(&options).ok().unwrap().images;
        assert_eq!((images.shape().channels, images.pixels()), (3, &all[..]));
    }
}

#[test]
fn channels_are_what_they_are_asked_to_be() {
    let folder = Folder::new();
    folder
        .picture("a.png", (1, 1), &[7])
        .picture("b.png", (1, 1), &[255, 0, 0]);
    let of = |channels| {
        let options = Options {
            channels: Some(channels),
            ..Options::default()
        };
        folder.open(&options).ok().unwrap().images.pixels().to_vec()
    };
    assert_eq!(of(1), [7, 76]);
    assert_eq!(of(3), [7, 7, 7, 255, 0, 0]);
}

#[test]
fn different_sizes_are_refused_unless_one_is_asked_for() {
    let folder = Folder::new();
    folder
        .picture("a.png", (2, 3), &[7])
        .picture("b.png", (2, 3), &[7]);
    folder.picture("c.png", (5, 4), &[9]);
    assert_eq!(
        folder.error(&Options::default()),
        "pictures differ in size: F/a.png has 2 × 3 pixels, F/c.png has 5 × 4 (height × width); \
         to bring all to one size: --size"
    );
    let options = Options {
        size: Some((2, 2)),
        ..Options::default()
    };
    let images = folder.open(&options).ok().unwrap().images;
    assert_eq!(images.pixels(), [7, 7, 7, 7, 7, 7, 7, 7, 9, 9, 9, 9]);
}

#[test]
fn smaller_pictures_are_only_blown_up_when_that_is_asked_for() {
    let folder = Folder::new();
    folder
        .picture("a.png", (4, 4), &[7])
        .picture("b.png", (9, 2), &[8]);
    let mut options = Options {
        size: Some((3, 3)),
        ..Options::default()
    };
    assert_eq!(
        folder.error(&options),
        "F/b.png: 9 × 2 pixels are fewer than 3 × 3; to blow such pictures up: --enlarge; \
         to go on without such files: --keep-going"
    );
    options.enlarge = true;
    let images = folder.open(&options).ok().unwrap().images;
    assert_eq!(images.pixels(), [[7; 9], [8; 9]].concat());
    options.enlarge = false;
    options.keep_going = true;
    let opened = folder.open(&options).ok().unwrap();
    assert_eq!((opened.images.len(), opened.problems.len()), (1, 1));
}

#[test]
fn one_broken_file_among_many_is_named_or_left_out() {
    let folder = Folder::new();
    for number in 0..600 {
        folder.picture(
            &format!("{}/{number:03}.png", number % 2),
            (1, 1),
            &[number as u8],
        );
    }
    // Two in different batches: the first one is told of, whichever thread meets one first.
    folder.write("0/000.png", b"").write("1/501.png", b"GIF89a");
    let options = Options::default();
    assert_eq!(
        folder.error(&options),
        "F/0/000.png: empty file; to go on without such files: --keep-going"
    );
    let options = Options {
        keep_going: true,
        ..options
    };
    let opened = folder.open(&options).ok().unwrap();
    let problems: Vec<String> = opened.problems.iter().map(ToString::to_string).collect();
    assert!(problems[0].ends_with("0/000.png: empty file"));
    assert!(problems[1].ends_with("1/501.png: neither PNG nor JPEG, but GIF"));
    let labels = opened.images.labels().unwrap();
    assert_eq!((problems.len(), opened.images.len()), (2, 598));
    assert_eq!(labels.iter().filter(|&&label| label == 1).count(), 299);
    assert_eq!(opened.images.image(299), [1]);
}

#[test]
fn folders_without_a_usable_picture_are_refused() {
    let folder = Folder::new();
    assert_eq!(folder.error(&Options::default()), "F: no PNG or JPEG files");
    folder.write("a.txt", b"");
    assert_eq!(
        folder.error(&Options::default()),
        "F: no PNG or JPEG files (1 file of another kind)"
    );
    folder.write("a.png", b"").write("b.png", b"");
    let options = Options {
        keep_going: true,
        ..Options::default()
    };
    assert_eq!(
        folder.error(&options),
        "F: none of its 2 pictures can be used, the first for this: F/a.png: empty file"
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles() {
    let folder = Folder::new();
    folder.picture("a/x.png", (1, 1), &[1]);
    let link =
        |from: &str, to: &str| std::os::unix::fs::symlink(from, folder.0.path().join(to)).unwrap();
    link("a", "b");
    link("..", "a/circle");
    assert_eq!(folder.images().classes(), ["a", "b"]);
    assert_eq!(folder.images().len(), 2);
}
