"""What is read of a Dockerfile, and what all of ours have in common."""

import tomllib
from pathlib import Path

import pytest

from imagebuilder.dockerfile import last_stage
from imagebuilder.errors import BuildFailed
from imagebuilder.service import Service, services

ROOT = Path(__file__).parents[3]
SERVICES = services(ROOT)
TEXT = """\
ARG BASE=debian
FROM ${BASE} AS build
RUN make   # what an earlier stage does is not read
FROM ${BASE}
ARG VERSION=1
# a remark
LABEL title="some thing" \\
    version="${VERSION}"
COPY --from=build /app /app
COPY notes /notes
ENV PATH=/app/bin:$PATH A=1
USER 65532:65532
EXPOSE 80 81/udp
HEALTHCHECK --interval=1m30s --timeout=500ms --retries=3 CMD ["check", "me"]
ENTRYPOINT ["run"]
CMD ["--now"]
"""


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    path = tmp_path / "Dockerfile"
    path.write_text(TEXT)
    return path


def test_the_last_stage_is_read(dockerfile: Path) -> None:
    stage = last_stage(dockerfile, {"VERSION": "2"}, {"PATH": "/bin", "LANG": "C"})
    assert stage.copies == [("build", "/app", "/app"), ("", "notes", "/notes")]
    assert stage.config == {
        "Labels": {"title": "some thing", "version": "2"},
        "Env": ["PATH=/app/bin:/bin", "LANG=C", "A=1"],
        "User": "65532:65532",
        "ExposedPorts": {"80/tcp": {}, "81/udp": {}},
        "Healthcheck": {
            "Test": ["CMD", "check", "me"],
            "Interval": 90_000_000_000,
            "Timeout": 500_000_000,
            "Retries": 3,
        },
        "Entrypoint": ["run"],
        "Cmd": ["--now"],
    }


def test_defaults_of_arguments_hold_where_none_are_given(dockerfile: Path) -> None:
    assert last_stage(dockerfile, {}, {}).config["Labels"]["version"] == "1"


def test_what_needs_an_engine_is_refused_with_its_line(dockerfile: Path) -> None:
    dockerfile.write_text(TEXT + "RUN make\n")
    with pytest.raises(BuildFailed, match=r"Dockerfile:17: RUN in the last stage needs an engine"):
        last_stage(dockerfile, {}, {})


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_an_image_of_ours_runs_as_nobody_and_says_what_it_is(service: Service) -> None:
    config = last_stage(service.dockerfile, {}, {"PATH": "/bin"}).config
    project = tomllib.loads((service.folder / "pyproject.toml").read_text())["project"]
    labels = {name.rpartition(".")[2]: value for name, value in config["Labels"].items()}
    assert labels["title"] == service.name
    assert labels["description"] == project["description"]
    assert labels["version"] == project["version"]
    assert labels["licenses"] == project["license"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == [service.name]
    assert "Healthcheck" in config or service.name == "ks-installer"


def shape(service: Service) -> list[str]:
    """The instructions of its Dockerfile without what is the service's own."""
    text = service.dockerfile.read_text().replace("\\\n", "")
    own = str(service.folder.relative_to(ROOT))
    lines = text.replace(service.name, "NAME").replace(own, "PATH").splitlines()
    settings = ("EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD", "LABEL", "ARG NPM_", "COPY k8s ", "# ")
    return [line for line in lines if not line.startswith(settings)]


def test_all_are_built_in_one_way() -> None:
    shapes = {name: shape(service) for name, service in SERVICES.items()}
    assert len(shapes) == 6
    for name, lines in shapes.items():
        assert lines == shapes["ks-account"], name


def test_the_builder_of_images_is_the_locked_one() -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    (version,) = (package["version"] for package in locked if package["name"] == "uv")
    assert f"uv=={version}\n" in SERVICES["ks-account"].dockerfile.read_text()
    assert f"uv_version={version}\n" in (ROOT / "tools/bootstrap").read_text()
