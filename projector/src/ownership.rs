//! One projector owns a generation at a time.
//!
//! The guard is the fence in the checkpoint: taking over raises it, and a paused predecessor then loses its next
//! compare-and-set. The advisory lock only lets a second projector stand by instead of fighting.

use replica::{Checkpoint, read_checkpoint};
use sqlx::{PgConnection, Row};

const TRY_LOCK: &str = include_str!("ownership/try_lock.sql");
/// Takes from whoever applies what it holds: its next compare-and-set fails.
pub(crate) const RAISE_FENCE: &str = include_str!("ownership/raise_fence.sql");

/// Tries to take the generation over. `None`: another projector has it.
///
/// # Errors
/// When the database fails, or has no checkpoint.
pub(crate) async fn take_over(connection: &mut PgConnection) -> Result<Option<Checkpoint>, replica::Error> {
    let locked: bool = sqlx::query(TRY_LOCK).fetch_one(&mut *connection).await?.try_get("locked")?;
    if !locked {
        return Ok(None);
    }
    if sqlx::query(RAISE_FENCE).execute(&mut *connection).await?.rows_affected() == 0 {
        return Err(replica::Error::NoCheckpoint);
    }
    read_checkpoint(connection).await.map(Some)
}
