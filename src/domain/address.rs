//! Addresses as a cluster reports them: an IP address or a DNS name, and nothing else.

use std::{fmt, net::IpAddr, str::FromStr};

/// A host somebody outside the cluster could connect to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// An IP address.
    Ip(IpAddr),
    /// A DNS name.
    Name(String),
}

/// A string that is neither an IP address nor a DNS name, or names no host.
#[derive(Debug, thiserror::Error)]
#[error("neither an IP address nor a DNS name")]
pub struct HostError;

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        match text.parse::<IpAddr>() {
            Ok(address) if address.is_unspecified() || address.is_multicast() => Err(HostError),
            Ok(address) => Ok(Self::Ip(address)),
            Err(_) if is_dns_name(text) => Ok(Self::Name(text.to_owned())),
            Err(_) => Err(HostError),
        }
    }
}

impl fmt::Display for Host {
    /// Writes the host alone: an IPv6 address has no brackets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(formatter),
            Self::Name(name) => name.fmt(formatter),
        }
    }
}

impl Host {
    /// Returns `host:port`, with an IPv6 address in brackets.
    #[must_use]
    pub fn with_port(&self, port: u16) -> String {
        match self {
            Self::Ip(IpAddr::V6(address)) => format!("[{address}]:{port}"),
            Self::Ip(_) | Self::Name(_) => format!("{self}:{port}"),
        }
    }

    /// Returns whether only pods can resolve it: the name of a Service, as DNS in the cluster has it.
    #[must_use]
    pub fn is_cluster_name(&self) -> bool {
        matches!(self, Self::Name(name) if name.ends_with(".svc") || name.contains(".svc."))
    }
}

/// RFC 1123, as the API server checks a load balancer's hostname.
#[must_use]
pub fn is_dns_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    // Digits and dots alone are an address that did not parse, such as 10.0.0.256.
    let is_numeric = name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    name.len() <= 253 && !is_numeric && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_told_apart() {
        let with_port = |text: &str| text.parse::<Host>().ok().map(|host| host.with_port(80));
        assert_eq!(with_port("192.0.2.1").unwrap(), "192.0.2.1:80");
        assert_eq!(with_port("2001:db8::1").unwrap(), "[2001:db8::1]:80");
        assert_eq!(with_port("a-1.elb.example.com").unwrap(), "a-1.elb.example.com:80");
        for refused in [
            "",
            "0.0.0.0",
            "::",
            "10.0.0.256",
            "a b",
            "$(id)",
            "a'b",
            "-a",
            "a..b",
            "224.0.0.1",
            "http://a",
        ] {
            assert_eq!(with_port(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn names_of_services_are_for_pods_only() {
        let internal = |text: &str| text.parse::<Host>().unwrap().is_cluster_name();
        assert!(internal("gw.istio-ingress.svc.cluster.local"));
        assert!(internal("gw.istio-ingress.svc"));
        assert!(!internal("svc.example.com"));
    }
}
