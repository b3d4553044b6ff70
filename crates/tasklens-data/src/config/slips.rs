//! The most common mistakes in a config that is not valid YAML, found in its text: the parser says where it stopped,
//! in its own terms, and seldom what is wrong.

/// The mistake that most likely stopped the parser at line `stopped` (from 1): its line and what to do.
pub(super) fn find(text: &str, stopped: usize) -> Option<(usize, String)> {
    // The parser often stops a line before it, where a group ends.
    let lines: Vec<&str> = text.lines().take(stopped + 1).collect();
    let found = |(at, line): (usize, &&str)| Some((at + 1, slip(line)?));
    lines.iter().enumerate().rev().find_map(found)
}

fn slip(line: &str) -> Option<String> {
    let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
    if rest.starts_with('#') || rest.is_empty() {
        return None;
    }
    if indent.contains('\t') {
        return Some("the line is indented with a tab; YAML takes spaces only".to_owned());
    }
    if indent.contains(|c| c != ' ') {
        return Some(
            "the line is indented with special spaces, as copied from a web page; type ordinary ones"
                .to_owned(),
        );
    }
    if let Some((key, _)) = rest.split_once(":\t") {
        return Some(format!("`{key}:` is followed by a tab; type a space"));
    }
    if let Some((key, value)) = lacks_space(rest) {
        return Some(format!("a space is missing after the colon; write `{key}: {value}`"));
    }
    hides_a_bracket(rest).then(|| {
        "` #` begins a comment, which hides the end of the list; put text that has a `#` in quotes".to_owned()
    })
}

/// The key and value of `epochs:1`.
pub(super) fn lacks_space(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once(':')?;
    let is_name = key.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_alphanumeric() || " _-".contains(c));
    // `https://..` and `C:\..` are not keys.
    let is_value = !value.is_empty() && !value.starts_with([' ', '\t', ':', '/', '\\']);
    (is_name && is_value).then_some((key, value.trim_end()))
}

/// Whether a comment starts before a bracket is closed.
fn hides_a_bracket(line: &str) -> bool {
    let Some((code, comment)) = line.split_once(" #") else { return false };
    let count = |brackets: [char; 2]| code.matches(brackets).count();
    count(['[', '{']) > count([']', '}']) && comment.contains([']', '}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_slip_before_the_place_where_the_parser_stopped_is_told() {
        let told = |text: &str, stopped| find(text, stopped).map(|(line, _)| line);
        let text = "a:1\nb: 2\nc:3\nd: 4\ne: 5\nf:6";
        assert_eq!(told(text, 4), Some(3));
        assert_eq!(told(text, 2), Some(3), "the parser stops a line early");
        assert_eq!(told(text, 1), Some(1));
        assert_eq!(told("a: 1\nb: [\n", 3), None);
    }

    #[test]
    fn what_is_right_is_no_slip() {
        for line in [
            "  # epochs:1",
            "url: https://a.b/c",
            "https://a.b",
            "C:\\data",
            "epochs: 1",
            "epochs:",
            "a: [b] # ]",
            "a: [\"b #1\"",
            "time: 12:30",
            "- a",
            "",
        ] {
            assert_eq!(slip(line), None, "{line}");
        }
    }
}
