//! A picture of the training curves.

use std::path::Path;

use plotters::prelude::*;

use super::{checkpoints::write_atomically, report::EpochLine};
use crate::plot;

/// Size of the picture, pixels.
const SIZE: (u32, u32) = (1000, 600);

/// Draws the loss against updates, training and validation, as a PNG.
///
/// **Errors** a message of the drawing library's or the file system's.
pub fn draw(lines: &[EpochLine], path: &Path) -> Result<(), String> {
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return Ok(()) };
    if lines.len() < 2 {
        return Ok(());
    }
    let train = |line: &EpochLine| line.loss("train");
    let valid = |line: &EpochLine| line.loss("valid");
    let lowest = lines.iter().map(|l| train(l).min(valid(l))).fold(f64::INFINITY, f64::min);
    // The first epochs are far above the rest and would flatten the curve.
    let highest = lines.iter().skip(lines.len().min(4) - 1).map(|l| train(l).max(valid(l)));
    let highest = highest.fold(lowest + 1.0, f64::max);
    let margin = 0.02 * (highest - lowest);
    let png = plot::png(SIZE, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(24)
            .x_label_area_size(40)
            .y_label_area_size(60)
            .caption("loss per image", ("sans-serif", 22))
            .build_cartesian_2d(first.updates..last.updates, lowest - margin..highest + margin)?;
        chart.configure_mesh().light_line_style(WHITE).x_desc("updates").draw()?;
        let series = [
            ("training", RGBColor(150, 150, 160), lines.iter().map(train).collect::<Vec<_>>()),
            ("validation", RGBColor(200, 60, 30), lines.iter().map(valid).collect()),
        ];
        for (name, color, values) in series {
            let points = lines.iter().map(|line| line.updates).zip(values);
            chart
                .draw_series(LineSeries::new(points, color.stroke_width(2)))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
        }
        chart.configure_series_labels().background_style(WHITE).draw()?;
        Ok(())
    })?;
    write_atomically(path, &png).map_err(|error| error.to_string())
}
