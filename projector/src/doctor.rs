//! `projector doctor`: the state of everything, as checks in an order, each with the command that mends it. It changes
//! nothing: it publishes nothing, and Postgres holds its sessions to reading.

mod examination;
mod machine;
mod replica;
mod report;
mod server;
mod stream;

use std::error::Error;

use service::Config;

use self::examination::Examination;
pub(crate) use self::machine::bytes;
pub(crate) use self::stream::store_folder;
use crate::status;

/// Prints a table, or JSON.
///
/// # Errors
/// When a check failed; strictly, when one warned, too.
pub(crate) async fn doctor(config: &Config, json: bool, strict: bool) -> Result<(), Box<dyn Error>> {
    let examination = examine(config).await;
    if json {
        println!("{}", report::json(&examination)?);
    } else {
        println!("{}", report::table(&examination));
    }
    report::verdict(&examination, strict).map_err(Into::into)
}

/// In the order in which things depend on each other: keys, nats-server, the stream, each replica.
async fn examine(config: &Config) -> Examination {
    let mut examination = Examination::default();
    let hashing_key = machine::examine(&mut examination, config).await;
    let server = server::examine(&mut examination, config).await;
    let link = stream::examine(&mut examination, config, &server, hashing_key.as_ref()).await;
    let heard = match &link {
        Some(link) => status::listen(link).await.ok(),
        None => None,
    };
    for replica in &config.replicas {
        replica::examine(&mut examination, replica, link.as_ref(), heard.as_ref()).await;
    }
    examination
}
