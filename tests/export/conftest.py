"""A headless Chromium that the tests of exported pages talk to while time passes as usual."""

import json
import os
import shutil
import subprocess

import pytest

OPTIONS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --window-size=390,844 --hide-scrollbars "
    "--remote-debugging-pipe"
)


class Browser:
    """A browser that reads commands (Chrome DevTools Protocol) from its file 3, answers on 4."""

    def __init__(self, program, folder):
        (read, self._write), (self._read, write) = os.pipe(), os.pipe()
        script = f'exec "$0" "$@" 3<&{read} 4>&{write}'
        words = ["bash", "-c", script, program, *OPTIONS.split(), f"--user-data-dir={folder}"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(words, pass_fds=(read, write), **quiet)
        os.close(read)
        os.close(write)
        self._answers, self._count, self._session = os.fdopen(self._read, "rb"), 0, None

    def call(self, method, **parameters):
        """The result of a command."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            text = b""
            while not text.endswith(b"\0"):
                text += self._answers.read(1)
            answer = json.loads(text[:-1])
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, path):
        """Show a page, and wait until it is loaded."""
        self._session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.call("Page.navigate", url=path.as_uri())
        loaded = "new Promise((done) => document.readyState === 'complete' ? done(0) : "
        self.run(loaded + "addEventListener('load', () => done(0)))")

    def run(self, script):
        """The value of a JavaScript expression, or of its promise, in the page."""
        options = {"awaitPromise": True, "returnByValue": True}
        answer = self.call("Runtime.evaluate", expression=script, **options)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def close(self):
        """End the browser."""
        os.close(self._write)
        self._process.wait(20)
        self._answers.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A `Browser`, where there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("there is no Chromium")
    browser = Browser(program, tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()
