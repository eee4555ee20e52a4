//! `projector prune`: the generation that served before goes, and what a rebuild left half done.

use std::error::Error;

use replica::{SCHEMA_BUILDING, SCHEMA_PREVIOUS};
use service::Config;

use crate::rebuild::building::{self, Guard};
use crate::record::Record;

/// Removes what does not serve and is not being built.
pub(crate) async fn prune(
    config: &Config,
    name: &str,
    dry_run: bool,
    json: bool,
) -> Result<(), Box<dyn Error>> {
    let replica = config.replica(name)?;
    let mut found = Vec::new();
    for schema in [SCHEMA_PREVIOUS, SCHEMA_BUILDING] {
        if let Some(known) = building::find(replica, schema).await? {
            found.push((schema, known));
        }
    }
    let mut removed = Vec::new();
    if !dry_run && !found.is_empty() {
        let record = Record::begin(replica, "prune").await?;
        let work = async {
            let guard = Guard::take(replica).await?;
            for (schema, _) in &found {
                building::discard(replica, &guard, schema).await?;
                removed.push(*schema);
            }
            Ok::<(), crate::rebuild::Error>(())
        };
        let done = work.await;
        record.end(&done.as_ref().map_or_else(ToString::to_string, |()| "done".to_owned())).await;
        done?;
    }
    if json {
        let numbers: Vec<i64> = found.iter().map(|(_, known)| known.number).collect();
        let report = serde_json::json!({
            "schema_version": 1, "replica": name, "generations": numbers, "removed": removed.len() == found.len(),
        });
        println!("{report}");
        return Ok(());
    }
    if found.is_empty() {
        println!("replica {name}: nothing to remove");
    }
    for (schema, known) in &found {
        let word = if dry_run { "would be removed" } else { "removed" };
        println!("replica {name}: generation {} ({schema}, made from {}) {word}", known.number, known.source);
    }
    Ok(())
}
