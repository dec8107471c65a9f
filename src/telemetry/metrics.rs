//! CloudWatch's embedded metric format.

use serde::Serialize;

/// CloudWatch's embedded metric format: `_aws` says which members of its line are metrics. Each name with each set of
/// dimensions is a metric to pay for, so only the count is split by outcome; operators' error codes have no bounds and
/// are no dimension at all.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EmbeddedMetrics {
    /// Milliseconds since the epoch.
    pub timestamp: u64,
    pub cloud_watch_metrics: Vec<Directive>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Directive {
    pub namespace: &'static str,
    pub dimensions: &'static [&'static [&'static str]],
    pub metrics: Vec<Metric>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metric {
    name: &'static str,
    unit: &'static str,
}

impl Metric {
    pub fn count(name: &'static str) -> Self {
        Self { name, unit: "Count" }
    }

    pub fn milliseconds(name: &'static str) -> Self {
        Self { name, unit: "Milliseconds" }
    }
}
