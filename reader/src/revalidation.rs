//! `ETag` and `If-None-Match`: whoever has an answer's very bytes gets 304 instead of them.
//!
//! A tag is a hash of the bytes alone, so it is the same from every reader, and changes when what the answer shows does
//! and not when the replica moves on. It is weak, because nginx compresses an answer under its tag.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use xxhash_rust::xxh3::xxh3_128;

/// The tag of a body.
pub(crate) fn tag(body: &[u8]) -> HeaderValue {
    let tag = format!("W/\"{:032x}\"", xxh3_128(body));
    HeaderValue::try_from(tag).expect("a tag is plain ASCII")
}

/// Makes a 304 of an answer that the client has already. Everything else that it says, its position too, stays.
pub(crate) async fn unless_modified(request: Request, next: Next) -> Response {
    let asked = request.headers().contains_key(header::IF_NONE_MATCH).then(|| request.headers().clone());
    let mut response = next.run(request).await;
    if let (Some(asked), Some(tag)) = (asked, response.headers().get(header::ETAG))
        && names(&asked, tag.as_bytes())
    {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        for describes_the_body in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
            response.headers_mut().remove(describes_the_body);
        }
    }
    response
}

/// Whether one of a request's tags is this one, or is `*`. Compared weakly: only what stands in the quotes counts.
fn names(request: &HeaderMap, tag: &[u8]) -> bool {
    let tag = opaque(tag).map(|(tag, _)| tag);
    request.get_all(header::IF_NONE_MATCH).iter().any(|line| {
        let mut rest = line.as_bytes();
        loop {
            rest = rest.trim_ascii_start();
            match rest {
                [b',', after @ ..] => rest = after,
                [b'*', ..] => return true,
                _ => match opaque(rest) {
                    Some((found, _)) if Some(found) == tag => return true,
                    Some((_, after)) => rest = after,
                    None => return false,
                },
            }
        }
    })
}

/// What stands between the quotes of the first tag of a list, and what follows it.
fn opaque(tags: &[u8]) -> Option<(&[u8], &[u8])> {
    let quoted = tags.strip_prefix(b"W/").unwrap_or(tags).strip_prefix(b"\"")?;
    let end = quoted.iter().position(|byte| *byte == b'"')?;
    Some((&quoted[..end], &quoted[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(lines: &[&'static str]) -> bool {
        let lines = lines.iter().map(|line| (header::IF_NONE_MATCH, HeaderValue::from_static(line)));
        super::names(&lines.collect(), b"W/\"0a1b\"")
    }

    #[test]
    fn a_tag_is_of_the_bytes_and_weak() {
        assert_eq!(tag(b"[]"), tag(b"[]"));
        assert_ne!(tag(b"[]"), tag(b"[ ]"));
        assert_eq!(tag(b""), "W/\"99aa06d3014798d86001c324468d497f\"", "as everybody's XXH3");
    }

    #[test]
    fn a_list_is_searched_and_compared_weakly() {
        for lines in [
            &["\"0a1b\""][..],
            &["W/\"0a1b\""],
            &["*"],
            &[" * "],
            &["\"x\", W/\"0a1b\""],
            &["\"x\",,\t\"0a1b\" ,\"y\""],
            &["W/\"a,\",\"0a1b\""],
            &["\"x\"", "\"0a1b\""],
        ] {
            assert!(names(lines), "{lines:?}");
        }
        for lines in [
            &["\"0a1\""][..],
            &["0a1b"],
            &["w/\"0a1b\""],
            &["\"0a1b"],
            &["\"x 0a1b\""],
            &["\"x, *\""],
            &["\"\""],
            &[""],
            &[" , "],
            &[],
        ] {
            assert!(!names(lines), "{lines:?}");
        }
    }
}
