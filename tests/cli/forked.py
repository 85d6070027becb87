"""Programs that train and find torch imported: one process imports it and divides for each of them.

Python takes ten seconds of a processor to import what `edgesr train` imports. A program that this
module starts has all of it, and computes nothing before it divides.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

READY = b"ready"


@dataclass(frozen=True)
class Program:
    """A running `edgesr`.

    Attributes:
        pid: of its process.
        status: a file descriptor that gives its exit code, as text, once it ended.
    """

    pid: int
    status: int

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self, timeout_s: float) -> int:
        """Return its exit code; negative: the signal that ended it."""
        ended, _, _ = select.select([self.status], [], [], timeout_s)
        assert ended, "it has not ended"
        code = int(os.read(self.status, 64))
        os.close(self.status)
        return code


class Forked:
    """The process that divides; use it as a context."""

    def __enter__(self) -> "Forked":
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._server = subprocess.Popen(
                [sys.executable, __file__, str(other.fileno())],
                pass_fds=[other.fileno()],
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # as `train` sets it
            )
        assert self._socket.recv(64) == READY
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()
        self._server.wait()

    def start(
        self, arguments: list[str], stdout: int, stderr: int = 2, **environment: str
    ) -> Program:
        """Start `edgesr` with arguments.

        Args:
            arguments: of the command line.
            stdout: file descriptor of its standard output.
            stderr: file descriptor of its standard error.
            environment: what is added to the variables of this process.
        """
        status, of_server = os.pipe()
        request = json.dumps([arguments, dict(os.environ) | environment, str(Path.cwd())])
        socket.send_fds(self._socket, [request.encode()], [stdout, stderr, of_server])
        os.close(of_server)
        return Program(int(self._socket.recv(64)), status)


def _serve(requests: socket.socket) -> None:
    """Divide for every request; return in no process but the one that was started."""
    _import_all()
    requests.send(READY)
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, 1 << 20, 3)
        if not message:
            return
        stdout, stderr, status = descriptors
        if not os.fork():  # a process that waits for the program, so that this one need not
            pid = os.fork()
            if not pid:
                requests.close()
                os.close(status)
                os.dup2(stdout, 1)
                os.dup2(stderr, 2)
                os.close(stdout)
                os.close(stderr)
                _run(*json.loads(message))
            for descriptor in (stdout, stderr):
                os.close(descriptor)
            requests.send(str(pid).encode())
            requests.close()
            _, ended = os.waitpid(pid, 0)
            os.write(status, str(os.waitstatus_to_exitcode(ended)).encode())
            os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)


def _import_all() -> None:
    """Import what a training has imported at its end, by the names that are slow."""
    import matplotlib.figure  # noqa: F401
    import torch._dynamo
    import torch.distributed.nn.functional  # noqa: F401

    import edgesr.train.loop  # noqa: F401


def _run(arguments: list[str], environment: dict[str, str], folder: str) -> None:
    from edgesr.__main__ import main

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["edgesr", *arguments]
    main()
    sys.exit()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
