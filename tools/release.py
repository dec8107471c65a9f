"""`make release`: what is published of a release, for one processor, in target/release-set/ARCH.

    release.py ARCH [PROGRAM FOLDER]            for tests: of another program than that of `make build`, and elsewhere

    number-verification-VERSION-ARCH.zip        the program and the licences; Lambda takes it as it is, and so does
                                                `make deploy ZIP=…`
    number-verification-VERSION-ARCH.cdx.json   the crates that it is built from (CycloneDX)
    SHA256SUMS                                  the checksums of both

From one commit and one program come the same bytes.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
PACKAGE = "number-verification"
LICENCES = "THIRD-PARTY-LICENSES"
LICENCES_START = """The program contains, or was built with, the crates below, and Rust's standard library (Apache-2.0 OR MIT,
https://www.rust-lang.org). Of a choice of licences, one is here."""


def main(architecture, program=f"target/lambda/{PACKAGE}/bootstrap", folder="target/release-set"):
    if architecture not in TARGETS:
        sys.exit(f"make release: ARCH must be one of {', '.join(TARGETS)}, not {architecture!r}.")
    program = Path(program).read_bytes()
    crates, needs = built_from(TARGETS[architecture])
    name = f"{PACKAGE}-{crates[0][1]}-{architecture}"
    folder = Path(folder, architecture)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    bill = bill_of_materials(crates, needs, hashlib.sha256(program).hexdigest())
    (folder / f"{name}.cdx.json").write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    licences = third_party_licences(TARGETS[architecture])
    files = {"LICENSE": Path("LICENSE").read_bytes(), LICENCES: licences, "bootstrap": program}
    pack(folder / f"{name}.zip", files)
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(folder.iterdir())]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="ascii")
    for file in sorted(folder.iterdir()):
        print(f"{file.stat().st_size:>10,} bytes  {file}")


def pack(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, so that the permissions count
            entry.external_attr = (0o100755 if name == "bootstrap" else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, content)


def built_from(target):
    """The crates that a build for this target compiles, the product first, and which of them needs which.

    These are normal and build dependencies with the features that the product's own build has. Crates that only tests
    need, or other platforms, are not among them, although Cargo.lock has them.
    """
    tree = ["tree", "--package", PACKAGE, "--edges", "normal,build", "--target", target]
    lines = output("cargo", *tree, "--locked", "--prefix", "depth", "--format", " {p}").splitlines()
    needs, path = {}, []
    for line in lines:
        depth, name, version = re.match(r"(\d+) (\S+) v(\S+)", line).groups()
        path[int(depth) :] = [(name, version)]
        needs.setdefault(path[-1], set())
        if len(path) > 1:
            needs[path[-2]].add(path[-1])
    product = path[0]
    return [product, *sorted(needs.keys() - {product})], needs


def bill_of_materials(crates, needs, program_sha256):
    """CycloneDX 1.6. A crate's checksum is the one that Cargo.lock has of its archive; the product's is the program's."""
    metadata = json.loads(output("cargo", "metadata", "--locked", "--format-version", "1"))
    licences = {(package["name"], package["version"]): package["license"] for package in metadata["packages"]}
    lock = tomllib.loads(Path("Cargo.lock").read_text(encoding="utf-8"))
    checksums = {(package["name"], package["version"]): package.get("checksum") for package in lock["package"]}

    def component(crate, kind, sha256):
        name, version = crate
        component = {"type": kind, "bom-ref": reference(crate), "name": name, "version": version}
        if sha256:
            component["hashes"] = [{"alg": "SHA-256", "content": sha256}]
        if licences[crate]:
            # Some crates still separate alternatives as Cargo once had it.
            component["licenses"] = [{"expression": licences[crate].replace("/", " OR ")}]
        return component | {"purl": reference(crate)}

    product, *others = crates
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": output("git", "log", "-1", "--date=iso-strict-local", "--format=%cd", TZ="UTC").strip(),
            "component": component(product, "application", program_sha256),
        },
        "components": [component(crate, "library", checksums[crate]) for crate in others],
        "dependencies": [
            {"ref": reference(crate), "dependsOn": [reference(other) for other in sorted(needs[crate])]}
            for crate in crates
        ],
    }


def reference(crate):
    name, version = crate
    return f"pkg:cargo/{name}@{version.replace('+', '%2B')}"


def third_party_licences(target):
    """The licences of all crates, in full, as cargo-about finds them; which ones are allowed is in deny.toml."""
    accepted = tomllib.loads(Path("deny.toml").read_text(encoding="utf-8"))["licenses"]["allow"]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "about.toml")
        config.write_text(
            f"accepted = {json.dumps(accepted)}\ntargets = [{json.dumps(target)}]\nignore-dev-dependencies = true\n"
            # Further down are the licences of tests and examples.
            "max-depth = 1\n",
            encoding="utf-8",
        )
        about = ["about", "generate", "--offline", "--locked", "--fail", "--format", "json", "--config", str(config)]
        found = json.loads(output("cargo", *about))
    parts = [LICENCES_START]
    for licence in sorted(found["licenses"], key=lambda licence: (licence["id"], licence["text"])):
        users = [use["crate"] for use in licence["used_by"]]
        crates = sorted(f"{crate['name']} {crate['version']}" for crate in users if crate["name"] != PACKAGE)
        if crates:
            parts.append(f"{licence['name']}: {', '.join(crates)}\n\n{licence['text'].strip()}")
    for crate in found["crates"]:
        # Parts of it are under different licences, and only its own files say which, and whose.
        if " AND " in crate["license"]:
            root = Path(crate["package"]["manifest_path"]).parent
            for file in sorted([*root.glob("LICEN[CS]E*"), *root.glob("COPYRIGHT*")]):
                title = f"{crate['package']['name']} {crate['package']['version']}, {file.name}"
                parts.append(f"{title}\n\n{file.read_text(encoding='utf-8').strip()}")
    return f"\n\n{'=' * 120}\n\n".join(parts).encode() + b"\n"


def output(*command, **variables):
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=os.environ | variables)
    if ended.returncode != 0:
        sys.exit(f"make release: `{' '.join(command)}` failed.")
    return ended.stdout


if __name__ == "__main__":
    main(*sys.argv[1:])
