//! The tester itself: fetched once with pip, in exactly the versions of tests/schemathesis/requirements.txt.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::checkout;
use crate::error::Error;

/// The folder that it lies in. Two processes may come at once: one fetches, the other waits for it.
pub(super) fn get() -> Result<PathBuf, Error> {
    let tools = checkout::tools();
    let wanted = checkout::root().join("tests/schemathesis/requirements.txt");
    let failed = |what: String| move |error| Error::said(format!("{what}: {error}"));
    fs::create_dir_all(&tools).map_err(failed(format!("make {}", tools.display())))?;
    let lock = tools.join("schemathesis.lock");
    let lock = File::create(&lock).map_err(failed(format!("make {}", lock.display())))?;
    lock.lock().map_err(failed("lock the folder of schemathesis".to_owned()))?;

    let folder = tools.join("schemathesis");
    let list = fs::read(&wanted).map_err(failed(format!("read {}", wanted.display())))?;
    // The copy is made last, so where it is, all is there.
    let copy = folder.join("requirements.txt");
    if fs::read(&copy).is_ok_and(|copy| copy == list) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed(format!("remove {}", folder.display())))?;
    }
    let output = Command::new("python3")
        .args(["-m", "pip", "install", "--no-deps", "--only-binary", ":all:", "--quiet", "--no-input"])
        .args(["--disable-pip-version-check", "--root-user-action", "ignore", "--target"])
        .arg(&folder)
        .arg("--requirement")
        .arg(&wanted)
        .stdin(Stdio::null())
        .output()
        .map_err(failed("python3 does not run (on Debian: apt-get install python3-pip)".to_owned()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| line.starts_with("ERROR")).or(said.lines().last());
        return Err(Error::said(format!(
            "schemathesis could not be fetched: pip said \"{}\"; look at the network (or at pip's index and proxy settings), or install pip (on Debian: apt-get install python3-pip)",
            last.unwrap_or("nothing")
        )));
    }
    fs::write(&copy, list).map_err(failed(format!("write {}", copy.display())))?;
    Ok(folder)
}
