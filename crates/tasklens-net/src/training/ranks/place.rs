//! Which of the processes of a training this is, as `torchrun`, `srun` or a Kubernetes PyTorchJob says it in the
//! environment.

use anyhow::{Context as _, ensure};
use tasklens_torch::group::Table;

use super::slurm::Step;

/// The place of this process among those that train together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number, from 0; the process 0 decides and writes.
    pub rank: usize,
    /// How many processes there are.
    pub size: usize,
    /// Its number on its computer, from 0.
    pub local_rank: usize,
    /// How many of them run on this computer.
    pub local_size: usize,
    /// Cores of this computer that are for them together, if not all that there are.
    cores: Option<usize>,
    /// Where they find each other.
    pub(super) table: Table,
    /// Whether the process 0 opens the table: `torchrun` has one of its own.
    pub(super) opens_table: bool,
    /// The network by which the others reach this process, if it was named.
    pub(super) interface: Option<String>,
}

impl Place {
    /// From the environment; `None` where this is the only process.
    ///
    /// # Errors
    /// A variable is missing or is no number; the message names it.
    pub fn from_env() -> anyhow::Result<Option<Self>> {
        Self::of(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Option<Self>> {
        let number = |name: &str| {
            let parse = |value: String| {
                value.parse::<usize>().with_context(|| format!("{name}={value} is not a number"))
            };
            variable(name).map(parse).transpose()
        };
        // Where a process of `srun` is told it is the only one, or starts others by torchrun, Slurm has no say.
        let world = number("WORLD_SIZE")?;
        let step = if world == Some(1) { None } else { Step::of(&variable)? };
        let step = step.as_ref();
        let Some(size) = world.or(step.map(|step| step.size)).filter(|size| *size > 1) else {
            return Ok(None);
        };
        let told = |name: &str| {
            format!(
                "WORLD_SIZE={size} says that {size} processes train together, and {name} is not set: \
                 start them with torchrun or srun, or unset WORLD_SIZE"
            )
        };
        let rank = number("RANK")?.or(step.map(|step| step.rank)).with_context(|| told("RANK"))?;
        ensure!(rank < size, "RANK={rank} is not below WORLD_SIZE={size}");
        let host = variable("MASTER_ADDR").or(step.map(|step| step.first.clone()));
        let host = host.with_context(|| told("MASTER_ADDR"))?;
        let port = number("MASTER_PORT")?.or(step.map(|step| step.port.into()));
        let port = port.with_context(|| told("MASTER_PORT"))?;
        let port = u16::try_from(port).with_context(|| format!("MASTER_PORT={port} is not a port"))?;
        let local_rank = number("LOCAL_RANK")?;
        let local_size = number("LOCAL_WORLD_SIZE")?.or(step.map(|step| step.local_size));
        // In a container of its own, a process is told neither; elsewhere all may be on this computer.
        let most = if local_rank.is_some() || is_this_computer(&host) { size } else { 1 };
        let attempt = variable("TORCHELASTIC_RESTART_COUNT").or(step.map(|step| step.name.clone()));
        let opens_table = variable("TORCHELASTIC_USE_AGENT_STORE").is_none_or(|value| value != "True");
        // As in PyTorch: the network by which it is to speak.
        let interface = variable("GLOO_SOCKET_IFNAME")
            .map(|names| names.split(',').next().unwrap_or_default().to_owned());
        Ok(Some(Self {
            rank,
            size,
            local_rank: local_rank.or(step.map(|step| step.local_rank)).unwrap_or(0),
            local_size: local_size.unwrap_or(most).max(1),
            cores: step.and_then(|step| step.cores),
            table: Table { host, port, prefix: format!("tasklens/{}", attempt.unwrap_or_default()) },
            opens_table,
            interface,
        }))
    }

    /// Of `all` cores of this computer, those for this process.
    pub fn share_of(&self, all: usize) -> usize {
        // What this process may use can be its share already.
        (self.cores.unwrap_or(all) / self.local_size).min(all).max(1)
    }
}

fn is_this_computer(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(variables: &[(&str, &str)]) -> anyhow::Result<Option<Place>> {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name);
        Place::of(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    const TORCHRUN: [(&str, &str); 7] = [
        ("RANK", "5"),
        ("WORLD_SIZE", "8"),
        ("LOCAL_RANK", "1"),
        ("LOCAL_WORLD_SIZE", "4"),
        ("MASTER_ADDR", "node0"),
        ("MASTER_PORT", "29500"),
        ("TORCHELASTIC_USE_AGENT_STORE", "True"),
    ];

    #[test]
    fn torchrun_says_where_a_process_is() {
        let place = place(&TORCHRUN).unwrap().unwrap();
        assert_eq!((place.rank, place.size, place.local_rank, place.local_size), (5, 8, 1, 4));
        assert!(!place.opens_table);
        assert_eq!(place.interface, None);
        assert_eq!((place.table.host.as_str(), place.table.port), ("node0", 29500));
        assert_eq!((place.share_of(16), place.share_of(2)), (4, 1));
    }

    #[test]
    fn one_process_is_no_group() {
        assert_eq!(place(&[]).unwrap(), None);
        assert_eq!(place(&[("WORLD_SIZE", "1"), ("RANK", "0")]).unwrap(), None);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let error = |variables: &[(&str, &str)]| place(variables).unwrap_err().to_string();
        assert!(error(&TORCHRUN[1..]).contains("RANK is not set"));
        assert!(error(&[("WORLD_SIZE", "two")]).contains("WORLD_SIZE=two is not a number"));
        let mut high = TORCHRUN;
        high[0].1 = "8";
        assert!(error(&high).contains("RANK=8 is not below WORLD_SIZE=8"));
        high[5].1 = "70000";
        high[0].1 = "7";
        assert!(error(&high).contains("MASTER_PORT=70000 is not a port"));
    }

    #[test]
    fn a_network_can_be_named() {
        let named = [&TORCHRUN[..], &[("GLOO_SOCKET_IFNAME", "ib0,eth0")]].concat();
        assert_eq!(place(&named).unwrap().unwrap().interface.as_deref(), Some("ib0"));
    }

    #[test]
    fn how_many_share_a_computer_is_told_or_assumed() {
        let told = |variables: &[(&str, &str)]| {
            let named: Vec<_> = TORCHRUN.into_iter().filter(|(name, _)| !name.starts_with("LOCAL")).collect();
            place(&[variables, &named[..]].concat()).unwrap().unwrap().local_size
        };
        assert_eq!(told(&[("LOCAL_WORLD_SIZE", "3")]), 3);
        assert_eq!(told(&[]), 1, "as in a container");
        assert_eq!(told(&[("LOCAL_RANK", "1")]), 8, "all may be here");
        assert_eq!(told(&[("MASTER_ADDR", "127.0.0.1")]), 8);
    }

    const SRUN: [(&str, &str); 10] = [
        ("SLURM_JOB_ID", "1"),
        ("SLURM_STEP_ID", "0"),
        ("SLURM_STEP_NUM_TASKS", "4"),
        ("SLURM_STEP_TASKS_PER_NODE", "2(x2)"),
        ("SLURM_STEP_NODELIST", "node[1-2]"),
        ("SLURM_NODEID", "1"),
        ("SLURM_PROCID", "3"),
        ("SLURM_LOCALID", "1"),
        ("SLURM_CPUS_ON_NODE", "8"),
        ("SLURM_NTASKS", "4"),
    ];

    #[test]
    fn srun_needs_no_other_words_and_torchrun_goes_first() {
        let from = |more: &[(&str, &str)]| place(&[more, &SRUN[..]].concat()).unwrap();
        let place = from(&[]).unwrap();
        assert_eq!((place.rank, place.size, place.local_rank, place.local_size), (3, 4, 1, 2));
        assert_eq!((place.table.host.as_str(), place.table.port, place.opens_table), ("node1", 15_010, true));
        // Eight cores for two: all of the computer's are free to use, or those of this process alone.
        assert_eq!((place.share_of(64), place.share_of(4), place.share_of(2)), (4, 4, 2));
        let given = from(&[("MASTER_ADDR", "10.0.0.1"), ("MASTER_PORT", "29500")]).unwrap();
        assert_eq!((given.table.host.as_str(), given.table.port), ("10.0.0.1", 29500));
        assert_eq!(from(&[("WORLD_SIZE", "1")]), None);
        let torchrun = from(&TORCHRUN).unwrap();
        assert_eq!((torchrun.rank, torchrun.size, torchrun.local_size), (5, 8, 4));
    }
}
