//! What stands above the list of suspects.

use tasklens_data::text::grouped;
use tasklens_net::evaluation::wrong_labels::WrongLabels;

/// How much there is to review; where the list is no measure of what is wrong, what to do first.
pub fn headline(wrong: &WrongLabels, open: u64) -> String {
    match wrong {
        WrongLabels::Share { .. } => format!("{} to review", grouped(open)),
        WrongLabels::NetworkTooWeak { .. } => "Train longer first, then review".to_owned(),
        WrongLabels::TooFewRows { .. } => "Too few validation images to tell how many are wrong".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tasklens_net::evaluation::intervals::Estimate;

    use super::*;

    #[test]
    fn the_heading_counts_only_where_the_list_is_a_measure_of_what_is_wrong() {
        let share = Estimate { value: 0.1, low: 0.05, high: 0.2 };
        assert_eq!(headline(&WrongLabels::Share { rows: 500, share }, 1022), "1,022 to review");
        for wrong in [WrongLabels::NetworkTooWeak { rows: 500 }, WrongLabels::TooFewRows { rows: 8 }] {
            assert!(!headline(&wrong, 22).contains("22"), "{wrong:?}");
        }
    }
}
