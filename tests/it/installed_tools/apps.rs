//! The parts of the templates that are for apps: the table of used codes, the issuer, and Amazon Cognito.

use serde_json::{Value, json};

use super::tools;
use crate::support::app::{
    ISSUER, parameter, provider, query, secret, sent_back, shop_code, shop_tokens, token, verified_claims,
};
use crate::support::{Browser, Function};

const NUMBER: &str = "+34600000001";

#[tokio::test]
async fn function_may_put_items_into_the_table_of_used_codes_if_there_is_one() {
    let put_items = json!({
        "Effect": "Allow",
        "Action": "dynamodb:PutItem",
        "Resource": { "Fn::GetAtt": ["UsedCodes", "Arn"] },
    });
    for (code_table, variable, permissions) in
        [("CodeTable=true", json!({ "Ref": "UsedCodes" }), vec![put_items]), ("CodeTable=false", json!(""), vec![])]
    {
        let template = tools::cloudformation(&["expand", "template.yaml", code_table]).await;
        let resources = template["Resources"].as_object().unwrap();
        let variables = &resources["NumberVerificationFunction"]["Properties"]["Environment"]["Variables"];
        assert_eq!(variables["CODE_TABLE"], variable, "{code_table}");
        let policies = resources["FunctionRole"]["Properties"]["Policies"].as_array().unwrap();
        let statements = policies.iter().flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
        let for_tables: Vec<_> = statements.filter(|statement| statement.to_string().contains("dynamodb")).collect();
        assert_eq!(for_tables, permissions.iter().collect::<Vec<_>>(), "{code_table}");
        assert_eq!(resources.contains_key("UsedCodes"), !permissions.is_empty(), "{code_table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_is_exchanged_once_by_two_environments_that_share_the_table() {
    let (_moto, moto) = tools::moto().await;
    let table = tools::cloudformation(&["resource", &moto, "template.yaml", "UsedCodes"]).await;
    let table = table.as_str().unwrap();
    let variables = [("CODE_TABLE", table), ("AWS_ENDPOINT_URL_DYNAMODB", &moto)];
    let one = provider(&variables).await;
    let other = Function::with_sandbox(one.sandbox.clone(), &variables);

    let code = shop_code(&one, &[]).await;
    let first = shop_tokens(&one, &code).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let second = shop_tokens(&other, &code).await;
    assert_eq!((second.status, &second.json()["error"]), (400, &json!("invalid_grant")));

    let kept = tools::cloudformation(&["items", &moto, table]).await;
    let [item] = &kept.as_array().unwrap()[..] else { panic!("one item: {kept}") };
    assert!(!item.to_string().contains(&code), "only the hash of the code is kept");
    // moto's CloudFormation takes no notice of TTL.
    let template = tools::cloudformation(&["expand", "template.yaml"]).await;
    let ttl = &template["Resources"]["UsedCodes"]["Properties"]["TimeToLiveSpecification"];
    assert_eq!(ttl["Enabled"], true);
    assert!(item[ttl["AttributeName"].as_str().unwrap()]["N"].is_string(), "{item}");
}

#[tokio::test]
async fn issuer_is_the_public_address_without_the_callback_path() {
    const API: &str = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}";
    const DOMAIN: [&str; 2] = ["DomainName=verify.shop.example", "DomainCertificateArn=x"];
    const AT_ROOT: &str = "RedirectUri=https://cdn.example/numberverification-callback";
    for (name, parameters, issuer) in [
        ("defaults", &[][..], Some(API)),
        ("a domain", &DOMAIN, Some("https://verify.shop.example")),
        ("RedirectUri", &[AT_ROOT], Some("https://cdn.example")),
        ("RedirectUri and a domain", &[AT_ROOT, DOMAIN[0], DOMAIN[1]], Some("https://cdn.example")),
        (
            "another CallbackPath",
            &["RedirectUri=https://a.example/cb/x", "CallbackPath=/cb/x"],
            Some("https://a.example"),
        ),
        ("a base path", &["RedirectUri=https://a.example/base/cb", "CallbackPath=/cb"], Some("https://a.example/base")),
        ("a port", &["RedirectUri=https://a.example:8443/cb", "CallbackPath=/cb"], Some("https://a.example:8443")),
        // CloudFormation cannot cut a text off another, and no output is better than a wrong one.
        ("a base path of two parts", &["RedirectUri=https://a.example/x/y/cb", "CallbackPath=/cb"], None),
    ] {
        let arguments: Vec<_> = ["outputs", "template.yaml"].into_iter().chain(parameters.iter().copied()).collect();
        let outputs = tools::cloudformation(&arguments).await;
        assert_eq!(outputs["IssuerUrl"].as_str(), issuer, "{name}");
        let discovery = issuer.map(|issuer| format!("{issuer}/.well-known/openid-configuration"));
        assert_eq!(outputs["DiscoveryUrl"].as_str(), discovery.as_deref(), "{name}");
    }
}

/// Signs a user in as Cognito does, with the provider as examples/cognito.yaml describes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cognito_signs_in_with_the_description_in_the_example() {
    let (_moto, moto) = tools::moto().await;
    let issuer = format!("IssuerUrl={ISSUER}");
    let parameters = [&*issuer, "DomainPrefix=shop", "CallbackUrls=https://shop.example/a,https://shop.example/b"];
    let cognito =
        tools::cloudformation(&[&["cognito", &moto, "examples/cognito.yaml"], &parameters[..]].concat()).await;
    let provider_type = &cognito["provider"]["ProviderType"];
    let details = &cognito["provider"]["ProviderDetails"];
    assert_eq!((provider_type, &details["attributes_request_method"]), (&json!("OIDC"), &json!("GET")));
    let from_secrets_manager = "{{resolve:secretsmanager:number-verification-cognito}}";
    assert_eq!(details["client_secret"], from_secrets_manager);
    assert_eq!(cognito["app"]["SupportedIdentityProviders"], json!([cognito["provider"]["ProviderName"]]));
    assert_eq!(cognito["app"]["CallbackURLs"], json!(["https://shop.example/a", "https://shop.example/b"]));
    assert_eq!(cognito["app"]["AllowedOAuthFlows"], json!(["code"]));
    let redirect_uri = cognito["outputs"]["RedirectUri"].as_str().unwrap();
    assert_eq!(redirect_uri, "https://shop.auth.eu-west-1.amazoncognito.com/oauth2/idpresponse");

    let function = provider(&[]).await;
    let detail = |name: &str| details[name].as_str().unwrap();
    let shared_secret = "0123456789abcdef0123456789abcdef";
    let mut registered = secret();
    registered["relying_parties"].as_array_mut().unwrap().push(registered_as_the_example_says(shared_secret));
    function.sandbox.set_secret_string(registered.to_string());

    let discovery = function.get("/.well-known/openid-configuration", &[]).await.json();
    assert_eq!(discovery["issuer"], detail("oidc_issuer"), "Cognito compares them as they are");
    let claims = discovery["claims_supported"].as_array().unwrap();
    let mapping = cognito["provider"]["AttributeMapping"].as_object().unwrap();
    for claim in mapping.values() {
        assert!(claims.contains(claim), "{claim}");
    }

    let request = query(&[
        ("client_id", detail("client_id")),
        ("redirect_uri", redirect_uri),
        ("scope", detail("authorize_scopes")),
        ("response_type", "code"),
        ("state", &"a long state of Cognito's, ".repeat(40)),
        ("login_hint", NUMBER),
    ]);
    let mut browser = Browser::default();
    let callback = browser.authorize(&function, &format!("/authorize?{request}")).await;
    let back = sent_back(&browser.open(&function, &callback).await, redirect_uri);
    let form = [
        ("client_id", detail("client_id")),
        ("client_secret", shared_secret),
        ("redirect_uri", redirect_uri),
        ("code", parameter(&back, "code")),
    ];
    let tokens = token(&function, None, &form).await.json();
    let (_, id_token) = verified_claims(&function, tokens["id_token"].as_str().unwrap()).await;
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let userinfo = function.get("/userinfo", &[("authorization", &bearer)]).await.json();
    for (attribute, value) in
        [("username", id_token["sub"].clone()), ("phone_number", json!(NUMBER)), ("phone_number_verified", json!(true))]
    {
        assert_eq!(userinfo[mapping[attribute].as_str().unwrap()], value, "{attribute}");
    }
}

/// The relying party that the example's comment shows, with the values of this deployment.
fn registered_as_the_example_says(shared_secret: &str) -> Value {
    let example = include_str!("../../../examples/cognito.yaml");
    let comment: String = example.lines().map(|line| line.trim_start_matches("# ")).collect();
    let entry = comment.split_once("{\"client_id\"").and_then(|(_, rest)| rest.split_once('}')).unwrap().0;
    let entry = entry.replace("...", shared_secret).replace("DOMAIN-PREFIX", "shop").replace("REGION", "eu-west-1");
    serde_json::from_str(&format!("{{\"client_id\"{entry}}}")).expect("the comment shows JSON")
}
