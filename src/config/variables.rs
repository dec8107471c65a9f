//! Reads single environment variables. An empty one counts as unset, because an unused template parameter arrives as an
//! empty variable.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Url;

use crate::operator::{SettingError, secure_url};

/// The environment variables, which `lookup` finds.
pub(super) struct Variables<F> {
    pub lookup: F,
}

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    /// The value without white space around it.
    pub fn get(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Reads a value that must be one of `choices`.
    pub fn choice<T: Copy>(&self, name: &'static str, default: T, choices: &[(&str, T)]) -> Result<T, SettingError> {
        let Some(value) = self.get(name) else { return Ok(default) };
        choices.iter().find(|(word, _)| *word == value).map(|(_, choice)| *choice).ok_or_else(|| {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            bad(name, format!("not one of its values; use {}, or leave it unset", words.join(" or ")))
        })
    }

    /// Reads an `https` URL; plain `http` is accepted only for this machine.
    pub fn url(&self, name: &'static str) -> Result<Option<Url>, SettingError> {
        self.get(name).map(|value| parse_url(name, &value)).transpose()
    }

    /// Reads the certificates in the PEM file whose path is the value.
    pub fn certificates(&self, name: &'static str) -> Result<Vec<CertificateDer<'static>>, SettingError> {
        let Some(path) = self.get(name) else { return Ok(Vec::new()) };
        let certificates = CertificateDer::pem_file_iter(Path::new(&path))
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            // The cause may quote the file, which may be a private key in the wrong place.
            .map_err(|_| bad(name, "cannot be read as PEM certificates; give the path of a PEM file"))?;
        if certificates.is_empty() {
            return Err(bad(name, "has no certificate; give a file with BEGIN CERTIFICATE blocks"));
        }
        Ok(certificates)
    }
}

pub(super) fn bad(variable: &'static str, fault: impl Into<String>) -> SettingError {
    SettingError::new(variable, fault)
}

pub(super) fn parse_url(variable: &'static str, value: &str) -> Result<Url, SettingError> {
    secure_url(value).map_err(|fault| bad(variable, fault))
}
