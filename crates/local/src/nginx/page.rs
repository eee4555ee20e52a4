//! The storefront page: its files are part of the binary, so that a system serves the page that it was built with.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::error::Error;
use crate::layout::{make_folder, write_atomically};

macro_rules! files {
    ($($name:literal,)*) => {
        /// Names from `shop/` on, and texts.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../../../shop/", $name)))),*];
    };
}

files! {
    "api.js",
    "colours.js",
    "drawing.js",
    "element.js",
    "fields.js",
    "form.js",
    "freshness.js",
    "icon.svg",
    "index.html",
    "listing.js",
    "main.js",
    "memory.js",
    "pages/cart.js",
    "pages/list.js",
    "pages/product.js",
    "photo.js",
    "resources/answers.js",
    "resources/cart.js",
    "resources/interactions.js",
    "resources/products.js",
    "resources/questions.js",
    "resources/reviews.js",
    "resources/reviews/form.js",
    "resources/reviews/scales.js",
    "resources/reviews/summary.js",
    "resources/styles.js",
    "stars.js",
    "styles/base.css",
    "styles/forms.css",
    "styles/frame.css",
    "styles/product.css",
    "styles/talk.css",
    "toast.js",
    "words.js",
}

/// Writes the page's files into `folder`, and nothing else stays there.
///
/// # Errors
///
/// [`Error::Io`].
pub(super) fn write(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(Error::io(format!("empty {}", folder.display()))(error));
        }
        _ => {}
    }
    open(folder.parent().expect("the page lies in a folder of its own"))?;
    for (name, text) in FILES {
        let path = folder.join(name);
        open(path.parent().expect("a file lies in a folder"))?;
        write_atomically(&path, text, 0o644)?;
        permit(&path, 0o644)?;
    }
    Ok(())
}

/// nginx's workers are somebody else, whatever permissions our files usually get.
fn open(folder: &Path) -> Result<(), Error> {
    make_folder(folder)?;
    permit(folder, 0o755)
}

fn permit(path: &Path, mode: u32) -> Result<(), Error> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(Error::io(format!("open {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path, below: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                names(&path, below, found);
            } else {
                found.push(path.strip_prefix(below).unwrap().to_string_lossy().into_owned());
            }
        }
    }

    #[test]
    fn every_file_of_the_page_is_served_and_old_ones_go() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shop");
        let mut there = vec![];
        names(&page, &page, &mut there);
        there.sort();
        let folder = crate::TemporaryFolder::new("page").unwrap();
        let shop = folder.path().join("shop");
        make_folder(&shop).unwrap();
        fs::write(shop.join("old.js"), "old").unwrap();
        write(&shop).unwrap();
        let mut written = vec![];
        names(&shop, &shop, &mut written);
        written.sort();
        assert_eq!(written, there);
    }
}
