//! Text in either of its two Unicode forms: `é` as one character or as `e` with an accent, as zip files from a Mac
//! have it.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// The composed form (NFC), to compare with.
pub(crate) fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().collect())
}

/// Whether two texts are the same, whatever Unicode form each is in.
pub fn is_same(a: &str, b: &str) -> bool {
    a == b || (!a.is_ascii() && !b.is_ascii() && composed(a) == composed(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_text_are_the_same_and_other_texts_are_not() {
        let (one, two) = ("caf\u{e9}", "cafe\u{301}");
        assert!(is_same(one, two) && is_same(one, one) && is_same("a", "a"));
        assert!(!is_same(one, "cafe") && !is_same("cafe", "caff") && !is_same(one, "caf\u{e8}"));
        assert_eq!((composed(two), composed(one)), (one.into(), one.into()));
        assert!(matches!(composed(one), Cow::Borrowed(_)));
    }
}
