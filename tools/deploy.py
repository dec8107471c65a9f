"""`make deploy`: asks what it cannot know the first time, builds, deploys, and says what is left to do.

The answers are kept in samconfig.toml, where every other parameter of template.yaml can be added.
"""

import os
import shlex
import subprocess
import sys
import tomllib

import boto3  # comes with sam

CONFIG = "samconfig.toml"
STACK = "number-verification"
OPERATORS = "telefonica-sandbox, orange-playground, konera, or the https address below which yours has /authorize"


def main():
    try:
        if not os.path.exists(CONFIG):
            first_time()
        with open(CONFIG, "rb") as file:
            settings = tomllib.load(file)["default"]
        overrides = parameters(settings["deploy"]["parameters"])
        architecture = os.environ.get("ARCH") or overrides.get("Architecture", "arm64")
        overrides["Architecture"] = architecture
        print(f"Optimized build for {architecture}: about 4 minutes the first time.", flush=True)
        as_arguments = ["--parameter-overrides", *(f"{name}={quoted(value)}" for name, value in overrides.items())]
        sam("build", "--beta-features", *as_arguments)
        sam("deploy", *as_arguments)
        show(settings["global"]["parameters"])
    except (EOFError, KeyboardInterrupt):
        sys.exit("\nStopped.")


def first_time():
    region = boto3.Session().region_name or ask("AWS region")
    operator = ask("Operator", "telefonica-sandbox", OPERATORS)
    parameter = "OperatorBaseUrl" if "://" in operator else "Operator"
    with open(CONFIG, "w", encoding="utf-8") as file:
        file.write(
            f"""version = 0.1

[default.global.parameters]
stack_name = "{STACK}"
region = "{region}"

[default.deploy.parameters]
capabilities = "CAPABILITY_IAM"
resolve_s3 = true
fail_on_empty_changeset = false
tags = "application={STACK}"
# Any parameter of template.yaml can stand here.
parameter_overrides = [
    "Architecture={os.environ.get("ARCH") or "arm64"}",
    "{parameter}={operator}",
]
"""
        )


def ask(what, default=None, help=None):
    if help:
        print(f"{what}: {help}.")
    while True:
        answer = input(f"{what}{f' [{default}]' if default else ''}: ").strip() or default
        # It goes into a quoted string of samconfig.toml.
        if answer and answer.isprintable() and not set(answer) & set(" \"'\\"):
            return answer


def parameters(settings):
    overrides = settings.get("parameter_overrides", [])
    # sam itself writes one string.
    overrides = shlex.split(overrides) if isinstance(overrides, str) else overrides
    return dict(override.split("=", 1) for override in overrides)


def quoted(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def sam(*arguments):
    ended = subprocess.run(["sam", *arguments]).returncode
    if ended != 0:
        sys.exit(ended)


def show(settings):
    cloudformation = boto3.client("cloudformation", region_name=settings.get("region"))
    stack = cloudformation.describe_stacks(StackName=settings["stack_name"])["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    print(f"\nRegister this with the operator as redirect_uri:\n\n    {outputs['CallbackUrl']}\n")
    if "StoreClientSecret" in outputs:
        print("Store the client_id and client_secret it gives you (asks for both, shows neither):\n")
        print(f"    {outputs['StoreClientSecret']}\n")
    if "DomainTarget" in outputs:
        print(f"Unless Route 53 was told to, point your domain (CNAME) at:\n\n    {outputs['DomainTarget']}\n")
    print(f"Then open:\n\n    {outputs['StartUrl']}\n")


if __name__ == "__main__":
    main()
