//! Plots as PNG files.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;

use crate::font;

/// What is drawn on.
pub type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// Draws on a white area of `size` pixels; the bytes of a PNG.
///
/// **Errors** a message of the drawing library's.
pub fn png(
    size: (u32, u32),
    draw: impl FnOnce(&Area) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<Vec<u8>, String> {
    let _ = register_font("sans-serif", FontStyle::Normal, font::BYTES);
    let mut pixels = vec![0; (size.0 * size.1 * 3) as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, size).into_drawing_area();
        area.fill(&WHITE).map_err(|error| error.to_string())?;
        draw(&area).map_err(|error| error.to_string())?;
        area.present().map_err(|error| error.to_string())?;
    }
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_raw(size.0, size.1, pixels)
        .ok_or("the buffer has the picture's size")?
        .write_to(&mut png, image::ImageFormat::Png)
        .map_err(|error| error.to_string())?;
    Ok(png.into_inner())
}
