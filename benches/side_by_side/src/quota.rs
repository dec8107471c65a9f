//! The share of a CPU that Lambda gives to 128 MB, by the CPU controller of Linux's control groups.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// In MB.
const MEMORY: u32 = 128;
/// Lambda gives 1769 MB one CPU, and other sizes their share of it.
const MEMORY_OF_ONE_CPU: u32 = 1769;
/// In microseconds. The shorter the period, the evener the share; the kernel allows no quota below 1000.
const PERIOD: u32 = 20_000;

const V1_QUOTA: &str = "cpu.cfs_quota_us";

/// A control group without a limit, until there is one.
#[derive(Debug, Clone)]
pub struct Quota {
    group: PathBuf,
    file: &'static str,
    limited: String,
    unlimited: &'static str,
}

impl Quota {
    /// A group of its own, in version 2 of control groups or in version 1.
    ///
    /// # Errors
    /// Why there can be none here.
    pub fn new() -> Result<Self, String> {
        let quota = PERIOD * MEMORY / MEMORY_OF_ONE_CPU;
        let name = "number-verification-bench";
        let root = Path::new("/sys/fs/cgroup");
        let quota = if root.join("cgroup.controllers").exists() {
            let limited = format!("{quota} {PERIOD}");
            Self { group: root.join(name), file: "cpu.max", limited, unlimited: "max" }
        } else {
            let group = root.join("cpu").join(name);
            Self { group, file: V1_QUOTA, limited: quota.to_string(), unlimited: "-1" }
        };
        quota.set_up().map_err(|error| {
            quota.remove();
            format!("no CPU quota in {} ({error}); it takes root and the cpu controller", quota.group.display())
        })?;
        Ok(quota)
    }

    fn set_up(&self) -> io::Result<()> {
        match fs::create_dir(&self.group) {
            // A benchmark that was broken off leaves it behind.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        if self.file == V1_QUOTA {
            self.put("cpu.cfs_period_us", &PERIOD.to_string())?;
        }
        self.limit()
    }

    /// Takes a process in.
    pub fn take(&self, pid: u32) -> io::Result<()> {
        self.put("cgroup.procs", &pid.to_string())
    }

    pub fn limit(&self) -> io::Result<()> {
        self.put(self.file, &self.limited)
    }

    pub fn lift(&self) -> io::Result<()> {
        self.put(self.file, self.unlimited)
    }

    /// Never makes a file: where there is none, this is no control group.
    fn put(&self, file: &str, value: &str) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.group.join(file))?.write_all(value.as_bytes())
    }

    pub fn remove(&self) {
        // A group that could not be made cannot be removed.
        let _ = fs::remove_dir(&self.group);
    }
}
