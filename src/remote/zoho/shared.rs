//! What all records of a write are refused for: a setting, and no fault of a record.

use std::collections::BTreeSet;

use serde_json::Value;

use super::calls::{Results, Trouble};
use super::complaint::Complaint;
use crate::remote::error::ErrorKind;

/// The number of records from which on one complaint about the same value counts as one about a setting.
const MANY: usize = 3;

/// The fields that describe a person, an account or a signal. Their values are not settings, even if they are equal in all records.
const OF_THE_RECORD: [&str; 11] = [
    "id",
    "Email",
    "Secondary_Email",
    "First_Name",
    "Last_Name",
    "Full_Name",
    "Company",
    "Subject",
    "Description",
    "What_Id",
    "Who_Id",
];

/// An error that may be about a setting: its code, and the field.
type Shared = (String, String);

/// If all records of a call are refused for the same setting, turns their troubles into those of the setting: the records are
/// carried over, and the sink goes on with other kinds of writes.
///
/// That is a field that Zoho demands (`MANDATORY_NOT_FOUND`), a right that the user lacks (`AUTHORIZATION_FAILED`), or one
/// complaint of at least [`MANY`] records about a field that has the same value in all of them.
pub(super) fn name_setting(records: &[Value], results: &mut Results) {
    let complaints: Option<Vec<&Complaint>> =
        results.iter().map(|result| result.as_ref().err()?.complaint.as_deref()).collect();
    let Some(complaints) = complaints else { return };
    let errors = complaints.iter().map(|complaint| errors(complaint));
    let shared = errors.reduce(|all, these| all.intersection(&these).cloned().collect()).unwrap_or_default();
    let kind = shared.iter().find_map(|error| kind(error, records));
    let Some(kind) = kind else { return };
    for trouble in results.iter_mut().filter_map(|result| result.as_mut().err()) {
        make_setting(trouble, kind);
    }
}

fn errors(complaint: &Complaint) -> BTreeSet<Shared> {
    let error = |error: &Complaint| (error.code.clone(), error.named_field().unwrap_or_default());
    complaint.errors().iter().map(error).collect()
}

fn kind((code, field): &Shared, records: &[Value]) -> Option<ErrorKind> {
    match code.as_str() {
        "AUTHORIZATION_FAILED" => Some(ErrorKind::Credential),
        "MANDATORY_NOT_FOUND" => Some(ErrorKind::Settings),
        _ => {
            let value = |record: &Value| record.get(field).cloned();
            let first = records.first().and_then(value)?;
            let is_setting = records.len() >= MANY
                && !OF_THE_RECORD.contains(&field.as_str())
                && records.iter().all(|record| value(record).as_ref() == Some(&first));
            is_setting.then_some(ErrorKind::Settings)
        }
    }
}

fn make_setting(trouble: &mut Trouble, kind: ErrorKind) {
    trouble.error.kind = kind;
    trouble.error.details.sink_goes_on = true;
    if kind == ErrorKind::Settings && trouble.error.details.help.as_deref().is_none_or(is_about_one) {
        let help = "Zoho refuses this field in every record: check the setting that fills it, and the field in Zoho. The next \
                    run tries again";
        trouble.error.details.help = Some(help.to_owned());
    }
}

/// Whether a help is the usual one for a refused record.
fn is_about_one(help: &str) -> bool {
    help == ErrorKind::Rejected.usual_help()
}

/// The trouble of each record, where Zoho refuses every call of this write.
pub(super) fn setting_of_call(refused: &Trouble) -> Trouble {
    let mut trouble = refused.clone();
    trouble.error.kind = ErrorKind::Settings;
    trouble.error.details.sink_goes_on = true;
    let help = "every record of this kind is refused, alone too. Look for the cause in Zoho's settings, in [zoho], and in what \
                stands between this machine and Zoho. The next run tries again";
    trouble.error.details.help = Some(help.to_owned());
    trouble
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::remote::error::RemoteError;

    /// The kind of the error of each record after `name_setting`.
    fn kinds(records: &[Value], complaints: &[Value]) -> Vec<ErrorKind> {
        let trouble = |complaint: &Value| {
            let complaint = Complaint::read(400, complaint).map(Box::new);
            Err(Trouble { complaint, error: RemoteError::new(ErrorKind::Rejected, "Zoho", "") })
        };
        let mut results: Results = complaints.iter().map(trouble).collect();
        name_setting(records, &mut results);
        results.into_iter().map(|result| result.unwrap_err().error.kind).collect()
    }

    #[test]
    fn what_all_records_are_refused_for_is_a_setting() {
        let record = |owner: &str, email: &str| json!({"Owner": owner, "Email": email});
        let alike =
            [record("7", "same@acme.example"), record("7", "same@acme.example"), record("7", "same@acme.example")];
        let unlike = [record("7", "a@acme.example"), record("8", "b@acme.example"), record("7", "c@acme.example")];
        let about = |code: &str, field: &str| json!({"code": code, "details": {"api_name": field}});
        let owner = about("INVALID_DATA", "Owner");
        let source = about("MANDATORY_NOT_FOUND", "Lead_Source");
        let email = about("INVALID_DATA", "Email");
        let several = json!({"code": "MULTIPLE_OR_MULTI_ERRORS", "details": {"errors": [email, source]}});
        let right = json!({"code": "AUTHORIZATION_FAILED", "details": {}});
        use ErrorKind::{Credential, Rejected, Settings};
        let cases: [(&[Value], Vec<&Value>, ErrorKind); 10] = [
            (&alike, vec![&owner, &owner, &owner], Settings),
            (&alike[..2], vec![&owner, &owner], Rejected),
            (&unlike, vec![&owner, &owner, &owner], Rejected),
            (&alike, vec![&owner, &owner, &email], Rejected),
            (&alike, vec![&email, &email, &email], Rejected),
            (&alike, vec![&source, &source, &source], Settings),
            (&alike, vec![&source, &several, &source], Settings),
            (&alike[..1], vec![&source], Settings),
            (&alike, vec![&source, &source, &email], Rejected),
            (&alike[..1], vec![&right], Credential),
        ];
        for (records, complaints, expected) in cases {
            let complaints: Vec<Value> = complaints.into_iter().cloned().collect();
            let kinds = kinds(records, &complaints);
            assert!(kinds.iter().all(|kind| *kind == expected), "{complaints:?}: {kinds:?}");
        }
    }

    #[test]
    fn a_record_that_was_written_shows_that_the_settings_are_right() {
        use super::super::wire::Written;
        let complaint = Complaint::read(400, &json!({"code": "AUTHORIZATION_FAILED"})).map(Box::new);
        let refused = Trouble { complaint, error: RemoteError::new(ErrorKind::Later, "Zoho", "") };
        let mut results = vec![Ok(Written { id: "1".into(), was_there: false }), Err(refused)];
        name_setting(&[json!({}), json!({})], &mut results);
        assert_eq!(results[1].as_ref().unwrap_err().error.kind, ErrorKind::Later);
    }
}
