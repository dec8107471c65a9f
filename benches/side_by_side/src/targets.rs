//! The targets, what was measured against them, and everything else that was measured.

use std::fmt::Write as _;

use crate::demanding::Demanding;
use crate::figures::{median, milliseconds, show, table};
use crate::hand_off::HandOff;
use crate::instructions::Instructions;
use crate::lab::{Lab, Measured, Setting};
use crate::program::Kind;
use crate::throughput::{self, Throughput};

/// The peers, and our targets relative to each: cold total at 128 MB, CPU for a warm verification.
const PEERS: [(Kind, f64, f64); 2] = [(Kind::Python, 0.12, 1.0 / 5.0), (Kind::Node, 0.04, 1.0 / 10.0)];

/// The target for three operators, relative to one.
const THREE_OPERATORS: f64 = 1.05;

/// A target.
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}
use Limit::{AtLeast, AtMost};

/// Everything that was measured.
pub struct Results {
    pub measured: Vec<Measured>,
    pub hand_off: [HandOff; 2],
    pub demanding: [Demanding; 2],
    /// The function with one operator and with three.
    pub several: Vec<Measured>,
    pub throughput: Throughput,
    /// The instructions, or why there are none.
    pub counted: Result<Vec<Instructions>, String>,
    /// In bytes.
    pub zip: u64,
}

/// The tables in Markdown.
pub fn report(lab: &Lab, results: &Results) -> String {
    let Results { measured, hand_off, demanding, counted, .. } = results;
    let mut report = format!(
        "\n{}\n{}\n{}\n{}",
        table(&targets(results)),
        table(&sign_in(hand_off)),
        table(&everything_on(demanding)),
        table(&details(lab, measured, counted.as_deref().unwrap_or_default()))
    );
    // Writing to a String cannot fail.
    if let Err(reason) = &lab.quota {
        let _ = write!(report, "\n128 MB is not measured: {reason}.\n");
    }
    if let Err(reason) = counted {
        let _ = write!(report, "\nInstructions are not counted: {reason}.\n");
    }
    if lab.programs.len() < 2 + PEERS.len() {
        report += "\nNot compared with the published samples in Python and Node: `make bench-peers` installs what they need.\n";
    }
    report
}

fn targets(results: &Results) -> Vec<Vec<String>> {
    let Results { measured, several, hand_off, throughput, counted, zip, .. } = results;
    let counted = counted.as_deref().unwrap_or_default();
    let find = |setting, kind| measured.iter().find(|measured| measured.setting == setting && measured.kind == kind);
    let mut rows = vec![["", "target", "measured", ""].map(str::to_owned).to_vec()];
    let mut row = |what: &str, limit: Limit, value: f64, unit: &str, from: &str| {
        let (limit, is_met) = match limit {
            AtMost(limit) => (format!("≤ {limit}{unit}"), value <= limit),
            AtLeast(limit) => (format!("≥ {limit}{unit}"), value >= limit),
        };
        let cells = [what, &limit, &format!("{}{unit}{from}", show(value)), if is_met { "met" } else { "missed" }];
        rows.push(cells.map(str::to_owned).to_vec());
    };
    let ratio = |ours: f64, theirs: f64| (ours / theirs, format!(" ({} ms to {} ms)", show(ours), show(theirs)));
    let against = |ours: &[f64], theirs: &[f64]| ratio(median(ours), median(theirs));

    if let (Some(ours), Some(floor)) = (find(Setting::NextDoor, Kind::Function), find(Setting::NextDoor, Kind::Floor)) {
        let (value, from) = against(&ours.init(), &floor.init());
        row("init, against hello world's", AtMost(1.6), value, " ×", &from);
        let (value, from) = against(&ours.total(), &floor.total());
        row("cold total, against hello world's", AtMost(2.5), value, " ×", &from);
        let (value, from) = against(&ours.cpu, &floor.cpu);
        row("CPU for a warm verification, against hello world's", AtMost(2.5), value, " ×", &from);
        for sign_in in hand_off {
            let (value, from) = ratio(sign_in.total(), sign_in.floor);
            let what = format!("CPU for an app's sign-in with {}, against hello world's", sign_in.algorithm.name());
            row(&what, AtMost(5.0), value, " ×", &from);
        }
        for (kind, _, limit) in PEERS {
            if let Some(peer) = find(Setting::NextDoor, kind) {
                let (value, from) = against(&ours.cpu, &peer.cpu);
                let what = format!("CPU for a warm verification, against the {}'s", kind.name());
                row(&what, AtMost(limit), value, " ×", &from);
            }
        }
        row("peak memory", AtMost(9.0), ours.peak_memory, " MB", "");
    }
    if let Some(ours) = counted.iter().find(|counted| counted.kind == Kind::Function) {
        row("instructions for a warm verification", AtMost(560.0), ours.warm / 1e3, " thousand", "");
    }
    for (kind, limit, _) in PEERS {
        if let (Some(ours), Some(peer)) = (find(Setting::Small, Kind::Function), find(Setting::Small, kind)) {
            let (value, from) = against(&ours.total(), &peer.total());
            let what = format!("cold total at 128 MB, against the {}'s", kind.name());
            row(&what, AtMost(limit), value, " ×", &from);
        }
    }
    if let Some(ours) = find(Setting::FarAway, Kind::Function) {
        row("cold total, operator 50 ms away: 3 round trips + 30 ms", AtMost(180.0), median(&ours.total()), " ms", "");
        row("warm, operator 50 ms away: 2 round trips + 3 ms", AtMost(103.0), median(&ours.warm), " ms", "");
        let share = f64::from(ours.handshakes) / f64::from(ours.invocations);
        row("TLS handshakes for each of these", AtMost(0.0), share, "", "");
    }
    if let [one, three] = several.as_slice() {
        let (value, from) = against(&three.cpu, &one.cpu);
        row("CPU for a warm verification, three operators against one", AtMost(THREE_OPERATORS), value, " ×", &from);
        let from = format!(" ({} MB to {} MB)", show(three.peak_memory), show(one.peak_memory));
        row("peak memory, the same", AtMost(THREE_OPERATORS), three.peak_memory / one.peak_memory, " ×", &from);
    }
    let warm = |kind| counted.iter().find(|counted| counted.kind == kind).map(|counted| counted.warm);
    if let (Some(three), Some(one)) = (warm(Kind::Several), warm(Kind::Function)) {
        let from = format!(" ({} to {} thousand)", show(three / 1e3), show(one / 1e3));
        row("instructions for a warm verification, the same", AtMost(THREE_OPERATORS), three / one, " ×", &from);
    }
    let from = format!(" ({} ms of CPU for each)", show(throughput.cpu));
    row("many at once, on one CPU, operator 100 ms away", AtLeast(600.0), throughput.rate, " a second", &from);
    let limit = 2.0 * milliseconds(throughput::ROUND_TRIP) + 60.0;
    row("p99 of these: 2 round trips + 60 ms", AtMost(limit), throughput.p99, " ms", "");
    row("peak memory with these", AtMost(40.0), throughput.memory, " MB", "");
    row("deployed zip", AtMost(3.5), f64::from(u32::try_from(*zip).unwrap_or(u32::MAX)) / 1e6, " MB", "");
    rows
}

/// The table of an app's sign-in: the CPU time of each step, beside the hello world's.
fn sign_in(hand_off: &[HandOff; 2]) -> Vec<Vec<String>> {
    let mut rows = vec![["an app's sign-in, warm".to_owned()].to_vec()];
    rows.extend(["hello world", "/authorize", "callback", "/token", "all three"].map(|what| vec![what.to_owned()]));
    for sign_in in hand_off {
        let HandOff { floor, authorize, callback, token, .. } = *sign_in;
        let cells = [floor, authorize, callback, token, sign_in.total()]
            .map(|cpu| format!("{} ms, {} ×", show(cpu), show(cpu / floor)));
        let column = [sign_in.algorithm.name().to_owned()].into_iter().chain(cells);
        rows.iter_mut().zip(column).for_each(|(row, cell)| row.push(cell));
    }
    rows
}

/// The table of an operator that demands everything: what its signatures cost.
fn everything_on([plain, everything]: &[Demanding; 2]) -> Vec<Vec<String>> {
    let row =
        |what: &str, plain: f64, everything: f64| vec![what.to_owned(), show(plain) + " ms", show(everything) + " ms"];
    vec![
        ["a demanding operator, warm", "CPU without", "CPU with everything on"].map(str::to_owned).to_vec(),
        row("/start: a request object", plain.start, everything.start),
        row("callback: an assertion and two proofs", plain.callback, everything.callback),
    ]
}

/// Every median, program by program.
fn details(lab: &Lab, measured: &[Measured], counted: &[Instructions]) -> Vec<Vec<String>> {
    let head = ["median"].into_iter().chain(lab.programs.iter().map(|program| program.kind.name()));
    let mut rows = vec![head.map(str::to_owned).collect()];
    // Each setting has every program, in the order of the columns.
    for setting in measured.chunk_by(|a, b| a.setting == b.setting) {
        let Some(Measured { setting: name, warm, .. }) = setting.first() else { continue };
        let mut row = |what: &str, cell: &dyn Fn(&Measured) -> String| {
            let what = format!("{what}, {}", name.name());
            rows.push([what].into_iter().chain(setting.iter().map(cell)).collect());
        };
        row("init", &|program| show(median(&program.init())) + " ms");
        row("cold total", &|program| show(median(&program.total())) + " ms");
        if !warm.is_empty() {
            row("warm", &|program| show(median(&program.warm)) + " ms");
            row("CPU, warm", &|program| show(median(&program.cpu)) + " ms");
        }
        if *name == Setting::NextDoor {
            row("TLS handshakes, warm", &|program| {
                show(f64::from(program.handshakes) / f64::from(program.invocations))
            });
            row("peak memory", &|program| show(program.peak_memory) + " MB");
        }
    }
    if counted.is_empty() {
        return rows;
    }
    let mut row = |what: &str, cell: &dyn Fn(&Instructions) -> String| {
        let cells = lab
            .programs
            .iter()
            .map(|program| counted.iter().find(|counted| counted.kind == program.kind).map_or("–".to_owned(), cell));
        rows.push([what.to_owned()].into_iter().chain(cells).collect());
    };
    row("instructions, start and first event", &|counted| show(counted.cold / 1e6) + " million");
    row("instructions, each further event", &|counted| show(counted.warm / 1e3) + " thousand");
    rows
}
