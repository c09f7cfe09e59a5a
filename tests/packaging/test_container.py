"""The container file, built and run without a registry: its base image is a Debian made by mmdebstrap."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.environments import run_whole
from tests.support.machines.packages import Packages
from tests.support.machines.releases import release_tree
from tests.support.sources import ROOT
from tests.support.tools import needs

pytestmark = [pytest.mark.root, pytest.mark.image, pytest.mark.timeout(1200), needs("buildah", "mmdebstrap", "dpkg-deb", "clang")]

FILE = ROOT / "packaging" / "container" / "Containerfile"
IMAGE = "localhost/venturi"
ADMINISTRATOR = ("token", "create", "--project", "p", "--role", "admin", "-f", "value", "-c", "secret")


@dataclass(frozen=True)
class Images:
    """A store of images of its own; what runs in a container shares the network of the machine."""

    folder: Path

    def command(self, *words: str | Path) -> list[str]:
        places = ("--root", str(self.folder / "images"), "--runroot", str(self.folder / "run"), "--storage-driver", "vfs")
        return ["buildah", *places, *map(str, words)]

    def run(self, *words: str | Path) -> str:
        return run_whole(*self.command(*words)).strip()

    def inside(self, container: str, *words: str, settings: tuple[str, ...] = ()) -> list[str]:
        """Give the command that runs ``words`` as the image's entry point would."""
        entry = json.loads(self.run("inspect", IMAGE))["OCIv1"]["config"]["Entrypoint"]
        variables = [option for setting in settings for option in ("--env", setting)]
        return self.command("run", "--isolation", "chroot", *variables, container, "--", *entry, *words)


@pytest.fixture
def images(tmp_path: Path, packages: Packages) -> Images:  # noqa: PLR0206 - a fixture is no property
    """A store with the image as its file says, made of this machine's release."""
    store = Images(tmp_path)
    base = store.run("from", "scratch")
    store.run("add", "--quiet", base, _archive(release_tree(), tmp_path / "base.tar"), "/")
    store.run("commit", "--quiet", "--rm", base, "localhost/base")
    context = tmp_path / "context"
    (context / "dist").mkdir(parents=True)
    (context / "dist" / Path(packages["venturi", 1]).name).hardlink_to(packages["venturi", 1])
    options = ("--isolation", "chroot", "--build-arg", "BASE=localhost/base", "--file", FILE, "--tag", IMAGE)
    store.run("build", "--quiet", *options, context)
    return store


def _archive(tree: Path, archive: Path) -> Path:
    run_whole("tar", "--exclude=./dev/*", "--exclude=./proc/*", "--exclude=./sys/*", "-C", tree, "-cf", archive, ".")
    return archive


def test_the_image_serves_by_its_own_command(images: Images) -> None:
    container = images.run("from", IMAGE)
    secret = subprocess.run(
        images.inside(container, *ADMINISTRATOR, "--database", _database(images)), capture_output=True, text=True, check=True
    )
    config = json.loads(images.run("inspect", IMAGE))["OCIv1"]["config"]
    assert config["User"] == "venturi"
    with _serving(images, container, *config["Cmd"]) as url:
        token = f"VENTURI_TOKEN={secret.stdout.strip()}"
        listed = images.inside(container, "label", "create", "shop", "--url", url, settings=(token,))
        assert "shop" in run_whole(*listed)
        refused = subprocess.run(images.inside(container, "label", "list", "--url", url), capture_output=True, text=True, check=False)
        assert refused.returncode != 0


def _database(images: Images) -> str:
    config = json.loads(images.run("inspect", IMAGE))["OCIv1"]["config"]
    return str(next(value.partition("=")[2] for value in config["Env"] if value.startswith("VENTURI_DATABASE=")))


@contextmanager
def _serving(images: Images, container: str, *words: str) -> Iterator[str]:
    """Run the image's command at a port that is free, and give its address."""
    command = images.inside(container, *words, settings=("VENTURI_LISTEN=127.0.0.1:0",))
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            events = (json.loads(line) for line in process.stderr if line.startswith("{"))
            yield str(next(event["urls"][0] for event in events if event["event"] == "listening"))
        finally:
            process.terminate()
            process.communicate()
