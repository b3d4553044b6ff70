use egui::{Color32, pos2};

use super::*;

/// Places without order, the same each time.
fn places(count: usize) -> Vec<[f32; 2]> {
    let part = |n: usize, prime: usize| (n * prime % 10_007) as f32 / 5003.5 - 1.0;
    (0..count).map(|n| [part(n * n + 3, 7919), part(n * 31 + 5, 6007)]).collect()
}

fn dots(count: usize) -> Vec<Dot> {
    (0..count as u32).map(|item| Dot { item, color: Color32::GRAY, is_dim: item % 5 == 0 }).collect()
}

fn cloud<'a>(places: &'a [[f32; 2]], dots: &'a [Dot]) -> Cloud<'a> {
    Cloud { places, half: vec2(1.0, 1.0), dots, version: 1 }
}

#[test]
fn the_nearest_point_is_that_of_a_search_through_all() {
    for count in [1, 2, 40, 3000] {
        let (places, dots) = (places(count), dots(count));
        let cloud = cloud(&places, &dots);
        let grid = Grid::new(&cloud);
        for n in 0..400 {
            let [x, y] = [(n * 37 % 101) as f32 / 45.0 - 1.1, (n * 53 % 103) as f32 / 46.0 - 1.1];
            for reach in [0.01, 0.1, 3.0] {
                let distance = |item: usize| (places[item][0] - x).hypot(places[item][1] - y);
                let lit = (0..count).filter(|item| item % 5 != 0 && distance(*item) <= reach);
                let expected = lit.min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
                let found = grid.nearest(&cloud, [x, y], reach);
                assert_eq!(found.map(distance), expected.map(distance), "{count} points, at {x}, {y}");
            }
        }
    }
}

#[test]
fn points_on_a_line_or_on_one_spot_are_found_too() {
    let line: Vec<[f32; 2]> = (0..1000).map(|n| [n as f32 / 1000.0, 0.25]).collect();
    let spot = vec![[0.5, 0.5]; 1000];
    let dots: Vec<Dot> = (0..1000).map(|item| Dot { item, color: Color32::GRAY, is_dim: false }).collect();
    let on_line = Grid::new(&cloud(&line, &dots));
    assert_eq!(on_line.nearest(&cloud(&line, &dots), [0.7002, 0.26], 0.1), Some(700));
    let on_spot = Grid::new(&cloud(&spot, &dots));
    // The one on top.
    assert_eq!(on_spot.nearest(&cloud(&spot, &dots), [0.51, 0.5], 0.1), Some(999));
    assert_eq!(Grid::new(&cloud(&spot, &[])).nearest(&cloud(&spot, &[]), [0.5, 0.5], 9.0), None);
}

#[test]
fn a_lasso_holds_what_is_inside_also_where_it_is_not_convex() {
    // A C, open to the right.
    let c = [[0.0, 0.0], [4.0, 0.0], [4.0, 1.0], [1.0, 1.0], [1.0, 3.0], [4.0, 3.0], [4.0, 4.0], [0.0, 4.0]];
    let polygon = Polygon::new(&c);
    for (place, is_inside) in [
        ([0.5, 2.0], true),
        ([3.5, 0.5], true),
        ([3.5, 3.5], true),
        ([2.0, 2.0], false),
        ([3.9, 2.9], false),
        ([-0.1, 2.0], false),
        ([2.0, 4.1], false),
    ] {
        assert_eq!(polygon.contains(place), is_inside, "{place:?}");
    }
    // A figure of eight: both halves are inside.
    let eight = Polygon::new(&[[0.0, 0.0], [2.0, 2.0], [2.0, 0.0], [0.0, 2.0]]);
    assert!(eight.contains([0.2, 1.0]) && eight.contains([1.8, 1.0]) && !eight.contains([1.0, 0.3]));
    // A click that was no loop holds nothing.
    assert!(!Polygon::new(&[[1.0, 1.0]]).contains([1.0, 1.0]));
    assert!(!Polygon::new(&[]).contains([0.0, 0.0]));
}

#[test]
fn a_lasso_catches_what_is_drawn_and_not_dim_in_ascending_order() {
    let places = [[0.0, 0.0], [0.1, 0.0], [0.2, 0.0], [0.9, 0.9]];
    let mut dots: Vec<Dot> =
        [3, 2, 1, 0].map(|item| Dot { item, color: Color32::GRAY, is_dim: false }).to_vec();
    let square = || Polygon::new(&[[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]);
    assert_eq!(square().holds(&cloud(&places, &dots)), [0, 1, 2]);
    dots[2].is_dim = true;
    assert_eq!(square().holds(&cloud(&places, &dots)), [0, 2]);
}

#[test]
fn what_is_under_the_pointer_stays_there_when_zooming() {
    let rect = Rect::from_min_max(pos2(10.0, 20.0), pos2(810.0, 420.0));
    let half = vec2(1.0, 0.5);
    let mut view = View::default();
    let pointer = pos2(600.0, 300.0);
    let before = view.on(rect, half).place_of(pointer);
    view.zoom(3.0, pointer, rect, half);
    let screen = view.on(rect, half);
    let after = screen.place_of(pointer);
    assert!((before[0] - after[0]).abs() < 1e-4 && (before[1] - after[1]).abs() < 1e-4);
    assert!(screen.pos_of(after).distance(pointer) < 1e-2);
    // Up is up.
    assert!(screen.pos_of([0.0, 0.4]).y < screen.pos_of([0.0, -0.4]).y);
    view.zoom(0.1, pointer, rect, half);
    assert_eq!(view, View::default(), "all the way out shows everything");
}
