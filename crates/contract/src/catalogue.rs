//! The legacy catalogue as events: opened, chunks of cleaned rows in Postgres COPY text, closed.
//!
//! A stream takes one catalogue. Chunks carry rows of one table each, every column in the table's order, so that a
//! replica loads them at COPY speed, in a rebuild as well.

use serde::{Deserialize, Serialize};

/// About how many bytes of rows one chunk holds; well below the server's limit of 1 MB a message.
pub const CHUNK_BYTES: usize = 512 * 1024;

/// `catalogue.opened`, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueOpened {
    /// The files that are being imported, in the order in which they are read.
    pub files: Vec<SourceFile>,
    /// Id of the key that seals e-mail addresses in the chunks.
    pub sealing_key: String,
    /// Id of the key under which the chunks name sessions; none in catalogues without carts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashing_key: Option<String>,
}

/// A file of the legacy catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// The file's name without its folder.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Hexadecimal SHA-256 of its bytes.
    pub sha256: String,
}

/// `catalogue.chunk`, version 1: a line of JSON (table and rows), then the rows in COPY text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueChunk {
    /// The table that the rows belong to.
    pub table: Table,
    /// How many rows.
    pub rows: u64,
    /// How far the files were read, up to these rows; none in chunks of the first importer.
    pub read: Option<BytesRead>,
    /// The rows: COPY text, each ended by a newline.
    pub copy: Vec<u8>,
}

/// How far the files were read, so that whoever applies a chunk knows how much is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BytesRead {
    /// Bytes of all files so far.
    pub bytes: u64,
    /// Bytes of all files.
    pub of: u64,
}

/// `catalogue.closed`, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueClosed {
    /// Rows of each table that was sent, in the order in which they were.
    pub tables: Vec<TableRows>,
}

/// How many rows of a table the chunks held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRows {
    /// The table.
    pub table: Table,
    /// Its rows.
    pub rows: u64,
}

/// A table that chunks may fill. Parents come before what refers to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Products.
    Products,
    /// Features of products.
    Features,
    /// Styles of products.
    Styles,
    /// Stock-keeping units of styles.
    Skus,
    /// Photos of styles.
    StylePhotos,
    /// Which products are shown beside which.
    RelatedProducts,
    /// Reviews, e-mail addresses sealed.
    Reviews,
    /// Photos of reviews.
    ReviewPhotos,
    /// Characteristics of products that reviewers rate.
    Characteristics,
    /// Ratings of characteristics.
    CharacteristicRatings,
    /// Questions about products, e-mail addresses sealed.
    Questions,
    /// Answers to questions, e-mail addresses sealed.
    Answers,
    /// Photos of answers.
    AnswerPhotos,
    /// Lines of carts, one piece each, as they were imported; carts are made of them when the catalogue closes.
    LegacyCartLines,
}

impl Table {
    /// All of them, parents first.
    pub const ALL: [Table; 14] = [
        Table::Products,
        Table::Features,
        Table::Styles,
        Table::Skus,
        Table::StylePhotos,
        Table::RelatedProducts,
        Table::Reviews,
        Table::ReviewPhotos,
        Table::Characteristics,
        Table::CharacteristicRatings,
        Table::Questions,
        Table::Answers,
        Table::AnswerPhotos,
        Table::LegacyCartLines,
    ];

    /// The table's name in a replica.
    pub fn name(self) -> &'static str {
        match self {
            Table::Products => "products",
            Table::Features => "features",
            Table::Styles => "styles",
            Table::Skus => "skus",
            Table::StylePhotos => "style_photos",
            Table::RelatedProducts => "related_products",
            Table::Reviews => "reviews",
            Table::ReviewPhotos => "review_photos",
            Table::Characteristics => "characteristics",
            Table::CharacteristicRatings => "characteristic_ratings",
            Table::Questions => "questions",
            Table::Answers => "answers",
            Table::AnswerPhotos => "answer_photos",
            Table::LegacyCartLines => "legacy_cart_lines",
        }
    }

    /// The columns of a chunk's rows, in order; those of the table's definition at this event's version.
    pub fn columns(self) -> &'static str {
        match self {
            Table::Products => "id, name, slogan, description, category, default_price",
            Table::Features => "id, product_id, feature, value",
            Table::Styles => "id, product_id, name, sale_price, original_price, is_default",
            Table::Skus => "id, style_id, size, quantity",
            Table::StylePhotos => "id, style_id, url, thumbnail_url",
            Table::RelatedProducts => "id, product_id, related_product_id",
            Table::Reviews => {
                "id, product_id, rating, date, summary, body, recommend, reported, reviewer_name, reviewer_email, \
                 response, helpfulness"
            }
            Table::ReviewPhotos => "id, review_id, url",
            Table::Characteristics => "id, product_id, name",
            Table::CharacteristicRatings => "id, characteristic_id, review_id, value",
            Table::Questions => "id, product_id, body, date, asker_name, asker_email, reported, helpfulness",
            Table::Answers => {
                "id, question_id, body, date, answerer_name, answerer_email, reported, helpfulness"
            }
            Table::AnswerPhotos => "id, answer_id, url",
            Table::LegacyCartLines => "id, session, sku_id",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct ChunkHead {
    table: Table,
    rows: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read: Option<BytesRead>,
}

impl CatalogueChunk {
    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let head = ChunkHead { table: self.table, rows: self.rows, read: self.read };
        let mut bytes = serde_json::to_vec(&head).expect("a table's name and a number are JSON");
        bytes.reserve(self.copy.len() + 1);
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.copy);
        bytes
    }

    /// A chunk from a message's bytes.
    ///
    /// # Errors
    /// When the first line is not the head of a chunk.
    pub fn decode(bytes: &[u8]) -> Result<CatalogueChunk, serde_json::Error> {
        let end = bytes.iter().position(|&b| b == b'\n').unwrap_or(bytes.len());
        let head: ChunkHead = serde_json::from_slice(&bytes[..end])?;
        let copy = bytes.get(end + 1..).unwrap_or_default().to_vec();
        Ok(CatalogueChunk { table: head.table, rows: head.rows, read: head.read, copy })
    }
}
