//! Names of files and folders that every file system takes.

use std::collections::HashSet;
use std::path::Path;

/// Most file systems end a name at 255 bytes; numbers are added to some.
const MOST_BYTES: usize = 200;
/// What Windows reads as a device, whatever follows the dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
/// The same, with a digit after it.
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// `text` as a name: what some file system does not take becomes `_`, and nothing is hidden.
pub(super) fn safe(text: &str) -> String {
    let special = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    let mut name: String = text.trim().chars().map(|c| if special(c) { '_' } else { c }).collect();
    name.truncate(name.floor_char_boundary(MOST_BYTES));
    // Windows drops dots and spaces at the end.
    name.truncate(name.trim_end_matches(['.', ' ']).len());
    if name.is_empty() || name.starts_with('.') {
        name.insert(0, '_');
    }
    if is_device(&name) {
        name.insert(0, '_');
    }
    name
}

/// The name of an image with its number in front, so that no two are alike.
pub(super) fn numbered(number: usize, digits: usize, image: &Path) -> String {
    let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, ending) = (safe(&part(image.file_stem())), safe(&part(image.extension())));
    format!("{number:0digits$}_{stem}.{ending}")
}

/// The first of `name`, `name_2`, `name_3` that is not among those taken, capitals or not.
pub(super) fn free(name: &str, taken: &mut HashSet<String>) -> String {
    let mut free = name.to_owned();
    let mut number = 2;
    while !taken.insert(free.to_lowercase()) {
        free = format!("{name}_{number}");
        number += 1;
    }
    free
}

fn is_device(name: &str) -> bool {
    let name = name.to_lowercase();
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let is_numbered = |device: &&str| {
        stem.strip_prefix(*device).is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    DEVICES.contains(&stem) || NUMBERED_DEVICES.iter().any(is_numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_everywhere_and_no_two_are_alike() {
        for (text, name) in [
            ("long", "long"),
            ("a/b\\c: \"d\"?", "a_b_c_ _d__"),
            ("..", "_"),
            (".hidden", "_.hidden"),
            ("end. ", "end"),
            ("CON", "_CON"),
            ("lpt1.x", "_lpt1.x"),
            ("com10", "com10"),
            ("blau gr\u{fc}n", "blau gr\u{fc}n"),
            ("", "_"),
        ] {
            assert_eq!(safe(text), name, "{text:?}");
        }
        let long = safe(&"\u{e4}".repeat(300));
        assert!(long.len() <= MOST_BYTES && long.starts_with('\u{e4}'));

        let mut taken = HashSet::new();
        let names = ["a", "A", "a_2", "a"].map(|name| free(name, &mut taken));
        assert_eq!(names, ["a", "A_2", "a_2_2", "a_3"]);
        assert_eq!(numbered(7, 4, Path::new("x/a:b.JPG")), "0007_a_b.JPG");
    }
}
