"""Asks each server a real question in its own protocol; an answer, not an open port, is what `ready` means."""

import json
import socket
import struct
import urllib.error
import urllib.request

from .layout import HOST

_TIMEOUT = 3.0


class NotReady(Exception):
    """Why a server does not serve yet, in a few words."""


def _receive(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise NotReady("closed the connection")
        data += part
    return data


def _ask(question):
    """Turns the many ways in which a socket fails into one."""
    def probe(*args):
        try:
            return question(*args)
        except ConnectionRefusedError:
            raise NotReady("not listening yet") from None
        except (TimeoutError, socket.timeout):
            raise NotReady(f"no answer within {_TIMEOUT:.0f} s") from None
        except (OSError, struct.error, ValueError) as error:
            raise NotReady(str(error) or type(error).__name__) from None
    return probe


@_ask
def postgres(port: int, user: str, database: str) -> None:
    """Logs in and waits for `ready for query`, which comes only when recovery has ended and the database exists."""
    with socket.create_connection((HOST, port), _TIMEOUT) as c:
        words = b"".join(w.encode() + b"\0" for w in ("user", user, "database", database)) + b"\0"
        c.sendall(struct.pack("!ii", 8 + len(words), 196608) + words)
        while True:
            kind, length = struct.unpack("!ci", _receive(c, 5))
            body = _receive(c, length - 4)
            if kind == b"E":
                fields = dict((f[:1], f[1:].decode(errors="replace")) for f in body.split(b"\0") if f)
                raise NotReady(fields.get(b"M", "refused the login"))
            if kind == b"Z":
                c.sendall(b"X\0\0\0\4")
                return


@_ask
def kafka(port: int) -> None:
    """Metadata, version 5: ready when a broker is registered and the controller is known."""
    with socket.create_connection((HOST, port), _TIMEOUT) as c:
        client = b"streamflow-stack"
        # api key 3, version 5, correlation id 1, client id; no topics, no automatic creation.
        request = struct.pack("!hhih", 3, 5, 1, len(client)) + client + struct.pack("!ib", 0, 0)
        c.sendall(struct.pack("!i", len(request)) + request)
        answer = _receive(c, struct.unpack("!i", _receive(c, 4))[0])
    brokers = struct.unpack_from("!i", answer, 8)[0]
    at = 12
    for _ in range(brokers):
        at += 4
        at += 2 + struct.unpack_from("!h", answer, at)[0] + 4
        rack = struct.unpack_from("!h", answer, at)[0]
        at += 2 + max(rack, 0)
    cluster = struct.unpack_from("!h", answer, at)[0]
    at += 2 + max(cluster, 0)
    controller = struct.unpack_from("!i", answer, at)[0]
    if brokers < 1 or controller < 0:
        raise NotReady("no broker is registered yet")


@_ask
def zookeeper(port: int) -> None:
    """The command `srvr`, which a server answers at length when it serves, and with one sentence before."""
    with socket.create_connection((HOST, port), _TIMEOUT) as c:
        c.sendall(b"srvr")
        answer = b""
        while part := c.recv(4096):
            answer += part
    if b"Mode:" not in answer:
        raise NotReady("does not serve yet")


@_ask
def cassandra(port: int) -> None:
    """OPTIONS of the native protocol, version 4, answered by SUPPORTED: CQL is served last of all."""
    with socket.create_connection((HOST, port), _TIMEOUT) as c:
        c.sendall(struct.pack("!BBhBi", 0x04, 0, 0, 0x05, 0))
        _, _, _, opcode, length = struct.unpack("!BBhBi", _receive(c, 9))
        _receive(c, length)
    if opcode != 0x06:
        raise NotReady(f"answered opcode {opcode} to OPTIONS")


@_ask
def http(port: int, path: str) -> bytes:
    # No proxy: the address is this machine's, whatever http_proxy says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{HOST}:{port}{path}", timeout=_TIMEOUT) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise NotReady(f"{path} answered {error.code}") from None
    except urllib.error.URLError as error:
        raise (error.reason if isinstance(error.reason, OSError) else NotReady(str(error.reason))) from None


def airflow(port: int, component: str) -> None:
    """What Airflow's own health report says of one component."""
    report = json.loads(http(port, "/api/v2/monitor/health"))
    for name in ("metadatabase", component):
        status = (report.get(name) or {}).get("status")
        if status != "healthy":
            raise NotReady(f"{name} is {status or 'not up yet'}")


def spark_master(page: int) -> dict:
    """What the master's page says of itself and its workers."""
    report = json.loads(http(page, "/json/"))
    if report.get("status") != "ALIVE":
        raise NotReady(f"its state is {report.get('status')}")
    return report


def spark_worker(master_page: int, page: int) -> None:
    """The worker answers, and the master gives it work: by its page, because its other port is another one at each start."""
    http(page, "/json/")
    address = f"http://{HOST}:{page}"
    if not any(w["webuiaddress"] == address and w["state"] == "ALIVE" for w in spark_master(master_page)["workers"]):
        raise NotReady("not registered with the master yet")
