//! Running one SQL statement. Statements are prepared once for each connection.

use rusqlite::{Connection, Params, Row};

use super::error::LedgerError;

/// Runs a statement, and returns the number of rows that it changed. `doing` is for the error.
pub(super) fn execute(
    connection: &Connection,
    doing: &'static str,
    sql: &str,
    params: impl Params,
) -> Result<usize, LedgerError> {
    let changed = connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params));
    changed.map_err(LedgerError::statement(doing))
}

/// Runs a query, and returns its rows, each read by `read`. `doing` is for the error.
pub(super) fn rows<T, C: FromIterator<T>>(
    connection: &Connection,
    doing: &'static str,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, LedgerError>,
) -> Result<C, LedgerError> {
    let failed = LedgerError::statement(doing);
    let mut statement = connection.prepare_cached(sql).map_err(&failed)?;
    let rows = statement.query_and_then(params, |row| read(row)).map_err(&failed)?;
    rows.collect()
}
