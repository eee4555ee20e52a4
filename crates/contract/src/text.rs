//! Text that every replica can hold.

/// Whether Postgres can hold the text: anything but the character NUL.
pub fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// Whether a text is an absolute http or https URL with a host, without spaces or control characters.
pub fn is_web_url(text: &str) -> bool {
    let after = |scheme: &str| {
        let start = text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        start.then(|| &text[scheme.len()..])
    };
    let Some(rest) = after("https://").or_else(|| after("http://")) else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !host.is_empty() && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_web_addresses_are_urls() {
        for url in ["https://a", "http://a.b/c?d=e#f", "HTTPS://A/ü", "http://ü.example"] {
            assert!(is_web_url(url), "{url}");
        }
        for text in [
            "",
            "http://",
            "https:///x",
            "ftp://a",
            "//a",
            "javascript:alert(1)",
            "https://a b",
            "httpsü",
            "https://a\nb",
        ] {
            assert!(!is_web_url(text), "{text}");
        }
    }
}
