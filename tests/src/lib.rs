//! What the tests of the whole system share: a shopper, an operator, real systems to act on, and ways to look.
//!
//! One method is one action of a user ([`Shopper`], [`Operator`]). Whatever a test waits for is a condition with a
//! deadline ([`eventually`]); nothing sleeps to be on the safe side.

mod beside;
pub mod catalogue;
mod eventually;
mod forms;
pub mod guardian;
pub mod hostile;
pub mod imported;
mod load;
mod operator;
mod own_nats;
mod random;
mod shopper;
mod story;
pub mod stream_access;
mod system;
pub mod tables;
pub mod wire;

pub use beside::Beside;
pub use eventually::{eventually, within};
pub use forms::{SKU, answer, interaction, question, review};
pub use load::{Load, Tally};
pub use operator::{Operator, Said};
pub use own_nats::OwnNats;
pub use random::Random;
pub use shopper::{Answer, Shopper};
pub use story::Story;
pub use system::{Private, Shared, empty, options, private, shared, turn, with_catalogue};
