//! What the index weighs in PostgreSQL, by table and index.

use std::fmt::{Result, Write as _};

use serde::Serialize;

use super::numbers::ratio;

/// Tables of which a row is a record of the network.
const RECORDS: &[&str] = &["like", "repost", "follow", "block", "listblock", "listitem", "verification", "post", "record_other"];

/// What is weighed once, at the end.
#[derive(Debug)]
pub(super) struct Weight {
    /// Bytes of write-ahead log.
    pub wal: u64,
    pub tables: Vec<Table>,
    /// Of the daemon, in bytes.
    pub peak_memory: Option<u64>,
}

/// Bytes of PostgreSQL.
#[derive(Debug, Serialize)]
pub struct Storage {
    pub records: u64,
    pub bytes_per_record: f64,
    pub tables: Vec<Table>,
}

/// A table, without its indexes.
#[derive(Debug, Serialize)]
pub struct Table {
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
    pub indexes: Vec<Index>,
}

/// An index of a table.
#[derive(Debug, Serialize)]
pub struct Index {
    pub name: String,
    pub bytes: u64,
}

impl Storage {
    pub(super) fn new(mut tables: Vec<Table>) -> Self {
        tables.retain(|table| table.rows > 0);
        tables.sort_by_key(|table| std::cmp::Reverse(table.total()));
        let records = tables.iter().filter(|table| RECORDS.contains(&table.name.as_str())).map(|table| table.rows).sum();
        let all: u64 = tables.iter().map(Table::total).sum();
        Self { records, bytes_per_record: ratio(all, records), tables }
    }

    pub(super) fn write(&self, out: &mut String) -> Result {
        writeln!(out, "\nPostgreSQL: {} records, {:.1} bytes each", self.records, self.bytes_per_record)?;
        writeln!(out, "{:<24}{:>10}{:>12}{:>10}{:>14}", "table, index", "rows", "bytes", "per row", "per record")?;
        for table in &self.tables {
            let line = |name: &str, rows: &str, bytes: u64| {
                format!("{name:<24}{rows:>10}{bytes:>12}{:>10.1}{:>14.2}", ratio(bytes, table.rows), ratio(bytes, self.records))
            };
            writeln!(out, "{}", line(&table.name, &table.rows.to_string(), table.bytes))?;
            for index in &table.indexes {
                writeln!(out, "{}", line(&format!("  {}", index.name), "", index.bytes))?;
            }
        }
        Ok(())
    }
}

impl Table {
    fn total(&self) -> u64 {
        self.bytes + self.indexes.iter().map(|index| index.bytes).sum::<u64>()
    }
}
