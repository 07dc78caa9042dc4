"""A line on the terminal that counts up.  Where the output is no terminal there are plain lines only, one a minute."""
import os
import sys
import time

EVERY = 60  # seconds between lines where the output is no terminal


class Counter:
    def __init__(self, label):
        self.label = label
        self.terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.width = 0
        self.begun = self.said = time.monotonic()

    def show(self, done, total, note=""):
        """How far it is."""
        text = f"{self.label}: {done} of {total}{note}"
        if self.terminal:
            sys.stdout.write("\r" + text.ljust(self.width))
            self.width = len(text)
        elif time.monotonic() - self.said >= EVERY:
            self.said = time.monotonic()
            sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def clear(self):
        if self.terminal and self.width:
            sys.stdout.write("\r" + " " * self.width + "\r")
        self.width = 0

    def line(self, text):
        """A line that stays."""
        self.clear()
        sys.stdout.write(text.rstrip("\n") + "\n")
        sys.stdout.flush()

    def seconds(self):
        return f"{time.monotonic() - self.begun:.0f} s"
