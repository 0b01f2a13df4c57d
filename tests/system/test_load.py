#!/usr/bin/env python3
"""More than fits: bursts of requests, floods of messages, a cable pulled in the middle of traffic."""

import subprocess

from harness import LIMIT, PREFIX, BoardTest, Broker, enter_namespace, main


class Load(BoardTest):
    def setUp(self):
        self.broker = self.start(Broker())
        self.mote = self.board("mote-static.elf")
        self.topics = PREFIX + "02-00-00-03-02-00"
        self.answers = self.start(self.broker.subscribe("answers", self.topics + "/alive"))
        self.mote.wait("connected to broker")
        self.answers.next("alive")

    def assert_alive(self):
        self.mote.skip()
        self.broker.publish(self.topics + "/set/led", "false")
        self.broker.publish(self.topics + "/set/led", "true")
        self.mote.wait("LD3 .*on")
        self.assertEqual(len(self.mote.seen("started by")), 1)
        self.assert_clean(self.mote)

    def test_each_request_of_a_burst_is_answered(self):
        """docs/settings.md: Ok, or Busy and nothing changed."""
        for count in (3, 10, 30):
            self.broker.pour(self.topics + "/set/led", ["true\n"] * count, "-q", "1", "-D", "publish", "response-topic",
                      "answers", "-D", "publish", "correlation-data", "c")
            codes = [self.answers.next("answers")["properties"]["user-properties"]["code"] for _ in range(count)]
            self.assertIn("Ok", codes)
            self.assertLessEqual(set(codes), {"Ok", "Busy"})
        self.assert_alive()

    def test_flood_of_changes(self):
        """20000 changes, each of which is logged: the watchdog never bites, the last one counts."""
        self.broker.pour(self.topics + "/set/led", ["true\n", "false\n"] * 10000, "-q", "0")
        self.broker.pour(self.topics + "/set/telemetry/period_ms", ["%d\n" % (100 + i % 900) for i in range(5000)] + ["777\n"],
                  "-q", "1")
        self.mote.wait("period_ms = 777")
        self.assert_alive()

    def test_cable_pulled_under_traffic(self):
        """An acknowledgement that falls due without a link must not keep the core from noticing it."""
        traffic = self.start(self.broker.subscribe(self.topics + "/set/no"))
        for _ in range(3):
            stream = subprocess.Popen(self.broker.client("mosquitto_pub", "-l", "-q", "0", "-t", self.topics + "/set/no"),
                                      stdin=subprocess.PIPE, text=True)
            stream.stdin.write("first\n")
            stream.stdin.flush()
            traffic.next("/set/no$", lambda payload: payload == "first")
            for _ in range(300):
                stream.stdin.write("1\n")
                stream.stdin.flush()
            self.mote.key("c")
            for _ in range(300):
                stream.stdin.write("1\n")
                stream.stdin.flush()
            self.mote.wait("link down")
            self.mote.key("c")
            self.mote.wait("link up")
            stream.stdin.close()
            stream.wait(LIMIT)
        self.assert_alive()


if __name__ == "__main__":
    enter_namespace()
    main()
