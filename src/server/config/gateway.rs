//! What the recording gateway is told. `audit-log serve` takes each option as it stands here; `audit-log gateway` takes it without `gateway-`.
//!
//! To add an option: as in `config.rs`; its name begins with `gateway-`, so that both commands have it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use axum::http::uri::{Authority, Uri};
use axum::http::{HeaderName, HeaderValue};

use super::Secret;

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const SPOOL: &str = "data/gateway";
/// 1 GiB.
const SPOOL_BYTES: u64 = 1 << 30;
/// A spool smaller than this holds not one body.
const LEAST_SPOOL: u64 = 64 << 10;

/// The options of a recording gateway.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct GatewayOptions {
    /// The API that the recording gateway stands before: `https://api.internal` or `http://10.0.0.5:8080`
    #[arg(long, env = "AUDIT_LOG_GATEWAY_UPSTREAM", value_name = "URL", value_parser = parse_upstream)]
    pub gateway_upstream: Option<Upstream>,
    /// The address that the gateway answers at, in the API's place
    #[arg(long, env = "AUDIT_LOG_GATEWAY_LISTEN", value_name = "ADDRESS", default_value_t = LISTEN)]
    pub gateway_listen: SocketAddr,
    /// The project that gets what the gateway recorded
    #[arg(long, env = "AUDIT_LOG_GATEWAY_PROJECT", value_name = "PRJ")]
    pub gateway_project: Option<String>,
    /// The `Host` that the upstream sees. Without it, the one that the client asked for
    #[arg(long, env = "AUDIT_LOG_GATEWAY_UPSTREAM_HOST", value_name = "HOST", value_parser = parse_host)]
    pub gateway_upstream_host: Option<HeaderValue>,
    /// Tell the upstream who asked and how: the client's address at the end of `X-Forwarded-For`, http or https in `X-Forwarded-Proto`. `false` leaves both as
    /// they came
    #[arg(long, env = "AUDIT_LOG_GATEWAY_FORWARDED", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub gateway_forwarded: bool,
    /// Record what passes; `false` only passes it on
    #[arg(long, env = "AUDIT_LOG_GATEWAY_RECORD", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub gateway_record: bool,
    /// The request header that says who did it: a log's `user_id`
    #[arg(long, env = "AUDIT_LOG_GATEWAY_USER_HEADER", value_name = "NAME")]
    pub gateway_user_header: Option<HeaderName>,
    /// The request header that says which key was used: a log's `app_id`
    #[arg(long, env = "AUDIT_LOG_GATEWAY_APP_HEADER", value_name = "NAME")]
    pub gateway_app_header: Option<HeaderName>,
    /// Kilobytes of each body that are recorded; what is longer passes whole, and its log says `truncated`
    #[arg(long, env = "AUDIT_LOG_GATEWAY_BODY_KB", value_name = "KB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=32_768))]
    pub gateway_body_kb: u32,
    /// Megabytes of a CSV upload that is kept whole, as its log's import file; a longer one is not kept. 0 keeps none
    #[arg(long, env = "AUDIT_LOG_GATEWAY_UPLOAD_MB", value_name = "MB", default_value_t = 16, value_parser = clap::value_parser!(u32).range(0..=64))]
    pub gateway_upload_mb: u32,
    /// Megabytes of bodies and headers that are held in memory until they are on disk; what comes on top is cut, or not recorded and counted
    #[arg(long, env = "AUDIT_LOG_GATEWAY_MEMORY_MB", value_name = "MB", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub gateway_memory_mb: u32,
    /// The folder of the spool: what was recorded lies there, sealed, until it is stored
    #[arg(long, env = "AUDIT_LOG_GATEWAY_SPOOL", value_name = "FOLDER", default_value = SPOOL)]
    pub gateway_spool: PathBuf,
    /// How large the spool may become; past it nothing more is recorded until some of it is stored, and what is missing is counted and told
    #[arg(long, env = "AUDIT_LOG_GATEWAY_SPOOL_BYTES", value_name = "BYTES", default_value_t = SPOOL_BYTES, value_parser = clap::value_parser!(u64).range(LEAST_SPOOL..))]
    pub gateway_spool_bytes: u64,
    /// How many seconds a connection to the upstream may take to be made
    #[arg(long, env = "AUDIT_LOG_GATEWAY_CONNECT_SECONDS", value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=300))]
    pub gateway_connect_seconds: u32,
    /// A file of certificates (PEM), the gateway's own first: it speaks TLS then, and HTTP/2 to clients that ask for it
    #[arg(long, env = "AUDIT_LOG_GATEWAY_TLS_CERT", value_name = "FILE", requires = "gateway_tls_key")]
    pub gateway_tls_cert: Option<PathBuf>,
    /// The file of the certificate's private key (PEM)
    #[arg(long, env = "AUDIT_LOG_GATEWAY_TLS_KEY", value_name = "FILE", requires = "gateway_tls_cert")]
    pub gateway_tls_key: Option<PathBuf>,
    /// An address where another `audit-log` may fetch what this gateway recorded, by the spool's key: this one stores nothing itself then
    #[arg(
        long,
        env = "AUDIT_LOG_GATEWAY_SPOOL_LISTEN",
        value_name = "ADDRESS",
        requires = "gateway_spool_key"
    )]
    pub gateway_spool_listen: Option<SocketAddr>,
    /// Where another gateway lends its spool, which is fetched and stored here: `http://10.0.0.7:8081`
    #[arg(long, env = "AUDIT_LOG_GATEWAY_TAIL", value_name = "URL", requires = "gateway_spool_key", value_parser = parse_upstream)]
    pub gateway_tail: Option<Upstream>,
    /// The key that both sides of a spool know: any 16 letters or more
    #[arg(long, env = "AUDIT_LOG_GATEWAY_SPOOL_KEY", value_name = "KEY", hide_env_values = true, value_parser = parse_spool_key)]
    pub gateway_spool_key: Option<Secret>,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            gateway_upstream: None,
            gateway_listen: LISTEN,
            gateway_project: None,
            gateway_upstream_host: None,
            gateway_forwarded: true,
            gateway_record: true,
            gateway_user_header: None,
            gateway_app_header: None,
            gateway_body_kb: 256,
            gateway_upload_mb: 16,
            gateway_memory_mb: 128,
            gateway_spool: PathBuf::from(SPOOL),
            gateway_spool_bytes: SPOOL_BYTES,
            gateway_connect_seconds: 5,
            gateway_tls_cert: None,
            gateway_tls_key: None,
            gateway_spool_listen: None,
            gateway_tail: None,
            gateway_spool_key: None,
        }
    }
}

impl GatewayOptions {
    /// Bytes of each body that are recorded.
    pub const fn body_bytes(&self) -> usize {
        self.gateway_body_kb as usize * 1024
    }

    /// Bytes of a CSV upload that is kept whole.
    pub const fn upload_bytes(&self) -> usize {
        self.gateway_upload_mb as usize * super::MB
    }

    /// Bytes that wait in memory.
    pub const fn memory_bytes(&self) -> usize {
        self.gateway_memory_mb as usize * super::MB
    }

    /// Whether there is anything to do for a gateway.
    pub const fn is_wanted(&self) -> bool {
        self.gateway_upstream.is_some() || self.gateway_tail.is_some()
    }
}

/// An HTTP service: where it is, and whether it speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Host and port.
    pub authority: Authority,
    /// Whether it is reached by https.
    pub is_https: bool,
}

impl std::fmt::Display for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http{}://{}", if self.is_https { "s" } else { "" }, self.authority)
    }
}

/// Reads a service's address: http or https, a host, no path.
pub(crate) fn parse_upstream(text: &str) -> Result<Upstream, String> {
    let uri: Uri = text.parse().map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    let is_https = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err("a service is reached by http:// or https://".to_owned()),
    };
    let authority = uri
        .authority()
        .filter(|authority| !authority.host().is_empty())
        .ok_or_else(|| "a host is missing".to_owned())?;
    if authority.as_str().contains('@') {
        return Err("a name and a password in the address would be sent to nobody: leave them out".to_owned());
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err("requests keep their own path: leave it out of the address".to_owned());
    }
    Ok(Upstream {
        authority: authority.clone(),
        is_https,
    })
}

fn parse_host(text: &str) -> Result<HeaderValue, String> {
    let authority: Authority = text.parse().map_err(|error| format!("{text:?} is no host: {error}"))?;
    HeaderValue::from_str(authority.as_str()).map_err(|error| error.to_string())
}

fn parse_spool_key(text: &str) -> Result<Secret, String> {
    if text.len() < 16 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a key is 16 letters, digits and signs or more, without spaces".to_owned());
    }
    Ok(Secret::from(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_a_host_and_how_it_is_reached() {
        for (text, expected) in [
            ("https://api.internal", Some("https://api.internal")),
            ("http://10.0.0.5:8080/", Some("http://10.0.0.5:8080")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("api.internal", None),
            ("ftp://api.internal", None),
            ("https://", None),
            ("https://api.internal/v1", None),
            ("https://api.internal/?a", None),
            ("https://ada:secret@api.internal", None),
            ("https://api internal", None),
        ] {
            let read = parse_upstream(text).map(|upstream| upstream.to_string());
            assert_eq!(read.as_deref().ok(), expected, "{text}: {read:?}");
        }
    }

    #[test]
    fn a_key_is_long_and_has_no_spaces() {
        assert!(parse_spool_key("0123456789abcdef").is_ok());
        for bad in [
            "",
            "short",
            "0123456789abcde",
            "with spaces in between them",
            "0123456789abcdé-",
        ] {
            assert!(parse_spool_key(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_is_one() {
        assert_eq!(parse_host("api.example.com:81").unwrap(), "api.example.com:81");
        for bad in ["", "a b", "a/b", "http://a"] {
            assert!(parse_host(bad).is_err(), "{bad}");
        }
    }
}
