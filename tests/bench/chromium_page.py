"""A page in headless Chromium, driven by its DevTools protocol over two pipes.

The protocol's messages are JSON ended by a zero byte; Chromium reads them from file descriptor 3
and writes to 4 (`--remote-debugging-pipe`), so no port and no further package is needed.
"""

import base64
import json
import os
import selectors
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
_PATIENCE_S = 60.0


class Chromium:
    """One page; use as a context manager.

    Attributes:
        problems: console errors, exceptions and failed loads so far.
        requests: addresses the page asked for so far.
    """

    def __init__(
        self, profile: Path, width: int, height: int, dark: bool = False, touch: bool = False
    ) -> None:
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._number = 0
        self._buffer = b""
        self._loaded = False
        self._size = width, height
        self._dark = dark
        self._touch = touch
        self._profile = profile

    def __enter__(self) -> "Chromium":
        to_child, self._write = os.pipe()
        self._read, from_child = os.pipe()
        command = [CHROMIUM or "chromium", *_SWITCHES, f"--user-data-dir={self._profile}"]
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_child} 4>&{from_child}', "chromium", *command],
            pass_fds=(to_child, from_child),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_child)
        os.close(from_child)
        target = self.call("Target.createTarget", url="about:blank", session=None)
        self._session = self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True, session=None
        )["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        width, height = self._size
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=self._touch,
        )  # fmt: skip
        self.call("Emulation.setTouchEmulationEnabled", enabled=self._touch)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if self._dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        return self

    def __exit__(self, *_: object) -> None:
        self._send("Browser.close", {}, None)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def open(self, file: Path) -> None:
        """Load a local file with the network switched off."""
        self.call(
            "Network.emulateNetworkConditions",
            offline=True, latency=0, downloadThroughput=0, uploadThroughput=0,
        )  # fmt: skip
        self.visit(file.resolve().as_uri())

    def visit(self, address: str) -> None:
        """Load an address and wait until it is there."""
        self._loaded = False
        self.call("Page.navigate", url=address)
        deadline = time.monotonic() + _PATIENCE_S
        while not self._loaded:
            self._receive(deadline)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press_at(self, x: float, y: float) -> None:
        """Press and release the mouse."""
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def drop_at(self, file: Path, x: float, y: float) -> None:
        """Drag a file from outside the browser to a place and drop it there."""
        data = {"items": [], "files": [str(file.resolve())], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)

    def wait_for(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        deadline = time.monotonic() + _PATIENCE_S
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, f"never true: {expression}"
            time.sleep(0.05)

    def screenshot(self, file: Path, whole: bool = True) -> None:
        """Save what the page looks like as PNG."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(answer["data"]))

    def call(self, method: str, session: str | None = "", **parameters: Any) -> Any:
        """Call a method of the protocol and return its result."""
        number = self._send(method, parameters, session)
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            message = self._receive(deadline)
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def _send(self, method: str, parameters: dict[str, Any], session: str | None) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session or self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        return self._number

    def _receive(self, deadline: float) -> dict[str, Any]:
        with selectors.DefaultSelector() as selector:
            selector.register(self._read, selectors.EVENT_READ)
            while b"\0" not in self._buffer:
                assert selector.select(max(0.0, deadline - time.monotonic())), "no answer"
                data = os.read(self._read, 1 << 20)
                assert data, "Chromium has ended"
                self._buffer += data
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, parameters: dict[str, Any]) -> None:
        if event == "Page.loadEventFired":
            self._loaded = True
        elif event == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif event == "Network.loadingFailed":
            self.problems.append(f"not loaded: {parameters}")
        elif event == "Runtime.exceptionThrown":
            self.problems.append(f"exception: {parameters['exceptionDetails']}")
        elif event == "Log.entryAdded" and parameters["entry"]["level"] in {"error", "warning"}:
            self.problems.append(f"log: {parameters['entry']['text']}")
        elif event == "Runtime.consoleAPICalled" and parameters["type"] in {"error", "warning"}:
            self.problems.append(f"console: {parameters['args']}")
