//! What Slurm's `srun` says to each process that it starts.

use anyhow::{Context as _, ensure};

/// The place of a process among those of an `srun`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number, from 0.
    pub rank: usize,
    /// Its number on its computer, from 0.
    pub local_rank: usize,
    /// How many there are.
    pub size: usize,
    /// How many there are on its computer.
    pub local_size: usize,
    /// Cores that the job has on this computer, whether or not it is kept on them.
    pub cores: Option<usize>,
    /// The computer of process 0.
    pub first: String,
    /// A port that other jobs hardly use.
    pub port: u16,
    /// What tells it from others.
    pub name: String,
}

impl Step {
    /// From the environment; `None` where no `srun` has started this process, as in the script of an `sbatch`.
    ///
    /// # Errors
    /// A variable is missing or cannot be read; the message names it.
    pub fn of(variable: &impl Fn(&str) -> Option<String>) -> anyhow::Result<Option<Self>> {
        if variable("SLURM_STEP_NUM_TASKS").is_none() {
            return Ok(None);
        }
        let text = |name: &str| {
            variable(name).with_context(|| {
                format!(
                    "{name} is not set, though this process seems to be one of an srun (SLURM_STEP_NUM_TASKS is \
                     set): set WORLD_SIZE=1 to train in one process"
                )
            })
        };
        let number = |name: &str| {
            let value = text(name)?;
            value.parse::<usize>().with_context(|| format!("{name}={value} is not a number"))
        };
        let (job, step) = (number("SLURM_JOB_ID")?, number("SLURM_STEP_ID")?);
        let tasks = text("SLURM_STEP_TASKS_PER_NODE")?;
        let node = number("SLURM_NODEID")?;
        let local_size = tasks_of(&tasks, node)
            .with_context(|| format!("SLURM_STEP_TASKS_PER_NODE={tasks} has no number for node {node}"))?;
        let first = first_of(&text("SLURM_STEP_NODELIST")?);
        ensure!(!first.is_empty(), "SLURM_STEP_NODELIST names no computer");
        Ok(Some(Self {
            rank: number("SLURM_PROCID")?,
            local_rank: number("SLURM_LOCALID")?,
            size: number("SLURM_STEP_NUM_TASKS")?,
            local_size,
            cores: variable("SLURM_CPUS_ON_NODE").and_then(|cores| cores.parse().ok()),
            first,
            // Below those that systems give to whoever asks for any.
            port: 15_000 + (job.wrapping_mul(10).wrapping_add(step) % 15_000) as u16,
            name: format!("{job}.{step}"),
        }))
    }
}

/// The number of tasks on a node, of `2(x3),1`: two on each of three nodes, then one.
fn tasks_of(text: &str, node: usize) -> Option<usize> {
    let mut first = 0;
    for part in text.split(',') {
        let (tasks, nodes) = match part.split_once("(x") {
            Some((tasks, nodes)) => (tasks, nodes.strip_suffix(')')?.parse().ok()?),
            None => (part, 1),
        };
        if node < first + nodes {
            return tasks.parse().ok();
        }
        first += nodes;
    }
    None
}

/// The first of `rack1-[07-09,12],login`: `rack1-07`.
fn first_of(list: &str) -> String {
    let mut name = String::new();
    let (mut in_brackets, mut is_over) = (false, false);
    for character in list.chars() {
        match character {
            '[' => in_brackets = true,
            ']' => (in_brackets, is_over) = (false, false),
            ',' if !in_brackets => break,
            '-' | ',' if in_brackets => is_over = true,
            _ if is_over => {}
            character => name.push(character),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As seen in a step of three nodes.
    const SRUN: [(&str, &str); 10] = [
        ("SLURM_JOB_ID", "4711"),
        ("SLURM_STEP_ID", "2"),
        ("SLURM_STEP_NUM_TASKS", "5"),
        ("SLURM_STEP_TASKS_PER_NODE", "2(x2),1"),
        ("SLURM_STEP_NODELIST", "node[08-10]"),
        ("SLURM_NODEID", "1"),
        ("SLURM_PROCID", "3"),
        ("SLURM_LOCALID", "1"),
        ("SLURM_CPUS_ON_NODE", "8"),
        ("SLURM_NTASKS", "5"),
    ];

    fn step(variables: &[(&str, &str)]) -> anyhow::Result<Option<Step>> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name);
        Step::of(&|name: &str| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn srun_says_where_a_process_is() {
        let step = step(&SRUN).unwrap().unwrap();
        assert_eq!((step.rank, step.size, step.local_rank, step.local_size), (3, 5, 1, 2));
        assert_eq!((step.first.as_str(), step.cores, step.name.as_str()), ("node08", Some(8), "4711.2"));
        assert_eq!(step.port, 15_000 + 47_112 % 15_000);
    }

    #[test]
    fn the_script_of_an_sbatch_is_no_step() {
        let script =
            [("SLURM_JOB_ID", "2"), ("SLURM_NTASKS", "2"), ("SLURM_PROCID", "0"), ("SLURM_LOCALID", "0")];
        assert_eq!(step(&script).unwrap(), None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = step(&SRUN[..5]).unwrap_err().to_string();
        assert!(error.starts_with("SLURM_NODEID is not set"), "{error}");
    }

    #[test]
    fn lists_of_nodes_and_tasks_are_read() {
        let lists = [
            ("vm", "vm"),
            ("a,b[1-3]", "a"),
            ("node[08-10]", "node08"),
            ("gpu-[3,7-9],x", "gpu-3"),
            ("r[1-2]n[04-06].local", "r1n04.local"),
        ];
        for (list, first) in lists {
            assert_eq!(first_of(list), first, "{list}");
        }
        assert_eq!([0, 2, 3, 4].map(|node| tasks_of("4(x3),1", node)), [Some(4), Some(4), Some(1), None]);
        assert_eq!(tasks_of("2", 0), Some(2));
    }
}
