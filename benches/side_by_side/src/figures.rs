//! Medians and tables.

use std::time::Duration;

/// The middle value; of an even number, the upper of the middle two.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value that a hundredth of all exceed.
pub fn p99(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() * 99 / 100).copied().unwrap_or(f64::NAN)
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Formats a value with three significant digits, but at most four after the point.
pub fn show(value: f64) -> String {
    match value.abs() {
        _ if value.is_nan() => "–".to_owned(),
        0.0 => "0".to_owned(),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        0.1.. => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    }
}

/// A Markdown table with aligned columns.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule = format!("|{}|\n", widths.iter().map(|&width| "-".repeat(width + 2)).collect::<Vec<_>>().join("|"));
    let mut lines = rows.iter().map(line);
    lines.next().unwrap_or_default() + &rule + &lines.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_the_middle_value() {
        for (values, middle) in [(&[3.0, 1.0, 2.0][..], 2.0), (&[4.0, 1.0], 4.0), (&[5.0], 5.0)] {
            assert_eq!(median(values).to_bits(), f64::to_bits(middle), "{values:?}");
        }
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn hundredth_of_the_values_exceeds_p99() {
        let values: Vec<_> = (0..200).rev().map(f64::from).collect();
        assert_eq!(p99(&values).to_bits(), 198_f64.to_bits());
    }

    #[test]
    fn three_significant_digits_are_shown() {
        for (value, shown) in [
            (1234.5, "1234"),
            (12.345, "12.3"),
            (1.2345, "1.23"),
            (0.12345, "0.123"),
            (0.0062, "0.0062"),
            (0.0, "0"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(show(value), shown);
        }
    }

    #[test]
    fn table_columns_are_aligned() {
        let rows = [["", "a"], ["bcd", "é"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "|     | a |\n|-----|---|\n| bcd | é |\n");
    }
}
