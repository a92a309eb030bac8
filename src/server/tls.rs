//! Certificates: the user's, or one made on the spot.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio_rustls::TlsAcceptor;

use crate::server::Certificate;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that is no certificate or key.
    #[error("{}: {reason}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// A certificate and a key that do not fit.
    #[error("the certificate and its key cannot be used together: {0}")]
    Pair(#[from] rustls::Error),
}

/// What takes encrypted connections, and its certificate in PEM.
pub(super) struct Acceptor {
    pub(super) acceptor: TlsAcceptor,
    pub(super) certificate: String,
}

/// Makes what takes encrypted connections, HTTP/2 first.
pub(super) fn acceptor(certificate: &Certificate, host: IpAddr) -> Result<Acceptor, TlsError> {
    let (chain, key, text) = match certificate {
        Certificate::Files { chain, key } => {
            let file = |file: &PathBuf, error: &dyn std::fmt::Display| TlsError::File {
                file: file.clone(),
                reason: error.to_string(),
            };
            let text = std::fs::read_to_string(chain).map_err(|error| file(chain, &error))?;
            let certificates = CertificateDer::pem_slice_iter(text.as_bytes());
            let certificates: Result<Vec<_>, _> = certificates.collect();
            let certificates = certificates.map_err(|error| file(chain, &error))?;
            let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| file(key, &error))?;
            (certificates, secret, text)
        }
        Certificate::SelfMade => {
            let names = vec!["localhost".to_owned(), host.to_string(), "127.0.0.1".to_owned()];
            let made = rcgen::generate_simple_self_signed(names)?;
            let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
                .map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
            (vec![made.cert.der().clone()], key, made.cert.pem())
        }
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Acceptor { acceptor: TlsAcceptor::from(Arc::new(config)), certificate: text })
}
