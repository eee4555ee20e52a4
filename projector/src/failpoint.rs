//! Points at which the fault suite lets a verb die, as a crash would: each is a moment that leaves something else behind.

/// Names the point at which the process is to die. Nobody sets it but who tests what a crash leaves.
const DIE_AT: &str = "ATELIER_DIE_AT";

/// The process dies here when it was told to.
pub(crate) fn reached(point: &str) {
    if std::env::var_os(DIE_AT).is_some_and(|at| at == point) {
        tracing::warn!(point, "dying here, as {DIE_AT} says");
        let _sent_before_the_next_line =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
