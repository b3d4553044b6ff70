//! Natural order: img2 before img10.

use std::cmp::Ordering;

/// Compares by runs of digits and of other characters, ignoring case; equal only if the texts are identical.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let (number_a, number_b) = (digits(left), digits(right));
        let order = if number_a.is_empty() || number_b.is_empty() {
            let (x, y) = (first_char(&mut left), first_char(&mut right));
            x.to_lowercase().cmp(y.to_lowercase())
        } else {
            (left, right) = (&left[number_a.len()..], &right[number_b.len()..]);
            let (x, y) = (number_a.trim_start_matches('0'), number_b.trim_start_matches('0'));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

fn digits(text: &str) -> &str {
    &text[..text.bytes().take_while(u8::is_ascii_digit).count()]
}

fn first_char(text: &mut &str) -> char {
    let mut chars = text.chars();
    let first = chars.next().unwrap_or_default();
    *text = chars.as_str();
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["img10.png", "IMG2.png", "img1.png", "b", "a9b", "a10", "img02.png", "a", "10", "9"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            ["9", "10", "a", "a9b", "a10", "b", "img1.png", "IMG2.png", "img02.png", "img10.png"]
        );
    }
}
