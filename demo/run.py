#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job, before your eyes: two workers train one network through a
server that is killed half way and started again.

The workers (client/examples) are ordinary clients. They know nothing of the
kill: the client library retries until the server is back. `./dev demo` builds
everything, fetches the data and calls this program.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from display import Display
from processes import Failure, Server, Worker, run_tool, stop_all

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORKERS = 2
WANTED_ACCURACY = 0.95
REFRESH_SECONDS = 0.1
CHECKPOINT = re.compile(r"ckpt-(\d+)\.h5")


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--bin", default=f"{ROOT}/build/dev/bin",
                        help="where varkeepd, varkeep and examples/ are")
    parser.add_argument("--data", default=f"{ROOT}/build/demo/digits.csv")
    parser.add_argument("--work-dir", default=f"{ROOT}/build/demo/run",
                        help="made anew: data directory and logs")
    parser.add_argument("--steps", type=int, default=8000,
                        help="steps of each worker")
    parser.add_argument("--time-limit", type=float, default=240,
                        help="seconds after which to give up")
    return parser.parse_args(arguments)


class Demo:
    def __init__(self, options):
        self.options = options
        self.display = Display()
        self.data_dir = os.path.join(options.work_dir, "data")
        self.server = Server(f"{options.bin}/varkeepd", self.data_dir,
                             os.path.join(options.work_dir, "server.log"))
        self.workers = []
        self.deadline = time.monotonic() + options.time_limit

    def run(self):
        self.prepare()
        self.display.say("server", f"varkeepd listens on {self.start_server()}"
                         ", a checkpoint every second")
        self.start_workers()
        self.follow_workers()
        return self.report()

    def prepare(self):
        if not os.path.exists(self.options.data):
            raise Failure(f"there is no {self.options.data}; "
                          "./dev demo fetches it")
        shutil.rmtree(self.options.work_dir, ignore_errors=True)
        os.makedirs(self.data_dir)

    def start_server(self):
        self.server.start(self.deadline)
        while not self.healthy():
            self.server.check_alive()
            self.check_time("waiting for the server")
            time.sleep(REFRESH_SECONDS)
        return self.server.address

    def healthy(self):
        return subprocess.run(
            self.tool("health"), timeout=30, check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ).returncode == 0

    def start_workers(self):
        for number in range(WORKERS):
            log = os.path.join(self.options.work_dir, f"worker{number}.log")
            self.workers.append(Worker(number, self.worker_command(number), log,
                                       self.options.steps))
            self.display.say(f"worker {number}",
                             f"started: {self.options.steps} steps on its "
                             "half of the digits")

    def worker_command(self, number):
        return [f"{self.options.bin}/examples/digits_worker",
                "--server", self.server.address, "--data", self.options.data,
                "--worker", str(number), "--workers", str(WORKERS),
                "--steps", str(self.options.steps)]

    def follow_workers(self):
        """Shows their progress; kills the server half way and revives it."""
        killed = False
        while any(worker.running() for worker in self.workers):
            self.check_time("training")
            self.display.progress(self.workers)
            self.server.check_alive()
            if not killed and self.half_way():
                self.kill_and_revive()
                killed = True
            time.sleep(REFRESH_SECONDS)
        self.display.progress(self.workers, last=True)
        for worker in self.workers:
            worker.check_finished()
        if not killed:
            raise Failure("the workers were done before the server could be "
                          "killed; give them more --steps")

    def half_way(self):
        done = sum(worker.step for worker in self.workers)
        return done >= WORKERS * self.options.steps / 2

    def kill_and_revive(self):
        acknowledged = sum(worker.step for worker in self.workers)
        self.server.kill()
        self.display.say("server", "killed with SIGKILL, "
                         f"about {acknowledged} pushes acknowledged so far")
        started = time.monotonic()
        self.start_server()
        self.display.say("server", "started again on the same directory, "
                         f"ready after {time.monotonic() - started:.1f} s")

    # What came of it.

    def report(self):
        accuracy = self.test_accuracy()
        acknowledged = sum(worker.step for worker in self.workers)
        shown = int(self.output_of("get", "pushes").split()[-1])
        print(f"\ntest accuracy after recovery: {accuracy:.4f} "
              f"(wanted: at least {WANTED_ACCURACY})")
        print(f"pushes: {acknowledged} acknowledged, "
              f"{shown} present after the kill")
        print("\n$ varkeep ls -l")
        print(self.output_of("ls", "-l"), end="")
        self.server.stop()
        checkpoint = self.newest_checkpoint()
        print(f"\n$ h5ls -r {os.path.relpath(checkpoint, self.data_dir)}"
              "   # saved when the server was stopped")
        print(run_tool(["h5ls", "-r", checkpoint]), end="")
        if shown != acknowledged:
            raise Failure(f"{acknowledged} pushes were acknowledged, the "
                          f"recovered server has {shown}")
        if accuracy < WANTED_ACCURACY:
            raise Failure(f"test accuracy {accuracy:.4f} is below "
                          f"{WANTED_ACCURACY}")
        return (f"test accuracy {accuracy:.4f}; pushes acknowledged "
                f"{acknowledged} = pushes present {shown}")

    def test_accuracy(self):
        """Of the values in the server now, as a new client reads them."""
        output = run_tool(self.worker_command(0) + ["--evaluate"])
        for word in output.split():
            key, _, value = word.partition("=")
            if key == "test_accuracy":
                return float(value)
        raise Failure(f"no test_accuracy in what the worker printed: {output}")

    def newest_checkpoint(self):
        found = [(int(match[1]), os.path.join(self.data_dir, match[0]))
                 for match in map(CHECKPOINT.fullmatch,
                                  os.listdir(self.data_dir)) if match]
        return max(found)[1] if found else None

    def tool(self, *arguments):
        return [f"{self.options.bin}/varkeep", "--server", self.server.address,
                *arguments]

    def output_of(self, *arguments):
        return run_tool(self.tool(*arguments))

    def check_time(self, doing):
        if time.monotonic() > self.deadline:
            raise Failure(f"out of time while {doing}")

    def close(self):
        stop_all([self.server, *self.workers])


def interrupted(number, _frame):
    raise Failure(f"interrupted by {signal.Signals(number).name}")


def main(arguments):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    started = time.monotonic()
    demo = Demo(parse_arguments(arguments))
    try:
        result = demo.run()
    except (Failure, OSError, subprocess.SubprocessError) as error:
        demo.display.end()
        print(f"\ndemo: failed: {error}", file=sys.stderr)
        return 1
    finally:
        demo.close()
    print(f"\ndemo: passed in {time.monotonic() - started:.0f} s: {result}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
