//! A fingerprint that tells one set of credentials from another without revealing either.

use sha2::{Digest, Sha256};

/// SHA-256 over the parts, in hexadecimal. A credential is long and random, so nobody can find it from its hash.
pub fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        hash.update(format!("{}:{part}", part.len()));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
