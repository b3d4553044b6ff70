//! Names of files and folders made from texts of users: those of exported files and of the runs of a study.

use std::collections::HashSet;
use std::path::Path;

/// Most file systems allow 255 bytes; some names get a number appended.
const MOST_BYTES: usize = 200;
/// Device names on Windows, whatever follows the dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
/// The same, followed by a digit.
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// `text` as a file name on every file system, in at most 200 bytes: invalid characters become `_`, and it never
/// starts with a dot.
pub fn safe(text: &str) -> String {
    let special = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    let mut name = replaced(text.trim(), special);
    // Windows drops trailing dots and spaces.
    name.truncate(name.trim_end_matches(['.', ' ']).len());
    if name.is_empty() || name.starts_with('.') {
        name.insert(0, '_');
    }
    if is_device(&name) {
        name.insert(0, '_');
    }
    name
}

/// `text` as a part of a name that is typed on a command line, in at most 200 bytes: all but letters, digits, `-` and
/// `_` become `_`. Empty text stays empty.
pub fn plain(text: &str) -> String {
    replaced(text, |c| !c.is_alphanumeric() && !matches!(c, '-' | '_'))
}

fn replaced(text: &str, is_special: impl Fn(char) -> bool) -> String {
    let mut name: String = text.chars().map(|c| if is_special(c) { '_' } else { c }).collect();
    name.truncate(name.floor_char_boundary(MOST_BYTES));
    name
}

/// The name of an image prefixed with its number, so that it is unique.
pub(crate) fn numbered(number: usize, digits: usize, image: &Path) -> String {
    let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, ending) = (safe(&part(image.file_stem())), safe(&part(image.extension())));
    format!("{number:0digits$}_{stem}.{ending}")
}

/// The first of `name`, `name_2`, `name_3` that is not taken, ignoring case.
pub fn free(name: &str, taken: &mut HashSet<String>) -> String {
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
        for long in [safe(&"\u{e4}".repeat(300)), plain(&"\u{e4}".repeat(300))] {
            assert!(long.len() <= MOST_BYTES && long.starts_with('\u{e4}'));
        }
        assert_eq!(plain("../neck line.2-\u{e4}"), "___neck_line_2-\u{e4}");
        assert_eq!((plain("CON"), plain("")), ("CON".to_owned(), String::new()));

        let mut taken = HashSet::new();
        let names = ["a", "A", "a_2", "a"].map(|name| free(name, &mut taken));
        assert_eq!(names, ["a", "A_2", "a_2_2", "a_3"]);
        assert_eq!(numbered(7, 4, Path::new("x/a:b.JPG")), "0007_a_b.JPG");
    }
}
