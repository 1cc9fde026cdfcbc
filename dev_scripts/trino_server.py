"""Fetch and run a Trino server by hand, without Docker; nothing of it ends up in the repository.

    python dev_scripts/trino_server.py FOLDER [--port 8080] [--catalog lake] [--fetch-only]

FOLDER holds the distribution (some 600 MB, fetched once with Maven) and, in run-PORT, what one server writes: settings,
log, and an Iceberg catalog's files for each --catalog. So servers on several ports do not meet. A Java 25 is taken from
--java, JAVA_HOME or the usual places.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trino.dbapi import connect
from trino.exceptions import Error

VERSION = "476"
_ARTIFACTS = (f"io.trino:trino-server-core:{VERSION}:tar.gz", f"io.trino:trino-iceberg:{VERSION}:zip")
_COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_JAVA_VERSION = 25
_START_LIMIT_S = 120.0


class ServerFailed(Exception):
    """The server could not be fetched or started; the message says what to do."""


def fetch(folder: Path) -> Path:
    """The unpacked distribution below `folder`, fetched with Maven if it is not there yet.

    Raises:
        ServerFailed: Maven is missing or could not fetch.
    """
    home = folder / f"trino-server-core-{VERSION}"
    if (home / "plugin" / f"trino-iceberg-{VERSION}").is_dir() and (home / "lib").is_dir():
        return home
    maven = shutil.which("mvn")
    if maven is None:
        raise ServerFailed("mvn is not on the path: install Maven")
    fetched = folder / "fetch"
    fetched.mkdir(parents=True, exist_ok=True)
    for artifact in _ARTIFACTS:
        _, name, version, ending = artifact.split(":")
        path = fetched / f"{name}-{version}.{ending}"
        if not path.exists():
            command = [maven, "-B", "-q", _COPY_GOAL, f"-Dartifact={artifact}", f"-DoutputDirectory={fetched}"]
            if subprocess.run(command, check=False).returncode != 0 or not path.exists():
                raise ServerFailed(f"Maven could not fetch {artifact}")
        if ending == "zip":
            with zipfile.ZipFile(path) as archive:
                archive.extractall(home / "plugin")
        else:
            with tarfile.open(path) as archive:
                archive.extractall(folder, filter="data")
        path.unlink()
    return home


def find_java(given: str | None = None) -> str:
    """A `java` of the version that this Trino needs.

    Raises:
        ServerFailed: There is none.
    """
    homes = [given, os.environ.get("JAVA_HOME"), *map(str, sorted(Path("/usr/lib/jvm").glob(f"*{_JAVA_VERSION}*")))]
    for home in filter(None, homes):
        java = Path(home) / "bin" / "java"
        if java.exists() and f'"{_JAVA_VERSION}' in _java_version(java):
            return str(java)
    raise ServerFailed(f"no Java {_JAVA_VERSION} was found: pass its folder with --java")


def _java_version(java: Path) -> str:
    return subprocess.run([str(java), "-version"], capture_output=True, text=True, check=False).stderr


class Server:
    """A running server; `close` ends it.

    Args:
        folder: Where the distribution is, and the server's own files go.
        port: On the loopback interface.
        catalogs: Names of Iceberg catalogs; each one's files stand in `lake_folder(name)`.
        java: Folder of a Java, or None to look for one.
    """

    def __init__(self, folder: Path, port: int, catalogs: Sequence[str], java: str | None = None) -> None:
        self.port = port
        self._state = folder.resolve() / f"run-{port}"
        home = fetch(folder.resolve())
        self._write_settings(catalogs)
        etc = self._state / "etc"
        command = [
            find_java(java),
            "-Xmx3G",
            "-XX:+UseG1GC",
            "--add-modules=jdk.incubator.vector",
            f"-Dconfig={etc / 'config.properties'}",
            f"-Dcatalog.config-dir={etc / 'catalog'}",
            f"-Dplugin.dir={home / 'plugin'}",
            f"-Dlog.levels-file={etc / 'log.properties'}",
            "-Dnode.environment=test",
            "-Dnode.id=test",
            f"-Dnode.data-dir={self._state / 'data'}",
            "-cp",
            f"{home / 'lib'}/*",
            "io.trino.server.TrinoServer",
        ]
        self._log = (self._state / "server.log").open("wb")
        self._process = subprocess.Popen(command, cwd=home, stdout=self._log, stderr=subprocess.STDOUT)

    def lake_folder(self, catalog: str) -> Path:
        """Where the catalog's files are; `local:///…` in its SQL counts from here."""
        return self._state / f"lake-{catalog}"

    def _write_settings(self, catalogs: Sequence[str]) -> None:
        etc = self._state / "etc"
        (etc / "catalog").mkdir(parents=True, exist_ok=True)
        (self._state / "data").mkdir(exist_ok=True)
        lines = [
            "coordinator=true",
            "node-scheduler.include-coordinator=true",
            "http-server.http.port=" + str(self.port),
            f"discovery.uri=http://127.0.0.1:{self.port}",
            "query.max-memory-per-node=1GB",
        ]
        (etc / "config.properties").write_text("\n".join(lines) + "\n")
        (etc / "log.properties").write_text("io.trino=WARN\n")
        for old in (etc / "catalog").glob("*.properties"):
            old.unlink()
        for name in catalogs:
            lake = self.lake_folder(name)
            lake.mkdir(exist_ok=True)
            settings = [
                "connector.name=iceberg",
                "iceberg.catalog.type=TESTING_FILE_METASTORE",
                "hive.metastore.catalog.dir=local:///metastore",
                "fs.native-local.enabled=true",
                f"local.location={lake}",
                "iceberg.add-files-procedure.enabled=true",
            ]
            (etc / "catalog" / f"{name}.properties").write_text("\n".join(settings) + "\n")

    def wait(self) -> None:
        """Until a real query works: the server says that it is up some seconds before it has a node to run on.

        Raises:
            ServerFailed: It ended, or took too long; the log is FOLDER/run-PORT/server.log.
        """
        end = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise ServerFailed(f"Trino ended while it started; see {self._state / 'server.log'}")
            if self._answers():
                return
            time.sleep(0.5)
        raise ServerFailed(f"Trino did not answer within {_START_LIMIT_S:.0f} s; see {self._state / 'server.log'}")

    def _answers(self) -> bool:
        try:
            with self.connect("start", max_attempts=1) as connection:
                return bool(connection.cursor().execute("SELECT 1").fetchall())
        except (Error, OSError):
            return False

    def connect(self, user: str, **options: Any) -> Any:
        """A connection of the Python client, in UTC; a context manager."""
        return connect(  # type: ignore[no-untyped-call]
            host="127.0.0.1", port=self.port, user=user, timezone="UTC", **options
        )

    def close(self) -> None:
        """End the server and wait for its end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a server until Ctrl-C."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--catalog", action="append", help="an Iceberg catalog's name; may be given several times")
    parser.add_argument("--java", help="folder of a Java 25")
    parser.add_argument("--fetch-only", action="store_true")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        if options.fetch_only:
            print(fetch(options.folder.resolve()))
            return 0
        server = Server(options.folder, options.port, options.catalog or ["lake"], options.java)
    except ServerFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    try:
        server.wait()
        print(f"Trino {VERSION} answers at http://127.0.0.1:{options.port}; Ctrl-C ends it.", flush=True)
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        signal.pause()
    except ServerFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
