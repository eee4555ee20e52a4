//! Why nothing was measured.

/// Everything that can fail here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The private system or a server beside it.
    #[error(transparent)]
    Local(#[from] local::Error),
    /// A request of the bench's own.
    #[error("a request failed")]
    Http(#[from] reqwest::Error),
    /// A query of the bench's own.
    #[error("a query failed")]
    Database(#[from] sqlx::Error),
    /// An answer that is not what it should be; a figure about it would mean nothing.
    #[error("{line}: {what}; the row is void")]
    Wrong {
        /// Whose answer, as the table names it.
        line: String,
        /// What is wrong with it.
        what: String,
    },
    /// Anything else, already in words.
    #[error("{0}")]
    Said(String),
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// In words.
    pub(crate) fn said(text: impl Into<String>) -> Self {
        Self::Said(text.into())
    }

    /// What was tried, and why it failed.
    pub(crate) fn failed(
        what: impl Into<String>,
    ) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        let what = what.into();
        move |error| Self::Said(format!("{what}: {error}"))
    }

    /// A wrong answer.
    pub(crate) fn wrong(line: &str, what: impl Into<String>) -> Self {
        Self::Wrong { line: line.to_owned(), what: what.into() }
    }

    /// The sentence and its causes.
    pub(crate) fn whole(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.contains(&said) {
                text = format!("{text}: {said}");
            }
            cause = error.source();
        }
        if let Error::Local(local::Error::Process { log, tail, .. }) = self {
            text = format!("{text}\nthe last lines of {}:\n    {}", log.display(), tail.join("\n    "));
        }
        text
    }
}
