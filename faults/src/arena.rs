//! The private system of one row, what is done to it, and its judgement.

use std::time::{Duration, Instant};

use contract::Token;
use contract::keyed_hash::{HashingKey, parse_key};
use local::SystemOptions;
use tests::catalogue::{Spare, spare_products};
use tests::{Private, Random, Shopper, eventually, tables, within};

use crate::checkers::{self, Evidence};
use crate::disk::SmallDisk;
use crate::drive::client::{read, write};
use crate::drive::{Drive, Plan, Shared};
use crate::history::{Operation, Record};
use crate::log::{Logged, Reading};
use crate::model::State;
use crate::panics;
use crate::proxy::Proxy;
use crate::replica;
use crate::row::{Seen, Setup, Stop};

/// How long a system may take to heal without hands.
const HEALS: Duration = Duration::from_secs(90);
/// Far beyond any head.
const UNREACHABLE: u64 = 1 << 40;

/// A whole system for one fault.
pub(crate) struct Arena {
    pub(crate) system: Private,
    /// Between writers and nats-server, when the row asked for it.
    pub(crate) proxy: Option<Proxy>,
    /// Behind the system: it is taken away when the system has gone.
    pub(crate) disk: Option<SmallDisk>,
    pub(crate) random: Random,
    pub(crate) history: Shared,
    pub(crate) began: Instant,
    /// Fewer rounds.
    pub(crate) quick: bool,
    /// What every replica held right after the import.
    pub(crate) base: State,
    pub(crate) hashing: HashingKey,
    /// What replicas held on the way, to be judged with the rest.
    pub(crate) looks: Vec<(String, State)>,
    /// Whether reads honour `Atelier-Min-Position`.
    pub(crate) tokens: bool,
    /// What may be written about.
    pub(crate) products: Vec<Spare>,
}

impl Arena {
    /// Starts a system and fills it.
    ///
    /// # Errors
    /// When it cannot be looked at.
    ///
    /// # Panics
    /// When it does not start.
    pub(crate) async fn start(name: &str, setup: &Setup, seed: u64, quick: bool) -> Result<Arena, Stop> {
        let (mut proxy, mut disk) = (None, None);
        let shape = |mut options: SystemOptions| {
            options.writers = setup.writers;
            // One writer makes a batch of whatever it can, the other one only of many: both ways are tried in each row.
            options = options.with_environment("writer-1", "ATELIER_WRITER_BATCH_FROM", "2");
            // A replica that is just being killed is waited for no longer than shoppers would.
            options = options.with_environment("writer", "ATELIER_WRITER_VISIBLE_WAIT_MS", "1000");
            for (process, key, value) in setup.environment {
                options = options.with_environment(process, key, value);
            }
            if setup.proxied {
                let between = Proxy::start(options.data.join("atelier.toml"));
                options = options.with_environment("writer", "ATELIER_STREAM_URL", &between.url());
                proxy = Some(between);
            }
            if setup.small_disk {
                disk = Some(SmallDisk::mount(&options.data));
            }
            options
        };
        let name = format!("faults-{name}");
        let system = if setup.catalogue {
            tests::with_catalogue(&name, shape).await
        } else {
            tests::private(&name, shape).await
        };
        let key = std::fs::read_to_string(system.data().keys().join("hashing.key"));
        let key = key.map_err(|error| format!("the hashing key cannot be read: {error}"))?;
        let hashing = HashingKey::new(parse_key(&key).map_err(|error| error.to_string())?);
        let base = replica::read(&system, "a").await?;
        let mut arena = Arena {
            system,
            proxy,
            disk: disk.transpose()?,
            random: Random::seeded(seed),
            history: Shared::default(),
            began: Instant::now(),
            quick,
            base,
            hashing,
            looks: vec![],
            tokens: false,
            products: spare_products().collect(),
        };
        if setup.catalogue {
            arena.tokens = arena.tokens_are_honoured().await;
        }
        Ok(arena)
    }

    /// The row has imported a catalogue of its own, with these products: what is judged begins here.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub(crate) async fn is_filled(&mut self, products: Vec<Spare>) -> Result<(), Stop> {
        self.base = replica::read(&self.system, "a").await?;
        self.products = products;
        self.tokens = self.tokens_are_honoured().await;
        Ok(())
    }

    /// Whether a demand that nobody can meet is answered as such.
    async fn tokens_are_honoured(&self) -> bool {
        let product = self.product();
        let seen = read(&self.system.shopper(), product.id, None).await.served;
        let Some(token) = seen else {
            return false;
        };
        let demanded = Token { position: contract::Position(UNREACHABLE), ..token };
        read(&self.system.shopper(), product.id, Some(demanded)).await.stale
    }

    /// Starts shoppers, through nginx.
    pub(crate) fn drive(&mut self, plan: Plan) -> Drive {
        self.drive_named("d", plan)
    }

    /// The same for a second time.
    pub(crate) fn drive_named(&mut self, name: &str, plan: Plan) -> Drive {
        let shopper = self.system.shopper();
        let products = &self.products[..8];
        Drive::start(&shopper, &self.history, products, &mut self.random, name, plan)
    }

    /// How many rounds a row makes.
    pub(crate) fn rounds(&self, quick: usize, all: usize) -> usize {
        if self.quick { quick } else { all }
    }

    /// A product that the drives leave alone.
    pub(crate) fn product(&self) -> Spare {
        *self.products.get(20).expect("every catalogue has hundreds of products")
    }

    /// A review of that product.
    pub(crate) fn review(&self, mark: &str) -> Operation {
        let Spare { id, fit, .. } = self.product();
        Operation::Review { product: id, characteristic: fit, rating: 4, mark: mark.to_owned() }
    }

    /// Sends a write with a key until its fate is known, and writes it down.
    pub(crate) async fn settle(&self, shopper: &Shopper, operation: Operation, key: &str) -> Record {
        let record = write(shopper, operation, Some(key.to_owned()), within(60), || true).await;
        self.history.write(record.clone());
        record
    }

    /// The writers, without nginx.
    pub(crate) fn writers(&self) -> Vec<Shopper> {
        self.system.writer_urls().into_iter().map(Shopper::at).collect()
    }

    /// A look at a replica, judged at the end with the rest.
    pub(crate) async fn look(&mut self, replica: &str) {
        let system = &self.system;
        let what = format!("replica {replica} can be looked at");
        let seen = eventually(&what, within(60), async || replica::read(system, replica).await).await;
        self.looks.push((replica.to_owned(), seen));
    }

    /// What all replicas hold now.
    pub(crate) async fn states(&self) -> Result<Vec<(String, State)>, String> {
        let mut states = Vec::new();
        for replica in self.system.replicas() {
            states.push((replica.clone(), replica::read(&self.system, replica).await?));
        }
        Ok(states)
    }

    /// The stream behind the import.
    pub(crate) async fn log(&self) -> Result<Vec<Logged>, String> {
        Reading::open(&self.system).await?.behind(self.base.position).await
    }

    /// Waits until everything runs, and every replica has applied the stream up to its head; then all checkers judge.
    ///
    /// # Errors
    /// What they found.
    pub(crate) async fn judge(&mut self, seen: Seen) -> Result<Seen, Stop> {
        for process in self.system.processes() {
            let ready = process.wait_ready(HEALS).await;
            ready.map_err(|error| format!("{} did not heal: {error}", process.name()))?;
        }
        self.system.ready().await;
        let log = self.log().await?;
        let head = log.last().map_or(self.base.position, |last| last.position);
        let mut states = eventually("every replica has applied the whole stream", HEALS, async || {
            let states = self.states().await?;
            match states.iter().find(|(_, state)| state.position < head) {
                Some((behind, state)) => Err(format!("{behind} stands at {} of {head}", state.position)),
                None => Ok(states),
            }
        })
        .await;
        states.append(&mut self.looks);
        let mut faults = self.faults(&log, &states);
        // Every column of every table, those too that the model does not know.
        let equal = equal_tables(&self.system, head).await;
        faults.extend(equal.err());
        if faults.is_empty() { Ok(seen) } else { Err(Stop::Failed(faults)) }
    }

    /// What the checkers find in what was done and what is there.
    pub(crate) fn faults(&self, log: &[Logged], replicas: &[(String, State)]) -> Vec<String> {
        let panics = panics::told(&self.system.data().logs());
        let history = self.history.lock();
        checkers::run(&Evidence {
            history: &history,
            log,
            base: &self.base,
            replicas,
            hashing: &self.hashing,
            tokens: self.tokens,
            panics: &panics,
        })
    }
}

/// All tables of all replicas, in their own words, at one position.
pub(crate) async fn equal_tables(system: &Private, least: i64) -> Result<(), String> {
    let (first, others) = system.replicas().split_first().ok_or("a system has replicas")?;
    let read = async |replica: &str| tables::read(system, replica).await.map_err(|error| error.to_string());
    let one = read(first).await?;
    for other in others {
        let another = read(other).await?;
        if one.position != another.position || one.position < least {
            return Err(format!("{first} stands at {}, {other} at {}", one.position, another.position));
        }
        if let Some(difference) = one.difference(&another) {
            return Err(format!("replicas {first} and {other} at {}: {difference}", one.position));
        }
    }
    Ok(())
}
