//! `waf.yaml`: `CloudFront` in front of the API, and what its rate limit counts.

use super::tools;
use serde_json::{Value, json};
use tokio::process::Command;

#[tokio::test]
async fn cloudfront_fits_in_front_of_the_api() {
    let waf = tools::cloudformation(&["expand", "waf.yaml", "ApiDomainName=api.shop.example", "OriginHeader=x"]).await;
    let template = tools::cloudformation(&["expand", "template.yaml"]).await;
    let without = tools::cloudformation(&["expand", "waf.yaml", "ApiDomainName=api.shop.example"]).await;
    let origin =
        |waf: &Value| waf["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["Origins"][0].clone();
    let header = json!([{ "HeaderName": "x-origin-verify", "HeaderValue": { "Ref": "OriginHeader" } }]);
    assert_eq!(origin(&waf)["OriginCustomHeaders"], header);
    assert_eq!(origin(&without)["OriginCustomHeaders"], Value::Null);

    let parameters = [&waf["Parameters"]["OriginHeader"], &template["Parameters"]["OriginHeader"]];
    for parameter in parameters {
        assert_eq!(parameter["NoEcho"], true);
    }
    assert_eq!(parameters[0]["AllowedPattern"], parameters[1]["AllowedPattern"]);
    let matching =
        |pattern: &Value, texts: &'static [&'static str]| matching(pattern.as_str().unwrap().to_owned(), texts);
    let secrets = &["", "0123456789abcdef", "too-short", "0123456789 abcdef"];
    assert_eq!(matching(&parameters[0]["AllowedPattern"], secrets).await, ["", "0123456789abcdef"]);

    let hosts = &["a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", "api.shop.example", "https://api.shop.example", ""];
    assert_eq!(matching(&waf["Parameters"]["ApiDomainName"]["AllowedPattern"], hosts).await, hosts[..2]);
    assert_eq!(waf["Parameters"]["RequestsInFiveMinutes"]["Default"], 2000);

    let rate = &waf["Resources"]["WebAcl"]["Properties"]["Rules"][0]["Statement"]["RateBasedStatement"];
    let not_counted = &rate["ScopeDownStatement"]["NotStatement"]["Statement"]["RegexMatchStatement"];
    assert_eq!(not_counted["FieldToMatch"], json!({ "UriPath": {} }));
    let paths = &[
        "/token",
        "/userinfo",
        "/verify",
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
        "/.well-known/client-jwks.json",
        "/",
        "/start",
        "/numberverification-callback",
        "/authorize",
        "/complete",
        "/tokens",
        "/x/token",
    ];
    assert_eq!(matching(&not_counted["RegexString"], paths).await, paths[..6]);
}

/// Returns the texts in which Python's `re` finds the pattern.
async fn matching(pattern: String, texts: &[&str]) -> Vec<String> {
    const FIND: &str =
        "import json, re, sys; print(json.dumps([t for t in sys.argv[2:] if re.search(sys.argv[1], t)]))";
    let mut command = Command::new(tools::tool("python"));
    let found = tools::output(command.args(["-c", FIND, &pattern]).args(texts)).await;
    serde_json::from_str(&found).unwrap()
}
