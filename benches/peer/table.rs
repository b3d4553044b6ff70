//! The table that is printed.

use std::path::Path;
use std::process::Command;

/// Images a second of one work.
pub struct Row {
    pub work: String,
    pub ours: Option<f64>,
    pub openvino: Option<f64>,
    pub onnxruntime: Option<f64>,
    pub pytorch: Option<f64>,
}

/// Collects rows, and prints them as they come on standard error.
pub struct Table {
    head: String,
    rows: Vec<String>,
    remarks: Vec<String>,
}

impl Table {
    pub fn begin(root: &Path) -> Self {
        let git = |arguments: &[&str]| {
            let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let commit = git(&["rev-parse", "--short", "HEAD"]).unwrap_or_default();
        let changed =
            git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|text| !text.is_empty());
        let changed = if changed { " with changes" } else { "" };
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let head =
            format!("Commit `{commit}`{changed}; {}, {cores} cores; load before {}", processor(), load());
        Self { head, rows: Vec::new(), remarks: Vec::new() }
    }

    pub fn add(&mut self, row: &Row) {
        let peers = [row.openvino, row.onnxruntime, row.pytorch];
        let best = peers.into_iter().flatten().fold(f64::NAN, f64::max);
        let cell = |rate: Option<f64>| rate.map_or_else(String::new, |rate| format!("{rate:.1}"));
        let ratio = row.ours.map_or(f64::NAN, |ours| ours / best);
        let [openvino, onnxruntime, pytorch] = peers.map(cell);
        let line = format!(
            "| {} | {} | {openvino} | {onnxruntime} | {pytorch} | **{ratio:.2}** |",
            row.work,
            cell(row.ours)
        );
        eprintln!("{line}");
        self.rows.push(line);
    }

    pub fn remark(&mut self, remark: String) {
        eprintln!("{remark}");
        self.remarks.push(remark);
    }

    pub fn end(self) {
        println!("{}, after {}.\n", self.head, load());
        println!("| images/s | Tasklens | OpenVINO | ONNX Runtime | PyTorch | Tasklens / best of them |");
        println!("| --- | ---: | ---: | ---: | ---: | ---: |");
        for row in self.rows {
            println!("{row}");
        }
        println!();
        for remark in self.remarks {
            println!("{remark}");
        }
    }
}

/// The name of the processor, and whether it has bf16.
fn processor() -> String {
    let mut system = sysinfo::System::new();
    system.refresh_cpu_all();
    let name = system.cpus().first().map_or("", sysinfo::Cpu::brand).to_owned();
    let flags = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let has = |flag: &str| flags.split_whitespace().any(|word| word == flag);
    match (has("amx_bf16"), has("avx512_bf16")) {
        (true, _) => format!("{name} with AMX"),
        (_, true) => format!("{name} with AVX512-BF16"),
        _ => name,
    }
}

/// Other programs at work, of the last minute.
fn load() -> String {
    format!("{:.1}", sysinfo::System::load_average().one)
}
