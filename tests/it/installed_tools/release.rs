//! `make release`: what is in the zip, the checksums and the list of crates; and `sam publish` of the template.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use lambda_environment::read_message;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::tools;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const ARCHITECTURES: [(&str, &str); 2] =
    [("x86_64", "x86_64-unknown-linux-gnu"), ("arm64", "aarch64-unknown-linux-gnu")];
/// Stands for the program that `make build` builds.
const PROGRAM: &[u8] = b"\x7fELF and so on";

/// Runs what `make release` runs after the build, and returns the folder that it fills.
async fn release(architecture: &str, name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("release").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("bootstrap");
    std::fs::write(&program, PROGRAM).unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut release = Command::new(tools::tool("python"));
    release
        .args(["tools/release.py", architecture])
        .args([&program, &folder])
        .env("PATH", format!("{}/.tools/bin:{path}", env!("CARGO_MANIFEST_DIR")))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    tools::output(&mut release).await;
    folder.join(architecture)
}

/// The names of the files in a folder, with their contents.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())).collect()
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    digest(&SHA256, bytes).as_ref().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn release_has_a_zip_its_checksums_and_its_crates() {
    for (architecture, target) in ARCHITECTURES {
        let folder = release(architecture, "one").await;
        let files = files(&folder);
        let name = |ending: &str| format!("number-verification-{VERSION}-{architecture}.{ending}");
        assert_eq!(files.keys().collect::<Vec<_>>(), ["SHA256SUMS", &*name("cdx.json"), &*name("zip")]);

        let checksums =
            ["cdx.json", "zip"].map(|ending| format!("{}  {}\n", sha256(&files[&name(ending)]), name(ending)));
        assert_eq!(std::str::from_utf8(&files["SHA256SUMS"]).unwrap(), checksums.concat());

        let bill: Value = serde_json::from_slice(&files[&name("cdx.json")]).unwrap();
        let crates = crates_of(&bill);
        is_valid_cyclonedx(&folder.join(name("cdx.json"))).await;
        names_the_crates_of_cargo_lock(&bill, &crates, target).await;
        assert_eq!(bill["metadata"]["component"]["hashes"][0]["content"], sha256(PROGRAM));
        has_the_program_and_the_licences(&folder.join(name("zip")), &crates).await;
    }
}

/// Name and version of every crate that the bill of materials lists, without the product.
fn crates_of(bill: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let components = bill["components"].as_array().unwrap();
    components.iter().map(|component| (text(&component["name"]), text(&component["version"]))).collect()
}

/// The `CycloneDX` library that checkov brings has the schema.
async fn is_valid_cyclonedx(bill: &Path) {
    const VALIDATE: &str = "
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
sys.exit(error and str(error))
";
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/policy/bin/python");
    tools::output(Command::new(python).args(["-c", VALIDATE]).arg(bill)).await;
}

/// The crates of which Cargo builds the product for this target: each crate with its checksum, and with no dependency that Cargo.lock does
/// not have.
async fn names_the_crates_of_cargo_lock(bill: &Value, crates: &BTreeSet<(String, String)>, target: &str) {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--offline", "--package", "number-verification", "--edges", "normal,build"])
        .args(["--target", target, "--prefix", "none", "--format", "{p}"]);
    let built = tools::output(&mut tree).await;
    let built: BTreeSet<_> = built.lines().map(|line| line.split_once(" v").unwrap()).collect();
    let built: BTreeSet<_> = built
        .into_iter()
        .map(|(name, rest)| (name.to_owned(), rest.split(' ').next().unwrap().to_owned()))
        .filter(|(name, _)| name != "number-verification")
        .collect();
    assert!(built.len() > 100, "{built:?}");
    assert_eq!(*crates, built);

    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let locked: BTreeMap<_, _> = lock.split("\n[[package]]\n").skip(1).map(locked).collect();
    for component in bill["components"].as_array().unwrap() {
        let reference = component["purl"].as_str().unwrap();
        let sha256 = &component["hashes"][0]["content"];
        assert_eq!(sha256.as_str(), Some(&*locked[reference].checksum), "{reference}");
    }
    let entries = bill["dependencies"].as_array().unwrap();
    let references: BTreeSet<_> = entries.iter().map(|entry| entry["ref"].as_str().unwrap()).collect();
    assert_eq!(references.len(), crates.len() + 1, "an entry for each crate and the product");
    let mut needed = BTreeSet::from([format!("pkg:cargo/number-verification@{VERSION}")]);
    for entry in entries {
        let reference = entry["ref"].as_str().unwrap();
        for other in entry["dependsOn"].as_array().unwrap() {
            let other = other.as_str().unwrap();
            let (name, version) = other.trim_start_matches("pkg:cargo/").split_once('@').unwrap();
            let allowed = &locked[reference].needs;
            let with_version = format!("{name} {}", version.replace("%2B", "+"));
            assert!(allowed.contains(name) || allowed.contains(&with_version), "{reference} does not need {other}");
            needed.insert(other.to_owned());
        }
    }
    assert!(references.iter().all(|reference| needed.contains(*reference)), "a crate that nothing needs");
}

struct Locked {
    checksum: String,
    needs: BTreeSet<String>,
}

/// A package of Cargo.lock, under the name that the bill of materials has for it.
fn locked(package: &str) -> (String, Locked) {
    let field = |name: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'));
        line.unwrap_or_default().to_owned()
    };
    let needs = package.lines().filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\",")).map(str::to_owned);
    let reference = format!("pkg:cargo/{}@{}", field("name"), field("version").replace('+', "%2B"));
    (reference, Locked { checksum: field("checksum"), needs: needs.collect() })
}

async fn has_the_program_and_the_licences(zip: &Path, crates: &BTreeSet<(String, String)>) {
    const LIST: &str = "
import hashlib, json, sys, zipfile
package = zipfile.ZipFile(sys.argv[1])
entries = {entry.filename: [oct(entry.external_attr >> 16), entry.date_time[0], hashlib.sha256(package.read(entry)).hexdigest()]
           for entry in package.infolist()}
print(json.dumps({'entries': entries, 'licences': package.read('THIRD-PARTY-LICENSES').decode()}))
";
    let listed = tools::output(Command::new(tools::tool("python")).args(["-c", LIST]).arg(zip)).await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let licences = listed["licences"].as_str().unwrap();
    let licence = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/LICENSE")).unwrap();
    assert_eq!(
        listed["entries"],
        json!({
            "LICENSE": ["0o100644", 1980, sha256(&licence)],
            "THIRD-PARTY-LICENSES": ["0o100644", 1980, sha256(licences.as_bytes())],
            "bootstrap": ["0o100755", 1980, sha256(PROGRAM)],
        })
    );
    for (name, version) in crates {
        assert!(licences.contains(&format!("{name} {version}")), "the licence of {name} {version} is missing");
    }
    assert!(licences.contains("OpenSSL"), "the notices of aws-lc-sys's own LICENSE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_commit_and_program_make_the_same_bytes() {
    let (one, other) = (release("x86_64", "first").await, release("x86_64", "second").await);
    assert_eq!(files(&one), files(&other));
}

/// With a stand-in for the Serverless Application Repository, which moto does not have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sam_publish_accepts_the_packaged_template() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("publish");
    let _ = std::fs::remove_dir_all(&folder);
    let code = folder.join("target/lambda/number-verification");
    std::fs::create_dir_all(&code).unwrap();
    std::fs::write(code.join("bootstrap"), "the program").unwrap();
    for file in ["template.yaml", "LICENSE", "README.md"] {
        std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(file), folder.join(file)).unwrap();
    }
    let (_moto, moto) = tools::moto().await;
    tools::cloudformation(&["bucket", &moto, "artifacts"]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let repository = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = String::from_utf8(read_message(&mut stream).await.unwrap()).unwrap();
        let body =
            json!({ "applicationId": "arn:aws:serverlessrepo:eu-west-1:123456789012:applications/x" }).to_string();
        let head = format!("HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
        stream.write_all(format!("{head}\r\nconnection: close\r\n\r\n{body}").as_bytes()).await.unwrap();
        request
    });
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (template, packaged) = (path("template.yaml"), path("packaged.yaml"));
    let package =
        ["package", "--s3-bucket", "artifacts", "--template-file", &template, "--output-template-file", &packaged];
    for arguments in [&package[..], &["publish", "--template", &packaged]] {
        let mut sam = Command::new(tools::tool("sam"));
        sam.args(arguments)
            .env("AWS_ENDPOINT_URL", &moto)
            .env("AWS_ENDPOINT_URL_SERVERLESSAPPLICATIONREPOSITORY", &repository)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_DEFAULT_REGION", "eu-west-1")
            .env("SAM_CLI_TELEMETRY", "0");
        tools::output(&mut sam).await;
    }
    let asked = asked.await.unwrap();
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /applications "), "{head}");
    let application: Value = serde_json::from_str(body).unwrap();
    for (member, expected) in [
        ("name", json!("number-verification")),
        ("author", json!("number-verification")),
        ("spdxLicenseId", json!("Apache-2.0")),
        ("semanticVersion", json!(VERSION)),
    ] {
        assert_eq!(application[member], expected, "{member}");
    }
    for member in ["licenseUrl", "readmeUrl"] {
        let url = application[member].as_str().unwrap();
        assert!(url.starts_with("s3://artifacts/"), "{member}: {url}");
    }
    let published = application["templateBody"].as_str().unwrap();
    assert!(published.contains("CodeUri: s3://artifacts/"), "{published}");
}
