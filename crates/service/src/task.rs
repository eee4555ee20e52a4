//! Tasks without which a process must not go on looking well.

use std::process::exit;

/// What a process exits with when such a task dies (`EX_SOFTWARE`).
const EXIT_SOFTWARE: i32 = 70;

/// Runs a task whose panic ends the process, so that whoever supervises it starts it anew: a process that serves on
/// with half of its parts dead helps nobody.
pub fn essential(name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
    let task = tokio::spawn(work);
    tokio::spawn(async move {
        if let Err(error) = task.await
            && error.is_panic()
        {
            tracing::error!(
                task = name,
                "a task that the process cannot do without panicked; the process ends"
            );
            exit(EXIT_SOFTWARE);
        }
    });
}
