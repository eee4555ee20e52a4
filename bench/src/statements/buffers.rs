//! How many of Postgres's pages a statement looks at.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::error::Error;
use crate::statements::cases::{Case, Keys};
use crate::statements::target::Target;

/// Of each run with the first so many keys: pages found in Postgres's memory and pages asked of the kernel, together.
pub(crate) async fn of(target: &mut Target, case: &Case, runs: usize) -> Result<Vec<f64>, Error> {
    let reader = &mut target.reader;
    reader.execute(sqlx::raw_sql(AssertSqlSafe(format!("prepare measured as {}", case.sql)))).await?;
    let mut buffers = Vec::new();
    for keys in case.keys.iter().take(runs) {
        let explain = format!(
            "explain (analyze, buffers, timing off, summary off, format json) execute measured ({})",
            literals(keys)
        );
        let row = reader.fetch_one(sqlx::raw_sql(AssertSqlSafe(explain))).await?;
        let plan: String = row.try_get_unchecked(0)?;
        buffers.push(looked_at(&plan).ok_or_else(|| Error::said(format!("no buffers in the plan {plan}")))?);
    }
    reader.execute(sqlx::raw_sql("deallocate measured")).await?;
    Ok(buffers)
}

fn literals(keys: &Keys) -> String {
    match keys {
        Keys::Numbers(numbers) => {
            let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
            numbers.join(", ")
        }
        Keys::Text(text) => format!("'{}'", text.replace('\'', "''")),
    }
}

/// The topmost node counts its children's too.
fn looked_at(plan: &str) -> Option<f64> {
    let explained: Value = serde_json::from_str(plan).ok()?;
    let top = &explained[0]["Plan"];
    Some(top["Shared Hit Blocks"].as_f64()? + top["Shared Read Blocks"].as_f64()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_in_memory_and_pages_read_count_alike() {
        let plan =
            r#"[{"Plan":{"Shared Hit Blocks":5,"Shared Read Blocks":2,"Plans":[{"Shared Hit Blocks":4}]}}]"#;
        assert_eq!(looked_at(plan), Some(7.0));
        assert_eq!(looked_at("[]"), None);
    }

    #[test]
    fn keys_are_written_as_literals() {
        assert_eq!(literals(&Keys::Numbers(vec![1, -2])), "1, -2");
        assert_eq!(literals(&Keys::Text("it's".into())), "'it''s'");
    }
}
