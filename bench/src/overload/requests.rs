//! The requests of the load, made once: pages of reviews, styles, and new reviews that wait for the replicas.

use crate::error::Error;
use crate::private::Private;
use crate::rows::writes::reviews;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

impl Kind {
    pub(super) const ALL: [Kind; 2] = [Kind::Read, Kind::Write];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Kind::Read => "reads",
            Kind::Write => "writes",
        }
    }

    /// The status of one that was done.
    pub(super) const fn done(self) -> u16 {
        match self {
            Kind::Read => 200,
            Kind::Write => 201,
        }
    }
}

/// One of so many requests is a write.
const WRITE_OF: usize = 10;

/// All of them, in the order in which they are sent, again and again.
pub(super) struct Requests(Vec<(Kind, Vec<u8>)>);

impl Requests {
    pub(super) async fn prepare(private: &Private) -> Result<Requests, Error> {
        let mut all = Vec::new();
        let reviews = reviews(private).await?;
        for (number, review) in reviews.iter().enumerate() {
            let product = &review["product_id"];
            for turn in 0..20 {
                // A step that is coprime to most counts of products spreads the reads over all of them.
                let other = &reviews[(number + turn * 37) % reviews.len()]["product_id"];
                all.push(match turn % WRITE_OF {
                    0 => (Kind::Write, post("/reviews", &review.to_string())),
                    _ if turn % 3 == 0 => (Kind::Read, get(&format!("/products/{product}/styles"))),
                    _ => (Kind::Read, get(&format!("/reviews?product_id={other}"))),
                });
            }
        }
        Ok(Requests(all))
    }

    pub(super) fn kind(&self, number: usize) -> Kind {
        self.0[number % self.0.len()].0
    }

    pub(super) fn bytes(&self, number: usize) -> &[u8] {
        &self.0[number % self.0.len()].1
    }
}

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: shop.example\r\n\r\n").into_bytes()
}

fn post(target: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {target} HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
