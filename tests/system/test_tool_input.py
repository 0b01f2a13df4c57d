"""What `mote pub` and `mote sub` are given, and where their output goes: payloads of every kind, options that no CONNECT
can have, standard streams that are closed, full or slow; and a broker that does what real ones do at bad moments.
"""

import fcntl
import os
import pathlib
import select
import signal
import socket
import subprocess
import tempfile
import termios
import threading
import time

import harness
from brokers import Mosquitto
from test_brokers import BrokerTest

PORT = 1883
CONNACK = b"\x20\x03\x00\x00\x00"
CONNACK_SESSION_PRESENT = b"\x20\x03\x01\x00\x00"
CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE = 1, 3, 8, 10


def until(condition):
    deadline = time.monotonic() + harness.LIMIT
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it never came to that")
        time.sleep(0.005)


class Connection:
    """The broker's end of one."""

    def __init__(self, listener):
        self.socket = listener.accept()[0]
        self.socket.settimeout(harness.LIMIT)
        self.stream = self.socket.makefile("rb")

    def packet(self):
        """The next one's type, flags and body; None: the client has ended the connection."""
        head, length, shift = self.stream.read(1), 0, 0
        if not head:
            return None
        while True:
            byte = self.stream.read(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return head[0] >> 4, head[0] & 15, self.stream.read(length)

    def expect(self, kind):
        found = self.packet()
        if found is None or found[0] != kind:
            raise AssertionError("a packet of type %d was expected: %r" % (kind, found))
        return found[2]

    def send(self, data):
        self.socket.sendall(data)

    def close(self):
        self.stream.close()
        self.socket.close()


class Scripted:
    """A broker that does what `script` says with a function that takes in the next connection."""

    def __init__(self, script):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(harness.LIMIT)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.port = self.listener.getsockname()[1]
        self.connections, self.failure = [], None
        self.thread = threading.Thread(target=self._run, args=(script,), daemon=True)
        self.thread.start()

    def _accept(self):
        self.connections.append(Connection(self.listener))
        return self.connections[-1]

    def _run(self, script):
        try:
            script(self._accept)
        except Exception as failure:  # for the test's thread
            self.failure = failure
        for connection in self.connections:
            connection.close()

    def finish(self):
        """Waits for the end of the script, which ends the connections."""
        self.thread.join(harness.LIMIT)
        if self.failure:
            raise self.failure

    def stop(self):
        self.listener.close()
        self.thread.join(harness.LIMIT)


class ToolTest(BrokerTest):
    version = "mqttv5"

    def setUp(self):
        self.tool = pathlib.Path(harness.VIRTUAL_BOARD).resolve().parent / "mote"

    def run_tool(self, *arguments, before="", **options):
        """Exit status and complaints; `before` is what the shell does with the streams."""
        command = ["sh", "-c", 'exec "$@" ' + before, "sh", str(self.tool), *arguments]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=harness.LIMIT, **options)
        return result.returncode, result.stderr.decode(errors="replace")

    def scripted(self, script):
        self.broker = self.start(Scripted(script))

    def file(self, content=b""):
        file = tempfile.NamedTemporaryFile()
        self.addCleanup(file.close)
        file.write(content)
        file.flush()
        return file.name


class Payloads(ToolTest):
    def setUp(self):
        super().setUp()
        self.broker = self.start(Mosquitto(PORT))

    def passes(self, payload, *arguments, times=1, **options):
        """It is that of `times` messages together."""
        ours = self.sub("-t", "#", "-q", "2", "-C", str(times), "-N", "-R", "--buffer", "200000")
        self.pub(*arguments, **options)
        self.assertTrue(ours.finish() == payload, "the payload has changed")

    def test_message_larger_than_the_buffer(self):
        for qos in "012":
            self.passes(b"a" * 70000, "-t", "m", "-q", qos, "-m", "a" * 70000)
            self.passes(b"b" * 6000, "-t", "m", "-q", qos, "-m", "b" * 2000, "--buffer", "1024", "--repeat", "3", times=3)

    def test_topic_larger_than_the_buffer(self):
        topic = "t" * 65535
        self.passes(b"x", "-t", topic, "-q", "1", "-m", "x")
        self.passes(b"y", "-t", topic, "-q", "1", "-m", "y", "--buffer", "1024")
        self.passes(b"", "-t", topic, "-q", "1", "-n", "--buffer", "1024")
        for qos in "01":
            text = b"1\n\n" + b"2" * 1024 + b"\n" + b"3" * 1025
            self.passes(text.replace(b"\n", b""), "-t", topic, "-q", qos, "-l", "--buffer", "1024", times=4, stdin=text)

    def passes_from_fifo(self, content, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            fifo = pathlib.Path(folder) / "fifo"
            os.mkfifo(fifo)
            writer = threading.Thread(target=fifo.write_bytes, args=(content,))
            writer.start()
            self.passes(content, "-t", "p", "-f", str(fifo), *arguments)
            writer.join()

    def test_pipe_is_no_empty_file(self):
        self.passes_from_fifo(b"from a pipe")
        self.passes_from_fifo(b"p" * 300000, "-q", "1", "--buffer", "1024")

    def test_standard_input_by_its_name(self):
        self.passes(b"from standard input", "-t", "p", "-f", "/dev/stdin", stdin=b"from standard input")

    def test_files_whose_size_is_not_what_is_in_them(self):
        for name in ("/proc/version", "/sys/class/net/lo/mtu"):
            with self.subTest(name):
                self.passes(pathlib.Path(name).read_bytes(), "-t", "p", "-f", name)

    def test_files_on_a_disk(self):
        self.passes(b"", "-t", "p", "-f", self.file(), "-q", "1")
        self.passes(b"f" * 200000, "-t", "p", "-f", self.file(b"f" * 100000), "--repeat", "2", times=2)

    def test_pipe_replaces_what_is_retained(self):
        self.pub("-t", "p", "-r", "-m", "precious")
        self.passes_from_fifo(b"new", "-r")
        kept = self.mote("sub", "-t", "p", "-C", "1", "-W", str(harness.LIMIT), "--retained-only")
        self.assertEqual(kept.finish(), b"new\n")

    def test_what_cannot_be_read(self):
        for name, reason in (("/nowhere/at/all", "No such file or directory"), ("/", "Is a directory")):
            status, complaint = self.run_tool("pub", "-t", "p", "-f", name)
            self.assertEqual((status, complaint), (1, "mote: %s: %s\n" % (name, reason)))


class BadMoments(ToolTest):
    def test_file_that_becomes_shorter(self):
        for qos in "01":
            name = self.file()
            os.truncate(name, 64 << 20)  # more than the socket's buffers take

            def shortens(accept):
                client = accept()
                client.expect(CONNECT)
                client.send(CONNACK)
                client.stream.read(100000)
                os.truncate(name, 1000)
                while client.stream.read(65536):
                    pass

            self.scripted(shortens)
            with self.subTest(qos=qos):
                status, complaint = self.run_tool("pub", "-h", "127.0.0.1", "-p", str(self.broker.port), "-V", self.version,
                                                  "-t", "f", "-q", qos, "-f", name)
                self.assertEqual((status, complaint), (1, "mote: %s: it has become shorter while it was sent\n" % name))
                self.broker.finish()

    def test_broker_that_has_lost_the_session(self):
        def forgets(accept):
            client = accept()
            client.expect(CONNECT)
            client.send(CONNACK)
            client.expect(PUBLISH)
            client.close()
            again = accept()
            again.expect(CONNECT)
            again.send(CONNACK)
            again.packet()

        self.scripted(forgets)
        status, complaint = self.run_tool("pub", "-h", "127.0.0.1", "-p", str(self.broker.port), "-V", self.version, "-c", "-i", "lost",
                                          "-q", "2", "-t", "s", "-m", "x", "--retry", "10", "--quiet")
        self.assertEqual((status, complaint), (1, "mote: the broker has lost the session: a message may not have arrived\n"))
        self.broker.finish()

    def test_subscribes_again_while_an_unsubscribe_is_under_way(self):
        """The SUBSCRIBE was answered, the UNSUBSCRIBE before it was not: that comes first in the new session, too."""
        def keeps_one_answer(accept):
            client = accept()
            client.expect(CONNECT)
            client.send(CONNACK)
            client.expect(UNSUBSCRIBE)
            client.send(b"\x90\x04" + client.expect(SUBSCRIBE)[:2] + b"\x00\x00")
            client.close()
            again = accept()
            again.expect(CONNECT)
            again.send(CONNACK)
            kinds = set()
            while SUBSCRIBE not in kinds:
                kind, _, body = again.packet()
                kinds.add(kind)
                if kind == UNSUBSCRIBE:
                    again.send(b"\xb0\x04" + body[:2] + b"\x00\x00")
            again.send(b"\x90\x04" + body[:2] + b"\x00\x00\x30\x06\x00\x01a\x00hi")

        self.scripted(keeps_one_answer)
        ours = self.mote("sub", "-c", "-i", "again", "-t", "a", "-U", "b", "-C", "1", "--retry", "10", "-W", str(harness.LIMIT))
        self.assertEqual(ours.finish(), b"hi\n")
        self.broker.finish()


class Options(ToolTest):
    def refuses(self, text, *arguments):
        status, complaint = self.run_tool(*arguments)
        self.assertEqual((status, complaint), (2, "mote: " + text + "\n"), arguments[-1][:20])

    def test_what_no_connect_can_have(self):
        pub = ("pub", "-p", "1", "-t", "a", "-m", "x")
        long = "a" * 65536
        ill = "\udcff"  # the byte FF
        text = "%s: it is no text: up to 65535 bytes of UTF-8"
        for name, option in (("--id", "-i"), ("--username", "-u")):
            self.refuses(text % name, *pub, option, long)
            self.refuses(text % name, *pub, option, ill)
        self.refuses("--pw: at most 65535 bytes", *pub, "-P", long)
        self.refuses("--will-payload: at most 65535 bytes", *pub, "--will-topic", "w", "--will-payload", long)
        for command in ("publish", "will"):
            self.refuses("-D %s response-topic: \"a/#\" is no topic: 1 to 65535 bytes of UTF-8 without + and #" % command,
                         *pub, "--will-topic", "w", "-D", command, "response-topic", "a/#")
            self.refuses(text % ("-D %s content-type" % command), *pub, "-D", command, "content-type", ill)
            self.refuses("-D %s correlation-data: at most 65535 bytes" % command, *pub, "-D", command, "correlation-data", long)
        self.refuses(text % "-D connect user-property", *pub, "-D", "connect", "user-property", ill, "x")
        self.refuses(text % "-D connect user-property", *pub, "-D", "connect", "user-property", "x", long)
        self.refuses("-c needs a client id (-i), by which the broker finds the session again", "sub", "-t", "a", "-c", "-i", "")

    def session_expiry(self, *arguments):
        seen = []

        def notes(accept):
            client = accept()
            seen.append(client.expect(CONNECT))
            client.send(b"\x20\x03\x00\x87\x00")

        self.scripted(notes)
        self.run_tool("sub", "-h", "127.0.0.1", "-p", str(self.broker.port), "-V", self.version, "-t", "a", "-i", "s", *arguments)
        self.broker.finish()
        at = 11  # of the properties, when their length takes one byte
        return int.from_bytes(seen[0][at + 1:at + 5], "big") if seen[0][at] == 0x11 else None

    def test_session_expiry_of_any_length(self):
        self.assertEqual(self.session_expiry(), None)
        self.assertEqual(self.session_expiry("-c"), 0xFFFFFFFF)
        for seconds in (1, 2, 600):
            self.assertEqual(self.session_expiry("-c", "-x", str(seconds)), seconds)
        self.assertEqual(self.session_expiry("-x", "1"), 1)
        self.assertEqual(self.session_expiry("-c", "-D", "connect", "session-expiry-interval", "1"), 1)
        self.assertEqual(self.session_expiry("-c", "-x", "0"), None)


class StandardStreams(ToolTest):
    def setUp(self):
        super().setUp()
        self.broker = self.start(Mosquitto(PORT))
        self.host = ("-h", "127.0.0.1", "-p", str(self.broker.port), "-V", self.version)

    def test_no_standard_input(self):
        self.pub("-t", "p", "-r", "-m", "kept")
        for option in ("-l", "-s"):
            status, complaint = self.run_tool("pub", *self.host, "-t", "p", "-r", option, before="<&-")
            self.assertEqual((status, complaint), (1, "mote: standard input: Bad file descriptor\n"))
        self.assertEqual(self.sub("-t", "p", "-C", "1").finish(), b"kept\n")

    def test_no_standard_output(self):
        self.pub("-t", "p", "-r", "-m", "kept")
        status, complaint = self.run_tool("sub", *self.host, "-t", "p", "-C", "1", "-W", "60", before=">&-")
        self.assertEqual((status, complaint), (1, "mote: standard output: Bad file descriptor\n"))

    def test_no_standard_error(self):
        self.pub("-t", "p", "-r", "-m", "kept")
        output = self.file()
        self.assertEqual(self.run_tool("sub", *self.host, "-t", "p", "-C", "1", "-d", before="2>&- >" + output), (0, ""))
        self.assertEqual(pathlib.Path(output).read_bytes(), b"kept\n")

    def blocked_sub(self, *arguments, limit=harness.LIMIT):
        """One that nobody reads from, and whose output is full."""
        ours = self.mote("sub", "-t", "b", "-d", "-W", str(limit), *arguments)
        pipe = ours.process.stdout.fileno()
        size = fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
        ours.wait_complaint("mote: subscribed")
        self.pub("-t", "b", "-q", "1", "-f", self.file(b"b" * 300000))
        until(lambda: int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), "little") == size)
        return ours

    def test_signals_end_what_cannot_write(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            for buffer in ("1024", "1000000"):  # in parts, and whole
                ours = self.blocked_sub("--buffer", buffer)
                ours.process.send_signal(number)
                self.assertEqual(ours.process.wait(timeout=harness.LIMIT), 0)
                self.assertNotIn("standard output", ours.complained())

    def sub_on_a_full_terminal(self):
        """Nobody reads from that either."""
        master, slave = os.openpty()
        self.addCleanup(os.close, master)
        ours = subprocess.Popen([str(self.tool), "sub", *self.host, "-t", "b"], stdout=slave)
        self.addCleanup(ours.wait)
        self.addCleanup(ours.kill)
        os.close(slave)
        until(lambda: select.select([master], [], [], 0)[0])
        # What is printed has come whole: if it sleeps now, it is for its output.
        until(lambda: pathlib.Path("/proc/%d/stat" % ours.pid).read_text().rpartition(")")[2].split()[0] == "S")
        return ours

    def test_signals_end_what_cannot_write_to_a_terminal(self):
        for length in (7500, 9000, 10500, 12000):
            self.pub("-t", "b", "-r", "-q", "1", "-f", self.file((b"b" * length + b"\n") * 30))
            ours = self.sub_on_a_full_terminal()
            ours.terminate()
            self.assertEqual(ours.wait(timeout=harness.LIMIT), 0)

    def test_timeout_ends_what_cannot_write(self):
        ours = self.blocked_sub(limit=3)
        self.assertEqual(ours.process.wait(timeout=harness.LIMIT), 27)

    def test_what_could_not_be_written_comes_again(self):
        ours = self.blocked_sub("-c", "-i", "reader", "-q", "1")
        ours.process.send_signal(signal.SIGTERM)
        self.assertEqual(ours.process.wait(timeout=harness.LIMIT), 0)
        again = self.mote("sub", "-t", "b", "-c", "-i", "reader", "-q", "1", "-C", "1", "-W", str(harness.LIMIT))
        self.assertEqual(again.finish(), b"b" * 300000 + b"\n")

    def test_slow_reader_gets_it_all(self):
        ours = self.blocked_sub("-C", "2", "-F", "%x")
        self.pub("-t", "b", "-q", "1", "-m", "end")
        self.assertTrue(ours.finish() == b"62" * 300000 + b"\n656e64\n")

    def test_reader_that_goes_away(self):
        ours = self.blocked_sub()
        ours.process.stdout.close()
        self.assertEqual(ours.process.wait(timeout=harness.LIMIT), 1)
        self.assertIn("mote: standard output: Broken pipe\n", ours.complained())


if __name__ == "__main__":
    harness.enter_namespace()
    harness.main()
