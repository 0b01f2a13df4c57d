#!/usr/bin/env python3
"""The firmware with a DHCP lease from libslirp, against a real Mosquitto."""

import json
import os
import re
import signal
import subprocess

import harness
from harness import LIMIT, PREFIX, ROOT, BoardTest, Broker, Process, enter_namespace, main


class Connected(BoardTest):
    ELF = "mote-dhcp.elf"
    OPTIONS = ()

    def setUp(self):
        self.broker = self.start(Broker())
        self.subscriber = self.start(self.broker.subscribe(PREFIX + "#"))
        self.mote = self.board(self.ELF, *self.OPTIONS)
        self.topics = self.mote.wait(r"topics (\S+)").group(1)

    def wait_connected(self):
        self.mote.wait(r"connected to broker 10\.0\.2\.2$")

    def next_setting(self, path, *values):
        """The next one, or the next that is one of these."""
        return self.subscriber.next("^%s/settings/%s$" % (re.escape(self.topics), path),
                                    lambda payload: not values or payload in values)

    def next_alive(self, accepts=bool):
        return self.subscriber.next("/alive$", accepts)

    def wait_settled(self):
        self.wait_connected()
        return self.next_alive()

    def test_log_reads_as_the_main_job(self):
        self.mote.wait(r"LD1 .*on")
        self.wait_connected()
        text = "\n".join(self.mote.output.lines)
        order = [r"mote \d+\.\d+", r"MAC ..-..-..-..-..-.., topics", r"broker 10\.0\.2\.2:1883", r"link up, 100 Mbit/s", r"address 10\.0\.2\.15", r"connected to broker"]
        places = [re.search(each, text).start() for each in order]
        self.assertEqual(places, sorted(places))
        self.assert_clean(self.mote)

    def test_start_of_session(self):
        """docs/settings.md: schema, mirror, then alive, which commits them."""
        schema = self.subscriber.next("/schema/0$")
        self.assertEqual(schema["payload"].splitlines(),
                         ["{}", '{"i":{"k":"n","c":{"period_ms":0}}}', '{"i":{"k":"n","c":{"led":0,"telemetry":1}}}'])
        led = self.next_setting("led")
        self.assertEqual(led["payload"], "false")
        self.assertEqual(led["properties"]["user-properties"], {"auth": ""})
        self.assertEqual(led["properties"]["payload-format-indicator"], 1)
        self.assertEqual(self.next_setting("telemetry/period_ms")["payload"], "1000")
        alive = json.loads(self.next_alive()["payload"])
        fnv = 2166136261
        for byte in schema["payload"].encode():
            fnv = (fnv ^ byte) * 16777619 & 0xFFFFFFFF
        self.assertEqual((alive["proto"], alive["pages"], alive["schema_rev"]), (1, 1, fnv))

    def test_led_by_both_topics(self):
        self.wait_settled()
        self.broker.publish(self.topics + "/settings/led", "true")
        self.mote.wait("LD3 .*on")
        self.mote.wait("setting /led = true")
        self.assertEqual(self.next_setting("led")["payload"], "true")
        self.broker.publish(self.topics + "/set/led", "false")
        self.mote.wait("LD3 .*off")
        self.next_setting("led", "false")
        self.assert_clean(self.mote)

    def test_answers(self):
        self.wait_settled()
        answer = self.broker.request(self.topics + "/set/led", "true")
        self.assertEqual(answer["properties"]["user-properties"], {"code": "Ok"})
        self.assertEqual(answer["properties"]["correlation-data"], "sixteen")
        for path, payload, kind, error, depth in (
                ("led", "maybe", "set", "Syntax", "1"), ("led", "3", "set", "Type", "1"),
                ("telemetry/period_ms", "99", "set", "Range", "2"), ("telemetry", "1", "set", "TooShort", "1"),
                ("telemetry/none", "1", "lookup", "NotFound", "1")):
            answer = self.broker.request(self.topics + "/set/" + path, payload)
            properties = answer["properties"]["user-properties"]
            self.assertEqual((properties["code"], properties["kind"], properties["error"], properties["depth"]),
                             ("Error", kind, error, depth))
            self.assertTrue(answer["payload"])

    def test_refused_value_is_put_right(self):
        """A lie that a plain tool has retained is overwritten by the truth."""
        self.wait_settled()
        self.broker.publish(self.topics + "/settings/led", "maybe", "-r")
        message = self.next_setting("led", "true", "false")
        self.assertEqual(message["payload"], "false")
        self.assertEqual(message["properties"]["user-properties"], {"auth": ""})

    def test_telemetry(self):
        self.wait_settled()
        first = json.loads(self.subscriber.next("/telemetry$")["payload"])
        second = json.loads(self.subscriber.next("/telemetry$")["payload"])
        self.assertAlmostEqual(second["uptime_s"] - first["uptime_s"], 1, delta=0.005)
        for key in ("cpu_permille", "frames_in", "frames_out", "tcp_retransmissions", "mqtt_reconnects",
                    "stack_unused"):
            self.assertIsInstance(second[key], int)
        self.assertGreater(second["frames_in"], 0)
        self.assertGreater(second["stack_unused"], 256)
        self.assertLess(second["cpu_permille"], 100)
        self.broker.publish(self.topics + "/set/telemetry/period_ms", "3600000")
        self.mote.wait("period_ms = 3600000")
        self.broker.publish(self.topics + "/set/telemetry/period_ms", "100")
        self.mote.wait("period_ms = 100$")
        first = json.loads(self.subscriber.next("/telemetry$")["payload"])["uptime_s"]
        for _ in range(20):
            last = json.loads(self.subscriber.next("/telemetry$")["payload"])["uptime_s"]
            if round(last - first, 3) == 0.1:
                break
            first = last
        self.assertEqual(round(last - first, 3), 0.1)

    def test_broker_killed_and_restarted(self):
        epoch = json.loads(self.wait_settled()["payload"])["epoch"]
        self.broker.publish(self.topics + "/set/led", "true")
        self.mote.wait("LD3 .*on")
        self.broker.kill()
        self.mote.wait("broker lost")
        self.mote.wait("broker not reached")
        self.broker.start()
        self.wait_connected()
        self.subscriber.stop()
        self.subscriber = self.start(self.broker.subscribe(PREFIX + "#"))
        self.assertEqual(self.next_setting("led")["payload"], "true")
        self.assertNotEqual(json.loads(self.next_alive()["payload"])["epoch"], epoch)
        self.assert_clean(self.mote)

    def test_cable_out_and_in(self):
        self.wait_settled()
        self.mote.key("c")
        self.mote.wait("LD1 .*off")
        self.mote.key("c")
        self.mote.wait("link up")
        self.broker.publish(self.topics + "/set/led", "true")
        self.mote.wait("LD3 .*on")
        self.assert_clean(self.mote)

    def test_cable_out_for_long(self):
        """Longer than the user timeout of the connection."""
        self.wait_settled()
        self.mote.key("c")
        self.mote.wait("broker lost")
        self.mote.key("c")
        self.wait_connected()
        self.next_alive()
        self.broker.publish(self.topics + "/set/led", "true")
        self.mote.wait("LD3 .*on")

    def test_reset_gives_another_epoch(self):
        epoch = json.loads(self.wait_settled()["payload"])["epoch"]
        self.mote.key("r")
        self.mote.wait(r"mote \d+\.\d+")
        self.wait_connected()
        self.next_alive(lambda payload: payload and json.loads(payload)["epoch"] != epoch)

    def test_the_will_clears_alive(self):
        self.wait_settled()
        self.mote.process.kill()
        self.next_alive(lambda payload: not payload)

    def test_button_toggles_the_led(self):
        self.wait_settled()
        self.mote.key("b")
        self.mote.wait("LD3 .*on")
        self.next_setting("led", "true")
        self.mote.wait("button up")
        self.subscriber.next("/telemetry$")  # the contacts have come to rest
        self.subscriber.next("/telemetry$")
        self.mote.key("b")
        self.mote.wait("LD3 .*off")


class Static(Connected):
    """The same with a static address."""
    ELF = "mote-static.elf"
    OPTIONS = ("--net", "slirp")

    def test_log_reads_as_the_main_job(self):
        self.assertEqual(self.topics, PREFIX + "02-00-00-03-02-00")
        self.mote.wait(r"address 10\.0\.2\.77, gateway 10\.0\.2\.2")
        self.wait_connected()
        self.assertEqual(self.mote.seen("DHCP"), [])


class WithoutCable(BoardTest):
    def test_boots_without_cable_and_finds_all_later(self):
        broker = self.start(Broker())
        mote = self.board("mote-dhcp.elf", "--cable", "out")
        mote.wait("topics ")
        mote.key("c")
        mote.wait("link up")
        mote.wait("connected to broker")
        self.assert_clean(mote)
        broker.kill()

    def test_boots_without_broker_and_finds_it_later(self):
        mote = self.board("mote-dhcp.elf")
        mote.wait("broker not reached")
        mote.wait("broker not reached")
        self.start(Broker())
        mote.wait("connected to broker")


class Run(BoardTest):
    """What `make run` starts: the instructions that it prints are followed as a user would."""

    class Process(Process):
        def stop(self):
            """With all that it has started."""
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            super().stop()

    def test_instructions_work_as_printed(self):
        run = self.start(Run.Process(str(ROOT / "app/run.sh"), harness.VIRTUAL_BOARD, str(harness.FIRMWARE / "mote-dhcp.elf"),
                                     "--keys", start_new_session=True))
        run.wait("Started Mosquitto on port 1883")
        listen = run.wait(r"^ +(mosquitto_sub .*)$").group(1)
        switch = run.wait(r"^ +(mosquitto_pub .* -m true) ").group(1)
        run.wait("connected to broker")
        # `alive` says that the device has subscribed; before that nobody would hear the switch.
        heard = self.start(Process("sh", "-c", "exec " + listen))
        heard.wait("/alive {")
        subprocess.run(switch, shell=True, check=True, timeout=LIMIT)
        run.wait("LD3 .*on")
        heard.wait("/settings/led true")
        run.key("q")
        self.assertEqual(run.process.wait(LIMIT), 0)


if __name__ == "__main__":
    enter_namespace()
    main()
