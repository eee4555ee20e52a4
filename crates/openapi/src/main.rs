//! Prints the document: `cargo xtask openapi` writes it to docs/, `cargo xtask check` compares.
#![allow(clippy::print_stdout, reason = "a command line tool prints")]

fn main() {
    print!("{}", openapi::text());
}
