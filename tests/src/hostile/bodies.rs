//! Bodies of writes, and queries of reads, as they should not be.

use serde_json::{Value, json};

use crate::{SKU, answer, interaction, question, review};

/// A route that takes a body.
pub struct Post {
    /// Its path.
    pub path: &'static str,
    /// A body that it accepts.
    pub body: Value,
    /// A text field of it.
    pub text: Option<&'static str>,
}

/// Every route that takes a body.
#[must_use]
pub fn posts(product: i64) -> [Post; 5] {
    [
        Post { path: "/reviews", body: review(product), text: Some("body") },
        Post { path: "/qa/questions", body: question(product), text: Some("body") },
        Post { path: "/qa/questions/39/answers", body: answer(), text: Some("body") },
        Post { path: "/cart", body: json!({ "sku_id": SKU }), text: None },
        Post { path: "/interactions", body: interaction(), text: Some("element") },
    ]
}

impl Post {
    /// The body with one more member, as it stands there.
    ///
    /// # Panics
    /// When it is no object.
    #[must_use]
    pub fn with(&self, member: &[u8]) -> Vec<u8> {
        let whole = self.body.to_string();
        let begun = whole.strip_suffix('}').expect("a body is an object");
        [begun.as_bytes(), b",", member, b"}"].concat()
    }

    /// Bodies with a text between quotes in a field that nobody reads, in a name, and in a field that is read: the last
    /// one of its name counts.
    #[must_use]
    pub fn with_text(&self, text: &[u8]) -> Vec<Vec<u8>> {
        let mut bodies = vec![
            self.with(&[b"\"unknown\":\"", text, b"\""].concat()),
            self.with(&[b"\"", text, b"\":1"].concat()),
        ];
        bodies.extend(
            self.text.map(|field| self.with(&[b"\"", field.as_bytes(), b"\":\"", text, b"\""].concat())),
        );
        bodies
    }
}

/// What is no JSON, or too deep: 400 on every route.
#[must_use]
pub fn no_json() -> Vec<String> {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_and_open = "{\"a\":".repeat(10_000);
    let deep_within = format!(r#"{{"x":{}1{}}}"#, r#"{"x":"#.repeat(200), "}".repeat(200));
    let short = ["", "{", "product_id=2", "{\"a\":1}x", "{} {}", "{'a':1}", "NaN", "\u{feff}{}"];
    short.map(str::to_owned).into_iter().chain([deep, deep_and_open, deep_within]).collect()
}

/// What is no text, between quotes: lone surrogates, and bytes that are not UTF-8. 400 in every place.
pub const NO_TEXT: [&[u8]; 5] = [br"\ud800", br"\udc00\ud800", br"\ud83d x", b"\xff\xfe", b"\xed\xa0\x80"];

/// Numbers at the edges, as the count of pieces for a cart, and the status of the answer.
pub const COUNTS: [(&str, u16); 26] = [
    ("5.0", 201),
    ("1e1", 201),
    ("1E+1", 201),
    ("-0", 422),
    ("-0.0", 422),
    ("0.1", 422),
    ("4.9999999999999999999999", 201),
    ("1e400", 400),
    ("-1e400", 400),
    ("1e-400", 422),
    ("9223372036854775807", 422),
    ("9223372036854775808", 422),
    ("-9223372036854775809", 422),
    ("99999999999999999999999999999999", 422),
    ("\"99999999999999999999999999999999\"", 422),
    ("\"007\"", 201),
    ("\"+5\"", 422),
    ("\"5.0\"", 422),
    ("\" 5\"", 422),
    ("\"٥\"", 422),
    ("true", 422),
    ("01", 400),
    (".5", 400),
    ("5.", 400),
    ("+5", 400),
    ("Infinity", 400),
];

/// How many pieces one of these counts stands for, when it is accepted.
#[must_use]
pub fn pieces(count: &str) -> i64 {
    count.trim_matches('"').parse::<f64>().map_or(0, |number| number as i64)
}

/// Ids that no sku can have: 422, naming the field.
pub const NO_SKUS: [&str; 6] = ["9007199254740992", "9007199254740993", "1e300", "-1", "0", "2.5"];

/// Pages at the edges, in a query, and the status of the answer.
pub const PAGES: [(&str, u16); 5] = [
    ("page=-1", 422),
    ("count=-1", 422),
    ("page=1e3", 422),
    ("count=1000000000", 200),
    ("page=99999999999999999999&count=10000", 200),
];
/// Most results of a page, however many are asked for.
pub const LARGEST_PAGE: usize = 10_000;

/// Reviews of a hundred thousand elements, or with a member twice, and the status of the answer.
///
/// # Panics
/// Never: a review is an object.
#[must_use]
pub fn long_and_repeated(product: i64) -> Vec<(Vec<u8>, u16)> {
    let [review, ..] = posts(product);
    let ones = vec!["1"; 100_000].join(",");
    let many = (0..15_000).map(|id| format!("\"{id}\":9")).collect::<Vec<_>>().join(",");
    let with = |member: &str| review.with(member.as_bytes());
    vec![
        (format!("[{ones}]").into_bytes(), 422),
        (with(&format!("\"photos\":[{ones}]")), 422),
        (with(&format!("\"characteristics\":{{{many}}}")), 422),
        (with(&format!("\"name\":[{ones}]")), 422),
        // What nobody reads may be anything.
        (with(&format!("\"unknown\":[{ones}]")), 201),
        // Of a name that comes twice the last one counts, as in every browser.
        (with("\"rating\":9,\"rating\":4"), 201),
        (with("\"rating\":4,\"rating\":9"), 422),
    ]
}
