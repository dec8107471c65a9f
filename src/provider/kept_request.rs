//! An app's request as bytes, for the sealed text that the browser keeps until it comes back.
//!
//! | bytes | |
//! |---|---|
//! | 1 | flags: 1 `phone` scope, 2 `prompt=none`, 4 the app named the number |
//! | 2 | the tag of the pages' language; zeros if the app did not choose one |
//! | 6 × (2 + n) | `client_id`, `redirect_uri`, `state`, `nonce`, `code_challenge`, `operator`, each after its length (big-endian); an empty one is missing |

use super::{AppRequest, ReturnAddress};
use crate::language::Language;

const PHONE_SCOPE: u8 = 1;
const PROMPT_NONE: u8 = 2;
const HINTED: u8 = 4;

impl AppRequest {
    /// The request as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let flags = [(self.phone_scope, PHONE_SCOPE), (self.prompt_none, PROMPT_NONE), (self.hinted, HINTED)];
        let mut bytes = vec![flags.into_iter().filter_map(|(is_set, flag)| is_set.then_some(flag)).sum()];
        bytes.extend(self.language.map_or([0, 0], tag));
        let ReturnAddress { client_id, redirect_uri, state } = &self.return_address;
        let (nonce, code_challenge, operator) = (&self.nonce, &self.code_challenge, &self.operator);
        for text in [
            Some(client_id),
            Some(redirect_uri),
            state.as_ref(),
            nonce.as_ref(),
            code_challenge.as_ref(),
            operator.as_ref(),
        ] {
            let text = text.map_or(&[][..], |text| text.as_bytes());
            // Every member is shorter: its limit was checked when the request was read.
            bytes.extend(u16::try_from(text.len()).unwrap_or_default().to_be_bytes());
            bytes.extend(text);
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ([flags, language @ ..], mut rest) = bytes.split_first_chunk::<3>()?;
        let mut next = || {
            let (length, text) = rest.split_first_chunk::<2>()?;
            let (text, after) = text.split_at_checked(u16::from_be_bytes(*length).into())?;
            rest = after;
            String::from_utf8(text.to_vec()).ok()
        };
        let [client_id, redirect_uri, state, nonce, code_challenge, operator] =
            [next()?, next()?, next()?, next()?, next()?, next()?];
        let given = |text: String| (!text.is_empty()).then_some(text);
        let request = Self {
            return_address: ReturnAddress { client_id, redirect_uri, state: given(state) },
            nonce: given(nonce),
            code_challenge: given(code_challenge),
            language: Language::ALL.into_iter().find(|known| tag(*known) == *language),
            phone_scope: flags & PHONE_SCOPE != 0,
            prompt_none: flags & PROMPT_NONE != 0,
            hinted: flags & HINTED != 0,
            operator: given(operator),
        };
        rest.is_empty().then_some(request)
    }
}

fn tag(language: Language) -> [u8; 2] {
    language.tag().as_bytes().try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest() -> AppRequest {
        AppRequest {
            return_address: ReturnAddress {
                client_id: "c".repeat(100),
                redirect_uri: "r".repeat(500),
                state: Some("s".repeat(2000)),
            },
            nonce: Some("n".repeat(256)),
            code_challenge: Some("c".repeat(43)),
            language: Some(Language::Portuguese),
            phone_scope: true,
            prompt_none: true,
            hinted: true,
            operator: Some("o".repeat(32)),
        }
    }

    #[test]
    fn request_is_read_as_it_was_written() {
        let smallest = AppRequest {
            return_address: ReturnAddress { state: None, ..largest().return_address },
            nonce: None,
            code_challenge: None,
            language: None,
            phone_scope: false,
            prompt_none: false,
            hinted: false,
            operator: None,
        };
        let languages = Language::ALL.map(|language| AppRequest { language: Some(language), ..smallest.clone() });
        for request in languages.into_iter().chain([largest(), smallest]) {
            assert!(AppRequest::from_bytes(&request.to_bytes()) == Some(request));
        }
    }

    #[test]
    fn other_bytes_are_not_a_request() {
        let bytes = largest().to_bytes();
        for length in 0..bytes.len() {
            assert!(AppRequest::from_bytes(&bytes[..length]).is_none(), "{length} bytes");
        }
        assert!(AppRequest::from_bytes(&[&bytes[..], b"x"].concat()).is_none(), "one more");
    }
}
