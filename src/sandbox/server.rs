//! The listener: reads a complete request, lets a service answer it, and sends the response or a fault.

use super::body::{Dropped, Sent, on_the_wire};
use super::faults::{FaultKind, strike};
use super::http::{Call, Reply};
use super::world::World;
use super::{intercom, slack, zoho};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// One request that was served: no body, no query, no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLog {
    /// HTTP method.
    pub method: String,
    /// Full path, with the service's prefix.
    pub path: String,
    /// The Intercom-Version header, if there was one.
    pub version: Option<String>,
    /// Status of the answer; 0 when a fault closed the connection without one.
    pub status: u16,
    /// When it was answered, by the machine's clock.
    pub at: std::time::SystemTime,
}

/// The state that all connections share.
pub(super) struct Shared {
    pub world: Mutex<World>,
    pub log: Mutex<Vec<RequestLog>>,
    pub store: Option<PathBuf>,
}

/// Locks a mutex, even if a thread panicked while it held the lock. A failed test must not hide its world.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Accepts connections until `stop` fires or its sender is gone.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stop: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            _ = &mut stop => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => _ = tokio::spawn(connection(stream, Arc::clone(&shared))),
                // Most likely there are no free file handles. Wait for one instead of trying in a loop.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // A response is written in two parts, head and body. Without this option, the body waits for the client's delayed ACK.
    // A socket that refuses the option still works.
    stream.set_nodelay(true).ok();
    let service = service_fn(move |request| answer(Arc::clone(&shared), request));
    // On an error, the client went away or a fault dropped the connection. There is nobody to report it to.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Sent>, Dropped> {
    let (head, mut incoming) = request.into_parts();
    let mut body = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await {
        if let Ok(data) = frame.map_err(|_| Dropped)?.into_data() {
            body.extend_from_slice(&data);
        }
    }
    let full_path = head.uri.path().to_owned();
    let (service, path) = route(&full_path);
    let call = Call {
        method: head.method.as_str().to_owned(),
        path: path.to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: Bytes::from(body),
    };
    let fault = strike(&mut lock(&shared.world).faults, service.name(), &call);
    let Some(FaultKind::Delay { ms }) = fault else {
        return respond(&shared, service, &call, &full_path, fault.as_ref());
    };
    // A separate task: this one ends with its connection, but a slow service carries the request out anyway.
    let late = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        respond(&shared, service, &call, &full_path, fault.as_ref())
    });
    late.await.unwrap_or(Err(Dropped))
}

/// Carries out a request, unless a fault prevents that, and damages the response as the fault says.
fn respond(
    shared: &Shared,
    service: Service,
    call: &Call,
    full_path: &str,
    fault: Option<&FaultKind>,
) -> Result<Response<Sent>, Dropped> {
    let log = |status| {
        let version = call.headers.get("intercom-version").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (method, path, at) = (call.method.clone(), full_path.to_owned(), std::time::SystemTime::now());
        lock(&shared.log).push(RequestLog { method, path, version, status, at });
    };
    if let Some(FaultKind::Change { change }) = fault
        && let Err(error) = lock(&shared.world).apply_change(change)
    {
        log(500);
        return Ok(on_the_wire(Reply::text(500, &error.to_string()), None));
    }
    let before = matches!(fault, Some(FaultKind::ResetBefore | FaultKind::Status { after: false, .. }));
    let reply = carry_out(shared, (!before).then_some(service), call, fault.is_some());
    let reply = match fault {
        Some(FaultKind::Under { status }) => Reply { status: *status, ..reply },
        Some(FaultKind::ResetBefore | FaultKind::ResetAfter) => {
            log(0);
            return Err(Dropped);
        }
        Some(FaultKind::Status { status, body, headers, .. }) => planned_reply(*status, body, headers),
        _ => reply,
    };
    log(reply.status);
    Ok(on_the_wire(reply, fault))
}

/// Lets the service answer, if the request reaches one. Saves the world if the request or a fault's counter changed it.
fn carry_out(shared: &Shared, service: Option<Service>, call: &Call, counters_moved: bool) -> Reply {
    let mut world = lock(&shared.world);
    let before = world.changes();
    let reply = match service.unwrap_or(Service::Nobody) {
        Service::Intercom => intercom::answer(&mut world, call),
        Service::ZohoAccounts => zoho::accounts::answer(&mut world, call),
        Service::ZohoApi => zoho::answer(&mut world, call),
        Service::SlackApi => slack::answer(&mut world, call),
        Service::SlackWebhook => slack::webhook::answer(&mut world, call),
        Service::Nobody => Reply::text(404, "the sandbox serves /intercom, /zoho-accounts, /zoho and /slack"),
    };
    match &shared.store {
        Some(file) if counters_moved || world.changes() != before => match world.save(file) {
            Ok(()) => reply,
            // A lost effect would look like a bug of the client in the next run.
            Err(error) => Reply::text(500, &format!("the sandbox could not save its world: {error}")),
        },
        _ => reply,
    }
}

#[derive(Clone, Copy)]
enum Service {
    Intercom,
    ZohoAccounts,
    ZohoApi,
    SlackApi,
    SlackWebhook,
    Nobody,
}

impl Service {
    /// Returns the name that faults use.
    fn name(self) -> &'static str {
        match self {
            Service::Intercom => "intercom",
            Service::ZohoAccounts | Service::ZohoApi => "zoho",
            Service::SlackApi | Service::SlackWebhook => "slack",
            Service::Nobody => "",
        }
    }
}

/// Returns the service that a path belongs to, and the path without the service's prefix.
fn route(path: &str) -> (Service, &str) {
    let prefixes = [
        ("/intercom", Service::Intercom),
        ("/zoho-accounts", Service::ZohoAccounts),
        ("/zoho", Service::ZohoApi),
        ("/slack/api", Service::SlackApi),
        ("/slack", Service::SlackWebhook),
    ];
    for (prefix, service) in prefixes {
        if let Some(rest) = path.strip_prefix(prefix)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return (service, rest);
        }
    }
    (Service::Nobody, path)
}

fn planned_reply(status: u16, body: &Value, headers: &std::collections::BTreeMap<String, String>) -> Reply {
    let reply = match body {
        Value::Null => Reply::empty(status),
        Value::String(text) => Reply::text(status, text),
        other => Reply::json(status, other),
    };
    headers.iter().fold(reply, |reply, (name, value)| reply.with(name, value))
}
