//! Right-to-left text in the order in which it is read.

use std::borrow::Cow;

use unicode_bidi::{BidiInfo, Level};

/// The text as egui must be given it so that Arabic, Hebrew and other right-to-left words stand where a reader
/// expects them, in one line.
///
/// egui shapes each word from right to left but places words from left to right, so words and the
/// punctuation between them change places here (Unicode Bidirectional Algorithm, UAX #9). For display only: a text
/// to be edited stays as it is.
pub fn in_visual_order(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    if !BidiInfo::new(text, None).has_rtl() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            shown.push('\n');
        }
        // File names keep their ending at the right.
        let base = line.ends_with(|last: char| last.is_ascii_alphabetic()).then(Level::ltr);
        let bidi = BidiInfo::new(line, base);
        for paragraph in &bidi.paragraphs {
            let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
            for run in runs {
                let is_rtl = levels.get(run.start).is_some_and(|level| level.is_rtl());
                let run = line.get(run).unwrap_or_default();
                if is_rtl { push_reversed(&mut shown, run) } else { shown.push_str(run) }
            }
        }
    }
    Cow::Owned(shown)
}

/// Appends the words of a right-to-left run and what stands between them, last first.
fn push_reversed(shown: &mut String, run: &str) {
    // What is not ASCII is in the font of the script and is shaped as one piece.
    let mut end = run.len();
    while let Some(last) = run[..end].chars().next_back() {
        let piece = if last.is_ascii() {
            end - last.len_utf8()
        } else {
            run[..end].rfind(|c: char| c.is_ascii()).map_or(0, |at| at + 1)
        };
        if last.is_ascii() {
            shown.push(mirrored(last));
        } else {
            shown.push_str(&run[piece..end]);
        }
        end = piece;
    }
}

/// A bracket as it opens or closes from the other side.
fn mirrored(c: char) -> char {
    match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '<' => '>',
        '>' => '<',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_to_right_text_stays_as_it_is() {
        for text in ["", "long sleeve", "Ärmel (lang)", "长袖 日本語", "แขนยาว"] {
            assert!(matches!(in_visual_order(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn words_stand_from_right_to_left_and_keep_their_letters() {
        assert_eq!(in_visual_order("שרוול"), "שרוול", "egui shapes one word itself");
        assert_eq!(in_visual_order("שרוול ארוך"), "ארוך שרוול");
        assert_eq!(in_visual_order("كم، طويل"), "طويل كم،");
        assert_eq!(in_visual_order("שרוול (ארוך)"), "(ארוך) שרוול");
    }

    #[test]
    fn numbers_and_latin_words_in_it_read_from_left_to_right() {
        assert_eq!(in_visual_order("שרוול 12 ארוך"), "ארוך 12 שרוול");
        assert_eq!(in_visual_order("photo שרוול ארוך.jpg"), "photo ארוך שרוול.jpg");
        assert_eq!(in_visual_order("תמונה.jpg"), "תמונה.jpg");
        assert_eq!(in_visual_order("תמונה יפה 2.jpg"), "2 יפה תמונה.jpg");
    }

    #[test]
    fn each_line_is_for_itself() {
        assert_eq!(in_visual_order("שרוול ארוך\nlong"), "ארוך שרוול\nlong");
    }
}
