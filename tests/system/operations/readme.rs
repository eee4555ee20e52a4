//! The commands of the README, as written, give what it shows, and those of docs/frontends.md what it says.

use serde_json::Value;

use super::commands::{Terminal, checkout, free_port};

/// The address in the README.
const WRITTEN: &str = "127.0.0.1:8080";

/// Fenced blocks: language and text.
fn blocks(markdown: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((language.to_owned(), text.join("\n")));
        }
    }
    blocks
}

fn shell(command: &str, port: &str) -> String {
    let command = command.replace(WRITTEN, &format!("127.0.0.1:{port}"));
    let output = std::process::Command::new("bash").args(["-c", &command]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The same JSON but for what differs by nature: the event's position and its time.
fn without_what_differs(mut json: Value) -> Value {
    if let Some(id) = json.pointer_mut("/review_id") {
        *id = Value::Null;
    }
    for pointer in ["/results/0/review_id", "/results/0/date"] {
        if let Some(value) = json.pointer_mut(pointer) {
            *value = Value::Null;
        }
    }
    json
}

#[tokio::test(flavor = "multi_thread")]
async fn the_curl_lines_of_the_readme_and_of_the_page_for_front_ends_give_what_they_show() {
    let readme = std::fs::read_to_string(checkout().join("README.md")).unwrap();
    let blocks = blocks(&readme);
    let terminal = Terminal::new("readme").await;
    let port = free_port().to_string();
    let up = terminal.xtask("up", &["--detach", "--port", &port]).await.expect_success();
    assert!(up.out.contains("Atelier is up at http://127.0.0.1:"), "{up:?}");

    let mut tried = 0;
    for pair in blocks.windows(2) {
        let [(_, command), (language, shown)] = pair else { unreachable!("windows of two") };
        if !command.starts_with("curl ") {
            continue;
        }
        let given = shell(&command.replacen("curl ", "curl -s ", 1), &port);
        match language.as_str() {
            "json" => {
                let parsed = |text: &str| {
                    without_what_differs(serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}")))
                };
                assert_eq!(parsed(&given), parsed(shown), "{command}");
            }
            "http" => {
                for line in shown.lines().filter(|line| !line.is_empty() && !line.starts_with(['{', 'a'])) {
                    assert!(given.contains(line), "{line:?} is missing in {given}");
                }
                for name in ["atelier-position: ", "atelier-applied: true", "{\"review_id\":10000000"] {
                    assert!(
                        given.contains(name) && shown.contains(name),
                        "{name:?} is missing in {given} or the README"
                    );
                }
            }
            other => panic!("after {command} the README shows its output, not {other:?}"),
        }
        tried += 1;
    }
    assert_eq!(tried, 3, "the README shows three curl lines with their output");
    for_front_ends(&port);
    let _said = terminal.xtask("down", &[]).await.expect_success();
}

/// Those of docs/frontends.md show no output: what the text around them says stands here, in their order.
fn for_front_ends(port: &str) {
    let page = std::fs::read_to_string(checkout().join("docs/frontends.md")).unwrap();
    let commands: Vec<String> =
        blocks(&page).into_iter().filter(|(language, _)| language == "sh").map(|(_, text)| text).collect();
    let said = [
        &["\"product\":\"2\"", "\"count\":2"][..],
        &["HTTP/1.1 204 ", "atelier-applied: true"],
        &["HTTP/1.1 201 ", "[{\"sku_id\":1,\"count\":\"2\"}]"],
    ];
    assert_eq!(commands.len(), said.len(), "{commands:?}");
    for (command, parts) in commands.iter().zip(said) {
        let given = shell(&command.replace("curl ", "curl -s --fail-with-body "), port);
        for part in parts {
            assert!(given.to_lowercase().contains(&part.to_lowercase()), "{command}: {given}");
        }
    }
}
