-- As after the import of a catalogue: statistics are there, and no page is left to be cleaned during a measurement.
vacuum (analyze) texts
