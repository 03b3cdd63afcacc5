"""The server as a process: it starts, says where, finishes what runs when it is told to stop, and names faults."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from serving import save_run
from viral.apps.cli import app

COMMAND = [sys.executable, "-c", "from viral.apps.cli import main; main()"]
BODY = b'{"user_id": "u1", "k": 3}'


@contextmanager
def served(run: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server on a free port, with its process."""
    command = [*COMMAND, "serve", str(run), "--port", "0", *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert server.stderr is not None
        found = next((m for line in server.stderr if (m := re.search(r"http://127\.0\.0\.1:(\d+)", line))), None)
        assert found is not None, "it did not start"
        yield server, int(found[1])
    finally:
        if server.poll() is None:
            server.kill()
        server.communicate()


def ready(port: int) -> dict:
    """What the server says once it answers."""
    for _ in range(60):
        try:
            return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).json()
        except httpx.TransportError:  # the port is there before anybody answers
            time.sleep(0.1)
    raise AssertionError("it does not answer")


def half_a_request(port: int) -> socket.socket:
    """A connection on which the head of a request was sent, and the half of its body."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    head = "POST /v1/recommend HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY[:7])
    return connection


def rest_of_it(connection: socket.socket) -> bytes:
    with connection:
        connection.sendall(BODY[7:])
        found = b""
        while data := connection.recv(65_536):
            found += data
        return found


def test_a_server_starts_and_finishes_what_runs_when_it_is_told_to_stop(tmp_path: Path) -> None:
    with served(save_run(tmp_path / "run")) as (server, port):
        assert ready(port)["items"] == 30
        clash = CliRunner().invoke(app, ["serve", str(tmp_path / "run"), "--port", str(port)])
        assert clash.exit_code == 2 and "cannot listen" in clash.stderr and "--port" in clash.stderr
        connection = half_a_request(port)
        time.sleep(0.3)
        server.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
        assert server.poll() is None  # it waits for the one that runs
        answer = rest_of_it(connection)
        assert answer.startswith(b"HTTP/1.1 200") and b'"rank":3' in answer
        assert server.wait(30) == 0


@pytest.mark.slow
def test_workers_share_a_port_their_metrics_and_their_end(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    with served(run, "--workers", "2", "--rate", "100000") as (server, port):
        ready(port)
        for _ in range(60):
            assert httpx.post(f"http://127.0.0.1:{port}/v1/recommend", content=BODY).status_code == 422  # no media type
        told = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        assert 'viral_requests_total{method="POST",route="/v1/recommend",status="422"} 60.0' in told
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 0


@pytest.mark.slow
def test_workers_do_not_outlive_their_supervisor(tmp_path: Path) -> None:
    with served(save_run(tmp_path / "run"), "--workers", "2") as (server, port):
        ready(port)
        server.kill()
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
            except ConnectionRefusedError:
                break
            time.sleep(0.1)
        else:
            raise AssertionError("somebody still listens")


@pytest.mark.slow
def test_workers_that_cannot_load_end_the_server(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    (run / "bundle" / "scorer.safetensors").write_bytes(b"nothing")
    done = subprocess.run(
        [*COMMAND, "serve", str(run), "--port", "0", "--workers", "2"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1 and "no worker could start" in done.stderr
    assert "missing or changed" in done.stderr and "Traceback" not in done.stderr


def viral(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output + done.stderr


def test_faults_of_the_command_line_are_named(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run")
    (tmp_path / "empty").mkdir()
    (tmp_path / "tokens").write_text("# none\n")
    for words, code, told in (
        ([str(tmp_path / "empty")], 1, "not a bundle"),
        ([str(run), "--host", "0.0.0.0"], 2, "without tokens only this machine"),
        ([str(run), "--host", "192.0.2.1", "--tokens", str(tmp_path / "tokens")], 1, "no token in the file"),
        ([str(run), "--tokens", str(tmp_path / "none")], 1, "cannot be read"),
        ([str(run), "--port", "70000"], 2, "65535"),
        ([str(run), "--dataset", str(tmp_path / "empty"), "--port", "0"], 1, "not a data set"),
    ):
        exit_code, output = viral("serve", *words)
        assert (exit_code, told in output, "Traceback" in output) == (code, True, False), output


def test_a_token_is_made_once(tmp_path: Path) -> None:
    file = str(tmp_path / "tokens")
    code, output = viral("token", "shop", "--tokens", file, "--scope", "admin")
    assert code == 0 and output.startswith("viral_") and output.strip() not in Path(file).read_text()
    assert viral("token", "shop", "--tokens", file)[0] == 2
    made = json.loads(viral("token", "page", "--tokens", file, "--json")[1])
    assert made["scope"] == "read" and made["token"].startswith("viral_")
    assert viral("token", "x", "--tokens", file, "--scope", "write")[0] == 2
