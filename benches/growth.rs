//! How time and memory grow with steps, batch and canvas: a training update and a painting, against
//! PyTorch on the same threads, point by point in turn. Prints a table and draws a plot.
//!
//! Usage: `cargo bench --bench growth -- <python with torch> <table.json> <plot.png>`

use std::borrow::Cow;
use std::process::Command;
use std::time::Instant;

use aligndraw::data::batch::{CaptionBatch, Captions};
use aligndraw::data::noise::Noise;
use aligndraw::plot;
use aligndraw::text2image::draw::cpu::{Drawing, Shard, Weights, loss_and_gradients};
use aligndraw::text2image::draw::{DrawConfig, ParameterValues};
use plotters::prelude::*;
use serde::Serialize;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error>;

const WORDS: usize = 12;
/// Repetitions of which the median counts.
const ROUNDS: usize = 3;

/// What is measured: the paper's model but for these.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Point {
    steps: usize,
    batch: usize,
    side: usize,
}

const BASE: Point = Point { steps: 32, batch: 100, side: 60 };

/// One axis: its name, its points, and by what a point's time should grow.
struct Axis {
    name: &'static str,
    points: Vec<Point>,
    size: fn(&Point) -> usize,
}

fn axes() -> [Axis; 3] {
    [
        Axis {
            name: "steps",
            points: [8, 16, 32, 64].map(|steps| Point { steps, ..BASE }).to_vec(),
            size: |point| point.steps,
        },
        Axis {
            name: "batch",
            points: [1, 4, 16, 64, 256].map(|batch| Point { batch, ..BASE }).to_vec(),
            size: |point| point.batch,
        },
        Axis {
            name: "canvas side, pixels",
            points: [28, 60, 96, 128].map(|side| Point { side, ..BASE }).to_vec(),
            size: |point| point.side,
        },
    ]
}

/// Seconds and mebibytes of one point.
#[derive(Clone, Debug, Serialize)]
struct Measured {
    axis: &'static str,
    at: usize,
    point: Point,
    /// Seconds of a training update's passes, both cores.
    training: f64,
    /// The same in PyTorch.
    pytorch: f64,
    /// Seconds of painting, one core.
    painting: f64,
    /// Peak resident set while training, MiB.
    memory: f64,
}

fn median(mut run: impl FnMut()) -> f64 {
    run();
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

/// Peak resident set since the last reset, MiB.
fn peak_memory() -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find(|line| line.starts_with("VmHWM")).ok_or("no VmHWM in /proc/self/status")?;
    let kib: f64 = line.split_whitespace().nth(1).ok_or("no number after VmHWM")?.parse()?;
    Ok(kib / 1024.0)
}

fn measure(axis: &Axis, point: Point, threads: usize, python: &str) -> Result<Measured, Failure> {
    let config = DrawConfig {
        height: point.side,
        width: point.side,
        num_steps: point.steps,
        ..DrawConfig::mnist_captions()
    };
    let weights = Weights::new(&config, ParameterValues::init(&config, 1));
    let mut noise = Noise::new(1);
    let ids: Vec<usize> = (0..point.batch * WORDS).map(|_| noise.below(config.vocabulary_size)).collect();
    let images: Vec<f32> = (0..point.batch * config.image_len()).map(|_| noise.uniform()).collect();
    let latent = noise.normals(point.batch * point.steps * config.latent_size);
    let batch = CaptionBatch::of_words(Cow::Borrowed(&ids), WORDS, Cow::Owned(images));

    std::fs::write("/proc/self/clear_refs", "5")?;
    let training = {
        let mut shards: Vec<_> = (0..threads).map(|_| Shard::default()).collect();
        median(|| {
            let losses = loss_and_gradients(&weights, &batch, 1, &mut shards).0;
            assert!(losses.total().is_finite());
        })
    };
    let memory = peak_memory()?;
    let painting = median(|| {
        let mut drawing = Drawing::begin(&weights, Captions::of_words(&ids, WORDS), &latent);
        while drawing.step(&weights) {}
    });
    let arguments = [ROUNDS, threads, point.steps, point.batch, point.side].map(|n| n.to_string());
    let peer =
        Command::new(python).arg("training.py").args(arguments).current_dir("benches/peers").output()?;
    if !peer.status.success() {
        return Err(String::from_utf8_lossy(&peer.stderr).into());
    }
    let pytorch = String::from_utf8(peer.stdout)?.trim().parse()?;
    Ok(Measured { axis: axis.name, at: (axis.size)(&point), point, training, pytorch, painting, memory })
}

fn main() -> Result<(), Failure> {
    // Cargo adds --bench.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [python, table, plot] = arguments.as_slice() else {
        return Err("usage: growth <python with torch> <table.json> <plot.png>".into());
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{:<22}{:>10}{:>12}{:>10}{:>14}{:>12}",
        "", "training", "PyTorch", "ratio", "painting", "memory"
    );
    let mut rows = Vec::new();
    for axis in axes() {
        for &point in &axis.points {
            let row = measure(&axis, point, threads, python)?;
            println!(
                "{:<22}{:>8.3} s{:>10.3} s{:>9.2}×{:>11.1} ms{:>8.0} MiB",
                format!("{} {}", axis.name, row.at),
                row.training,
                row.pytorch,
                row.pytorch / row.training,
                1e3 * row.painting,
                row.memory
            );
            rows.push(row);
        }
    }
    std::fs::write(table, serde_json::to_string_pretty(&rows)? + "\n")?;
    draw(&rows, plot.as_ref())
}

/// Name, colour and value of a line.
type Series = (&'static str, RGBColor, fn(&Measured) -> f64);

/// Three panels, both axes logarithmic; a straight line with the slope of the dashed one is linear.
fn draw(rows: &[Measured], path: &std::path::Path) -> Result<(), Failure> {
    Ok(std::fs::write(path, plot::png((1500, 520), |area| panels(area, rows))?)?)
}

fn panels(area: &plot::Area, rows: &[Measured]) -> Result<(), Failure> {
    let ink = RGBColor(40, 40, 48);
    let series: [Series; 3] = [
        ("training", RGBColor(200, 60, 30), |row| row.training),
        ("training, PyTorch", RGBColor(150, 150, 160), |row| row.pytorch),
        ("painting", RGBColor(40, 90, 200), |row| row.painting),
    ];
    for (panel, axis) in area.split_evenly((1, 3)).iter().zip(axes()) {
        let rows: Vec<&Measured> = rows.iter().filter(|row| row.axis == axis.name).collect();
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { continue };
        let of = |pick: fn(f64, f64) -> f64, from: f64| {
            rows.iter().flat_map(|row| series.iter().map(|(_, _, value)| value(row))).fold(from, pick)
        };
        let (low, high) = (of(f64::min, f64::MAX) / 2.0, of(f64::max, 0.0) * 3.0);
        let mut chart = ChartBuilder::on(panel)
            .margin(20)
            .x_label_area_size(45)
            .y_label_area_size(65)
            .build_cartesian_2d((first.at as f64..last.at as f64).log_scale(), (low..high).log_scale())?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .label_style(("sans-serif", 15).into_font().color(&ink))
            .x_label_formatter(&|at| format!("{at:.0}"))
            .y_label_formatter(&|seconds| format!("{}", (seconds * 1e4).round() / 1e4))
            .y_labels(6)
            .x_desc(axis.name)
            .y_desc("seconds")
            .draw()?;
        for (name, color, value) in &series {
            let points = || rows.iter().map(|row| (row.at as f64, value(row)));
            chart
                .draw_series(LineSeries::new(points(), color.stroke_width(2)))?
                .label(*name)
                .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
            chart.draw_series(points().map(|at| Circle::new(at, 4, color.filled())))?;
        }
        // From the last training point: what linear growth (in pixels, for the canvas) looks like.
        let power = if axis.name == "steps" || axis.name == "batch" { 1 } else { 2 };
        let linear = rows
            .iter()
            .map(|row| (row.at as f64, last.training * (row.at as f64 / last.at as f64).powi(power)));
        let dashed = DashedLineSeries::new(linear, 6, 5, ink.stroke_width(1));
        chart
            .draw_series(dashed)?
            .label(if power == 1 { "linear" } else { "linear in pixels" })
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], ink.stroke_width(1)));
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .label_font(("sans-serif", 15))
            .background_style(WHITE.mix(0.8))
            .draw()?;
    }
    Ok(())
}
