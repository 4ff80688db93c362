//! The tables in Markdown, the paper's figures beside ours.

use super::{Comparison, Row, looks::Looks};
use crate::cli::output::say;
use crate::eval::ranking::Recall;

/// Mansimov et al. 2016, table 1, on MS-COCO, 83 000 pictures to learn from: R@1, R@5, R@10, R@50, median rank, SSI.
const PAPER_RETRIEVAL: [(&str, [&str; 6]); 6] = [
    ("LAPGAN", ["–", "–", "–", "–", "–", "0.08"]),
    ("Fully-Conn VAE", ["1.0", "6.6", "12.0", "53.4", "47", "0.156"]),
    ("Conv-Deconv VAE", ["1.0", "6.5", "12.0", "52.9", "48", "0.164"]),
    ("skipthoughtDRAW", ["2.0", "11.2", "18.9", "63.3", "36", "0.157"]),
    ("noalignDRAW", ["2.8", "14.1", "23.1", "68.0", "31", "0.155"]),
    ("alignDRAW", ["3.0", "14.0", "22.9", "68.5", "31", "0.156"]),
];

/// The same paper's table 2: lower bound in nats on train, test, and test after sharpening.
const PAPER_BOUND: [(&str, [&str; 3]); 3] = [
    ("skipthoughtDRAW", ["−1794.29", "−1791.37", "−2045.84"]),
    ("noalignDRAW", ["−1792.14", "−1791.15", "−2051.07"]),
    ("alignDRAW", ["−1792.15", "−1791.53", "−2042.31"]),
];

/// Prints both.
pub fn print(comparison: &Comparison) {
    let Comparison { data, pictures, queries, chance, regression, rows, sharpened_by } = comparison;
    say!("{data}: {pictures} test pictures, {queries} captions as queries\n");
    say!("| model | R@1 | R@5 | R@10 | R@50 | Med r | SSI | sharpness | diversity | Fréchet |");
    say!("|---|---|---|---|---|---|---|---|---|---|");
    for row in rows {
        ranked(row);
    }
    let controls = rows.iter().filter_map(|row| row.looks.as_ref()).map(|looks| looks.similarity_of_others);
    let others = mean(controls.collect());
    let floors = rows.iter().filter_map(|row| row.looks.as_ref()).filter_map(|looks| looks.frechet_floor);
    say!("| chance; SSI: samples of another caption | {} | {others} | | | |", recalls(chance));
    if let Some(regression) = regression {
        say!("| linear regression, words to 4×4 colours | {} | | | | |", recalls(regression));
    }
    say!("| true pictures, others | | | | | | | 1 | 1 | {} |", mean(floors.collect()));
    for (model, cells) in PAPER_RETRIEVAL {
        say!("| {model}, the paper's, on MS-COCO | {} | | | |", cells.join(" | "));
    }
    say!(
        "\n| model | bound, train | test | gap | per value, test | entropy floor, test | importance-weighted, test | test \
         after sharpening |"
    );
    say!("|---|---|---|---|---|---|---|---|");
    rows.iter().for_each(bounded);
    for (model, [train, test, sharpened]) in PAPER_BOUND {
        say!("| {model}, the paper's, on MS-COCO | {train} | {test} | | | | | {sharpened} |");
    }
    say!(
        "\nR@K in percent, ranked by the bound without each picture's easiness; (raw) by the bound itself. Made by:"
    );
    rows.iter().for_each(|row| say!("- {}: `{}`", row.model, row.command));
    if let Some(sharpener) = sharpened_by {
        say!("Sharpened by {sharpener}.");
    }
}

fn recalls(recall: &Recall) -> String {
    let Recall { first, first_five, first_ten, first_fifty, median_rank, .. } = recall;
    format!("{first:.1} | {first_five:.1} | {first_ten:.1} | {first_fifty:.1} | {median_rank}")
}

fn ranked(row: &Row) {
    let none = || "– | – | – | – | –".to_owned();
    let corrected = row.retrieval.as_ref().map_or_else(none, |retrieval| recalls(&retrieval.corrected));
    say!("| {} | {corrected} | {} |", row.model, looked(row.looks.as_ref()));
    if row.looks_sharpened.is_some() {
        say!("| {} (sharpened) | | | | | | {} |", row.model, looked(row.looks_sharpened.as_ref()));
    }
    if let Some(retrieval) = &row.retrieval {
        say!("| {} (raw) | {} | | | | |", row.model, recalls(&retrieval.raw));
    }
}

fn looked(looks: Option<&Looks>) -> String {
    let Some(looks) = looks else { return "– | – | – | –".to_owned() };
    let frechet = looks.frechet.map_or("–".to_owned(), |distance| format!("{distance:.1}"));
    format!("{:.3} | {:.2} | {:.2} | {frechet}", looks.similarity, looks.sharpness, looks.diversity)
}

fn bounded(row: &Row) {
    let Some(bounds) = &row.bound else {
        return say!("| {} | – | – | – | – | – | – | – |", row.model);
    };
    let (train, test) = (bounds.train.bound, bounds.test.bound);
    let importance = bounds.test.importance;
    let importance =
        importance.map_or("–".to_owned(), |found| format!("{:.2} (K = {})", found.bound, found.samples));
    let sharpened = bounds.sharpened.map_or("–".to_owned(), |bound| format!("{bound:.2}"));
    say!(
        "| {} | {train:.2} | {test:.2} | {:.2} | {:.4} | {:.2} | {importance} | {sharpened} |",
        row.model,
        train - test,
        test / bounds.values as f64,
        -bounds.test.entropy_floor
    );
}

fn mean(values: Vec<f64>) -> String {
    match values.len() {
        0 => "–".to_owned(),
        count => format!("{:.3}", values.iter().sum::<f64>() / count as f64),
    }
}
