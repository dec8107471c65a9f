//! `make keys`, which stores the provider's keys beside the client's credentials, with moto's Secrets Manager.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use number_verification::jwt::PrivateKey;
use number_verification::provider::{Members, Provider};
use number_verification::transport::{Deadline, Transport};
use serde_json::{Map, Value, json};
use tokio::process::{Child, Command};

use super::tools;

const STATE_KEY: &str = "hush: the state_key that makes every sub";

/// The expected value of a key afterwards.
#[derive(Clone, Copy, Debug)]
enum Key {
    Same,
    New,
    CopiedFromState,
}
use Key::{CopiedFromState, New, Same};

struct SecretsManager {
    url: String,
    http: Transport,
    _running: Child,
}

/// The two latest versions of a secret.
struct Versions {
    current: Map<String, Value>,
    previous: Option<String>,
}

impl SecretsManager {
    async fn new() -> Self {
        let (running, url) = tools::moto().await;
        Self { url, http: Transport::new(&[]).unwrap(), _running: running }
    }

    /// Calls moto as an SDK does. It takes the region from the signature, which it does not check.
    async fn call(&self, action: &str, body: Value) -> Value {
        const CREDENTIAL: &str = "AWS4-HMAC-SHA256 Credential=test/20250101/eu-west-1/secretsmanager/aws4_request";
        let request = http::Request::post(&self.url)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("secretsmanager.{action}"))
            .header("authorization", format!("{CREDENTIAL}, SignedHeaders=host, Signature=00"))
            .body(body.to_string())
            .unwrap();
        let answer =
            self.http.send(request.try_into().unwrap(), Deadline::after(Duration::from_mins(1))).await.unwrap();
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Stores a new secret, and returns its ARN.
    async fn store(&self, name: &str, value: &str) -> String {
        let created = self.call("CreateSecret", json!({ "Name": name, "SecretString": value })).await;
        created["ARN"].as_str().unwrap().to_owned()
    }

    /// Reads the version with this label.
    async fn version(&self, id: &str, stage: &str) -> Option<String> {
        let answer = self.call("GetSecretValue", json!({ "SecretId": id, "VersionStage": stage })).await;
        answer["SecretString"].as_str().map(str::to_owned)
    }

    async fn read(&self, id: &str) -> Versions {
        let current = self.version(id, "AWSCURRENT").await.unwrap();
        Versions { current: serde_json::from_str(&current).unwrap(), previous: self.version(id, "AWSPREVIOUS").await }
    }

    /// Runs `make keys` with these variables in a folder. Returns whether it succeeded, and both streams.
    async fn make_keys(&self, folder: &Path, variables: &[(&str, &str)]) -> (bool, String) {
        let mut command = Command::new(tools::tool("python"));
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/keys.py"))
            .current_dir(folder)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .envs(variables.iter().copied());
        tools::said(&mut command).await
    }
}

/// An empty folder.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("make_keys").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn secret(members: &Value) -> String {
    let mut secret = json!({ "client_id": "my-app-id", "client_secret": "hush: from the operator" });
    secret.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    secret.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_adds_what_is_missing_and_replaces_only_what_it_is_told_to() {
    let manager = SecretsManager::new().await;
    let folder = folder("table");
    let apps = json!([{ "client_id": "shop", "client_secret": "hush: shared with the shop" }]);
    let keys =
        json!({ "state_key": STATE_KEY, "subject_key": "hush: subject_key", "signing_key": "hush: signing_key" });
    let with = |mut members: Value, more: Value| {
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        members
    };
    let only_state = json!({ "state_key": STATE_KEY });
    for (name, members, rotate, [state, subject, signing], says) in [
        ("no key", json!({}), "", [New, New, New], &["state_key    added", "signing_key  added"][..]),
        ("empty keys", json!({ "state_key": "", "signing_key": null }), "", [New, New, New], &[]),
        ("a new stack", only_state.clone(), "", [Same, New, New], &["state_key    stays", "subject_key  added\n"]),
        (
            "people may have signed in",
            with(only_state.clone(), json!({ "relying_parties": apps })),
            "",
            [Same, CopiedFromState, New],
            &["subject_key  added: the old state_key", "from ES256 to RS256"],
        ),
        (
            "nobody can have signed in with such a key",
            json!({ "state_key": "hush, 16 letters", "relying_parties": apps }),
            "",
            [Same, New, New],
            &["ROTATE=state replaces it"],
        ),
        ("all keys", keys.clone(), "", [Same, Same, Same], &["signing_key  stays"]),
        (
            "a new signing_key",
            with(keys.clone(), json!({ "relying_parties": apps })),
            "signing",
            [Same, Same, New],
            &["signing_key  replaced", "signs for 20 more minutes", "this a second time"],
        ),
        (
            "a new state_key",
            with(keys.clone(), json!({ "relying_parties": apps })),
            "state",
            [New, Same, Same],
            &["state_key    replaced", "this a second time"],
        ),
        ("a new state_key keeps every sub", only_state, "state", [New, CopiedFromState, New], &["the old state_key"]),
        ("nothing to replace", json!({}), "state", [New, New, New], &["state_key    added"]),
    ] {
        let id = name.replace([' ', ','], "-");
        let stored = secret(&members);
        manager.store(&id, &stored).await;
        let (success, said) =
            manager.make_keys(&folder, &[("SECRET", &id), ("AWS_REGION", "eu-west-1"), ("ROTATE", rotate)]).await;
        assert!(success, "{name}: {said}");
        for text in says {
            assert!(said.contains(text), "{name}: {text}: {said}");
        }
        let Versions { mut current, previous } = manager.read(&id).await;
        for value in current.values().filter_map(Value::as_str).filter(|value| *value != "my-app-id") {
            assert!(value.lines().all(|line| !said.contains(line)), "{name}: it shows a secret: {said}");
        }
        assert!(!said.contains("hush"), "{name}: {said}");

        let old: Map<String, Value> = serde_json::from_str(&stored).unwrap();
        for (key, expected) in [("state_key", state), ("subject_key", subject), ("signing_key", signing)] {
            let value = current.remove(key).unwrap_or_default();
            match expected {
                Same => assert_eq!(Some(&value), old.get(key), "{name}: {key}"),
                CopiedFromState => assert_eq!(Some(&value), old.get("state_key"), "{name}: {key}"),
                New if key == "signing_key" => {
                    assert_eq!(PrivateKey::parse(&value).unwrap().algorithm(), "RS256", "{name}");
                    assert!(value.as_str().unwrap().starts_with("-----BEGIN PRIVATE KEY-----"), "{name}: PKCS #8");
                }
                New => {
                    assert_eq!(value.as_str().unwrap().len(), 64, "{name}: {key}");
                    assert!(!old.values().any(|old| *old == value), "{name}: {key}");
                }
            }
        }
        let others: Map<_, _> = old.into_iter().filter(|(key, _)| !key.ends_with("_key")).collect();
        assert_eq!(current, others, "{name}: the other members remain");
        let unchanged = [state, subject, signing].iter().all(|key| matches!(key, Same));
        assert_eq!(previous, (!unchanged).then_some(stored), "{name}: a new version only if there is something new");
    }
}

/// The algorithm of the ID tokens that the provider makes with a secret, and somebody's `sub` in them.
fn served_with(secret: &Map<String, Value>) -> (&'static str, String) {
    let (provider, faults) = Provider::read(Members {
        relying_parties: secret.get("relying_parties"),
        state_key: secret.get("state_key").and_then(Value::as_str),
        signing_key: secret.get("signing_key"),
        subject_key: secret.get("subject_key"),
    });
    let provider = provider.unwrap_or_else(|| panic!("{faults:?}"));
    (provider.signing_key.algorithm(), provider.subject_key.subject("shop", "+34600000001"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_keep_their_sub_whatever_is_done() {
    let manager = SecretsManager::new().await;
    let folder = folder("sub");
    let shop = json!({
        "client_id": "shop",
        "client_secret": "hush: shared with the shop, and long",
        "redirect_uris": ["https://shop.example/callback"],
    });
    manager.store("sub", &secret(&json!({ "state_key": STATE_KEY, "relying_parties": [shop] }))).await;
    let (algorithm, sub) = served_with(&manager.read("sub").await.current);
    assert_eq!(algorithm, "ES256", "the derived key");
    for rotate in ["", "state", "signing", "state"] {
        let variables = [("SECRET", "sub"), ("AWS_REGION", "eu-west-1"), ("ROTATE", rotate)];
        let (success, said) = manager.make_keys(&folder, &variables).await;
        assert!(success, "{rotate}: {said}");
        assert_eq!(served_with(&manager.read("sub").await.current), ("RS256", sub.clone()), "{rotate}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_secret_is_that_of_the_stack_in_samconfig() {
    let manager = SecretsManager::new().await;
    let folder = folder("stack");
    let arn = &*manager.store("number-verification", &secret(&json!({}))).await;
    let stack = json!({
        "Parameters": {},
        "Resources": { "Log": { "Type": "AWS::Logs::LogGroup", "Properties": { "LogGroupName": "x" } } },
        "Outputs": { "ClientSecretArn": { "Value": arn } },
    });
    let template = folder.join("stack.yaml");
    std::fs::write(&template, stack.to_string()).unwrap();
    tools::cloudformation(&["deploy", &manager.url, template.to_str().unwrap()]).await;

    let (success, said) = manager.make_keys(&folder, &[]).await;
    let line = "make keys: samconfig.toml is missing; run `make deploy`, or set SECRET to a secret's name or ARN.\n";
    assert_eq!((success, &*said), (false, line));

    let config = "[default.global.parameters]\nstack_name = \"number-verification\"\nregion = \"eu-west-1\"\n";
    std::fs::write(folder.join("samconfig.toml"), config).unwrap();
    for (name, variables) in [
        ("the stack's", &[][..]),
        // The region is the ARN's own.
        ("by its ARN", &[("SECRET", arn), ("AWS_REGION", "us-east-1"), ("ROTATE", "signing")]),
    ] {
        let before = manager.read(arn).await.current.remove("signing_key");
        let (success, said) = manager.make_keys(&folder, variables).await;
        assert!(success && said.starts_with(arn), "{name}: {said}");
        let after = manager.read(arn).await.current.remove("signing_key");
        assert!(after.is_some() && after != before, "{name}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_have_keys_is_refused_in_one_line_and_stays() {
    let manager = SecretsManager::new().await;
    let folder = folder("refused");
    let object = secret(&json!({}));
    for (id, value, rotate, line) in [
        ("bare", "hush", "", "make keys: bare is not a JSON object, so it cannot have keys. Nothing was changed.\n"),
        (
            "list",
            "[\"hush\"]",
            "",
            "make keys: list is not a JSON object, so it cannot have keys. Nothing was changed.\n",
        ),
        (
            "cut-off",
            "{\"a\":\"hush",
            "",
            "make keys: cut-off is not a JSON object, so it cannot have keys. Nothing was changed.\n",
        ),
        ("rotate", &object, "subject", "make keys: ROTATE must be signing, state or client, not 'subject'.\n"),
    ] {
        manager.store(id, value).await;
        let (success, said) =
            manager.make_keys(&folder, &[("SECRET", id), ("AWS_REGION", "eu-west-1"), ("ROTATE", rotate)]).await;
        assert_eq!((success, &*said), (false, line), "{id}");
        assert_eq!(manager.version(id, "AWSCURRENT").await.as_deref(), Some(value), "{id}");
    }
    let (success, said) = manager.make_keys(&folder, &[("SECRET", "unknown"), ("AWS_REGION", "eu-west-1")]).await;
    assert!(!success && said.starts_with("make keys: An error occurred (ResourceNotFoundException)"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// The JWK Set that is shown, and the `kid` of each key in it.
fn shown_keys(said: &str) -> (Value, Vec<String>) {
    let line = said.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("no JWK Set: {said}"));
    let set: Value = serde_json::from_str(line).unwrap();
    let kids = set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
    (set, kids)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn key_of_the_client_is_announced_before_it_is_used_and_only_its_public_half_is_shown() {
    let manager = SecretsManager::new().await;
    let folder = folder("client");
    let es = json!({ "client_id": "a", "client_secret": "hush: es" });
    let fr = json!({ "client_id": "b", "client_secret": "hush: fr" });
    let several = json!({ "state_key": STATE_KEY, "operators": { "es": es, "fr": fr } }).to_string();
    for (id, value, operator) in [("one", secret(&json!({})), ""), ("several", several, "fr")] {
        let arn = manager.store(id, &value).await;
        let variables = [("SECRET", &*arn), ("ROTATE", "client"), ("OPERATOR", operator)];
        let client = |secret: &Map<String, Value>| match operator {
            "" => Value::from(secret.clone()),
            name => secret["operators"][name].clone(),
        };
        let run = async || {
            let (success, said) = manager.make_keys(&folder, &variables).await;
            assert!(success && !said.contains("hush"), "{id}: {said}");
            let Versions { current, .. } = manager.read(&arn).await;
            let client = client(&current);
            for name in ["private_key", "next_private_key"] {
                let private = client[name]["d"].as_str().unwrap_or("hush");
                assert!(!said.contains(private), "{id}: it shows {name}: {said}");
            }
            (said, current, client)
        };

        let (said, _, client) = run().await;
        let key = PrivateKey::parse(&client["private_key"]).unwrap();
        let (shown, kids) = shown_keys(&said);
        assert_eq!(shown, json!({ "keys": [key.public_key().to_jwk()] }), "{id}: as the function publishes it");
        assert_eq!((key.algorithm(), kids[0].as_str()), ("ES256", key.public_key().thumbprint()), "{id}");
        let pem = said.split_once("-----BEGIN PUBLIC KEY-----").unwrap().1.split_once("-----END").unwrap().0;
        let der = base64::prelude::BASE64_STANDARD.decode(pem.replace('\n', "")).unwrap();
        let x = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(shown["keys"][0]["x"].as_str().unwrap()).unwrap();
        assert!(der.windows(32).any(|window| window == x), "{id}: the PEM is the same key");

        let (said, current, client) = run().await;
        let next = &client["next_private_key"];
        let announced = PrivateKey::parse(next).unwrap().public_key();
        assert_eq!(shown_keys(&said).1, [announced.thumbprint(), &kids[0]], "{id}: both are for the operator");
        assert!(said.contains("signs nothing yet") && client["private_key"]["kid"] == kids[0], "{id}: {said}");

        let (said, _, client) = run().await;
        assert_eq!((&client["private_key"], &client["next_private_key"]), (next, &Value::Null), "{id}");
        assert!(said.contains("replaced by next_private_key") && !said.contains("kty"), "{id}: {said}");

        // Everything else stays.
        let old: Map<String, Value> = serde_json::from_str(&value).unwrap();
        for (name, value) in old.iter().filter(|(name, _)| *name != "operators") {
            assert_eq!(&current[name], value, "{id}: {name}");
        }
        if !operator.is_empty() {
            assert_eq!(current["operators"]["es"], old["operators"]["es"]);
        }
    }
    let (success, said) =
        manager.make_keys(&folder, &[("SECRET", "several"), ("AWS_REGION", "eu-west-1"), ("ROTATE", "client")]).await;
    let line = "make keys: the secret has several operators; set OPERATOR to es or fr. Nothing was changed.\n";
    assert_eq!((success, &*said), (false, line));
}

/// The operator of a client with an older key gets both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_present_key_is_shown_as_the_function_publishes_it() {
    let manager = SecretsManager::new().await;
    let folder = folder("present");
    let rsa: Value = serde_json::from_str(include_str!("../../../benches/side_by_side/src/rfc7515_a2.json")).unwrap();
    let mut named = rsa.clone();
    named["kid"] = "my-key".into();
    named["alg"] = "PS256".into();
    let pem = sandbox::Sandbox::start(sandbox::Settings::default()).await.unwrap().private_key_pem();
    for (id, key) in [("pem", json!(pem)), ("jwk", rsa.clone()), ("text", json!(rsa.to_string())), ("named", named)] {
        manager.store(id, &secret(&json!({ "private_key": key }))).await;
        let variables = [("SECRET", id), ("AWS_REGION", "eu-west-1"), ("ROTATE", "client")];
        let (success, said) = manager.make_keys(&folder, &variables).await;
        assert!(success, "{id}: {said}");
        let published = PrivateKey::parse(&key).unwrap().public_key().to_jwk();
        assert_eq!(shown_keys(&said).0["keys"][1], published, "{id}");
    }
    for (id, key) in
        [("not-a-key", json!("hush")), ("another-curve", json!({ "kty": "OKP", "crv": "Ed25519", "d": "hush" }))]
    {
        manager.store(id, &secret(&json!({ "private_key": key }))).await;
        let variables = [("SECRET", id), ("AWS_REGION", "eu-west-1"), ("ROTATE", "client")];
        let (success, said) = manager.make_keys(&folder, &variables).await;
        let line = "make keys: the present private_key is not a key that the function can use. Nothing was changed.\n";
        assert_eq!((success, &*said), (false, line), "{id}");
    }
}
