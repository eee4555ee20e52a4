-- What became of an event. $1 its position, $2 its idempotency key or null.
-- Answer: one row: the snapshot's position, why the event was rejected, who holds the key.
-- Indexes: checkpoint_pkey, rejections_pkey, idempotency_keys_pkey.
select
    position as checkpoint,
    (select reason from rejections where rejections.position = $1) as reason,
    (select idempotency_keys.position from idempotency_keys where key = $2::text) as holder
from checkpoint
