#!/usr/bin/env python3
"""A run against a real Mosquitto, recorded, is repeated without any network to the last bit."""

import os
import re
import subprocess
import tempfile
import time

import harness
from harness import LIMIT, BoardTest, Broker, enter_namespace, main

ELF = "mote-dhcp.elf"


class Record(BoardTest):
    def setUp(self):
        handle, self.recording = tempfile.mkstemp()
        os.close(handle)
        self.addCleanup(os.unlink, self.recording)

    def replay(self, *options):
        begun = time.monotonic()
        result = subprocess.run(["unshare", "--net", harness.VIRTUAL_BOARD, "--replay", self.recording, "--hash", *options,
                                 str(harness.FIRMWARE / ELF)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=LIMIT)
        return result.returncode, result.stdout, time.monotonic() - begun

    @staticmethod
    def state(text):
        return re.search(r"state ([0-9a-f]{16} at \d+ ps, \d+ instructions)", text).group(1)

    def recorded_run(self):
        """A session with what may come from outside: broker, keys, a broker that dies, a pulled cable, a reset."""
        broker = self.start(Broker())
        mote = self.board(ELF, "--record", self.recording, "--hash")
        topics = mote.wait(r"topics (\S+)").group(1)
        mote.wait("connected to broker")
        broker.publish(topics + "/settings/led", "true")
        mote.wait("LD3 .*on")
        mote.key("b")
        mote.wait("LD3 .*off")
        broker.kill()
        mote.wait("broker lost")
        broker.start()
        mote.wait("connected to broker")
        mote.key("c")
        mote.wait("LD1 .*off")
        mote.key("c")
        mote.wait("link up")
        mote.key("r")
        mote.wait("connected to broker")
        return mote

    def test_session_with_a_broker_is_repeated(self):
        mote = self.recorded_run()
        self.assertEqual(mote.stop(), 0)
        recorded = "\n".join(mote.output.lines)
        status, replayed, seconds = self.replay()
        self.assertEqual(status, 0, replayed)
        self.assertIn("the replay ended in the recorded state", replayed)
        self.assertEqual(self.state(replayed), self.state(recorded))
        log = [line for line in recorded.splitlines() if not line.startswith("[board")]
        self.assertEqual([line for line in replayed.splitlines() if not line.startswith("[board")], log)
        self.assertLess(seconds, 10)

    def test_killed_run_is_repeated_up_to_its_end(self):
        mote = self.recorded_run()
        mote.process.kill()
        mote.process.wait()
        status, replayed, _ = self.replay()
        self.assertEqual(status, 1)
        self.assertIn("the recording breaks off here", replayed)
        self.assertEqual(replayed.count("connected to broker"), 3)


if __name__ == "__main__":
    enter_namespace()
    main()
