//! Rows under each other for a terminal of any width: all columns as wide as they need to be but the last, which wraps.
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets::NOTHING};

/// Lines without a newline. `right`: columns of numbers. `width`: of the terminal, `None` = nothing wraps.
pub fn lines(rows: &[Vec<String>], right: &[usize], width: Option<u16>) -> Vec<String> {
    let Some(columns) = rows.iter().map(Vec::len).max() else { return Vec::new() };
    let mut table = Table::new();
    table.load_style(NOTHING);
    match width {
        Some(width) => table.set_width(width.max(40)).set_content_arrangement(ContentArrangement::Dynamic),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.add_rows(rows);
    for i in 0..columns {
        let Some(column) = table.column_mut(i) else { continue };
        if right.contains(&i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if i + 1 < columns {
            column.set_constraint(match width {
                // A name of 60 characters leaves no room for what is said of it.
                Some(all) if needs(rows, i) > usize::from(all / 3) => {
                    ColumnConstraint::Absolute(Width::Fixed((all / 3).max(12)))
                }
                _ => ColumnConstraint::ContentWidth,
            });
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Characters that a column takes, its gap included.
pub fn needs(rows: &[Vec<String>], column: usize) -> usize {
    rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0) + 2
}
