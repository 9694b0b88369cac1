"""The house rules of docker-compose.yml and Dockerfile.airflow, read as files; with docker-compose here, by its own reading too.

Needs no Docker engine. Run with Airflow's Python, which has a reader of YAML: `$STREAMFLOW_AIRFLOW_PYTHON -m pytest tests/compose`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
VARIANTS = {
    "kraft": ["docker-compose.yml"],
    "zookeeper": ["docker-compose.yml", "docker-compose.zookeeper.yml"],
}
FILES = sorted({name for names in VARIANTS.values() for name in names})
DOCKERFILE = (REPOSITORY / "Dockerfile.airflow").read_text()
# `${NAME:-default}`, the one form in which these files ask for a variable.
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+):-([^}]*)\}")

PROFILES_OF_CHOICE = {"store": "stream", "confluent-control-center": "confluent"}
ONCE = {"init", "airflow-init"}
WHOLE_MEMORY_MIB = 8192

OFFICIAL = {
    "apache/airflow",
    "apache/kafka",
    "apache/spark",
    "cassandra",
    "confluentinc/cp-enterprise-control-center",
    "confluentinc/cp-kafka",
    "confluentinc/cp-schema-registry",
    "confluentinc/cp-zookeeper",
    "debian",
    "postgres",
    "rust",
}
OUR_IMAGES = {"streamflow-programs", "streamflow-airflow"}


def text_of(name: str) -> str:
    return (REPOSITORY / name).read_text()


@cache
def read(name: str) -> dict[str, Any]:
    return yaml.safe_load(text_of(name))


def as_set(text: str) -> str:
    """With the defaults in the place of the variables."""
    return VARIABLE.sub(lambda found: found[2], text)


@cache
def merged(variant: str) -> dict[str, dict[str, Any]]:
    """The services of a variant, as Compose puts its files together where these rules look."""
    services: dict[str, dict[str, Any]] = {}
    for name in VARIANTS[variant]:
        for service, settings in yaml.safe_load(as_set(text_of(name)))["services"].items():
            known = services.setdefault(service, {})
            for key, value in settings.items():
                together = isinstance(value, dict) and isinstance(known.get(key), dict)
                known[key] = {**known[key], **value} if together else value
    return services


every_variant = pytest.mark.parametrize("variant", VARIANTS)
every_file = pytest.mark.parametrize("name", FILES)


@every_file
def test_is_readable_by_old_and_new_compose(name):
    document = read(name)
    assert not {"name", "version"} & set(document), "docker-compose 1.29 refuses `name`, Compose 2 warns of `version`"
    assert not re.search(r"!(reset|override)\b", text_of(name).partition("services:")[2])


@every_variant
def test_has_the_services_of_the_tutorials(variant):
    services = merged(variant)
    wanted = "postgres kafka schema-registry cassandra init api store airflow-init airflow-apiserver airflow-scheduler \
        airflow-dag-processor airflow-triggerer spark-master spark-worker control-center confluent-control-center"
    assert set(wanted.split()) | ({"zookeeper"} if variant == "zookeeper" else set()) == set(services)
    assert {name: s["profiles"][0] for name, s in services.items() if "profiles" in s} == PROFILES_OF_CHOICE


@every_variant
def test_images_are_official_and_pinned(variant):
    for name, service in merged(variant).items():
        repository, _, tag = service["image"].rpartition(":")
        if repository in OUR_IMAGES:
            assert service["pull_policy"] == "never", f"{name}: no registry has an image of that name that is ours"
            continue
        assert repository in OFFICIAL, name
        assert re.match(r"\d", tag), f"{name}: {tag} is no version"
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    for image in stages:
        repository, _, tag = image.rpartition(":")
        assert repository in OFFICIAL and tag != "latest", image


def test_the_client_of_spark_is_of_the_clusters_version():
    services = merged("kraft")
    images = {services["spark-master"]["image"], services["spark-worker"]["image"]}
    assert images == set(re.findall(r"^FROM (\S*spark\S*)", DOCKERFILE, re.M))


@every_variant
def test_each_image_of_ours_is_built_by_one_service(variant):
    # Two builds of one name at the same time are an error of newer engines.
    builders = [service["image"] for service in merged(variant).values() if "build" in service]
    assert sorted(builders) == sorted(f"{image}:compose" for image in OUR_IMAGES)


@every_variant
def test_ports_are_opened_on_the_chosen_address_only(variant):
    # In the text, since the address is a variable.
    for name in VARIANTS[variant]:
        for service, settings in read(name)["services"].items():
            for port in settings.get("ports", []):
                assert re.fullmatch(r"\$\{STREAMFLOW_BIND:-127\.0\.0\.1\}:\$\{STREAMFLOW_PORT_[A-Z_]+:-\d+\}:\d+", port), service
            assert settings.get("network_mode") is None, service


@every_variant
def test_the_worker_can_be_scaled(variant):
    assert not {"container_name", "ports", "hostname"} & set(merged(variant)["spark-worker"])


@every_variant
def test_no_service_has_rights_that_it_does_not_need(variant):
    for name, service in merged(variant).items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"cap_add", "privileged", "pid", "devices", "container_name"} & set(service), name
        assert "docker.sock" not in str(service), name
        for volume in service.get("volumes", []):
            assert not volume.startswith((".", "/")) or volume.endswith(":ro"), f"{name} may write to {volume}"


@every_variant
def test_logs_are_bounded(variant):
    for name, service in merged(variant).items():
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}, name


@every_variant
def test_what_runs_on_is_started_again_and_examined(variant):
    for name, service in merged(variant).items():
        if name in ONCE:
            assert service["restart"] == "no" and "healthcheck" not in service, name
            continue
        assert service["restart"] == "unless-stopped", name
        check = service["healthcheck"]
        assert check["test"][0] in ("CMD", "CMD-SHELL"), name
        assert {"interval", "timeout", "retries", "start_period"} <= set(check), name


@every_variant
def test_each_waits_for_what_it_needs(variant):
    services = merged(variant)
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed in ONCE else "service_healthy"
            assert how == {"condition": wanted}, f"{name} → {needed}"
            assert "profiles" not in services[needed], f"{name} needs {needed}, which is not always there"


@every_variant
def test_the_whole_stands_in_eight_gigabytes(variant):
    limits = {name: service["mem_limit"] for name, service in merged(variant).items()}
    mib = {name: int(re.fullmatch(r"(\d+)m", limit)[1]) for name, limit in limits.items()}
    at_once = {name: size for name, size in mib.items() if name not in ONCE | set(PROFILES_OF_CHOICE)}
    assert sum(at_once.values()) <= WHOLE_MEMORY_MIB, f"{sum(at_once.values())} MiB: {at_once}"


@every_variant
def test_volumes_are_declared_and_used(variant):
    declared = {volume for name in VARIANTS[variant] for volume in read(name)["volumes"]}
    used = {
        volume.partition(":")[0]
        for name in VARIANTS[variant]
        for service in read(name)["services"].values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert used == declared


def test_the_example_of_env_names_each_variable_with_its_default():
    asked: dict[str, str] = {}
    for name in FILES:
        text = "\n".join(line for line in text_of(name).splitlines() if not line.lstrip().startswith("#"))
        assert len(re.findall(r"(?<!\$)\$\{", text)) == len(VARIABLE.findall(text)), "a variable without a default"
        for variable, default in VARIABLE.findall(text):
            assert asked.setdefault(variable, default) == default, f"{variable} has two defaults"
    example = dict(re.findall(r"^#?([A-Z_][A-Z0-9_]*)=(.*)$", text_of(".env.example"), re.M))
    assert example == asked
    assert not re.search(r"^[A-Z_]", text_of(".env.example"), re.M), "a copy of it changes nothing"


def test_no_key_stands_in_a_file():
    for name in [*FILES, ".env.example", "Dockerfile.airflow"]:
        for line in text_of(name).splitlines():
            secret = re.search(r"(?i)(FERNET_KEY|SECRET_KEY|JWT_SECRET|TOKEN|PRIVATE_KEY)\w*\s*[:=]\s*(.*)", line)
            assert not secret or secret[2].startswith("cat "), line
    assert "/.env" in text_of(".gitignore").split()


# The Dockerfile


def test_the_dockerfile_is_readable_by_every_builder():
    assert not re.search(r"^#\s*syntax=|^[^#].*--mount|<<\s*['\"]?[A-Z]+", DOCKERFILE, re.M)


def test_images_do_not_run_as_root():
    for stage in ("programs", "airflow"):
        lines = re.split(r"^FROM ", DOCKERFILE, flags=re.M)
        text = next(part for part in lines if re.match(rf"\S+ AS {stage}\n", part))
        assert re.findall(r"^USER (\S+)", text, re.M)[-1] in ("65532:65532", "airflow"), stage
    assert re.findall(r"^FROM \S+ AS (\S+)", DOCKERFILE, re.M)[-1] == "airflow", "without --target it makes Airflow's image"


def test_no_secret_and_no_folder_of_unknown_content_gets_into_a_layer():
    assert not re.search(r"^ADD\b|^ARG\b.*(PASSWORD|SECRET|TOKEN)|^COPY( --\S+)* \. ", DOCKERFILE, re.M)
    allowed = {line[1:] for line in text_of(".dockerignore").splitlines() if line.startswith("!")}
    assert text_of(".dockerignore").splitlines()[1] == "*", "what is not named stays out"
    copied = [
        source.split("/")[0]
        for words in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M)
        for source in words.split()[:-1]
        if not source.startswith("--")
    ]
    assert set(copied) == allowed


def test_packages_are_checked_by_hash():
    for command in re.findall(r"pip install[^\n]*", DOCKERFILE):
        assert "--require-hashes" in command
    wanted = set(text_of("docker/airflow-providers.in").split())
    assert set(re.findall(r"^(\S+==\S+)", text_of("docker/airflow-providers.txt"), re.M)) == wanted


def test_what_the_programs_are_compiled_from_is_copied():
    told = [REPOSITORY / "target/release" / f"{path.stem}.d" for path in (REPOSITORY / "src/bin").glob("*.rs")]
    assert all(path.exists() for path in told), "compile the programs first: cargo build --release"
    # As cargo tells it: `program: source source …`
    sources = {Path(word) for path in told for word in path.read_text().split(": ", 1)[1].split()}
    read = {source.relative_to(REPOSITORY).parts[0] for source in sources if source.is_relative_to(REPOSITORY)}
    assert {"src", "sql", "cql", "askama.toml"} <= read
    build = re.split(r"^FROM ", DOCKERFILE, flags=re.M)[1]
    copied = {word for words in re.findall(r"^COPY (.*) \S+$", build, re.M) for word in words.split()}
    assert read <= copied


def test_cargo_finds_every_target_that_its_manifest_names():
    # The dependencies are compiled for an empty crate, and cargo refuses a manifest whose files are not there.
    for kind in re.findall(r"^\[\[(\w+)\]\]", text_of("Cargo.toml"), re.M):
        folder = {"bin": "src", "bench": "benches", "test": "tests", "example": "examples"}[kind]
        first_build = DOCKERFILE.index("RUN mkdir -p src/bin")
        assert re.search(rf"^COPY {folder} {folder}$", DOCKERFILE[:first_build], re.M), f"Cargo.toml has [[{kind}]]: copy {folder} first"


def test_every_program_is_tried_when_its_image_is_made():
    programs = {path.stem for path in (REPOSITORY / "src" / "bin").glob("*.rs")}
    tried = re.search(r"for program in ((?:[a-z-]+ ?)+);", DOCKERFILE)[1].split()
    assert set(tried) == programs


# Docker Compose's own reading


def compose() -> list[str] | None:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and subprocess.run([*command, "version"], capture_output=True).returncode == 0:
            return command
    return None


@every_variant
def test_docker_compose_can_read_it(variant, tmp_path):
    command = compose()
    if command is None:
        pytest.skip("neither docker compose nor docker-compose is installed")
    # Somebody's own settings are not what is tested.
    environment = {name: value for name, value in os.environ.items() if name in ("HOME", "PATH")}
    env_file = tmp_path / "empty.env"
    env_file.touch()
    files = [word for name in VARIANTS[variant] for word in ("-f", str(REPOSITORY / name))]
    every_profile = [word for profile in PROFILES_OF_CHOICE.values() for word in ("--profile", profile)]
    done = subprocess.run(
        [*command, "--env-file", str(env_file), *files, *every_profile, "config"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stderr
    assert "WARN" not in done.stderr.upper(), done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == set(merged(variant))
