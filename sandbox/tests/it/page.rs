//! The commands on the page, with which a person asks the function as an app does.

use sandbox::Settings;
use serde_json::{Value, json};

use crate::support::{Fixture, REDIRECT_URI, send};

#[tokio::test]
async fn commands_are_for_the_function_and_an_app_of_the_secret() {
    let app = |secret: &str| json!({ "client_id": "shop", "client_secret": secret });
    let public = json!({ "client_id": "spa", "token_endpoint_auth_method": "none" });
    for (name, redirect_uri, apps, start, credentials) in [
        ("no redirect URI and no app", "", json!(null), "https://function.example/start", "client_id:client_secret"),
        ("a redirect URI", REDIRECT_URI, json!([]), "https://app.example/start", "client_id:client_secret"),
        ("a port", "http://127.0.0.1:9900/cb", json!([]), "http://127.0.0.1:9900/start", "client_id:client_secret"),
        ("an app", REDIRECT_URI, json!([app("s3cret")]), "https://app.example/start", "shop:s3cret"),
        ("a public app first", REDIRECT_URI, json!([public, app("a")]), "https://app.example/start", "shop:a"),
        ("a secret for the shell", REDIRECT_URI, json!([app("'; x")]), "https://app.example/start", r"shop:'\''; x"),
    ] {
        let page = page(redirect_uri, apps).await;
        assert!(page.contains(&format!("curl -s '{start}' ")), "{name}: {page}");
        assert!(page.contains(&format!("-u '{credentials}' ")), "{name}: {page}");
    }
}

/// The page as a person reads it, of a sandbox with this redirect URI and these apps in its secret.
async fn page(redirect_uri: &str, apps: Value) -> String {
    let registered_redirect_uris =
        [redirect_uri].into_iter().filter(|uri| !uri.is_empty()).map(str::to_owned).collect();
    let secret_members = [("relying_parties".to_owned(), apps)].into_iter().collect();
    let fixture = Fixture::with(Settings { registered_redirect_uris, secret_members, ..Settings::default() }).await;
    let page = send(fixture.get("/")).await.text().await.expect("a page");
    page.replace("&#39;", "'")
}
