//! The unprivileged account for servers that must not, or should not, run as root.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// An account of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// The name of its group.
    pub group: String,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// Whether we are root. Then Postgres, which refuses to run as root, and nginx's workers get an account of their own.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The first of `names` that exists, when we are root; else nobody is needed.
///
/// # Errors
///
/// [`Error::Options`] when we are root and none of them exists.
pub fn unprivileged(names: &[&str]) -> Result<Option<Account>, Error> {
    if !is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(Error::io("read /etc/passwd"))?;
    let groups = fs::read_to_string("/etc/group").map_err(Error::io("read /etc/group"))?;
    names.iter().find_map(|name| find(&users, &groups, name)).map(Some).ok_or_else(|| {
        Error::Options(format!("as root an account {} is needed, and there is none", names.join(" or ")))
    })
}

fn find(users: &str, groups: &str, name: &str) -> Option<Account> {
    let user: Vec<&str> =
        users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|f| f[0] == name)?;
    let (uid, gid) = (user.get(2)?.parse().ok()?, user.get(3)?.parse::<u32>().ok()?);
    let group = groups
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.get(2).and_then(|id| id.parse().ok()) == Some(gid))
        .map_or_else(|| name.to_owned(), |fields| fields[0].to_owned());
    Some(Account { name: name.to_owned(), group, uid, gid })
}

impl Account {
    /// Whether it may enter `folder` and every folder above it.
    #[must_use]
    pub fn may_enter(&self, folder: &Path) -> bool {
        folder.ancestors().all(|part| {
            fs::metadata(part).is_ok_and(|data| {
                let mode = data.mode();
                match (data.uid() == self.uid, data.gid() == self.gid) {
                    (true, _) => mode & 0o100 != 0,
                    (false, true) => mode & 0o010 != 0,
                    (false, false) => mode & 0o001 != 0,
                }
            })
        })
    }

    /// Gives it a file or an empty folder.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn own(&self, path: &Path) -> Result<(), Error> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(Error::io(format!(
            "give {} to {}",
            path.display(),
            self.name
        )))
    }
}

/// A folder under /var/tmp that everyone may enter and only we may write, for what cannot lie in the data folder because
/// the unprivileged account may not enter that.
///
/// # Errors
///
/// [`Error::Io`]; [`Error::Options`] when somebody else made a folder of that name.
pub fn outside_folder(purpose: &str) -> Result<PathBuf, Error> {
    let folder = PathBuf::from(format!("/var/tmp/atelier-{}-{purpose}", rustix::process::geteuid().as_raw()));
    fs::create_dir_all(&folder).map_err(Error::io(format!("make {}", folder.display())))?;
    let data = fs::symlink_metadata(&folder).map_err(Error::io(format!("look at {}", folder.display())))?;
    if !data.is_dir() || data.uid() != rustix::process::geteuid().as_raw() {
        return Err(Error::Options(format!("{} belongs to somebody else; remove it", folder.display())));
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))
        .map_err(Error::io(format!("open {}", folder.display())))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_with_the_name_of_its_group() {
        let users = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n";
        let groups = "root:x:0:\nnogroup:x:65533:\n";
        let account = find(users, groups, "nobody").unwrap();
        assert_eq!((account.uid, account.gid, account.group.as_str()), (65534, 65533, "nogroup"));
        assert!(find(users, groups, "postgres").is_none());
    }

    #[test]
    fn a_closed_folder_above_keeps_an_account_out() {
        let folder = crate::TemporaryFolder::new("enter").unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let stranger = Account { name: "x".into(), group: "x".into(), uid: 64_321, gid: 64_321 };
        assert!(stranger.may_enter(&inner));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!stranger.may_enter(&inner));
    }
}
