//! The variables about the pages' branding.

use super::variables::{Variables, bad, parse_url};
use crate::operator::SettingError;
use crate::web::pages::Branding;

const DEFAULT_SERVICE_NAME: &str = "Number verification";

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    pub(super) fn branding(&self) -> Result<Branding, SettingError> {
        Ok(Branding {
            service_name: self.get("SERVICE_NAME").unwrap_or_else(|| DEFAULT_SERVICE_NAME.to_owned()),
            accent_color: self.accent_color()?,
            logo_url: self.logo_url()?,
            privacy_url: self.url("PRIVACY_URL")?.map(Into::into),
            fallback_url: self.url("FALLBACK_URL")?.map(Into::into),
        })
    }

    fn accent_color(&self) -> Result<Option<String>, SettingError> {
        const NAME: &str = "ACCENT_COLOR";
        let Some(color) = self.get(NAME) else { return Ok(None) };
        let Some(contrast) = contrast_with_white(&color) else {
            return Err(bad(NAME, "not a colour like #0b5fff"));
        };
        // WCAG 2.2 §1.4.3: the button's text is white.
        if contrast < 4.5 {
            return Err(bad(
                NAME,
                format!("too light for white text on it (contrast {contrast:.1}, needed 4.5); give a darker one"),
            ));
        }
        Ok(Some(color))
    }

    fn logo_url(&self) -> Result<Option<String>, SettingError> {
        const NAME: &str = "LOGO_URL";
        let Some(value) = self.get(NAME) else { return Ok(None) };
        let Some(data) = value.strip_prefix("data:image/") else {
            return Ok(Some(parse_url(NAME, &value)?.into()));
        };
        // The page's size is bounded, and nothing in it may end the attribute it stands in.
        if data.len() <= 4096 && data.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=;,%-._".contains(&b)) {
            Ok(Some(value))
        } else {
            Err(bad(NAME, "not a base64 data: image of at most 4 KB; give an https address instead"))
        }
    }
}

/// WCAG 2.2's contrast ratio of `#rrggbb` against white.
fn contrast_with_white(color: &str) -> Option<f64> {
    let hex = color.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let rgb = u32::from_str_radix(hex, 16).ok()?;
    let channel = |shift: u32| {
        let value = f64::from(rgb >> shift & 0xff) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    Some(1.05 / (0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0) + 0.05))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_matches_wcag() {
        assert_eq!(contrast_with_white("#000000").map(f64::round), Some(21.0));
        assert_eq!(contrast_with_white("#ffffff").map(f64::round), Some(1.0));
        assert_eq!(contrast_with_white("#0f0f0"), None);
    }
}
