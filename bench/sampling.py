"""Sample memory and CPU of a process and its children while it runs.

PSS counts a page that several processes share once; RSS counts it for each of them. A memory limit sees PSS.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import psutil

EVERY = 0.05  # seconds
FAMILY_EVERY = 4  # samples between two looks for children


@dataclass(slots=True)
class Peaks:
    """The highest values, in bytes: of the process, and of its whole family at one moment. CPU in seconds."""

    alone: dict[str, int] = field(default_factory=lambda: {"pss": 0, "rss": 0})
    together: dict[str, int] = field(default_factory=lambda: {"pss": 0, "rss": 0})
    processes: int = 0
    cpu_alone: float = 0.0
    cpu_together: float = 0.0


class Sampler:
    """Sample a process until it ends or ``stop`` is called."""

    def __init__(self, pid: int) -> None:
        self.peaks = Peaks()
        self._root = psutil.Process(pid)
        self._family: list[psutil.Process] = []
        self._cpu: dict[int, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    def stop(self) -> Peaks:
        """Stop, and return the peaks."""
        self._stop.set()
        self._thread.join()
        self.peaks.cpu_alone = self._cpu.get(self._root.pid, 0.0)
        self.peaks.cpu_together = sum(self._cpu.values())
        return self.peaks

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(EVERY):
            if number % FAMILY_EVERY == 0:
                self._family = self._children()
            number += 1
            self._sample()

    def _children(self) -> list[psutil.Process]:
        try:
            return list(self._root.children(recursive=True))
        except psutil.NoSuchProcess:
            return []

    def _sample(self) -> None:
        together = {"pss": 0, "rss": 0}
        living = 0
        for process in (self._root, *self._family):
            try:
                memory, cpu = process.memory_full_info(), process.cpu_times()
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            living += 1
            self._cpu[process.pid] = cpu.user + cpu.system
            for name in together:
                together[name] += getattr(memory, name)
                if process is self._root:
                    self.peaks.alone[name] = max(self.peaks.alone[name], getattr(memory, name))
        self.peaks.processes = max(self.peaks.processes, living)
        for name, value in together.items():
            self.peaks.together[name] = max(self.peaks.together[name], value)
