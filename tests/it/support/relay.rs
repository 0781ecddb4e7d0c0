//! A relay before a service. It lets a number of requests through, then refuses connections, like a service that went down.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// Starts a relay to `target`, an address with its port, and returns the relay's own address. After the given number of
/// requests, each on its own connection, it refuses connections.
pub fn let_through(requests: usize, target: String) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    if requests > 0 {
        std::thread::spawn(move || serve(listener, requests, &target));
    }
    address
}

fn serve(listener: TcpListener, requests: usize, target: &str) {
    // A client that hangs up ends its own request only.
    for _ in 1..requests {
        let _ = listener.accept().and_then(|(client, _)| pass_on(client, target));
    }
    let last = listener.accept();
    // Before the last answer: or the next connection might wait in line, and break instead of being refused.
    drop(listener);
    let _ = last.and_then(|(client, _)| pass_on(client, target));
}

fn pass_on(client: TcpStream, target: &str) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut upstream = TcpStream::connect(target)?;
    let mut length = 0;
    let mut line = String::new();
    while client.read_line(&mut line)? > 2 {
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if !lower.starts_with("connection:") {
            upstream.write_all(line.as_bytes())?;
        }
        line.clear();
    }
    upstream.write_all(b"connection: close\r\n\r\n")?;
    io::copy(&mut client.by_ref().take(length), &mut upstream)?;
    io::copy(&mut upstream, client.get_mut())?;
    Ok(())
}
