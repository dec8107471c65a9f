//! Values that cannot be guessed.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// Generates an authorization code or access token (RFC 6749 §10.10): 32 random bytes in base64url.
pub(crate) fn opaque() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// Generates a random UUID (RFC 9562 §5.4), the form of version IDs in Secrets Manager.
pub(crate) fn uuid() -> String {
    let value = u128::from_be_bytes(bytes());
    let value = value & !(0xf << 76) | (4 << 76);
    let value = value & !(0b11 << 62) | (0b10 << 62);
    let hex = format!("{value:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system has a source of randomness");
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn uuid_has_version_4() {
        let uuid = super::uuid();
        assert_eq!(uuid.len(), 36, "{uuid}");
        assert_eq!(uuid.as_bytes()[14], b'4', "{uuid}");
        assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
    }
}
