//! A single value that is another in one replica is found, whichever it is.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Row};

use tests::{Random, tables, with_catalogue};

use super::audit;

const CHANGES: usize = 100;

/// A key's columns with their values.
type Key = BTreeMap<String, String>;

/// Changes so many values, each in a row of its own, in tables, columns and rows that a seed chooses. A value that its column
/// does not take, or that a constraint forbids, is no change, and another is chosen.
const PLANT: &str = r#"
set session_replication_role = replica;
create temporary table planted (name text, field text, key jsonb, primary key (name, key));
select setseed(SEED);
do $do$
declare
    chosen record;
    key_columns text;
    key_found jsonb;
begin
    while (select count(*) from planted) < CHANGES loop
        select pg_class.relname as name, pg_attribute.attname as field, pg_class.oid as id,
            case
                when atttypid = any(array['bigint', 'integer', 'smallint']::regtype[]) then 'coalesce(%2$I, 0) + 1'
                when atttypid = 'numeric'::regtype then 'coalesce(%2$I, 0) + 0.01'
                when atttypid = 'boolean'::regtype then 'not coalesce(%2$I, false)'
                when atttypid = 'timestamp'::regtype then $$coalesce(%2$I, 'epoch') + interval '1 millisecond'$$
                when atttypid = any(array['json', 'jsonb']::regtype[]) then $$'{"changed": true}'$$
                else $$coalesce(%2$I, '') || '!'$$
            end as change
        into chosen
        from pg_class join pg_attribute on attrelid = pg_class.oid
        join pg_constraint on conrelid = pg_class.oid and contype = 'p'
        where relnamespace = current_schema()::regnamespace and relkind = 'r'
            and attnum > 0 and not attisdropped and not attnum = any(conkey)
            and relname not in ('_sqlx_migrations', 'checkpoint')
        order by random() limit 1;
        select string_agg(format('%L, %I::text', attname, attname), ', ') into key_columns
        from pg_constraint join pg_attribute on attrelid = conrelid and attnum = any(conkey)
        where conrelid = chosen.id and contype = 'p';
        begin
            execute format(
                'update %1$I set %2$I = ' || chosen.change || ' where ctid = (
                    select ctid from %1$I as it where not exists (
                        select from planted where name = %1$L and key = jsonb_build_object(%3$s))
                    order by random() limit 1)
                returning jsonb_build_object(%3$s)', chosen.name, chosen.field, key_columns)
            into key_found;
            if key_found is not null then
                insert into planted values (chosen.name, chosen.field, key_found);
            end if;
        exception when data_exception or integrity_constraint_violation or syntax_error_or_access_rule_violation then
            null;
        end;
    end loop;
end
$do$"#;

#[tokio::test(flavor = "multi_thread")]
async fn each_of_a_hundred_values_that_a_seed_changed_is_named_by_its_table_key_and_column() {
    let system = with_catalogue("audit-seeded", |options| options).await;
    let seed = Random::announced("audit-seeded").below(1_000_000);
    let mut connection = tables::connect(&system, "b").await.unwrap();
    let plant = PLANT.replace("SEED", &format!("0.{seed:06}")).replace("CHANGES", &CHANGES.to_string());
    sqlx::raw_sql(AssertSqlSafe(plant)).execute(&mut connection).await.unwrap();
    let planted = sqlx::query("select name, field, key::text as key from planted")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let planted: BTreeMap<(String, Key), String> = planted
        .iter()
        .map(|row| {
            let key = serde_json::from_str(row.get("key")).unwrap();
            ((row.get("name"), key), row.get("field"))
        })
        .collect();
    assert_eq!(planted.len(), CHANGES);

    let seen = audit(&system, &[]).await;
    assert_eq!(seen.said.code, Some(1), "{:?}", seen.said);
    let mut found = BTreeMap::new();
    for table in seen.report["tables"].as_array().unwrap() {
        for key in table["keys"].as_array().into_iter().flatten() {
            let columns: Vec<_> =
                key["columns"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let name: String = table["table"].as_str().unwrap().into();
            let values: Key = serde_json::from_value(key["key"].clone()).unwrap();
            found.insert((name, values), columns.join(", "));
        }
    }
    assert_eq!(found, planted);
}
