//! What an earlier run of the import left in the stream, and whether this one may go on with it.

use contract::catalogue::{CatalogueOpened, SourceFile};
use contract::event::types;
use contract::{Event, Position, subject};
use stream::Connection;

use crate::publish::Error;

/// A catalogue that was opened and is not closed.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) opened: CatalogueOpened,
    pub(crate) at: Position,
    /// The last chunk that is stored.
    pub(crate) chunk: Option<StoredChunk>,
}

/// A chunk in the stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredChunk {
    /// Counted from 1.
    pub(crate) number: u64,
    pub(crate) at: Position,
    pub(crate) hash: [u8; 32],
}

/// Looks whether the stream may take a catalogue: apart from what refers to nothing (control events, and interactions
/// of whoever looked at the empty shop), nothing but one that was begun may be in it. Answers that one.
pub(crate) async fn look(connection: &Connection) -> Result<Option<Begun>, Error> {
    let link = connection.verified().await?;
    let head = link.head().await.map_err(Error::Look)?;
    let mut position = link.first();
    // The first event that is none of these decides, and they are few.
    while position <= head {
        let event = link.read(position).await.map_err(Error::Look)?;
        let kind = event.subject.trim_start_matches("atelier.v1.");
        if kind.starts_with("control.") || kind == types::INTERACTION_RECORDED {
            position = position.next();
            continue;
        }
        let (_, content) = event.decode().map_err(Error::Look)?;
        if let Event::EpochOpened(opened) = &content {
            // What replicas hold may have a catalogue already, and shoppers' events.
            let passes = |kind: &str| {
                kind.starts_with("control.")
                    || [types::INTERACTION_RECORDED, types::EPOCH_OPENED].contains(&kind)
            };
            if opened.counted.keys().any(|kind| !passes(kind)) {
                return Err(Error::GoesOn(opened.previous.to_string()));
            }
            position = position.next();
            continue;
        }
        let Event::CatalogueOpened(opened) = content else {
            return Err(Error::HasEvents(position, kind.to_owned()));
        };
        let last = async |kind| link.last_on(&subject::of_event(kind)).await.map_err(Error::Look);
        if let Some(closed) = last(types::CATALOGUE_CLOSED).await? {
            return Err(Error::Closed(closed.position));
        }
        let chunk = match last(types::CATALOGUE_CHUNK).await? {
            None => None,
            Some(event) => {
                let (envelope, _) = event.decode().map_err(Error::Look)?;
                let number = envelope.id.rsplit_once('-').and_then(|(_, number)| number.parse().ok());
                let number = number.ok_or(Error::OtherChunks(event.position))?;
                Some(StoredChunk { number, at: event.position, hash: event.hash() })
            }
        };
        return Ok(Some(Begun { opened, at: position, chunk }));
    }
    Ok(None)
}

/// Goes on only with what was begun: the same files, under the same keys.
pub(crate) fn compare(begun: &Begun, ours: &CatalogueOpened) -> Result<(), Error> {
    let refused = |difference: String| Err(Error::OtherCatalogue { at: begun.at, difference });
    let theirs = &begun.opened;
    let named = |files: &[SourceFile], name: &str| files.iter().find(|file| file.name == name).cloned();
    for file in &ours.files {
        match named(&theirs.files, &file.name) {
            None => return refused(format!("{} was not among its files", file.name)),
            Some(known) if known.size != file.size => {
                return refused(format!("{} had {} bytes and has {}", file.name, known.size, file.size));
            }
            Some(known) if known.sha256 != file.sha256 => {
                return refused(format!("{} has the same size and other contents", file.name));
            }
            Some(_) => {}
        }
    }
    if let Some(more) = theirs.files.iter().find(|file| named(&ours.files, &file.name).is_none()) {
        return refused(format!("it had a file {}, which this version does not import", more.name));
    }
    if theirs.sealing_key != ours.sealing_key {
        let (theirs, ours) = (&theirs.sealing_key, &ours.sealing_key);
        return refused(format!(
            "addresses were sealed under key {theirs}, and the configured one is {ours}"
        ));
    }
    if theirs.hashing_key != ours.hashing_key {
        let name = |key: &Option<String>| key.clone().unwrap_or_else(|| "none".to_owned());
        let (theirs, ours) = (name(&theirs.hashing_key), name(&ours.hashing_key));
        return refused(format!("sessions were named under key {theirs}, and the configured one is {ours}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(files: &[(&str, u64, &str)]) -> CatalogueOpened {
        let file = |(name, size, sha256): &(&str, u64, &str)| SourceFile {
            name: (*name).to_owned(),
            size: *size,
            sha256: (*sha256).to_owned(),
        };
        CatalogueOpened {
            files: files.iter().map(file).collect(),
            sealing_key: "one".to_owned(),
            hashing_key: Some("two".to_owned()),
        }
    }

    fn refusal(ours: &CatalogueOpened) -> String {
        let begun = Begun {
            opened: opened(&[("a.csv", 1, "00"), ("b.csv", 2, "11")]),
            at: Position::FIRST,
            chunk: None,
        };
        compare(&begun, ours).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn other_files_and_other_keys_are_refused_by_name() {
        assert_eq!(refusal(&opened(&[("a.csv", 1, "00"), ("b.csv", 2, "11")])), "");
        let wrong = refusal(&opened(&[("a.csv", 1, "00"), ("b.csv", 3, "11")]));
        assert!(wrong.contains("b.csv had 2 bytes and has 3"), "{wrong}");
        let wrong = refusal(&opened(&[("a.csv", 1, "01"), ("b.csv", 2, "11")]));
        assert!(wrong.contains("a.csv has the same size and other contents"), "{wrong}");
        assert!(refusal(&opened(&[("a.csv", 1, "00")])).contains("a file b.csv"));
        let more = [("a.csv", 1, "00"), ("b.csv", 2, "11"), ("c.csv", 2, "11")];
        assert!(refusal(&opened(&more)).contains("c.csv was not among its files"));
        let ours = opened(&[("a.csv", 1, "00"), ("b.csv", 2, "11")]);
        let sealed = CatalogueOpened { sealing_key: "other".to_owned(), ..ours.clone() };
        assert!(refusal(&sealed).contains("under key one, and the configured one is other"));
        let hashed = CatalogueOpened { hashing_key: None, ..ours };
        assert!(refusal(&hashed).contains("under key two, and the configured one is none"));
    }
}
