//! The file that keeps the access token between runs: Zoho gives only ten tokens in ten minutes.
//!
//! Only its owner can read the file, and it belongs to one set of credentials. A broken file and the file of other credentials
//! count as none.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::remote::http::fingerprint;

/// A token that claims a longer life comes from a wrong clock.
const LONGEST_LIFE_SECONDS: i64 = 24 * 3600;

/// An access token, which every request to the CRM needs.
pub(super) struct Token {
    pub(super) access: SecretString,
    /// The only host that the token is sent to.
    pub(super) api: Url,
    /// The end of its life in Unix seconds, minus a safety margin.
    pub(super) expires_at: i64,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    owner: String,
    access_token: String,
    api: String,
    expires_at: i64,
}

/// The credentials that a token belongs to, as a hash, so that the file reveals no other secret.
pub(super) fn owner(accounts: &Url, client_id: &str, refresh_token: &SecretString) -> String {
    fingerprint(&[accounts.as_str(), client_id, refresh_token.expose_secret()])
}

/// Reads the token in the file, if it belongs to `owner` and is still good at `now`, in Unix seconds.
pub(super) fn load(path: &Path, owner: &str, now: i64) -> Option<Token> {
    let kept: Kept = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let good = kept.owner == owner
        && !kept.access_token.is_empty()
        && (1..=LONGEST_LIFE_SECONDS).contains(&kept.expires_at.saturating_sub(now));
    let api = kept.api.parse().ok().filter(|_| good)?;
    Some(Token { access: kept.access_token.into(), api, expires_at: kept.expires_at })
}

/// Writes a token into the file. Nobody else can read the file, and no reader sees it half-written.
pub(super) fn save(path: &Path, owner: &str, token: &Token) -> io::Result<()> {
    let kept = Kept {
        owner: owner.to_owned(),
        access_token: token.access.expose_secret().to_owned(),
        api: token.api.to_string(),
        expires_at: token.expires_at,
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let draft = path.with_file_name(name);
    // A process with the same id may have died here and left its draft.
    if let Err(error) = fs::remove_file(&draft)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let written = write_new(&draft, &serde_json::to_vec(&kept)?).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn token(expires_at: i64) -> Token {
        Token { access: "1000.secret".into(), api: "https://www.zohoapis.eu".parse().unwrap(), expires_at }
    }

    #[test]
    fn a_token_is_kept_for_its_owner_only_and_until_it_expires() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zoho-token.json");
        fs::write(&path, "old and readable").unwrap();
        save(&path, "me", &token(1000)).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
        let kept = load(&path, "me", 999).unwrap();
        assert_eq!(kept.access.expose_secret(), "1000.secret");
        assert_eq!((kept.api.as_str(), kept.expires_at), ("https://www.zohoapis.eu/", 1000));
        assert!(load(&path, "me", 1000).is_none(), "expired");
        assert!(load(&path, "me", -90_000).is_none(), "far too long");
        assert!(load(&path, "you", 999).is_none(), "somebody else's");
    }

    #[test]
    fn a_broken_file_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        assert!(load(&path, "me", 0).is_none());
        for broken in ["", "{", "[]", r#"{"owner":"me"}"#] {
            fs::write(&path, broken).unwrap();
            assert!(load(&path, "me", 0).is_none(), "{broken}");
        }
    }

    #[test]
    fn every_credential_counts() {
        let url = |url: &str| url.parse::<Url>().unwrap();
        let owners = [
            owner(&url("https://a.example"), "id", &"token".into()),
            owner(&url("https://b.example"), "id", &"token".into()),
            owner(&url("https://a.example"), "idt", &"oken".into()),
            owner(&url("https://a.example"), "id", &"other".into()),
        ];
        let distinct: std::collections::BTreeSet<_> = owners.iter().collect();
        assert_eq!(distinct.len(), owners.len());
        assert!(!owners[0].contains("token"));
    }
}
