//! Judges a server's certificate, and says in Go's words what is wrong with it and with which.
//!
//! webpki judges; two things are added. A certificate that is itself among the authorities is
//! trusted, as Go trusts it (kube-rs/kube#1767). And of several faults Go names the time first, then
//! the name, then the authority, while rustls says `UnknownIssuer` before it looks at the name.

use std::{error::Error as StdError, fmt, sync::Arc};

use jiff::Timestamp;
use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, OtherError, RootCertStore,
    SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

/// A certificate that is not trusted.
#[derive(Debug)]
pub(super) struct Untrusted {
    /// Go's words.
    reason: String,
    /// Which certificate it is, and what may have happened.
    pub(super) advice: String,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "tls: failed to verify certificate: x509: {}", self.reason)
    }
}

impl StdError for Untrusted {}

/// Trusts what some authorities have signed, or whoever answers.
#[derive(Debug)]
pub(super) struct Verifier {
    /// None for `insecure-skip-tls-verify`.
    authorities: Option<Authorities>,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
struct Authorities {
    certificates: Vec<CertificateDer<'static>>,
    /// None when there is no authority at all.
    inner: Option<Arc<WebPkiServerVerifier>>,
}

impl Verifier {
    /// Trusts what these authorities have signed, and these certificates themselves.
    pub(super) fn new(
        certificates: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        let builder =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let inner = builder.build().ok();
        Self { authorities: Some(Authorities { certificates, inner }), provider }
    }

    /// Accepts every certificate. Signatures are still checked.
    pub(super) fn of_anyone(provider: Arc<CryptoProvider>) -> Self {
        Self { authorities: None, provider }
    }
}

impl Authorities {
    fn judge(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let judged = match &self.inner {
            Some(inner) => inner.verify_server_cert(certificate, intermediates, name, ocsp, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        let Err(TlsError::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) = judged
        else {
            return judged;
        };
        // The time was looked at first; now the name, and then the authorities again.
        verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
        let is_pinned = self.certificates.iter().any(|each| each == certificate);
        if is_pinned && self.inner.is_some() { Ok(ServerCertVerified::assertion()) } else { judged }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(authorities) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        let judged = authorities.judge(certificate, intermediates, name, ocsp, now);
        judged.map_err(|error| match error {
            TlsError::InvalidCertificate(error) => {
                let untrusted = Untrusted::new(&error, certificate, name);
                CertificateError::Other(OtherError(Arc::new(untrusted))).into()
            }
            error => error,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl Untrusted {
    fn new(
        error: &CertificateError,
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
    ) -> Self {
        let [issuer, subject] = common_names(certificate);
        let which = format!("the server's certificate is {subject:?}, signed by {issuer:?}");
        let clock = |time: &UnixTime, word: &str, limit: &UnixTime| Self {
            reason: format!(
                "certificate has expired or is not yet valid: current time {} is {word} {}",
                moment(*time),
                moment(*limit)
            ),
            advice: format!("{which}; renew it, or set the clock of this machine right"),
        };
        match error {
            CertificateError::ExpiredContext { time, not_after } => clock(time, "after", not_after),
            CertificateError::NotValidYetContext { time, not_before } => {
                clock(time, "before", not_before)
            }
            CertificateError::NotValidForNameContext { presented, .. } => Self {
                reason: wrong_name(name, presented),
                advice: format!(
                    "{which}; use a name or an address it is for, or name one with --tls-server-name"
                ),
            },
            CertificateError::UnknownIssuer => Self {
                reason: "certificate signed by unknown authority".to_owned(),
                advice: format!(
                    "{which}, which is not the certificate-authority of the kubeconfig; is it \
                     another cluster, or a proxy that reads along?"
                ),
            },
            CertificateError::BadSignature => Self {
                reason: "certificate signed by unknown authority".to_owned(),
                advice: format!(
                    "{which}, but the kubeconfig has another certificate-authority of that name; \
                     was the cluster made anew?"
                ),
            },
            error => Self { reason: error.to_string(), advice: which },
        }
    }
}

/// Go's words for a certificate that is for somebody else (`x509.HostnameError`).
fn wrong_name(name: &ServerName<'_>, presented: &[String]) -> String {
    let of_kind = |kind: &str| -> Vec<&str> {
        let names = presented.iter().filter_map(|name| name.strip_prefix(kind));
        names.map(|name| name.trim_matches(['(', ')', '"'])).collect()
    };
    let (names, addresses) = (of_kind("DnsName"), of_kind("IpAddress"));
    match name {
        ServerName::IpAddress(address) => {
            let address = std::net::IpAddr::from(*address);
            match addresses.as_slice() {
                [] => format!(
                    "cannot validate certificate for {address} because it doesn't contain any IP SANs"
                ),
                addresses => {
                    format!("certificate is valid for {}, not {address}", addresses.join(", "))
                }
            }
        }
        name => {
            let name = name.to_str();
            match names.as_slice() {
                [] => format!("certificate is not valid for any names, but wanted to match {name}"),
                names => format!("certificate is valid for {}, not {name}", names.join(", ")),
            }
        }
    }
}

fn moment(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// The common names of issuer and subject, in that order, as a certificate has them; empty where
/// there is none. Only for people to read.
pub(in crate::cluster) fn common_names(certificate: &[u8]) -> [String; 2] {
    let mut names = [String::new(), String::new()];
    if let Some(fields) = fields(certificate) {
        for (name, field) in names.iter_mut().zip(fields) {
            *name = common_name(field).unwrap_or_default();
        }
    }
    names
}

/// Issuer and subject of a certificate (RFC 5280, section 4.1).
fn fields(certificate: &[u8]) -> Option<[&[u8]; 2]> {
    const VERSION: u8 = 0xa0;
    let (_, certificate, _) = element(certificate)?;
    let (_, body, _) = element(certificate)?;
    let (tag, _, after) = element(body)?;
    let rest = if tag == VERSION { element(after)?.2 } else { after };
    let (_, _, rest) = element(rest)?; // signature
    let (_, issuer, rest) = element(rest)?;
    let (_, _, rest) = element(rest)?; // validity
    let (_, subject, _) = element(rest)?;
    Some([issuer, subject])
}

/// The common name in a distinguished name.
fn common_name(mut name: &[u8]) -> Option<String> {
    const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
    while let Some((_, set, rest)) = element(name) {
        let (_, pair, _) = element(set)?;
        let (_, kind, value) = element(pair)?;
        if kind == COMMON_NAME {
            let (_, text, _) = element(value)?;
            return Some(String::from_utf8_lossy(text).into_owned());
        }
        name = rest;
    }
    None
}

/// Tag, content and rest of DER.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        ..=0x7f => (usize::from(first), rest),
        0x81 | 0x82 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}
