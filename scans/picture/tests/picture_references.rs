//! The folder of references.

use std::fs;

use parterre_picture::compare::{Reference, compare, summary};
use parterre_picture::files::{NamedCamera, read_json};
use parterre_picture::reference::{Options, SCANNED, write_references};

#[test]
fn the_same_files_every_time_and_perfect_when_compared_with_themselves() {
    let options = Options { points: 100_000, eyes: 3, size: [96, 60], ..Options::default() };
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut left_out = Vec::new();
    for folder in &folders {
        write_references(folder.path(), &options, &mut |view| {
            if !view.is_kept {
                left_out.push(view.name.clone());
            }
        })
        .unwrap();
    }
    // The roof is not in the scan.
    assert!(left_out.contains(&"outside".to_owned()), "{left_out:?}");
    let [one, other] = folders.map(|folder| {
        let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        (folder, files)
    });
    assert!(one.1 == other.1, "the files differ");

    let dir = one.0.path();
    let views: Vec<NamedCamera> = read_json(&dir.join("views.json")).unwrap();
    assert_eq!(one.1.len(), views.len() * 6 + 1);
    let (mean, _) = summary(&compare(dir, dir).unwrap());
    // The pictures are too small for the kinds of pixels that are rare.
    assert_eq!([mean.ssim, mean.coverage, mean.coverage_depth], [Some(1.0); 3]);

    // The ceiling has the colours of the picture; it is coarser.
    let overview = Reference::read(dir, &views[0].name).unwrap();
    let scanned: Vec<usize> = (0..overview.marks.len()).filter(|&i| overview.marks[i] & SCANNED != 0).collect();
    let difference = |channel: usize| {
        let of = |picture: &image::RgbImage| scanned.iter().map(|&i| f64::from(picture.as_raw()[i * 3 + channel])).sum::<f64>();
        (of(&overview.picture) - of(&overview.ceiling)).abs() / scanned.len() as f64
    };
    assert!((0..3).all(|channel| difference(channel) < 8.0), "{:?}", [0, 1, 2].map(difference));
}
