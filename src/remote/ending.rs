//! The ways in which one try of a request can end.

use reqwest::StatusCode;

/// The reason why there is no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoAnswer {
    /// The request never left: name not found, connection refused, no TLS session.
    Unsent,
    /// No complete answer within the timeout.
    TimedOut,
    /// The connection broke, before the answer or within it.
    CutOff,
    /// The answer is larger than any answer of this service.
    TooLarge,
    /// A success without the promised JSON: empty, cut off, an HTML page.
    NotJson,
}

/// The time of the next request, as named by a service that asks for fewer requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hint {
    /// The service names no time.
    None,
    /// A run waits that long.
    Soon,
    /// Later than a run waits.
    Late,
}

/// How one try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    NoAnswer(NoAnswer),
    /// Any 2xx with the promised body.
    Success,
    /// A success whose body does not have the documented shape.
    Senseless,
    /// 3xx. Redirects are not followed: they would take the credential along, and the service has done nothing yet.
    Redirect,
    /// A 4xx whose body is not the service's own error: a page of a proxy or a firewall, or nothing. The service did nothing
    /// and judged nothing, and may not have seen the request.
    Foreign,
    /// 429.
    Throttled(Hint),
    /// 408 and 5xx: the service may have carried the request out.
    Fault,
    /// By its code: the thing that the request names is not there.
    NotFound,
    /// By a code that no list here holds. The service did nothing.
    CodeUnknown,
    /// By its code: another access token may help.
    TokenUnknown,
    /// By its code: the credential or its user lacks a right.
    NoRight,
    /// By its code: too many requests, under another status than 429.
    Busy,
    /// By its code: a quota is used up, and no wait within a run refills it.
    QuotaFull,
    /// By its code: the service takes no requests now, and may take them in some hours.
    Unavailable,
    /// By its code: the settings are wrong, and only the service could find out.
    Misconfigured,
    /// By its code: the thread or its channel takes no messages.
    ThreadClosed,
    /// By its code: the service refuses the layout of the message.
    LayoutRefused,
    /// By its code: the service refuses the metadata with the message's key.
    KeyRefused,
    /// By its code: this record or message is at fault.
    RecordRefused,
    /// By its code: the service does not take this record now; it may be locked.
    RecordLater,
    /// By its code: the service failed at this record and claims that it wrote nothing.
    RecordFault,
    /// The entry about this record makes no sense.
    RecordUnclear,
    /// By its code: the service failed and may have done a part.
    PerhapsDone,
}

impl Ending {
    /// The ending of a try with a complete answer, as far as the status tells. A 4xx tells nothing by its status: proxies send
    /// the same ones.
    pub fn of_status(status: StatusCode, hint: Hint) -> Ending {
        match status.as_u16() {
            300..=399 => Ending::Redirect,
            408 | 500.. => Ending::Fault,
            429 => Ending::Throttled(hint),
            400..=499 => Ending::Foreign,
            _ => Ending::Success,
        }
    }
}
