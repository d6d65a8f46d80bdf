//! TLS as a kubeconfig asks for it: whom to trust, and who we are.

use std::{fs, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kube::config::{AuthInfo, Cluster};
use rustls::{
    ClientConfig, InconsistentKeys,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::{CertifiedKey, SingleCertAndKey},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{ConnectError, certificate::Verifier, messages::reason, target::given};

/// Certificate and key of a client, PEM.
pub(super) type Identity = (Vec<u8>, SecretString);

/// Returns the TLS configuration; hyper-rustls adds ALPN.
pub(super) fn client_config(
    cluster: &Cluster,
    identity: Option<&Identity>,
) -> Result<ClientConfig, ConnectError> {
    // Named, not the process default: another crate's choice of provider must not matter
    // (kube-rs/kube#1617).
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectError::Setup(error.to_string()))?
        .dangerous();
    let is_insecure = cluster.insecure_skip_tls_verify == Some(true);
    let verifier = match (authorities(cluster)?, is_insecure) {
        (Some(_), true) => {
            return Err(setup(
                "specifying a root certificates file with the insecure flag is not allowed",
            ));
        }
        (None, true) => Verifier::of_anyone(provider),
        (Some(authorities), false) => Verifier::new(authorities, provider),
        // Without an authority of its own, the cluster is trusted as the system trusts others.
        (None, false) => Verifier::new(rustls_native_certs::load_native_certs().certs, provider),
    };
    let builder = builder.with_custom_certificate_verifier(Arc::new(verifier));
    Ok(match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let provider = ring::default_provider();
            let resolver = SingleCertAndKey::from(certified(identity, &provider)?);
            builder.with_client_cert_resolver(Arc::new(resolver))
        }
    })
}

/// The cluster's own authorities; their data beats their file.
fn authorities(cluster: &Cluster) -> Result<Option<Vec<CertificateDer<'static>>>, ConnectError> {
    let data = given(cluster.certificate_authority_data.as_ref());
    let file = given(cluster.certificate_authority.as_ref());
    let Some(pem) = load("certificate-authority-data", data, file)? else { return Ok(None) };
    // Like Go, what else is in the file does not matter.
    let authorities: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
    if authorities.is_empty() {
        return Err(setup("unable to load root certificates: unable to parse bytes as PEM block"));
    }
    Ok(Some(authorities))
}

/// Reads the user's own certificate, if there is one.
pub(super) fn identity(user: &AuthInfo) -> Result<Option<Identity>, ConnectError> {
    let certificate = load(
        "client-certificate-data",
        given(user.client_certificate_data.as_ref()),
        given(user.client_certificate.as_ref()),
    )?;
    let key = user.client_key_data.as_ref().map(SecretString::expose_secret);
    let key = load(
        "client-key-data",
        key.filter(|key| !key.is_empty()),
        given(user.client_key.as_ref()),
    )?;
    let (Some(certificate), Some(key)) = (certificate, key) else { return Ok(None) };
    let key = String::from_utf8(key).map_err(|_| setup(NO_KEY))?;
    Ok(Some((certificate, SecretString::from(key))))
}

const NO_KEY: &str = "tls: failed to find any PEM data in key input";

/// Pairs certificate and key.
///
/// rustls' own check needs a certificate of X.509 version 3, but microk8s and others give users one
/// of version 1 (rustls/rustls#2364), so only a key that is known to be another's is refused.
fn certified(
    (certificate, key): &Identity,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, ConnectError> {
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(certificate).filter_map(Result::ok).collect();
    if chain.is_empty() {
        return Err(setup("tls: failed to find any PEM data in certificate input"));
    }
    let key =
        PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes()).map_err(|_| setup(NO_KEY))?;
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|_| setup("tls: failed to parse private key"))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(setup("tls: private key does not match public key"))
        }
        _ => Ok(certified),
    }
}

/// Reads base64 data, which wins, or a file.
fn load(
    what: &str,
    data: Option<&str>,
    file: Option<&str>,
) -> Result<Option<Vec<u8>>, ConnectError> {
    match (data, file) {
        (Some(data), _) => {
            let data: String = data.split_ascii_whitespace().collect();
            let decoded = BASE64_STANDARD.decode(data);
            decoded.map(Some).map_err(|_| ConnectError::Setup(format!("{what} is not base64")))
        }
        (None, Some(file)) => fs::read(file)
            .map(Some)
            .map_err(|error| ConnectError::Setup(format!("open {file}: {}", reason(&error)))),
        (None, None) => Ok(None),
    }
}

fn setup(reason: &str) -> ConnectError {
    ConnectError::Setup(reason.to_owned())
}
