//! What there is: where each replica stands, what the stream has, and what projectors say of it.

use std::collections::HashMap;
use std::time::Duration;

use contract::announcement::Progress;
use contract::{Epoch, Position};
use futures::future::join_all;
use replica::{Checkpoint, SCHEMA_LIVE, read_checkpoint};
use service::Config;
use service::config::Replica;
use sqlx::{Connection as _, PgConnection};
use stream::{Description, Heard, Inspection, Link};

use super::plan::{Scene, Standing};
use crate::run::recalled;
use crate::{generation, status};

/// How long a replica may take to say where it stands.
const PATIENCE: Duration = Duration::from_secs(3);

/// Everything that is known.
pub(super) struct Look {
    pub(super) scene: Scene,
    /// None: the server has no stream.
    pub(super) stream: Option<Description>,
    /// What projectors announce; nothing without a stream.
    pub(super) heard: HashMap<String, Progress>,
}

/// Looks at everything, and changes nothing.
///
/// # Errors
/// When nats-server does not answer. Of replicas it is told.
pub(super) async fn look(config: &Config, inspection: &Inspection) -> stream::Result<Look> {
    let stream = match inspection.describe().await {
        Ok(description) => Some(description),
        Err(stream::Error::NoStream) => None,
        Err(error) => return Err(error),
    };
    let link = stream.as_ref().and_then(|description| inspection.link(description));
    let heard = match &link {
        Some(link) => status::listen(link).await?,
        None => HashMap::new(),
    };
    let asked = join_all(config.replicas.iter().map(ask)).await;
    let mut replicas = Vec::new();
    for (replica, asked) in config.replicas.iter().zip(asked) {
        let mut knows = asked.as_ref().map_or(Position(0), |(checkpoint, heard)| {
            heard.as_ref().map_or(checkpoint.position, |(_, heard)| heard.position.max(checkpoint.position))
        });
        if let Some(progress) = heard.get(&replica.name) {
            knows = knows.max(progress.position).max(progress.head);
        }
        let fits = match (&asked, &link, &stream) {
            (Ok((checkpoint, heard)), Some(link), Some(stream)) => {
                fits(link, stream, checkpoint, heard.as_ref()).await?
            }
            _ => false,
        };
        let checkpoint = asked.map(|(checkpoint, _)| checkpoint);
        replicas.push(Standing { name: replica.name.clone(), checkpoint, knows, fits });
    }
    let (last, first) = stream
        .as_ref()
        .map_or((None, Position::FIRST), |stream| (Some(stream.last), stream.configured_first));
    let damage = damage(stream.as_ref(), &heard);
    Ok(Look { scene: Scene { replicas, last, first, damage }, stream, heard })
}

/// What is wrong with the stream by the words of its server and of projectors.
fn damage(stream: Option<&Description>, heard: &HashMap<String, Progress>) -> Vec<String> {
    let mut damage = Vec::new();
    match stream {
        None => damage.push("nats-server has no stream".to_owned()),
        Some(Description { epoch: None, .. }) => {
            damage.push("the stream's metadata names no epoch".to_owned());
        }
        Some(Description { missing, first_missing, .. }) if *missing > 0 => {
            let range = first_missing.as_ref();
            let range =
                range.map_or(String::new(), |range| format!(", {}..={} first", range.start(), range.end()));
            damage.push(format!("the stream lacks {missing} events{range}"));
        }
        Some(Description { closed: true, .. }) => {
            damage.push("the stream was closed by a recovery that did not end".to_owned());
        }
        Some(_) => {}
    }
    let mut refusing: Vec<_> = heard.iter().filter(|(_, progress)| progress.refuses_stream).collect();
    refusing.sort_by_key(|(name, _)| name.as_str());
    damage.extend(refusing.iter().map(|(name, progress)| format!("replica {name} says: {}", progress.why)));
    damage
}

type Asked = (Checkpoint, Option<(Epoch, Heard)>);

async fn ask(replica: &Replica) -> Result<Asked, String> {
    let read = async {
        let mut connection = PgConnection::connect_with(&generation::applying(replica, SCHEMA_LIVE)?).await?;
        let checkpoint = read_checkpoint(&mut connection).await?;
        let heard = recalled(&mut connection).await?;
        connection.close().await?;
        Ok::<_, replica::Error>((checkpoint, heard))
    };
    match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(asked)) => Ok(asked),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// Whether the stream holds what a replica remembers of it.
async fn fits(
    link: &Link,
    stream: &Description,
    checkpoint: &Checkpoint,
    heard: Option<&(Epoch, Heard)>,
) -> stream::Result<bool> {
    if stream.epoch.as_ref() != Some(&checkpoint.epoch) {
        return Ok(false);
    }
    let heard =
        heard.filter(|(epoch, heard)| *epoch == checkpoint.epoch && heard.position > checkpoint.position);
    let mut events = vec![(checkpoint.position, checkpoint.event_hash.as_slice())];
    events.extend(heard.map(|(_, heard)| (heard.position, heard.event_hash.as_slice())));
    for (position, hash) in events {
        if position > stream.last {
            return Ok(false);
        }
        if position < stream.configured_first {
            continue;
        }
        match link.read(position).await {
            Ok(event) if event.hash() == *hash => {}
            Ok(_) | Err(stream::Error::Missing(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}
