use contract::Position;

use super::super::hash::{Bucket, Hashes};
use super::*;

fn config() -> Config {
    let folder = std::env::temp_dir().join(format!(
        "atelier-report-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("atelier.toml");
    let replica =
        |name| format!("[[replica]]\nname = \"{name}\"\nurl = \"postgres://h/atelier\"\npasswords = \"p\"\n");
    let text = format!(
        "[stream]\nurl = \"nats://h:1\"\nmonitor_url = \"http://h:2\"\n{}{}",
        replica("a"),
        replica("b")
    );
    std::fs::write(&file, text).unwrap();
    let config = Config::load(&service::config::Arguments { config: file, overrides: vec![] }).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    config
}

fn held(side: &str, sum: &str) -> (String, Hashes) {
    let buckets = [(7, Bucket { rows: 3, sum: sum.to_owned() })].into();
    (side.to_owned(), Hashes([("reviews".to_owned(), buckets)].into()))
}

fn report(compared: Comparison, left_out: &[(&str, &str)]) -> Report {
    let mark = Mark { audit: "x".into(), position: Position(1_000_000_007) };
    let left_out = left_out.iter().map(|(name, why)| ((*name).to_owned(), (*why).to_owned())).collect();
    Report::of(&config(), Some(&mark), compared, left_out, Duration::from_millis(1_234))
}

fn different() -> Report {
    let row = |helpful: &str| Some(vec![Some("5".to_owned()), Some(helpful.to_owned()), None]);
    let key = Differing {
        bucket: 7,
        key: vec!["5".to_owned()],
        rows: [("a".to_owned(), row("3")), ("b".to_owned(), row("99"))].into(),
    };
    let details = Details {
        key: vec!["id".into()],
        columns: vec!["id".into(), "helpfulness".into(), "response".into()],
        buckets: vec![7],
        keys: vec![key],
        more: 2,
        unread: 0,
    };
    let hashes = vec![held("a", "1"), held("b", "2")];
    report(Comparison { hashes, differing: [("reviews".to_owned(), details)].into() }, &[])
}

#[test]
fn a_difference_is_told_with_table_key_column_and_both_rows() {
    let report = different();
    assert_eq!((report.result, report.differing()), (Verdict::Different, vec!["reviews".to_owned()]));
    let said = report.words();
    for part in [
        "differs: 3 keys in 1 of 256 buckets",
        "reviews, id 5 (bucket 7): differs in helpfulness",
        "  a: id 5, helpfulness 3, response null",
        "  b: id 5, helpfulness 99, response null",
        "reviews: 2 more keys differ",
        "different at 1000000007: reviews, in 1.2 s",
    ] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    let told = serde_json::to_value(&report).unwrap();
    assert_eq!(told["result"], "different");
    assert_eq!(told["tables"][0]["keys"][0]["rows"]["b"]["helpfulness"], "99");
    assert_eq!(told["tables"][0]["keys"][0]["key"]["id"], "5");
}

#[test]
fn whoever_was_not_compared_is_named_and_then_not_all_is_said() {
    let all =
        report(Comparison { hashes: vec![held("a", "1"), held("b", "1")], differing: BTreeMap::new() }, &[]);
    assert_eq!(all.result, Verdict::Equal);
    assert!(all.words().contains("equal at 1000000007: a, b"), "{}", all.words());
    let alone = report(
        Comparison { hashes: vec![held("a", "1")], differing: BTreeMap::new() },
        &[("b", "it is silent")],
    );
    assert_eq!(alone.result, Verdict::Unknown);
    let said = alone.words();
    for part in ["replica a was not compared: there is no other", "replica b was not compared: it is silent"]
    {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
}

#[test]
fn values_are_cut_and_cannot_act_on_a_terminal() {
    assert_eq!(cut("2026-01-02"), "2026-01-02");
    assert_eq!(cut(""), "\"\"");
    assert_eq!(cut("a\u{1b}[2J"), "\"a\\u{1b}[2J\"");
    assert!(cut(&"é".repeat(500)).chars().count() < 70);
}
