//! CloudWatch's embedded metric format.

use serde::Serialize;

/// CloudWatch's embedded metric format: `_aws` lists the members of its line that are metrics. CloudWatch bills each
/// combination of a name and dimensions as a metric, so only the count is split by outcome. Operators' error codes are
/// not a dimension, because their number is not limited.
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
