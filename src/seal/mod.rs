//! Sealing: encrypts and authenticates the texts that a browser or an app keeps for this function.
//!
//! # Wire format
//! base64url, without padding, of
//!
//! | bytes | |
//! |---|---|
//! | 1 | version: `1` |
//! | 12 | nonce, random |
//! | n | the text, encrypted with AES-256-GCM-SIV |
//! | 16 | its tag |
//!
//! AES-GCM-SIV (RFC 8452) is used because nonces are random and the key lives as long as the client secret. A repeated
//! nonce, which is likely after some billions of states, reveals only whether the two texts are equal.
//!
//! Each [`Purpose`] has a key of its own (`key_derivation.rs`). The values that a sealed text is bound to are its
//! associated data. Each is preceded by its length, so that two different lists never give the same bytes.

mod key_derivation;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

pub use key_derivation::{MasterKey, SubjectKey};

const VERSION: u8 = 1;

/// The purpose of a sealed text. Each purpose has its own key, so a text sealed for one does not open for another.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// The `state` parameter.
    State,
    /// The text that ties a verification to the browser that started it.
    Binding,
    /// The `code` that an app exchanges for an ID token.
    Code,
    /// The access token for `/userinfo`.
    AccessToken,
}

/// The keys derived from one secret.
pub struct Sealer {
    state: LessSafeKey,
    binding: LessSafeKey,
    code: LessSafeKey,
    access_token: LessSafeKey,
    derived: hmac::Key,
}

/// A text that did not open: it was altered, sealed for something else, or sealed with another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotOurs;

/// The random part of a sealed text.
pub type SealNonce = [u8; NONCE_LEN];

impl Sealer {
    /// Derives the keys from a secret: its `state_key`, or the client secret if there is no `state_key`.
    ///
    /// # Errors
    /// See [`MasterKey::derive`].
    pub fn of(secret: &[u8]) -> Result<Self, Unspecified> {
        let master = MasterKey::extract(secret);
        let sealing = |label| UnboundKey::new(&AES_256_GCM_SIV, &*master.derive(label)?).map(LessSafeKey::new);
        Ok(Self {
            state: sealing(b"state")?,
            binding: sealing(b"binding")?,
            code: sealing(b"code")?,
            access_token: sealing(b"access token")?,
            derived: hmac::Key::new(hmac::HMAC_SHA256, &*master.derive(b"derived")?),
        })
    }

    /// Seals `text`, which opens only for the same `purpose` and `bound_to`.
    ///
    /// # Errors
    /// The system has no randomness, or the cryptographic library failed.
    pub fn seal(&self, purpose: Purpose, bound_to: &[&[u8]], text: &[u8]) -> Result<(String, SealNonce), Unspecified> {
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce)?;
        Ok((self.seal_with(nonce, purpose, bound_to, text)?, nonce))
    }

    /// Seals `text` like [`seal`](Self::seal), but the same arguments give the same sealed text. `seed` takes the place
    /// of the randomness, so it must be different for each text.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn seal_again(
        &self,
        purpose: Purpose,
        bound_to: &[&[u8]],
        text: &[u8],
        seed: &[&[u8]],
    ) -> Result<String, Unspecified> {
        let mut nonce = [0; NONCE_LEN];
        for (place, byte) in nonce.iter_mut().zip(self.derive(seed).as_ref()) {
            *place = *byte;
        }
        self.seal_with(nonce, purpose, bound_to, text)
    }

    fn seal_with(
        &self,
        nonce: SealNonce,
        purpose: Purpose,
        bound_to: &[&[u8]],
        text: &[u8],
    ) -> Result<String, Unspecified> {
        let mut sealed = text.to_vec();
        self.key(purpose).seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(with_lengths(bound_to)),
            &mut sealed,
        )?;
        let wire = [&[VERSION], &nonce[..], &sealed].concat();
        Ok(BASE64_URL_SAFE_NO_PAD.encode(wire))
    }

    /// Opens a sealed text.
    ///
    /// # Errors
    /// [`NotOurs`], without a reason, so that an attacker learns nothing from it.
    pub fn open(&self, purpose: Purpose, bound_to: &[&[u8]], sealed: &str) -> Result<(Vec<u8>, SealNonce), NotOurs> {
        // The decoder refuses padding, other alphabets and stray last bits, so each sealed text has only one encoding.
        let wire = BASE64_URL_SAFE_NO_PAD.decode(sealed).map_err(|_| NotOurs)?;
        let (&[VERSION], rest) = wire.split_first_chunk::<1>().ok_or(NotOurs)? else { return Err(NotOurs) };
        let (&nonce, encrypted) = rest.split_first_chunk::<NONCE_LEN>().ok_or(NotOurs)?;
        let mut text = encrypted.to_vec();
        let length = self
            .key(purpose)
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(with_lengths(bound_to)), &mut text)
            .map_err(|_| NotOurs)?
            .len();
        text.truncate(length);
        Ok((text, nonce))
    }

    /// HMAC-SHA-256 of `parts` as 43 characters of base64url. It can be computed only with the key. The first part
    /// names the use.
    #[must_use]
    pub fn derive_text(&self, parts: &[&[u8]]) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.derive(parts))
    }

    fn derive(&self, parts: &[&[u8]]) -> hmac::Tag {
        hmac::sign(&self.derived, &with_lengths(parts))
    }

    fn key(&self, purpose: Purpose) -> &LessSafeKey {
        match purpose {
            Purpose::State => &self.state,
            Purpose::Binding => &self.binding,
            Purpose::Code => &self.code,
            Purpose::AccessToken => &self.access_token,
        }
    }
}

/// Returns whether a text has only characters of base64url, in which sealed texts are written.
#[must_use]
pub fn is_base64url(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

redacted_debug!(Sealer);

/// Joins the parts, each after its length, so that two different lists never give the same bytes.
fn with_lengths(parts: &[&[u8]]) -> Vec<u8> {
    let mut data = Vec::with_capacity(parts.iter().map(|part| 8 + part.len()).sum());
    for part in parts {
        data.extend_from_slice(&(part.len() as u64).to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: &[&[u8]] = &[b"client", b"https://example/callback"];

    fn sealer(secret: &str) -> Sealer {
        Sealer::of(secret.as_bytes()).unwrap()
    }

    #[test]
    fn sealed_text_opens() {
        for text in [&b""[..], b"a", &[0; 200]] {
            let sealer = sealer("key");
            let (sealed, nonce) = sealer.seal(Purpose::State, BOUND, text).unwrap();
            assert_eq!(sealer.open(Purpose::State, BOUND, &sealed), Ok((text.to_vec(), nonce)));
        }
    }

    #[test]
    fn text_sealed_again_is_the_same_and_opens() {
        let again = |text: &[u8], seed: &[u8]| sealer("key").seal_again(Purpose::Code, BOUND, text, &[seed]).unwrap();
        assert_eq!(again(b"text", b"seed"), again(b"text", b"seed"));
        assert_ne!(again(b"text", b"seed"), again(b"text", b"another"));
        let opened = sealer("key").open(Purpose::Code, BOUND, &again(b"text", b"seed"));
        assert_eq!(opened.map(|(text, _)| text), Ok(b"text".to_vec()));
    }

    #[test]
    fn every_purpose_has_its_own_key() {
        const ALL: [Purpose; 4] = [Purpose::State, Purpose::Binding, Purpose::Code, Purpose::AccessToken];
        for (place, purpose) in ALL.into_iter().enumerate() {
            let (sealed, _) = sealer("key").seal(purpose, BOUND, b"text").unwrap();
            for (other_place, other) in ALL.into_iter().enumerate() {
                let opens = sealer("key").open(other, BOUND, &sealed).is_ok();
                assert_eq!(opens, place == other_place, "{purpose:?} opened as {other:?}");
            }
        }
    }

    #[test]
    fn sealed_text_opens_for_nothing_else() {
        let (sealed, _) = sealer("key").seal(Purpose::State, BOUND, b"text").unwrap();
        let opened = [
            ("another key", sealer("other").open(Purpose::State, BOUND, &sealed)),
            ("another client", sealer("key").open(Purpose::State, &[b"x", BOUND[1]], &sealed)),
            ("fewer parts", sealer("key").open(Purpose::State, &BOUND[..1], &sealed)),
            (
                "parts cut elsewhere",
                sealer("key").open(Purpose::State, &[b"clienth", b"ttps://example/callback"], &sealed),
            ),
            ("empty", sealer("key").open(Purpose::State, BOUND, "")),
            ("not base64url", sealer("key").open(Purpose::State, BOUND, "+/+/")),
            ("padded", sealer("key").open(Purpose::State, BOUND, &format!("{sealed}="))),
        ];
        for (name, result) in opened {
            assert_eq!(result, Err(NotOurs), "{name}");
        }
    }

    #[test]
    fn altered_or_truncated_text_does_not_open() {
        let sealer = sealer("key");
        let (sealed, _) = sealer.seal(Purpose::State, BOUND, b"text").unwrap();
        let wire = BASE64_URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for bit in 0..wire.len() * 8 {
            let mut altered = wire.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let altered = BASE64_URL_SAFE_NO_PAD.encode(altered);
            assert_eq!(sealer.open(Purpose::State, BOUND, &altered), Err(NotOurs), "bit {bit}");
        }
        for length in 0..wire.len() {
            let truncated = BASE64_URL_SAFE_NO_PAD.encode(&wire[..length]);
            assert_eq!(sealer.open(Purpose::State, BOUND, &truncated), Err(NotOurs), "length {length}");
        }
    }
}
