//! The training images most similar to an image, by the cosine of their features.

use tasklens_data::dataset::split::Part;
use tasklens_data::work::KeepGoing;

use super::inspection::Inspection;
use crate::inference::neighbours::{Neighbour, nearest, nearest_to_item};

/// The `count` nearest training images of an item, excluding itself, as items; `None` if cancelled by `keep_going`.
pub fn training_neighbours(
    inspection: &Inspection,
    item: usize,
    count: usize,
    keep_going: &mut KeepGoing<'_>,
) -> Option<Vec<Neighbour>> {
    let train = inspection.items_of(Some(Part::Train));
    let features = inspection.features.pick(&train);
    let mut found = match train.binary_search(&item) {
        Ok(place) => nearest_to_item(&features, place, count, keep_going)?,
        Err(_) => nearest(&features, &inspection.features.gather(&[item]), count, keep_going)?,
    };
    for neighbour in &mut found {
        neighbour.item = train[neighbour.item];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::features::Features;

    const COUNT: usize = 12;

    /// Items on an arc, one degree apart; every third validates.
    fn arc(count: usize) -> Inspection {
        let features = Features::drawn(count, 2, |item, axis| {
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
        let items = |of| {
            training_neighbours(&arc, of, COUNT, &mut |_, _| true)
                .unwrap()
                .iter()
                .map(|n| n.item)
                .collect::<Vec<_>>()
        };
        let validation = items(19);
        assert_eq!(validation.len(), COUNT);
        let mut nearest = validation[..4].to_vec();
        nearest.sort_unstable();
        assert_eq!(nearest, [17, 18, 20, 21]);
        assert!(validation.iter().all(|item| item % 3 != 1), "{validation:?}");
        let train = items(20);
        assert_eq!(train[0], 21);
        assert!(!train.contains(&20));
        assert!(training_neighbours(&arc, 19, COUNT, &mut |_, _| false).is_none());
        // Where nothing trains, there is nothing.
        let only = Inspection { parts: vec![Part::Validation; 40], ..arc };
        assert!(training_neighbours(&only, 3, COUNT, &mut |_, _| true).unwrap().is_empty());
    }
}
