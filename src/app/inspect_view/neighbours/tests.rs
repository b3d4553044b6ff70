use super::*;

/// Items on an arc, one degree apart; every third validates.
fn arc(count: usize) -> Inspection {
    let features = crate::inference::outputs::Features::drawn(count, 2, |item, axis| {
        let angle = (item as f32).to_radians();
        if axis == 0 { angle.cos() } else { angle.sin() }
    });
    let part = |item| if item % 3 == 1 { Part::Validation } else { Part::Train };
    Inspection {
        rows: (0..count).map(|item| 10 * item).collect(),
        parts: (0..count).map(part).collect(),
        tasks: Vec::new(),
        features,
    }
}

#[test]
fn neighbours_are_training_items_without_the_one_asked_about() {
    let arc = arc(40);
    let items = |of| find(&arc, of, &mut |_, _| true).unwrap().iter().map(|n| n.item).collect::<Vec<_>>();
    let validation = items(19);
    assert_eq!(validation.len(), COUNT);
    let mut nearest = validation[..4].to_vec();
    nearest.sort_unstable();
    assert_eq!(nearest, [17, 18, 20, 21]);
    assert!(validation.iter().all(|item| item % 3 != 1), "{validation:?}");
    let train = items(20);
    assert_eq!(train[0], 21);
    assert!(!train.contains(&20));
    assert!(find(&arc, 19, &mut |_, _| false).is_none());
    // Where nothing trains, there is nothing.
    let only = Inspection { parts: vec![Part::Validation; 40], ..arc };
    assert!(find(&only, 3, &mut |_, _| true).unwrap().is_empty());
}
