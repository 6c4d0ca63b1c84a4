//! How a PostgreSQL connection over TCP is encrypted, by libpq's words: `sslmode` and `sslrootcert` of the URL. Never asks for more or
//! less than libpq would: `prefer` and `require` encrypt without knowing the server, `verify-*` check its certificate.

use std::sync::Arc;

use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};

/// What the URL asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    pub mode: SslMode,
    verify: bool,
    roots: Option<String>,
}

/// The URL's TLS settings cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum TlsSettingError {
    #[error("sslmode={0} is unknown; it is one of disable, prefer, require, verify-ca, verify-full")]
    Mode(String),
    #[error("sslrootcert={path}: {reason}")]
    Roots { path: String, reason: String },
    #[error("no certificate roots: {0}")]
    Verifier(TlsError),
}

impl Tls {
    /// Takes `sslmode` and `sslrootcert` out of the query of `url` (tokio-postgres knows neither `verify-*` nor files); the rest of the URL.
    ///
    /// # Errors
    /// An unknown mode.
    pub fn split(url: &str) -> Result<(String, Self), TlsSettingError> {
        let mut tls = Self { mode: SslMode::Prefer, verify: false, roots: None };
        let Some((base, query)) = url.split_once('?') else { return Ok((url.to_owned(), tls)) };
        let mut rest = Vec::new();
        for pair in query.split('&') {
            match pair.split_once('=') {
                Some(("sslmode", mode)) => (tls.mode, tls.verify) = parse_mode(mode)?,
                Some(("sslrootcert", path)) if path != "system" => tls.roots = Some(path.replace("%2F", "/")),
                Some(("sslrootcert", _)) => tls.verify = true,
                _ => rest.push(pair),
            }
        }
        let url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        Ok((url, tls))
    }

    /// The connector for these settings.
    ///
    /// # Errors
    /// A file of roots that cannot be read, or a system without any.
    pub fn connector(&self) -> Result<MakeRustlsConnect, TlsSettingError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> =
            if self.verify { self.known_server(Arc::clone(&provider))? } else { Arc::new(AnyServer(Arc::clone(&provider))) };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsSettingError::Verifier)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }

    fn known_server(&self, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TlsSettingError> {
        let extra = self.roots.iter().map(|path| read_roots(path)).collect::<Result<Vec<_>, _>>()?;
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra.into_iter().flatten(), provider);
        Ok(Arc::new(verifier.map_err(TlsSettingError::Verifier)?))
    }
}

fn parse_mode(mode: &str) -> Result<(SslMode, bool), TlsSettingError> {
    match mode {
        "disable" => Ok((SslMode::Disable, false)),
        "allow" | "prefer" => Ok((SslMode::Prefer, false)),
        "require" => Ok((SslMode::Require, false)),
        "verify-ca" | "verify-full" => Ok((SslMode::Require, true)),
        _ => Err(TlsSettingError::Mode(mode.to_owned())),
    }
}

fn read_roots(path: &str) -> Result<Vec<CertificateDer<'static>>, TlsSettingError> {
    let fail = |reason: String| TlsSettingError::Roots { path: path.to_owned(), reason };
    let certificates = CertificateDer::pem_file_iter(path).map_err(|e| fail(e.to_string()))?;
    certificates.collect::<Result<Vec<_>, _>>().map_err(|e| fail(e.to_string()))
}

/// Takes every certificate, as libpq does for `prefer` and `require`; that the server holds its key is still checked.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libpq_words_are_taken_out_of_the_url() {
        let (url, tls) = Tls::split("postgres://u@h/db?sslmode=verify-full&application_name=x").unwrap();
        assert_eq!((url.as_str(), tls.mode, tls.verify), ("postgres://u@h/db?application_name=x", SslMode::Require, true));
        let (url, tls) = Tls::split("postgres://u@h/db?sslmode=disable").unwrap();
        assert_eq!((url.as_str(), tls.mode), ("postgres://u@h/db", SslMode::Disable));
        assert_eq!(Tls::split("postgres://u@h/db").unwrap().1.mode, SslMode::Prefer);
        assert!(Tls::split("postgres://u@h/db?sslmode=perhaps").is_err());
    }

    #[test]
    fn every_mode_has_a_connector() {
        for mode in ["disable", "prefer", "require", "verify-full"] {
            Tls::split(&format!("postgres://h/db?sslmode={mode}")).unwrap().1.connector().unwrap();
        }
        let missing = Tls::split("postgres://h/db?sslmode=verify-ca&sslrootcert=%2Fno%2Fsuch.pem").unwrap().1.connector();
        assert!(missing.is_err_and(|e| e.to_string().contains("/no/such.pem")));
    }
}
