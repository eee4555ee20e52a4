//! Hashes depend on rows alone: not on Postgres's version, nor on time zone, date style, collation, or how bytes and floats are
//! written.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use futures::TryStreamExt;
use local::TemporaryFolder;
use local::account::{Account, unprivileged};
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tests::{eventually, shared, within};

use crate::operations::commands::checkout;

/// Where Debian puts another version of Postgres.
const OTHER: &str = "/usr/lib/postgresql/15/bin";
/// As an administrator's own taste may be.
const TASTE: &str =
    "set timezone = 'Asia/Kolkata'; set datestyle = 'German, DMY'; set intervalstyle = 'sql_standard';
    set bytea_output = 'escape'; set extra_float_digits = -3; set jit = on;";
/// Types whose text depends on settings, beside those that tables of ours have.
const ODD: &str = "create table odd (id bigint primary key, f double precision, r real, b bytea, t timestamptz, i interval,
        n numeric, d date, words text, yes boolean);
    insert into odd select id, id / 3.0::double precision, id / 7.0::real, decode(lpad(to_hex(id), 8, '0'), 'hex'),
        timestamptz '2026-03-29 00:59:59.123+00' + id * interval '1 hour', id * interval '1 month 2 days 03:04:05.006',
        id * 1.10, date '2026-01-01' + id::integer, chr(id::integer) || 'ä, \"(\\ ''', id % 2 = 0
    from generate_series(32, 1500) as id where id <> 127;";

/// Another Postgres; stopped when it is dropped.
struct Another {
    process: Child,
    port: u16,
    _folder: TemporaryFolder,
}

impl Drop for Another {
    fn drop(&mut self) {
        // A fast shutdown, so that no memory stays behind.
        let pid = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw);
        let _gone = pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::INT));
        let _ended = self.process.wait();
    }
}

fn command(program: &str, account: Option<&Account>, log: &Path) -> Command {
    let mut command = Command::new(Path::new(OTHER).join(program));
    let log = File::options().append(true).create(true).open(log).unwrap();
    command.current_dir("/").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command.stdout(log.try_clone().unwrap()).stderr(log);
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

fn start() -> Another {
    let folder = TemporaryFolder::new("elsewhere").unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("log"));
    let account = unprivileged(&["postgres", "nobody"]).unwrap();
    fs::create_dir(&data).unwrap();
    account.iter().for_each(|account| account.own(&data).unwrap());
    let mut initdb = command("initdb", account.as_ref(), &log);
    // Sorted by a dictionary, not by bytes.
    initdb.args([
        "--locale=C.UTF-8",
        "--locale-provider=icu",
        "--icu-locale=de-AT",
        "--encoding=UTF8",
        "--auth=trust",
    ]);
    let made = initdb.args(["--username=postgres", "-D"]).arg(&data).status().unwrap();
    assert!(made.success(), "{}", fs::read_to_string(&log).unwrap_or_default());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut postgres = command("postgres", account.as_ref(), &log);
    postgres.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-k", "", "-p", &port.to_string()]);
    Another { process: postgres.spawn().unwrap(), port, _folder: folder }
}

/// A database with everything that a replica of the tests holds, in a server's own ways.
async fn filled(options: &PgConnectOptions, source: &mut PgConnection) -> PgConnection {
    let connected = eventually("the other server answers", within(30), async || {
        PgConnection::connect_with(options).await.map_err(|error| error.to_string())
    });
    let mut connection = connected.await;
    run(&mut connection, "create database compared").await;
    let mut connection = PgConnection::connect_with(&options.clone().database("compared")).await.unwrap();
    run(&mut connection, "create schema live; set search_path = live").await;
    let mut migrations: Vec<PathBuf> =
        fs::read_dir(checkout().join("migrations")).unwrap().map(|it| it.unwrap().path()).collect();
    migrations.retain(|path| path.extension().is_some_and(|ending| ending == "sql"));
    migrations.sort();
    for migration in migrations {
        run(&mut connection, &fs::read_to_string(migration).unwrap()).await;
    }
    run(&mut connection, ODD).await;
    run(&mut connection, TASTE).await;
    for table in tables(&mut connection).await.into_iter().map(|[name, ..]| name).filter(|name| name != "odd")
    {
        let mut rows = source.copy_out_raw(&format!("copy {table} to stdout")).await.unwrap();
        let mut into = connection.copy_in_raw(&format!("copy {table} from stdin")).await.unwrap();
        while let Some(part) = rows.try_next().await.unwrap() {
            into.send(part).await.unwrap();
        }
        into.finish().await.unwrap();
    }
    connection
}

async fn run(connection: &mut PgConnection, script: &str) -> Vec<PgRow> {
    let rows = sqlx::raw_sql(AssertSqlSafe(script.to_owned())).fetch_all(connection).await;
    rows.unwrap_or_else(|error| panic!("{error}: {script}"))
}

fn statement(name: &str) -> String {
    fs::read_to_string(checkout().join("projector/src/audit").join(name)).unwrap()
}

/// Names of tables, each with the expressions of its key's and its row's hash.
async fn tables(connection: &mut PgConnection) -> Vec<[String; 3]> {
    let rows = run(connection, &statement("tables.sql")).await;
    rows.iter().map(|row| ["name", "key_hash", "row_hash"].map(|column| row.get_unchecked(column))).collect()
}

/// All hashes of all tables, by the projector's own statements.
async fn hashes(connection: &mut PgConnection) -> Vec<String> {
    let mut all = Vec::new();
    for [table, key_hash, row_hash] in tables(connection).await {
        let hash = statement("hash.sql").replace("{table}", &table).replace("{key_hash}", &key_hash);
        let hash = hash.replace("{row_hash}", &row_hash);
        for row in run(connection, &format!("{hash} order by bucket")).await {
            let part = |column: &str| row.get_unchecked::<String, _>(column);
            all.push(format!("{table} {} {} {}", part("bucket"), part("rows"), part("sum")));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "a test that could not be made says so")]
async fn another_version_of_postgres_with_other_settings_gives_the_same_hashes() {
    if !Path::new(OTHER).join("postgres").exists() {
        println!("skipped: there is no other Postgres in {OTHER}");
        return;
    }
    let system = shared().await;
    let another = start();
    let ours: PgConnectOptions = system.postgres_url("a").unwrap().parse().unwrap();
    let theirs = PgConnectOptions::new()
        .host("127.0.0.1")
        .port(another.port)
        .username("postgres")
        .database("postgres");
    // Others write there meanwhile: both get what there is now.
    let mut source = tests::tables::connect(&system, "a").await.unwrap();
    run(&mut source, "begin isolation level repeatable read, read only").await;
    let mut ours = filled(&ours, &mut source).await;
    let mut theirs = filled(&theirs, &mut source).await;
    let version = "select current_setting('server_version_num')::integer / 10000 as version";
    let mut versions = Vec::new();
    for connection in [&mut ours, &mut theirs] {
        versions.push(run(connection, version).await[0].get_unchecked::<String, _>("version"));
    }
    assert_eq!(versions, ["18", "15"]);
    let sorted = "select string_agg(it, '' order by it) as it from unnest(array['a', 'B', 'ä', 'Z']) as it";
    let of = |rows: Vec<PgRow>| rows[0].get_unchecked::<String, _>("it");
    assert_ne!(
        of(run(&mut ours, sorted).await),
        of(run(&mut theirs, sorted).await),
        "they sort in another way"
    );

    // Each in its own way they do not give the same; with the settings of a comparison they do.
    run(&mut ours, &statement("settings.sql")).await;
    let expected = hashes(&mut ours).await;
    assert!(expected.len() > 500, "{}", expected.len());
    assert_ne!(hashes(&mut theirs).await, expected, "the settings matter");
    run(&mut theirs, &statement("settings.sql")).await;
    let found = hashes(&mut theirs).await;
    let first = found.iter().zip(&expected).find(|(one, another)| one != another);
    assert!(found == expected, "{first:?}");
    let changed = "update odd set words = words || ' ' where id = 77";
    run(&mut theirs, changed).await;
    assert_ne!(hashes(&mut theirs).await, expected, "a changed value is seen");
    for connection in [ours, theirs] {
        connection.close().await.unwrap();
    }
    drop(another);
}
