//! Cursors: base64 of `[sort value, contact id, next page number]`, as observed; clients must not look inside.

use super::super::contacts::SortValue;
use serde_json::{Value, json};

/// Where the next page starts.
#[derive(Debug, PartialEq)]
pub(super) struct Cursor {
    pub value: SortValue,
    pub id: String,
    /// Number of the page that starts here.
    pub page: u64,
}

impl Cursor {
    /// Encodes the cursor for clients.
    pub(super) fn write(&self) -> String {
        let value = match &self.value {
            SortValue::Missing => Value::Null,
            SortValue::Number(number) => json!(number),
            SortValue::Text(text) => json!(text),
        };
        encode(json!([value, self.id, self.page]).to_string().as_bytes())
    }
}

/// Decodes a cursor; `None` if it did not come from [`Cursor::write`].
pub(super) fn read(text: &str) -> Option<Cursor> {
    let (value, id, page): (Value, String, u64) = serde_json::from_slice(&decode(text)?).ok()?;
    let value = match value {
        Value::Null => SortValue::Missing,
        Value::String(text) => SortValue::Text(text),
        other => SortValue::Number(other.as_i64()?),
    };
    Some(Cursor { value, id, page })
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes standard base64. This is its only use, so it does not need a crate.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, at| bits << 8 | group.get(at).copied().map_or(0, usize::from));
        for sign in 0..=3 {
            let letter = ALPHABET.get(bits >> (18 - 6 * sign) & 63).copied().unwrap_or(b'=');
            text.push(if sign <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for group in text.as_bytes().chunks(4) {
        let letters: &[u8] = match group {
            [a @ .., b'=', b'='] if a.len() == 2 => a,
            [a @ .., b'='] if a.len() == 3 => a,
            [_, _, _, _] => group,
            _ => return None,
        };
        let mut bits = 0_usize;
        for letter in letters {
            bits = bits << 6 | ALPHABET.iter().position(|known| known == letter)?;
        }
        bits <<= 6 * (4 - letters.len());
        for byte in 0..letters.len() - 1 {
            bytes.push(u8::try_from(bits >> (16 - 8 * byte) & 255).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_standard_one() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("[-1,", "Wy0xLA==")]
        {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(decode(coded).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn a_cursor_reads_back_and_garbage_does_not() {
        for value in [SortValue::Missing, SortValue::Number(-1), SortValue::Text("ä\"".to_owned())] {
            let cursor = Cursor { value, id: "5f22c43f912596f503b208ee".to_owned(), page: 2 };
            assert_eq!(read(&cursor.write()), Some(cursor));
        }
        for garbage in ["", "x", "Zm9v", "WzFd", "!!!!", "=", "===="] {
            assert_eq!(read(garbage), None, "{garbage}");
        }
    }
}
