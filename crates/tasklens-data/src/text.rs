//! Counts, shares and times as text, in one way for all messages.

use std::time::{Duration, SystemTime};

/// `one` for a count of 1, else `many`.
pub fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// "1 row", "12345 rows".
pub fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", plural(count, "", "s"))
}

/// "1 row", "12,345 rows".
pub fn counted_grouped(count: usize, word: &str) -> String {
    format!("{} {word}{}", grouped(count as u64), plural(count, "", "s"))
}

/// The verb after a count.
pub fn is(count: usize) -> &'static str {
    plural(count, "is", "are")
}

/// `12345` as `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share as a percentage with one decimal, and never `100.0 %` or `0.0 %` for what is not exactly so.
pub fn percent(share: impl Into<f64>) -> String {
    match share.into() {
        share if share > 0.0 && share < 0.000_5 => "<0.1 %".to_owned(),
        share if (0.999_5..1.0).contains(&share) => ">99.9 %".to_owned(),
        share => format!("{:.1} %", share * 100.0),
    }
}

/// A share as a whole percentage, and never `100 %` or `0 %` for what is not exactly so.
pub fn whole_percent(share: impl Into<f64>) -> String {
    match share.into() {
        share if share > 0.0 && share < 0.005 => "<1 %".to_owned(),
        share if (0.995..1.0).contains(&share) => ">99 %".to_owned(),
        share => format!("{:.0} %", share * 100.0),
    }
}

/// `0:42`, `12:05`, `1:02:03`.
pub fn duration(duration: Duration) -> String {
    let secs = duration.as_secs();
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{secs:02}") } else { format!("{minutes}:{secs:02}") }
}

/// [`duration`] of seconds, which may be anything.
pub fn clock(secs: f64) -> String {
    duration(Duration::try_from_secs_f64(secs).unwrap_or_default())
}

/// How long ago, in one unit.
pub fn age(then: SystemTime, now: SystemTime) -> String {
    age_of(now.duration_since(then).unwrap_or(Duration::ZERO))
}

/// A time that has passed, in one unit.
pub fn age_of(since: Duration) -> String {
    match since.as_secs() {
        0..60 => "just now".to_owned(),
        since @ 60..3600 => format!("{} min ago", since / 60),
        since @ 3600..86_400 => format!("{} h ago", since / 3600),
        86_400..172_800 => "yesterday".to_owned(),
        since => format!("{} days ago", since / 86_400),
    }
}

/// Messages begin as sentences do, wherever they come from; a name of a file or key stays as it is.
pub fn capitalised(message: String) -> String {
    let first_word = message.split(' ').next().unwrap_or_default();
    if !first_word.chars().all(|letter| letter.is_ascii_lowercase()) {
        return message;
    }
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// An error and its causes in one line; what a cause says that was said before is left out.
pub fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(|cause| plain(&cause.to_string())) {
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// A message without what says nothing to a reader: the number that the system gives an error, `(os error 2)`.
pub fn plain(message: &str) -> String {
    const NUMBER: &str = " (os error ";
    let mut parts = message.split(NUMBER);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.bytes().all(|digit| digit.is_ascii_digit()) => {
                plain.push_str(rest);
            }
            _ => plain.extend([NUMBER, part]),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_one_unit() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000_000);
        let told = |secs| age(now - Duration::from_secs(secs), now);
        assert_eq!(told(5), "just now");
        assert_eq!(told(125), "2 min ago");
        assert_eq!(told(7300), "2 h ago");
        assert_eq!(told(100_000), "yesterday");
        assert_eq!(told(300_000), "3 days ago");
        assert_eq!(age(now + Duration::from_secs(9), now), "just now", "a clock that was set back");
    }

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!([0, 999, 1000, 3409, 1_234_567].map(grouped), ["0", "999", "1,000", "3,409", "1,234,567"]);
        assert_eq!(
            [0.0, 0.004, 0.154, 0.996, 1.0].map(|share: f64| whole_percent(share)),
            ["0 %", "<1 %", "15 %", ">99 %", "100 %"]
        );
        assert_eq!([42, 725, 3723].map(|s| duration(Duration::from_secs(s))), ["0:42", "12:05", "1:02:03"]);
    }

    #[test]
    fn counts_agree_with_their_words() {
        assert_eq!([0, 1, 1234].map(|count| counted(count, "row")), ["0 rows", "1 row", "1234 rows"]);
        assert_eq!([1, 1234].map(|count| counted_grouped(count, "row")), ["1 row", "1,234 rows"]);
        assert_eq!([0, 1, 2].map(is), ["are", "is", "are"]);
    }

    #[test]
    fn certainty_is_never_rounded_up() {
        assert_eq!(percent(0.931), "93.1 %");
        assert_eq!(percent(0.9997), ">99.9 %");
        assert_eq!(percent(1.0), "100.0 %");
        assert_eq!(percent(0.0001), "<0.1 %");
        assert_eq!(percent(0.0), "0.0 %");
        assert_eq!(
            [0.0, 0.004, 0.87, 0.996, 1.0].map(|share: f32| whole_percent(share)),
            ["0 %", "<1 %", "87 %", ">99 %", "100 %"]
        );
    }

    #[test]
    fn times_read_like_a_clock() {
        assert_eq!(clock(42.4), "0:42");
        assert_eq!(clock(425.0), "7:05");
        assert_eq!(clock(3723.0), "1:02:03");
        assert_eq!(clock(f64::NAN), "0:00");
    }

    #[test]
    fn causes_are_told_once_and_without_numbers() {
        let missing = || std::io::Error::from_raw_os_error(2);
        let error = anyhow::Error::new(missing()).context("a.csv cannot be read");
        assert_eq!(told(&error), "a.csv cannot be read: No such file or directory");
        let error = anyhow::Error::new(missing()).context(format!("a.csv: {}", missing())).context("opening");
        assert_eq!(told(&error), "opening: a.csv: No such file or directory");
        assert_eq!(plain("No space (os error 28); free some (now)"), "No space; free some (now)");
        for kept in ["a (os error x)", "a (os error 2", "b"] {
            assert_eq!(plain(kept), kept);
        }
    }

    #[test]
    fn messages_begin_with_a_capital_and_names_stay() {
        let said = |text: &str| capitalised(text.to_owned());
        assert_eq!(said("the disk is full"), "The disk is full");
        for name in ["lost.png is gone", "`print` has no label", "2 labels", "\u{e9}tude", ""] {
            assert_eq!(said(name), name);
        }
    }
}
