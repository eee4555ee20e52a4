//! Query parameters as existing front ends send them.

use crate::problem::Problem;

/// `count` is capped at this, silently.
pub const COUNT_LIMIT: u64 = 10_000;
/// Rows of a page unless asked otherwise.
pub const DEFAULT_COUNT: u64 = 5;
/// An offset beyond this is an empty page, and so is a page whose number is beyond it.
const OFFSET_LIMIT: u64 = 1 << 53;

/// A query string's parameters. Of a name that comes twice the first counts; nothing in it can fail to be read.
#[derive(Debug)]
pub struct Query(Vec<(String, String)>);

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The page asked for; pages are counted from 1.
    pub number: u64,
    /// Rows before the page: (page − 1) × count.
    pub offset: u64,
    /// Rows of the page.
    pub count: u64,
}

impl Query {
    /// Reads a raw query string.
    pub fn parse(raw: Option<&str>) -> Query {
        let pairs = form_urlencoded::parse(raw.unwrap_or_default().as_bytes());
        Query(pairs.into_owned().collect())
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// `product_id`, which must be an id.
    ///
    /// # Errors
    /// 422 in the legacy words.
    pub fn product_id(&self) -> Result<i64, Problem> {
        self.get("product_id")
            .and_then(contract::fields::parse_id)
            .ok_or_else(|| Problem::parameter("product_id"))
    }

    /// `page` and `count`.
    ///
    /// # Errors
    /// 422 when one is no integer or negative.
    pub fn page(&self) -> Result<Page, Problem> {
        let number = self.natural("page")?.unwrap_or(1).clamp(1, OFFSET_LIMIT);
        let count = self.natural("count")?.unwrap_or(DEFAULT_COUNT).min(COUNT_LIMIT);
        let offset = (number - 1).saturating_mul(count).min(OFFSET_LIMIT);
        Ok(Page { number, offset, count })
    }

    fn natural(&self, name: &str) -> Result<Option<u64>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(text) if !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) => {
                Ok(Some(text.parse().unwrap_or(u64::MAX)))
            }
            Some(_) => Err(Problem::parameter(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(raw: &str) -> Option<(u64, u64)> {
        Query::parse(Some(raw)).page().ok().map(|page| (page.offset, page.count))
    }

    fn number(raw: &str) -> Option<u64> {
        Query::parse(Some(raw)).page().ok().map(|page| page.number)
    }

    #[test]
    fn pages_are_read_as_the_legacy_service_did() {
        assert_eq!(page(""), Some((0, 5)));
        assert_eq!(page("page=3&count=10"), Some((20, 10)));
        assert_eq!(page("page=0&count=0"), Some((0, 0)));
        assert_eq!(page("count=1000000"), Some((0, 10_000)));
        assert_eq!(page("page=99999999999999999999&count=10000"), Some((OFFSET_LIMIT, 10_000)));
        assert_eq!(["", "page=0", "page=7&count=0"].map(number), [Some(1), Some(1), Some(7)]);
        assert_eq!(number("page=99999999999999999999"), Some(OFFSET_LIMIT));
        for raw in ["page=-1", "page=x", "count=5.5", "count=", "page=undefined"] {
            assert_eq!(page(raw), None, "{raw}");
        }
    }

    #[test]
    fn product_ids_that_are_none_are_refused() {
        assert_eq!(Query::parse(Some("product_id=2&product_id=3")).product_id().ok(), Some(2));
        for raw in [
            "",
            "product_id=undefined",
            "product_id=5.55",
            "product_id=-1",
            "product_id=0",
            "product_id=9007199254740992",
        ] {
            assert!(Query::parse(Some(raw)).product_id().is_err(), "{raw}");
        }
    }
}
