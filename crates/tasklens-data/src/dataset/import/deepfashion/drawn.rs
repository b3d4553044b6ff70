//! A download of DeepFashion with drawn garments in it, for tests: the real images need their owners' consent.

#![expect(clippy::disallowed_methods, reason = "drawn files that nobody has before")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::dataset::sample;

/// The categories, with their types.
pub const CATEGORIES: [(&str, u8); 6] =
    [("Blouse", 1), ("Tee", 1), ("Tank", 1), ("Jeans", 2), ("Dress", 3), ("Robe", 3)];

/// The 26 attributes, with their groups.
pub const ATTRIBUTES: [(&str, u8); 26] = [
    ("floral", 1),
    ("graphic", 1),
    ("striped", 1),
    ("embroidered", 1),
    ("pleated", 1),
    ("solid", 1),
    ("lattice", 1),
    ("long_sleeve", 2),
    ("short_sleeve", 2),
    ("sleeveless", 2),
    ("maxi_length", 3),
    ("mini_length", 3),
    ("no_dress", 3),
    ("crew_neckline", 4),
    ("v_neckline", 4),
    ("square_neckline", 4),
    ("no_neckline", 4),
    ("denim", 5),
    ("chiffon", 5),
    ("cotton", 5),
    ("leather", 5),
    ("faux", 5),
    ("knit", 5),
    ("tight", 6),
    ("loose", 6),
    ("conventional", 6),
];

/// Attributes that no drawing shows: every so many-th row has the first of them, the next one the second, and so on.
const INVENTED: [&str; 4] = ["mini_length", "no_dress", "cotton", "loose"];

/// Writes `img/` and `Anno_fine/` with so many images for train, val and test into a folder.
///
/// # Errors
/// Any I/O error.
pub fn write(data: &Path, counts: [usize; 3], seed: u64) -> anyhow::Result<()> {
    let annotation = data.join("Anno_fine");
    fs::create_dir_all(&annotation).with_context(|| format!("cannot make {}", annotation.display()))?;
    fs::write(annotation.join("list_category_cloth.txt"), list("category_name  category_type", &CATEGORIES))?;
    fs::write(annotation.join("list_attr_cloth.txt"), list("attribute_name  attribute_type", &ATTRIBUTES))?;
    let mut parts = vec![[const { String::new() }; 4]; counts.len()];
    sample::each_garment(counts.iter().sum(), seed, |number, labels, jpeg| {
        let part = (0..counts.len()).find(|part| number < counts[..=*part].iter().sum()).unwrap_or_default();
        let category = number % CATEGORIES.len();
        let folder = format!("img/Drawn_{}", CATEGORIES[category].0);
        let path = format!("{folder}/img_{:08}.jpg", number + 1);
        fs::create_dir_all(data.join(&folder))?;
        fs::write(data.join(&path), jpeg)?;
        let [paths, categories, flags, boxes] = &mut parts[part];
        writeln!(paths, "{path}")?;
        writeln!(categories, "{}", category + 1)?;
        writeln!(flags, "{}", flags_of(&labels, number))?;
        writeln!(boxes, "{}", box_of(number).map(|side| format!("{side:03}")).join(" "))?;
        Ok(())
    })?;
    for (part, texts) in ["train", "val", "test"].iter().zip(parts) {
        for (end, text) in ["", "_cate", "_attr", "_bbox"].iter().zip(texts) {
            fs::write(annotation.join(format!("{part}{end}.txt")), text)?;
        }
    }
    Ok(())
}

/// A list as the download has it: names in a column that is filled up with blanks.
fn list(header: &str, names: &[(&str, u8)]) -> String {
    let mut text = format!("{}\n{header}\n", names.len());
    for (name, number) in names {
        let _ = writeln!(text, "{name:<30} {number}");
    }
    text
}

fn flags_of(labels: &[&str; 3], number: usize) -> String {
    let invented = INVENTED[number % INVENTED.len()];
    let is_set = |name: &str| labels.contains(&name) || name == invented;
    let flags: Vec<&str> = ATTRIBUTES.iter().map(|(name, _)| if is_set(name) { "1" } else { "0" }).collect();
    flags.join(" ")
}

/// The box of an image.
pub fn box_of(number: usize) -> [usize; 4] {
    let edge = number % 5;
    [10 + edge, 8, 150 - edge, 155]
}
