//! How rows ended, as a table that is printed whole, in the order of their numbers.

use std::time::Duration;

/// Rows of the fault matrix that are not run with the others, and why; told where there is no such row.
pub(crate) const APART: [(u32, &str, &str); 2] = [
    (13, "a write that expects a version, its acknowledgement lost", "comes with optimistic writes"),
    (46, "a load with an outage each minute", "apart, because it is long: --soak 20"),
];

/// How a row ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Pass,
    Fail,
    Skipped,
}

/// A row's line, and what is worth lines of its own below it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) number: u32,
    pub(crate) end: End,
    pub(crate) took: Option<Duration>,
    pub(crate) recovered: Option<Duration>,
    pub(crate) title: &'static str,
    pub(crate) notes: Vec<String>,
}

impl Line {
    fn text(&self) -> String {
        let word = match self.end {
            End::Pass => "pass",
            End::Fail => "FAIL",
            End::Skipped => "skipped",
        };
        let seconds = |time: Option<Duration>| {
            time.map_or(String::new(), |time| format!("{:.1} s", time.as_secs_f64()))
        };
        let (took, recovered) = (seconds(self.took), seconds(self.recovered));
        let mut text = format!("{:>3}  {word:7}  {took:>7}  {recovered:>9}  {}", self.number, self.title);
        for note in &self.notes {
            text += &format!("\n{:33}{note}", "");
        }
        text
    }
}

/// All that were run, and those that stand apart.
#[derive(Debug, Default)]
pub(crate) struct Table {
    lines: Vec<Line>,
    /// How long all rows took.
    pub(crate) took: Duration,
}

impl Table {
    pub(crate) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Rows that are not run with the others, with why.
    pub(crate) fn add_those_apart(&mut self) {
        for (number, title, why) in APART {
            if self.lines.iter().any(|line| line.number == number) {
                continue;
            }
            let notes = vec![why.to_owned()];
            self.add(Line { number, end: End::Skipped, took: None, recovered: None, title, notes });
        }
        self.lines.sort_by_key(|line| line.number);
    }

    /// Prints it; whether none failed.
    pub(crate) fn print(&self) -> bool {
        println!("{self}");
        self.count(End::Fail) == 0
    }

    fn count(&self, end: End) -> usize {
        self.lines.iter().filter(|line| line.end == end).count()
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{:>3}  {:7}  {:>7}  {:>9}  fault", "row", "", "took", "recovered")?;
        for line in &self.lines {
            writeln!(f, "{}", line.text())?;
        }
        let [passed, failed, skipped] = [End::Pass, End::Fail, End::Skipped].map(|end| self.count(end));
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped in {:.0} s", self.took.as_secs_f64())
    }
}

/// What is told of a row as soon as it has ended.
impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_row_in_its_order_once() {
        let mut table = Table { took: Duration::from_secs(61), ..Table::default() };
        let line = |number, end| Line {
            number,
            end,
            took: Some(Duration::from_millis(1_250)),
            recovered: None,
            title: "a fault",
            notes: vec!["seen".to_owned()],
        };
        table.add(line(14, End::Pass));
        table.add(line(12, End::Fail));
        table.add_those_apart();
        let text = table.to_string();
        let numbers: Vec<u32> =
            text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
        assert_eq!(numbers, [12, 13, 14, 46, 1]);
        assert!(text.contains(" 12  FAIL       1.2 s"), "{text}");
        assert!(text.ends_with("1 passed, 1 failed, 2 skipped in 61 s"), "{text}");
    }

    #[test]
    fn every_row_of_the_fault_matrix_is_there_or_said_to_stand_apart() {
        let rows: Vec<u32> = crate::rows::all().iter().map(|row| row.number).collect();
        let apart = APART.map(|(number, ..)| number);
        let missing: Vec<u32> =
            (1..=48).filter(|number| !rows.contains(number) && !apart.contains(number)).collect();
        assert_eq!(missing, [0; 0]);
    }
}
