//! Matrices that one vector is multiplied with, side by side in one: a step is then few products instead of many.

/// Columns of a matrix that serve one purpose.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// First column.
    pub start: usize,
    /// Number of columns.
    pub len: usize,
}

impl Columns {
    /// These columns of one row.
    pub fn of<'a>(&self, row: &'a [f32]) -> &'a [f32] {
        &row[self.start..self.start + self.len]
    }

    /// These columns of one row, to write.
    pub fn of_mut<'a>(&self, row: &'a mut [f32]) -> &'a mut [f32] {
        &mut row[self.start..self.start + self.len]
    }
}

/// Columns of these lengths side by side, and the width of all.
pub fn layout<const N: usize>(sizes: [usize; N]) -> ([Columns; N], usize) {
    let mut start = 0;
    let columns = sizes.map(|len| {
        let columns = Columns { start, len };
        start += len;
        columns
    });
    (columns, start)
}

/// Writes a matrix into some columns of a packed one of `width` columns.
pub fn copy_columns(packed: &mut [f32], width: usize, columns: Columns, matrix: &[f32]) {
    if columns.len == 0 {
        return;
    }
    for (row, values) in packed.chunks_exact_mut(width).zip(matrix.chunks_exact(columns.len)) {
        columns.of_mut(row).copy_from_slice(values);
    }
}

/// Takes a matrix out of some columns of a packed one of `width` columns.
pub fn take_columns(packed: &[f32], width: usize, columns: Columns, matrix: &mut [f32]) {
    if columns.len == 0 {
        return;
    }
    for (row, values) in packed.chunks_exact(width).zip(matrix.chunks_exact_mut(columns.len)) {
        values.copy_from_slice(columns.of(row));
    }
}
