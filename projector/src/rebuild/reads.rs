//! A sample of shoppers' reads, answered by two generations: byte by byte the same, or shown.

use sqlx::{AssertSqlSafe, PgConnection, Row};

const SAMPLE: &str = include_str!("reads.sql");
/// The reader's own statements about a product: its id alone.
const OF_A_PRODUCT: [(&str, &str); 4] = [
    ("GET /products/ID", include_str!("../../../reader/src/resources/products/product.sql")),
    ("GET /products/ID/styles", include_str!("../../../reader/src/resources/products/styles.sql")),
    ("GET /products/ID/related", include_str!("../../../reader/src/resources/products/related.sql")),
    ("GET /reviews/meta?product_id=ID", include_str!("../../../reader/src/resources/reviews/meta.sql")),
];
/// Those that also take where a page begins and how long it is.
const PAGES_OF_A_PRODUCT: [(&str, &str); 4] = [
    (
        "GET /reviews?product_id=ID&sort=newest",
        include_str!("../../../reader/src/resources/reviews/newest.sql"),
    ),
    (
        "GET /reviews?product_id=ID&sort=helpful",
        include_str!("../../../reader/src/resources/reviews/helpful.sql"),
    ),
    (
        "GET /reviews?product_id=ID&sort=relevant",
        include_str!("../../../reader/src/resources/reviews/relevant.sql"),
    ),
    ("GET /qa/questions?product_id=ID", include_str!("../../../reader/src/resources/questions/list.sql")),
];
const ANSWERS: (&str, &str) =
    ("GET /qa/questions/ID/answers", include_str!("../../../reader/src/resources/answers/list.sql"));
const CART: (&str, &str) =
    ("GET /cart of session ID", include_str!("../../../reader/src/resources/cart/cart.sql"));
const LIST: (&str, &str) =
    ("GET /products?page=ID", include_str!("../../../reader/src/resources/products/list.sql"));
/// Rows of a page.
const COUNT: i64 = 20;

/// A read that two generations answer differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// As in `GET /reviews/meta?product_id=7`.
    pub(super) read: String,
    pub(super) serving: String,
    pub(super) built: String,
}

/// One thing to ask for.
struct Asked {
    kind: String,
    id: i64,
    session: String,
}

/// Asks both, each on a connection that stands at the same position. Answers how many reads there were, and which differ.
pub(super) async fn compare(
    serving: &mut PgConnection,
    built: &mut PgConnection,
) -> sqlx::Result<(usize, Vec<Difference>)> {
    let mut sample = Vec::new();
    for row in sqlx::query(SAMPLE).fetch_all(&mut *serving).await? {
        let session: Option<String> = row.try_get("session")?;
        let (kind, id) = (row.try_get("kind")?, row.try_get("id")?);
        sample.push(Asked { kind, id, session: session.unwrap_or_default() });
    }
    sample.extend((0..5).map(|page| Asked { kind: "list".to_owned(), id: page, session: String::new() }));
    let (mut reads, mut differences) = (0, Vec::new());
    for asked in &sample {
        let statements: Vec<(&str, &str, bool)> = match asked.kind.as_str() {
            "product" => {
                let whole = OF_A_PRODUCT.map(|(read, statement)| (read, statement, false));
                let pages = PAGES_OF_A_PRODUCT.map(|(read, statement)| (read, statement, true));
                whole.into_iter().chain(pages).collect()
            }
            "question" => vec![(ANSWERS.0, ANSWERS.1, true)],
            "session" => vec![(CART.0, CART.1, false)],
            _ => vec![(LIST.0, LIST.1, true)],
        };
        for (read, statement, page) in statements {
            reads += 1;
            let before = answer(serving, statement, asked, page).await?;
            let after = answer(built, statement, asked, page).await?;
            if before != after {
                let id = if asked.kind == "session" { asked.session.clone() } else { asked.id.to_string() };
                differences.push(Difference { read: read.replace("ID", &id), serving: before, built: after });
            }
        }
    }
    Ok((reads, differences))
}

async fn answer(
    connection: &mut PgConnection,
    statement: &'static str,
    asked: &Asked,
    page: bool,
) -> sqlx::Result<String> {
    let query = sqlx::query(AssertSqlSafe(statement));
    let query = match (asked.kind.as_str(), page) {
        ("session", _) => query.bind(&asked.session),
        ("list", _) => query.bind(asked.id * COUNT).bind(COUNT),
        ("question", _) => query.bind(asked.id).bind(0_i64).bind(COUNT).bind(1_i64),
        (_, true) => query.bind(asked.id).bind(0_i64).bind(COUNT),
        (_, false) => query.bind(asked.id),
    };
    let row = query.fetch_one(connection).await?;
    let document: Option<String> = row.try_get_unchecked("document")?;
    Ok(document.unwrap_or_else(|| "404".to_owned()))
}
