"""Real brokers for the tests of the host program: Mosquitto with persistence, and Aedes, which npm installs; and a
proxy that cuts connections at chosen bytes.
"""

import pathlib
import random
import selectors
import shutil
import socket
import struct
import subprocess
import tempfile
import threading

import harness

AEDES = pathlib.Path(__file__).parent / "aedes"


def install_aedes(folder):
    """Into `folder`, as the lock file says. Returns the reason if that cannot be done."""
    if not shutil.which("npm"):
        return "npm is not installed"
    if subprocess.run(["node", "-e", "const [a, b] = process.versions.node.split('.'); process.exit(a > 18 || (a == 18 && b >= 20) ? 0 : 1)"],
                      stderr=subprocess.DEVNULL).returncode != 0:
        return "aedes needs Node 18.20 or newer"
    folder.mkdir(parents=True, exist_ok=True)
    for file in AEDES.iterdir():
        shutil.copy(file, folder)
    installed = folder / "installed"
    wanted = (AEDES / "package-lock.json").read_text()
    if installed.exists() and installed.read_text() == wanted:
        return None
    result = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        return "npm could not install aedes: " + result.stdout.strip().splitlines()[-1]
    installed.write_text(wanted)
    return None


class Mosquitto(harness.Broker):
    def __init__(self, port, *settings, anonymous="true"):
        super().__init__(port=port, keeps=True, anonymous=anonymous, settings=settings)


class Aedes(harness.Server):
    """Keeps its sessions in memory, or so that they outlive it."""

    name = "aedes"
    script = "broker.js"

    def __init__(self, port, program, persistent=False):
        self.port = port
        self.folder = tempfile.TemporaryDirectory() if persistent else None
        self.command = ["node", str(program / self.script), str(port), *([self.folder.name] if persistent else [])]
        self.start()


class Aliases(Aedes):
    """Sends topic aliases, which no broker does that can be had here."""

    name = "aliases"
    script = "aliases.js"


class CuttingProxy:
    """Passes bytes on to a port of the loopback and resets each connection after a random number of them.

    The numbers come from the seed alone, between `least` and `most`, of one direction or the other: a broker that
    sends its queue in one burst must not use up what the acknowledgements need. Without them nothing is cut but by
    `cut`, and the bytes are only counted.

    With `one_at_a_time` the Receive Maximum that a client announces becomes 1 on its way.
    """

    RECEIVE_MAXIMUM = b"\x21\x00\x14"  # the tool's

    def __init__(self, port, seed=0, least=None, most=None, one_at_a_time=False):
        self.target, self.least, self.most = port, least, most
        self.one_at_a_time = one_at_a_time
        self.random = random.Random(seed)
        self.cuts = self.connections = self.lowered = 0
        self.bytes_up = self.bytes_down = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.ends = {}  # socket -> connection
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.waker, self.wake = socket.socketpair()
        self.selector.register(self.waker, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def stop(self):
        self.wake.send(b"x")
        self.thread.join()
        while self.ends:
            self._close(next(iter(self.ends)))
        for each in (self.selector, self.listener, self.waker, self.wake):
            each.close()

    def cut(self):
        """All connections that there are, now."""
        self.wake.send(b"c")

    def _run(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.waker:
                    if self.waker.recv(1) == b"x":
                        return
                    self._cut_all()
                elif key.fileobj is self.listener:
                    self._accept()
                elif key.fileobj in self.ends:
                    self._pass_on(key.fileobj)

    def _cut_all(self):
        while self.ends:
            self.cuts += 1
            self._close(next(iter(self.ends)), reset=True)

    def _accept(self):
        client, _ = self.listener.accept()
        try:
            broker = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        limits = {client: None, broker: None}
        if self.most:
            limits[self.random.choice((client, broker))] = self.random.randint(self.least, self.most)
        connection = {"client": client, "broker": broker, "left": limits, "greeted": False}
        self.connections += 1
        for end in (client, broker):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.ends[end] = connection
            self.selector.register(end, selectors.EVENT_READ)

    def _pass_on(self, end):
        connection = self.ends[end]
        up = end is connection["client"]
        left = connection["left"]
        try:
            data = end.recv(4096)
            if left[end] is not None:
                data = data[:left[end]]
                left[end] -= len(data)
            if up and self.one_at_a_time and not connection["greeted"]:
                connection["greeted"] = True
                self.lowered += data.count(self.RECEIVE_MAXIMUM)
                data = data.replace(self.RECEIVE_MAXIMUM, b"\x21\x00\x01", 1)
            (connection["broker"] if up else connection["client"]).sendall(data)
        except OSError:
            data = b""
        if up:
            self.bytes_up += len(data)
        else:
            self.bytes_down += len(data)
        if not data:
            self._close(end)
        elif left[end] == 0:
            self.cuts += 1
            self._close(end, reset=True)

    def _close(self, end, reset=False):
        connection = self.ends[end]
        for each in (connection["client"], connection["broker"]):
            if reset:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.selector.unregister(each)
            del self.ends[each]
            each.close()
