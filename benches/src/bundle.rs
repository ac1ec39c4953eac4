//! The sizes of the browser half: what a page loads of wasm and JavaScript, as it is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::Outcome;

/// Sizes after brotli.
pub struct Bundle {
    /// What every page loads.
    every: u64,
    /// What the worker for large bodies loads.
    pub worker: u64,
    /// The size of each file that only some pages load.
    parts: BTreeMap<String, u64>,
    /// Which of those each group of pages loads.
    groups: BTreeMap<String, BTreeSet<String>>,
}

impl Bundle {
    /// Reads `dist`, as `scripts/bundle release` wrote it.
    pub fn read(dist: &Path) -> Outcome<Self> {
        let missing = |_| format!("no compressed bundle in {}: run `make build` first", dist.display());
        let chunks = fs::read_to_string(dist.join(".chunks")).map_err(missing)?;
        let groups: BTreeMap<_, BTreeSet<_>> = chunks
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(group, names)| (group.to_owned(), names.split(' ').map(str::to_owned).collect()))
            .collect();
        let of_a_group: BTreeSet<_> = groups.values().flatten().collect();
        let (mut every, mut worker, mut parts) = (0, 0, BTreeMap::new());
        for entry in fs::read_dir(dist)? {
            let entry = entry?;
            let file = entry.file_name().to_string_lossy().into_owned();
            let Some(name) = file
                .strip_suffix(".wasm.br")
                .map(|stem| format!("{stem}.wasm"))
                .or_else(|| file.strip_suffix(".js.br").map(|stem| format!("{stem}.js")))
            else {
                continue;
            };
            let size = entry.metadata()?.len();
            if of_a_group.contains(&name) {
                parts.insert(name, size);
            } else if name.contains("worker") {
                worker += size;
            } else {
                every += size;
            }
        }
        if every == 0 || parts.len() != of_a_group.len() {
            return Err(format!(
                "not all of the bundle is compressed in {}: run `make build` first",
                dist.display()
            )
            .into());
        }
        Ok(Self {
            every,
            worker,
            parts,
            groups,
        })
    }

    /// What a page of a group loads, where no other was opened before.
    pub fn page(&self, group: &str) -> Outcome<u64> {
        Ok(self.every + self.weigh(self.files(group)?))
    }

    /// What a group adds for somebody who has the Logs page.
    pub fn adds(&self, group: &str) -> Outcome<u64> {
        Ok(self.weigh(self.files(group)?.difference(self.files("logs")?)))
    }

    /// Every file of the pages together.
    pub fn whole(&self) -> u64 {
        self.every + self.parts.values().sum::<u64>()
    }

    /// The groups but that of the Logs page.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str).filter(|group| *group != "logs")
    }

    fn files(&self, group: &str) -> Outcome<&BTreeSet<String>> {
        Ok(self
            .groups
            .get(group)
            .ok_or_else(|| format!("no group of pages {group} in the bundle"))?)
    }

    fn weigh<'a>(&self, names: impl IntoIterator<Item = &'a String>) -> u64 {
        names.into_iter().filter_map(|name| self.parts.get(name)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_loads_what_every_page_does_and_its_own_parts() -> Outcome<()> {
        let folder = std::env::temp_dir().join(format!("bundle-sizes-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        fs::write(
            folder.join(".chunks"),
            "logs logs.wasm shared.wasm\nlists lists.wasm shared.wasm\n",
        )?;
        let files = [
            ("main.js", 1),
            ("main.wasm", 2),
            ("logs.wasm", 4),
            ("lists.wasm", 8),
            ("shared.wasm", 16),
            ("browse-worker.js", 32),
            ("base.css", 64),
        ];
        for (name, size) in files {
            fs::write(folder.join(name), "")?;
            fs::write(folder.join(format!("{name}.br")), vec![0; size])?;
        }
        let bundle = Bundle::read(&folder)?;
        fs::remove_file(folder.join("logs.wasm.br"))?;
        let incomplete = Bundle::read(&folder).is_err();

        assert_eq!(bundle.page("logs")?, 23);
        assert_eq!(bundle.adds("lists")?, 8);
        assert_eq!(bundle.whole(), 31);
        assert_eq!(bundle.worker, 32);
        assert_eq!(bundle.others().collect::<Vec<_>>(), ["lists"]);
        assert!(bundle.page("nothing").is_err());
        assert!(incomplete);
        Ok(())
    }
}
