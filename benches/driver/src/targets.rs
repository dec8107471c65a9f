//! The targets, and whether they are met.

use crate::environment::Program;
use crate::figures::{median, milliseconds, ratio, show};
use crate::{FAR_AWAY, NEXT_DOOR, SMALL, Setting};

const FLOOR: usize = 0;
const FUNCTION: usize = 1;

impl Setting {
    fn init(&self, program: usize) -> Vec<f64> {
        self.cold[program].iter().map(|cold| milliseconds(cold.init)).collect()
    }

    fn total(&self, program: usize) -> Vec<f64> {
        self.cold[program].iter().map(|cold| milliseconds(cold.total)).collect()
    }

    fn warm(&self, program: usize) -> f64 {
        median(self.warm[program].milliseconds.clone())
    }

    fn cpu(&self, program: usize) -> f64 {
        median(self.warm[program].cpu.clone())
    }
}

fn find<'a>(settings: &'a [Setting], name: &str) -> Option<&'a Setting> {
    settings.iter().find(|setting| setting.name == name)
}

/// The table of targets, in Markdown's rows.
pub fn table(programs: &[Program], settings: &[Setting], zip: u64) -> Vec<Vec<String>> {
    let mut rows = vec![["", "target", "measured", "verdict"].map(str::to_owned).to_vec()];
    let mut row = |what: &str, limit: f64, value: f64, unit: &str, times: &str| {
        let target = format!("at most {limit}{unit}");
        let verdict = if value <= limit { "met" } else { "missed" };
        rows.push(vec![what.to_owned(), target, format!("{}{unit}{times}", show(value)), verdict.to_owned()]);
    };
    let against = |ours: &[f64], theirs: &[f64]| {
        (ratio(ours, theirs), format!(" ({} ms to {} ms)", show(median(ours.to_vec())), show(median(theirs.to_vec()))))
    };
    let peers = || programs.iter().enumerate().skip(2);

    if let Some(setting) = find(settings, NEXT_DOOR) {
        let (value, times) = against(&setting.init(FUNCTION), &setting.init(FLOOR));
        row("init, against hello world", 2.0, value, " ×", &times);
        let (value, times) = against(&setting.total(FUNCTION), &setting.total(FLOOR));
        row("cold total, against hello world", 6.0, value, " ×", &times);
    }
    if let Some(setting) = find(settings, SMALL) {
        for (index, peer) in peers() {
            let limit = if peer.name.contains("Python") { 0.12 } else { 0.04 };
            let (value, times) = against(&setting.total(FUNCTION), &setting.total(index));
            row(&format!("cold total at 128 MB, against {}", peer.name), limit, value, " ×", &times);
        }
    }
    if let Some(setting) = find(settings, FAR_AWAY) {
        let value = median(setting.total(FUNCTION));
        row("cold total, operator 50 ms away: 3 round trips + 30 ms", 180.0, value, " ms", "");
        let handshakes = setting.warm[FUNCTION].handshakes;
        let value = setting.warm(FUNCTION);
        let times = format!(", {handshakes} handshakes");
        row("warm, operator 50 ms away: 2 round trips + 3 ms", 103.0, value, " ms", &times);
    }
    if let Some(setting) = find(settings, NEXT_DOOR) {
        // 0.45 ms where hello world costs 0.15 ms.
        let (value, times) = against(&setting.warm[FUNCTION].cpu, &setting.warm[FLOOR].cpu);
        row("CPU per warm verification, against hello world", 3.0, value, " ×", &times);
        for (index, peer) in peers() {
            let limit = if peer.name.contains("Python") { 0.2 } else { 0.1 };
            let (value, times) = against(&setting.warm[FUNCTION].cpu, &setting.warm[index].cpu);
            row(&format!("CPU per warm verification, against {}", peer.name), limit, value, " ×", &times);
        }
        row("peak memory", 10.0, setting.warm[FUNCTION].peak_memory, " MB", "");
    }
    #[allow(clippy::cast_precision_loss, reason = "some megabytes")]
    row("deployed zip", 3.5, zip as f64 / 1e6, " MB", "");
    rows
}

/// What else was measured, program by program.
pub fn details(programs: &[Program], settings: &[Setting]) -> Vec<Vec<String>> {
    let mut rows =
        vec![["median"].into_iter().chain(programs.iter().map(|program| program.name)).map(str::to_owned).collect()];
    let mut row = |what: String, cell: &dyn Fn(usize) -> String| {
        rows.push([what].into_iter().chain((0..programs.len()).map(cell)).collect());
    };
    for setting in settings {
        let name = setting.name;
        if name == NEXT_DOOR {
            row(format!("init, {name}"), &|program| show(median(setting.init(program))) + " ms");
        }
        row(format!("cold total, {name}"), &|program| show(median(setting.total(program))) + " ms");
        if setting.warm[FUNCTION].invocations > 0 {
            row(format!("warm, {name}"), &|program| show(setting.warm(program)) + " ms");
        }
        if name == NEXT_DOOR {
            row("CPU per warm invocation".to_owned(), &|program| show(setting.cpu(program)) + " ms");
            row("peak memory".to_owned(), &|program| show(setting.warm[program].peak_memory) + " MB");
            row("TLS handshakes per warm invocation".to_owned(), &|program| {
                let warm = &setting.warm[program];
                #[allow(clippy::cast_precision_loss, reason = "some hundreds")]
                let share = warm.handshakes as f64 / warm.invocations as f64;
                format!("{share}")
            });
        }
    }
    rows
}
