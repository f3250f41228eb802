"""A Slurm cluster of one node on this machine, for the tests of `profiles/slurm`.

It needs root and Debian's packages `slurm-wlm` and `munge`. All daemons listen on 127.0.0.1, keep
their files in one folder and end with the cluster; a cluster that the machine belongs to is not
touched. It has no accounting database, as many small clusters have none.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")
CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/ctld
SlurmdSpoolDir={folder}/slurmd
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2
ReturnToService=2
KillWait=10
MailProg=/bin/true
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory}
PartitionName=all Nodes=node Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Return why no cluster can be set up here, or an empty text."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    if absent:
        return f"needs slurm-wlm and munge: no {', '.join(absent)}"
    return "" if os.geteuid() == 0 else "needs root"


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


def _free_ports(n: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Job(NamedTuple):
    """A job as `squeue` lists it: its state, its memory, and a comment such as "rule_train…"."""

    state: str
    memory: str
    comment: str


class Cluster:
    """A running cluster.

    Attributes:
        env: the environment in which Slurm's commands find it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = f"{folder / 'bin'}:{_path()}"
        self.env = {**os.environ, "PATH": path, "SLURM_CONF": str(folder / "slurm.conf")}

    def call(self, *command: str) -> str:
        """Run one of Slurm's commands; return what it prints."""
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def node_state(self) -> str:
        """Return the node's state, such as "idle" or "drained"."""
        return self.call("sinfo", "--noheader", "--format=%T").strip().rstrip("*")

    def jobs(self) -> dict[str, Job]:
        """Return the jobs that are not forgotten yet, by number."""
        lines = self.call("squeue", "--all", "--states=all", "--noheader", "--format=%i|%T|%m|%k")
        fields = (line.split("|", 3) for line in lines.splitlines())
        return {number: Job(*rest) for number, *rest in fields}

    def wait(self, condition, what: str, seconds: float = 60) -> None:
        """Wait until `condition()` is true."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what}; the logs are in {self.folder}"
            time.sleep(0.2)


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Set a cluster up in `folder`; end its daemons and its jobs at the end."""
    for name in ("ctld", "slurmd", "bin"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    port, node_port = _free_ports(2)
    mebibytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    text = CONF.format(
        folder=folder,
        host=socket.gethostname(),
        port=port,
        node_port=node_port,
        cpus=os.cpu_count(),
        memory=mebibytes * 9 // 10,
    )
    (folder / "slurm.conf").write_text(text)
    # The plugin removes SLURM_CONF from the environment of `srun`.
    shim = folder / "bin" / "srun"
    program = shutil.which("srun", path=_path())
    shim.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {program} "$@"\n')
    shim.chmod(0o755)
    (folder / "munge.key").write_bytes(secrets.token_bytes(128))
    (folder / "munge.key").chmod(0o600)
    here = Cluster(folder)
    # --force: root may run it, in a folder that no other user can enter.
    munged = ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket"]
    munged += [f"--{name}-file={folder}/munge.{name}" for name in ("key", "log", "pid", "seed")]
    with contextlib.ExitStack() as stack:
        for command in (munged, ["slurmctld", "-D"], ["slurmd", "-D", "-N", "node"]):
            stack.enter_context(_daemon(command, here))
            if command is munged:
                here.wait((folder / "munge.socket").exists, "munged did not start")
        here.wait(lambda: _idle(here), "the node did not come up")
        try:
            yield here
        finally:
            here.call("scancel", "--user=root")
            here.wait(lambda: not here.call("squeue", "--noheader"), "a job does not end")


def _idle(here: Cluster) -> bool:
    with contextlib.suppress(AssertionError):
        return here.node_state() == "idle"
    return False


@contextlib.contextmanager
def _daemon(command: list[str], here: Cluster) -> Iterator[None]:
    with (here.folder / f"{command[0]}.out").open("w") as log:
        process = subprocess.Popen(command, env=here.env, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    import signal
    import sys

    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with cluster(Path(sys.argv[1]).resolve()) as running:
        print(f"export SLURM_CONF={running.env['SLURM_CONF']}", flush=True)
        while True:
            time.sleep(1)
