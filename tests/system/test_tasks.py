#!/usr/bin/env python3
"""What the full firmware says of its own tasks, their shares of the core and longest times, and of its session."""

import json

from harness import PREFIX, BoardTest, Broker, enter_namespace, main

TASKS = {"ethernet", "network_due", "button", "network_more", "link", "telemetry"}


class Tasks(BoardTest):
    def setUp(self):
        self.broker = self.start(Broker())
        self.mote = self.board("mote-dhcp-full.elf")
        self.reports = self.start(self.broker.subscribe(PREFIX + "+/telemetry", PREFIX + "+/telemetry/tasks"))

    def report(self):
        return json.loads(self.reports.next("/telemetry/tasks$")["payload"])

    def test_shares_and_longest_times(self):
        self.report()
        report = self.report()
        self.assertLessEqual(TASKS, set(report["tasks"]))
        self.assertEqual(set(report["locks"]), {"network"})
        for task in report["tasks"].values():
            self.assertLessEqual(task["load_ppm"], 1000000)
        # INIT and each second's telemetry have run; both hold the network for part of their time.
        longest = {name: task["longest_us"] for name, task in report["tasks"].items()}
        self.assertGreater(longest["telemetry"], 10)
        self.assertEqual(longest["button"], 0)
        held = report["locks"]["network"]["longest_us"]
        self.assertTrue(0 < held < max(longest.values()) + 1, report)

    def test_longest_times_never_shrink(self):
        """And the button's task is there once it was pressed."""
        first = self.report()
        self.mote.key("b")
        self.mote.wait("setting /led = true")
        self.report()
        last = self.report()
        for name, task in first["tasks"].items():
            self.assertGreaterEqual(last["tasks"][name]["longest_us"], task["longest_us"])
        self.assertGreater(last["tasks"]["button"]["longest_us"], 0)

    def test_shares_add_up_to_the_load(self):
        """cpu_permille counts what was not slept, so the kernel's and the interrupts' own time too."""
        self.broker.publish(self.reports.next("/telemetry$")["topic"].replace("/telemetry", "/set/telemetry/period_ms"),
                            "100")
        self.mote.wait("period_ms = 100")
        for _ in range(5):
            self.report()
        load = json.loads(self.reports.next("/telemetry$")["payload"])["cpu_permille"]
        shares = sum(task["load_ppm"] for task in self.report()["tasks"].values())
        self.assertGreater(shares, 100)
        self.assertLessEqual(shares, 1000 * (load + 2))
        self.assert_clean(self.mote)


class Session(BoardTest):
    def setUp(self):
        self.broker = self.start(Broker())
        self.mote = self.board("mote-dhcp-full.elf")
        self.reports = self.start(self.broker.subscribe(PREFIX + "+/telemetry/session"))

    def report(self):
        message = self.reports.next("/telemetry/session$")
        return message["topic"], json.loads(message["payload"])

    def test_counts_the_session(self):
        topic, first = self.report()
        self.assertEqual((first["sessions"], first["lost"], first["refused"], first["unknown_acks"]), (1, 0, 0, 0))
        self.broker.publish(topic.replace("/telemetry/session", "/set/led"), "true")
        self.mote.wait("setting /led = true")
        _, second = self.report()
        self.assertEqual(second["received"], first["received"] + 1)
        self.assertGreater(second["sent"], first["sent"])
        self.assertGreater(second["acknowledged"], 0)

    def test_starts_anew_with_the_next_session(self):
        self.report()
        for _ in range(5):
            _, first = self.report()
        self.broker.kill()
        self.mote.wait("broker lost")
        self.broker.start()
        self.reports = self.start(self.broker.subscribe(PREFIX + "+/telemetry/session"))
        _, second = self.report()
        self.assertEqual(second["sessions"], 2)
        self.assertLess(second["sent"], first["sent"])


if __name__ == "__main__":
    enter_namespace()
    main()
