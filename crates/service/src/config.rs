//! One file, `atelier.toml`, for all processes of a system; overridden by `ATELIER_SECTION_KEY`, then by `--set`.
//!
//! Every mistake that can be found is named at once, an unknown key with the nearest known one.

mod http;
pub mod pieces;
mod sections;
pub mod watch;

use std::path::{Path, PathBuf};

pub use http::Http;
pub use pieces::{Piece, Stage};
pub use sections::{Keys, Projector, Reader, Replica, Stream, Writer};
use serde::Deserialize;

/// Sections whose keys the environment may override.
const SECTIONS: [&str; 6] = ["stream", "keys", "http", "writer", "reader", "projector"];
/// What a wrong configuration exits with (`EX_USAGE`).
pub const EXIT_USAGE: u8 = 64;

/// The configuration of a whole system; each process reads its own part.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    /// The stream.
    pub stream: Stream,
    /// Key files that processes share.
    #[serde(default)]
    pub keys: Keys,
    /// The replicas: those of the file, with those that came and without those that went since.
    #[serde(default, rename = "replica")]
    pub replicas: Vec<Replica>,
    /// Replicas that came or went while everything served, or are just doing so.
    #[serde(skip)]
    pub pieces: Vec<Piece>,
    /// Names of the replicas in the file itself.
    #[serde(skip)]
    pub in_file: Vec<String>,
    /// What writers and readers say alike.
    #[serde(default)]
    pub http: Http,
    /// The writers.
    #[serde(default)]
    pub writer: Writer,
    /// The readers.
    #[serde(default)]
    pub reader: Reader,
    /// The projectors.
    #[serde(default)]
    pub projector: Projector,
}

/// Where the configuration comes from.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The configuration file; relative paths in it start from its folder
    #[arg(long, value_name = "FILE", env = "ATELIER_CONFIG", default_value = "atelier.toml")]
    pub config: PathBuf,
    /// Override one key, as in `--set writer.visible_wait_ms=500`; stronger than the file and ATELIER_SECTION_KEY
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub overrides: Vec<String>,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[error("the configuration {} is wrong:{}", .file.display(), .mistakes.iter().map(|m| format!("\n  {m}")).collect::<String>())]
pub struct Mistakes {
    /// The file.
    pub file: PathBuf,
    /// One sentence each.
    pub mistakes: Vec<String>,
}

impl Config {
    /// Reads, overrides and checks the configuration.
    ///
    /// # Errors
    /// All mistakes that could be found.
    pub fn load(arguments: &Arguments) -> Result<Config, Mistakes> {
        // A variable that is no text is nobody's of ours.
        let texts = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Config::read(arguments, texts)
    }

    fn read(
        arguments: &Arguments,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, Mistakes> {
        let file = &arguments.config;
        let wrong = |mistakes: Vec<String>| Mistakes { file: file.clone(), mistakes };
        let text = std::fs::read_to_string(file).map_err(|e| {
            wrong(vec![format!("the file cannot be read: {e}. Name it by --config or ATELIER_CONFIG")])
        })?;
        let mut table: toml::Table = text.parse().map_err(|e: toml::de::Error| wrong(vec![e.to_string()]))?;
        let mut mistakes = Vec::new();
        for (name, value) in environment {
            let Some(name) = name.strip_prefix("ATELIER_") else {
                continue;
            };
            let name = name.to_ascii_lowercase();
            if let Some((section, key)) =
                name.split_once('_').filter(|(section, _)| SECTIONS.contains(section))
            {
                set(&mut table, section, key, &value);
            }
        }
        for text in &arguments.overrides {
            match text.split_once('=').and_then(|(name, value)| Some((name.split_once('.')?, value))) {
                Some(((section, key), value)) if SECTIONS.contains(&section) => {
                    set(&mut table, section, key, value)
                }
                _ => mistakes
                    .push(format!("--set {text:?} is not SECTION.KEY=VALUE with a section of {SECTIONS:?}")),
            }
        }
        let mut unknown = Vec::new();
        let parsed: Result<Config, toml::de::Error> =
            serde_ignored::deserialize(table, |path| unknown.push(path.to_string()));
        mistakes.extend(unknown.iter().map(|path| sections::unknown_key(path)));
        let mut config = match parsed {
            Ok(config) => config,
            Err(error) => {
                mistakes.push(error.to_string().trim_end().to_owned());
                return Err(wrong(mistakes));
            }
        };
        config.rebase(file.parent().unwrap_or(Path::new("")));
        match pieces::read(file) {
            Ok(pieces) => config.take_up(pieces, file),
            Err(wrong) => mistakes.extend(wrong),
        }
        mistakes.extend(config.mistakes());
        if mistakes.is_empty() { Ok(config) } else { Err(wrong(mistakes)) }
    }

    /// The replica of this name.
    ///
    /// # Errors
    /// A sentence that lists the names there are.
    pub fn replica(&self, name: &str) -> Result<&Replica, String> {
        self.replicas.iter().find(|replica| replica.name == name).ok_or_else(|| {
            match self.piece(name).map(|piece| piece.stage) {
                Some(Stage::Filling) => {
                    return format!(
                        "replica {name} is being filled: it runs when `projector add` has filled it"
                    );
                }
                Some(Stage::Leaving) => return format!("replica {name} is being dropped"),
                _ => {}
            }
            let names: Vec<&str> = self.replicas.iter().map(|replica| replica.name.as_str()).collect();
            format!("no replica is named {name:?}; the configuration has: {}", names.join(", "))
        })
    }

    /// What is said of a replica that came or went while everything served.
    #[must_use]
    pub fn piece(&self, name: &str) -> Option<&Piece> {
        self.pieces.iter().find(|piece| piece.name == name)
    }

    /// Where the stream is, for connecting to it.
    pub fn stream_settings(&self) -> stream::Settings {
        stream::Settings {
            url: self.stream.url.clone(),
            monitor_url: self.stream.monitor_url.clone(),
            accept_acknowledgement_before_sync: self.stream.accept_acknowledgement_before_sync,
            hashing_key: None,
        }
    }

    fn take_up(&mut self, pieces: Vec<Piece>, file: &Path) {
        self.in_file = self.replicas.iter().map(|replica| replica.name.clone()).collect();
        for piece in &pieces {
            self.replicas.retain(|replica| replica.name != piece.name);
            if piece.stage.is_member() {
                self.replicas.push(piece.replica(file));
            }
        }
        self.pieces = pieces;
    }

    fn rebase(&mut self, folder: &Path) {
        let paths = [&mut self.keys.sealing, &mut self.keys.hashing].into_iter();
        let paths = paths.chain(&mut self.keys.sealing_old).chain(self.stream.store_dir.as_mut());
        for path in paths.chain(self.replicas.iter_mut().map(|replica| &mut replica.passwords)) {
            *path = folder.join(&*path);
        }
    }

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if self.replicas.is_empty() {
            mistakes
                .push("there is no [[replica]]: name at least one, with name, url and passwords".to_owned());
        }
        for (index, replica) in self.replicas.iter().enumerate() {
            let name = &replica.name;
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if name.is_empty() || !name.chars().all(plain) {
                mistakes.push(format!("replica name {name:?}: use lower-case letters, digits and hyphens"));
            }
            if self.replicas[..index].iter().any(|other| other.name == *name) {
                mistakes.push(format!("two replicas are named {name:?}"));
            }
            if !replica.url.starts_with("postgres://") && !replica.url.starts_with("postgresql://") {
                mistakes.push(format!("replica {name}: url must start with postgres://"));
            } else if replica.url.contains('@') {
                mistakes.push(format!(
                    "replica {name}: url must name no user and no password; passwords lie in files"
                ));
            }
        }
        mistakes.extend(self.stream.mistakes());
        mistakes.extend(self.http.mistakes());
        mistakes.extend(self.writer.mistakes());
        mistakes.extend(self.reader.mistakes());
        mistakes.extend(self.projector.mistakes());
        mistakes
    }
}

/// A number, a truth or a list is written as in the file; anything else is text, without quotes.
fn set(table: &mut toml::Table, section: &str, key: &str, value: &str) {
    let value = match value.parse::<toml::Value>() {
        Ok(read @ (toml::Value::Integer(_) | toml::Value::Boolean(_) | toml::Value::Array(_))) => read,
        _ => toml::Value::String(value.to_owned()),
    };
    let section = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let Some(section) = section.as_table_mut() {
        section.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[stream]\nurl = \"nats://h:1\"\nmonitor_url = \"http://h:2\"\n\n[[replica]]\nname = \"a\"\nurl = \"postgres://h/atelier\"\npasswords = \"p\"\n";

    fn read(text: &str, environment: &[(&str, &str)], overrides: &[&str]) -> Result<Config, Mistakes> {
        let folder = std::env::temp_dir().join(format!(
            "atelier-config-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir_all(&folder).unwrap();
        let config = folder.join("atelier.toml");
        std::fs::write(&config, text).unwrap();
        let arguments = Arguments { config, overrides: overrides.iter().map(|&o| o.to_owned()).collect() };
        let result =
            Config::read(&arguments, environment.iter().map(|(n, v)| (n.to_string(), v.to_string())));
        std::fs::remove_dir_all(folder).unwrap();
        result
    }

    #[test]
    fn flags_are_stronger_than_the_environment_and_that_than_the_file() {
        let text = format!("{GOOD}[writer]\nvisible_wait_ms = 1\n");
        assert_eq!(read(&text, &[], &[]).unwrap().writer.visible_wait_ms, 1);
        let environment = [("ATELIER_WRITER_VISIBLE_WAIT_MS", "2")];
        assert_eq!(read(&text, &environment, &[]).unwrap().writer.visible_wait_ms, 2);
        assert_eq!(
            read(&text, &environment, &["writer.visible_wait_ms=3"]).unwrap().writer.visible_wait_ms,
            3
        );
    }

    #[test]
    fn lists_are_overridden_as_they_are_written_in_the_file() {
        let text = format!("{GOOD}[keys]\nsealing_old = [\"x\"]\n");
        let environment = [("ATELIER_HTTP_ORIGINS", r#"["https://a.example", "http://b:1"]"#)];
        let config = read(&text, &environment, &[r#"keys.sealing_old=["old/1.key"]"#]).unwrap();
        assert_eq!(config.http.origins, ["https://a.example", "http://b:1"]);
        assert!(
            config.keys.sealing_old[0].ends_with("old/1.key") && config.keys.sealing_old[0].is_absolute()
        );
        let error = read(&text, &[("ATELIER_HTTP_ORIGINS", r#"["https://a.example/"]"#)], &[]).unwrap_err();
        assert!(error.to_string().contains("http.origins"), "{error}");
    }

    #[test]
    fn a_change_of_the_hashing_key_is_refused_in_words() {
        let error = read(&format!("{GOOD}[keys]\nhashing_old = [\"x\"]\n"), &[], &[]).unwrap_err();
        assert!(error.to_string().contains("cannot be changed while a stream lives"), "{error}");
    }

    #[test]
    fn a_piece_is_stronger_than_the_file_and_only_members_are_replicas() {
        let folder = std::env::temp_dir().join(format!("atelier-pieces-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = folder.join("atelier.toml");
        std::fs::write(&config, GOOD).unwrap();
        let arguments = Arguments { config: config.clone(), overrides: vec![] };
        let load = || Config::read(&arguments, std::iter::empty());
        let names = || load().unwrap().replicas.into_iter().map(|replica| replica.name).collect::<Vec<_>>();
        let piece = |name: &str, stage| Piece {
            name: name.into(),
            stage,
            url: "postgres://h:2/atelier".into(),
            passwords: "p2".into(),
        };
        assert_eq!(names(), ["a"]);
        for (stage, seen) in [
            (Stage::Filling, vec!["a"]),
            (Stage::Joining, vec!["a", "b"]),
            (Stage::Serving, vec!["a", "b"]),
            (Stage::Leaving, vec!["a"]),
        ] {
            piece("b", stage).write(&config).unwrap();
            assert_eq!(names(), seen, "{stage:?}");
            assert_eq!(load().unwrap().piece("b"), Some(&piece("b", stage)));
        }
        piece("b", Stage::Serving).write(&config).unwrap();
        piece("a", Stage::Dropped).write(&config).unwrap();
        let read = load().unwrap();
        assert_eq!((names(), read.in_file), (vec!["b".to_owned()], vec!["a".to_owned()]));
        assert_eq!(read.replicas[0].passwords, folder.join("p2"));
        std::fs::write(pieces::file_of(&config, "c"), "name = \"d\"\nx = 1\n").unwrap();
        assert!(load().unwrap_err().to_string().contains("c.toml"));
        pieces::remove(&config, "c").unwrap();
        pieces::remove(&config, "a").unwrap();
        assert_eq!(names(), ["a", "b"]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn every_mistake_is_named_and_an_unknown_key_with_its_neighbour() {
        let text = GOOD.replace("postgres://h", "postgres://me:secret@h").replace("\"a\"", "\"A\"");
        let error = read(&text, &[("ATELIER_WRITER_VISIBLE_WAIT", "2")], &["nonsense"]).unwrap_err();
        let said = error.to_string();
        for part in ["\"A\"", "no password", "writer.visible_wait", "visible_wait_ms", "nonsense"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("secret"), "{said}");
    }
}
