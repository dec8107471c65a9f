//! The share of a CPU that Lambda gives to 128 MB, by the CPU controller of Linux's control groups.

use std::fs;
use std::io;
use std::path::PathBuf;

/// Lambda gives 1769 MB one CPU, and other sizes their share of it.
const SHARE: f64 = 128.0 / 1769.0;
/// In microseconds. The shorter the period, the evener the share; the kernel allows no quota below 1000.
const PERIOD: u32 = 20_000;

/// A control group without a limit, until there is one.
#[derive(Debug, Clone)]
pub struct Quota {
    group: PathBuf,
    period: Option<(&'static str, String)>,
    limit: (&'static str, String),
}

impl Quota {
    /// # Errors
    /// Why there can be none here.
    pub fn new() -> Result<Self, String> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a seventh of 20,000")]
        let quota = (f64::from(PERIOD) * SHARE) as u32;
        let name = format!("number-verification-bench-{}", std::process::id());
        let (parent, period, limit) = if fs::exists("/sys/fs/cgroup/cgroup.controllers").unwrap_or(false) {
            (own_group("0:").unwrap_or_default(), None, ("cpu.max", format!("{quota} {PERIOD}")))
        } else {
            let parent = PathBuf::from("cpu").join(own_group(":cpu").unwrap_or_default());
            (parent, Some(("cpu.cfs_period_us", PERIOD.to_string())), ("cpu.cfs_quota_us", quota.to_string()))
        };
        let group = PathBuf::from("/sys/fs/cgroup").join(parent).join(name);
        let quota = Self { group, period, limit };
        let tried = fs::create_dir(&quota.group).and_then(|()| {
            quota.period.iter().try_for_each(|(file, value)| fs::write(quota.group.join(file), value))?;
            fs::metadata(quota.group.join(quota.limit.0)).map(drop)
        });
        if let Err(error) = tried {
            quota.remove();
            return Err(format!(
                "no CPU quota in {} ({error}); it takes root and the cpu controller",
                quota.group.display()
            ));
        }
        Ok(quota)
    }

    /// Takes a process in; it still runs freely.
    pub fn take(&self, pid: u32) -> io::Result<()> {
        fs::write(self.group.join("cgroup.procs"), pid.to_string())
    }

    pub fn limit(&self) -> io::Result<()> {
        fs::write(self.group.join(self.limit.0), &self.limit.1)
    }

    pub fn lift(&self) -> io::Result<()> {
        let (file, limit) = &self.limit;
        fs::write(self.group.join(file), if limit.contains(' ') { "max" } else { "-1" })
    }

    pub fn remove(&self) {
        // A group that could not be made cannot be removed.
        let _ = fs::remove_dir(&self.group);
    }
}

/// The path of this process's own group, by the line of `/proc/self/cgroup` that has `controller` in it.
fn own_group(controller: &str) -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let line = groups.lines().find(|line| line.contains(controller) && !line.contains("cpuset"))?;
    Some(PathBuf::from(line.rsplit(':').next()?.trim_start_matches('/')))
}
