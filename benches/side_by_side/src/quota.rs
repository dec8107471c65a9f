//! Limits a program to the share of a CPU that Lambda gives to 128 MB, with Linux's control groups.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// In MB.
const MEMORY: u32 = 128;
/// In MB. Lambda gives one CPU to this size, and a proportional share to others.
const MEMORY_OF_ONE_CPU: u32 = 1769;
/// In microseconds. A shorter period spreads the share more evenly; the kernel allows no quota below 1000.
const PERIOD: u32 = 20_000;

const V1_QUOTA: &str = "cpu.cfs_quota_us";

/// A control group whose CPU limit can be set and lifted.
#[derive(Debug, Clone)]
pub struct Quota {
    group: PathBuf,
    file: &'static str,
    limited: String,
    unlimited: &'static str,
}

impl Quota {
    /// Creates a group, with version 2 of control groups or version 1.
    ///
    /// # Errors
    /// The reason why a group cannot be created.
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
            format!("no CPU quota in {} ({error}); it requires root and the cpu controller", quota.group.display())
        })?;
        Ok(quota)
    }

    fn set_up(&self) -> io::Result<()> {
        match fs::create_dir(&self.group) {
            // An interrupted benchmark may have left the group behind.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => created?,
        }
        if self.file == V1_QUOTA {
            self.put("cpu.cfs_period_us", &PERIOD.to_string())?;
        }
        self.limit()
    }

    /// Moves a process into the group.
    pub fn take(&self, pid: u32) -> io::Result<()> {
        self.put("cgroup.procs", &pid.to_string())
    }

    pub fn limit(&self) -> io::Result<()> {
        self.put(self.file, &self.limited)
    }

    pub fn lift(&self) -> io::Result<()> {
        self.put(self.file, self.unlimited)
    }

    /// Never creates a file: if it does not exist, this is not a control group.
    fn put(&self, file: &str, value: &str) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.group.join(file))?.write_all(value.as_bytes())
    }

    pub fn remove(&self) {
        // The group may not exist.
        let _ = fs::remove_dir(&self.group);
    }
}
