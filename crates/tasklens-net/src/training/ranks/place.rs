//! Which of the processes of a training this is, as `torchrun`, `srun` or a Kubernetes PyTorchJob says it in the
//! environment.

use anyhow::{Context as _, bail, ensure};
use tasklens_torch::group::{Address, Table};

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
    /// Where they find each other.
    pub(super) table: Table,
    /// Whether the process 0 opens the table: `torchrun` has one of its own.
    pub(super) opens_table: bool,
    /// By which address the others reach this process.
    pub(super) address: Address,
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
        let Some(size) = number("WORLD_SIZE")?.filter(|size| *size > 1) else { return Ok(None) };
        let told = |name: &str| {
            format!(
                "WORLD_SIZE={size} says that {size} processes train together, and {name} is not set: \
                 start them with torchrun, or unset WORLD_SIZE"
            )
        };
        let rank = number("RANK")?.with_context(|| told("RANK"))?;
        ensure!(rank < size, "RANK={rank} is not below WORLD_SIZE={size}");
        let host = variable("MASTER_ADDR").with_context(|| told("MASTER_ADDR"))?;
        let Some(port) = number("MASTER_PORT")? else { bail!(told("MASTER_PORT")) };
        let port = u16::try_from(port).with_context(|| format!("MASTER_PORT={port} is not a port"))?;
        let local_rank = number("LOCAL_RANK")?.unwrap_or(0);
        let local_size = number("LOCAL_WORLD_SIZE")?.unwrap_or(local_rank + 1).max(1);
        let attempt = variable("TORCHELASTIC_RESTART_COUNT").unwrap_or_default();
        let opens_table = variable("TORCHELASTIC_USE_AGENT_STORE").is_none_or(|value| value != "True");
        // As in PyTorch: the network by which it is to speak, if not that of the computer's name.
        let address = match variable("GLOO_SOCKET_IFNAME") {
            Some(name) => Address::Interface(name.split(',').next().unwrap_or_default().to_owned()),
            None if is_this_computer(&host) => Address::Host(host.clone()),
            None => Address::Own,
        };
        let table = Table { host, port, prefix: format!("tasklens/{attempt}") };
        Ok(Some(Self { rank, size, local_rank, local_size, table, opens_table, address }))
    }

    /// Of `all` cores of this computer, those for this process.
    pub fn share_of(&self, all: usize) -> usize {
        (all / self.local_size).max(1)
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
        assert_eq!(place.address, Address::Own);
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
    fn on_one_computer_and_over_a_named_network_they_speak_by_that() {
        let with = |name, value| {
            let mut variables = TORCHRUN.to_vec();
            variables.insert(0, (name, value));
            place(&variables).unwrap().unwrap().address
        };
        assert_eq!(with("MASTER_ADDR", "127.0.0.1"), Address::Host("127.0.0.1".to_owned()));
        assert_eq!(with("GLOO_SOCKET_IFNAME", "ib0,eth0"), Address::Interface("ib0".to_owned()));
    }
}
