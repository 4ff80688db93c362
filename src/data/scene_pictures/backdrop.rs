//! The places, painted procedurally.

use resvg::tiny_skia::{
    Color, FillRule, GradientStop, LinearGradient, Paint, PathBuilder, Pixmap, Point, Rect, SpreadMode,
    Stroke, Transform,
};

use super::layout::CANVAS;
use crate::data::noise::Noise;
use crate::data::scenes::Place;

const SIDE: f32 = CANVAS as f32;

/// A colour from its hexadecimal digits.
fn hex(rgb: u32, alpha: f32) -> Color {
    let [_, r, g, b] = rgb.to_be_bytes();
    let opaque = Color::from_rgba8(r, g, b, 255);
    Color::from_rgba(opaque.red(), opaque.green(), opaque.blue(), alpha).unwrap_or(opaque)
}

/// A canvas with a few brushes. **Units** pixels.
struct Board<'a> {
    pixels: &'a mut Pixmap,
    noise: &'a mut Noise,
}

impl Board<'_> {
    /// A number between two at random.
    fn any(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.noise.uniform()
    }

    fn paint<'p>(rgb: u32, alpha: f32) -> Paint<'p> {
        let mut paint = Paint::default();
        paint.set_color(hex(rgb, alpha));
        paint
    }

    /// Rows from `top` to `bottom` that fade from one colour to another.
    fn fade(&mut self, top: f32, bottom: f32, from: u32, to: u32) {
        let stops = vec![GradientStop::new(0.0, hex(from, 1.0)), GradientStop::new(1.0, hex(to, 1.0))];
        let (start, end) = (Point::from_xy(0.0, top), Point::from_xy(0.0, bottom));
        let gradient = LinearGradient::new(start, end, stops, SpreadMode::Pad, Transform::identity());
        let paint = Paint { shader: gradient.unwrap_or_default_colour(from), ..Paint::default() };
        self.rect_with(0.0, top, SIDE, bottom - top, &paint);
    }

    fn rect_with(&mut self, left: f32, top: f32, width: f32, height: f32, paint: &Paint) {
        if let Some(rect) = Rect::from_xywh(left, top, width, height) {
            self.pixels.fill_rect(rect, paint, Transform::identity(), None);
        }
    }

    fn rect(&mut self, left: f32, top: f32, width: f32, height: f32, rgb: u32) {
        self.rect_with(left, top, width, height, &Self::paint(rgb, 1.0));
    }

    fn ellipse(&mut self, x: f32, y: f32, half_width: f32, half_height: f32, rgb: u32, alpha: f32) {
        let bounds = Rect::from_xywh(x - half_width, y - half_height, 2.0 * half_width, 2.0 * half_height);
        if let Some(path) = bounds.and_then(PathBuilder::from_oval) {
            let paint = Self::paint(rgb, alpha);
            self.pixels.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
        }
    }

    fn polygon(&mut self, points: &[(f32, f32)], rgb: u32) {
        let mut path = PathBuilder::new();
        for (at, &(x, y)) in points.iter().enumerate() {
            if at == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        path.close();
        if let Some(path) = path.finish() {
            let paint = Self::paint(rgb, 1.0);
            self.pixels.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
        }
    }

    fn line(&mut self, from: (f32, f32), to: (f32, f32), width: f32, rgb: u32, alpha: f32) {
        let mut path = PathBuilder::new();
        path.move_to(from.0, from.1);
        path.line_to(to.0, to.1);
        if let Some(path) = path.finish() {
            let stroke = Stroke { width, ..Stroke::default() };
            let paint = Self::paint(rgb, alpha);
            self.pixels.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
        }
    }

    fn cloud(&mut self, x: f32, y: f32, size: f32, rgb: u32, alpha: f32) {
        self.ellipse(x, y, size, 0.45 * size, rgb, alpha);
        self.ellipse(x - 0.45 * size, y + 0.1 * size, 0.55 * size, 0.3 * size, rgb, alpha);
        self.ellipse(x + 0.2 * size, y - 0.25 * size, 0.5 * size, 0.4 * size, rgb, alpha);
    }

    /// Blades on the ground between two rows.
    fn tufts(&mut self, top: f32, count: usize, rgb: u32) {
        for _ in 0..count {
            let (x, y) = (self.any(0.0, SIDE), self.any(top, SIDE));
            let tip = (x + self.any(-1.0, 1.0), y - 2.5);
            self.line((x, y), tip, 0.8, rgb, 0.8);
        }
    }

    fn fir(&mut self, x: f32, foot: f32, height: f32, rgb: u32) {
        self.rect(x - 1.0, foot - 2.0, 2.0, 2.0, 0x5a3d2b);
        for tier in 0..3 {
            let (bottom, half) =
                (foot - 2.0 - 0.26 * height * tier as f32, (0.32 - 0.07 * tier as f32) * height);
            self.polygon(&[(x - half, bottom), (x + half, bottom), (x, bottom - 0.45 * height)], rgb);
        }
    }
}

/// A gradient that could not be made is its first colour.
trait OrColour<'a> {
    fn unwrap_or_default_colour(self, rgb: u32) -> resvg::tiny_skia::Shader<'a>;
}

impl<'a> OrColour<'a> for Option<resvg::tiny_skia::Shader<'a>> {
    fn unwrap_or_default_colour(self, rgb: u32) -> resvg::tiny_skia::Shader<'a> {
        self.unwrap_or(resvg::tiny_skia::Shader::SolidColor(hex(rgb, 1.0)))
    }
}

/// Paints a place over the whole canvas.
pub fn paint(place: Place, pixels: &mut Pixmap, noise: &mut Noise) {
    let mut board = Board { pixels, noise };
    match place {
        Place::ClearSky | Place::RainySky | Place::SunsetSky | Place::NightSky | Place::Sun => {
            sky(place, &mut board)
        }
        Place::Table | Place::LivingRoom | Place::Bathroom => room(place, &mut board),
        Place::Street | Place::ParkingLot => road(place, &mut board),
        _ => land(place, &mut board),
    }
}

fn sky(place: Place, b: &mut Board) {
    match place {
        Place::ClearSky => {
            b.fade(0.0, SIDE, 0x3f97e0, 0xbfe2f8);
            for (x, y) in [(12.0, 10.0), (50.0, 20.0), (22.0, 56.0)] {
                let (x, y) = (x + b.any(-3.0, 3.0), y + b.any(-2.0, 2.0));
                b.cloud(x, y, 8.0, 0xffffff, 0.85);
            }
        }
        Place::RainySky => {
            b.fade(0.0, SIDE, 0x4b5561, 0x93a0ab);
            for x in [4.0, 20.0, 37.0, 56.0] {
                let (x, y) = (x + b.any(-2.0, 2.0), b.any(3.0, 6.0));
                b.cloud(x, y, 13.0, 0x363e48, 0.9);
            }
            for row in 0..6 {
                for column in 0..6 {
                    let x = 11.0 * column as f32 + b.any(0.0, 9.0);
                    let y = 14.0 + 9.0 * row as f32 + b.any(0.0, 5.0);
                    b.line((x, y), (x - 1.6, y + 5.0), 0.8, 0xd5e4f0, 0.75);
                }
            }
        }
        Place::SunsetSky => {
            b.fade(0.0, 38.0, 0x5b3a86, 0xee7752);
            b.fade(38.0, SIDE, 0xee7752, 0xffd27a);
            let x = 32.0 + b.any(-4.0, 4.0);
            b.ellipse(x, 62.0, 13.0, 13.0, 0xfff0a8, 1.0);
        }
        Place::NightSky => {
            b.fade(0.0, SIDE, 0x0a1030, 0x27346a);
            for _ in 0..26 {
                let (x, y) = (b.any(1.0, 63.0), b.any(1.0, 63.0));
                b.ellipse(x, y, 0.7, 0.7, 0xffffff, 0.9);
            }
            let (x, y) = (53.0 + b.any(-2.0, 2.0), 10.0 + b.any(-2.0, 2.0));
            b.ellipse(x, y, 5.5, 5.5, 0xf7eecb, 1.0);
            b.ellipse(x - 2.6, y - 1.2, 4.6, 4.6, 0x111a3d, 1.0);
        }
        _ => {
            b.fade(0.0, SIDE, 0x2a0f1c, 0x7c2413);
            let y = 76.0 + b.any(-1.0, 1.0);
            b.ellipse(32.0, y, 58.0, 42.0, 0xff6a00, 0.6);
            b.ellipse(32.0, y, 54.0, 38.0, 0xffb300, 1.0);
            b.ellipse(32.0, y, 49.0, 32.0, 0xffe14d, 1.0);
            for _ in 0..5 {
                let (x, y) = (b.any(4.0, 60.0), b.any(50.0, 62.0));
                b.ellipse(x, y, 4.0, 1.2, 0xffb300, 0.8);
            }
        }
    }
}

fn land(place: Place, b: &mut Board) {
    let horizon = 34.0 + b.any(-1.5, 1.5);
    let slope = b.any(-2.0, 2.0);
    let ground = |b: &mut Board, y: f32, rgb: u32| {
        b.polygon(&[(0.0, y - slope), (SIDE, y + slope), (SIDE, SIDE), (0.0, SIDE)], rgb);
    };
    match place {
        Place::DryGrass => {
            b.fade(0.0, horizon + 3.0, 0x8fc1e3, 0xe6edd8);
            ground(b, horizon, 0xc9ad55);
            ground(b, horizon + 12.0, 0xbd9c42);
            b.tufts(horizon + 5.0, 46, 0x7d6322);
        }
        Place::GreenGrass => {
            b.fade(0.0, horizon + 3.0, 0x6db8ee, 0xd6effc);
            ground(b, horizon, 0x6cbb45);
            ground(b, horizon + 12.0, 0x57a836);
            b.tufts(horizon + 5.0, 46, 0x2f7a1f);
        }
        Place::Desert => {
            b.fade(0.0, 50.0, 0xf2b661, 0xfbe7bd);
            let x = b.any(8.0, 56.0);
            b.ellipse(x, 9.0, 5.0, 5.0, 0xfff6c9, 1.0);
            let top = b.any(14.0, 50.0);
            b.polygon(
                &[(-20.0, 48.0), (top, horizon - 5.0), (84.0, 48.0), (84.0, 64.0), (-20.0, 64.0)],
                0xdc9146,
            );
            ground(b, 47.0, 0xe9ac5d);
            for y in [50.0, 56.0, 61.0] {
                b.line((0.0, y), (SIDE, y + slope), 0.8, 0xc98440, 0.7);
            }
        }
        Place::Forest => {
            b.fade(0.0, SIDE, 0x274d2d, 0x1a3a20);
            for x in [3.0, 17.0, 31.0, 46.0, 60.0] {
                let x = x + b.any(-2.0, 2.0);
                b.rect(x - 2.0, 10.0, 4.0, 36.0, 0x4a3322);
                b.ellipse(x, 8.0, 10.0, 11.0, 0x2f7a34, 1.0);
                b.ellipse(x + 3.0, 4.0, 7.0, 7.0, 0x3d9142, 1.0);
            }
            ground(b, 45.0, 0x37562a);
            b.tufts(49.0, 26, 0x5a8a3c);
        }
        Place::Beach => {
            b.fade(0.0, 24.0, 0x58b4ee, 0xc8ebfb);
            b.rect(0.0, 23.0, SIDE, 14.0, 0x1f87c6);
            // Below the waves of the surf's edge as well.
            b.rect(0.0, 31.0, SIDE, 9.0, 0x37a9d8);
            ground(b, 37.0, 0xffffff);
            ground(b, 38.5, 0xf1dca4);
            for _ in 0..18 {
                let (x, y) = (b.any(0.0, SIDE), b.any(44.0, SIDE));
                b.ellipse(x, y, 0.8, 0.6, 0xcfb374, 1.0);
            }
        }
        Place::Sea => {
            b.fade(0.0, 26.0, 0x7cc6f2, 0xdff3fc);
            b.fade(25.0, SIDE, 0x1a6fb5, 0x0b3f7d);
            for row in 0..6 {
                for column in 0..4 {
                    let x = 17.0 * column as f32 + b.any(-4.0, 6.0);
                    let y = 29.0 + 6.0 * row as f32 + b.any(-1.0, 1.0);
                    b.line((x, y), (x + 6.0, y), 1.0, 0x7fc4ee, 0.8);
                }
            }
        }
        Place::Snow => {
            b.fade(0.0, horizon + 3.0, 0xa9bccd, 0xdbe6ef);
            for x in [7.0, 57.0] {
                let (x, height) = (x + b.any(-3.0, 3.0), b.any(17.0, 21.0));
                b.fir(x, horizon + 4.0, height, 0x49707a);
            }
            ground(b, horizon, 0xe9f1f9);
            ground(b, horizon + 13.0, 0xd9e6f2);
            for _ in 0..28 {
                let (x, y) = (b.any(0.0, SIDE), b.any(0.0, SIDE));
                b.ellipse(x, y, 0.9, 0.9, 0xffffff, 1.0);
            }
        }
        _ => {
            b.fade(0.0, 40.0, 0x5aa7e6, 0xcbe6f6);
            for (x, top) in [(12.0, 12.0), (34.0, 5.0), (54.0, 15.0)] {
                let (x, top) = (x + b.any(-3.0, 3.0), top + b.any(-2.0, 2.0));
                let half = 0.75 * (46.0 - top);
                b.polygon(&[(x - half, 46.0), (x, top), (x + half, 46.0)], 0x6f7c8c);
                b.polygon(&[(x, top), (x + half, 46.0), (x + 0.2 * half, 46.0)], 0x58636f);
                b.polygon(&[(x - 5.6, top + 8.0), (x, top), (x + 5.6, top + 8.0), (x, top + 5.0)], 0xffffff);
            }
            ground(b, 44.0, 0x708f52);
        }
    }
}

fn road(place: Place, b: &mut Board) {
    if place == Place::Street {
        b.fade(0.0, 36.0, 0x9ccbe9, 0xe3f0f7);
        let walls = [0xb5654a, 0x8d7f78, 0xcf9a5b, 0x7a5a66, 0xa98f77];
        for (column, wall) in walls.into_iter().enumerate() {
            let (left, top) = (13.0 * column as f32, b.any(3.0, 15.0));
            b.rect(left, top, 12.5, 40.0, wall);
            for row in 0..3 {
                for window in 0..2 {
                    let (x, y) = (left + 2.0 + 5.0 * window as f32, top + 3.0 + 8.0 * row as f32);
                    b.rect(x, y, 3.0, 4.0, 0xf7e3a0);
                }
            }
        }
        b.rect(0.0, 41.0, SIDE, 4.0, 0xb9b9b5);
        b.rect(0.0, 45.0, SIDE, 19.0, 0x55585e);
        let shift = b.any(0.0, 12.0);
        for dash in 0..6 {
            b.rect(14.0 * dash as f32 - shift, 54.0, 8.0, 1.6, 0xf2d54a);
        }
    } else {
        b.fade(0.0, 18.0, 0x86bce6, 0xd9ebf5);
        b.fade(15.0, 22.0, 0x7fae7c, 0x3f7a3c);
        b.fade(21.0, SIDE, 0x7a7e85, 0x64686f);
        // Worn paint: bright lines would count for more than what is parked between them.
        let shift = b.any(-4.0, 4.0);
        for bay in -1..6 {
            let x = 15.0 * bay as f32 + shift;
            b.line((x + 4.0, 25.0), (x - 3.0, 40.0), 1.5, 0xd4d5d2, 0.6);
        }
        for bay in -1..5 {
            let x = 19.0 * bay as f32 + shift;
            b.line((x + 5.0, 50.0), (x - 3.0, 64.0), 1.8, 0xd4d5d2, 0.6);
        }
    }
}

fn room(place: Place, b: &mut Board) {
    match place {
        Place::Table => {
            b.fade(0.0, 42.0, 0xe9dcc8, 0xd9c6ab);
            let y = 40.0 + b.any(-1.0, 1.0);
            b.rect(0.0, y, SIDE, 18.0, 0xa8693b);
            for line in [3.5, 8.0, 13.0] {
                b.line((0.0, y + line), (SIDE, y + line + 0.6), 0.7, 0x8a5128, 0.8);
            }
            b.rect(0.0, y + 18.0, SIDE, 8.0, 0x6f3f1f);
        }
        Place::LivingRoom => {
            b.fade(0.0, 44.0, 0x7fa39a, 0x93b5ab);
            let x = b.any(4.0, 9.0);
            b.rect(x, 6.0, 18.0, 20.0, 0xfdfbf5);
            b.rect(x + 1.5, 7.5, 7.0, 17.0, 0xa9d8f2);
            b.rect(x + 9.5, 7.5, 7.0, 17.0, 0xa9d8f2);
            let x = b.any(40.0, 46.0);
            b.rect(x, 9.0, 13.0, 10.0, 0x7c4d2b);
            b.rect(x + 1.5, 10.5, 10.0, 7.0, 0xf3d9a4);
            b.rect(0.0, 43.0, SIDE, 2.5, 0xf4efe6);
            b.rect(0.0, 45.5, SIDE, 18.5, 0x9a6a43);
            b.ellipse(32.0, 58.0, 29.0, 5.0, 0xb8433f, 1.0);
        }
        _ => {
            b.rect(0.0, 0.0, SIDE, 44.0, 0xbfe3e6);
            let shift = b.any(0.0, 8.0);
            for line in 0..9 {
                let at = 8.0 * line as f32;
                b.line((at + shift, 0.0), (at + shift, 44.0), 0.8, 0xffffff, 1.0);
                b.line((0.0, at), (SIDE, at), 0.8, 0xffffff, 1.0);
            }
            b.rect(0.0, 43.0, SIDE, 2.0, 0x4f9aa3);
            for row in 0..3 {
                for column in 0..9 {
                    let rgb = if (row + column) % 2 == 0 { 0x3f4f57 } else { 0xeef3f4 };
                    b.rect(8.0 * column as f32 - shift, 45.0 + 7.0 * row as f32, 8.0, 7.0, rgb);
                }
            }
        }
    }
}
