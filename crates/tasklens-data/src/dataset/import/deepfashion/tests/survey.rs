//! The look at a download before it is imported.

use std::fs;

use super::*;
use crate::dataset::split::Part;

fn survey(world: &World) -> Survey {
    Survey::of(&DeepFashionLayout::of(Some(&world.data()), None, None).unwrap())
}

#[test]
fn a_whole_download_is_counted_and_nothing_is_in_the_way() {
    let world = World::new();
    let found = survey(&world);
    let counts = [(Part::Train, Some(12)), (Part::Validation, Some(3)), (Part::Test, Some(3))];
    assert_eq!(found.images, counts);
    assert_eq!((found.image_count(), found.obstacle(), found.missing.len()), (18, None, 0));
    assert_eq!((found.root.clone(), found.earlier, found.groups), (world.data(), EarlierImport::None, None));
    assert!(!world.data().join("img_crop").exists(), "a look writes nothing");
}

#[test]
fn what_is_missing_is_named_below_the_data_folder() {
    let world = World::new();
    fs::remove_file(world.annotation("val_bbox.txt")).unwrap();
    fs::remove_file(world.annotation("test.txt")).unwrap();
    fs::remove_file(world.data().join("img/Drawn_Blouse/img_00000001.jpg")).unwrap();
    let found = survey(&world);
    let named = |files: &[PathBuf]| files.iter().map(|file| found.named(file)).collect::<Vec<_>>();
    assert_eq!(named(&found.missing), ["Anno_fine/val_bbox.txt", "Anno_fine/test.txt"]);
    assert_eq!(named(&found.missing_images), ["img/Drawn_Blouse/img_00000001.jpg"]);
    assert_eq!(found.images[2], (Part::Test, None));
    assert!(found.obstacle().unwrap().contains("Files of the annotation are missing"));
}

#[test]
fn one_image_may_be_missing_but_not_all() {
    let world = World::new();
    fs::remove_file(world.data().join("img/Drawn_Blouse/img_00000001.jpg")).unwrap();
    assert_eq!(survey(&world).obstacle(), None);
    fs::remove_dir_all(world.data().join("img")).unwrap();
    let found = survey(&world);
    assert_eq!(found.missing_images.len(), 3);
    assert!(found.obstacle().unwrap().contains("unpack img of the download"));
    for list in ["train.txt", "val.txt", "test.txt"] {
        fs::write(world.annotation(list), "").unwrap();
    }
    assert!(survey(&world).obstacle().unwrap().contains("name no image"));
}

#[test]
fn it_tells_what_an_earlier_import_left() {
    let world = World::new();
    let layout = DeepFashionLayout::of(Some(&world.data()), None, None).unwrap();
    import(&layout, &propose, &mut |_, done, _| done < 4).unwrap_err();
    assert_eq!(survey(&world).earlier, EarlierImport::Stopped);
    world.import().unwrap();
    assert_eq!(survey(&world).earlier, EarlierImport::Whole);
}

#[test]
fn only_the_kept_types_are_imported_and_crops_that_are_there_are_told_apart() {
    let world = World::new();
    let layout = || DeepFashionLayout::of(Some(&world.data()), None, None).unwrap();
    let lower = import(&layout().keeping([false, true, false]), &propose, &mut |_, _, _| true).unwrap();
    assert_eq!(lower.rows, [18, 3, 3], "jeans alone");
    let nothing = import(&layout().keeping([false; 3]), &propose, &mut |_, _, _| true);
    assert!(nothing.unwrap_err().to_string().contains("the groups to model"));

    assert_eq!(world.import().unwrap().kept, 3);
    let mut steps = Vec::new();
    let all = import(&layout(), &propose, &mut |step, _, _| {
        steps.push(step);
        true
    });
    assert_eq!(all.unwrap().kept, 18);
    assert_eq!(steps.iter().filter(|step| **step == ImportStep::Looking).count(), 18);
}
