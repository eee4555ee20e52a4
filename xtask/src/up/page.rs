//! What `up` shows at its end: proof, and what to do next.

use std::io::Write;

use local::Data;
use tokio::process::Command;

use crate::SystemArguments;
use crate::error::Error;
use crate::stages::say;

/// One control event through the whole system, and what it took.
pub(super) async fn probe(data: &Data) -> Result<(), Error> {
    let output = Command::new(data.binaries().join("projector"))
        .arg("probe")
        .arg("--config")
        .arg(data.config())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| Error::said(format!("the probe does not run: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or("nothing").trim();
        let logs = data.logs();
        return Err(Error::said(format!(
            "the probe failed: {last}; look into the logs in {}",
            logs.display()
        )));
    }
    say(&format!("\n{}", String::from_utf8_lossy(&output.stdout).trim_end()));
    Ok(())
}

/// The page.
pub(super) fn print(url: &str, data: &Data, system: &SystemArguments, detached: bool) {
    let typed = system.as_typed();
    let stop = if detached { format!("cargo xtask down{typed}") } else { "Ctrl-C".to_owned() };
    // Whoever reads may have gone; the system stays.
    let _ = writeln!(
        std::io::stdout(),
        "\nAtelier is up at {url}\n\n\
         \x20 the shop, for a browser: {url}/shop/\n\
         \x20 the API, for a front end: {url} (and {url}/api)\n\n\
         \x20 curl '{url}/products?count=2'\n\
         \x20 curl '{url}/reviews?product_id=1&count=2'\n\
         \x20 curl -X POST {url}/reviews -d '{{\"product_id\":1,\"rating\":5,\"body\":\"Fits well.\",\"recommend\":true,\
         \"name\":\"ada\",\"email\":\"ada@example.com\"}}'\n\n\
         state   cargo xtask status{typed}\n\
         logs    {}\n\
         stop    {stop}",
        data.logs().display()
    );
}
