//! Planned faults between a client and a service.
//!
//! A client that sees a broken connection cannot know whether its request took effect. Faults produce both cases, because a
//! wrong guess makes tasks twice. Mocks with fixed responses cannot express the difference.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

use super::http::Call;

/// One planned fault. In JSON it is flat: `{"service": "zoho", "path_prefix": "/crm/v8/Tasks", "kind": "reset_after"}` or
/// `{"service": "slack", "kind": "status", "status": 503, "times": 2}` or `{"service": "intercom", "path_prefix": "/tags",
/// "times": 1, "kind": "change", "change": {"delete_tag": "VIP"}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// `intercom`, `zoho` (accounts and API) or `slack` (API and webhook).
    #[serde(deserialize_with = "known_service")]
    pub service: String,
    /// Only requests with this method; every method when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only paths that begin so, after the service's prefix: `/contacts/search`, `/oauth/v2/token`, `/crm/v8/Tasks`,
    /// `/chat.postMessage`, `/services`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    /// Only requests whose body holds this text, as a firewall looks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_holds: Option<String>,
    /// Matching requests to let pass first. Counts down.
    #[serde(default)]
    pub skip: u32,
    /// How many requests it strikes; all of them if absent. Counts down to 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// The effect.
    #[serde(flatten)]
    pub kind: FaultKind,
}

/// The effect of a fault on a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Another response replaces the service's own.
    Status {
        /// HTTP status.
        status: u16,
        /// A string is sent unchanged (a gateway's HTML page), other values as JSON. If absent, the body is empty.
        #[serde(default)]
        body: Value,
        /// Further headers, `Retry-After` for instance.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Whether the request takes effect first: the worst kind of 503.
        #[serde(default)]
        after: bool,
    },
    /// The request is carried out late and answered properly, even if the client has given up by then.
    Delay {
        /// Milliseconds to wait before carrying it out.
        ms: u64,
    },
    /// The connection closes without effect and without answer.
    ResetBefore,
    /// The request takes effect; then the connection closes without answer.
    ResetAfter,
    /// The request takes effect; half of the body arrives under the full Content-Length, then the connection closes.
    Truncate,
    /// The request takes effect; the answer keeps its status and loses its body (seen at Intercom: 200 and nothing).
    EmptyBody,
    /// The request takes effect; the body arrives at a byte a second.
    Drip,
    /// The request takes effect; the body begins with many blanks, which JSON allows.
    Enormous {
        /// How many.
        blanks: usize,
        /// Whether to omit the Content-Length, so that the client cannot know the length in advance.
        #[serde(default)]
        chunked: bool,
    },
    /// The request takes effect; every string in the response has a byte that is not UTF-8.
    NotUtf8,
    /// The request takes effect; its response has another status.
    Under {
        /// HTTP status.
        status: u16,
    },
    /// The request takes effect; its response has a wrong Content-Type.
    WrongType {
        /// The Content-Type that is sent.
        content_type: String,
    },
    /// A person changes something just before the request arrives, so the client's earlier reads are out of date. The request
    /// itself is served normally.
    Change {
        /// A change as in the steps of a replay: see [`World::apply_change`](super::World::apply_change). Usually with
        /// `"times": 1`, because a change that is not possible is answered with 500.
        change: Value,
    },
}

/// Refuses an unknown service, because its fault would never strike and its scenario would pass for the wrong reason.
fn known_service<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if ["intercom", "zoho", "slack"].contains(&name.as_str()) {
        return Ok(name);
    }
    Err(D::Error::custom(format!("service '{name}' is none of intercom, zoho, slack")))
}

impl Fault {
    /// Returns whether the fault matches a request.
    fn concerns(&self, service: &str, call: &Call) -> bool {
        let holds = |text: &str| String::from_utf8_lossy(&call.body).contains(text);
        self.service == service
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(&call.method))
            && self.path_prefix.as_deref().is_none_or(|prefix| call.path.starts_with(prefix))
            && self.body_holds.as_deref().is_none_or(holds)
    }
}

/// Returns the fault that strikes this request, if any, and updates the counters.
pub(super) fn strike(faults: &mut [Fault], service: &str, call: &Call) -> Option<FaultKind> {
    for fault in faults.iter_mut().filter(|fault| fault.concerns(service, call)) {
        if fault.times == Some(0) {
            continue;
        }
        if fault.skip > 0 {
            fault.skip -= 1;
            continue;
        }
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        return Some(fault.kind.clone());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fault_skips_then_strikes_then_is_spent() {
        let text = json!({"service": "zoho", "method": "post", "path_prefix": "/crm/v8/Tasks", "skip": 1, "times": 2,
            "kind": "reset_after"});
        let mut faults = vec![serde_json::from_value::<Fault>(text).unwrap()];
        let seen: Vec<bool> =
            (0..5).map(|_| strike(&mut faults, "zoho", &Call::test("POST", "/crm/v8/Tasks", None)).is_some()).collect();
        assert_eq!(seen, [false, true, true, false, false]);
    }

    #[test]
    fn a_fault_leaves_other_requests_alone() {
        let text = json!({"service": "zoho", "method": "POST", "path_prefix": "/crm/v8/Tasks", "kind": "drip"});
        let mut faults = vec![serde_json::from_value::<Fault>(text).unwrap()];
        for (service, method, path) in
            [("slack", "POST", "/crm/v8/Tasks"), ("zoho", "GET", "/crm/v8/Tasks"), ("zoho", "POST", "/crm/v8/Leads")]
        {
            let call = Call::test(method, path, None);
            assert_eq!(strike(&mut faults, service, &call), None, "{service} {method} {path}");
        }
        let call = Call::test("POST", "/crm/v8/Tasks/1", None);
        assert_eq!(strike(&mut faults, "zoho", &call), Some(FaultKind::Drip));
    }

    #[test]
    fn a_fault_may_strike_certain_bodies_only() {
        let text = json!({"service": "zoho", "body_holds": "<script", "kind": "drip"});
        let mut faults = vec![serde_json::from_value::<Fault>(text).unwrap()];
        let strikes = [json!("a <script>"), json!("a script")]
            .map(|body| strike(&mut faults, "zoho", &Call::test("POST", "/crm/v8/Tasks", Some(&body))).is_some());
        assert_eq!(strikes, [true, false]);
    }

    #[test]
    fn fields_of_a_kind_stand_beside_it_in_json() {
        let fault: Fault = serde_json::from_value(
            json!({"service": "intercom", "kind": "status", "status": 503, "after": true, "headers": {"Retry-After": "2"}}),
        )
        .unwrap();
        let FaultKind::Status { status, after, headers, .. } = &fault.kind else { panic!("{fault:?}") };
        assert_eq!((*status, *after, headers.get("Retry-After").map(String::as_str)), (503, true, Some("2")));
        assert_eq!(serde_json::from_value::<Fault>(serde_json::to_value(&fault).unwrap()).unwrap(), fault);
    }
}
