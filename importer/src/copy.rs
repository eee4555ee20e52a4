//! Postgres COPY text: values parted by tabs, rows by newlines, `\N` for null.

/// Rows of one table.
#[derive(Debug, Default)]
pub(crate) struct CopyText {
    bytes: Vec<u8>,
    row_start: usize,
}

impl CopyText {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), row_start: 0 }
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Ends the row.
    pub(crate) fn end_row(&mut self) {
        // Each value left a tab behind itself.
        if let Some(last) = self.bytes.last_mut() {
            *last = b'\n';
        }
        self.row_start = self.bytes.len();
    }

    /// Takes back what was written of the row that was begun.
    pub(crate) fn abandon_row(&mut self) {
        self.bytes.truncate(self.row_start);
    }

    /// All rows; this is empty afterwards, with the same room.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.row_start = 0;
        let capacity = self.bytes.capacity();
        std::mem::replace(&mut self.bytes, Vec::with_capacity(capacity))
    }

    pub(crate) fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut written = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let escaped = match byte {
                b'\\' => b'\\',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                _ => continue,
            };
            self.bytes.extend_from_slice(&bytes[written..at]);
            self.bytes.extend_from_slice(&[b'\\', escaped]);
            written = at + 1;
        }
        self.bytes.extend_from_slice(&bytes[written..]);
        self.bytes.push(b'\t');
    }

    pub(crate) fn optional_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    pub(crate) fn null(&mut self) {
        self.bytes.extend_from_slice(b"\\N\t");
    }

    pub(crate) fn number(&mut self, number: u32) {
        self.digits(u64::from(number), 1);
        self.bytes.push(b'\t');
    }

    pub(crate) fn boolean(&mut self, value: bool) {
        self.bytes.extend_from_slice(if value { b"t\t" } else { b"f\t" });
    }

    /// A price in hundredths.
    pub(crate) fn price(&mut self, hundredths: u64) {
        self.digits(hundredths / 100, 1);
        self.bytes.push(b'.');
        self.digits(hundredths % 100, 2);
        self.bytes.push(b'\t');
    }

    /// A moment of UTC, as `YYYY-MM-DD HH:MM:SS.mmm`.
    pub(crate) fn timestamp(&mut self, time: jiff::civil::DateTime) {
        let (date, clock) = (time.date(), time.time());
        let parts = [
            (i64::from(date.year()), 4, b'-'),
            (i64::from(date.month()), 2, b'-'),
            (i64::from(date.day()), 2, b' '),
            (i64::from(clock.hour()), 2, b':'),
            (i64::from(clock.minute()), 2, b':'),
            (i64::from(clock.second()), 2, b'.'),
            (i64::from(clock.millisecond()), 3, b'\t'),
        ];
        for (number, width, separator) in parts {
            self.digits(number.unsigned_abs(), width);
            self.bytes.push(separator);
        }
    }

    fn digits(&mut self, mut number: u64, width: usize) {
        let mut digits = [b'0'; 20];
        let mut first = digits.len();
        while number > 0 || digits.len() - first < width {
            first -= 1;
            digits[first] = b"0123456789"[(number % 10) as usize];
            number /= 10;
        }
        self.bytes.extend_from_slice(&digits[first..]);
    }
}

#[cfg(test)]
mod tests {
    use super::CopyText;

    #[test]
    fn values_are_written_as_postgres_reads_them() {
        let mut copy = CopyText::default();
        copy.number(0);
        copy.number(1_200);
        copy.text("a\tb\\N\r\nü");
        copy.optional_text(None);
        copy.text("");
        copy.boolean(true);
        copy.boolean(false);
        copy.price(14_005);
        copy.price(7);
        copy.timestamp(jiff::civil::date(2019, 4, 14).at(1, 2, 3, 4_000_000));
        copy.end_row();
        let expected = "0\t1200\ta\\tb\\\\N\\r\\nü\t\\N\t\tt\tf\t140.05\t0.07\t2019-04-14 01:02:03.004\n";
        assert_eq!(String::from_utf8(copy.take()).unwrap(), expected);
    }

    #[test]
    fn an_abandoned_row_leaves_nothing() {
        let mut copy = CopyText::default();
        copy.number(1);
        copy.end_row();
        copy.number(2);
        copy.abandon_row();
        copy.number(3);
        copy.end_row();
        assert_eq!(copy.take(), b"1\n3\n");
    }
}
