//! What shoppers ask, and what others answer.

pub(crate) const QUESTIONS: &[&str] = &[
    "What fabric is the top made of?",
    "Does this product run big, or small?",
    "Can I wash it with \"normal\" detergent?",
    "Is it vegan?",
    "Ist das auch in Grün zu haben?",
    "How long does it last, if worn daily?",
    "Why is this product cheaper here than other sites?",
    "Does the zip go all the way?",
];
pub(crate) const ANSWERS: &[&str] = &[
    "Something pretty soft, but I can't be sure.",
    "Runs small, take one size up.",
    "It's the best! Seriously magic fabric",
    "No idea, sorry \u{2026}",
    "Suede",
    "They said \"vegan\" on the phone.",
    "Ja, seit März.",
    "Mine lasted two years, then the sole went.",
    "Don't buy it! It's bad for the environment",
];
