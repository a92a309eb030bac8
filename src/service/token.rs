//! Opaque words that clients hand back: sealed, so that only those that were handed out are taken.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use sha2::Sha256;

use crate::clock::Millis;

/// Bytes of the seal.
const SEAL_BYTES: usize = 16;

/// What seals tokens: those of one engine mean nothing to another.
#[derive(Clone, Debug)]
pub struct Sealer {
    key: Hmac<Sha256>,
}

/// A token that was opened: when it was handed out, and what it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Opened {
    /// When it was handed out.
    pub issued: Millis,
    /// What it says, field by field.
    pub fields: Vec<String>,
}

impl Sealer {
    /// Makes a sealer; the same seed makes the same one.
    pub fn new(seed: u64) -> Self {
        let secret = [b"shardstream token ".as_slice(), &seed.to_be_bytes()].concat();
        Self { key: Hmac::new_from_slice(&secret).expect("keys of any length will do") }
    }

    /// Seals what a token of some kind says.
    pub fn seal(&self, kind: u8, issued: Millis, fields: &[&str]) -> String {
        let mut body = vec![kind];
        body.extend_from_slice(&issued.0.to_be_bytes());
        body.extend_from_slice(fields.join("\n").as_bytes());
        let mut key = self.key.clone();
        key.update(&body);
        body.extend_from_slice(&key.finalize().into_bytes()[..SEAL_BYTES]);
        STANDARD.encode(body)
    }

    /// Opens a token of some kind, if it was sealed here.
    pub fn open(&self, kind: u8, token: &str) -> Option<Opened> {
        let sealed = STANDARD.decode(token).ok()?;
        let (body, seal) = sealed.split_at_checked(sealed.len().checked_sub(SEAL_BYTES)?)?;
        let mut key = self.key.clone();
        key.update(body);
        key.verify_truncated_left(seal).ok()?;
        let (found, rest) = body.split_first()?;
        let (issued, fields) = rest.split_first_chunk::<8>()?;
        (*found == kind).then_some(())?;
        let fields = std::str::from_utf8(fields).ok()?;
        Some(Opened {
            issued: Millis(i64::from_be_bytes(*issued)),
            fields: fields.split('\n').map(str::to_owned).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tokens_open_as_they_were_sealed_and_no_others_do(
            issued: i64,
            fields in proptest::collection::vec("[a-z0-9:/.-]{0,40}", 1..6),
            place: proptest::sample::Index,
            flip in 1_u8..=255,
        ) {
            let sealer = Sealer::new(7);
            let texts: Vec<&str> = fields.iter().map(String::as_str).collect();
            let token = sealer.seal(1, Millis(issued), &texts);
            prop_assert_eq!(sealer.open(1, &token), Some(Opened { issued: Millis(issued), fields: fields.clone() }));
            prop_assert_eq!(sealer.open(2, &token), None);
            prop_assert_eq!(Sealer::new(8).open(1, &token), None);
            let mut bytes = STANDARD.decode(&token).unwrap();
            let place = place.index(bytes.len());
            bytes[place] ^= flip;
            prop_assert_eq!(sealer.open(1, &STANDARD.encode(bytes)), None);
        }

        #[test]
        fn anything_else_is_no_token(text in ".{0,200}") {
            prop_assert_eq!(Sealer::new(7).open(1, &text), None);
        }
    }
}
