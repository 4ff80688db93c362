//! Regions of photos: windows of the grid of features, in the place of DeepVS' nineteen detections and its whole picture.

use burn::tensor::{Device, Tensor, TensorData};

use crate::model::Region;
use crate::nn::efficientnet::GRID;

/// Cells of the grid, [`GRID`]×[`GRID`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

const fn window(top: usize, left: usize, height: usize, width: usize) -> Window {
    Window { top, left, height, width }
}

/// The whole picture, its four corners, bands across and down, and nine squares; neighbours overlap.
pub const WINDOWS: [Window; 20] = [
    window(0, 0, 7, 7),
    window(0, 0, 4, 4),
    window(0, 3, 4, 4),
    window(3, 0, 4, 4),
    window(3, 3, 4, 4),
    window(0, 0, 3, 7),
    window(2, 0, 3, 7),
    window(4, 0, 3, 7),
    window(0, 0, 7, 3),
    window(0, 2, 7, 3),
    window(0, 4, 7, 3),
    window(0, 0, 3, 3),
    window(0, 2, 3, 3),
    window(0, 4, 3, 3),
    window(2, 0, 3, 3),
    window(2, 2, 3, 3),
    window(2, 4, 3, 3),
    window(4, 0, 3, 3),
    window(4, 2, 3, 3),
    window(4, 4, 3, 3),
];

impl Window {
    /// Its cells, numbered row by row.
    pub fn cells(&self) -> impl Iterator<Item = usize> {
        let Self { top, left, height, width } = *self;
        (top..top + height).flat_map(move |row| (left..left + width).map(move |column| row * GRID + column))
    }

    /// Where it is on the picture.
    pub fn region(&self) -> Region {
        let share = |cells: usize| cells as f32 / GRID as f32;
        Region {
            x: share(self.left),
            y: share(self.top),
            width: share(self.width),
            height: share(self.height),
        }
    }
}

/// The average over a window's cells of features [channel, row, column].
pub fn average(features: &[f32], window: &Window) -> Vec<f32> {
    let of = |plane: &[f32]| window.cells().map(|cell| plane[cell]).sum::<f32>();
    let cells = (window.height * window.width) as f32;
    features.chunks_exact(GRID * GRID).map(|plane| of(plane) / cells).collect()
}

/// How much each cell counts in the average over each window [cell, window].
pub fn averages(device: &Device) -> Tensor<2> {
    let (cells, regions) = (GRID * GRID, WINDOWS.len());
    let mut weights = vec![0.0; cells * regions];
    for (region, window) in WINDOWS.iter().enumerate() {
        let share = 1.0 / (window.height * window.width) as f32;
        window.cells().for_each(|cell| weights[cell * regions + region] = share);
    }
    Tensor::from_data(TensorData::new(weights, [cells, regions]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::floats;

    #[test]
    fn windows_lie_inside_differ_and_average() {
        for (at, window) in WINDOWS.iter().enumerate() {
            assert!(window.top + window.height <= GRID && window.left + window.width <= GRID, "{window:?}");
            assert!(!WINDOWS[..at].contains(window), "{window:?} stands twice");
        }
        let weights = averages(&Device::flex());
        assert!(floats(weights.clone().sum_dim(0).into_data()).iter().all(|sum| (sum - 1.0).abs() < 1e-5));
        // A picture whose cells are their columns: the average of a window is its middle column.
        let columns: Vec<f32> = (0..GRID * GRID).map(|cell| (cell % GRID) as f32).collect();
        let row = Tensor::<2>::from_data(TensorData::new(columns, [1, GRID * GRID]), &Device::flex());
        for (found, window) in floats(row.matmul(weights).into_data()).iter().zip(WINDOWS) {
            let middle = window.left as f32 + (window.width - 1) as f32 / 2.0;
            assert!((found - middle).abs() < 1e-5, "{window:?}: {found}");
        }
        assert_eq!(WINDOWS[0].region(), Region { x: 0.0, y: 0.0, width: 1.0, height: 1.0 });
    }
}
