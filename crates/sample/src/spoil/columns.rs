//! What the columns of each file hold, and what can be wrong with each.

/// A file, as far as spoiling it needs.
pub(super) struct File {
    pub(super) name: &'static str,
    /// Its values hold no line breaks, and its quotes do not always pair.
    pub(super) by_line: bool,
    pub(super) fields: &'static [Kind],
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    /// The id of a row of another file.
    Of(&'static str),
    /// Text that must be there.
    Text,
    Optional,
    Price,
    Boolean,
    Date,
    Number,
}

/// What is wrong with a line.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    /// This value, and part of the reason that must be given.
    Value(&'static [u8], &'static str),
    /// An id that an imported row has.
    KnownId,
    MissingColumn,
    OneMore,
    TextBehindQuote,
    /// It runs away into the next lines.
    OpenQuote,
}

pub(super) const FILES: [File; 14] = {
    use Kind::{Boolean, Date, Id, Number, Of, Optional, Price, Text};
    const PRODUCT: Kind = Of("product.csv");
    [
        File {
            name: "product.csv",
            by_line: false,
            fields: &[Id, Text, Optional, Optional, Optional, Price],
        },
        File { name: "features.csv", by_line: false, fields: &[Id, PRODUCT, Text, Optional] },
        File { name: "styles.csv", by_line: false, fields: &[Id, PRODUCT, Text, Price, Price, Boolean] },
        File { name: "skus.csv", by_line: false, fields: &[Id, Of("styles.csv"), Optional, Number] },
        File { name: "photos.csv", by_line: true, fields: &[Id, Of("styles.csv"), Optional, Optional] },
        File { name: "related.csv", by_line: true, fields: &[Id, PRODUCT, PRODUCT] },
        File {
            name: "reviews.csv",
            by_line: false,
            fields: &[
                Id, PRODUCT, Number, Date, Optional, Text, Boolean, Boolean, Text, Optional, Optional, Number,
            ],
        },
        File { name: "reviews_photos.csv", by_line: true, fields: &[Id, Of("reviews.csv"), Text] },
        File { name: "characteristics.csv", by_line: false, fields: &[Id, PRODUCT, Text] },
        File {
            name: "characteristic_reviews.csv",
            by_line: true,
            fields: &[Id, Of("characteristics.csv"), Of("reviews.csv"), Number],
        },
        File {
            name: "questions.csv",
            by_line: false,
            fields: &[Id, PRODUCT, Text, Date, Text, Optional, Boolean, Number],
        },
        File {
            name: "answers.csv",
            by_line: false,
            fields: &[Id, Of("questions.csv"), Text, Date, Text, Optional, Boolean, Number],
        },
        File { name: "answers_photos.csv", by_line: true, fields: &[Id, Of("answers.csv"), Text] },
        File { name: "cart.csv", by_line: true, fields: &[Id, Text, PRODUCT, Boolean] },
    ]
};

impl File {
    /// Every fault that a line of the file can have, with its column.
    pub(super) fn faults(&self) -> Vec<(usize, Fault)> {
        let last = self.fields.len() - 1;
        let mut faults = vec![(0, Fault::MissingColumn), (0, Fault::OneMore)];
        for (column, kind) in self.fields.iter().enumerate() {
            let values: &[(&[u8], &str)] = match kind {
                Kind::Id => &[
                    (b"0", "id is not within"),
                    (b"1000000000", "id is not within"),
                    (b"12x", "id is not an integer"),
                    (b"", "id is absent"),
                    (b"\xff", "id is not an integer"),
                ],
                // A relation to 0 is dropped, in whichever column; it is not set aside.
                Kind::Of(_) if self.name == "related.csv" => {
                    &[(b"899999999", "refers to 899999999"), (b"null", "is absent"), (b"-7", "is not within")]
                }
                Kind::Of(_) => &[
                    (b"0", "is not within"),
                    (b"899999999", "refers to 899999999"),
                    (b"null", "is absent"),
                    (b"1.5", "is not an integer"),
                ],
                Kind::Text => &[
                    (b"null", "is absent"),
                    (b"\"\"", "is absent"),
                    (b"a\xff\xfeb", "is not UTF-8"),
                    (b"\"\xe2\x28\xa1\"", "is not UTF-8"),
                    (b"a\0b", "holds the character NUL"),
                ],
                Kind::Optional => &[(b"\xc3\x28", "is not UTF-8"), (b"\"\0\"", "holds the character NUL")],
                Kind::Price => {
                    &[(b"free", "is not a price"), (b"$", "is not a price"), (b"1,5", "columns instead of")]
                }
                Kind::Boolean => &[(b"maybe", "is not a boolean"), (b"", "is absent")],
                Kind::Date => &[
                    (b"2019-02-30", "is not a date"),
                    (b"yesterday", "is not a date"),
                    (b"99999999999999999999", "is not within the years"),
                ],
                Kind::Number => {
                    &[(b"-1", "is not within"), (b"many", "is not an integer"), (b"", "is absent")]
                }
            };
            faults.extend(values.iter().map(|(value, reason)| (column, Fault::Value(value, reason))));
            match kind {
                Kind::Id => faults.push((column, Fault::KnownId)),
                Kind::Text | Kind::Optional => {
                    faults.push((column, Fault::TextBehindQuote));
                    // At the end of a line that holds no breaks a stray quote does no harm.
                    if !(self.by_line && column == last) {
                        faults.push((column, Fault::OpenQuote));
                    }
                }
                _ => {}
            }
        }
        faults
    }
}
