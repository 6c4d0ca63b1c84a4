//! `site.standard`: long texts that are published elsewhere.

pub mod document;
pub mod publication;
