//! A TCP relay that counts connections and reads what protocols each one offers.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use super::kubeconfig::Kubeconfig;

/// A relay on 127.0.0.1 that ends with the value.
pub(crate) struct Relay {
    address: SocketAddr,
    connections: Arc<Mutex<Vec<Vec<String>>>>,
    ended: Arc<AtomicBool>,
    /// How many connections, from the first, are silent by now.
    silent: Arc<AtomicUsize>,
}

impl Relay {
    /// Relays to the server of a kubeconfig; writes one that leads here into a folder.
    pub(crate) fn before(direct: Kubeconfig, folder: &Path) -> (Self, PathBuf) {
        let relay = Self::to(direct.server().trim_start_matches("https://"));
        let relayed = direct.with_server(&format!("https://{}", relay.address()));
        (relay, relayed.write(folder, "relayed.kubeconfig"))
    }

    /// Relays to `host:port`.
    fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let relay = Self {
            address: listener.local_addr().expect("a listener has an address"),
            connections: Arc::default(),
            ended: Arc::default(),
            silent: Arc::default(),
        };
        let (connections, ended) = (Arc::clone(&relay.connections), Arc::clone(&relay.ended));
        let (target, silent) = (target.to_owned(), Arc::clone(&relay.silent));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                // Counted when accepted, before a byte is relayed.
                let number = {
                    let mut all = connections.lock().expect("no thread panics with the lock");
                    all.push(Vec::new());
                    all.len() - 1
                };
                let (connections, target) = (Arc::clone(&connections), target.clone());
                let silent = Arc::clone(&silent);
                thread::spawn(move || {
                    let is_silent = move || number < silent.load(Ordering::SeqCst);
                    // A broken connection is the client's to report.
                    let _ = relay_one(&client, &target, &connections, number, &is_silent);
                });
            }
        });
        relay
    }

    /// `127.0.0.1:port`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Lets every connection there is fall silent: it stays open, and nothing comes through any more.
    pub(crate) fn silence(&self) {
        let count = self.connections.lock().expect("no thread panics with the lock").len();
        self.silent.store(count, Ordering::SeqCst);
    }

    /// For each accepted connection, the protocols its `ClientHello` offers (ALPN).
    pub(crate) fn connections(&self) -> Vec<Vec<String>> {
        self.connections.lock().expect("no thread panics with the lock").clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
    }
}

fn relay_one(
    client: &TcpStream,
    target: &str,
    connections: &Mutex<Vec<Vec<String>>>,
    number: usize,
    is_silent: &(impl Fn() -> bool + Clone + Send + 'static),
) -> io::Result<()> {
    let hello = first_record(client)?;
    connections.lock().expect("no thread panics with the lock")[number] =
        offered_protocols(&hello).unwrap_or_default();
    let server = TcpStream::connect(target)?;
    server.set_nodelay(true)?;
    client.set_nodelay(true)?;
    (&server).write_all(&hello)?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let is_silent_up = is_silent.clone();
    let up = thread::spawn(move || {
        let _ = copy(&mut from, &mut to, &is_silent_up);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (server, client.try_clone()?);
    let _ = copy(&mut from, &mut to, is_silent);
    let _ = to.shutdown(Shutdown::Write);
    let _ = up.join();
    Ok(())
}

/// Copies until the end, or until it is to be silent: then for ever nothing.
fn copy(from: &mut TcpStream, to: &mut TcpStream, is_silent: &impl Fn() -> bool) -> io::Result<()> {
    let mut buffer = [0; 16_384];
    loop {
        let count = from.read(&mut buffer)?;
        while is_silent() {
            thread::park();
        }
        if count == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..count])?;
    }
}

/// The first TLS record, header included.
fn first_record(mut client: &TcpStream) -> io::Result<Vec<u8>> {
    let mut record = vec![0; 5];
    client.read_exact(&mut record)?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(5 + length, 0);
    client.read_exact(&mut record[5..])?;
    Ok(record)
}

/// The ALPN extension of a `ClientHello` (RFC 8446, section 4.1.2, and RFC 7301).
fn offered_protocols(record: &[u8]) -> Option<Vec<String>> {
    const HANDSHAKE: u8 = 22;
    const CLIENT_HELLO: u8 = 1;
    const ALPN: u16 = 16;
    let mut hello = Bytes(record);
    if hello.number(1)? != u16::from(HANDSHAKE) {
        return None;
    }
    hello.take(4)?;
    if hello.number(1)? != u16::from(CLIENT_HELLO) {
        return None;
    }
    hello.take(3 + 2 + 32)?; // length, version, random
    hello.block(1)?; // session
    hello.block(2)?; // cipher suites
    hello.block(1)?; // compression
    let mut extensions = Bytes(hello.block(2)?);
    while let Some(kind) = extensions.number(2) {
        let mut extension = Bytes(extensions.block(2)?);
        if kind == ALPN {
            let mut list = Bytes(extension.block(2)?);
            let names = std::iter::from_fn(|| list.block(1));
            return Some(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect());
        }
    }
    Some(Vec::new())
}

/// Bytes yet to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of one or two bytes.
    fn number(&mut self, width: usize) -> Option<u16> {
        Some(self.take(width)?.iter().fold(0, |number, &byte| number << 8 | u16::from(byte)))
    }

    /// What follows a length of one or two bytes.
    fn block(&mut self, width: usize) -> Option<&'a [u8]> {
        let length = self.number(width)?;
        self.take(usize::from(length))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto::ring};

    use super::offered_protocols;

    fn check(protocols: &[&str]) {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has every version rustls has")
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = "kubia.test".try_into().expect("a name");
        let mut client = ClientConnection::new(Arc::new(config), name).expect("a client");
        let mut hello = Vec::new();
        client.write_tls(&mut hello).expect("memory can be written");
        let expected = protocols.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(offered_protocols(&hello), Some(expected));
    }

    #[test]
    fn protocols_are_read_from_a_client_hello() {
        check(&["h2", "http/1.1"]);
        check(&["h2"]);
        check(&[]);
    }

    #[test]
    fn what_is_no_client_hello_has_no_protocols() {
        assert_eq!(offered_protocols(b"GET / HTTP/1.1\r\n"), None);
        assert_eq!(offered_protocols(&[22, 3, 1, 0, 1, 1]), None);
    }
}
