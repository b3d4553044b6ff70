//! How much memory rows take.

use std::fs;

use super::*;

/// What 289,222 rows need, as the coarse annotation has: `cargo test --release ... -- --ignored rows_of_the --nocapture`.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "measures memory: run it alone"]
fn as_many_rows_as_the_coarse_annotation_need_less_than_a_gigabyte() {
    const ROWS: usize = 289_222;
    let world = World::new();
    let lines = |line: &dyn Fn(usize) -> String| (0..ROWS).map(line).collect::<String>();
    let path = |row: usize| format!("img/Sheer_Pleated-Front_Blouse_{:04}/img_{row:08}.jpg\n", row / 50);
    fs::write(world.annotation("train.txt"), lines(&path)).unwrap();
    fs::write(world.annotation("train_cate.txt"), lines(&|row| format!("{}\n", row % 6 + 1))).unwrap();
    let flags = fs::read_to_string(world.annotation("val_attr.txt")).unwrap();
    let flags: Vec<&str> = flags.lines().collect();
    fs::write(world.annotation("train_attr.txt"), lines(&|row| format!("{}\n", flags[row % 3]))).unwrap();
    fs::write(world.annotation("train_bbox.txt"), lines(&|_| "001 002 060 070\n".to_owned())).unwrap();
    let imported = world.import().unwrap();
    assert_eq!((imported.rows, imported.problems.len()), ([ROWS + 6, ROWS + 6, 6], ROWS));
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim();
    println!("peak memory: {peak}");
    let kilobytes: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    assert!(kilobytes < 1_000_000);
}

#[test]
fn a_row_is_small() {
    assert!(
        size_of::<AnnotationRow>() <= 40 && size_of::<Chosen>() <= 8,
        "{} {}",
        size_of::<AnnotationRow>(),
        size_of::<Chosen>()
    );
    assert!(size_of::<ImportProblem>() <= 64, "{}", size_of::<ImportProblem>());
}
