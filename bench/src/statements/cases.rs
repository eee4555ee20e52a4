//! Each statement with the keys that it is run with.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sqlx::FromRow;

use crate::error::Error;
use crate::statements::target::Target;

/// What a front end asks for unless it says otherwise.
const PAGE: i64 = 5;

/// A statement and its keys.
pub(crate) struct Case {
    /// Its file under the reader's resources, without the ending.
    pub(crate) name: &'static str,
    /// Its text.
    pub(crate) sql: String,
    /// One element a run, used in turn.
    pub(crate) keys: Vec<Keys>,
}

/// `$1`, `$2` … of one run.
#[derive(Clone)]
pub(crate) enum Keys {
    /// Each a `bigint`.
    Numbers(Vec<i64>),
    /// One `text`.
    Text(String),
}

#[derive(FromRow)]
struct Product {
    ordinal: i64,
    product_id: i64,
}

/// All statements of a reader. One that nobody thought of here is an error.
pub(crate) async fn cases(target: &mut Target, runs: u32) -> Result<Vec<Case>, Error> {
    let most = i64::from(runs);
    let administrator = &mut target.administrator;
    let products: Vec<Product> =
        sqlx::query_as(include_str!("last_products.sql")).bind(most).fetch_all(&mut *administrator).await?;
    let questions: Vec<i64> = sqlx::query_scalar(include_str!("last_questions.sql"))
        .bind(most)
        .fetch_all(&mut *administrator)
        .await?;
    let sessions: Vec<String> =
        sqlx::query_scalar(include_str!("last_sessions.sql")).bind(most).fetch_all(administrator).await?;
    let of_products = |keys: fn(&Product) -> Vec<i64>| {
        products.iter().map(|product| Keys::Numbers(keys(product))).collect()
    };
    let of_questions = questions.iter().map(|id| Keys::Numbers(vec![*id, 0, PAGE, 1])).collect();
    let first = |product: &Product| vec![product.product_id, 0, PAGE];
    let alone = |product: &Product| vec![product.product_id];
    let listed: [(&'static str, Vec<Keys>); 11] = [
        ("products/list", of_products(|product| vec![product.ordinal - 1, PAGE])),
        ("products/product", of_products(alone)),
        ("products/styles", of_products(alone)),
        ("products/related", of_products(alone)),
        ("reviews/newest", of_products(first)),
        ("reviews/helpful", of_products(first)),
        ("reviews/relevant", of_products(first)),
        ("reviews/meta", of_products(alone)),
        ("questions/list", of_products(first)),
        ("answers/list", of_questions),
        ("cart/cart", sessions.into_iter().map(Keys::Text).collect()),
    ];
    let folder = checkout().join("reader/src/resources");
    let mut unknown = statements(&folder)?;
    let mut cases = Vec::new();
    for (name, keys) in listed {
        let path = folder.join(name).with_extension("sql");
        unknown.remove(&path);
        if keys.is_empty() {
            return Err(Error::said(format!("the catalogue has nothing to ask {name} for")));
        }
        cases.push(Case { name, sql: read(&path)?, keys });
    }
    match unknown.first() {
        None => Ok(cases),
        Some(path) => Err(Error::said(format!(
            "{} is measured by nobody; give it a line in bench/src/statements/cases.rs",
            path.display()
        ))),
    }
}

fn statements(folder: &Path) -> Result<BTreeSet<PathBuf>, Error> {
    let mut found = BTreeSet::new();
    let failed = |error| Error::said(format!("read {}: {error}", folder.display()));
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.extend(statements(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "sql") {
            found.insert(path);
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| Error::said(format!("read {}: {error}", path.display())))
}

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in a folder of the checkout")
}
