//! Files that are there already, from an earlier import or from the user.

use std::fs;

use super::*;
use crate::images::decode::decode_file;

#[test]
fn crops_that_are_there_and_whole_are_kept_and_broken_ones_made_anew() {
    let world = World::new();
    let mut calls = 0;
    let layout = DeepFashionLayout::of(Some(&world.data()), None, None).unwrap();
    let stopped = import(&layout, &propose, &mut |step, done, _| {
        calls += usize::from(step == ImportStep::Cropping);
        done < 4
    });
    let said = stopped.unwrap_err().to_string();
    assert!(said.starts_with("cancelled: the crops that are made stay"), "{said}");
    assert!(!layout.table.exists() && calls >= 4);

    let whole = world.import().unwrap();
    assert!(whole.kept >= 4 && whole.kept < 18, "{}", whole.kept);
    let crop = |name: &str| world.data().join("img_crop").join(name);
    let of = |name: &str| fs::metadata(crop(name)).unwrap().modified().unwrap();
    let before = of("Drawn_Tee/img_00000002.jpg");
    let broken = crop("Drawn_Blouse/img_00000001.jpg");
    let bytes = fs::read(&broken).unwrap();
    fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    // Another box is another crop.
    world.edit_line("train_bbox.txt", 3, "0 0 50 60");
    let again = world.import().unwrap();
    assert_eq!((again.kept, again.rows), (16, [18, 18, 18]));
    assert_eq!(fs::read(&broken).unwrap(), bytes);
    assert_eq!(of("Drawn_Tee/img_00000002.jpg"), before);
    assert_eq!(decode_file(&crop("Drawn_Tank/img_00000003.jpg")).unwrap().dimensions(), (50, 60));
    assert_eq!(again.notices.len(), 1, "{:?}", again.notices);
    assert!(
        again.notices[0].contains("config.yml is there already, for this CSV: it stays"),
        "{:?}",
        again.notices
    );
}

#[test]
fn nothing_that_the_import_did_not_make_is_replaced() {
    for (file, told) in [
        ("processed_subset.csv", "is no CSV of DeepFashion's crops"),
        ("full_dataset.parquet", "is no Parquet file"),
        ("model_subset.parquet", "is no Parquet file"),
        ("processed_subset.problems.txt", "is no list of an import"),
    ] {
        let world = World::new();
        fs::write(world.data().join(file), "mine").unwrap();
        let said = world.import().unwrap_err().to_string();
        assert!(said.contains(file) && said.contains(told), "{said}");
        assert_eq!(fs::read_to_string(world.data().join(file)).unwrap(), "mine");
        assert!(!world.data().join("img_crop").exists(), "it is told before the work");
    }
    let world = World::new();
    fs::write(world.data().join("config.yml"), "mine").unwrap();
    let crops = world.data().join("img_crop/Drawn_Tee");
    fs::create_dir_all(&crops).unwrap();
    fs::write(crops.join("img_00000002.jpg"), "mine").unwrap();
    // A crop of the Python project, which is as large as the box.
    let [left, top, right, bottom] = drawn::box_of(7).map(|side| u32::try_from(side).unwrap());
    let theirs = image::RgbImage::new(right - left, bottom - top);
    theirs.save(crops.join("img_00000008.jpg")).unwrap();
    let bytes = fs::read(crops.join("img_00000008.jpg")).unwrap();
    let imported = world.import().unwrap();
    assert_eq!((imported.kept, imported.rows), (1, [18, 18, 17]));
    assert!(imported.problems[0].to_string().contains("img_00000002.jpg is there already and is no crop"));
    assert_eq!(fs::read(crops.join("img_00000008.jpg")).unwrap(), bytes);
    assert_eq!(fs::read_to_string(crops.join("img_00000002.jpg")).unwrap(), "mine");
    assert_eq!(imported.config, world.data().join("processed_subset.yml"));
    assert_eq!(fs::read_to_string(world.data().join("config.yml")).unwrap(), "mine");

    // Crops in the folder of the images would take their place.
    fs::remove_file(world.data().join("processed_subset.csv")).unwrap();
    let mut layout = DeepFashionLayout::of(Some(&world.data()), None, None).unwrap();
    layout.crops.folder = world.data().join("img");
    let original = fs::read(world.data().join("img/Drawn_Tee/img_00000002.jpg")).unwrap();
    let said = import(&layout, &propose, &mut |_, _, _| true).unwrap_err().to_string();
    assert!(said.contains("could be cropped"), "{said}");
    assert_eq!(fs::read(world.data().join("img/Drawn_Tee/img_00000002.jpg")).unwrap(), original);
}

#[test]
fn a_csv_that_was_there_is_kept_as_a_dated_copy() {
    let world = World::new();
    world.import().unwrap();
    let csv = world.data().join("processed_subset.csv");
    let edited = fs::read_to_string(&csv).unwrap().replacen("Blouse", "Tee", 2);
    fs::write(&csv, &edited).unwrap();
    let imported = world.import().unwrap();
    let backups: Vec<_> =
        fs::read_dir(world.data().join("processed_subset.csv.edits/backups")).unwrap().collect();
    assert_eq!(backups.len(), 1);
    assert_eq!(fs::read_to_string(backups[0].as_ref().unwrap().path()).unwrap(), edited);
    assert!(imported.notices.iter().any(|notice| notice.contains("was another before: that is kept as ")));
}
