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

/// An English text with right-to-left words in it, already broken into lines: each line in the order in which it is
/// read. `ends` are the byte positions in `text` where its lines end; a break in `text` itself stands before such an end.
pub fn lines_in_visual_order(text: &str, ends: &[usize]) -> String {
    let bidi = BidiInfo::new(text, Some(Level::ltr()));
    let mut lines = Vec::with_capacity(ends.len());
    let mut start = 0;
    for end in ends.iter().copied() {
        let mut shown = String::new();
        // What is left out at the end of a line is the space or the break.
        let line = start..start + text.get(start..end).unwrap_or_default().trim_end().len();
        let paragraph = bidi.paragraphs.iter().find(|paragraph| paragraph.range.contains(&start));
        if let Some(paragraph) = paragraph.filter(|_| !line.is_empty()) {
            let (levels, runs) = bidi.visual_runs(paragraph, line);
            for run in runs {
                let is_rtl = levels.get(run.start).is_some_and(|level| level.is_rtl());
                let run = text.get(run).unwrap_or_default();
                if is_rtl { push_reversed(&mut shown, run) } else { shown.push_str(run) }
            }
        }
        lines.push(shown);
        start = end;
    }
    lines.join("\n")
}

/// Whether a text has words that are read from right to left.
pub fn has_right_to_left(text: &str) -> bool {
    !text.is_ascii() && BidiInfo::new(text, None).has_rtl()
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
    fn a_name_that_a_break_divides_reads_on_in_the_next_line() {
        let text = "Done: שרוול ארוך מאוד is new";
        let all = lines_in_visual_order(text, &[text.len()]);
        assert_eq!(all, "Done: מאוד ארוך שרוול is new");
        let end = text.find("מאוד").unwrap();
        assert_eq!(lines_in_visual_order(text, &[end, text.len()]), "Done: ארוך שרוול\nמאוד is new");
        let first = "Done: שרוול ארוך\n".len();
        let text = "Done: שרוול ארוך\nשרוול ארוך";
        assert_eq!(lines_in_visual_order(text, &[first, text.len()]), "Done: ארוך שרוול\nארוך שרוול");
    }

    #[test]
    fn each_line_is_for_itself() {
        assert_eq!(in_visual_order("שרוול ארוך\nlong"), "ארוך שרוול\nlong");
    }
}
