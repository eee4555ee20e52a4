//! Who gives memory in each of our processes (docs/decisions/0048).

use mimalloc::MiMalloc;

/// Events are decoded in one thread and let go of in another, which glibc's allocator is slow at.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
