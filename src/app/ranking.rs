//! How well what is typed fits a name: for the command palette and for finding a label. No drawing.

/// How it fits, the better the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Its letters occur in order.
    Scattered,
    /// Its letters occur in order, each at the start of a word or right behind the one before.
    Initials,
    /// It occurs within.
    Within,
    /// Each of its words begins a word.
    Words,
    /// The name begins with it.
    Begins,
    /// It is the name.
    Equal,
}

/// How what is typed fits a name: first by level, then the better the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fit {
    /// In which way.
    pub level: Level,
    /// How well, within the level.
    score: i32,
}

/// How `typed` fits `name`, whatever the case; `None` where it does not.
pub fn fit(typed: &str, name: &str) -> Option<Fit> {
    let (typed, name) = (typed.trim().to_lowercase(), name.to_lowercase());
    let (score, is_close) =
        letters_in_order(&typed, &name).or_else(|| begins_words(&typed, &name).then_some((0, false)))?;
    let level = if typed == name {
        Level::Equal
    } else if name.starts_with(&typed) {
        Level::Begins
    } else if begins_words(&typed, &name) {
        Level::Words
    } else if name.contains(&typed) {
        Level::Within
    } else if is_close {
        Level::Initials
    } else {
        Level::Scattered
    };
    Some(Fit { level, score })
}

/// The positions of the names that fit, the best first, and as they are where nothing is typed.
pub fn best_first<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
    let fits = names.into_iter().enumerate();
    let mut found: Vec<(Fit, usize)> =
        fits.filter_map(|(position, name)| Some((fit(typed, name)?, position))).collect();
    if !typed.trim().is_empty() {
        found.sort_by_key(|(fit, _)| std::cmp::Reverse(*fit));
    }
    found.into_iter().map(|(_, position)| position).collect()
}

fn begins_words(typed: &str, name: &str) -> bool {
    let words = || name.split(|letter: char| !letter.is_alphanumeric());
    typed.split_whitespace().all(|part| words().any(|word| word.starts_with(part)))
}

/// How well the letters of `typed` occur in order: letters in a row and at the start of words count more. And whether
/// each is one of these. `None` where they do not.
fn letters_in_order(typed: &str, name: &str) -> Option<(i32, bool)> {
    let name: Vec<char> = name.chars().collect();
    let (mut score, mut is_close) = (0, true);
    let mut at = 0;
    let mut last = None;
    for letter in typed.chars().filter(|letter| !letter.is_whitespace()) {
        let found = at + name[at..].iter().position(|other| *other == letter)?;
        let starts_word = found == 0 || !name[found - 1].is_alphanumeric();
        let in_a_row = last.is_some_and(|last| last + 1 == found);
        is_close &= starts_word || in_a_row;
        score += 1 + 4 * i32::from(starts_word) + 5 * i32::from(in_a_row);
        // A long way to the next letter is a poor fit.
        score -= i32::try_from(found - at).unwrap_or(i32::MAX).min(3);
        last = Some(found);
        at = found + 1;
    }
    Some((score, is_close))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_the_better_the_more_of_it_is_typed_from_its_beginning() {
        let level = |typed, name| fit(typed, name).map(|fit| fit.level);
        assert_eq!(level("Denim", "denim"), Some(Level::Equal));
        assert_eq!(level("den", "Denim jacket"), Some(Level::Begins));
        assert_eq!(level("jack den", "denim jacket"), Some(Level::Words));
        assert_eq!(level("nim", "denim jacket"), Some(Level::Within));
        assert_eq!(level("dja", "denim jacket"), Some(Level::Initials));
        assert_eq!(level("dkt", "denim jacket"), Some(Level::Scattered));
        assert_eq!(level("tkd", "denim jacket"), None);
    }

    #[test]
    fn the_best_comes_first_and_equals_keep_their_order() {
        let names = ["light denim", "midi", "denim", "leather", "denim jacket"];
        assert_eq!(best_first("den", names), [2, 4, 0]);
        assert_eq!(best_first("  ", names), [0, 1, 2, 3, 4]);
        assert_eq!(best_first("zz", names), [] as [usize; 0]);
    }
}
