"""What the tests of pages share: a headless Chromium that runs a script in a page."""

import json
import re
import shutil
import subprocess

import pytest

OPTIONS = (
    "--headless --no-sandbox --disable-gpu --window-size=1280,900 --virtual-time-budget=5000 "
    "--run-all-compositor-stages-before-draw"  # so that observers of what is in view are called
)


@pytest.fixture
def in_browser(tmp_path):
    """A function that opens a page in Chromium and returns the value of some JavaScript there."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        pytest.skip("there is no Chromium")

    def run(page, script, fragment=""):
        wrapped = (
            "<script>addEventListener('load', () => setTimeout(async () => {"
            "const answer = document.createElement('pre'); answer.id = 'answer';"
            f"answer.textContent = JSON.stringify(await (async () => {{{script}}})());"
            "document.body.replaceChildren(answer)}, 200))</script>"
        )
        path = tmp_path / "page.html"
        path.write_text(page.replace("</body>", wrapped + "</body>"), encoding="utf-8")
        command = [browser, *OPTIONS.split(), f"--user-data-dir={tmp_path / 'profile'}"]
        command += ["--dump-dom", path.as_uri() + fragment]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
        answer = re.search(r'<pre id="answer">(.*?)</pre>', shown.stdout, re.S)
        assert answer, shown.stdout[-500:] + shown.stderr[-500:]
        return json.loads(answer[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))

    return run
