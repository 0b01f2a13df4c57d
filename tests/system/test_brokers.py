"""The engine on a host, as `mote pub` and `mote sub`, with real brokers: Mosquitto and Aedes.

What goes over one way is sent by our client and received by Mosquitto's, the other way by the other two.
"""

import hashlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import harness
from brokers import Aedes, Aliases, CuttingProxy, Mosquitto, install_aedes

PORT = 1883
CUT_MESSAGES = 10000
AEDES_FOLDER = pathlib.Path(sys.argv[1]).resolve().parent / "aedes" if len(sys.argv) > 1 else None


class Process:
    """A client in the background. Its output is in `lines`, or after `finish` whole."""

    def __init__(self, command, stdin=None, lines=True):
        self.name = " ".join(map(str, command[:2]))
        self.complaints = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=self.complaints)
        self.lines = lines

    def complained(self):
        """So far. The place where it writes is the file's, and must not be moved for reading."""
        file = self.complaints.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")

    def wait_complaint(self, text, times=1):
        """Until it has said that on standard error."""
        deadline = time.monotonic() + harness.LIMIT
        while self.complained().count(text) < times:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("%s never said %r, but: %s" % (self.name, text, self.complained()))
            time.sleep(0.005)
        return self

    def finish(self):
        """Its output, when it has ended well."""
        output = self.process.communicate(timeout=harness.LIMIT)[0]
        if self.process.returncode != 0:
            raise AssertionError("%s: exit status %d: %s" % (self.name, self.process.returncode, self.complained()))
        return output

    def stop(self):
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self.complaints.close()


class BrokerTest(unittest.TestCase):
    """Needs `self.broker` and `self.version`."""

    broker_class = None
    version = None

    def setUp(self):
        self.tool = pathlib.Path(harness.VIRTUAL_BOARD).resolve().parent / "mote"
        self.broker = self.start(self.make_broker())

    def start(self, started):
        self.addCleanup(started.stop)
        return started

    # ---- Clients ----

    def mote(self, command, *arguments, port=None, **options):
        version = ["-V", self.version] if self.version and "-V" not in arguments else []
        return self.start(Process([str(self.tool), command, "-h", "127.0.0.1", "-p", str(port or self.broker.port),
                                   *version, *arguments], **options))

    def sub(self, *arguments, **options):
        """Ours, subscribed."""
        client = self.mote("sub", "-W", str(harness.LIMIT), "-d", *arguments, **options)
        return client.wait_complaint("mote: subscribed")

    def pub(self, *arguments, stdin=None, **options):
        client = self.mote("pub", "-W", str(harness.LIMIT), *arguments,
                           stdin=subprocess.PIPE if stdin is not None else None, **options)
        output = client.process.communicate(stdin, timeout=harness.LIMIT)[0]
        self.assertEqual((client.process.returncode, output), (0, b""), client.complained())
        return client

    def theirs(self, command, *arguments):
        version = ["-V", self.version or "mqttv5"]
        return [command, "-p", str(self.broker.port), *version, *arguments]

    def their_pub(self, *arguments, stdin=None):
        subprocess.run(self.theirs("mosquitto_pub", *arguments), input=stdin, check=True, timeout=harness.LIMIT)


def content(index):
    """A line that is like no other."""
    return "%d %s" % (index, hashlib.sha256(b"%d" % index).hexdigest()[:16])


class Cuts:
    """10,000 messages each way over connections that are cut."""

    def through_cuts(self, qos, backlog, least, most, publisher=None, one_at_a_time=False):
        """Numbered messages from `mote pub` to `mote sub`, whose connections are cut after so many bytes. The publisher,
        which may speak another version, is never more than `backlog` messages ahead. Returns what was sent and what has
        arrived."""
        lines = [content(i) for i in range(CUT_MESSAGES)]
        proxy = self.start(CuttingProxy(self.broker.port, int(qos), least, most, one_at_a_time))
        session = ("-c", "-q", qos, "--retry", "20", "--quiet", "-W", str(2 * harness.LIMIT))
        ours = self.mote("sub", *session, "-t", "cut", "-i", "cut-sub", "-d", port=proxy.port).wait_complaint("mote: subscribed")
        arrived = harness.Lines(TextOf(ours.process.stdout), "mote sub")
        # Aedes says that there is a session only if there is a subscription.
        self.sub("-c", "-i", "cut-pub", "-t", "nothing", "-V", publisher or self.version).stop()
        publisher = self.mote("pub", *session, "-t", "cut", "-i", "cut-pub", "-l", "-V", publisher or self.version, port=proxy.port,
                              stdin=subprocess.PIPE)
        self.feed(publisher, lines, arrived, backlog)
        with arrived.arrived:
            # What Aedes has queued for a subscriber may come behind what is published meanwhile.
            arrived.arrived.wait_for(lambda: len(set(arrived.lines)) >= len(lines), harness.LIMIT)
        # What is now sent a second time comes before this.
        self.pub("-q", qos, "-t", "cut", "-m", "end")
        arrived.wait("^end$")
        if most:
            self.assertGreater(proxy.cuts, 20)
        if one_at_a_time:
            self.assertGreater(proxy.lowered, 20)
        return lines, [line for line in arrived.lines if line != "end"]

    def feed(self, publisher, lines, arrived, backlog):
        for index, line in enumerate(lines):
            with arrived.arrived:
                while index - len(arrived.lines) >= backlog:
                    self.assertTrue(arrived.arrived.wait(harness.LIMIT), "nothing arrives after %d" % index)
            try:
                publisher.process.stdin.write(line.encode() + b"\n")
                publisher.process.stdin.flush()
            except BrokenPipeError:
                break  # finish() says why
        publisher.finish()

    def exactly_once(self, backlog, **options):
        self.assert_same(*self.through_cuts("2", backlog, 200, 5000, **options))

    def assert_same(self, sent, arrived):
        """unittest's own would look for the differences of 10,000 lines."""
        for index, (line, other) in enumerate(zip(sent, arrived)):
            self.assertEqual(other, line, "number %d of %d, of %d that were sent" % (index, len(arrived), len(sent)))
        self.assertEqual(len(arrived), len(sent))


class Common(Cuts):
    """What holds with every broker."""

    def test_every_qos_from_us(self):
        for qos in "012":
            theirs = self.start(TheirSub(self, "-t", "up/%s" % qos, "-q", qos, "-C", "3", "-F", "%q %p"))
            self.pub("-t", "up/%s" % qos, "-q", qos, "-l", stdin=b"one\n\nthree \xe2\x82\xac")
            self.assertEqual(theirs.finish(), [qos + " one", qos + " ", qos + " three \u20ac"])

    def test_every_qos_to_us(self):
        for qos in "012":
            ours = self.sub("-t", "down/+", "-q", qos, "-C", "2", "-F", "%t %q %l %p")
            self.their_pub("-t", "down/x", "-q", qos, "-m", "hello")
            self.their_pub("-t", "down/y", "-q", qos, "-m", "again")
            self.assertEqual(ours.finish().decode(), "down/x %s 5 hello\ndown/y %s 5 again\n" % (qos, qos))

    def test_retained(self):
        self.pub("-t", "kept", "-r", "-q", "1", "-m", "stays")
        self.assertEqual(self.sub("-t", "kept", "-C", "1", "-F", "%r %p").finish(), b"1 stays\n")
        fresh = self.sub("-t", "kept", "-R", "-C", "1", "-F", "%r %p")
        self.pub("-t", "kept", "-m", "passes")
        self.assertEqual(fresh.finish(), b"0 passes\n")
        self.pub("-t", "kept", "-r", "-n", "-q", "1")
        late = self.sub("-t", "kept", "-C", "1")
        self.pub("-t", "kept", "-m", "next")
        self.assertEqual(late.finish(), b"next\n")

    def test_will(self):
        heir = self.sub("-t", "gone", "-q", "1", "-C", "1", "-v")
        lost = self.sub("-t", "x", "--will-topic", "gone", "-i", "lost", "--will-payload", "last words", "--will-qos", "1")
        lost.process.kill()
        self.assertEqual(heir.finish(), b"gone last words\n")

    def test_will_of_a_connection_that_is_cut(self):
        heir = self.sub("-t", "gone", "-q", "1", "-C", "2")
        proxy = self.start(CuttingProxy(self.broker.port))
        lost = self.sub("-t", "x", "-i", "lost", "--will-topic", "gone", "--will-payload", "last words", "--will-qos", "1",
                        "--retry", "20", port=proxy.port)
        proxy.cut()
        lost.wait_complaint("the connection was lost")
        lost.wait_complaint("mote: subscribed", 2)
        proxy.cut()
        self.assertEqual(heir.finish(), b"last words\nlast words\n")

    def test_will_is_dropped_by_an_orderly_end(self):
        heir = self.sub("-t", "gone", "-q", "1", "-C", "1")
        leaving = self.sub("-t", "x", "--will-topic", "gone", "--will-payload", "last words", "--will-qos", "1")
        leaving.process.send_signal(signal.SIGTERM)
        leaving.finish()
        self.pub("-t", "gone", "-q", "1", "-m", "nobody died")
        self.assertEqual(heir.finish(), b"nobody died\n")

    def test_session_keeps_what_came_meanwhile(self):
        session = ("-c", "-i", "sleeper", "-x", "600", "-t", "queue/#", "-q", "2")
        first = self.sub(*session, "-C", "1")
        self.pub("-t", "queue/a", "-q", "2", "-m", "awake")
        self.assertEqual(first.finish(), b"awake\n")
        self.pub("-t", "queue/a", "-q", "2", "-l", stdin=b"1\n2\n3\n")
        self.pub("-t", "queue/b", "-q", "1", "-m", "4")
        again = self.mote("sub", *session, "-C", "4", "-d", "-W", str(harness.LIMIT))
        self.assertEqual(again.finish(), b"1\n2\n3\n4\n")
        self.assertIn("session resumed", again.complained())

    def megabyte_to(self, qos):
        payload = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(32768))
        ours = self.sub("-t", "large", "-q", qos, "-C", "1", "-N", "--buffer", "4096")
        with tempfile.NamedTemporaryFile() as file:
            file.write(payload)
            file.flush()
            self.pub("-t", "large", "-q", qos, "-f", file.name, "--buffer", "4096")
        self.assertTrue(ours.finish() == payload, "a megabyte has changed")

    def test_a_megabyte_through_four_kilobytes(self):
        for qos in "012":
            self.megabyte_to(qos)

    def test_a_long_line_among_short_ones(self):
        text = b"short\n" + b"x" * 100000 + b"\nlast\n"
        ours = self.sub("-t", "lines", "-q", "1", "-C", "3", "--buffer", "2048")
        self.pub("-t", "lines", "-q", "1", "-l", "--buffer", "2048", stdin=text)
        self.assertEqual(ours.finish(), text)

    def test_10000_messages_at_least_once_over_cuts(self):
        lines, arrived = self.through_cuts("1", CUT_MESSAGES, 200, 5000)
        self.assertEqual(set(arrived) - set(lines), set(), "messages that nobody has sent")
        self.assertEqual(set(lines) - set(arrived), set(), "messages that were lost")


class TextOf:
    """Lines of a pipe of bytes as text."""

    def __init__(self, stream):
        self.stream = stream

    def __iter__(self):
        return (line.decode(errors="replace") for line in self.stream)


class TheirSub(harness.Process):
    """mosquitto_sub, subscribed; its messages apart from what it says of itself."""

    def __init__(self, test, *arguments):
        super().__init__("stdbuf", "-oL", *test.theirs("mosquitto_sub", "-d", "-W", str(harness.LIMIT), *arguments[:-1],
                                                       "MESSAGE " + arguments[-1]), name="mosquitto_sub")
        self.wait("received SUBACK|Subscribed")

    def finish(self):
        self.process.wait(harness.LIMIT)
        self.output.close()
        return [line[8:] for line in self.output.lines if line.startswith("MESSAGE ")]


class WithMosquitto(Common, BrokerTest):
    version = "mqttv5"

    def make_broker(self):
        return Mosquitto(PORT)

    # With a queue longer than the Receive Maximum, Mosquitto 2.0.11 sends more than that, up to all of it, and what is sent
    # again then does not get there between two cuts. It keeps to 1 (docs/mote-tool.md).

    def test_10000_messages_exactly_once_over_cuts(self):
        self.exactly_once(16)

    def test_10000_messages_from_a_queue_exactly_once_over_cuts(self):
        self.exactly_once(CUT_MESSAGES, one_at_a_time=True)

    def test_session_survives_a_restart_of_the_broker(self):
        session = ("-c", "-i", "survivor", "-x", "600", "-t", "restart", "-q", "2")
        first = self.sub(*session, "-C", "1")
        self.pub("-t", "restart", "-q", "2", "-m", "before")
        self.assertEqual(first.finish(), b"before\n")
        self.pub("-t", "restart", "-q", "2", "-l", stdin=b"1\n2\n3\n")
        live = self.sub("-c", "-i", "live", "-x", "600", "-t", "restart", "-q", "1", "-C", "4", "--retry", "100")
        self.broker.restart()
        live.wait_complaint("session resumed")
        self.pub("-t", "restart", "-q", "2", "-l", stdin=b"4\n5\n6\n7\n")
        self.assertEqual(live.finish(), b"4\n5\n6\n7\n")
        again = self.mote("sub", *session, "-C", "7", "-W", str(harness.LIMIT))
        self.assertEqual(again.finish(), b"1\n2\n3\n4\n5\n6\n7\n")

    def test_will_delay(self):
        heir = self.sub("-t", "gone", "-q", "1", "-C", "1", "-F", "%P %C %p")
        lost = self.sub("-t", "x", "-i", "lost", "-x", "60", "--will-topic", "gone", "--will-payload", "late", "--will-qos", "1",
                        "-D", "will", "will-delay-interval", "2", "-D", "will", "content-type", "text/plain",
                        "-D", "will", "user-property", "by", "will")
        begin = time.monotonic()
        lost.process.kill()
        self.assertEqual(heir.finish(), b"by:will text/plain late\n")
        self.assertGreater(time.monotonic() - begin, 1)

    def test_no_will_if_we_are_back_in_time(self):
        heir = self.sub("-t", "gone", "-q", "1", "-C", "1")
        arguments = ("-t", "x", "-c", "-i", "lost", "-x", "60", "--will-topic", "gone", "--will-payload", "late", "--will-qos", "1",
                     "-D", "will", "will-delay-interval", "60")
        self.sub(*arguments).process.kill()
        back = self.mote("sub", *arguments, "-d").wait_complaint("session resumed")
        back.process.send_signal(signal.SIGTERM)
        back.finish()
        self.pub("-t", "gone", "-q", "1", "-m", "alive")
        self.assertEqual(heir.finish(), b"alive\n")

    def test_shared_subscription(self):
        members = [self.sub("-t", "$share/pool/jobs/#", "-q", "1", "-F", "%p") for _ in range(2)]
        outputs = [harness.Lines(TextOf(member.process.stdout), "member") for member in members]
        jobs = ["job %d" % i for i in range(100)]
        self.pub("-t", "jobs/x", "-q", "1", "-l", stdin="\n".join(jobs).encode())
        deadline = time.monotonic() + harness.LIMIT
        while sum(len(output.lines) for output in outputs) < len(jobs) and time.monotonic() < deadline:
            time.sleep(0.005)
        for output in outputs:
            self.assertGreater(len(output.lines), 10)
        self.assertEqual(sorted(outputs[0].lines + outputs[1].lines), sorted(jobs))

    def test_topic_alias(self):
        topic, lines = "a/topic/long/enough/for/an/alias/to/be/worth/while", b"x\n" * 100
        sizes = []
        for alias in ((), ("-D", "publish", "topic-alias", "7")):
            theirs = self.start(TheirSub(self, "-t", topic, "-q", "1", "-C", "100", "-F", "%t %p"))
            proxy = self.start(CuttingProxy(self.broker.port))
            self.pub("-t", topic, "-q", "1", "-l", *alias, stdin=lines, port=proxy.port)
            self.assertEqual(theirs.finish(), [topic + " x"] * 100)
            sizes.append(proxy.bytes_up)
        self.assertEqual(sizes[0] - sizes[1], 99 * len(topic) - 100 * 3)

    def test_properties_of_a_message(self):
        ours = self.sub("-t", "p", "-C", "1", "-F", "%C|%D|%E|%F|%P|%R|%S|%p", "-D", "subscribe", "subscription-identifier", "77")
        self.their_pub("-t", "p", "-m", "x", "-D", "publish", "content-type", "a/b", "-D", "publish", "correlation-data", "c",
                       "-D", "publish", "message-expiry-interval", "100", "-D", "publish", "payload-format-indicator", "1",
                       "-D", "publish", "user-property", "k", "v", "-D", "publish", "response-topic", "r")
        self.assertRegex(ours.finish().decode(), r"^a/b\|c\|(100|99)\|1\|k:v\|r\|77\|x\n$")

    def test_request_and_response(self):
        answerer = self.sub("-t", "ask", "-q", "1", "-C", "1", "-F", "%R %D %p")
        asker = self.start(Process(self.theirs("mosquitto_rr", "-t", "ask", "-e", "answers/1", "-m", "6x7", "-q", "1", "-W", str(harness.LIMIT),
                                               "-D", "publish", "correlation-data", "nr-9")))
        topic, correlation, question = answerer.finish().decode().split()
        self.assertEqual((topic, correlation, question), ("answers/1", "nr-9", "6x7"))
        self.pub("-t", topic, "-D", "publish", "correlation-data", correlation, "-q", "1", "-m", "42")
        self.assertEqual(asker.finish(), b"42\n")

    def test_no_local_and_filters_out(self):
        ours = self.sub("-t", "n/#", "-T", "n/+/skip", "-C", "2", "-v")
        self.pub("-t", "n/a/skip", "-m", "1")
        self.pub("-t", "n/a/take", "-m", "2")
        self.pub("-t", "n/skip", "-m", "3")
        self.assertEqual(ours.finish(), b"n/a/take 2\nn/skip 3\n")

    def test_system_topics(self):
        self.assertEqual(self.sub("-t", "$SYS/broker/version", "-C", "1", "-F", "%t").finish(), b"$SYS/broker/version\n")


class WithMosquitto311(Common, BrokerTest):
    version = "mqttv311"

    def make_broker(self):
        return Mosquitto(PORT)

    test_10000_messages_at_least_once_over_cuts = None  # Aedes has it with 3.1.1

    def test_10000_messages_exactly_once_over_cuts(self):
        self.exactly_once(16)

    def test_10000_messages_of_a_fast_publisher_exactly_once_over_cuts(self):
        self.version = "mqttv5"  # of the subscriber: 3.1.1 has no Receive Maximum
        self.exactly_once(CUT_MESSAGES, publisher="mqttv311", one_at_a_time=True)


class WithMosquitto311OneAtATime(Cuts, BrokerTest):
    version = "mqttv311"

    def make_broker(self):
        return Mosquitto(PORT, "max_inflight_messages 1")

    def test_10000_messages_from_a_queue_exactly_once_over_cuts(self):
        self.exactly_once(CUT_MESSAGES, publisher="mqttv5")


class WithAedes(Common, BrokerTest):
    version = "mqttv311"

    def make_broker(self):
        if AEDES_REASON:
            self.skipTest(AEDES_REASON)
        return Aedes(PORT, AEDES_FOLDER)

    def test_10000_messages_exactly_once_over_cuts(self):
        """After a cut, what is published meanwhile comes before the rest of the queue."""
        lines, arrived = self.through_cuts("2", CUT_MESSAGES, 200, 5000)
        self.assert_same(sorted(lines), sorted(arrived))

    def test_falls_back_to_what_the_broker_speaks(self):
        self.version = None
        ours = self.sub("-t", "old", "-C", "1")
        self.assertIn("connected with MQTT 3.1.1", ours.complained())
        self.pub("-t", "old", "-q", "1", "-m", "works")
        self.assertEqual(ours.finish(), b"works\n")


class WithPersistentAedes(BrokerTest):
    version = "mqttv311"

    def make_broker(self):
        if AEDES_REASON:
            self.skipTest(AEDES_REASON)
        return Aedes(PORT, AEDES_FOLDER, persistent=True)

    def test_session_survives_a_restart_of_the_broker(self):
        session = ("-c", "-i", "survivor", "-t", "restart", "-q", "2")
        first = self.sub(*session, "-C", "1")
        self.pub("-t", "restart", "-q", "2", "-m", "before")
        self.assertEqual(first.finish(), b"before\n")
        for text in ("1", "2", "3"):
            self.pub("-t", "restart", "-q", "2", "-m", text)
        self.pub("-t", "kept", "-q", "1", "-r", "-m", "stays")
        live = self.sub("-c", "-i", "live", "-t", "restart", "-q", "1", "-C", "3", "--retry", "100")
        self.broker.restart()
        live.wait_complaint("session resumed")
        for text in ("4", "5", "6"):
            self.pub("-t", "restart", "-q", "2", "-m", text)
        self.assertEqual(live.finish(), b"4\n5\n6\n")
        again = self.mote("sub", *session, "-C", "6", "-d", "-W", str(harness.LIMIT))
        self.assertEqual(sorted(again.finish().split()), [b"1", b"2", b"3", b"4", b"5", b"6"])
        self.assertIn("session resumed", again.complained())
        self.assertEqual(self.sub("-t", "kept", "-C", "1").finish(), b"stays\n")


class WithAliases(BrokerTest):
    version = "mqttv5"

    def make_broker(self):
        if AEDES_REASON:
            self.skipTest(AEDES_REASON)
        return Aliases(PORT, AEDES_FOLDER)

    def test_topic_aliases_that_are_received(self):
        ours = self.sub("-t", "#", "-q", "1", "-C", "8", "-v", "-D", "connect", "topic-alias-maximum", "2")
        self.assertEqual(ours.finish().decode().split("\n")[:-1],
                         ["first 1", "first 2", "second 3", "first 4", "second 5", "third 6", "second 7", "third 8"])
        self.broker.output.wait("^topic alias maximum 2$")

    def test_an_alias_that_was_not_allowed_ends_the_connection(self):
        ours = self.mote("sub", "-t", "#", "-q", "1", "-C", "8", "-v", "-D", "connect", "topic-alias-maximum", "1", "-W", "20")
        ours.wait_complaint("does not speak MQTT as it should: topic alias invalid")


class Refusals(BrokerTest):
    version = "mqttv5"

    def make_broker(self):
        return Mosquitto(PORT, anonymous="false")

    def fails(self, *arguments, port=None):
        result = subprocess.run([str(self.tool), *arguments, "-h", "127.0.0.1", "-p", str(port or PORT)], capture_output=True,
                                text=True, timeout=harness.LIMIT)
        return result.returncode, result.stderr

    def test_not_authorized(self):
        for version in ("mqttv5", "mqttv311"):
            status, text = self.fails("pub", "-t", "x", "-m", "y", "-V", version)
            self.assertEqual(status, 1)
            self.assertIn("refuses the connection: not authorized", text)

    def test_nobody_there(self):
        status, text = self.fails("pub", "-t", "x", "-m", "y", port=PORT + 1)
        self.assertEqual((status, text), (1, "mote: no connection to 127.0.0.1 port 1884: Connection refused\n"))

    def test_command_lines_that_are_wrong(self):
        for arguments, text in (
                (("pub", "-t", "a/+", "-m", "x"), "is no topic"),
                (("pub", "-t", "a"), "one of -m"),
                (("pub", "-t", "a", "-m", "x", "-n"), "one of -m"),
                (("pub", "-t", "a", "-m", "x", "-q", "3"), "from 0 to 2"),
                (("pub", "-t", "a", "-m", "x", "-C", "3"), "no option -C"),
                (("pub", "-t", "a", "-m"), ""),
                (("pub", "-t", "a", "-m", "x", "-c"), "needs a client id"),
                (("pub", "-t", "a", "-m", "x", "-D", "publish", "colour", "red"), "the properties are"),
                (("sub", "-t", "a/#/b"), "no topic filter"),
                (("sub", "-t", "$share/g"), "no topic filter"),
                (("sub", "-t", "a", "-F", "%Z"), "a % is followed by"),
                (("sub",), "sub needs -t"),
                (("frob",), "usage")):
            status, complaint = self.fails(*arguments)
            self.assertEqual(status, 2, (arguments, complaint))
            self.assertIn(text, complaint)

    def test_timeout(self):
        silent = self.start(Silent())
        status, _ = self.fails("sub", "-t", "x", "-W", "1", port=silent.port)
        self.assertEqual(status, 27)


class LateAnswer(BrokerTest):
    """The first message is acknowledged while the second, which streams, is under way."""

    def make_broker(self):
        return Late()

    def test_a_long_line_behind_one_that_is_acknowledged_late(self):
        lines = [b"short", b"x" * Late.LONG, b"last"]
        self.pub("-V", "mqttv311", "-t", "t", "-q", "1", "-l", "--buffer", "2048", stdin=b"\n".join(lines))
        self.broker.thread.join(harness.LIMIT)
        self.assertEqual([len(line) for line in self.broker.lines], [len(line) for line in lines])
        self.assertTrue(self.broker.lines == lines, "the lines have changed")


class Late:
    """A broker of 3.1.1 for one publisher of three lines: what has come of the long second one is less than what the
    sockets hold when it acknowledges the first."""

    LONG = 4000000

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.port = self.listener.getsockname()[1]
        self.lines = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _packet(self, stream):
        head, length, shift = stream.read(1), 0, 0
        while True:
            byte = stream.read(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return head[0], length

    def _publish(self, stream, after_head=lambda: None):
        """PUBACK for it."""
        _, length = self._packet(stream)
        head = stream.read(5)  # "t", packet id
        after_head()
        self.lines.append(stream.read(length - 5))
        return b"\x40\x02" + head[3:]

    def _serve(self):
        connection, _ = self.listener.accept()
        connection.settimeout(harness.LIMIT / 4)
        with connection, connection.makefile("rb") as stream:
            stream.read(self._packet(stream)[1])
            connection.sendall(b"\x20\x02\x00\x00")
            first = self._publish(stream)
            connection.sendall(self._publish(stream, lambda: connection.sendall(first)))
            connection.sendall(self._publish(stream))
            stream.read()

    def stop(self):
        self.listener.close()


class Silent:
    """Takes connections and says nothing."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def stop(self):
        self.listener.close()


if __name__ == "__main__":
    if os.environ.get("MOTE_NAMESPACE") != "entered" and AEDES_FOLDER:
        os.environ["MOTE_AEDES"] = install_aedes(AEDES_FOLDER) or ""  # while there is a network
    AEDES_REASON = os.environ.get("MOTE_AEDES", "")
    harness.enter_namespace()
    harness.main()
