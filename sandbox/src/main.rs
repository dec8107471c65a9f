//! `sandbox`: flags in, a running [`Sandbox`] out, until Ctrl-C.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use sandbox::{Sandbox, Settings};

const USAGE: &str = "\
An operator of the Number Verification API and a Secrets Manager, on one local port.

sandbox [--listen ADDRESS] [--port PORT] [--client-id ID] [--client-secret SECRET] [--private-key]
        [--secret-members JSON] [--redirect-uri URL]... [--tls-ca-file FILE]

  --listen          127.0.0.1 unless given; 0.0.0.0 for a container, and for everyone on your network
  --port            9901 unless given; 0 takes any free one
  --client-id       my-app-id unless given
  --client-secret   my-app-secret unless given
  --private-key     put the client's private key into the secret, for operator tokens
  --secret-members  a JSON object: further members of the secret in Secrets Manager
  --redirect-uri    where the operator may redirect to, can be repeated; anywhere unless given
  --tls-ca-file     serve https, and write the authority's certificate there, for OPERATOR_CA_FILE
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (settings, ca_file) = match settings(std::env::args().skip(1)) {
        Ok(Some(settings)) => settings,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(fault) => {
            eprintln!("sandbox: {fault}; see sandbox --help");
            return ExitCode::from(2);
        }
    };
    let address = std::net::SocketAddr::from((settings.listen, settings.port));
    match Sandbox::start(settings).await {
        Ok(sandbox) => {
            if let (Some(path), Some(pem)) = (&ca_file, sandbox.ca_pem())
                && let Err(error) = std::fs::write(path, pem)
            {
                eprintln!("sandbox: cannot write {path}: {error}; choose another with --tls-ca-file");
                return ExitCode::FAILURE;
            }
            println!("sandbox: {}", sandbox.base_url());
            until_told_to_stop().await;
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("sandbox: cannot listen on {address}: {error}; choose another with --listen or --port");
            ExitCode::FAILURE
        }
    }
}

/// The settings, and the path for the authority's certificate. `None` if help was requested.
fn settings(mut arguments: impl Iterator<Item = String>) -> Result<Option<(Settings, Option<String>)>, String> {
    let mut ca_file = None;
    let mut settings = Settings { port: 9901, print: true, ..Settings::default() };
    while let Some(flag) = arguments.next() {
        if flag == "--help" || flag == "-h" {
            return Ok(None);
        }
        let mut value = || arguments.next().ok_or_else(|| format!("{flag} needs a value"));
        match flag.as_str() {
            "--listen" => {
                let address = value()?;
                settings.listen =
                    address.parse().map_err(|_| format!("--listen must be an IP address, not '{address}'"))?;
            }
            "--port" => {
                let port = value()?;
                settings.port = port.parse().map_err(|_| format!("--port must be 0 to 65535, not '{port}'"))?;
            }
            "--client-id" => settings.client_id = value()?,
            "--client-secret" => settings.client_secret = value()?,
            "--private-key" => settings.private_key = true,
            "--secret-members" => {
                settings.secret_members = serde_json::from_str(&value()?)
                    .map_err(|error| format!("--secret-members must be a JSON object: {error}"))?;
            }
            "--redirect-uri" => settings.registered_redirect_uris.push(value()?),
            "--tls-ca-file" => {
                ca_file = Some(value()?);
                settings.tls = true;
            }
            _ => return Err(format!("'{flag}' is not a flag")),
        }
    }
    Ok(Some((settings, ca_file)))
}

/// Waits for Ctrl-C, or for SIGTERM from a supervisor. A signal that cannot be listened to ends the process anyway.
async fn until_told_to_stop() {
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();

    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
