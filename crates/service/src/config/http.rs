//! The section `[http]`.

use serde::Deserialize;

/// `[http]`: what writers and readers say alike.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Http {
    /// Origins, as in `https://shop.example`, whose pages may send this system's cookies from elsewhere. Any other origin
    /// may read and write too, but names its cart by a header.
    pub origins: Vec<String>,
}

impl Http {
    pub(super) fn mistakes(&self) -> Vec<String> {
        let wrong = self.origins.iter().filter(|origin| !is_origin(origin));
        wrong
            .map(|origin| {
                format!("http.origins has {origin:?}: write an origin as browsers send it, scheme and host in lower case, the port only when it is not the scheme's own, no path, as in \"https://shop.example\"")
            })
            .collect()
    }
}

/// Whether a browser could send this as `Origin`; anything else would never match and look as if it did.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let usual = match scheme {
        "https" => "443",
        "http" => "80",
        _ => return false,
    };
    let port_fits =
        port.is_none_or(|port| port != usual && port.parse::<u16>().is_ok_and(|n| n.to_string() == port));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._[]:".contains(c);
    !host.is_empty() && host.chars().all(plain) && (!host.contains(':') || host.starts_with('[')) && port_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        for origin in
            ["https://shop.example", "http://localhost:3000", "https://[::1]:8443", "http://a.b-c.d"]
        {
            assert!(is_origin(origin), "{origin}");
        }
        for text in [
            "",
            "*",
            "null",
            "shop.example",
            "https://",
            "https://shop.example/",
            "https://Shop.example",
            "https://shop.example:443",
            "https://shop.example:0443",
            "https://shop.example:",
            "ftp://shop.example",
            "https://a b",
            "https://*.example",
            "https://me@shop.example",
            "https://a:b:1",
        ] {
            assert!(!is_origin(text), "{text}");
        }
    }
}
