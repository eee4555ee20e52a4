//! Ends what tests have started, once they are gone. Started by the tests themselves.

fn main() {
    tests::guardian::run(std::io::stdin().lock());
}
