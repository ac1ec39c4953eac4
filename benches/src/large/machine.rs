//! The machine that figures come from.

use std::fs;
use std::path::Path;
use std::process::Command;

/// In a line: processor, memory, disk, kernel, and the day.
pub fn words(folder: &Path) -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&processors, "model name").unwrap_or_else(|| "a processor without a name".to_owned());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes: f64 = field(&memory, "MemTotal")
        .and_then(|size| size.trim_end_matches(" kB").parse().ok())
        .unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{model}, {cores} cores, {:.0} GB of memory, {}, Linux {}",
        kilobytes / 1e6,
        disk(folder),
        kernel.trim()
    )
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_start_matches([' ', '\t', ':']).trim().to_owned())
}

/// The disk that a folder lies on: its file system, its size, and whether it turns.
fn disk(folder: &Path) -> String {
    let said = |program: &str, arguments: &[&str], last: &Path| {
        let output = Command::new(program).args(arguments).arg(last).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    };
    let system = said("findmnt", &["-n", "-o", "FSTYPE", "-T"], folder).unwrap_or_else(|| "a file system".to_owned());
    let device = said("findmnt", &["-n", "-o", "SOURCE", "-T"], folder);
    let about = device.and_then(|device| said("lsblk", &["-d", "-n", "-o", "SIZE,ROTA,MODEL"], Path::new(&device)));
    match about
        .as_deref()
        .map(|about| about.split_whitespace().collect::<Vec<_>>())
        .as_deref()
    {
        Some([size, turns, model @ ..]) => {
            let kind = if *turns == "1" { "turning or unknown" } else { "not turning" };
            format!("{system} on a disk of {size} ({})", [&[kind], model].concat().join(", "))
        }
        _ => system,
    }
}
