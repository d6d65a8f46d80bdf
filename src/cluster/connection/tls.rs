//! TLS as a kubeconfig asks for it: whom to trust, and who we are.

use std::{fs, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kube::{Config, config::AuthInfo};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
};

use super::ConnectError;

/// Returns the TLS configuration; hyper-rustls adds ALPN.
pub(super) fn client_config(config: &Config) -> Result<ClientConfig, ConnectError> {
    // Named, not the process default: another crate's choice of provider must not matter.
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid("TLS", &error))?;
    let builder = if config.accept_invalid_certs {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(TrustAnyone(provider)))
    } else {
        builder.with_root_certificates(trusted(config)?)
    };
    match identity(&config.auth_info)? {
        None => Ok(builder.with_no_client_auth()),
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| invalid("the client certificate", &error)),
    }
}

/// The cluster's own authority, else those of the operating system.
fn trusted(config: &Config) -> Result<RootCertStore, ConnectError> {
    let mut store = RootCertStore::empty();
    match &config.root_cert {
        Some(authorities) => {
            for authority in authorities {
                store
                    .add(CertificateDer::from(authority.as_slice()))
                    .map_err(|error| invalid("the certificate authority", &error))?;
            }
        }
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(store)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(user: &AuthInfo) -> Result<Option<Identity>, ConnectError> {
    let certificate = load(
        "the client certificate",
        user.client_certificate_data.as_deref(),
        user.client_certificate.as_deref(),
    )?;
    let key = user.client_key_data.as_ref().map(kube_secret);
    let key = load("the client key", key, user.client_key.as_deref())?;
    let (Some(certificate), Some(key)) = (certificate, key) else { return Ok(None) };
    let chain = CertificateDer::pem_slice_iter(&certificate)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| invalid("the client certificate", &error))?;
    let key =
        PrivateKeyDer::from_pem_slice(&key).map_err(|error| invalid("the client key", &error))?;
    Ok(Some((chain, key)))
}

fn kube_secret(secret: &secrecy::SecretString) -> &str {
    secrecy::ExposeSecret::expose_secret(secret)
}

/// Reads PEM text from base64 data, which wins, or from a file.
fn load(
    what: &'static str,
    data: Option<&str>,
    file: Option<&str>,
) -> Result<Option<Vec<u8>>, ConnectError> {
    match (data, file) {
        (Some(data), _) if !data.is_empty() => {
            BASE64_STANDARD.decode(data.trim()).map(Some).map_err(|error| invalid(what, &error))
        }
        (_, Some(file)) => fs::read(file).map(Some).map_err(|error| invalid(what, &error)),
        _ => Ok(None),
    }
}

fn invalid(what: &'static str, error: &dyn std::fmt::Display) -> ConnectError {
    ConnectError::Credentials { what, cause: error.to_string() }
}

/// Accepts every certificate: `insecure-skip-tls-verify`. Signatures are still checked.
#[derive(Debug)]
struct TrustAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustAnyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
