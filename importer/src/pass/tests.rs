//! What a generated catalogue says is dirty is what the pass drops, repairs and quarantines, row for row.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use contract::catalogue::{CHUNK_BYTES, CatalogueChunk, Table};
use contract::email::Sealer;
use contract::keyed_hash::HashingKey;
use sample::Dirt;

use super::{Error, run};
use crate::chunk::{Sink, Stopped};
use crate::keys::Keys;
use crate::quarantine::Quarantine;
use crate::row::Repair;
use crate::summary::FileCounts;
use crate::{inventory, resources};

/// Keeps what it is given.
#[derive(Debug, Default)]
struct Kept(Vec<CatalogueChunk>);

impl Sink for Kept {
    fn take(&mut self, chunk: CatalogueChunk) -> Result<(), Stopped> {
        self.0.push(chunk);
        Ok(())
    }
}

impl Kept {
    /// The COPY text of one table.
    fn text(&self, table: Table) -> String {
        let chunks = self.0.iter().filter(|chunk| chunk.table == table);
        chunks.map(|chunk| String::from_utf8(chunk.copy.clone()).unwrap()).collect()
    }
}

/// A folder of its own for each test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("importer-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Files of a header and these rows; the others have no rows.
    fn with(name: &str, files: &[(&str, &[u8])]) -> Self {
        let folder = Self::new(name);
        for source in resources::sources() {
            let mut text = source.columns.join(",").into_bytes();
            text.push(b'\n');
            for (_, rows) in files.iter().filter(|(file, _)| *file == source.name) {
                text.extend_from_slice(rows);
            }
            fs::write(folder.0.join(source.name), text).unwrap();
        }
        folder
    }

    fn import(&self) -> Result<(Vec<FileCounts>, Kept, String), Error> {
        let quarantine_folder = self.0.join("quarantine");
        let mut quarantine = Quarantine::create(&quarantine_folder).unwrap();
        let mut kept = Kept::default();
        let keys = Keys { sealer: Sealer::new([3; 32]), hashing: HashingKey::new([4; 32]) };
        let bytes = inventory::size(&self.0)?;
        let counts = run(&self.0, bytes, &keys, &mut quarantine, &mut kept, &mut |_| ())?;
        // Whoever applies the chunks knows how much is still to come.
        assert!(kept.0.is_sorted_by_key(|chunk| chunk.read.unwrap().bytes));
        assert!(kept.0.last().is_none_or(|chunk| chunk.read.unwrap().bytes <= bytes));
        let path = quarantine.finish().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let quarantined = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        Ok((counts, kept, quarantined))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_generated_catalogue_adds_up_row_for_row() {
    let folder = Folder::new("sample");
    let options = sample::Options { products: 1_000, seed: 1 };
    let summary = sample::generate(&options, &folder.0, &mut |_| ()).unwrap();
    let (counts, kept, quarantined) = folder.import().unwrap();
    assert_eq!(counts.len(), 14);
    for (counts, source) in counts.iter().zip(resources::sources()) {
        let made = summary.file(counts.name).unwrap();
        assert_eq!(counts.rows, made.rows, "{}", counts.name);
        assert_eq!(counts.imported, made.imported(), "{}: {counts:?}", counts.name);
        assert_eq!(counts.all_dropped(), made.dropped(), "{}", counts.name);
        assert_eq!(counts.all_quarantined(), made.quarantined(), "{}: {counts:?}", counts.name);
        for (repair, dirt) in [
            (Repair::NullText, Dirt::NullText),
            (Repair::PriceForm, Dirt::PriceForm),
            (Repair::BooleanForm, Dirt::BooleanForm),
            (Repair::DateForm, Dirt::DateForm),
            (Repair::StrayQuote, Dirt::RunawayQuote),
        ] {
            assert_eq!(counts.repairs[repair as usize], made.dirty(dirt), "{}: {}", counts.name, dirt.name());
        }
        let duplicates = counts.quarantined.get("id occurred before").copied().unwrap_or_default();
        assert_eq!(duplicates, made.dirty(Dirt::DuplicateId), "{}", counts.name);
        let unsold = counts.quarantined.get("product_id has no sku").copied().unwrap_or_default();
        assert_eq!(unsold, made.dirty(Dirt::NoSku), "{}", counts.name);
        let lines = kept.text(source.table).lines().count() as u64;
        assert_eq!(lines, counts.imported, "{}", counts.name);
        let sent: u64 =
            kept.0.iter().filter(|chunk| chunk.table == source.table).map(|chunk| chunk.rows).sum();
        assert_eq!(sent, counts.imported, "{}", counts.name);
    }
    let mut reader = ::csv::Reader::from_reader(quarantined.as_bytes());
    let all: u64 = counts.iter().map(FileCounts::all_quarantined).sum();
    assert_eq!(reader.records().map(Result::unwrap).count() as u64, all);
    assert!(kept.0.iter().all(|chunk| chunk.copy.len() < CHUNK_BYTES + 128 * 1024));
    // Addresses leave the machine sealed.
    for table in [Table::Reviews, Table::Questions, Table::Answers] {
        assert!(!kept.text(table).contains('@'));
    }
}

/// Broken lines of every kind between the rows, byte-level garbage, mixed ends of lines, a truncated last line: what was
/// good comes in as it did before, once and in its order, and every broken line is set aside under its number.
#[test]
fn broken_lines_are_set_aside_one_by_one_and_cost_nothing_else() {
    for seed in 1..=12 {
        let folder = Folder::new("spoilt");
        let options = sample::Options { products: 120, seed };
        let made = sample::generate(&options, &folder.0, &mut |_| ()).unwrap();
        let (_, clean, _) = folder.import().unwrap();
        let spoilt = sample::spoil(&folder.0, 5, seed).unwrap();
        let (counts, kept, quarantined) = folder.import().unwrap();
        for table in Table::ALL {
            let (kept, clean) = (kept.text(table), clean.text(table));
            let other = kept.lines().zip(clean.lines()).find(|(kept, clean)| kept != clean);
            assert_eq!((other, kept.len()), (None, clean.len()), "seed {seed}: {}", table.name());
        }
        for file in &counts {
            let made = made.file(file.name).unwrap();
            let broken = spoilt.iter().filter(|line| line.file == file.name).count() as u64;
            assert_eq!(file.rows, made.rows + broken, "seed {seed}: {file:?}");
            assert_eq!(file.imported, made.imported(), "seed {seed}: {file:?}");
            assert_eq!(file.all_dropped(), made.dropped(), "seed {seed}: {file:?}");
            assert_eq!(file.all_quarantined(), made.quarantined() + broken, "seed {seed}: {file:?}");
        }
        let mut reader = ::csv::Reader::from_reader(quarantined.as_bytes());
        let told: std::collections::HashMap<(String, u64), String> = reader
            .records()
            .map(|record| {
                let record = record.unwrap();
                ((record[0].to_owned(), record[1].parse().unwrap()), record[2].to_owned())
            })
            .collect();
        for line in spoilt {
            let reason = told.get(&(line.file.to_owned(), line.line));
            assert!(
                reason.is_some_and(|reason| line.is_explained_by(reason)),
                "seed {seed}: {line:?}: {reason:?}"
            );
        }
    }
}

#[test]
fn equal_files_and_equal_keys_give_equal_chunks() {
    let folder = Folder::new("deterministic");
    sample::generate(&sample::Options { products: 200, seed: 9 }, &folder.0, &mut |_| ()).unwrap();
    assert_eq!(folder.import().unwrap().1.0, folder.import().unwrap().1.0);
}

#[test]
fn values_are_cleaned_and_written_in_the_tables_order() {
    let folder = Folder::with(
        "values",
        &[
            ("product.csv", "7,\"A \"\"b\"\"\",null,\"x\ny\",\"null\",\" $ 140 \"\r\n".as_bytes()),
            ("styles.csv", b"3,7,Black,null,$140.5,1\n4,7,White,9,140,false\n"),
            ("photos.csv", b"1,3,\"u1\",\"t1\n2,3,\"u2\",\"t2\"\"\n3,4,null,\"t3\"\n"),
            ("related.csv", b"1,7,0\n2,7,7\n3,7,8\n"),
            (
                "reviews.csv",
                b"5,7,4,1555200000007,null,\"a\\b\",0,true,me,null,null,3\n\
                  6,7,4,2019-04-14,s,b,true,0,me,a@example.com,thanks,3\n",
            ),
        ],
    );
    let (counts, kept, _) = folder.import().unwrap();
    assert_eq!(kept.text(Table::Products), "7\tA \"b\"\t\\N\tx\\ny\t\\N\t140.00\n");
    assert_eq!(kept.text(Table::Styles), "3\t7\tBlack\t\\N\t140.50\tt\n4\t7\tWhite\t9.00\t140.00\tf\n");
    assert_eq!(kept.text(Table::StylePhotos), "1\t3\tu1\tt1\n2\t3\tu2\tt2\n3\t4\t\\N\tt3\n");
    let reviews = kept.text(Table::Reviews);
    let (first, second) = reviews.trim_end().split_once('\n').unwrap();
    assert_eq!(first, "5\t7\t4\t2019-04-14 00:00:00.007\t\ta\\\\b\tf\tt\tme\t\\N\t\\N\t3");
    let sealed = second.split('\t').nth(9).unwrap();
    assert_eq!(Sealer::new([3; 32]).open(sealed, "reviews", "6").unwrap(), "a@example.com");
    let related = &counts[5];
    assert_eq!(
        (related.rows, related.imported, related.all_dropped(), related.all_quarantined()),
        (3, 0, 2, 1)
    );
}

#[test]
fn questions_and_answers_are_cleaned_and_their_addresses_sealed_each_in_its_place() {
    let folder = Folder::with(
        "questions",
        &[
            ("product.csv", b"7,a,,,,1\n"),
            ("questions.csv", b"2,7,Why?,1555200000007,me,a@example.com,0,3\n3,8,Why?,0,me,null,0,3\n"),
            ("answers.csv", b"5,2,\"Be\ncause\",2019-04-14,you,b@example.com,true,9\n6,3,No,0,me,null,0,3\n"),
            ("answers_photos.csv", b"1,5,u\n2,6,u\n"),
        ],
    );
    let (_, kept, quarantined) = folder.import().unwrap();
    let sealer = Sealer::new([3; 32]);
    let opened = |text: &str, table: &str, id: &str| {
        let row = text.strip_suffix('\n').unwrap();
        let values: Vec<&str> = row.split('\t').collect();
        let address = sealer.open(values[5], table, id).unwrap();
        row.replace(values[5], &address)
    };
    assert_eq!(
        opened(&kept.text(Table::Questions), "questions", "2"),
        "2\t7\tWhy?\t2019-04-14 00:00:00.007\tme\ta@example.com\tf\t3"
    );
    assert_eq!(
        opened(&kept.text(Table::Answers), "answers", "5"),
        "5\t2\tBe\\ncause\t2019-04-14 00:00:00.000\tyou\tb@example.com\tt\t9"
    );
    assert_eq!(kept.text(Table::AnswerPhotos), "1\t5\tu\n");
    for reason in
        ["refers to 8, which is not among the products", "refers to 3, which is not among the questions"]
    {
        assert!(quarantined.contains(reason), "{quarantined}");
    }
}

#[test]
fn a_cart_s_line_is_one_piece_of_its_product_s_lowest_sku_and_inactive_ones_are_dropped() {
    let folder = Folder::with(
        "cart",
        &[
            ("product.csv", b"7,a,,,,1\n8,b,,,,1\n"),
            // Styles and skus in any order.
            ("styles.csv", b"4,7,Black,null,1,1\n3,7,White,null,1,0\n"),
            ("skus.csv", b"30,4,S,1\n20,3,S,1\n25,3,M,1\n"),
            (
                "cart.csv",
                b"1,605191,7,1\r\n2,605191,7,0\r\n3,605191,8,true\r\n4,605191,9,1\r\n5,605191,9,false\r\n\
                  6,null,7,1\r\n7,605191,7,yes\r\n1,605191,7,1\r\n8, 605191 ,7,true",
            ),
        ],
    );
    let (counts, kept, quarantined) = folder.import().unwrap();
    let session = HashingKey::new([4; 32]).session("605191");
    assert_eq!(kept.text(Table::LegacyCartLines), format!("1\t{session}\t20\n8\t{session}\t20\n"));
    let cart = counts.last().unwrap();
    assert_eq!((cart.rows, cart.imported, cart.all_dropped(), cart.all_quarantined()), (9, 2, 2, 5));
    for reason in [
        "cart.csv,4,\"product_id refers to 8, which has no sku\"",
        "cart.csv,5,\"product_id refers to 9, which is not among the products\"",
        "cart.csv,7,user_session is absent",
        "cart.csv,8,active is not a boolean",
        "cart.csv,9,id occurred before",
    ] {
        assert!(quarantined.contains(reason), "{reason}: {quarantined}");
    }
}

#[test]
fn what_cannot_be_saved_is_quarantined_with_file_line_reason_and_text() {
    let long = "x".repeat(1_001);
    let mut rows = format!(
        "1,a,,,,1\n1,b,,,,1\n0,c,,,,1\n1000000000,d,,,,1\n2,null,,,,1\n3,{long},,,,1\n4,e,,,,free\n5,\"f\n\",,,,2\n6,g\n7,\"h,,,,1\n"
    )
    .into_bytes();
    rows.extend_from_slice(b"8,\xff,,,,1\n9,\0,,,,1\n10,i,,,,1\n11,\"j");
    let folder = Folder::with("quarantine", &[("product.csv", &rows), ("skus.csv", b"1,1,S,2\n2,x,S,2\n")]);
    let (counts, kept, quarantined) = folder.import().unwrap();
    assert_eq!((counts[0].rows, counts[0].imported, counts[0].all_quarantined()), (14, 3, 11));
    assert_eq!(counts[0].lines, 16);
    assert_eq!(kept.text(Table::Products).lines().count(), 3);
    let mut reader = ::csv::Reader::from_reader(quarantined.as_bytes());
    let found: Vec<[String; 4]> = reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            [0, 1, 2, 3].map(|column| record[column].to_owned())
        })
        .collect();
    let reasons: Vec<(&str, &str)> =
        found.iter().map(|[_, line, reason, _]| (line.as_str(), reason.as_str())).collect();
    assert_eq!(
        reasons,
        [
            ("3", "id occurred before"),
            ("4", "id is not within 1 and 999999999"),
            ("5", "id is not within 1 and 999999999"),
            ("6", "name is absent"),
            ("7", "name is longer than 1000 characters"),
            ("8", "default_price is not a price"),
            ("11", "2 columns instead of 6"),
            ("12", "text stands between a closing quote and the next comma"),
            ("13", "name is not UTF-8"),
            ("14", "name holds the character NUL"),
            ("16", "a quote is not closed"),
            ("2", "styleId refers to 1, which is not among the styles"),
            ("3", "styleId is not an integer"),
        ]
        .map(|(line, reason)| (line, reason))
    );
    assert_eq!(found[0], ["product.csv", "3", "id occurred before", "1,b,,,,1"].map(str::to_owned));
}

#[test]
fn a_file_with_other_columns_is_refused_by_name() {
    let folder = Folder::with("header", &[]);
    fs::write(folder.0.join("skus.csv"), "id,size\n").unwrap();
    let error = folder.import().unwrap_err().to_string();
    assert!(
        error.contains(
            "skus.csv must be id,styleId,size,quantity; it has 2 columns, 2 of them of these names"
        ),
        "{error}"
    );
    // A file without a header begins with a row, which may hold an e-mail address.
    fs::write(folder.0.join("skus.csv"), "1,ada@example.com\n").unwrap();
    assert!(!folder.import().unwrap_err().to_string().contains("ada"));
    fs::remove_file(folder.0.join("skus.csv")).unwrap();
    assert!(folder.import().unwrap_err().to_string().contains("skus.csv could not be read"));
}
