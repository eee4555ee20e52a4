//! A configuration that no supervisor of this machine watches: what is to be started and stopped is said, and waited for.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use tests::{Operator, eventually, review, with_catalogue, within};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use super::super::commands::free_port;
use super::{PATIENCE, PRODUCTS, are_equal, serving, states, typed};

/// As on another machine: what the configuration names, in a folder of its own.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in ["atelier.toml", "keys", "passwords"] {
        copy_all(&from.join(name), &to.join(name));
    }
}

fn copy_all(from: &Path, to: &Path) {
    if from.is_file() {
        let _bytes = fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy_all(&entry.path(), &to.join(entry.file_name()));
    }
}

fn begin(operator: &Operator, arguments: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = operator.command("projector", arguments).spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, said)
}

/// Reads what a command says until a line begins so, and answers that line without its margin.
async fn line_that_begins(said: &mut Lines<BufReader<ChildStdout>>, words: &str) -> String {
    let reading = async {
        while let Some(line) = said.next_line().await.unwrap() {
            if line.trim().starts_with(words) {
                return line.trim().to_owned();
            }
        }
        panic!("the command ended without saying {words:?}");
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("it did not say {words:?}"))
}

/// Starts a line that a command has shown, with addresses in the places that it leaves open.
fn start(operator: &Operator, line: &str, addresses: &[(&str, String)]) -> Child {
    let line = addresses.iter().fold(line.to_owned(), |line, (place, address)| line.replace(place, address));
    let (line, _config) = line.split_once(" --config").unwrap();
    let mut words = line.split(' ');
    let mut command = operator.command(words.next().unwrap(), words);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn address() -> String {
    format!("127.0.0.1:{}", free_port())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_supervisor_what_to_start_and_to_stop_is_said_and_waited_for_also_after_a_kill() {
    let system = with_catalogue("members-elsewhere", |options| options).await;
    let url = system.one_more_postgres("c").await.unwrap();
    let place = system.place("elsewhere");
    copy(system.config_path().parent().unwrap(), &place);
    let operator = system.operator().with_configuration(&place.join("atelier.toml"));

    let addition = ["add", "--replica", "c", "--database-url", &url];
    let (mut adding, mut said) = begin(&operator, &addition);
    let _shown = line_that_begins(&mut said, "projector run --replica c").await;
    // Killed while it waits: the same command shows the same, and waits again.
    adding.kill().await.unwrap();
    assert_eq!(states(&operator).await.len(), 3, "it is joining");
    let (mut adding, mut said) = begin(&operator, &addition);
    let _goes_on = line_that_begins(&mut said, "replica c at").await;
    let projector = line_that_begins(&mut said, "projector run --replica c").await;
    let reader = line_that_begins(&mut said, "reader run --replica c").await;
    let mut projector = start(&operator, &projector, &[("ADDRESS", address())]);
    eventually("it is seen that the projector alone is not enough", within(60), async || {
        match states(&operator).await.iter().find(|(name, _)| name == "c") {
            Some((_, state)) if state == "serving" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert!(adding.try_wait().unwrap().is_none(), "a reader is waited for");
    let mut reader =
        start(&operator, &reader, &[("STRICT", address()), ("LENIENT", address()), ("ADDRESS", address())]);
    let last = line_that_begins(&mut said, "replica c serves").await;
    assert!(last.contains(" s in all"), "{last}");
    assert!(tokio::time::timeout(PATIENCE, adding.wait()).await.unwrap().unwrap().success());
    assert_eq!(states(&operator).await, serving(&["a", "b", "c"]));
    let _written = system.shopper().post_review(&review(PRODUCTS[0])).await.expect(201);
    are_equal(&system, &["a", "b", "c"]).await;

    let (mut dropping, mut said) = begin(&operator, &["drop", "--replica", "c"]);
    let to_stop = "take the readers of replica c out of nginx.conf";
    let _shown = line_that_begins(&mut said, to_stop).await;
    dropping.kill().await.unwrap();
    let (mut dropping, mut said) = begin(&operator, &["drop", "--replica", "c"]);
    let _shown = line_that_begins(&mut said, to_stop).await;
    reader.kill().await.unwrap();
    assert!(dropping.try_wait().unwrap().is_none(), "its projector still speaks");
    projector.kill().await.unwrap();
    let _dropped = line_that_begins(&mut said, "replica c is dropped, ").await;
    assert!(tokio::time::timeout(PATIENCE, dropping.wait()).await.unwrap().unwrap().success());
    assert_eq!(states(&operator).await, serving(&["a", "b"]));

    // What was left there is not written over.
    let again = typed(&operator, &["add", "--replica", "c", "--database-url", &url]).await;
    let _said = again.expect_refusal(&["not empty"]);
}
