#!/usr/bin/env python3
"""The full firmware's session outlives its connection, and turns from broker to broker, against real Mosquittos."""

import json
import re
import socket
import threading

from harness import PREFIX, ROOT, BoardTest, Broker, add_tap, enter_namespace, ip, main

LONG = 150  # seconds: an address is probed for, and a dead connection noticed


class SessionTest(BoardTest):
    def watch(self, broker):
        """What is published from here on."""
        self.broker = broker
        self.subscriber = self.start(broker.subscribe(PREFIX + "#"))

    def next(self, topic, accepts=bool):
        """The next payload under a topic that is as wanted."""
        return self.subscriber.next(topic, accepts, LONG)["payload"]

    def next_alive(self, other_than=None):
        return json.loads(self.next("/alive$", lambda text: text and json.loads(text)["epoch"] != other_than))["epoch"]

    def epochs_seen(self):
        found = (re.search(r'^JSON .*\\"epoch\\":(\d+)', line) for line in self.subscriber.output.lines)
        return {int(match.group(1)) for match in found if match}

    def next_setting(self, path, value):
        self.next("/settings/%s$" % path, lambda text: text == value)

    def next_report(self, accepts=lambda report: True):
        return json.loads(self.next("/telemetry/session$", lambda text: accepts(json.loads(text))))

    def boot(self, elf="mote-dhcp-full.elf", *options):
        self.mote = self.board(elf, *options)
        self.topics = self.mote.wait(r"topics (\S+)").group(1)

    def connect(self, *options):
        self.boot(*options)
        self.mote.wait("connected to broker", LONG)
        self.mote.wait("session new")
        self.epoch = self.next_alive()

    def set(self, path, value):
        self.broker.publish(self.topics + "/set/" + path, value)


class Survives(SessionTest):
    def setUp(self):
        self.watch(self.start(Broker(keeps=True)))

    def put_in_flight(self):
        """Both ways, over a cable that is out."""
        self.set("telemetry/period_ms", "3600000")  # which would fill the send buffer
        self.next_setting("telemetry/period_ms", "3600000")
        self.mote.key("c")
        self.mote.wait("LD1 .*off")
        self.set("telemetry/period_ms", "1000")
        self.mote.key("b")
        self.mote.wait("setting /led = true")
        self.assertEqual(self.mote.seen("period_ms = 1000"), [])

    def expect_in_flight(self):
        self.mote.wait("session resumed", LONG)
        self.mote.wait("period_ms = 1000")
        self.next_setting("led", "true")
        report = self.next_report()
        self.assertEqual(self.epochs_seen(), {self.epoch})
        self.assertEqual((report["resumed"], report["lost"], report["refused"]), (1, 0, 0))
        self.assertGreaterEqual(report["replayed"], 1)
        self.assert_clean(self.mote)

    def connect_twice(self):
        """Mosquitto 2.0.11 saves no session whose last connection began with Clean Start."""
        self.connect()
        self.broker.restart()
        self.watch(self.broker)
        self.mote.wait("session new", LONG)
        self.epoch = self.next_alive(other_than=self.epoch)

    def test_a_cable_cut_for_long(self):
        """Longer than the user timeout of the connection."""
        self.connect()
        self.put_in_flight()
        self.mote.wait("broker lost")
        self.mote.key("c")
        self.expect_in_flight()

    def test_a_broker_restarted_that_keeps_its_sessions(self):
        self.connect_twice()
        self.put_in_flight()
        self.broker.restart()
        self.watch(self.broker)
        self.mote.key("c")
        self.mote.wait("broker lost", LONG)
        self.expect_in_flight()

    def test_a_broker_restarted_that_has_lost_them(self):
        """What was on its way to it arrives all the same; the settings are set up anew."""
        self.connect()
        self.put_in_flight()
        self.broker.kill()
        self.broker.start()
        self.watch(self.broker)
        self.mote.key("c")
        self.mote.wait("broker lost", LONG)
        self.mote.wait("session new", LONG)
        self.next_setting("led", "true")
        self.next_alive(other_than=self.epoch)
        self.set("led", "false")
        self.mote.wait("LD3 .*off")
        self.assert_clean(self.mote)

    def test_changed_without_a_connection(self):
        """By the button: the broker is told afterwards."""
        self.connect_twice()
        self.broker.end()
        self.mote.wait("broker lost")
        self.mote.key("b")
        self.mote.wait("setting /led = true")
        self.broker.start()
        self.watch(self.broker)
        self.mote.wait("session resumed", LONG)
        self.next_setting("led", "true")
        self.next_report()
        self.assertEqual(self.epochs_seen(), {self.epoch})

    def test_a_reset_begins_anew(self):
        """The store was in RAM: packet ids of before must not be mistaken (MQTT-3.2.2-4)."""
        self.connect()
        self.mote.key("c")
        self.mote.wait("LD1 .*off")
        self.set("led", "true")
        self.mote.key("r")
        self.mote.key("c")
        self.mote.wait("session new", LONG)
        self.assertEqual(self.mote.seen("session resumed"), [])
        self.next_alive(other_than=self.epoch)
        self.set("telemetry/period_ms", "500")
        self.mote.wait("period_ms = 500")
        self.assertEqual(self.mote.seen("setting /led"), [])


class Statistics(SessionTest):
    def test_as_documented(self):
        self.watch(self.start(Broker(keeps=True)))
        self.connect()
        first = self.next_report()
        members = re.findall(r"^\| `(\w+)` \| ", (ROOT / "docs/firmware.md").read_text(), re.M)
        self.assertEqual(list(first), members)
        self.assertEqual((first["attempts"], first["sessions"], first["resumed"]), (1, 1, 0))
        self.set("led", "true")
        self.mote.wait("LD3 .*on")
        second = self.next_report(lambda report: report["received"] > 0)
        self.assertGreater(second["acknowledged"], first["acknowledged"])
        self.broker.kill()
        self.mote.wait("broker not reached")
        self.broker.start()
        self.watch(self.broker)
        third = self.next_report()
        self.assertGreater(third["attempts"], 2)
        self.assertEqual((third["sessions"], third["received"]), (2, 0))


class Cutter:
    """Between the firmware and the broker: cuts each connection after so many bytes from the firmware, then no more."""

    def __init__(self, broker_port, cuts):
        self.listener = socket.create_server(("127.0.0.1", 1883))
        self.port, self.cuts = broker_port, list(cuts)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            cut = self.cuts.pop(0) if self.cuts else None
            threading.Thread(target=self.connect, args=(client, cut), daemon=True).start()

    def connect(self, client, cut):
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            back = threading.Thread(target=self.pump, args=(server, client, None), daemon=True)
            back.start()
            self.pump(client, server, cut)
            back.join()

    def pump(self, source, sink, left):
        try:
            while left != 0:
                data = source.recv(4096 if left is None else min(left, 4096))
                if not data:
                    break
                sink.sendall(data)
                left = None if left is None else left - len(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Start(SessionTest):
    def test_cut_anywhere_in_the_start_of_a_session(self):
        """The broker keeps a session in which nothing was subscribed to yet; it is set up all the same."""
        self.watch(self.start(Broker(port=1884)))
        cuts = (150, 400, 560, 640, 720)
        self.start(Cutter(1884, cuts))
        self.boot()
        for _ in cuts:
            self.mote.wait("broker (lost|not reached)", LONG)
        self.mote.wait("session resumed", LONG)
        self.next_alive()
        self.set("led", "true")
        self.mote.wait("LD3 .*on")
        self.next_setting("led", "true")
        self.assert_clean(self.mote)


class Brokers(SessionTest):
    """BROKER_IP_ADDRESS=192.168.77.1,192.168.77.3"""

    FIRST, SECOND = "192.168.77.1", "192.168.77.3"

    def setUp(self):
        add_tap(self.addCleanup, self.FIRST + "/24", self.SECOND + "/24")

    def expect_broker(self, address):
        self.mote.wait("connected to broker %s$" % re.escape(address), LONG)

    def test_in_turn_and_back(self):
        first = self.start(Broker(self.FIRST, keeps=True))
        second = self.start(Broker(self.SECOND))
        self.watch(first)
        self.boot("mote-brokers-full.elf", "--net", "tap:mote0")
        self.mote.wait(r"broker 192\.168\.77\.1:1883")
        self.mote.wait(r"broker 192\.168\.77\.3:1883")
        self.expect_broker(self.FIRST)
        self.next_alive()
        first.end()
        self.mote.wait("broker lost")
        self.watch(second)
        self.expect_broker(self.SECOND)
        self.next_alive()
        self.set("led", "true")
        self.mote.wait("LD3 .*on")
        self.next_setting("led", "true")
        # Meanwhile the first is back with the session that it has kept; nobody leaves a broker that works.
        first.start()
        self.watch(first)
        second.kill()
        self.mote.wait("broker lost")
        self.expect_broker(self.FIRST)
        self.next_setting("led", "true")
        self.next_alive()
        self.set("led", "false")
        self.mote.wait("LD3 .*off")
        self.assert_clean(self.mote)

    def test_a_session_kept_from_before_another_broker(self):
        """It is of no use any more: a new one begins, and the settings are published anew."""
        first, second = self.start(Broker(self.FIRST)), self.start(Broker(self.SECOND))
        self.watch(second)
        self.boot("mote-brokers-full.elf", "--net", "tap:mote0")
        self.expect_broker(self.FIRST)
        self.mote.wait("found as", LONG)
        ip("address delete %s/24 dev mote0" % self.FIRST)
        ip("address add %s/24 dev mote0" % self.SECOND)  # gone with it, of which it was an alias
        self.expect_broker(self.SECOND)
        self.next_alive()
        self.set("led", "true")
        self.mote.wait("LD3 .*on")
        self.next_setting("led", "true")
        ip("address add %s/24 dev mote0" % self.FIRST)
        self.watch(first)
        second.kill()
        self.expect_broker(self.FIRST)
        self.mote.wait("session new")
        self.next_setting("led", "true")
        self.next_alive()
        self.set("led", "false")
        self.mote.wait("LD3 .*off")
        self.assert_clean(self.mote)

    def test_the_first_is_not_there(self):
        second = self.start(Broker(self.SECOND))
        self.watch(second)
        self.boot("mote-brokers-full.elf", "--net", "tap:mote0")
        self.mote.wait("broker not reached", LONG)
        self.expect_broker(self.SECOND)
        self.next_alive()


if __name__ == "__main__":
    enter_namespace()
    main()
