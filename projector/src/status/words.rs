//! Numbers as people read them.

use contract::announcement::ImportProgress;

/// As in `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// As in `0.3 s`, `12 s`, `5 min`, `3 h`, `2 days`.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        ..9.95 => format!("{seconds:.1} s"),
        ..119.5 => format!("{seconds:.0} s"),
        ..7_200.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        _ => format!("{:.0} days", seconds / 86_400.0),
    }
}

/// As in `0.4/s`, `1,234/s`.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        ..0.05 => "0/s".to_owned(),
        ..9.95 => format!("{per_second:.1}/s"),
        _ => format!("{}/s", grouped(per_second.round() as u64)),
    }
}

/// As in `43 % of the import: loading reviews; about 2 min left`.
pub(super) fn import(import: &ImportProgress) -> String {
    let left = match import.seconds_left {
        None => String::new(),
        Some(seconds @ ..120) => format!("; about {seconds} s left"),
        Some(seconds) => format!("; about {} min left", seconds.div_ceil(60)),
    };
    let steps = import.steps_done.zip(import.steps);
    let steps =
        steps.map_or(String::new(), |(done, of)| format!(" ({done} of {of} steps of the closing are done)"));
    format!("{:.0} % of the import: {}{steps}{left}", import.percent, import.what)
}

/// Words in lines that are no longer than this, but for words that are.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is one from the beginning");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_told_in_words() {
        let mut progress = ImportProgress {
            percent: 43.2,
            what: "loading reviews".into(),
            seconds_left: None,
            steps_done: None,
            steps: None,
        };
        assert_eq!(import(&progress), "43 % of the import: loading reviews");
        progress.seconds_left = Some(119);
        assert_eq!(import(&progress), "43 % of the import: loading reviews; about 119 s left");
        (progress.seconds_left, progress.steps_done, progress.steps) = (Some(121), Some(3), Some(25));
        let closing =
            "43 % of the import: loading reviews (3 of 25 steps of the closing are done); about 3 min left";
        assert_eq!(import(&progress), closing);
    }

    #[test]
    fn numbers_are_told_in_the_unit_that_fits() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let durations = [0.04, 9.9, 9.96, 119.0, 120.0, 7_199.0, 7_200.0, 172_800.0].map(duration);
        assert_eq!(durations, ["0.0 s", "9.9 s", "10 s", "119 s", "2 min", "120 min", "2 h", "2 days"]);
        assert_eq!([0.0, 0.4, 12.4, 12_345.0].map(rate), ["0/s", "0.4/s", "12/s", "12,345/s"]);
    }

    #[test]
    fn long_words_are_cut_into_lines_and_commands_are_not() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a-very-long-word b", 5), ["a-very-long-word", "b"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}
