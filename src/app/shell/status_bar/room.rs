//! Who gives way where the bar is narrow.

/// The form in which each part is shown, and the room that is left then.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// By part, which of its forms.
    pub forms: Vec<usize>,
    /// In points; negative where even the leanest forms do not fit.
    pub spare: f32,
}

/// Finds room for parts that stand in a row, `gap` between them. Each has forms of these widths, the fullest first; 0 is
/// left out. As long as they do not fit, parts go to their next form, one after the other as `order` names them.
pub fn fitting(room: f32, gap: f32, widths: &[Vec<f32>], order: &[usize]) -> Fit {
    let mut forms = vec![0; widths.len()];
    let spare = |forms: &[usize]| {
        let shown = widths.iter().zip(forms).filter_map(|(widths, form)| widths.get(*form));
        let shown: Vec<f32> = shown.copied().filter(|width| *width > 0.0).collect();
        room - shown.iter().sum::<f32>() - gap * shown.len().saturating_sub(1) as f32
    };
    for part in order {
        if spare(&forms) >= 0.0 {
            break;
        }
        if forms[*part] + 1 < widths[*part].len() {
            forms[*part] += 1;
        }
    }
    Fit { spare: spare(&forms), forms }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_give_way_in_their_order_and_only_as_far_as_needed() {
        let widths = [vec![100.0, 40.0], vec![60.0, 20.0, 0.0], vec![50.0]];
        let order = [1, 0, 1, 2];
        let fit = |room| {
            let Fit { forms, spare } = fitting(room, 10.0, &widths, &order);
            (forms, spare)
        };
        assert_eq!(fit(230.0), (vec![0, 0, 0], 0.0));
        assert_eq!(fit(229.0), (vec![0, 1, 0], 39.0));
        assert_eq!(fit(189.0), (vec![1, 1, 0], 59.0));
        // With the part goes its gap.
        assert_eq!(fit(129.0), (vec![1, 2, 0], 29.0));
        assert_eq!(fit(90.0), (vec![1, 2, 0], -10.0), "nothing is left that could give way");
    }

    #[test]
    fn what_is_not_there_takes_no_room() {
        let none = fitting(100.0, 10.0, &[vec![0.0], vec![], vec![100.0]], &[0, 1]);
        assert_eq!(none, Fit { forms: vec![0, 0, 0], spare: 0.0 });
    }
}
