//! How the processes find each other: first the table of keys, then, through it, the address of each.

use std::fmt::Display;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tasklens_data::text::clock;
use tasklens_torch::group::{Address, Store, Table};

use super::{Place, first_line};
use crate::training::reporter::Reporter;
use crate::training::setup::StoppedEarly;

/// How long a process waits for the others to be started.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// After how long it says for what it waits.
const TELLS_AFTER: Duration = Duration::from_secs(20);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// For one attempt to connect.
const ATTEMPT: Duration = Duration::from_secs(2);
/// What is shown meanwhile.
const WHAT: &str = "waiting for the other processes";
/// The key with an address at which others reach the computer of the table.
const ADDRESS: &str = "address";

/// Where the processes have met.
pub struct Meeting {
    /// Keeps the table open, where this process has opened it.
    pub store: Store,
    /// Where to connect to it again.
    pub table: Table,
    /// By which address the others reach this process.
    pub address: Address,
}

impl Meeting {
    /// Waits until all are there.
    ///
    /// # Errors
    /// The user stopped, or they do not come or cannot be reached.
    pub fn wait(place: &Place, reporter: &mut Reporter) -> anyhow::Result<Self> {
        let Place { rank, size, .. } = *place;
        let mut waits = Waits { began: Instant::now(), has_told: false };
        reporter.preparing(WHAT, 0, size as u64);
        let opens = place.opens_table && rank == 0;
        let (table, way) = if opens {
            // Its own name may lead elsewhere, or nowhere yet.
            (Table { host: Ipv4Addr::LOCALHOST.to_string(), ..place.table.clone() }, None)
        } else {
            (place.table.clone(), Some(way_to(&place.table, &mut waits, reporter)?))
        };
        let (store, address) = {
            let told =
                || format!("process {rank} of {size} cannot use port {} of {}", table.port, table.host);
            let store = Store::open(&table, opens.then_some(size), PATIENCE).map_err(first_line);
            let store = store.with_context(told)?;
            if let Some(way) = way.filter(|way| !way.other.is_loopback()) {
                store.set(ADDRESS, &way.other.to_string()).map_err(first_line)?;
            }
            let mut here = store.add("here", 1).map_err(first_line)?;
            while here < size as i64 {
                reporter.preparing(WHAT, here as u64, size as u64);
                waits.a_moment(reporter, &format!("{here} of {size} processes are there"))?;
                here = store.add("here", 0).map_err(first_line)?;
            }
            let of_table = store.get(ADDRESS).map_err(first_line)?;
            (store, address(place.interface.as_deref(), way, of_table.as_deref()))
        };
        reporter.preparing(WHAT, size as u64, size as u64);
        Ok(Self { store, table, address })
    }
}

/// The two ends of a connection to the table of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    own: IpAddr,
    other: IpAddr,
}

/// By which address the others reach this process. What a computer's own name leads to is no use: on Debian and Ubuntu that
/// is 127.0.1.1. Whoever comes to the table over a network can be reached by the address that it came from; who is on
/// the computer of the table, by the address at which those have found it, which they have left there (`of_table`).
fn address(interface: Option<&str>, way: Option<Way>, of_table: Option<&str>) -> Address {
    if let Some(name) = interface {
        return Address::Interface(name.to_owned());
    }
    if let Some(way) = way.filter(|way| !way.own.is_loopback()) {
        return Address::Host(way.own.to_string());
    }
    match of_table.map(str::parse::<IpAddr>) {
        None => Address::Host(Ipv4Addr::LOCALHOST.to_string()),
        Some(Ok(ip)) if TcpListener::bind((ip, 0)).is_ok() => Address::Host(ip.to_string()),
        // Something between the computers translates addresses.
        Some(_) => Address::Own,
    }
}

/// Waits until the table can be reached. c10d would wait, too, but can neither be stopped nor says for what.
fn way_to(table: &Table, waits: &mut Waits, reporter: &mut Reporter) -> anyhow::Result<Way> {
    loop {
        let error = match connect(&table.host, table.port) {
            Ok(way) => return Ok(way),
            Err(error) => error,
        };
        let Table { host, port, .. } = table;
        waits.a_moment(
            reporter,
            &format!("{host}:{port}, where process 0 should be (MASTER_ADDR, MASTER_PORT), cannot be reached: {error}"),
        )?;
    }
}

fn connect(host: &str, port: u16) -> io::Result<Way> {
    let mut last = None;
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, ATTEMPT).and_then(|stream| ends_of(&stream)) {
            Ok(way) => return Ok(way),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other("the name has no address")))
}

fn ends_of(stream: &TcpStream) -> io::Result<Way> {
    let (own, other): (SocketAddr, SocketAddr) = (stream.local_addr()?, stream.peer_addr()?);
    // TCP lets a port connect to itself while nobody listens there.
    if own == other {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(Way { own: own.ip().to_canonical(), other: other.ip().to_canonical() })
}

/// The patience of a process, and whether it has said what it waits for.
struct Waits {
    began: Instant,
    has_told: bool,
}

impl Waits {
    /// Waits a moment for `what`.
    ///
    /// # Errors
    /// The user stopped, or it has taken too long.
    fn a_moment(&mut self, reporter: &mut Reporter, what: &dyn Display) -> anyhow::Result<()> {
        if reporter.should_stop() {
            bail!(StoppedEarly);
        }
        let waited = self.began.elapsed();
        ensure!(waited < PATIENCE, "gave up after {}: {what}", clock(waited.as_secs_f64()));
        if waited > TELLS_AFTER && !self.has_told {
            self.has_told = true;
            reporter.warn(format!("still {WHAT}: {what}"));
        }
        std::thread::sleep(LOOK);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn host(text: &str) -> Address {
        Address::Host(text.to_owned())
    }

    #[test]
    fn a_process_is_reached_by_the_address_that_it_comes_from() {
        let way = Way { own: ip("10.0.0.2"), other: ip("10.0.0.1") };
        assert_eq!(address(None, Some(way), Some("10.0.0.1")), host("10.0.0.2"));
        assert_eq!(address(Some("ib0"), Some(way), None), Address::Interface("ib0".to_owned()));
    }

    #[test]
    fn on_the_computer_of_the_table_it_is_the_one_that_others_have_found() {
        let here = Way { own: ip("127.0.0.1"), other: ip("127.0.1.1") };
        for way in [None, Some(here)] {
            assert_eq!(address(None, way, None), host("127.0.0.1"), "all are on one computer");
            // An address of this computer stands for that of its network.
            assert_eq!(address(None, way, Some("127.0.0.9")), host("127.0.0.9"));
            assert_eq!(address(None, way, Some("192.0.2.1")), Address::Own, "it is none of this computer");
        }
    }

    #[test]
    fn the_ends_of_a_connection_are_read_and_a_closed_port_is_an_error() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(connect("localhost", port).unwrap(), Way { own: ip("127.0.0.1"), other: ip("127.0.0.1") });
        drop(listener);
        assert_eq!(connect("127.0.0.1", port).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert!(connect("no-such-computer.invalid", port).is_err());
    }
}
