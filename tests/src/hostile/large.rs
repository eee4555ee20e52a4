//! Bodies that are too large.

/// Far more than any body may have.
pub const TEN_MEGABYTES: usize = 10 << 20;

/// Posts to `/reviews` that are too large: ten megabytes announced, ten megabytes in chunks, one string of a megabyte.
/// Each asks for its connection to be closed.
#[must_use]
pub fn posts() -> [Vec<u8>; 3] {
    let content = vec![b'x'; TEN_MEGABYTES];
    let string = [&b"{\"body\":\""[..], &content[..1 << 20], b"\"}"].concat();
    let head = |more: &str| {
        format!("POST /reviews HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n\r\n").into_bytes()
    };
    let announced = [head(&format!("Content-Length: {TEN_MEGABYTES}")), content.clone()].concat();
    let text = [head(&format!("Content-Length: {}", string.len())), string].concat();
    let mut chunked = head("Transfer-Encoding: chunked");
    for chunk in content.chunks(1 << 16) {
        chunked.extend(format!("{:x}\r\n", chunk.len()).bytes());
        chunked.extend(chunk);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    [announced, chunked, text]
}
