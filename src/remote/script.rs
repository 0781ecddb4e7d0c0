//! A server that plays a script: one reply for each connection. It records the requests.
//!
//! It does what a server with state cannot do on purpose: break off, drip, redirect. Tests of the clients against a server with
//! state use the sandbox.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::apply::stop::Stop;

/// One reply of the script.
#[derive(Clone)]
pub struct Reply {
    status: u16,
    headers: String,
    body: String,
    /// Close the connection without an answer.
    reset: bool,
    /// Send a byte now and then, without end.
    drip: bool,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Reply { status, headers: String::new(), body: String::new(), reset: false, drip: false }
    }

    pub fn json(body: &str) -> Self {
        Reply::status(200).body(body)
    }

    pub fn reset() -> Self {
        Reply { reset: true, ..Reply::status(0) }
    }

    pub fn dripping() -> Self {
        Reply { drip: true, ..Reply::status(200) }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub fn body(mut self, body: &str) -> Self {
        self.body = body.to_owned();
        self
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Asked {
    pub line: String,
    pub head: String,
    pub body: String,
}

pub struct Script {
    base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Script {
    /// Plays the replies in order. After the last one nobody listens.
    pub async fn play(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (received, replies) = (Arc::clone(&asked), Vec::from_iter(replies));
        tokio::spawn(async move {
            for reply in replies {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                received.lock().unwrap().push(request);
                say(&mut stream, &reply).await;
            }
        });
        Script { base, asked }
    }

    pub fn url(&self, path: &str) -> Url {
        format!("{}{path}", self.base).parse().unwrap()
    }

    pub fn requests(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// A stop that never comes.
pub fn stop() -> Stop {
    let (switch, stop) = Stop::after(Duration::from_secs(3600));
    // Keeps the switch for ever, as a program keeps it until its end.
    std::mem::forget(switch);
    stop
}

async fn read(stream: &mut TcpStream) -> Asked {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, length)| length.parse().unwrap());
            if body.len() >= length {
                let line = head.lines().next().unwrap().to_owned();
                let (head, body) = (head.to_owned(), body.to_owned());
                return Asked { line, head, body };
            }
        }
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.unwrap();
        assert!(count > 0, "the request broke off: {text}");
        bytes.extend_from_slice(&chunk[..count]);
    }
}

async fn say(stream: &mut TcpStream, reply: &Reply) {
    let Reply { status, headers, body, reset, drip } = reply;
    if *reset {
        return;
    }
    let length = if *drip { 1_000_000 } else { body.len() };
    let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = stream.write_all(head.as_bytes()).await;
    while *drip && stream.write_all(b" ").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let _ = stream.shutdown().await;
}
