//! Numbers and times as text.

use std::time::{Duration, SystemTime};

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

/// A share as a whole percentage, and never `100 %` or `0 %` for what is not exactly so.
pub fn whole_percent(share: f64) -> String {
    match share {
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
            [0.0, 0.004, 0.154, 0.996, 1.0].map(whole_percent),
            ["0 %", "<1 %", "15 %", ">99 %", "100 %"]
        );
        assert_eq!([42, 725, 3723].map(|s| duration(Duration::from_secs(s))), ["0:42", "12:05", "1:02:03"]);
    }
}
