"""`make deploy`: builds, deploys, and says what is left to do.

What it cannot know it asks the first time, and keeps the answers in samconfig.toml, where any other parameter of
template.yaml can be added. Without a terminal the answers are the variables STACK_NAME, AWS_REGION and OPERATOR. With
ZIP, the path of a released zip, it deploys the program in there and builds nothing. STAGE names another environment of
samconfig.toml than `default`; examples/ci/samconfig.toml has two.
"""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

import boto3  # comes with sam
from samcli.yamlhelper import yaml_parse

CONFIG = Path("samconfig.toml")
TEMPLATE = Path("template.yaml")
PACKAGE = Path("target/lambda/number-verification")
PROGRAM = PACKAGE / "bootstrap"
STACK = "number-verification"
STAGE = os.environ.get("STAGE") or "default"
OPERATORS = "telefonica-sandbox, orange-playground, konera, or the https address below which yours has /authorize"
ELF_MACHINES = {"arm64": 0xB7, "x86_64": 0x3E}


def main():
    try:
        show(deployed())
    except (EOFError, KeyboardInterrupt):
        sys.exit("\nStopped.")


def deployed():
    """Deploys what samconfig.toml describes, and returns the stack's outputs."""
    archive = os.environ.get("ZIP")
    architecture = os.environ.get("ARCH")
    if archive:
        unpack(Path(archive))
        architecture = architecture or processor(PROGRAM)
    if not CONFIG.exists():
        first_time(architecture or "arm64")
    stack, parameters = settings(CONFIG.read_text(encoding="utf-8"), architecture)
    architecture = parameters["Architecture"]
    if not archive:
        run("make", "--no-print-directory", "build", f"ARCH={architecture}")
    if processor(PROGRAM) != architecture:
        sys.exit(f"{archive or PROGRAM} is not a program for {architecture}. Nothing was deployed.")
    pack(PACKAGE, parameters)
    deploy(parameters)
    return outputs(stack)


def unpack(archive):
    """Puts the program of a released zip where `make build` puts one, if it is what SHA256SUMS beside it says."""
    try:
        sums = archive.with_name("SHA256SUMS")
        expected = sums.read_text(encoding="utf-8").split() if sums.exists() else []
        if expected and hashlib.sha256(archive.read_bytes()).hexdigest() not in expected:
            sys.exit(f"{sums} does not have the checksum of {archive}: download both again. Nothing was deployed.")
        with zipfile.ZipFile(archive) as package:
            program = package.read("bootstrap")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        sys.exit(f"{archive} is not a zip of a release: {error}. Nothing was deployed.")
    PACKAGE.mkdir(parents=True, exist_ok=True)
    PROGRAM.unlink(missing_ok=True)  # cargo-lambda may have linked it to Cargo's own file.
    PROGRAM.write_bytes(program)
    PROGRAM.chmod(0o755)


def processor(program):
    """For which of Lambda's processors a program is, if for any."""
    head = program.read_bytes()[:20]
    machine = int.from_bytes(head[18:], "little") if head[:4] == b"\x7fELF" else None
    return next((name for name, number in ELF_MACHINES.items() if number == machine), None)


def first_time(architecture):
    if STAGE != "default":
        sys.exit(f"{CONFIG} is missing, and with it the stage {STAGE}.")
    answers = {
        "STACK_NAME": os.environ.get("STACK_NAME") or STACK,
        "AWS_REGION": os.environ.get("AWS_REGION") or boto3.Session().region_name,
        "OPERATOR": os.environ.get("OPERATOR"),
    }
    missing = [name for name, answer in answers.items() if not answer]
    if missing and not sys.stdin.isatty():
        sys.exit(f"make deploy: there is no terminal to ask on; set {' and '.join(missing)}.")
    region = answers["AWS_REGION"] or ask("AWS region")
    operator = answers["OPERATOR"] or ask("Operator", "telefonica-sandbox", OPERATORS)
    parameter = "OperatorBaseUrl" if "://" in operator else "Operator"
    for answer in (answers["STACK_NAME"], region, operator):
        if not fits(answer):
            sys.exit(f"make deploy: {answer!r} has a character that no stack name, region or operator has.")
    CONFIG.write_text(
        f"""version = 0.1

[default.global.parameters]
stack_name = "{answers["STACK_NAME"]}"
region = "{region}"

[default.deploy.parameters]
capabilities = "CAPABILITY_IAM"
resolve_s3 = true
fail_on_empty_changeset = false
tags = "application={STACK}"
# Any parameter of template.yaml can stand here. One that is taken out goes back to its default.
parameter_overrides = [
    "Architecture={architecture}",
    "{parameter}={operator}",
]
""",
        encoding="utf-8",
    )


def ask(what, default=None, help=None):
    if help:
        print(f"{what}: {help}.")
    while True:
        answer = input(f"{what}{f' [{default}]' if default else ''}: ").strip() or default
        if answer and fits(answer):
            return answer


def fits(answer):
    """Whether it can stand in a quoted string of samconfig.toml."""
    return answer.isprintable() and not set(answer) & set(" \"'\\")


def settings(config, architecture):
    """Which stack to deploy, and the value of every parameter.

    A parameter that is not given to `sam deploy` keeps the value of the deployment before, so all of them are given.
    """
    environment, stack = read(config)
    given = overrides(environment.get("deploy", {}).get("parameters", {}).get("parameter_overrides", []))
    if architecture:
        given["Architecture"] = architecture
    known = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Parameters"]
    if unknown := sorted(given.keys() - known.keys()):
        sys.exit(f"{CONFIG} sets {', '.join(unknown)}, which {TEMPLATE} does not have.")
    values = {name: str(given.get(name, parameter["Default"])) for name, parameter in known.items()}
    if values["Architecture"] not in ELF_MACHINES:
        sys.exit(f"Architecture must be one of {', '.join(ELF_MACHINES)}, not {values['Architecture']!r}.")
    return stack, values


def read(config):
    """samconfig.toml's environment, and in it the stack's name and region."""
    try:
        environments = tomllib.loads(config)
        if STAGE != "default" and STAGE not in environments:
            sys.exit(f"{CONFIG} does not have the stage {STAGE}.")
        environment = environments[STAGE]
        stack = environment["global"]["parameters"]
        stack["stack_name"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        sys.exit(f"{CONFIG} cannot be used ({error}); move it away and run `make deploy` again to get a new one.")
    return environment, stack


def overrides(setting):
    """`parameter_overrides` in each of the forms that sam takes: a table, a list, or the one string that it writes itself."""
    if isinstance(setting, dict):
        return dict(setting)
    setting = shlex.split(setting) if isinstance(setting, str) else setting
    return dict(override.split("=", 1) for override in setting)


def pack(folder, parameters):
    """Leaves in the folder what Lambda gets: the program, and a hash of everything that is set.

    SAM publishes a version if the package changed, or the template's own text, but not if only a parameter did. And
    Lambda publishes none if neither package nor settings changed. With this file, both see every change.
    """
    for other in folder.iterdir():
        if other.name != "bootstrap":
            shutil.rmtree(other) if other.is_dir() else other.unlink()
    settings = json.dumps([TEMPLATE.read_text(encoding="utf-8"), parameters], sort_keys=True)
    (folder / "settings.sha256").write_text(hashlib.sha256(settings.encode()).hexdigest() + "\n", encoding="ascii")


def deploy(parameters):
    # In a file that only this user can read: arguments are seen by every process.
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        json.dump(parameters, file)
        file.flush()
        # Not the template that a `sam build` may have left in .aws-sam.
        stage = ("--config-file", str(CONFIG.absolute()), "--config-env", STAGE)
        template = ("--template-file", str(TEMPLATE))
        run("sam", "deploy", *stage, *template, "--parameter-overrides", f"file://{file.name}")


def run(*command):
    ended = subprocess.run(command).returncode
    if ended != 0:
        sys.exit(ended)


def outputs(stack):
    cloudformation = boto3.client("cloudformation", region_name=stack.get("region"))
    described = cloudformation.describe_stacks(StackName=stack["stack_name"])["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def show(outputs):
    print(f"\nRegister this with the operator as redirect_uri:\n\n    {outputs['CallbackUrl']}\n")
    if "StoreClientSecret" in outputs:
        print("Store the client_id and client_secret it gives you (asks for both, shows neither):\n")
        print(f"    {outputs['StoreClientSecret']}\n")
    if "DomainTarget" in outputs:
        print(f"Unless HostedZoneId is set, point your domain (CNAME) at:\n\n    {outputs['DomainTarget']}\n")
    print(f"Then open:\n\n    {outputs['StartUrl']}\n")


if __name__ == "__main__":
    main()
